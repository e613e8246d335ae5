//! The type that a document has, in the words of DDL.

use super::options::Options;
use super::tree::Tree;

/// What a value is, before it is clear how wide it has to be.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Null,
    Boolean,
    Long,
    Double,
    Decimal(usize, usize),
    Date,
    Timestamp,
    Text,
    Array(Box<Shape>),
    Struct(Vec<(String, Shape)>),
}

/// The shape of a value of JSON.
pub(super) fn of_json(tree: &Tree, options: &Options) -> Shape {
    match tree {
        Tree::Null => Shape::Null,
        Tree::Boolean(_) | Tree::Number(_) if options.is_on("primitivesasstring", false) => {
            Shape::Text
        }
        Tree::Boolean(_) => Shape::Boolean,
        Tree::Number(number) => of_number(number, options.is_on("prefersdecimal", false)),
        Tree::Text(_) => Shape::Text,
        Tree::Array(items) => {
            let items = items.iter().map(|item| of_json(item, options));
            Shape::Array(Box::new(items.fold(Shape::Null, Shape::merged)))
        }
        Tree::Object(members) => {
            let mut fields: Vec<(String, Shape)> = Vec::new();
            for (name, value) in members {
                fields.push((name.clone(), of_json(value, options)));
            }
            fields.sort_by(|left, right| left.0.cmp(&right.0));
            Shape::Struct(fields)
        }
    }
}

fn of_number(number: &str, prefers_decimal: bool) -> Shape {
    let digits = number.trim_start_matches('-');
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return match number.parse::<i64>() {
            Ok(_) => Shape::Long,
            Err(_) if digits.len() <= 38 => Shape::Decimal(digits.len(), 0),
            Err(_) => Shape::Double,
        };
    }
    match digits.split_once('.') {
        Some((whole, fraction)) if prefers_decimal && !fraction.contains(['e', 'E']) => {
            let precision = whole.trim_start_matches('0').len() + fraction.len();
            Shape::Decimal(precision.max(fraction.len()).max(1), fraction.len())
        }
        _ => Shape::Double,
    }
}

/// The shape of a field of CSV, or of the text of an element of XML.
pub(super) fn of_text(text: &str) -> Shape {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Shape::Null;
    }
    if trimmed.parse::<i64>().is_ok() {
        return Shape::Long;
    }
    if trimmed.parse::<f64>().is_ok() && trimmed.contains(|c: char| c.is_ascii_digit()) {
        return Shape::Double;
    }
    match trimmed.to_lowercase().as_str() {
        "true" | "false" => Shape::Boolean,
        _ if is_date(trimmed) => Shape::Date,
        _ if is_timestamp(trimmed) => Shape::Timestamp,
        _ => Shape::Text,
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

/// A date and a time, or a time alone.
fn is_timestamp(text: &str) -> bool {
    let clock = match text.split_once(['T', ' ']) {
        Some((date, clock)) if is_date(date) => clock,
        Some(_) => return false,
        None => text,
    };
    let clock = clock.trim_end_matches('Z');
    let forms = ["%H:%M:%S%.f", "%H:%M"];
    forms.iter().any(|form| chrono::NaiveTime::parse_from_str(clock, form).is_ok())
}

impl Shape {
    /// What holds both.
    pub(super) fn merged(self, other: Shape) -> Shape {
        match (self, other) {
            (left, right) if left == right => left,
            (Shape::Null, other) | (other, Shape::Null) => other,
            (Shape::Long, Shape::Double) | (Shape::Double, Shape::Long) => Shape::Double,
            (Shape::Decimal(..), Shape::Double) | (Shape::Double, Shape::Decimal(..)) => {
                Shape::Double
            }
            (Shape::Decimal(p, s), Shape::Long) | (Shape::Long, Shape::Decimal(p, s)) => {
                Shape::Decimal((p - s).max(20) + s, s)
            }
            (Shape::Decimal(p1, s1), Shape::Decimal(p2, s2)) => {
                let scale = s1.max(s2);
                Shape::Decimal((p1 - s1).max(p2 - s2) + scale, scale)
            }
            (Shape::Date, Shape::Timestamp) | (Shape::Timestamp, Shape::Date) => Shape::Timestamp,
            (Shape::Array(left), Shape::Array(right)) => {
                Shape::Array(Box::new(left.merged(*right)))
            }
            (Shape::Struct(mut left), Shape::Struct(right)) => {
                for (name, shape) in right {
                    match left.iter_mut().find(|(known, _)| *known == name) {
                        Some((_, known)) => *known = known.clone().merged(shape),
                        None => left.push((name, shape)),
                    }
                }
                left.sort_by(|left, right| left.0.cmp(&right.0));
                Shape::Struct(left)
            }
            _ => Shape::Text,
        }
    }

    /// The type in the words of DDL.
    pub(super) fn ddl(&self) -> String {
        match self {
            Shape::Boolean => "BOOLEAN".to_owned(),
            Shape::Long => "BIGINT".to_owned(),
            Shape::Double => "DOUBLE".to_owned(),
            Shape::Decimal(precision, scale) => format!("DECIMAL({precision},{scale})"),
            Shape::Date => "DATE".to_owned(),
            Shape::Timestamp => "TIMESTAMP".to_owned(),
            Shape::Null | Shape::Text => "STRING".to_owned(),
            Shape::Array(item) => format!("ARRAY<{}>", item.ddl()),
            Shape::Struct(fields) => {
                let fields = fields.iter().map(|(name, shape)| {
                    let is_plain = !name.is_empty()
                        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                        && !name.starts_with(|c: char| c.is_ascii_digit());
                    let quote = if is_plain { "" } else { "`" };
                    format!("{quote}{}{quote}: {}", name.replace('`', "``"), shape.ddl())
                });
                format!("STRUCT<{}>", fields.collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// INT where CSV and XML are narrower than JSON.
    pub(super) fn ddl_of_texts(&self, texts: &[&str]) -> String {
        match self {
            Shape::Long if texts.iter().all(|text| text.trim().parse::<i32>().is_ok()) => {
                "INT".to_owned()
            }
            other => other.ddl(),
        }
    }
}
