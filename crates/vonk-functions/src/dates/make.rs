//! Dates from numbers and back: `make_date`, `date_from_unix_date`, `unix_date`.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Date32Type, Int32Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::datetime::{parts, rows as moments};
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// `make_date(year, month, day)`
pub(super) fn make_date() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Int, Kind::Int, Kind::Int]);
    Kernel::new("make_date", parameters, moments::date, |call| {
        let years = call.primitive::<Int32Type>(0)?;
        let months = call.primitive::<Int32Type>(1)?;
        let days = call.primitive::<Int32Type>(2)?;
        rows::numbers::<Date32Type>(call, |row| {
            let date = parts::date(years.value(row), months.value(row), days.value(row));
            moments::settle(call, date)
        })
    })
    .udf()
}

/// `date_from_unix_date(days)`
pub(super) fn date_from_unix_date() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Int]);
    Kernel::new("date_from_unix_date", parameters, moments::date, |call| {
        let days = call.primitive::<Int32Type>(0)?;
        renamed(call, Arc::new(days.reinterpret_cast::<Date32Type>()))
    })
    .udf()
}

/// `unix_date(date)`
pub(super) fn unix_date() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Date]);
    Kernel::new("unix_date", parameters, rows::int, |call| {
        let days = call.primitive::<Date32Type>(0)?;
        renamed(call, Arc::new(days.reinterpret_cast::<Int32Type>()))
    })
    .udf()
}

fn renamed(call: &Call<'_>, array: ArrayRef) -> Result<ArrayRef> {
    debug_assert!(matches!(call.returns, DataType::Date32 | DataType::Int32));
    Ok(array)
}
