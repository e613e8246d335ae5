//! What lies below an error: its causes down to the innermost, and the words of a panic.

use std::any::Any;
use std::error::Error;

/// An error and its causes, the outermost first.
///
/// The errors that DataFusion's contexts, shared errors and external errors wrap are among them.
///
/// ```
/// use vonk::error::causes;
/// use vonk::{Condition, Error};
/// let error = Error::new(Condition::WRITE_FAILED, "the write failed")
///     .caused_by(std::io::Error::other("no space"));
/// assert!(causes(&error).any(|cause| cause.is::<std::io::Error>()));
/// ```
pub fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| Error::source(*error))
}

/// The last of an error's causes, which says what happened and not through which layers.
pub fn innermost<'a>(error: &'a (dyn Error + 'static)) -> &'a (dyn Error + 'static) {
    causes(error).last().unwrap_or(error)
}

/// The text that a panic was raised with, if it was raised with one.
pub fn panic_text(payload: &(dyn Any + Send)) -> Option<&str> {
    let text = payload.downcast_ref::<&str>().copied();
    text.or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use datafusion::common::DataFusionError;

    use super::*;

    #[test]
    fn the_causes_are_found_below_the_foundations_layers() {
        let io = DataFusionError::External(Box::new(std::io::Error::other("no space")));
        let error = crate::Error::internal("it failed").caused_by(io.context("a stage"));
        assert_eq!(innermost(&error).to_string(), "no space");
        assert!(causes(&error).any(|cause| cause.is::<std::io::Error>()));
    }

    #[test]
    fn a_panic_has_a_text_unless_it_was_raised_with_something_else() {
        assert_eq!(panic_text(&"short"), Some("short"));
        assert_eq!(panic_text(&"long".to_owned()), Some("long"));
        assert_eq!(panic_text(&1), None);
    }
}
