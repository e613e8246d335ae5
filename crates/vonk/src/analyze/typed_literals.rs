//! Typed literals, `DATE '2024-02-29'` and `INTERVAL '1' DAY`: checked, and in the form of their names.

use std::ops::ControlFlow;

use sqlparser::ast::{
    self, DataType, Expr, Interval, TimezoneInfo, TypedString, Value, VisitMut, VisitorMut,
};
use vonk_functions::datetime::{Zone, offset_id};
use vonk_functions::interval::{self, Range, Unit};
use vonk_functions::literals;

use super::syntax::call;
use super::types;
use crate::config::Config;
use crate::error::{Condition, Error, Result};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Checks the typed literals of a query; what stands in quotes becomes what Spark names them by.
pub(super) fn check(query: &mut ast::Query, config: &Config) -> Result<()> {
    let zone = config.time_zone()?;
    let timestamps_have_zone = config.timestamps_have_zone();
    match VisitMut::visit(query, &mut Checker { zone, timestamps_have_zone }) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(*error),
    }
}

struct Checker {
    zone: Zone,
    timestamps_have_zone: bool,
}

impl VisitorMut for Checker {
    type Break = Box<Error>;

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<Box<Error>> {
        let checked = match expr {
            Expr::TypedString(typed) => self.typed(typed),
            Expr::Interval(interval) => spell_interval(interval).map(Some),
            Expr::Value(value) => check_bytes(&value.value).map(|()| None),
            _ => return ControlFlow::Continue(()),
        };
        match checked {
            Ok(Some(spelled)) => *expr = spelled,
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(Box::new(error)),
        }
        ControlFlow::Continue(())
    }
}

impl Checker {
    fn typed(&self, typed: &mut TypedString) -> Result<Option<Expr>> {
        let (Value::SingleQuotedString(text) | Value::DoubleQuotedString(text)) =
            &typed.value.value
        else {
            return Ok(None);
        };
        let special = special(&typed.data_type, text);
        if special.is_some() {
            return Ok(special);
        }
        let spelled = match &typed.data_type {
            DataType::Date => literals::date(text),
            DataType::TimestampNtz(_) | DataType::Timestamp(_, TimezoneInfo::WithoutTimeZone) => {
                literals::timestamp_ntz(text)
            }
            DataType::Timestamp(..) => literals::timestamp(text, &self.zone),
            DataType::Time(..) => literals::time(text),
            other => return Err(unsupported(other)),
        };
        let spelled = spelled.ok_or_else(|| invalid(&typed.data_type, text))?;
        let is_precise = matches!(&typed.data_type, DataType::TimestampNtz(_))
            || matches!(&typed.data_type, DataType::Timestamp(_, zone) if *zone != TimezoneInfo::None);
        let nanos = nanos_of(text).filter(|_| is_precise).map(|nanos| with_nanos(&spelled, nanos));
        let is_finer = nanos.is_some();
        typed.value.value = Value::SingleQuotedString(nanos.unwrap_or(spelled));
        if self.timestamps_have_zone
            && !is_finer
            && let DataType::Timestamp(_, zone @ TimezoneInfo::Tz) = &mut typed.data_type
        {
            // What Spark calls it.
            *zone = TimezoneInfo::None;
        }
        Ok(None)
    }
}

/// The digits of a moment beyond microseconds, by which Spark names it; its value is cut.
fn nanos_of(text: &str) -> Option<&str> {
    let (_, fraction) = text.split_once('.')?;
    let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
    let digits = fraction.get(6..end.min(9))?.trim_end_matches('0');
    Some(digits).filter(|digits| !digits.is_empty())
}

fn with_nanos(spelled: &str, nanos: &str) -> String {
    let (seconds, micros) = spelled.split_once('.').unwrap_or((spelled, ""));
    format!("{seconds}.{micros:0<6}{nanos}")
}

/// `now`, `today` and their like, which depend on when they are asked for.
fn special(data_type: &DataType, text: &str) -> Option<Expr> {
    let is_date = matches!(data_type, DataType::Date);
    if !is_date && !matches!(data_type, DataType::Timestamp(..) | DataType::TimestampNtz(_)) {
        return None;
    }
    let today = || call("current_date", Vec::new());
    let moved = |op: ast::BinaryOperator| {
        let day = Expr::value(Value::Number("1".to_owned(), false));
        Expr::BinaryOp { left: Box::new(today()), op, right: Box::new(day) }
    };
    let moment = match text.trim().to_lowercase().as_str() {
        "now" if is_date => today(),
        "now" => call("current_timestamp", Vec::new()),
        "today" => today(),
        "tomorrow" => moved(ast::BinaryOperator::Plus),
        "yesterday" => moved(ast::BinaryOperator::Minus),
        _ => return None,
    };
    Some(super::syntax::cast(moment, data_type.clone()))
}

/// `X'1F'` has hexadecimal digits and nothing else.
fn check_bytes(value: &Value) -> Result<()> {
    match value {
        Value::HexStringLiteral(digits) if !digits.bytes().all(|b| b.is_ascii_hexdigit()) => {
            let message = format!("the value of the typed literal X is invalid: '{digits}'");
            Err(Error::new(Condition::INVALID_TYPED_LITERAL, message))
        }
        _ => Ok(()),
    }
}

fn invalid(data_type: &DataType, text: &str) -> Error {
    let message = format!("the value of the typed literal {data_type} is invalid: '{text}'");
    Error::new(Condition::INVALID_TYPED_LITERAL, message)
}

fn unsupported(data_type: &DataType) -> Error {
    let message = format!("literals of the type {data_type} are not supported");
    let hint = "the types are DATE, TIMESTAMP, TIMESTAMP_NTZ, TIMESTAMP_LTZ, TIME, INTERVAL and X";
    Error::new(Condition::UNSUPPORTED_TYPED_LITERAL, message).hint(hint)
}

