//! `xpath` and its kin: paths through XML by a part of XPath 1.0.
//!
//! Paths, predicates by position and by comparison, attributes, `text()`, unions, arithmetic, and
//! the functions that are used on them: `count`, `sum`, `string`, `number`, `concat`, `contains`,
//! `starts-with`, `not`, `position`, `last`, `name`, `string-length`, `normalize-space`.

use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder};
use arrow::datatypes::{
    DataType, Field, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use super::xml::{self, Element};
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

mod evaluate;
mod parse;

use evaluate::{Context, Value};
use parse::Expression;

const PARAMETERS: Parameters = Parameters::exact(&[Kind::Text, Kind::Text]);

/// Spark's `xpath`.
pub(super) fn texts() -> ScalarUDF {
    let returns =
        |_: &[DataType]| Ok(DataType::List(Arc::new(Field::new_list_field(DataType::Utf8, true))));
    Kernel::new("xpath", PARAMETERS, returns, |call| {
        let mut documents = Documents::new(call)?;
        let nulls = rows::valid(call)?;
        let mut lists = ListBuilder::new(StringBuilder::new());
        for row in 0..call.rows {
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                lists.append_null();
                continue;
            }
            let found = documents.value(row, |value| value.node_values())?;
            for text in found.unwrap_or_default() {
                lists.values().append_option(text);
            }
            lists.append(true);
        }
        Ok(Arc::new(lists.finish()))
    })
    .udf()
}

/// Spark's `xpath_string`.
pub(super) fn string() -> ScalarUDF {
    Kernel::new("xpath_string", PARAMETERS, rows::text, |call| {
        let mut documents = Documents::new(call)?;
        rows::texts(call, |row, output| {
            output.push_str(&documents.value(row, |value| value.text())?.unwrap_or_default());
            Ok(true)
        })
    })
    .udf()
}

/// Spark's `xpath_boolean`.
pub(super) fn boolean() -> ScalarUDF {
    Kernel::new("xpath_boolean", PARAMETERS, rows::boolean, |call| {
        let mut documents = Documents::new(call)?;
        rows::booleans(call, |row| documents.value(row, |value| value.is_true()))
    })
    .udf()
}

/// Spark's `xpath_double`.
pub(super) fn double() -> ScalarUDF {
    Kernel::new("xpath_double", PARAMETERS, rows::double, |call| {
        let mut documents = Documents::new(call)?;
        rows::numbers::<Float64Type>(call, |row| documents.value(row, |value| value.number()))
    })
    .udf()
}

/// Spark's `xpath_float`.
pub(super) fn float() -> ScalarUDF {
    Kernel::new(
        "xpath_float",
        PARAMETERS,
        |_| Ok(DataType::Float32),
        |call| {
            let mut documents = Documents::new(call)?;
            rows::numbers::<Float32Type>(call, |row| {
                documents.value(row, |value| value.number() as f32)
            })
        },
    )
    .udf()
}

/// Spark's `xpath_int`.
pub(super) fn int() -> ScalarUDF {
    Kernel::new("xpath_int", PARAMETERS, rows::int, |call| {
        let mut documents = Documents::new(call)?;
        rows::numbers::<Int32Type>(call, |row| documents.value(row, |value| value.number() as i32))
    })
    .udf()
}

/// Spark's `xpath_long`.
pub(super) fn long() -> ScalarUDF {
    Kernel::new("xpath_long", PARAMETERS, rows::long, |call| {
        let mut documents = Documents::new(call)?;
        rows::numbers::<Int64Type>(call, |row| documents.value(row, |value| value.number() as i64))
    })
    .udf()
}

/// Spark's `xpath_short`.
pub(super) fn short() -> ScalarUDF {
    Kernel::new("xpath_short", PARAMETERS, |_| Ok(DataType::Int16), shorts).udf()
}

fn shorts(call: &Call<'_>) -> Result<ArrayRef> {
    let mut documents = Documents::new(call)?;
    rows::numbers::<Int16Type>(call, |row| {
        documents.value(row, |value| value.number() as i32 as i16)
    })
}

/// The documents and paths of a call.
struct Documents {
    texts: arrow::array::StringViewArray,
    paths: arrow::array::StringViewArray,
    last: Option<(String, Expression)>,
}

impl Documents {
    fn new(call: &Call<'_>) -> Result<Self> {
        Ok(Self { texts: call.text(0)?, paths: call.text(1)?, last: None })
    }

    /// What a row's path gives; nothing for an empty text or path.
    fn value<T>(&mut self, row: usize, read: impl Fn(&Value<'_>) -> T) -> Result<Option<T>> {
        let (text, path) = (self.texts.value(row), self.paths.value(row));
        if text.is_empty() || path.is_empty() {
            return Ok(None);
        }
        if self.last.as_ref().is_none_or(|(known, _)| known != path) {
            let Some(expression) = parse::parse(path) else {
                let message =
                    format!("`{path}` is no path of XPath, or one that vonk does not have");
                return Err(Failure::new("INVALID_PARAMETER_VALUE", message).into());
            };
            self.last = Some((path.to_owned(), expression));
        }
        let Some(root) = xml::read(text) else {
            let message = format!("`{text}` is no XML");
            return Err(Failure::new("INVALID_PARAMETER_VALUE", message).into());
        };
        let Some((_, expression)) = &self.last else { return Ok(None) };
        // The root of paths is not the first element, but what stands around it.
        let document = Element {
            name: String::new(),
            attributes: Vec::new(),
            nodes: vec![xml::Node::Element(root)],
        };
        Ok(Some(read(&Context::of(&document).evaluate(expression))))
    }
}
