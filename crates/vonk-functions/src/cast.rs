//! CAST and TRY_CAST as Spark means them, where Arrow's cast means something else.
//!
//! A cast is a function of a value and a NULL of the type to cast to, so that its type survives in
//! a plan as any other argument does.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast as arrow_cast;
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    Cast, ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, TryCast, Volatility,
};

use crate::arithmetic::Mode;
use crate::datetime::Zone;
use crate::documents::variant;
use crate::failure::Failure;
use crate::render;
use crate::types;

mod from_text;
mod intervals;
pub(crate) mod moments;
mod nested;
mod numbers;
mod rules;
mod texts;
mod times;

pub use rules::is_plain;
pub(crate) use rules::{entry, item};

/// The cast of an expression of type `from`: a plain CAST where Arrow means the same, else ours.
///
/// # Errors
/// `DATATYPE_MISMATCH.CAST_…` for a cast that Spark does not allow.
pub fn cast_expr(expr: Expr, from: &Field, to: &FieldRef, mode: Mode) -> Result<Expr> {
    rules::check(from, to, mode)?;
    if is_plain(from, to) {
        // With a name, the type would say of itself whether it may be NULL.
        let to = Arc::new(to.as_ref().clone().with_name("").with_nullable(true));
        return Ok(match mode {
            Mode::Try => Expr::TryCast(TryCast::new_from_field(Box::new(expr), to)),
            _ => Expr::Cast(Cast::new_from_field(Box::new(expr), to)),
        });
    }
    let target = ScalarValue::try_new_null(to.data_type())?;
    let metadata = (!to.metadata().is_empty()).then(|| FieldMetadata::new_from_field(to));
    let target = Expr::Literal(target, metadata);
    Ok(Expr::ScalarFunction(ScalarFunction::new_udf(udf(mode), vec![expr, target])))
}

/// What a cast of ours is made of: the value, a NULL of the type, and the mode.
pub fn parts(expr: &Expr) -> Option<(&Expr, &Expr, Mode)> {
    let Expr::ScalarFunction(call) = expr else { return None };
    let cast = call.func.inner().downcast_ref::<SparkCast>()?;
    match call.args.as_slice() {
        [value, target] => Some((value, target, cast.mode)),
        _ => None,
    }
}

/// The name of the function behind CAST.
pub fn function_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Ansi => "cast",
        Mode::Try => "try_cast",
        Mode::Legacy => "legacy_cast",
    }
}

/// The functions behind CAST, in every mode.
pub(crate) fn functions() -> Vec<ScalarUDF> {
    [Mode::Ansi, Mode::Try, Mode::Legacy].map(|mode| udf(mode).as_ref().clone()).into()
}

/// The function behind CAST: `cast(value, NULL of the type)`.
fn udf(mode: Mode) -> Arc<ScalarUDF> {
    let signature = Signature::any(2, Volatility::Immutable);
    Arc::new(ScalarUDF::new_from_impl(SparkCast { mode, signature }))
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct SparkCast {
    mode: Mode,
    signature: Signature,
}

impl ScalarUDFImpl for SparkCast {
    fn name(&self) -> &str {
        function_name(self.mode)
    }

    fn display_name(&self, arguments: &[Expr]) -> Result<String> {
        Ok(self.written(arguments, |expr| expr.to_string()))
    }

    fn schema_name(&self, arguments: &[Expr]) -> Result<String> {
        Ok(self.written(arguments, |expr| expr.schema_name().to_string()))
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        match arguments {
            [_, to] => Ok(to.clone()),
            _ => internal_err!("a cast takes a value and a type"),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let [from, to] = args.arg_fields else {
            return internal_err!("a cast takes a value and a type");
        };
        // A text may not be a value of the type, which is NULL outside of ANSI.
        let nullable = self.mode != Mode::Ansi || from.is_nullable();
        let field = to.as_ref().clone().with_name(self.name()).with_nullable(nullable);
        // The rows of a VALUES may name their types differently until all of them are known.
        let is_known = args.scalar_arguments.get(1).is_some_and(Option::is_some);
        Ok(Arc::new(if is_known { field } else { field.with_metadata(HashMap::new()) }))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let zone = args.config_options.execution.time_zone.as_deref().unwrap_or("UTC");
        let caster = Caster { mode: self.mode, zone: Zone::named(zone)? };
        let (from, to) = (&args.arg_fields[0], &args.return_field);
        if types::is_variant(from) || types::is_variant(to) {
            let values = args.args[0].to_array(args.number_rows)?;
            let is_try = self.mode == Mode::Try;
            return Ok(ColumnarValue::Array(variant::cast(&values, (from, to), zone, is_try)?));
        }
        match &args.args[0] {
            ColumnarValue::Array(array) => Ok(ColumnarValue::Array(caster.cast(array, from, to)?)),
            ColumnarValue::Scalar(value) => {
                let cast = caster.cast(&value.to_array()?, from, to)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&cast, 0)?))
            }
        }
    }
}

