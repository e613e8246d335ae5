//! Dates and times within documents, by the patterns of the options or in the form of ISO 8601.

use datafusion::common::Result;

use super::options::Options;
use crate::datetime::pattern::Moment;
use crate::datetime::{Pattern, Zone};
use crate::failure::Failure;

/// What a timestamp is written as without a pattern.
const TIMESTAMP: &str = "yyyy-MM-dd'T'HH:mm:ss[.SSS][XXX]";
const TIMESTAMP_NTZ: &str = "yyyy-MM-dd'T'HH:mm:ss[.SSS]";

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// How dates and times are read and written.
pub(super) struct Moments {
    date: Option<Pattern>,
    timestamp: Option<Pattern>,
    timestamp_ntz: Option<Pattern>,
    time: Option<Pattern>,
    zone: Zone,
}

impl Moments {
    /// To read by.
    pub(super) fn to_read(options: &Options, zone: &str) -> Result<Self> {
        Self::new(options, zone, Pattern::for_parsing)
    }

    /// To write by.
    pub(super) fn to_write(options: &Options, zone: &str) -> Result<Self> {
        let mut moments = Self::new(options, zone, Pattern::for_formatting)?;
        moments.timestamp = match moments.timestamp {
            Some(pattern) => Some(pattern),
            None => Some(Pattern::for_formatting(TIMESTAMP)?),
        };
        moments.timestamp_ntz = match moments.timestamp_ntz {
            Some(pattern) => Some(pattern),
            None => Some(Pattern::for_formatting(TIMESTAMP_NTZ)?),
        };
        Ok(moments)
    }

    fn new(
        options: &Options,
        zone: &str,
        compile: fn(&str) -> Result<Pattern, Failure>,
    ) -> Result<Self> {
        let zone = options.get("timezone").unwrap_or(zone);
        let pattern = |name: &str| options.get(name).map(compile).transpose();
        Ok(Self {
            date: pattern("dateformat")?,
            timestamp: pattern("timestampformat")?,
            timestamp_ntz: pattern("timestampntzformat")?,
            time: pattern("timeformat")?,
            zone: Zone::named(zone)?,
        })
    }

    /// Days since 1970-01-01.
    pub(super) fn read_date(&self, text: &str) -> Option<i32> {
        match &self.date {
            Some(pattern) => pattern.parse(text).ok().map(|parsed| parsed.day()),
            None => {
                let micros = read_local(text.get(..10).unwrap_or(text))?;
                Some(micros.div_euclid(MICROS_PER_DAY) as i32)
            }
        }
    }

    /// Microseconds since 1970-01-01, of UTC or of no zone.
    pub(super) fn read_timestamp(&self, text: &str, has_zone: bool) -> Option<i64> {
        let pattern = if has_zone { &self.timestamp } else { &self.timestamp_ntz };
        if let Some(pattern) = pattern {
            let parsed = pattern.parse(text).ok()?;
            return Some(match has_zone {
                true => parsed.utc_micros(&self.zone),
                false => parsed.local_micros,
            });
        }
        let text = text.trim();
        let time = text.find(['T', ' ']).map_or(text.len(), |at| at + 1);
        let zone = text[time..].find(['Z', '+', '-', ' ']).map(|at| time + at);
        let (local, zone) = text.split_at(zone.unwrap_or(text.len()));
        let local = read_local(local)?;
        Some(match (has_zone, zone.trim()) {
            (false, _) => local,
            (true, "") => self.zone.to_utc(local),
            (true, zone) => Zone::parse(zone)?.to_utc(local),
        })
    }

    /// Microseconds since midnight.
    pub(super) fn read_time(&self, text: &str) -> Option<i64> {
        match &self.time {
            Some(pattern) => {
                let parsed = pattern.parse(text).ok()?;
                Some(parsed.local_micros.rem_euclid(MICROS_PER_DAY))
            }
            None => read_clock(text),
        }
    }

    pub(super) fn write_date(&self, days: i32, output: &mut String) -> Result<()> {
        let local = i64::from(days) * MICROS_PER_DAY;
        match &self.date {
            Some(pattern) => pattern.format(&Moment::of_local(local, Zone::UTC), output)?,
            None => Pattern::for_formatting("yyyy-MM-dd")?
                .format(&Moment::of_local(local, Zone::UTC), output)?,
        }
        Ok(())
    }

    pub(super) fn write_timestamp(
        &self,
        micros: i64,
        has_zone: bool,
        output: &mut String,
    ) -> Result<()> {
        let (pattern, moment) = match has_zone {
            true => (&self.timestamp, Moment::of_utc(micros, self.zone)),
            false => (&self.timestamp_ntz, Moment::of_local(micros, Zone::UTC)),
        };
        if let Some(pattern) = pattern {
            pattern.format(&moment, output)?;
        }
        Ok(())
    }

    pub(super) fn write_time(&self, micros: i64, output: &mut String) -> Result<()> {
        if let Some(pattern) = &self.time {
            return Ok(pattern.format(&Moment::of_local(micros, Zone::UTC), output)?);
        }
        let seconds = micros / 1_000_000;
        let clock = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        output.push_str(&format!("{:02}:{:02}:{:02}", clock.0, clock.1, clock.2));
        let fraction = format!("{:06}", micros % 1_000_000);
        let fraction = fraction.trim_end_matches('0');
        if !fraction.is_empty() {
            output.push('.');
            output.push_str(fraction);
        }
        Ok(())
    }
}

/// `2015-08-26`, with a time behind a space or a `T` or without.
fn read_local(text: &str) -> Option<i64> {
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let mut parts = date.split('-');
    let year: i32 = parts.next().filter(|year| year.len() >= 4)?.parse().ok()?;
    let month = parts.next().map_or(Some(1), |month| month.parse().ok())?;
    let day = parts.next().map_or(Some(1), |day| day.parse().ok())?;
    if parts.next().is_some() {
        return None;
    }
    let date = chrono::NaiveDate::from_ymd_opt(year, month, day)?;
    let days = i64::from(crate::datetime::calendar::days_of(date));
    Some(days * MICROS_PER_DAY + time.map_or(Some(0), read_clock)?)
}

/// `12:34:56.789`
fn read_clock(text: &str) -> Option<i64> {
    let (clock, fraction) = text.split_once('.').unwrap_or((text, ""));
    let mut parts = clock.split(':').map(|part| {
        let is_short = (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
        if is_short { part.parse::<i64>().ok() } else { None }
    });
    let hour = parts.next()??;
    let minute = parts.next().unwrap_or(Some(0))?;
    let second = parts.next().unwrap_or(Some(0))?;
    let is_right = hour < 24 && minute < 60 && second < 60 && parts.next().is_none();
    if !is_right || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let micros: i64 = format!("{:0<6}", fraction.get(..6).unwrap_or(fraction)).parse().ok()?;
    Some((hour * 3600 + minute * 60 + second) * 1_000_000 + micros)
}
