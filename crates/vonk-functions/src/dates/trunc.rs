//! `trunc(date, unit)`: the first day of the week, month, quarter or year.

use arrow::datatypes::Date32Type;
use datafusion::logical_expr::ScalarUDF;

use crate::datetime::rows as moments;
use crate::datetime::unit::Unit;
use crate::function::Kernel;
use crate::parameters::{Kind, Parameters};
use crate::rows;

pub(super) fn udf() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Date, Kind::Text]);
    Kernel::new("trunc", parameters, moments::date, |call| {
        let (days, units) = (call.primitive::<Date32Type>(0)?, call.text(1)?);
        rows::numbers::<Date32Type>(call, |row| {
            let unit = Unit::to_cut(units.value(row)).filter(|unit| *unit >= Unit::Week);
            Ok(unit.map(|unit| unit.cut_day(days.value(row))))
        })
    })
    .udf()
}
