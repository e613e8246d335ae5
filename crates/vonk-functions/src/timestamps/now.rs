//! The present, the same throughout a query: `current_timestamp`, `current_date` and their kin.

use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::config::ConfigOptions;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::datetime::calendar;
use crate::datetime::zone::Zone;
use crate::failure::Failure;
use crate::parameters::timestamp;

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
fn digits(arguments: &[Expr]) -> u32 {
    match arguments.first() {
        Some(Expr::Literal(digits, _)) => digits.to_string().parse().unwrap_or(6),
        _ => 6,
    }
}

impl ScalarUDFImpl for Now {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        let most = usize::from(self.present == Present::Time);
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

    fn simplify(&self, args: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let Some(start) = info.query_execution_start_time() else {
            return Ok(ExprSimplifyResult::Original(args));
        };
        let value = self.value(start.timestamp_micros(), digits(&args), info.config_options())?;
        Ok(ExprSimplifyResult::Simplified(Expr::Literal(value, None)))
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        internal_err!("`{}` is a constant of the query before it runs", self.name)
    }
}
