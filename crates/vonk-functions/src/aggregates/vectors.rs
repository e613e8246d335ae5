//! `vector_sum` and `vector_avg`: vectors of FLOATs, element by element.

use std::sync::Arc;

use arrow::array::{AsArray, Float32Array};
use arrow::datatypes::{DataType, Field, Float32Type};
use datafusion::common::utils::SingleRowListArrayBuilder;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::AggregateUDF;

use super::whole::{Group, Kernel};
use crate::failure::Failure;
use crate::parameters::{Kind, Parameters};

/// `vector_sum(vector)`
pub(super) fn sum() -> AggregateUDF {
    kernel("vector_sum", |group| total(group, false))
}

/// `vector_avg(vector)`
pub(super) fn average() -> AggregateUDF {
    kernel("vector_avg", |group| total(group, true))
}

fn kernel(name: &'static str, finish: fn(&Group<'_>) -> Result<ScalarValue>) -> AggregateUDF {
    let parameters = Parameters::exact(&[Kind::List]);
    Kernel { name, parameters, unify: Some(floats), returns: |_| Ok(vector()), finish }.udf()
}

fn vector() -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Float32, true)))
}

fn floats(_: &str, _: Vec<DataType>) -> Result<Vec<DataType>> {
    Ok(vec![vector()])
}

/// Sums are kept as DOUBLEs until the end; vectors that are NULL do not count.
fn total(group: &Group<'_>, is_average: bool) -> Result<ScalarValue> {
    let vectors = group.columns[0].as_list::<i32>();
    let mut sums: Option<Vec<f64>> = None;
    let mut count = 0_usize;
    for vector in vectors.iter().flatten() {
        let vector = vector.as_primitive::<Float32Type>();
        let sums = sums.get_or_insert_with(|| vec![0.0; vector.len()]);
        if sums.len() != vector.len() {
            let message = format!("vectors of {} and {} elements", sums.len(), vector.len());
            return Err(Failure::new("VECTOR_DIMENSION_MISMATCH", message)
                .hint("give vectors of one length")
                .into());
        }
        for (sum, element) in sums.iter_mut().zip(vector.iter()) {
            *sum += f64::from(element.unwrap_or(f32::NAN));
        }
        count += 1;
    }
    let Some(sums) = sums else { return group.null() };
    let divisor = if is_average { count as f64 } else { 1.0 };
    let values: Float32Array = sums.iter().map(|sum| Some((sum / divisor) as f32)).collect();
    Ok(SingleRowListArrayBuilder::new(Arc::new(values)).build_list_scalar())
}
