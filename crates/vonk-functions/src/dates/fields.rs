//! The fields of a date: `year(date)`, `dayofweek(date)`, `monthname(date)` and their kin.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::{Date32Type, Int32Type};
use chrono::{Datelike, NaiveDate};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::datetime::calendar;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// A function per row: its name, and the field of a date that it gives.
macro_rules! fields {
    ($($name:ident = $field:expr;)*) => {
        $(pub(super) fn $name() -> ScalarUDF {
            let parameters = Parameters::exact(&[Kind::Date]);
            Kernel::new(stringify!($name), parameters, rows::int, |call| numbers(call, $field)).udf()
        })*
    };
}

fields! {
    year = |date| date.year();
    quarter = |date| date.month0() as i32 / 3 + 1;
    month = |date| date.month() as i32;
    day = |date| date.day() as i32;
    dayofweek = |date| date.weekday().number_from_sunday() as i32;
    dayofyear = |date| date.ordinal() as i32;
    weekday = |date| date.weekday().num_days_from_monday() as i32;
    weekofyear = |date| date.iso_week().week() as i32;
}

/// The short name of a day of the week.
pub(super) fn dayname() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Date]);
    Kernel::new("dayname", parameters, rows::text, |call| names(call, "%a")).udf()
}

/// The short name of a month.
pub(super) fn monthname() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Date]);
    Kernel::new("monthname", parameters, rows::text, |call| names(call, "%b")).udf()
}

fn numbers(call: &Call<'_>, field: fn(NaiveDate) -> i32) -> Result<ArrayRef> {
    let days = call.primitive::<Date32Type>(0)?;
    Ok(Arc::new(days.unary::<_, Int32Type>(|days| field(calendar::date_of(days)))))
}

fn names(call: &Call<'_>, format: &str) -> Result<ArrayRef> {
    let days = call.primitive::<Date32Type>(0)?;
    let names = days.iter().map(|days| Some(calendar::date_of(days?).format(format).to_string()));
    Ok(Arc::new(names.collect::<StringArray>()))
}
