//! Text to dates, timestamps and times of day, in the forms that Spark accepts.

use super::from_text::trim;
use crate::civil::{DAY, HOUR, MINUTE, SECOND, days_of};
use crate::datetime::Zone;

/// Days from 1970-01-01 of `2024`, `2024-2`, `2024-02-29`, and of what stands before a `T` or blank.
pub(crate) fn date(text: &str) -> Option<i32> {
    let text = trim(text);
    let (sign, unsigned) = match text.as_bytes().first()? {
        b'-' => (-1, &text[1..]),
        b'+' => (1, &text[1..]),
        _ => (1, text),
    };
    let mut parts = unsigned.splitn(3, '-');
    let (year, month, rest) = (parts.next()?, parts.next(), parts.next());
    // A time may follow a whole date only.
    let day = rest.map(|rest| rest.split([' ', 'T']).next().unwrap_or(rest));
    let year = number(year, 4, 7)?;
    let month = month.map_or(Some(1), |month| number(month, 1, 2))?;
    let day = day.map_or(Some(1), |day| number(day, 1, 2))?;
    i32::try_from(days_of(sign * year, month, day)?).ok()
}

/// A number of at least and at most so many digits.
fn number(text: &str, least: usize, most: usize) -> Option<i64> {
    let is_number =
        (least..=most).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    text.parse().ok().filter(|_| is_number)
}

/// What a text says of a moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Days from 1970-01-01, unless it is a time of day only.
    pub(crate) days: Option<i64>,
    /// Microseconds of the day.
    pub(crate) micros: i64,
    /// The zone, if one is written.
    pub(crate) zone: Option<Zone>,
}

/// Reads `2024-02-29 12:34:56.789 Europe/Amsterdam` and all that is shorter.
pub(crate) fn moment(text: &str) -> Option<Moment> {
    let text = trim(text);
    let (date_text, time_text) = match text.strip_prefix('T') {
        Some(time) => (None, time),
        None => match text.find([' ', 'T']) {
            Some(at) if !text[..at].contains(':') => (Some(&text[..at]), &text[at + 1..]),
            _ if text.contains(':') => (None, text),
            _ => (Some(text), ""),
        },
    };
    let days = match date_text {
        Some(text) => {
            let is_whole = text.trim_start_matches(['-', '+']).matches('-').count() == 2;
            let year = text.trim_start_matches(['-', '+']).split('-').next()?;
            if (!is_whole && !time_text.is_empty()) || year.len() > 6 {
                return None;
            }
            Some(i64::from(date(text)?))
        }
        None => None,
    };
    if time_text.is_empty() {
        // `2024-02-29T` is a date with its time left off.
        return days.map(|days| Moment { days: Some(days), micros: 0, zone: None });
    }
    let (micros, zone) = clock(time_text, date_text.is_some())?;
    Some(Moment { days, micros, zone })
}

/// Reads `12`, `12:34`, `12:34:56.789` and a zone behind the seconds.
fn clock(text: &str, after_date: bool) -> Option<(i64, Option<Zone>)> {
    let mut rest = text;
    let hour = take_two_digits(&mut rest)?;
    let mut micros = hour * HOUR;
    if hour > 23 {
        return None;
    }
    if rest.is_empty() {
        return after_date.then_some((micros, None));
    }
    rest = rest.strip_prefix(':')?;
    let minute = take_two_digits(&mut rest)?;
    micros += minute * MINUTE;
    if minute > 59 {
        return None;
    }
    if rest.is_empty() {
        return Some((micros, None));
    }
    rest = rest.strip_prefix(':')?;
    let second = take_two_digits(&mut rest)?;
    micros += second * SECOND;
    if second > 59 {
        return None;
    }
    if let Some(behind) = rest.strip_prefix('.') {
        let end = behind.find(|c: char| !c.is_ascii_digit()).unwrap_or(behind.len());
        let digits = &behind[..end.min(6)];
        micros += format!("{digits:0<6}").parse::<i64>().ok()?;
        rest = &behind[end..];
    }
    match rest.trim() {
        "" => Some((micros, None)),
        zone => Some((micros, Some(Zone::parse(zone)?))),
    }
}

fn take_two_digits(rest: &mut &str) -> Option<i64> {
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, behind) = rest.split_at(end);
    *rest = behind;
    number(digits, 1, 2)
}

impl Moment {
    /// Microseconds on a clock, without regard to a zone.
    pub(crate) fn local(&self) -> Option<i64> {
        self.days?.checked_mul(DAY)?.checked_add(self.micros)
    }

    /// Microseconds since 1970 in UTC; without a zone of its own the session's is meant.
    pub(crate) fn utc(&self, session: &Zone) -> Option<i64> {
        Some(self.zone.as_ref().unwrap_or(session).to_utc(self.local()?))
    }
}

/// Microseconds of the day of `12:34`, `12:34:56.789`, `1:02:03 PM`.
pub(crate) fn time(text: &str) -> Option<i64> {
    let text = trim(text);
    let lower = text.to_ascii_lowercase();
    let half = ["am", "pm"].iter().position(|half| lower.ends_with(half));
    let Some(half) = half else {
        let read = moment(text)?;
        return (read.days.is_none() && read.zone.is_none()).then_some(read.micros);
    };
    let read = moment(text[..text.len() - 2].trim_end())?;
    let hour = read.micros / HOUR;
    if read.days.is_some() || read.zone.is_some() || !(1..=12).contains(&hour) {
        return None;
    }
    Some(read.micros - hour * HOUR + (hour % 12 + 12 * half as i64) * HOUR)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(year: i64, month: i64, day: i64) -> Option<i32> {
        days_of(year, month, day).map(|days| days as i32)
    }

    #[test]
    fn dates_may_be_short_or_followed_by_a_time() {
        assert_eq!(date("2024"), days(2024, 1, 1));
        assert_eq!(date(" 2024-2 "), days(2024, 2, 1));
        assert_eq!(date("2024-2-9T12:00"), days(2024, 2, 9));
        assert_eq!(date("2024-02-09 what"), days(2024, 2, 9));
        assert_eq!(date("-0001-01-01"), days(-1, 1, 1));
        for wrong in ["", "24", "2024-02-30", "2024-02-", "2024 12", "2024-001-1", "12345678"] {
            assert_eq!(date(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn moments_may_have_zones() {
        let noon = days_of(2024, 2, 29).unwrap() * DAY + 12 * HOUR;
        let utc = |text: &str| moment(text).and_then(|m| m.utc(&Zone::Fixed(0)));
        assert_eq!(utc("2024-02-29 12"), Some(noon));
        assert_eq!(utc("2024-02-29T12:00:00Z"), Some(noon));
        assert_eq!(utc("2024-02-29 13:00:00.0+01:00"), Some(noon));
        assert_eq!(utc("2024-02-29 13:00:00.0000009 Europe/Amsterdam"), Some(noon));
        assert_eq!(utc("2024-02"), days_of(2024, 2, 1).map(|days| days * DAY));
        for wrong in ["2024-02-29 24:00", "2024-02 12:00", "2024-02-29 12Z", "2024-02-29 1:2:3 x"] {
            assert!(moment(wrong).is_none(), "{wrong}");
        }
        assert_eq!(time("1:02:03.5 pm"), Some(13 * HOUR + 2 * MINUTE + 3_500_000));
    }
}
