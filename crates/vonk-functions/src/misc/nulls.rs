//! NaN: `isnan`, `nanvl`, and `normalize_nan_and_zero`, which makes equal numbers alike.

use std::sync::Arc;

use arrow::array::{BooleanArray, Float64Array};
use arrow::datatypes::Float64Type;
use datafusion::logical_expr::ScalarUDF;

use crate::collections::first_type;
use crate::collections::keys::canonical;
use crate::function::Kernel;
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// Spark's `isnan`; NULL is no NaN.
pub(super) fn isnan() -> ScalarUDF {
    Kernel::new("isnan", Parameters::exact(&[Kind::Double]), rows::boolean, |call| {
        let numbers = call.primitive::<Float64Type>(0)?;
        let is_nan = numbers.iter().map(|number| Some(number.is_some_and(f64::is_nan)));
        Ok(Arc::new(is_nan.collect::<BooleanArray>()))
    })
    .udf()
}

/// What stands around floating numbers in orders, and around values that hold them in groups.
pub(super) fn normalize() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Any]);
    Kernel::new("normalize_nan_and_zero", parameters, first_type, |call| canonical(&call.array(0)?))
        .udf()
}

/// Spark's `nanvl`.
pub(super) fn nanvl() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Double, Kind::Double]);
    Kernel::new("nanvl", parameters, rows::double, |call| {
        let (numbers, others) =
            (call.primitive::<Float64Type>(0)?, call.primitive::<Float64Type>(1)?);
        let chosen = numbers.iter().zip(&others).map(|(number, other)| match number {
            Some(number) if number.is_nan() => other,
            number => number,
        });
        Ok(Arc::new(chosen.collect::<Float64Array>()))
    })
    .udf()
}
