//! Values in the text that Spark's suite writes: Hive's, with quotes around nested strings.

use std::fmt::Write;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, DurationMicrosecondType, Float32Type, Float64Type, IntervalMonthDayNanoType,
    IntervalUnit, IntervalYearMonthType, Schema, TimeUnit,
};
use arrow::error::ArrowError;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use vonk::config::{self, Config};

const TIME: &str = "%Y-%m-%d %H:%M:%S%.6f";

/// Dates and times with a space between them and six digits, of which the last zeros are cut.
const FORMAT: FormatOptions<'static> = FormatOptions::new()
    .with_display_error(false)
    .with_timestamp_format(Some(TIME))
    .with_timestamp_tz_format(Some(TIME))
    .with_time_format(Some("%H:%M:%S%.6f"));

/// What the session says about texts.
struct Style {
    time_zone: String,
    binary: String,
}

/// Every row as one line, values with tabs between them.
pub(crate) fn rows(
    options: &Config,
    sql: &str,
    schema: &Schema,
    batches: &[RecordBatch],
) -> Result<Vec<String>, ArrowError> {
    let option = |name: &str, default: &str| options.get(name).unwrap_or(default).to_owned();
    let style = Style {
        time_zone: option(config::TIME_ZONE, "UTC"),
        binary: option("spark.sql.binaryOutputStyle", "UTF8"),
    };
    let words: Vec<String> = sql.split_whitespace().take(2).map(str::to_ascii_uppercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let columns = schema.fields().len();
    let mut rows = Vec::new();
    for batch in batches {
        let texts: Vec<Vec<String>> =
            batch.columns().iter().map(|c| texts(c, &style, false)).collect::<Result<_, _>>()?;
        for row in 0..batch.num_rows() {
            let mut values = texts.iter().map(|column| column[row].as_str());
            rows.push(match words.as_slice() {
                ["SHOW", "TABLES" | "VIEWS"] => values.nth(1).unwrap_or_default().to_owned(),
                ["DESC" | "DESCRIBE", ..] if columns == 3 => described(values),
                _ => values.collect::<Vec<_>>().join("\t"),
            });
        }
    }
    Ok(rows)
}

/// A line of DESCRIBE: values as wide as 20 characters, NULL as nothing.
fn described<'a>(values: impl Iterator<Item = &'a str>) -> String {
    let values = values.map(|value| match value {
        "NULL" => format!("{:20}", ""),
        value => format!("{value:20}"),
    });
    values.collect::<Vec<_>>().join("\t")
}

/// The text of every value of a column.
fn texts(array: &ArrayRef, style: &Style, nested: bool) -> Result<Vec<String>, ArrowError> {
    let mut texts = match array.data_type() {
        DataType::Dictionary(_, value) => return self::texts(&cast(array, value)?, style, nested),
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => {
            list_texts(array, style)?
        }
        DataType::Map(..) => map_texts(array, style)?,
        DataType::Struct(_) => struct_texts(array, style)?,
        _ => plain_texts(array, style, nested)?,
    };
    let nulls = array.logical_nulls();
    for (row, text) in texts.iter_mut().enumerate() {
        if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            *text = if nested { "null" } else { "NULL" }.to_owned();
        }
    }
    Ok(texts)
}

fn plain_texts(array: &ArrayRef, style: &Style, nested: bool) -> Result<Vec<String>, ArrowError> {
    let rows = 0..array.len();
    Ok(match array.data_type() {
        DataType::Null => vec![String::new(); array.len()],
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let strings = cast(array, &DataType::Utf8)?;
            let strings = strings.as_string::<i32>();
            let quote = if nested { "\"" } else { "" };
            rows.map(|row| format!("{quote}{}{quote}", strings.value(row))).collect()
        }
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => {
            let bytes = cast(array, &DataType::Binary)?;
            let bytes = bytes.as_binary::<i32>();
            rows.map(|row| binary_text(bytes.value(row), &style.binary)).collect()
        }
        DataType::Float32 => {
            let values = array.as_primitive::<Float32Type>();
            rows.map(|row| java_float(&format!("{:e}", values.value(row)))).collect()
        }
        DataType::Float64 => {
            let values = array.as_primitive::<Float64Type>();
            rows.map(|row| java_float(&format!("{:e}", values.value(row)))).collect()
        }
        DataType::Timestamp(unit, Some(_)) => {
            let zone = DataType::Timestamp(*unit, Some(style.time_zone.as_str().into()));
            formatted(&cast(array, &zone)?)?.into_iter().map(cut_zeros).collect()
        }
        DataType::Timestamp(..) | DataType::Time64(_) | DataType::Time32(_) => {
            formatted(array)?.into_iter().map(cut_zeros).collect()
        }
        DataType::Interval(IntervalUnit::YearMonth) => {
            let values = array.as_primitive::<IntervalYearMonthType>();
            rows.map(|row| year_month_text(values.value(row))).collect()
        }
        DataType::Interval(IntervalUnit::MonthDayNano) => {
            let values = array.as_primitive::<IntervalMonthDayNanoType>();
            rows.map(|row| {
                let value = values.value(row);
                calendar_text(value.months, value.days, value.nanoseconds / 1000)
            })
            .collect()
        }
        DataType::Duration(_) => {
            let values = cast(array, &DataType::Duration(TimeUnit::Microsecond))?;
            let values = values.as_primitive::<DurationMicrosecondType>();
            rows.map(|row| day_time_text(values.value(row))).collect()
        }
        _ => formatted(array)?,
    })
}

