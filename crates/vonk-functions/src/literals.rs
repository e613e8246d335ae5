//! What stands in the quotes of typed literals: read, and written as Spark names it.

use crate::cast::moments;
use crate::datetime::Zone;
use crate::render;

/// The date of `DATE '…'`, if it is one.
///
/// ```
/// assert_eq!(vonk_functions::literals::date("2024-2").as_deref(), Some("2024-02-01"));
/// assert_eq!(vonk_functions::literals::date("2024-02-30"), None);
/// ```
pub fn date(text: &str) -> Option<String> {
    let days = if is_epoch(text) { 0 } else { moments::date(text)? };
    let mut out = String::new();
    render::date(&mut out, i64::from(days));
    Some(out)
}

/// The moment of `TIMESTAMP '…'` on the clock of a zone, if it is one.
pub fn timestamp(text: &str, zone: &Zone) -> Option<String> {
    let utc = if is_epoch(text) { 0 } else { moments::moment(text)?.utc(zone)? };
    let mut out = String::new();
    render::timestamp(&mut out, zone.to_local(utc));
    Some(out)
}

/// The moment of `TIMESTAMP_NTZ '…'`, if it is one.
pub fn timestamp_ntz(text: &str) -> Option<String> {
    let local = if is_epoch(text) { 0 } else { moments::moment(text)?.local()? };
    let mut out = String::new();
    render::timestamp(&mut out, local);
    Some(out)
}

/// The time of day of `TIME '…'`, if it is one.
pub fn time(text: &str) -> Option<String> {
    let mut out = String::new();
    render::time(&mut out, moments::time(text)?);
    Some(out)
}

fn is_epoch(text: &str) -> bool {
    text.trim().eq_ignore_ascii_case("epoch")
}
