//! The present, the same throughout a query: `current_timestamp`, `current_date` and their kin.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::metadata::FieldMetadata;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility,
};

use crate::datetime::calendar;
use crate::datetime::zone::Zone;
use crate::failure::Failure;
use crate::parameters::timestamp;
use crate::types;

/// What of the present a function gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Present {
    Timestamp,
    LocalTimestamp,
    Date,
    Time,
    ZoneName,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Now {
    name: &'static str,
    present: Present,
    signature: Signature,
}

fn udf(name: &'static str, present: Present) -> ScalarUDF {
    let signature = Signature::user_defined(Volatility::Stable);
    ScalarUDF::new_from_impl(Now { name, present, signature })
}

/// `now()`
pub(super) fn now() -> ScalarUDF {
    udf("now", Present::Timestamp)
}

/// `localtimestamp()`
pub(super) fn localtimestamp() -> ScalarUDF {
    udf("localtimestamp", Present::LocalTimestamp)
}

/// `current_timezone()`
pub(super) fn current_timezone() -> ScalarUDF {
    udf("current_timezone", Present::ZoneName)
}

/// `current_date()`
pub(crate) fn current_date() -> ScalarUDF {
    udf("current_date", Present::Date)
}

/// `current_time([digits])`
pub(crate) fn current_time() -> ScalarUDF {
    udf("current_time", Present::Time)
}

impl Now {
    fn value(&self, utc_micros: i64, digits: u32, options: &ConfigOptions) -> Result<ScalarValue> {
        let name = options.execution.time_zone.as_deref().unwrap_or("UTC");
        let local = Zone::named(name)?.to_local(utc_micros);
        Ok(match self.present {
            Present::Timestamp => {
                ScalarValue::TimestampMicrosecond(Some(utc_micros), Some("UTC".into()))
            }
            Present::LocalTimestamp => ScalarValue::TimestampMicrosecond(Some(local), None),
            Present::Date => ScalarValue::Date32(Some(calendar::day_of_micros(local))),
            Present::Time => {
                let time = calendar::time_of_micros(local);
                let unit = 10_i64.pow(6_u32.saturating_sub(digits));
                ScalarValue::Time64Microsecond(Some(time - time % unit))
            }
            Present::ZoneName => ScalarValue::Utf8(Some(name.to_owned())),
        })
    }
}

/// How many digits behind the point of a second are wanted.
///
/// # Errors
/// `DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE` of a number that no time of the day has.
fn digits(argument: Option<&ScalarValue>) -> Result<u32> {
    let Some(digits) = argument.filter(|digits| !digits.is_null()) else { return Ok(DIGITS_MAX) };
    match digits.to_string().parse() {
        Ok(digits @ 0..=DIGITS_MAX) => Ok(digits),
        _ => {
            let message = format!("times of the day have 0 to {DIGITS_MAX} digits, not {digits}");
            Err(Failure::new("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", message).into())
        }
    }
}

/// Timestamps have the digits of microseconds; only finer ones are given a number of them.
fn refused_digits(digits: Option<&ScalarValue>) -> Failure {
    let digits = digits.map_or_else(|| "that".to_owned(), ToString::to_string);
    let condition = match digits.parse::<u8>() {
        Ok(7..=9) => "UNSUPPORTED_OPERATION",
        _ => "INVALID_TIMESTAMP_PRECISION",
    };
    Failure::new(condition, format!("timestamps have 6 digits behind the point, not {digits}"))
        .hint("leave the number out")
}

/// The digits that microseconds have.
const DIGITS_MAX: u32 = 6;

/// The field of the present; a time of the day with few digits says how many.
fn field_of(name: &str, data_type: DataType, digits: u32) -> Field {
    let is_cut = matches!(data_type, DataType::Time64(_)) && digits < DIGITS_MAX;
    let field = Field::new(name, data_type, false);
    if is_cut { types::with_name(field, &format!("time({digits})")) } else { field }
}

impl ScalarUDFImpl for Now {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let has_digits =
            matches!(self.present, Present::Time | Present::Timestamp | Present::LocalTimestamp);
        let most = usize::from(has_digits);
        if arguments.len() > most {
            let (name, count) = (self.name, arguments.len());
            let message = format!("`{name}` takes {most} arguments, not {count}");
            return Err(Failure::new("WRONG_NUM_ARGS.WITHOUT_SUGGESTION", message).into());
        }
        Ok(arguments.to_vec())
    }

    fn return_type(&self, _arguments: &[DataType]) -> Result<DataType> {
        Ok(match self.present {
            Present::Timestamp => timestamp(),
            Present::LocalTimestamp => DataType::Timestamp(TimeUnit::Microsecond, None),
            Present::Date => DataType::Date32,
            Present::Time => DataType::Time64(TimeUnit::Microsecond),
            Present::ZoneName => DataType::Utf8,
        })
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let data_type = self.return_type(&[])?;
        if self.present != Present::Time
            && let Some(digits) = args.scalar_arguments.first()
        {
            return Err(refused_digits(*digits).into());
        }
        let digits = digits(args.scalar_arguments.first().copied().flatten())?;
        Ok(Arc::new(field_of(self.name, data_type, digits)))
    }

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let Some(start) = info.query_execution_start_time() else {
            return Ok(ExprSimplifyResult::Original(args));
        };
        let digits = digits(match args.first() {
            Some(Expr::Literal(digits, _)) => Some(digits),
            _ => None,
        })?;
        let value = self.value(start.timestamp_micros(), digits, info.config_options())?;
        let field = field_of(self.name, value.data_type(), digits);
        let metadata = (!field.metadata().is_empty()).then(|| FieldMetadata::from(&field));
        Ok(ExprSimplifyResult::Simplified(Expr::Literal(value, metadata)))
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("`{}` is a constant of the query before it runs", self.name)
    }
}