impl SparkCast {
    fn written(&self, arguments: &[Expr], write: impl Fn(&Expr) -> String) -> String {
        let name = if self.mode == Mode::Try { "TRY_CAST" } else { "CAST" };
        let to = match arguments.last() {
            Some(Expr::Literal(null, metadata)) => {
                let field = types::unnamed(null.data_type());
                Some(metadata.iter().fold(field, |field, metadata| metadata.add_to_field(field)))
            }
            // As it is written in SQL, before it is computed.
            Some(Expr::Cast(null)) => Some(null.field.as_ref().clone()),
            _ => None,
        };
        match (arguments, to) {
            ([value, _], Some(to)) => {
                format!("{name}({} AS {})", write(value), types::sql_name(&to))
            }
            (other, _) => {
                format!("{name}({})", other.iter().map(write).collect::<Vec<_>>().join(", "))
            }
        }
    }
}

/// How values are cast: what happens to those that cannot be, and by which clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caster {
    pub(crate) mode: Mode,
    pub(crate) zone: Zone,
}

impl Caster {
    /// Casts a column; both fields tell which fields an interval has.
    pub(crate) fn cast(&self, array: &ArrayRef, from: &Field, to: &Field) -> Result<ArrayRef> {
        if is_plain(from, to) {
            return Ok(arrow_cast(array, to.data_type())?);
        }
        if let Some(data_type) = render::spark_type(to.data_type()) {
            let nearest = to.clone().with_data_type(data_type);
            return Ok(arrow_cast(&self.cast(array, from, &nearest)?, to.data_type())?);
        }
        let array = &narrowed(array)?;
        if let Some(cast) = nested::cast(self, array, to)? {
            return Ok(cast);
        }
        let cast = match (array.data_type(), to.data_type()) {
            (_, text) if text.is_string() => {
                arrow_cast(&render::texts(array, from, self.zone)?, text)?
            }
            (text, _) if text.is_string() => {
                texts::cast(self, arrow_cast(array, &DataType::Utf8View)?.as_string_view(), to)?
            }
            (DataType::Interval(_) | DataType::Duration(_), _)
            | (_, DataType::Interval(_) | DataType::Duration(_)) => {
                intervals::cast(self, array, from, to)?
            }
            (from_type, to_type) if times::is_time(from_type) || times::is_time(to_type) => {
                times::cast(self, array, from, to)?
            }
            _ => numbers::cast(self, array, from, to)?,
        };
        if cast.data_type() == to.data_type() {
            return Ok(cast);
        }
        Ok(arrow_cast(&cast, to.data_type())?)
    }

    /// What becomes of a value that cannot be cast: an error under ANSI, else NULL.
    fn none<T>(&self, failure: impl FnOnce() -> Failure) -> Result<Option<T>> {
        match self.mode {
            Mode::Ansi => Err(failure().into()),
            Mode::Try | Mode::Legacy => Ok(None),
        }
    }
}

/// Types that Spark does not have become those of Spark that hold their values.
fn narrowed(array: &ArrayRef) -> Result<ArrayRef> {
    let data_type = match array.data_type() {
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Dictionary(_, value) => value.as_ref().clone(),
        DataType::Decimal32(p, s) | DataType::Decimal64(p, s) => DataType::Decimal128(*p, *s),
        DataType::Float16 => DataType::Float32,
        _ => return Ok(Arc::clone(array)),
    };
    Ok(arrow_cast(array, &data_type)?)
}

/// A text that is no value of a type.
fn invalid(value: &str, from: &str, to: &Field) -> Failure {
    let to = types::quoted(to);
    let message = format!(
        "the value {value} of the type \"{from}\" cannot be cast to {to} because it is malformed"
    );
    Failure::new("CAST_INVALID_INPUT", message).hint("use `try_cast` to get NULL instead")
}

/// A number that a type has no room for.
fn overflow(value: &str, from: &Field, to: &Field) -> Failure {
    let (from, to) = (types::quoted(from), types::quoted(to));
    let message = format!("the value {value} of the type {from} does not fit into {to}");
    Failure::new("CAST_OVERFLOW", message).hint("use `try_cast` to get NULL instead")
}

/// A number that a decimal type has no room for.
fn out_of_range(value: &str, precision: u8, scale: i8) -> Failure {
    let message = format!("{value} cannot be represented as decimal({precision}, {scale})");
    Failure::new("NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", message)
        .hint("use `try_cast` to get NULL instead")
}
