//! The types of what variants hold, and the one type of many: `schema_of_variant` and its aggregate.

use std::collections::BTreeMap;
use std::fmt;

use arrow::array::AsArray;
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use super::tree::Tree;
use super::variant::read;
use crate::aggregates::whole;
use crate::function::Kernel;
use crate::parameters::{Kind, Parameters};
use crate::rows;

const ONE: Parameters = Parameters::exact(&[Kind::Text]);

/// The digits of a whole number that is a BIGINT, where it meets a decimal.
const LONG_DIGITS: usize = 20;

/// The most digits of a decimal.
const DIGITS_MAX: usize = 38;

/// Spark's `schema_of_variant`.
pub(super) fn schema_of_variant() -> ScalarUDF {
    Kernel::new("schema_of_variant", ONE, rows::text, |call| {
        let texts = call.text(0)?;
        rows::texts(call, |row, output| {
            output.push_str(&Shape::of(&read(texts.value(row))).to_string());
            Ok(true)
        })
    })
    .udf()
}

/// Spark's `schema_of_variant_agg`.
pub(super) fn schema_of_variant_agg() -> AggregateUDF {
    whole::Kernel {
        name: "schema_of_variant_agg",
        parameters: ONE,
        unify: None,
        returns: |_| Ok(DataType::Utf8),
        finish: |group| {
            let texts = group.columns[0].as_string_view().iter().flatten();
            let shapes = texts.map(|text| Shape::of(&read(text)));
            let shape = shapes.reduce(Shape::merged).unwrap_or(Shape::Void);
            Ok(ScalarValue::Utf8(Some(shape.to_string())))
        },
    }
    .udf()
}

/// The type of a part of a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Shape {
    Void,
    Boolean,
    Text,
    Long,
    /// Digits before the point, and behind it.
    Decimal(usize, usize),
    Double,
    Array(Box<Shape>),
    Object(BTreeMap<String, Shape>),
    /// Values of types that no other holds.
    Variant,
}

impl Shape {
    fn of(tree: &Tree) -> Self {
        match tree {
            Tree::Null => Self::Void,
            Tree::Boolean(_) => Self::Boolean,
            Tree::Text(_) => Self::Text,
            Tree::Number(number) if number.parse::<i64>().is_ok() => Self::Long,
            // Decimals end with no zero behind their point, doubles may.
            Tree::Number(number) if number.ends_with(".0") => Self::Double,
            Tree::Number(number) => match number.trim_start_matches('-').split_once('.') {
                Some((whole, fraction)) if fraction.bytes().all(|byte| byte.is_ascii_digit()) => {
                    Self::decimal(whole.trim_start_matches('0').len(), fraction.len())
                }
                _ => Self::Double,
            },
            Tree::Array(items) => {
                let item = items.iter().map(Self::of).reduce(Self::merged);
                Self::Array(Box::new(item.unwrap_or(Self::Void)))
            }
            Tree::Object(members) => {
                let members = members.iter().map(|(name, value)| (name.clone(), Self::of(value)));
                Self::Object(members.collect())
            }
        }
    }

    fn decimal(whole: usize, fraction: usize) -> Self {
        match whole + fraction <= DIGITS_MAX {
            true => Self::Decimal(whole, fraction),
            false => Self::Double,
        }
    }

    /// The type that holds the values of two.
    fn merged(self, other: Self) -> Self {
        match (self, other) {
            (Self::Void, shape) | (shape, Self::Void) => shape,
            (left, right) if left == right => left,
            (Self::Long, Self::Decimal(whole, fraction))
            | (Self::Decimal(whole, fraction), Self::Long) => {
                Self::decimal(whole.max(LONG_DIGITS), fraction)
            }
            (Self::Decimal(whole, fraction), Self::Decimal(other_whole, other_fraction)) => {
                Self::decimal(whole.max(other_whole), fraction.max(other_fraction))
            }
            (Self::Double, Self::Long | Self::Decimal(..))
            | (Self::Long | Self::Decimal(..), Self::Double) => Self::Double,
            (Self::Array(left), Self::Array(right)) => Self::Array(Box::new(left.merged(*right))),
            (Self::Object(mut members), Self::Object(others)) => {
                for (name, shape) in others {
                    let merged = match members.remove(&name) {
                        Some(known) => known.merged(shape),
                        None => shape,
                    };
                    members.insert(name, merged);
                }
                Self::Object(members)
            }
            _ => Self::Variant,
        }
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Void => f.write_str("VOID"),
            Self::Boolean => f.write_str("BOOLEAN"),
            Self::Text => f.write_str("STRING"),
            Self::Long => f.write_str("BIGINT"),
            Self::Decimal(whole, fraction) => {
                write!(f, "DECIMAL({},{fraction})", whole + fraction)
            }
            Self::Double => f.write_str("DOUBLE"),
            Self::Array(item) => write!(f, "ARRAY<{item}>"),
            Self::Object(members) => {
                let members = members.iter().map(|(name, shape)| format!("{name}: {shape}"));
                write!(f, "OBJECT<{}>", members.collect::<Vec<_>>().join(", "))
            }
            Self::Variant => f.write_str("VARIANT"),
        }
    }
}
