//! Functions of timestamps, and of the present.

use crate::function::Function;

mod count;
mod date_part;
mod epoch;
mod fields;
mod format;
mod make;
mod nanos;
mod now;
mod parse;
mod zones;

pub(crate) use now::current_time;

/// Every function of timestamps that is ours.
pub(crate) const FUNCTIONS: &[Function] = &[
    Function::scalar(
        &["unix_nanos"],
        "unix_nanos(timestamp)",
        "Counts the nanoseconds since 1970 of a timestamp that is so fine; there are none.",
        nanos::unix_nanos,
    ),
    Function::scalar(
        &["timestamp_nanos"],
        "timestamp_nanos(nanoseconds)",
        "Is refused: timestamps count microseconds.",
        nanos::timestamp_nanos,
    ),
    Function::scalar(
        &["convert_timezone"],
        "convert_timezone([source, ]target, timestamp)",
        "Gives the time that a clock shows in one zone while another shows the given one.",
        zones::convert_timezone,
    ),
    Function::scalar(
        &["current_date", "curdate"],
        "current_date()",
        "Gives the date at the start of the query.",
        now::current_date,
    ),
    Function::scalar(
        &["current_timezone"],
        "current_timezone()",
        "Gives the name of the session's time zone.",
        now::current_timezone,
    ),
    Function::scalar(
        &["date_format"],
        "date_format(value, pattern)",
        "Writes a date, timestamp or time by a datetime pattern.",
        format::date_format,
    ),
    Function::scalar(
        &["date_part", "datepart", "extract"],
        "date_part(field, source)",
        "Gives a field, such as YEAR or HOUR, of a date, timestamp, time or interval.",
        date_part::udf,
    ),
    Function::scalar(
        &["date_trunc"],
        "date_trunc(unit, timestamp)",
        "Cuts a timestamp to the beginning of a unit.",
        count::date_trunc,
    ),
    Function::scalar(
        &["from_unixtime"],
        "from_unixtime(seconds[, pattern])",
        "Writes the timestamp so many seconds after 1970-01-01 UTC by a datetime pattern.",
        format::from_unixtime,
    ),
    Function::scalar(
        &["from_utc_timestamp"],
        "from_utc_timestamp(timestamp, zone)",
        "Takes a timestamp as one of UTC and gives what a clock in a zone shows then.",
        zones::from_utc_timestamp,
    ),
    Function::scalar(&["hour"], "hour(timestamp)", "Gives the hour of the day.", fields::hour),
    Function::scalar(
        &["localtimestamp"],
        "localtimestamp()",
        "Gives the timestamp without time zone at the start of the query.",
        now::localtimestamp,
    ),
    Function::scalar(
        &["make_timestamp"],
        "make_timestamp(year, month, day, hour, minute, second[, zone])",
        "Puts a timestamp together, from numbers or from a date, a time and a zone.",
        make::make_timestamp,
    ),
    Function::scalar(
        &["make_timestamp_ltz"],
        "make_timestamp_ltz(year, month, day, hour, minute, second[, zone])",
        "Puts a timestamp together, from numbers or from a date, a time and a zone.",
        make::make_timestamp_ltz,
    ),
    Function::scalar(
        &["make_timestamp_ntz"],
        "make_timestamp_ntz(year, month, day, hour, minute, second)",
        "Puts a timestamp without time zone together, from numbers or from a date and a time.",
        make::make_timestamp_ntz,
    ),
    Function::scalar(
        &["minute"],
        "minute(timestamp)",
        "Gives the minute of the hour.",
        fields::minute,
    ),
    Function::scalar(
        &["months_between"],
        "months_between(end, start[, round])",
        "Counts the months from one timestamp to another, with a fraction.",
        count::months_between,
    ),
    Function::scalar(
        &["now", "current_timestamp"],
        "now()",
        "Gives the timestamp at the start of the query.",
        now::now,
    ),
    Function::scalar(
        &["second"],
        "second(timestamp)",
        "Gives the second of the minute.",
        fields::second,
    ),
    Function::scalar(
        &["timestamp_micros"],
        "timestamp_micros(microseconds)",
        "Gives the timestamp so many microseconds after 1970-01-01 UTC.",
        epoch::timestamp_micros,
    ),
    Function::scalar(
        &["timestamp_millis"],
        "timestamp_millis(milliseconds)",
        "Gives the timestamp so many milliseconds after 1970-01-01 UTC.",
        epoch::timestamp_millis,
    ),
    Function::scalar(
        &["timestamp_seconds"],
        "timestamp_seconds(seconds)",
        "Gives the timestamp so many seconds after 1970-01-01 UTC.",
        epoch::timestamp_seconds,
    ),
    Function::scalar(
        &["timestampadd"],
        "timestampadd(unit, count, timestamp)",
        "Gives the timestamp so many units later.",
        count::timestampadd,
    ),
    Function::scalar(
        &["timestampdiff"],
        "timestampdiff(unit, start, end)",
        "Counts the whole units from one timestamp to another.",
        count::timestampdiff,
    ),
    Function::scalar(
        &["to_timestamp"],
        "to_timestamp(value[, pattern])",
        "Makes a timestamp of a value, of text by a datetime pattern.",
        parse::to_timestamp,
    ),
    Function::scalar(
        &["to_timestamp_ltz"],
        "to_timestamp_ltz(value[, pattern])",
        "Makes a timestamp of a value, of text by a datetime pattern.",
        parse::to_timestamp_ltz,
    ),
    Function::scalar(
        &["to_timestamp_ntz"],
        "to_timestamp_ntz(value[, pattern])",
        "Makes a timestamp without time zone of a value, of text by a datetime pattern.",
        parse::to_timestamp_ntz,
    ),
    Function::scalar(
        &["to_unix_timestamp"],
        "to_unix_timestamp(value[, pattern])",
        "Counts the seconds from 1970-01-01 UTC to a time, to text by a datetime pattern.",
        parse::to_unix_timestamp,
    ),
    Function::scalar(
        &["to_utc_timestamp"],
        "to_utc_timestamp(timestamp, zone)",
        "Takes a timestamp as what a clock in a zone shows and gives what it is in UTC then.",
        zones::to_utc_timestamp,
    ),
    Function::scalar(
        &["try_make_timestamp"],
        "try_make_timestamp(year, month, day, hour, minute, second[, zone])",
        "Puts a timestamp together as `make_timestamp`, or gives NULL if that is not possible.",
        make::try_make_timestamp,
    ),
    Function::scalar(
        &["try_make_timestamp_ltz"],
        "try_make_timestamp_ltz(year, month, day, hour, minute, second[, zone])",
        "Puts a timestamp together as `make_timestamp_ltz`, or gives NULL if that is not possible.",
        make::try_make_timestamp_ltz,
    ),
    Function::scalar(
        &["try_make_timestamp_ntz"],
        "try_make_timestamp_ntz(year, month, day, hour, minute, second)",
        "Puts a timestamp together as `make_timestamp_ntz`, or gives NULL if that is not possible.",
        make::try_make_timestamp_ntz,
    ),
    Function::scalar(
        &["try_to_timestamp"],
        "try_to_timestamp(value[, pattern])",
        "Makes a timestamp of a value as `to_timestamp`, or NULL if that is not possible.",
        parse::try_to_timestamp,
    ),
    Function::scalar(
        &["unix_micros"],
        "unix_micros(timestamp)",
        "Counts the microseconds from 1970-01-01 UTC.",
        epoch::unix_micros,
    ),
    Function::scalar(
        &["unix_millis"],
        "unix_millis(timestamp)",
        "Counts the whole milliseconds from 1970-01-01 UTC.",
        epoch::unix_millis,
    ),
    Function::scalar(
        &["unix_seconds"],
        "unix_seconds(timestamp)",
        "Counts the whole seconds from 1970-01-01 UTC.",
        epoch::unix_seconds,
    ),
    Function::scalar(
        &["unix_timestamp"],
        "unix_timestamp([value[, pattern]])",
        "Counts the seconds from 1970-01-01 UTC to a time or now, to text by a datetime pattern.",
        parse::unix_timestamp,
    ),
];
