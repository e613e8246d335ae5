//! The calendar, time zones and datetime patterns that all functions of dates and times share.
//!
//! They mean what `java.time` means: the proleptic Gregorian calendar of ISO 8601, the rules of the
//! time zone database, and the letters of `DateTimeFormatter` as Spark takes them.

pub mod calendar;
pub(crate) mod parts;
pub mod pattern;
pub(crate) mod reading;
pub(crate) mod rows;
pub(crate) mod unit;
pub mod zone;
mod zone_names;

pub use pattern::Pattern;
pub use zone::{Zone, offset_id};