/// An interval in any of its forms as a CAST of its value; its name is that of the literal.
fn spell_interval(literal: &Interval) -> Result<Expr> {
    let (range, spelled) = read_interval(literal)?;
    let last = (range.start != range.end).then_some(range.end);
    Ok(Expr::Interval(Interval {
        value: Box::new(Expr::value(Value::SingleQuotedString(spelled))),
        leading_field: Some(field_of(range.start)),
        leading_precision: None,
        last_field: last.map(field_of),
        fractional_seconds_precision: None,
    }))
}

/// The zone that an interval of hours, minutes and seconds stands for, such as `+02:30`; `None` for any other.
pub(crate) fn offset_of_interval(literal: &Interval) -> Option<String> {
    let (range, spelled) = read_interval(literal).ok()?;
    let micros = interval::parse_fields(&spelled, range).filter(|_| range.start >= Unit::Hour)?;
    let seconds = (micros % MICROS_PER_SECOND == 0).then_some(micros / MICROS_PER_SECOND)?;
    Some(offset_id(i32::try_from(seconds).ok()?, ":"))
}

/// The fields of an interval literal, and its value in the form that they have.
fn read_interval(literal: &Interval) -> Result<(Range, String)> {
    let text = match literal.value.as_ref() {
        Expr::Value(value) => match &value.value {
            Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text.clone(),
            other => other.to_string(),
        },
        other => other.to_string(),
    };
    match &literal.leading_field {
        Some(first) => fields(&text, first, literal.last_field.as_ref()),
        None => units(&text),
    }
}

/// `'1-2' YEAR TO MONTH`, `'1' DAY`.
fn fields(
    text: &str,
    first: &ast::DateTimeField,
    last: Option<&ast::DateTimeField>,
) -> Result<(Range, String)> {
    let unit =
        |field: &ast::DateTimeField| Unit::named(field.to_string().trim_end_matches(['s', 'S']));
    let (Some(start), Some(end)) = (unit(first), unit(last.unwrap_or(first))) else {
        // Weeks and milliseconds have no fields of their own.
        return units(&format!("{text} {first}"));
    };
    let range = Range::new(start, end);
    if types::fields_of(range).is_none() {
        let message = format!("intervals from {first} to {end} do not exist", end = end.name());
        return Err(Error::new(Condition::PARSE_SYNTAX_ERROR, message));
    }
    match interval::parse_fields(text, range) {
        Some(amount) => Ok((range, spelled(amount, range))),
        None if last.is_none() => units(&format!("{text} {first}")),
        None => Err(malformed(text)),
    }
}

/// `1 year 2 months`, `interval -1 day`.
fn units(text: &str) -> Result<(Range, String)> {
    let units = interval::parse_units(text).ok_or_else(|| malformed(text))?;
    let range = units.range;
    if range.start.is_months() != range.end.is_months() {
        let message =
            format!("`{text}` mixes months with days or times, which have no common length");
        return Err(Error::new(Condition::INVALID_INTERVAL_FORMAT, message)
            .hint("use `make_interval` for an interval of both"));
    }
    let amount = match range.start.is_months() {
        true => Some(i64::from(units.months)),
        false => units.duration(),
    };
    let amount = amount.ok_or_else(|| malformed(text))?;
    Ok((range, spelled(amount, range)))
}

fn spelled(amount: i64, range: Range) -> String {
    match range.start.is_months() {
        true => interval::months_text(amount as i32, range),
        false => interval::micros_text(amount, range),
    }
}

fn malformed(text: &str) -> Error {
    Error::new(Condition::INVALID_TYPED_LITERAL, format!("`{text}` is no interval"))
        .hint("write it as `INTERVAL '1' DAY` or `INTERVAL 1 day 2 hours`")
}

fn field_of(unit: Unit) -> ast::DateTimeField {
    match unit {
        Unit::Year => ast::DateTimeField::Year,
        Unit::Month => ast::DateTimeField::Month,
        Unit::Day => ast::DateTimeField::Day,
        Unit::Hour => ast::DateTimeField::Hour,
        Unit::Minute => ast::DateTimeField::Minute,
        Unit::Second => ast::DateTimeField::Second,
    }
}

/// A checked interval literal in months, or in days and microseconds.
pub(super) fn interval_text(literal: &Interval) -> Option<String> {
    let unit = |field: &ast::DateTimeField| Unit::named(&field.to_string());
    let start = literal.leading_field.as_ref().and_then(unit)?;
    let end = literal.last_field.as_ref().map_or(Some(start), unit)?;
    let Expr::Value(value) = literal.value.as_ref() else { return None };
    let text = value.value.clone().into_string()?;
    let amount = interval::parse_fields(&text, Range::new(start, end))?;
    if start.is_months() {
        return Some(format!("{amount} months"));
    }
    let (days, micros) = (amount / MICROS_PER_DAY, amount % MICROS_PER_DAY);
    Some(match micros {
        0 => format!("{days} days"),
        micros => format!("{days} days {micros} microseconds"),
    })
}

/// A checked interval literal as a CAST of its text.
pub(super) fn interval_cast(literal: &Interval) -> Option<Expr> {
    let unit = |field: &ast::DateTimeField| Unit::named(&field.to_string());
    let start = literal.leading_field.as_ref().and_then(unit)?;
    let end = literal.last_field.as_ref().map_or(Some(start), unit)?;
    let fields = types::fields_of(Range::new(start, end))?;
    let data_type = DataType::Interval { fields: Some(fields), precision: None };
    Some(super::syntax::cast(literal.value.as_ref().clone(), data_type))
}
