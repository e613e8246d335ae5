//! Sums of moments and intervals as Spark words them, which are not in parentheses.

use datafusion::arrow::datatypes::{DataType, IntervalUnit};
use sqlparser::ast::{self, BinaryOperator, DateTimeField, Expr, UnaryOperator, Value};

use super::Namer;

/// What an operand of `+` or `-` is, as far as its name depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Date,
    Timestamp,
    /// A time of the day.
    Time,
    /// Years and months.
    Months,
    /// Whole days, which a date plus them still is a date of.
    Days,
    /// Days with times.
    Times,
    Whole,
    Null,
}

/// The words for a moment moved by an interval or by days, if that is what an operator does.
pub(super) fn shifted_name(
    namer: &Namer<'_>,
    left: &Expr,
    op: &BinaryOperator,
    right: &Expr,
) -> Option<String> {
    let minus = match op {
        BinaryOperator::Plus => false,
        BinaryOperator::Minus => true,
        _ => return None,
    };
    let (of_left, of_right) = (kind_of(namer, left)?, kind_of(namer, right)?);
    if minus && of_left == Kind::Time && of_right == Kind::Time {
        return Some(format!("{} - {}", namer.name(left), namer.name(right)));
    }
    let is_moment = |kind| matches!(kind, Kind::Date | Kind::Timestamp | Kind::Time);
    let (moment, by, kind, of_moment) = match (is_moment(of_left), is_moment(of_right)) {
        (true, false) => (left, right, of_right, of_left),
        (false, true) if !minus => (right, left, of_left, of_right),
        _ => return None,
    };
    let (moment, by) = (namer.name(moment), namer.name(by));
    let sign = if minus { "-" } else { "+" };
    Some(match (of_moment, kind) {
        (Kind::Date, Kind::Whole) if minus => format!("date_sub({moment}, {by})"),
        (Kind::Date, Kind::Whole) => format!("date_add({moment}, {by})"),
        (Kind::Date, Kind::Days) => {
            let days = format!("extractansiintervaldays({by})");
            let days = if minus { format!("(- {days})") } else { days };
            format!("date_add({moment}, {days})")
        }
        (_, Kind::Whole) => return None,
        // NULL may be a moment too, which is subtracted in parentheses.
        (_, Kind::Null) if minus => return None,
        _ => format!("{moment} {sign} {by}"),
    })
}

/// Whether an operand is an interval, as far as its form tells.
pub(super) fn is_interval(namer: &Namer<'_>, operand: &Expr) -> bool {
    matches!(kind_of(namer, operand), Some(Kind::Months | Kind::Days | Kind::Times))
}

fn kind_of(namer: &Namer<'_>, expr: &Expr) -> Option<Kind> {
    match expr {
        Expr::Nested(inner) => kind_of(namer, inner),
        Expr::UnaryOp { op: UnaryOperator::Minus | UnaryOperator::Plus, expr } => {
            kind_of(namer, expr)
        }
        Expr::Value(value) => match &value.value {
            Value::Null => Some(Kind::Null),
            Value::Number(digits, _) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(Kind::Whole)
            }
            _ => None,
        },
        Expr::TypedString(typed) => kind_of_type(&typed.data_type),
        Expr::Cast { data_type, .. } => kind_of_type(data_type),
        Expr::Interval(interval) => {
            let last = interval.last_field.as_ref().or(interval.leading_field.as_ref());
            Some(match last {
                Some(DateTimeField::Year | DateTimeField::Month) => Kind::Months,
                Some(DateTimeField::Day) => Kind::Days,
                _ => Kind::Times,
            })
        }
        Expr::Identifier(ident) => column(namer, std::slice::from_ref(ident)),
        Expr::CompoundIdentifier(parts) => column(namer, parts),
        Expr::Function(function) => match function.name.to_string().to_lowercase().as_str() {
            "current_date" | "curdate" | "date" | "date_add" | "date_sub" | "make_date"
            | "to_date" | "last_day" | "next_day" => Some(Kind::Date),
            "make_interval" | "make_dt_interval" => Some(Kind::Times),
            "make_ym_interval" => Some(Kind::Months),
            "current_timestamp" | "now" | "timestamp" | "to_timestamp" | "to_timestamp_ltz"
            | "to_timestamp_ntz" | "make_timestamp" => Some(Kind::Timestamp),
            "current_time" | "localtime" | "make_time" | "to_time" | "try_to_time"
            | "time_trunc" | "time_from_seconds" | "time_from_millis" | "time_from_micros" => {
                Some(Kind::Time)
            }
            _ => None,
        },
        _ => None,
    }
}

fn column(namer: &Namer<'_>, parts: &[ast::Ident]) -> Option<Kind> {
    Some(match namer.paths.column_type(parts)? {
        DataType::Date32 => Kind::Date,
        DataType::Timestamp(..) => Kind::Timestamp,
        DataType::Time32(_) | DataType::Time64(_) => Kind::Time,
        DataType::Interval(IntervalUnit::YearMonth) => Kind::Months,
        DataType::Interval(_) | DataType::Duration(_) => Kind::Times,
        DataType::Int8 | DataType::Int16 | DataType::Int32 => Kind::Whole,
        _ => return None,
    })
}

fn kind_of_type(data_type: &ast::DataType) -> Option<Kind> {
    Some(match data_type {
        ast::DataType::Date => Kind::Date,
        ast::DataType::Time(..) => Kind::Time,
        ast::DataType::Timestamp(..) | ast::DataType::TimestampNtz(_) => Kind::Timestamp,
        ast::DataType::TinyInt(_) | ast::DataType::SmallInt(_) | ast::DataType::Int(_) => {
            Kind::Whole
        }
        _ => return None,
    })
}
