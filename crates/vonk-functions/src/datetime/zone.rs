//! Time zones as `java.time.ZoneId` knows them: offsets such as `+01:00`, and names of regions.

use chrono::{DateTime, Datelike, MappedLocalTime, NaiveDate, Offset, TimeZone};
use chrono_tz::{OffsetComponents, OffsetName, Tz};

use super::calendar::{self, MICROS_PER_SECOND, SECONDS_PER_DAY};
use super::zone_names;
use crate::failure::Failure;

/// A time zone: how far local time is from UTC, at every moment.
///
/// ```
/// use vonk_functions::datetime::Zone;
/// let zone = Zone::named("Europe/Amsterdam")?;
/// assert_eq!(zone.offset_at(0), 3600);
/// assert_eq!(zone.to_local(0), 3_600_000_000);
/// assert_eq!(Zone::named("+02:00")?.to_utc(0), -7_200_000_000);
/// # Ok::<(), vonk_functions::Failure>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Zone {
    /// Always so many seconds ahead of UTC.
    Fixed(i32),
    /// By the rules of a region of the time zone database.
    Region(Tz),
}

/// The farthest that a zone may be from UTC.
const OFFSET_MAX_SECONDS: i32 = 18 * 3600;

/// The first year whose changes of the clock the compiled database does not hold.
const FIRST_YEAR_WITHOUT_RULES: i32 = 2100;