fn formatted(array: &ArrayRef) -> Result<Vec<String>, ArrowError> {
    let formatter = ArrayFormatter::try_new(array, &FORMAT)?;
    (0..array.len()).map(|row| formatter.value(row).try_to_string()).collect()
}

fn cut_zeros(text: String) -> String {
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

fn list_texts(array: &ArrayRef, style: &Style) -> Result<Vec<String>, ArrowError> {
    let item = match array.data_type() {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => item,
        _ => return formatted(array),
    };
    let lists = cast(array, &DataType::List(item.clone()))?;
    let lists = lists.as_list::<i32>();
    let values = texts(lists.values(), style, true)?;
    let joined = lists.offsets().windows(2).map(|ends| {
        let items = &values[ends[0] as usize..ends[1] as usize];
        format!("[{}]", items.join(","))
    });
    Ok(joined.collect())
}

fn map_texts(array: &ArrayRef, style: &Style) -> Result<Vec<String>, ArrowError> {
    let maps = array.as_map();
    let keys = texts(maps.keys(), style, true)?;
    let values = texts(maps.values(), style, true)?;
    let joined = maps.offsets().windows(2).map(|ends| {
        let entries = ends[0] as usize..ends[1] as usize;
        let mut entries: Vec<String> =
            entries.map(|at| format!("{}:{}", keys[at], values[at])).collect();
        entries.sort();
        format!("{{{}}}", entries.join(","))
    });
    Ok(joined.collect())
}

fn struct_texts(array: &ArrayRef, style: &Style) -> Result<Vec<String>, ArrowError> {
    let structs = array.as_struct();
    let columns = structs.columns().iter().map(|column| texts(column, style, true));
    let columns: Vec<Vec<String>> = columns.collect::<Result<_, _>>()?;
    let names: Vec<&String> = structs.fields().iter().map(|field| field.name()).collect();
    let row_text = |row: usize| {
        let parts = names.iter().zip(&columns).map(|(name, c)| format!("\"{name}\":{}", c[row]));
        format!("{{{}}}", parts.collect::<Vec<_>>().join(","))
    };
    Ok((0..array.len()).map(row_text).collect())
}

fn binary_text(bytes: &[u8], style: &str) -> String {
    let each = |separator: &str, text: fn(&u8) -> String| {
        bytes.iter().map(text).collect::<Vec<_>>().join(separator)
    };
    match style {
        "BASIC" => format!("[{}]", each(", ", |byte| byte.cast_signed().to_string())),
        "HEX" => each("", |byte| format!("{byte:02X}")),
        "HEX_DISCRETE" => format!("[{}]", each(" ", |byte| format!("{byte:02X}"))),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

/// Java's text of a number, of its shortest digits in scientific form such as `1.5e-7`.
fn java_float(scientific: &str) -> String {
    let text = match scientific {
        "inf" => return "Infinity".to_owned(),
        "-inf" => return "-Infinity".to_owned(),
        text => text,
    };
    let Some((digits, exponent)) = text.split_once('e') else { return text.to_owned() };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let digits = digits.replace('.', "");
    if !(-3..7).contains(&exponent) {
        let rest = if digits.len() > 1 { &digits[1..] } else { "0" };
        return format!("{sign}{}.{rest}E{exponent}", &digits[..1]);
    }
    if exponent < 0 {
        let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
        return format!("{sign}0.{zeros}{digits}");
    }
    let whole = exponent.unsigned_abs() as usize + 1;
    let digits = format!("{digits:0<whole$}");
    let rest = if digits.len() > whole { &digits[whole..] } else { "0" };
    format!("{sign}{}.{rest}", &digits[..whole])
}

fn year_month_text(months: i32) -> String {
    let sign = if months < 0 { "-" } else { "" };
    let months = months.unsigned_abs();
    format!("{sign}{}-{}", months / 12, months % 12)
}

fn day_time_text(micros: i64) -> String {
    let sign = if micros < 0 { "-" } else { "" };
    let micros = micros.unsigned_abs();
    let seconds = micros / 1_000_000;
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let (seconds, micros) = (seconds % 60, micros % 1_000_000);
    format!("{sign}{days} {hours:02}:{minutes:02}:{seconds:02}.{micros:06}000")
}

fn calendar_text(months: i32, days: i32, micros: i64) -> String {
    let mut text = String::new();
    let (seconds, rest) = (micros / 1_000_000, micros % 1_000_000);
    let parts = [
        (i64::from(months / 12), "years"),
        (i64::from(months % 12), "months"),
        (i64::from(days), "days"),
        (seconds / 3600, "hours"),
        (seconds / 60 % 60, "minutes"),
    ];
    for (value, unit) in parts.into_iter().filter(|(value, _)| *value != 0) {
        let _ = write!(text, "{value} {unit} ");
    }
    let seconds = seconds % 60;
    if seconds != 0 || rest != 0 {
        let sign = if micros < 0 { "-" } else { "" };
        let (seconds, rest) = (seconds.abs(), rest.abs());
        let number = cut_zeros(format!("{sign}{seconds}.{rest:06}"));
        let _ = write!(text, "{number} seconds");
    }
    match text.trim_end() {
        "" => "0 seconds".to_owned(),
        text => text.to_owned(),
    }
}
