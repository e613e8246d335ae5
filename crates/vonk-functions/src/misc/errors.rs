//! `assert_true`, `raise_error`, and what is refused.

use arrow::array::{Array, AsArray, new_null_array};
use arrow::datatypes::DataType;
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::Kernel;
use crate::parameters::{Kind, Parameters};

/// Spark's `assert_true`, NULL where the condition is true.
pub(super) fn assert_true() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Boolean], &[Kind::Text]);
    Kernel::new(
        "assert_true",
        parameters,
        |_| Ok(DataType::Null),
        |call| {
            let conditions = call.array(0)?;
            let conditions = conditions.as_boolean();
            let is_false = |row: &usize| conditions.is_null(*row) || !conditions.value(*row);
            match (0..call.rows).find(is_false) {
                None => Ok(new_null_array(&DataType::Null, call.rows)),
                Some(row) => {
                    let messages = call.optional_text(1)?;
                    let message = messages.filter(|messages| messages.is_valid(row));
                    let message = message.map(|messages| messages.value(row).to_owned());
                    Err(raised(message.unwrap_or_else(|| "the condition is not true".to_owned()))
                        .into())
                }
            }
        },
    )
    .volatile()
    .udf()
}

/// Spark's `raise_error`, which is of no type.
pub(super) fn raise_error() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Text]);
    Kernel::new(
        "raise_error",
        parameters,
        |_| Ok(DataType::Null),
        |call| {
            let messages = call.text(0)?;
            match call.rows {
                0 => Ok(new_null_array(&DataType::Null, 0)),
                _ if messages.is_null(0) => Err(raised("null".to_owned()).into()),
                _ => Err(raised(messages.value(0).to_owned()).into()),
            }
        },
    )
    .volatile()
    .udf()
}

fn raised(message: String) -> Failure {
    Failure::new("USER_RAISED_EXCEPTION", message)
}

/// Spark's `java_method`: vonk has no Java whose methods it could call.
pub(super) fn java_method() -> ScalarUDF {
    let parameters = Parameters::with_any_number(&[Kind::Text, Kind::Text], Kind::Any);
    Kernel::new(
        "java_method",
        parameters,
        |_| Ok(DataType::Utf8),
        |_| {
            Err(Failure::new("UNSUPPORTED_FEATURE", "vonk has no Java whose methods it could call")
                .hint("use a function of SQL")
                .into())
        },
    )
    .udf()
}
