//! The types and values of generated tables, and how SQL spells them.

use std::fmt::Write;

use crate::print::Dialect;

/// What an expression gives. Sums of `Double` are exact in any order, as all its values are small
/// multiples of a power of two; `Ratio` is a double without that promise, and is never summed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// BOOLEAN.
    Boolean,
    /// BIGINT.
    Integer,
    /// DOUBLE, a small multiple of 1/4, NaN, an infinity or a negative zero.
    Double,
    /// DOUBLE, any.
    Ratio,
    /// DECIMAL(9, 2) and what sums make of it.
    Decimal,
    /// STRING.
    Text,
    /// DATE.
    Date,
    /// TIMESTAMP.
    Timestamp,
    /// ARRAY of BIGINT.
    List,
    /// STRUCT of a BIGINT `x` and a STRING `s`.
    Struct,
}

impl Kind {
    /// What a column of a table may be.
    pub const COLUMNS: [Kind; 9] = [
        Kind::Boolean,
        Kind::Integer,
        Kind::Double,
        Kind::Decimal,
        Kind::Text,
        Kind::Date,
        Kind::Timestamp,
        Kind::List,
        Kind::Struct,
    ];

    /// Whether values have parts.
    #[must_use]
    pub fn is_nested(self) -> bool {
        matches!(self, Kind::List | Kind::Struct)
    }

    /// Whether values can be added.
    #[must_use]
    pub fn is_number(self) -> bool {
        matches!(self, Kind::Integer | Kind::Double | Kind::Ratio | Kind::Decimal)
    }

    /// The name of the type in a CAST.
    #[must_use]
    pub fn sql_type(self, dialect: Dialect) -> &'static str {
        match (self, dialect) {
            (Kind::Boolean, _) => "BOOLEAN",
            (Kind::Integer, _) => "BIGINT",
            (Kind::Double | Kind::Ratio, _) => "DOUBLE",
            (Kind::Decimal, _) => "DECIMAL(9, 2)",
            (Kind::Text, Dialect::Vonk) => "STRING",
            (Kind::Text, Dialect::DuckDb) => "VARCHAR",
            (Kind::Date, _) => "DATE",
            (Kind::Timestamp, _) => "TIMESTAMP",
            (Kind::List, Dialect::Vonk) => "ARRAY<BIGINT>",
            (Kind::List, Dialect::DuckDb) => "BIGINT[]",
            (Kind::Struct, Dialect::Vonk) => "STRUCT<x: BIGINT, s: STRING>",
            (Kind::Struct, Dialect::DuckDb) => "STRUCT(x BIGINT, s VARCHAR)",
        }
    }
}

/// A value of a table or of a literal.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// NULL of any kind.
    Null,
    /// Of [`Kind::Boolean`].
    Boolean(bool),
    /// Of [`Kind::Integer`].
    Integer(i64),
    /// Of [`Kind::Double`].
    Double(f64),
    /// Of [`Kind::Decimal`], in hundredths.
    Decimal(i64),
    /// Of [`Kind::Text`].
    Text(String),
    /// Of [`Kind::Date`], in days since 1970.
    Date(i32),
    /// Of [`Kind::Timestamp`], in seconds since 1970.
    Timestamp(i64),
    /// Of [`Kind::List`].
    List(Vec<Option<i64>>),
    /// Of [`Kind::Struct`].
    Struct(Option<i64>, Option<String>),
}

impl Value {
    /// The value as an expression of exactly its kind.
    #[must_use]
    pub fn sql(&self, kind: Kind, dialect: Dialect) -> String {
        match self {
            Value::Integer(number) if *number >= 0 => number.to_string(),
            Value::Boolean(value) => value.to_string(),
            Value::Text(text) => quoted(text),
            Value::Date(days) => format!("DATE '{}'", date(i64::from(*days))),
            Value::Timestamp(seconds) => format!("TIMESTAMP '{}'", timestamp(*seconds)),
            other => format!("CAST({} AS {})", other.bare(dialect), kind.sql_type(dialect)),
        }
    }

    fn bare(&self, dialect: Dialect) -> String {
        match self {
            Value::Double(number) if number.is_finite() => format!("'{number:?}'"),
            Value::Double(number) if number.is_nan() => "'NaN'".to_owned(),
            Value::Double(number) => {
                if *number > 0.0 { "'Infinity'" } else { "'-Infinity'" }.to_owned()
            }
            Value::Decimal(hundredths) => decimal(*hundredths),
            Value::Integer(number) => number.to_string(),
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(|item| integer(*item)).collect();
                match dialect {
                    Dialect::Vonk => format!("array({})", items.join(", ")),
                    Dialect::DuckDb => format!("[{}]", items.join(", ")),
                }
            }
            Value::Struct(x, s) => {
                let s = s.as_deref().map_or("NULL".to_owned(), quoted);
                match dialect {
                    Dialect::Vonk => format!("named_struct('x', {}, 's', {s})", integer(*x)),
                    Dialect::DuckDb => format!("{{'x': {}, 's': {s}}}", integer(*x)),
                }
            }
            _ => "NULL".to_owned(),
        }
    }
}

fn integer(number: Option<i64>) -> String {
    number.map_or("NULL".to_owned(), |number| number.to_string())
}

/// A decimal of two places.
pub(crate) fn decimal(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    format!("{sign}{}.{:02}", hundredths.abs() / 100, hundredths.abs() % 100)
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("'");
    for c in text.chars() {
        match c {
            '\'' => quoted.push_str("''"),
            _ => quoted.push(c),
        }
    }
    quoted.push('\'');
    quoted
}

/// The civil date of a day since 1970 (Hinnant's `civil_from_days`).
pub(crate) fn date(days: i64) -> String {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

pub(crate) fn timestamp(seconds: i64) -> String {
    let of_day = seconds.rem_euclid(86_400);
    let mut text = date(seconds.div_euclid(86_400));
    // Writing to a String cannot fail.
    let _ = write!(text, " {:02}:{:02}:{:02}", of_day / 3_600, of_day / 60 % 60, of_day % 60);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_seconds_are_civil_times() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(-1), "1969-12-31");
        assert_eq!(date(19_782), "2024-02-29");
        assert_eq!(timestamp(-1), "1969-12-31 23:59:59");
    }

    #[test]
    fn values_have_exactly_their_type() {
        assert_eq!(Value::Double(-0.0).sql(Kind::Double, Dialect::Vonk), "CAST('-0.0' AS DOUBLE)");
        assert_eq!(
            Value::Decimal(-25).sql(Kind::Decimal, Dialect::Vonk),
            "CAST(-0.25 AS DECIMAL(9, 2))"
        );
        assert_eq!(Value::Text("it's".into()).sql(Kind::Text, Dialect::DuckDb), "'it''s'");
    }
}
