//! `-a`: the smallest integer of a type has no opposite.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray};
use arrow::compute::kernels::numeric;
use arrow::datatypes::{DataType, FieldRef, Float32Type, Float64Type};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use super::Mode;
use crate::failure::Failure;
use crate::types;

/// Spark's `negative`, the function behind a minus sign.
pub(super) fn udf(mode: Mode) -> ScalarUDF {
    ScalarUDF::new_from_impl(Negative {
        mode,
        signature: Signature::user_defined(Volatility::Immutable),
    })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Negative {
    mode: Mode,
    signature: Signature,
}

impl ScalarUDFImpl for Negative {
    fn name(&self) -> &str {
        match self.mode {
            Mode::Legacy => "legacy negative",
            Mode::Ansi | Mode::Try => "negative",
        }
    }

    fn display_name(&self, arguments: &[Expr]) -> Result<String> {
        match arguments {
            [operand] => Ok(format!("(- {operand})")),
            _ => Ok(self.name().to_owned()),
        }
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let [operand] = arguments else {
            return plan_err!("`negative` takes one argument, not {}", arguments.len());
        };
        Ok(vec![match operand {
            DataType::Null | DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                DataType::Float64
            }
            DataType::UInt8 => DataType::Int16,
            DataType::UInt16 => DataType::Int32,
            DataType::UInt32 => DataType::Int64,
            DataType::UInt64 => DataType::Decimal128(20, 0),
            number if number.is_numeric() || number.is_decimal() => number.clone(),
            DataType::Interval(_) | DataType::Duration(_) => operand.clone(),
            other => {
                let other = types::quoted(&types::unnamed(other.clone()));
                let message = format!("a minus sign cannot stand before a value of {other}");
                let condition = "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE";
                return Err(Failure::new(condition, message).into_text());
            }
        }])
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok(arguments[0].clone())
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        // The opposite of an interval has the same fields.
        Ok(Arc::new(args.arg_fields[0].as_ref().clone().with_name(self.name())))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let operand = &args.args[0];
        let array = operand.to_array(if is_scalar(operand) { 1 } else { args.number_rows })?;
        let negated: ArrayRef = match self.mode {
            Mode::Legacy => numeric::neg_wrapping(&array)?,
            Mode::Ansi | Mode::Try => numeric::neg(&array).map_err(|_| overflow())?,
        };
        let negated = with_one_nan(negated);
        if is_scalar(operand) {
            return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&negated, 0)?));
        }
        Ok(ColumnarValue::Array(negated))
    }
}

/// Numbers whose NaN have the sign that comparisons know.
fn with_one_nan(numbers: ArrayRef) -> ArrayRef {
    if let Some(doubles) = numbers.as_primitive_opt::<Float64Type>() {
        return Arc::new(doubles.unary::<_, Float64Type>(super::with_one_nan));
    }
    if let Some(floats) = numbers.as_primitive_opt::<Float32Type>() {
        let known = |number: f32| if number.is_nan() { f32::NAN } else { number };
        return Arc::new(floats.unary::<_, Float32Type>(known));
    }
    numbers
}

fn is_scalar(value: &ColumnarValue) -> bool {
    matches!(value, ColumnarValue::Scalar(_))
}

fn overflow() -> Failure {
    Failure::new("ARITHMETIC_OVERFLOW", "the smallest value of a type has no opposite")
        .hint("cast it to a wider type, or use `try_subtract(0, ...)` to get NULL instead")
}
