//! Writes a point in time by the parts of a pattern.

use std::fmt::Write;

use chrono::{Datelike, NaiveDate};

use super::{Digits, Field, Item, Moment, OffsetStyle, Sign, words};
use crate::datetime::calendar::{self, MICROS_PER_SECOND};
use crate::datetime::zone::{self, Zone};
use crate::failure::Failure;

pub(super) fn write(items: &[Item], moment: &Moment, text: &mut String) -> Result<(), Failure> {
    let fields = Fields::of(moment);
    write_items(items, &fields, moment, text)
}

fn write_items(
    items: &[Item],
    fields: &Fields,
    moment: &Moment,
    text: &mut String,
) -> Result<(), Failure> {
    for item in items {
        match item {
            Item::Literal(literal) => text.push_str(literal),
            Item::Number { field, digits, .. } => number(fields.get(*field), *digits, text)?,
            Item::ShortYear { field, .. } => {
                let _ = write!(text, "{:02}", fields.get(*field).abs() % 100);
            }
            Item::Fraction { max, .. } => {
                let nanos = format!("{:09}", fields.get(Field::Nano));
                text.push_str(&nanos[..*max]);
            }
            Item::Word { field, in_full } => {
                text.push_str(words::word(*field, *in_full, fields.get(*field)));
            }
            Item::Offset(style) => offset(moment.offset_seconds, style, text),
            Item::LocalizedOffset { in_full } => {
                localized_offset(moment.offset_seconds, *in_full, text);
            }
            Item::ZoneId => zone_id(&moment.zone, text),
            Item::ZoneName { in_full: true } => {
                text.push_str(&moment.zone.full_name(moment.utc_micros()));
            }
            Item::ZoneName { in_full: false } => {
                text.push_str(&moment.zone.short_name(moment.utc_micros()));
            }
            Item::Optional(inner) => write_items(inner, fields, moment, text)?,
        }
    }
    Ok(())
}

/// A date and the microseconds of its day.
struct Fields {
    date: NaiveDate,
    micros: i64,
}

impl Fields {
    fn of(moment: &Moment) -> Self {
        Self {
            date: calendar::date_of(calendar::day_of_micros(moment.local_micros)),
            micros: calendar::time_of_micros(moment.local_micros),
        }
    }

    fn get(&self, field: Field) -> i64 {
        let year = i64::from(self.date.year());
        let seconds = self.micros / MICROS_PER_SECOND;
        let hour = seconds / 3600;
        let clock = |hour: i64, last: i64| if hour == 0 { last } else { hour };
        match field {
            Field::Era => i64::from(year > 0),
            Field::YearOfEra => {
                if year > 0 {
                    year
                } else {
                    1 - year
                }
            }
            Field::Year => year,
            Field::Quarter => i64::from(self.date.month0() / 3 + 1),
            Field::Month => i64::from(self.date.month()),
            Field::DayOfMonth => i64::from(self.date.day()),
            Field::DayOfYear => i64::from(self.date.ordinal()),
            Field::DayOfWeek => i64::from(self.date.weekday().number_from_monday()),
            Field::DayOfWeekInMonth => i64::from(self.date.day0() % 7 + 1),
            Field::AmPm => hour / 12,
            Field::HourOfDay => hour,
            Field::ClockHourOfDay => clock(hour, 24),
            Field::HourOfAmPm => hour % 12,
            Field::ClockHourOfAmPm => clock(hour % 12, 12),
            Field::Minute => seconds / 60 % 60,
            Field::Second => seconds % 60,
            Field::Nano => self.micros % MICROS_PER_SECOND * 1000,
        }
    }
}

fn number(value: i64, digits: Digits, text: &mut String) -> Result<(), Failure> {
    let figures = value.unsigned_abs().to_string();
    if figures.len() > digits.max {
        let condition = "DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION";
        let message = format!("{value} has more digits than the {} of the pattern", digits.max);
        return Err(Failure::new(condition, message).hint("use more letters of this field"));
    }
    match digits.sign {
        Sign::Exceeding if value >= 0 && figures.len() > digits.min => text.push('+'),
        _ if value < 0 => text.push('-'),
        _ => {}
    }
    let _ = write!(text, "{figures:0>width$}", width = digits.min);
    Ok(())
}

fn offset(seconds: i32, style: &OffsetStyle, text: &mut String) {
    // An offset of less than the style can show is UTC.
    let shown = if style.seconds { seconds } else { seconds / 60 * 60 };
    if shown == 0 {
        text.push_str(style.zero);
        return;
    }
    let id = zone::offset_id(shown, style.colon);
    match style.short && shown % 3600 == 0 {
        true => text.push_str(&id[..3]),
        false => text.push_str(&id),
    }
}

fn localized_offset(seconds: i32, in_full: bool, text: &mut String) {
    text.push_str("GMT");
    if seconds == 0 {
        return;
    }
    let id = zone::offset_id(seconds, ":");
    if in_full {
        text.push_str(&id);
        return;
    }
    let id = id.strip_suffix(":00").unwrap_or(&id);
    let (sign, rest) = id.split_at(1);
    text.push_str(sign);
    text.push_str(rest.strip_prefix('0').unwrap_or(rest));
}

fn zone_id(zone: &Zone, text: &mut String) {
    match zone {
        Zone::Fixed(0) => text.push_str("UTC"),
        Zone::Fixed(offset) => text.push_str(&zone::offset_id(*offset, ":")),
        Zone::Region(tz) => text.push_str(tz.name()),
    }
}
