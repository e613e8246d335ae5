//! `time_bucket(width, timestamp[, origin])`: the beginning of a bucket of fixed width.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{DataType, DurationMicrosecondType, TimestampMicrosecondType};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::datetime::rows as moments;
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

pub(super) fn udf() -> ScalarUDF {
    let parameters =
        Parameters::with_optional(&[Kind::Any, Kind::AnyTimestamp], &[Kind::AnyTimestamp]);
    Kernel::new("time_bucket", parameters, |types| Ok(types[1].clone()), buckets).udf()
}

fn buckets(call: &Call<'_>) -> Result<ArrayRef> {
    let widths = call.array(0)?;
    let Some(widths) = widths.as_primitive_opt::<DurationMicrosecondType>() else {
        let message = "the width of a bucket has to be an interval of days and time";
        return Err(Failure::new("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", message)
            .hint("write it as `INTERVAL '15' MINUTE`")
            .into());
    };
    let times = moments::locals(call, 1)?;
    let origins = (call.count() > 2).then(|| moments::locals(call, 2)).transpose()?;
    let zone = match call.returns {
        DataType::Timestamp(_, Some(_)) => Some(moments::session_zone(call)?),
        _ => None,
    };
    rows::numbers::<TimestampMicrosecondType>(call, |row| {
        let width = widths.value(row);
        if width <= 0 {
            let message = "the width of a bucket has to be longer than nothing";
            return Err(Failure::new("INVALID_PARAMETER_VALUE", message)
                .hint("use a positive interval")
                .into());
        }
        let origin = origins.as_ref().map_or(0, |origins| origins.value(row));
        let time = times.value(row);
        let local = time - (time - origin).rem_euclid(width);
        Ok(Some(zone.map_or(local, |zone| zone.to_utc(local))))
    })
}
