//! Spans of time as Spark writes them: ANSI intervals as SQL literals, others in words.

const MICROS_PER_SECOND: u64 = 1_000_000;
const MICROS_PER_MINUTE: u64 = 60 * MICROS_PER_SECOND;
const MICROS_PER_HOUR: u64 = 60 * MICROS_PER_MINUTE;
const MICROS_PER_DAY: u64 = 24 * MICROS_PER_HOUR;

/// An interval of months: `INTERVAL '1-2' YEAR TO MONTH`.
pub(super) fn year_month(months: i32) -> String {
    let sign = if months < 0 { "-" } else { "" };
    let months = months.unsigned_abs();
    format!("INTERVAL '{sign}{}-{}' YEAR TO MONTH", months / 12, months % 12)
}

/// An interval of microseconds: `INTERVAL '1 02:03:04.5' DAY TO SECOND`.
pub(super) fn day_time(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let (days, rest) = (micros / MICROS_PER_DAY, micros % MICROS_PER_DAY);
    let (hours, rest) = (rest / MICROS_PER_HOUR, rest % MICROS_PER_HOUR);
    let (minutes, rest) = (rest / MICROS_PER_MINUTE, rest % MICROS_PER_MINUTE);
    // Seconds below ten have a zero before them here, and none in words.
    let zero = if rest < 10 * MICROS_PER_SECOND { "0" } else { "" };
    let seconds = seconds(rest);
    format!("INTERVAL '{sign}{days} {hours:02}:{minutes:02}:{zero}{seconds}' DAY TO SECOND")
}

/// An interval of months, days and microseconds, which do not add up: `1 months 2 days`.
pub(super) fn calendar(months: i32, days: i32, micros: i64) -> String {
    let mut parts = Vec::new();
    let mut part = |number: i64, unit: &str| {
        if number != 0 {
            parts.push(format!("{number} {unit}"));
        }
    };
    part(i64::from(months / 12), "years");
    part(i64::from(months % 12), "months");
    part(i64::from(days), "days");
    let (hours, minutes) = (MICROS_PER_HOUR.cast_signed(), MICROS_PER_MINUTE.cast_signed());
    part(micros / hours, "hours");
    part(micros % hours / minutes, "minutes");
    let rest = micros % minutes;
    if rest != 0 {
        let sign = if rest < 0 { "-" } else { "" };
        parts.push(format!("{sign}{} seconds", seconds(rest.unsigned_abs())));
    }
    if parts.is_empty() { "0 seconds".to_owned() } else { parts.join(" ") }
}

/// Seconds with as many digits of their fraction as they have.
fn seconds(micros: u64) -> String {
    let (whole, fraction) = (micros / MICROS_PER_SECOND, micros % MICROS_PER_SECOND);
    if fraction == 0 {
        return whole.to_string();
    }
    format!("{whole}.{}", format!("{fraction:06}").trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ansi_intervals_are_literals() {
        assert_eq!(year_month(14), "INTERVAL '1-2' YEAR TO MONTH");
        assert_eq!(year_month(-1), "INTERVAL '-0-1' YEAR TO MONTH");
        // 1 day, 2 h, 3 min and 4.5 s are 86,400 + 7,200 + 180 + 4.5 s.
        assert_eq!(day_time(93_784_500_000), "INTERVAL '1 02:03:04.5' DAY TO SECOND");
        assert_eq!(day_time(-10_000_000), "INTERVAL '-0 00:00:10' DAY TO SECOND");
        assert_eq!(
            day_time(i64::MIN).len(),
            "INTERVAL '-106751991 04:00:54.775808' DAY TO SECOND".len()
        );
    }

    #[test]
    fn calendar_intervals_are_words() {
        assert_eq!(
            calendar(14, 3, 3_661_000_001),
            "1 years 2 months 3 days 1 hours 1 minutes 1.000001 seconds"
        );
        assert_eq!(calendar(0, 0, 0), "0 seconds");
        assert_eq!(calendar(-1, 0, -500_000), "-1 months -0.5 seconds");
    }
}
