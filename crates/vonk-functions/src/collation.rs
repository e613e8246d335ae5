//! How texts compare: by their bytes, which is Spark's `UTF8_BINARY`; other ways are refused.

use crate::failure::Failure;

/// The collation of every text.
pub const BINARY: &str = "UTF8_BINARY";

/// Collations of Spark that compare otherwise; languages such as `de_CI` are others.
pub const OTHERS: &[&str] = &["UTF8_LCASE", "UNICODE", "UNICODE_CI", "UNICODE_AI", "UNICODE_CI_AI"];

/// Refuses a collation that is not the one of every text; `system.builtin.` may stand before it.
///
/// ```
/// assert!(vonk_functions::collation::check("utf8_binary").is_ok());
/// let refused = vonk_functions::collation::check("UTF8_BINARRY").unwrap_err();
/// assert_eq!(refused.condition, "COLLATION_INVALID_NAME");
/// ```
///
/// # Errors
/// `COLLATION_INVALID_NAME` for what is no collation of Spark's, else `UNSUPPORTED_FEATURE`.
pub fn check(name: &str) -> Result<(), Failure> {
    let bare = name.rsplit('.').next().unwrap_or(name).trim_matches('`').to_uppercase();
    if bare == BINARY {
        return Ok(());
    }
    let known = bare.strip_suffix("_RTRIM").unwrap_or(&bare);
    let is_language = known.split('_').next().is_some_and(|first| (2..=3).contains(&first.len()));
    if known == BINARY || OTHERS.contains(&known) || is_language {
        let message = format!("the collation `{name}` is not supported");
        return Err(Failure::new("UNSUPPORTED_FEATURE", message)
            .hint("compare `lower(…)` of both sides, or use UTF8_BINARY"));
    }
    let message = format!("the collation `{name}` does not exist");
    let closest = OTHERS.iter().chain([&BINARY]).min_by_key(|other| distance(&bare, other));
    let closest = closest.filter(|other| distance(&bare, other) < 4);
    Err(Failure::new("COLLATION_INVALID_NAME", message).hint(match closest {
        Some(closest) => format!("did you mean `{closest}`?"),
        None => format!("leave it out: texts compare by {BINARY}"),
    }))
}

fn distance(name: &str, other: &str) -> usize {
    strsim::osa_distance(name, other)
}
