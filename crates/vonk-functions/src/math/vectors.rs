//! Functions of vectors, which are arrays of FLOAT without NULL.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float32Array, ListBuilder, PrimitiveBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Float32Type};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

const PAIR: Parameters = Parameters::exact(&[Kind::List, Kind::List]);
const WITH_DEGREE: Parameters = Parameters::with_optional(&[Kind::List], &[Kind::Double]);

fn float(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Float32)
}

/// Spark's `vector_inner_product`.
pub(super) fn inner_product() -> ScalarUDF {
    Kernel::new("vector_inner_product", PAIR, float, |call| {
        of_two(call, "vector_inner_product", |left, right| Some(product(left, right)))
    })
    .udf()
}

/// Spark's `vector_cosine_similarity`, NULL where a vector has no direction.
pub(super) fn cosine_similarity() -> ScalarUDF {
    Kernel::new("vector_cosine_similarity", PAIR, float, |call| {
        of_two(call, "vector_cosine_similarity", |left, right| {
            let lengths = (product(left, left) * product(right, right)).sqrt();
            (lengths != 0.0).then(|| product(left, right) / lengths)
        })
    })
    .udf()
}

/// Spark's `vector_l2_distance`.
pub(super) fn l2_distance() -> ScalarUDF {
    Kernel::new("vector_l2_distance", PAIR, float, |call| {
        of_two(call, "vector_l2_distance", |left, right| {
            let squares = left.iter().zip(right).map(|(a, b)| f64::from(a - b).powi(2));
            Some(squares.sum::<f64>().sqrt())
        })
    })
    .udf()
}

fn product(left: &[f32], right: &[f32]) -> f64 {
    left.iter().zip(right).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}

fn of_two(
    call: &Call<'_>,
    name: &str,
    value: fn(&[f32], &[f32]) -> Option<f64>,
) -> Result<ArrayRef> {
    let (left, right) = (call.array(0)?, call.array(1)?);
    rows::numbers::<Float32Type>(call, |row| {
        let (Some(left), Some(right)) = (vector(&left, row)?, vector(&right, row)?) else {
            return Ok(None);
        };
        if left.len() != right.len() {
            let message = format!(
                "`{name}` takes vectors of one length, not of {} and {}",
                left.len(),
                right.len()
            );
            return Err(Failure::new("VECTOR_DIMENSION_MISMATCH", message).into());
        }
        Ok(value(left.values(), right.values()).map(|value| value as f32))
    })
}

/// The numbers of a row, if none is NULL.
fn vector(lists: &ArrayRef, row: usize) -> Result<Option<Float32Array>> {
    let Some(lists) = lists.as_list_opt::<i32>() else { return Ok(None) };
    let numbers = cast(&lists.value(row), &DataType::Float32)?;
    let numbers = numbers.as_primitive::<Float32Type>();
    Ok((numbers.null_count() == 0).then(|| numbers.clone()))
}

/// Spark's `vector_norm(vector[, degree])`, of degree 2 unless it is told otherwise.
pub(super) fn norm() -> ScalarUDF {
    Kernel::new("vector_norm", WITH_DEGREE, float, |call| {
        let (lists, degrees) = (call.array(0)?, degrees(call)?);
        rows::numbers::<Float32Type>(call, |row| {
            let vector = vector(&lists, row)?;
            vector.map(|vector| length(vector.values(), degrees(row))).transpose()
        })
    })
    .udf()
}

/// Spark's `vector_normalize(vector[, degree])`, NULL where the vector has no direction.
pub(super) fn normalize() -> ScalarUDF {
    let returns = |_: &[DataType]| {
        Ok(DataType::List(Arc::new(Field::new_list_field(DataType::Float32, true))))
    };
    Kernel::new("vector_normalize", WITH_DEGREE, returns, |call| {
        let (lists, degrees) = (call.array(0)?, degrees(call)?);
        let nulls = rows::valid(call)?;
        let mut output = ListBuilder::new(PrimitiveBuilder::<Float32Type>::new());
        for row in 0..call.rows {
            let is_valid = nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row));
            let vector = if is_valid { vector(&lists, row)? } else { None };
            let Some(vector) = vector else {
                output.append_null();
                continue;
            };
            let length = length(vector.values(), degrees(row))?;
            if length != 0.0 || vector.is_empty() {
                vector.values().iter().for_each(|x| output.values().append_value(x / length));
                output.append(true);
            } else {
                output.append_null();
            }
        }
        Ok(Arc::new(output.finish()))
    })
    .udf()
}

fn degrees(call: &Call<'_>) -> Result<impl Fn(usize) -> f64> {
    let degrees = call.optional::<arrow::datatypes::Float64Type>(1)?;
    Ok(move |row: usize| degrees.as_ref().map_or(2.0, |degrees| degrees.value(row)))
}

fn length(vector: &[f32], degree: f64) -> Result<f32> {
    let magnitudes = vector.iter().map(|x| f64::from(x.abs()));
    Ok(match degree {
        1.0 => magnitudes.sum::<f64>() as f32,
        2.0 => product(vector, vector).sqrt() as f32,
        f64::INFINITY => magnitudes.fold(0.0, f64::max) as f32,
        other => {
            let message = format!("the degree of a norm is 1, 2 or infinity, not {other}");
            return Err(Failure::new("INVALID_VECTOR_NORM_DEGREE", message).into());
        }
    })
}