/// Java's short names of zones, `ZoneId.SHORT_IDS`.
const SHORT_IDS: &[(&str, &str)] = &[
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("EST", "-05:00"),
    ("HST", "-10:00"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("MST", "-07:00"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
];

impl Zone {
    /// UTC itself.
    pub const UTC: Zone = Zone::Fixed(0);

    /// The zone of a name: a region, an offset, `UTC+1`, or one of Java's short names.
    ///
    /// # Errors
    /// `INVALID_TIMEZONE`
    pub fn named(name: &str) -> Result<Self, Failure> {
        Self::parse(name).ok_or_else(|| {
            Failure::new("INVALID_TIMEZONE", format!("`{name}` is not a time zone"))
                .hint("name a region such as `Europe/Amsterdam`, or an offset such as `+01:00`")
        })
    }

    /// As [`Zone::named`], without an error.
    pub fn parse(name: &str) -> Option<Self> {
        let name = SHORT_IDS.iter().find(|(short, _)| *short == name).map_or(name, |(_, id)| id);
        if matches!(name, "Z" | "UTC" | "GMT" | "UT") {
            return Some(Zone::UTC);
        }
        let offset = ["UTC", "GMT", "UT"].iter().find_map(|prefix| name.strip_prefix(prefix));
        let offset = offset.filter(|rest| rest.starts_with(['+', '-'])).unwrap_or(name);
        if offset.starts_with(['+', '-']) {
            return parse_offset(offset).map(Zone::Fixed);
        }
        name.parse().ok().map(Zone::Region)
    }

    /// Seconds that local time is ahead of UTC at a point in time.
    pub fn offset_at(&self, utc_micros: i64) -> i32 {
        match self {
            Zone::Fixed(offset) => *offset,
            Zone::Region(tz) => {
                let seconds = with_rules(utc_micros.div_euclid(MICROS_PER_SECOND));
                let moment = DateTime::from_timestamp(seconds, 0);
                let offset = moment.map(|moment| tz.offset_from_utc_datetime(&moment.naive_utc()));
                offset.map_or(0, |offset| offset.fix().local_minus_utc())
            }
        }
    }

    /// The local time, in microseconds as if it were UTC, of a point in time.
    pub fn to_local(&self, utc_micros: i64) -> i64 {
        utc_micros.saturating_add(i64::from(self.offset_at(utc_micros)) * MICROS_PER_SECOND)
    }

    /// The point in time of a local time.
    ///
    /// A time that the clock shows twice is the first of the two; one that it leaves out is as much
    /// later as the clock was put forward.
    pub fn to_utc(&self, local_micros: i64) -> i64 {
        self.to_utc_near(local_micros, None)
    }

    /// As [`Zone::to_utc`], but of two points in time it takes the one with the preferred offset.
    pub fn to_utc_near(&self, local_micros: i64, preferred: Option<i32>) -> i64 {
        let offset = self.local_offset(local_micros.div_euclid(MICROS_PER_SECOND), preferred);
        local_micros.saturating_sub(i64::from(offset) * MICROS_PER_SECOND)
    }

    /// The day, since 1970-01-01, that it is at a point in time.
    pub fn day_of(&self, utc_micros: i64) -> i32 {
        calendar::day_of_micros(self.to_local(utc_micros))
    }

    fn local_offset(&self, local_seconds: i64, preferred: Option<i32>) -> i32 {
        let tz = match self {
            Zone::Fixed(offset) => return *offset,
            Zone::Region(tz) => tz,
        };
        let known = with_rules(local_seconds);
        let Some(local) = DateTime::from_timestamp(known, 0) else { return 0 };
        match tz.offset_from_local_datetime(&local.naive_utc()) {
            MappedLocalTime::Single(offset) => offset.fix().local_minus_utc(),
            MappedLocalTime::Ambiguous(first, second) => {
                let second = second.fix().local_minus_utc();
                if preferred == Some(second) { second } else { first.fix().local_minus_utc() }
            }
            // A day before, the clock had not been put forward yet.
            MappedLocalTime::None => self.offset_at((known - SECONDS_PER_DAY) * MICROS_PER_SECOND),
        }
    }

    /// The short name of the zone at a moment, such as `CET` or `PDT`, as Java words it.
    pub(crate) fn short_name(&self, utc_micros: i64) -> String {
        match self {
            Zone::Fixed(0) => "UTC".to_owned(),
            Zone::Fixed(offset) => offset_id(*offset, ":"),
            Zone::Region(tz) => {
                abbreviation(tz, utc_micros).unwrap_or_else(|| tz.name().to_owned())
            }
        }
    }

    /// The full name of the zone at a moment, such as `Pacific Standard Time`.
    pub(crate) fn full_name(&self, utc_micros: i64) -> String {
        let short = self.short_name(utc_micros);
        zone_names::full(&short).map_or(short, str::to_owned)
    }
}

/// The seconds of an offset: `+h`, `+hh`, `+hmm`, `+hhmm`, `+hh:mm`, `+hhmmss` or `+hh:mm:ss`, where a
/// part between colons may also be one digit.
pub(crate) fn parse_offset(text: &str) -> Option<i32> {
    let (sign, rest) = match text.as_bytes().first()? {
        b'+' => (1, &text[1..]),
        b'-' => (-1, &text[1..]),
        _ => return None,
    };
    let parts: Vec<&str> = match rest.contains(':') {
        true => rest.split(':').collect(),
        false if rest.len() > 2 && rest.is_ascii() && rest.len() % 2 == 0 => {
            (0..rest.len() / 2).map(|at| &rest[2 * at..2 * at + 2]).collect()
        }
        false => vec![rest],
    };
    let number = |part: &&str| -> Option<i32> {
        let is_number = matches!(part.len(), 1 | 2) && part.bytes().all(|b| b.is_ascii_digit());
        if is_number { part.parse().ok() } else { None }
    };
    let parts: Option<Vec<i32>> = parts.iter().map(number).collect();
    let (hours, minutes, seconds) = match parts?.as_slice() {
        [hours] => (*hours, 0, 0),
        [hours, minutes] => (*hours, *minutes, 0),
        [hours, minutes, seconds] => (*hours, *minutes, *seconds),
        _ => return None,
    };
    let total = hours * 3600 + minutes * 60 + seconds;
    let fits = minutes < 60 && seconds < 60 && total <= OFFSET_MAX_SECONDS;
    fits.then_some(sign * total)
}

/// An offset as `+hh:mm`, or `+hh:mm:ss` if it has seconds.
pub fn offset_id(offset: i32, colon: &str) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    let total = offset.unsigned_abs();
    let (hours, minutes, seconds) = (total / 3600, total / 60 % 60, total % 60);
    let seconds = if seconds == 0 { String::new() } else { format!("{colon}{seconds:02}") };
    format!("{sign}{hours:02}{colon}{minutes:02}{seconds}")
}

/// The same moment of a year that the compiled rules reach: one of the 28 before their end has the
/// same weekdays.
fn with_rules(seconds: i64) -> i64 {
    let Some(year) = calendar::year_of_seconds(seconds) else { return seconds };
    if year < FIRST_YEAR_WITHOUT_RULES {
        return seconds;
    }
    let first = |year: i32| NaiveDate::from_ymd_opt(year, 1, 1);
    let Some(wanted) = first(year) else { return seconds };
    let same = (FIRST_YEAR_WITHOUT_RULES - 28..FIRST_YEAR_WITHOUT_RULES)
        .filter_map(first)
        .find(|day| day.weekday() == wanted.weekday() && day.leap_year() == wanted.leap_year());
    match same {
        Some(same) => seconds - (wanted - same).num_seconds(),
        None => seconds,
    }
}

/// Java names a zone by its rules of today, whatever they were at the moment.
fn abbreviation(tz: &Tz, utc_micros: i64) -> Option<String> {
    const MOMENTS: [i64; 2] = [1_704_067_200, 1_719_792_000];
    let at = |seconds: i64| {
        let moment = DateTime::from_timestamp(seconds, 0)?;
        Some(tz.offset_from_utc_datetime(&moment.naive_utc()))
    };
    let is_summer =
        !at(with_rules(utc_micros.div_euclid(MICROS_PER_SECOND)))?.dst_offset().is_zero();
    let names = MOMENTS.iter().filter_map(|seconds| at(*seconds));
    let matching = names.clone().find(|offset| offset.dst_offset().is_zero() != is_summer);
    let offset = matching.or_else(|| names.clone().next())?;
    let name = offset.abbreviation()?;
    name.starts_with(|first: char| first.is_ascii_alphabetic()).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn micros(text: &str) -> i64 {
        let time: chrono::NaiveDateTime = text.parse().unwrap();
        time.and_utc().timestamp_micros()
    }

    #[test]
    fn zones_have_names_and_offsets() {
        assert_eq!(Zone::parse("Z").unwrap(), Zone::UTC);
        assert_eq!(Zone::parse("+1:00").unwrap(), Zone::Fixed(3600));
        assert_eq!(Zone::parse("-0930").unwrap(), Zone::Fixed(-34_200));
        assert_eq!(Zone::parse("UTC+08:00:01").unwrap(), Zone::Fixed(28_801));
        assert_eq!(Zone::parse("PST").unwrap(), Zone::Region(Tz::America__Los_Angeles));
        for bad in ["", "Mars/Olympus", "+19:00", "+01:60", "+", "UTC+"] {
            assert_eq!(Zone::named(bad).unwrap_err().condition, "INVALID_TIMEZONE", "{bad}");
        }
    }

    #[test]
    fn gaps_move_forward_and_overlaps_are_the_first() {
        let zone = Zone::parse("America/Los_Angeles").unwrap();
        assert_eq!(zone.to_utc(micros("2024-03-10T02:30:00")), micros("2024-03-10T10:30:00"));
        assert_eq!(zone.to_utc(micros("2024-11-03T01:30:00")), micros("2024-11-03T08:30:00"));
        let second = zone.to_utc_near(micros("2024-11-03T01:30:00"), Some(-28_800));
        assert_eq!(second, micros("2024-11-03T09:30:00"));
    }

    #[test]
    fn rules_hold_for_ever_and_local_mean_time_before_them() {
        let zone = Zone::parse("America/Los_Angeles").unwrap();
        assert_eq!(zone.offset_at(micros("2150-07-01T00:00:00")), -25_200);
        assert_eq!(zone.offset_at(micros("9999-01-01T00:00:00")), -28_800);
        assert_eq!(zone.offset_at(micros("1582-06-01T00:00:00")), -28_378);
        assert_eq!(zone.short_name(micros("1582-06-01T00:00:00")), "PST");
        assert_eq!(zone.full_name(micros("2024-06-01T00:00:00")), "Pacific Daylight Time");
    }
}
