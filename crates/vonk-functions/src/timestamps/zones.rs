//! From one time zone to another: `from_utc_timestamp`, `to_utc_timestamp`, `convert_timezone`.

use arrow::array::ArrayRef;
use arrow::datatypes::TimestampMicrosecondType;
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::datetime::rows::{self as moments, Memo};
use crate::datetime::zone::Zone;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// `from_utc_timestamp(timestamp, zone)`
pub(super) fn from_utc_timestamp() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Timestamp, Kind::Text]);
    Kernel::new("from_utc_timestamp", parameters, moments::timestamp, |call| {
        shifted(call, Zone::to_local)
    })
    .udf()
}

/// `to_utc_timestamp(timestamp, zone)`
pub(super) fn to_utc_timestamp() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Timestamp, Kind::Text]);
    Kernel::new("to_utc_timestamp", parameters, moments::timestamp, |call| {
        shifted(call, Zone::to_utc)
    })
    .udf()
}

fn shifted(call: &Call<'_>, by: fn(&Zone, i64) -> i64) -> Result<ArrayRef> {
    let (times, names) = (call.primitive::<TimestampMicrosecondType>(0)?, call.text(1)?);
    let mut zones = Memo::new(Zone::named);
    rows::numbers::<TimestampMicrosecondType>(call, |row| {
        Ok(Some(by(zones.get(names.value(row))?, times.value(row))))
    })
}

/// `convert_timezone([source, ]target, timestamp)`
pub(super) fn convert_timezone() -> ScalarUDF {
    const WITHOUT_SOURCE: Parameters = Parameters::exact(&[Kind::Text, Kind::TimestampNtz]);
    let parameters =
        Parameters::exact(&[Kind::Text, Kind::Text, Kind::TimestampNtz]).or(&WITHOUT_SOURCE);
    Kernel::new("convert_timezone", parameters, moments::timestamp_ntz, converted).udf()
}

fn converted(call: &Call<'_>) -> Result<ArrayRef> {
    let last = call.count() - 1;
    let session = moments::session_zone(call)?;
    let sources = (last == 2).then(|| call.text(0)).transpose()?;
    let targets = call.text(last - 1)?;
    let times = call.primitive::<TimestampMicrosecondType>(last)?;
    let (mut from, mut to) = (Memo::new(Zone::named), Memo::new(Zone::named));
    rows::numbers::<TimestampMicrosecondType>(call, |row| {
        let source = match &sources {
            Some(sources) => *from.get(sources.value(row))?,
            None => session,
        };
        Ok(Some(to.get(targets.value(row))?.to_local(source.to_utc(times.value(row)))))
    })
}
