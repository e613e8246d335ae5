//! `count_min_sketch(value, eps, confidence, seed)`: how often values come, in little room.
//!
//! The rows of the sketch are counters that values share by their hashes (Cormode and Muthukrishnan,
//! "An Improved Data Stream Summary", 2005). Its bytes are those of Spark.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::AggregateUDF;

use super::histogram::JavaRandom;
use super::whole::{Group, Kernel};
use crate::failure::Failure;
use crate::hashes::murmur3_of_bytes;
use crate::parameters::{Kind, Parameters};

/// The version of the layout.
const VERSION: i32 = 1;

/// Counters that a sketch may have.
const COUNTERS_MAX: f64 = (1 << 26) as f64;

/// Spark's `count_min_sketch`.
pub(super) fn udf() -> AggregateUDF {
    let parameters = Parameters::exact(&[Kind::Any, Kind::Double, Kind::Double, Kind::Long]);
    let returns = |_: &[DataType]| Ok(DataType::Binary);
    Kernel { name: "count_min_sketch", parameters, unify: None, returns, finish }.udf()
}

fn finish(group: &Group<'_>) -> Result<ScalarValue> {
    let number = |column| match group.constant(column) {
        Ok(Some(ScalarValue::Float64(Some(number)))) => Some(number),
        _ => None,
    };
    let (Some(error), Some(confidence)) = (number(1), number(2)) else { return group.null() };
    let Some(ScalarValue::Int64(Some(seed))) = group.constant(3)? else { return group.null() };
    let width = (2.0 / error).ceil();
    let depth = (-(-confidence).ln_1p() / std::f64::consts::LN_2).ceil();
    if !(error > 0.0 && confidence > 0.0 && confidence < 1.0 && width * depth <= COUNTERS_MAX) {
        let condition = "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE";
        let message = format!(
            "a sketch has an error over 0 and a confidence between 0 and 1, not {error} and {confidence}"
        );
        return Err(Failure::new(condition, message).into());
    }
    let mut sketch = Sketch::new(depth as usize, width as usize, seed);
    sketch.add_all(&group.columns[0])?;
    Ok(ScalarValue::Binary(Some(sketch.bytes())))
}

struct Sketch {
    total: i64,
    width: usize,
    /// The factors of the hashes of numbers, one for each row of counters.
    factors: Vec<i64>,
    counters: Vec<i64>,
}

impl Sketch {
    fn new(depth: usize, width: usize, seed: i64) -> Self {
        // Spark takes the seed as an INT.
        let mut random = JavaRandom::new(i64::from(seed as i32) as u64);
        let factors = (0..depth).map(|_| random.below_max()).collect();
        Self { total: 0, width, factors, counters: vec![0; depth * width] }
    }

    fn add_all(&mut self, values: &ArrayRef) -> Result<()> {
        match values.data_type() {
            data_type if data_type.is_integer() => {
                let numbers = cast(values, &DataType::Int64)?;
                numbers.as_primitive::<Int64Type>().iter().flatten().for_each(|n| self.add(n));
            }
            _ => {
                let bytes = cast(values, &DataType::Binary)?;
                bytes.as_binary::<i32>().iter().flatten().for_each(|value| self.add_bytes(value));
            }
        }
        Ok(())
    }

    fn add(&mut self, number: i64) {
        self.total += 1;
        for (row, factor) in self.factors.iter().enumerate() {
            let hash = factor.wrapping_mul(number);
            let hash = hash.wrapping_add(hash >> 32) & i64::from(i32::MAX);
            self.counters[row * self.width + hash as usize % self.width] += 1;
        }
    }

    fn add_bytes(&mut self, value: &[u8]) {
        self.total += 1;
        let first = murmur3_of_bytes(value, 0);
        let second = murmur3_of_bytes(value, first);
        for row in 0..self.factors.len() {
            let hash = first.wrapping_add((row as i32).wrapping_mul(second));
            let place = (i64::from(hash) % self.width as i64).unsigned_abs() as usize;
            self.counters[row * self.width + place] += 1;
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = VERSION.to_be_bytes().to_vec();
        bytes.extend(self.total.to_be_bytes());
        bytes.extend((self.factors.len() as i32).to_be_bytes());
        bytes.extend((self.width as i32).to_be_bytes());
        let numbers = self.factors.iter().chain(&self.counters);
        numbers.for_each(|number| bytes.extend(number.to_be_bytes()));
        bytes
    }
}
