//! Literals as Spark words them in names: texts without quotes, numbers as their type prints them.

use sqlparser::ast::{self, Expr, Value};

/// The words for a literal.
pub(super) fn value_name(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Boolean(value) => value.to_string(),
        Value::Number(digits, _) => number_name(digits, None),
        Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text.clone(),
        Value::DollarQuotedString(text) => text.value.clone(),
        Value::HexStringLiteral(digits) => {
            let half = if digits.len() % 2 == 1 { "0" } else { "" };
            format!("X'{half}{}'", digits.to_uppercase())
        }
        other => other.to_string(),
    }
}

/// `1.0E10` for `1e10`, `0.5` for `.5`; a double or float may be named by the type.
pub(super) fn number_name(digits: &str, data_type: Option<&ast::DataType>) -> String {
    let is_double = match data_type {
        Some(ast::DataType::Double(_) | ast::DataType::Float(_) | ast::DataType::Real) => true,
        Some(_) => false,
        None => digits.contains(['e', 'E']),
    };
    match digits.parse::<f64>() {
        Ok(value) if is_double => double_name(value),
        _ => decimal_name(digits),
    }
}

fn decimal_name(digits: &str) -> String {
    let (sign, digits) = match digits.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", digits),
    };
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits, None),
    };
    let whole = whole.trim_start_matches('0');
    let whole = if whole.is_empty() { "0" } else { whole };
    match fraction {
        Some("") | None => format!("{sign}{whole}"),
        Some(fraction) if whole == "0" && fraction.starts_with("000000") => {
            small_name(sign, fraction)
        }
        Some(fraction) => format!("{sign}{whole}.{fraction}"),
    }
}

/// A decimal below a millionth, which Java prints with an exponent.
fn small_name(sign: &str, fraction: &str) -> String {
    let digits = fraction.trim_start_matches('0');
    let exponent = fraction.len() - digits.len() + 1;
    match digits.split_at_checked(1) {
        Some((first, "")) => format!("{sign}{first}E-{exponent}"),
        Some((first, rest)) => format!("{sign}{first}.{rest}E-{exponent}"),
        None => format!("{sign}0E-{}", fraction.len()),
    }
}

/// A double as Java prints it.
fn double_name(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-3..1e7).contains(&size) {
        let text = value.to_string();
        return if text.contains('.') { text } else { text + ".0" };
    }
    let text = format!("{value:E}");
    match text.split_once('E') {
        Some((digits, exponent)) if !digits.contains('.') => format!("{digits}.0E{exponent}"),
        _ => text,
    }
}

/// `DATE '2024-02-29'`, `X'1F'` and other literals that begin with their type.
pub(super) fn typed_name(expr: &Expr) -> String {
    let Expr::TypedString(typed) = expr else { return expr.to_string() };
    let text = value_name(&typed.value.value);
    let data_type = match typed.data_type.to_string().to_uppercase().as_str() {
        "TIMESTAMPTZ" | "TIMESTAMP_LTZ" if is_finer(&text) => "TIMESTAMP_LTZ".to_owned(),
        "TIMESTAMPTZ" | "TIMESTAMP_LTZ" => "TIMESTAMP".to_owned(),
        other => other.to_owned(),
    };
    let is_timestamp = data_type.starts_with("TIMESTAMP");
    if is_timestamp && text.len() == "2024-02-29".len() && text.matches('-').count() == 2 {
        return format!("{data_type} '{text} 00:00:00'");
    }
    if is_timestamp {
        return format!("{data_type} '{}'", text.replacen('T', " ", 1));
    }
    format!("{data_type} '{text}'")
}

/// Whether a moment has digits beyond microseconds.
fn is_finer(text: &str) -> bool {
    text.split_once('.').is_some_and(|(_, fraction)| fraction.len() > 6)
}

/// `INTERVAL '1' DAY` however it was written.
pub(super) fn interval_name(interval: &ast::Interval) -> String {
    let value = match &*interval.value {
        Expr::Value(value) => value_name(&value.value),
        Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => match &**expr {
            Expr::Value(value) => format!("-{}", value_name(&value.value)),
            other => format!("-{other}"),
        },
        other => other.to_string(),
    };
    let unit = |field: &Option<ast::DateTimeField>| {
        let unit = field.as_ref()?.to_string().to_uppercase();
        Some(unit.strip_suffix('S').map_or(unit.clone(), str::to_owned))
    };
    match (unit(&interval.leading_field), unit(&interval.last_field)) {
        (Some(first), Some(last)) => format!("INTERVAL '{value}' {first} TO {last}"),
        (Some(first), None) => format!("INTERVAL '{value}' {first}"),
        _ => format!("INTERVAL '{value}'"),
    }
}
