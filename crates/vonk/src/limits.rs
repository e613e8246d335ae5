//! What one statement may take: text, time, values and results; each breach names its option.
//!
//! The limits on memory and spilled data are the pool's and the disk manager's, that on depth is
//! in `analyze::depth`, that on partitions in `write`.

use crate::config::{self, Config};
use crate::error::{Condition, Error, Result};

mod estimate;
mod expression;
mod result;
mod time;

pub(crate) use expression::{bounded, bounded_at, unbounded};
pub(crate) use result::{at_most_bytes, at_most_rows};
pub(crate) use time::Deadline;

/// Refuses a statement whose text is longer than the option allows.
pub(crate) fn check_text(config: &Config, text: &str) -> Result<()> {
    match config.bytes(config::TEXT_BYTES_MAX)? {
        Some(limit) if text.len() as u64 > limit => {
            let message = format!(
                "the statement has {} bytes, the limit `{}` is {limit}",
                text.len(),
                config::TEXT_BYTES_MAX
            );
            Err(Error::new(Condition::STATEMENT_TOO_LONG, message)
                .hint("put values into a file or table and join it, or raise the limit"))
        }
        _ => Ok(()),
    }
}
