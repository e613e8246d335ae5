//! Random numbers and texts, the same as Spark's for the same seed.
//!
//! A call of a query has a generator of its own, which goes on from batch to batch; one for each
//! partition where a program has made partitions. Rows that only threads divide share it, so that with a seed it is the set of numbers that is the same, and their
//! order only where there is one partition.

use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::{ArrayRef, AsArray, Float64Array, StringArray, StringBuilder};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int32Type, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use crate::collections::lists::{Lists, Picker};
use crate::failure::Failure;
use crate::function::Partition;
use crate::mersenne::Twister;
use crate::parameters::{self, Kind, Parameters};

/// Spark's `rand`.
pub(super) fn rand() -> ScalarUDF {
    Random::new(&RAND).into()
}

/// Spark's `randn`.
pub(super) fn randn() -> ScalarUDF {
    Random::new(&RANDN).into()
}

/// Spark's `uniform`.
pub(super) fn uniform() -> ScalarUDF {
    Random::new(&UNIFORM).into()
}

/// Spark's `randstr`.
pub(super) fn randstr() -> ScalarUDF {
    Random::new(&RANDSTR).into()
}

/// Spark's `shuffle`.
pub(super) fn shuffle() -> ScalarUDF {
    Random::new(&SHUFFLE).into()
}

/// Spark's `uuid`.
pub(super) fn uuid() -> ScalarUDF {
    Random::new(&UUID).into()
}

/// What is drawn.
struct Draw {
    name: &'static str,
    parameters: Parameters,
    /// Where the seed stands among the arguments.
    seed: usize,
    returns: fn(&[DataType]) -> DataType,
    draw: fn(&mut Generator, &ScalarFunctionArgs) -> Result<ArrayRef>,
}

static RAND: Draw = Draw {
    name: "rand",
    parameters: Parameters::with_optional(&[], &[Kind::Seed]),
    seed: 0,
    returns: |_| DataType::Float64,
    draw: |generator, args| {
        let values = (0..args.number_rows).map(|_| generator.double());
        Ok(Arc::new(Float64Array::from_iter_values(values)))
    },
};

static RANDN: Draw = Draw {
    name: "randn",
    parameters: Parameters::with_optional(&[], &[Kind::Seed]),
    seed: 0,
    returns: |_| DataType::Float64,
    draw: |generator, args| {
        let values = (0..args.number_rows).map(|_| generator.gaussian());
        Ok(Arc::new(Float64Array::from_iter_values(values)))
    },
};

static UNIFORM: Draw = Draw {
    name: "uniform",
    parameters: Parameters::with_optional(&[Kind::OnlyNumber, Kind::OnlyNumber], &[Kind::Seed]),
    seed: 2,
    returns: |types| match (&types[0], &types[1]) {
        (DataType::Null, _) | (_, DataType::Null) => DataType::Null,
        (left, right) if left.is_integer() && right.is_integer() => {
            let widths = (left.primitive_width(), right.primitive_width());
            if widths.0 >= widths.1 { left.clone() } else { right.clone() }
        }
        (DataType::Float64, _) | (_, DataType::Float64) => DataType::Float64,
        (DataType::Float32, _) | (_, DataType::Float32) => DataType::Float32,
        (decimal @ DataType::Decimal128(..), other) if other.is_integer() => decimal.clone(),
        (other, decimal @ DataType::Decimal128(..)) if other.is_integer() => decimal.clone(),
        (left, right) => match (left, right) {
            (DataType::Decimal128(p, _), DataType::Decimal128(q, _)) if p >= q => left.clone(),
            _ => right.clone(),
        },
    },
    draw: |generator, args| {
        let low = cast(&args.args[0].to_array(args.number_rows)?, &DataType::Float64)?;
        let high = cast(&args.args[1].to_array(args.number_rows)?, &DataType::Float64)?;
        let (low, high) = (low.as_primitive::<Float64Type>(), high.as_primitive::<Float64Type>());
        let is_whole = args.return_field.data_type().is_integer();
        let values = low.iter().zip(high).map(|(low, high)| {
            let value = low? + (high? - low?) * generator.double();
            Some(if is_whole { value.trunc() } else { value })
        });
        let values: Float64Array = values.collect();
        Ok(cast(&values, args.return_field.data_type())?)
    },
};

static RANDSTR: Draw = Draw {
    name: "randstr",
    parameters: Parameters::with_optional(&[Kind::Int], &[Kind::Seed]),
    seed: 1,
    returns: |_| DataType::Utf8,
    draw: |generator, args| {
        let lengths = args.args[0].to_array(args.number_rows)?;
        let mut texts = StringBuilder::new();
        for length in lengths.as_primitive::<Int32Type>() {
            let length = length.unwrap_or(0);
            if length < 0 {
                let message = format!("`randstr` makes texts of a length from 0, not {length}");
                return Err(Failure::new("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", message).into());
            }
            let text: String = (0..length).map(|_| generator.letter()).collect();
            texts.append_value(text);
        }
        Ok(Arc::new(texts.finish()))
    },
};

static SHUFFLE: Draw = Draw {
    name: "shuffle",
    parameters: Parameters::with_optional(&[Kind::List], &[Kind::Seed]),
    seed: 1,
    returns: |types| types[0].clone(),
    draw: |generator, args| {
        let lists = Lists::new(&args.args[0].to_array(args.number_rows)?)?;
        let mut picker = Picker::default();
        for row in 0..args.number_rows {
            if lists.is_null(row) {
                picker.end_null();
                continue;
            }
            let items = lists.range(row);
            let order = generator.twister().order(items.len());
            order.into_iter().for_each(|place| picker.push(items.start + place));
            picker.end();
        }
        picker.finish(&[lists.items()], args.return_field.data_type())
    },
};

static UUID: Draw = Draw {
    name: "uuid",
    parameters: Parameters::with_optional(&[], &[Kind::Seed]),
    seed: 0,
    returns: |_| DataType::Utf8,
    draw: |generator, args| {
        let texts = (0..args.number_rows).map(|_| generator.twister().uuid());
        Ok(Arc::new(StringArray::from_iter_values(texts)))
    },
};

/// A random function: before it is planned, or as a call with a generator of its own.
#[derive(Clone)]
struct Random {
    draw: &'static Draw,
    signature: Signature,
    generator: Option<Arc<Mutex<HashMap<usize, Generator>>>>,
}

impl Random {
    fn new(draw: &'static Draw) -> Self {
        Self { draw, signature: Signature::user_defined(Volatility::Volatile), generator: None }
    }

    /// The address of the generator tells calls apart.
    fn identity(&self) -> usize {
        self.generator.as_ref().map_or(0, |generator| Arc::as_ptr(generator) as usize)
    }
}

impl std::fmt::Debug for Random {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.draw.name)
    }
}

impl PartialEq for Random {
    fn eq(&self, other: &Self) -> bool {
        self.draw.name == other.draw.name && self.identity() == other.identity()
    }
}

impl Eq for Random {}

impl Hash for Random {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.draw.name.hash(state);
        self.identity().hash(state);
    }
}

impl ScalarUDFImpl for Random {
    fn name(&self) -> &str {
        self.draw.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arguments: &[DataType]) -> Result<Vec<DataType>> {
        parameters::coerce(self.draw.name, &self.draw.parameters, arguments)
    }

    fn return_type(&self, arguments: &[DataType]) -> Result<DataType> {
        Ok((self.draw.returns)(arguments))
    }

    fn simplify(&self, args: Vec<Expr>, _: &SimplifyContext) -> Result<ExprSimplifyResult> {
        if self.generator.is_some() {
            return Ok(ExprSimplifyResult::Original(args));
        }
        let generator = Some(Arc::default());
        let call = ScalarUDF::from(Self { generator, ..self.clone() });
        let call = ScalarFunction::new_udf(Arc::new(call), args);
        Ok(ExprSimplifyResult::Simplified(Expr::ScalarFunction(call)))
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let seed = match args.args.get(self.draw.seed) {
            Some(seed) => Some(constant_seed(seed)?),
            None => None,
        };
        let partition = Partition::number_of(&args.config_options);
        let of_partition = |seed: i64| seed.wrapping_add(partition as i64);
        let new = || Generator::new(seed.map_or_else(unseeded, of_partition));
        let drawn = match &self.generator {
            Some(generator) => {
                let mut generator = generator.lock().unwrap_or_else(PoisonError::into_inner);
                (self.draw.draw)(generator.entry(partition).or_insert_with(new), &args)?
            }
            None => (self.draw.draw)(&mut new(), &args)?,
        };
        Ok(ColumnarValue::Array(drawn))
    }
}

/// A seed of NULL is zero.
fn constant_seed(seed: &ColumnarValue) -> Result<i64> {
    let value = match seed {
        ColumnarValue::Scalar(value) => value.cast_to(&DataType::Int64)?,
        ColumnarValue::Array(seeds) => {
            let seeds = seeds.as_primitive::<Int64Type>();
            ScalarValue::Int64(seeds.iter().next().flatten())
        }
    };
    Ok(match value {
        ScalarValue::Int64(Some(seed)) => seed,
        _ => 0,
    })
}

/// What a call without a seed begins with: the randomness that the system's hash tables have.
fn unseeded() -> i64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(0) as i64
}

/// Spark's generator: xorshift from a seed whose bits were mixed before.
struct Generator {
    state: i64,
    seed: i64,
    /// What orders and identifiers are drawn from.
    twister: Option<Twister>,
    /// Normal numbers are drawn in pairs.
    second: Option<f64>,
}

/// The number by which Scala's hash of arrays begins.
const ARRAY_SEED: i32 = 0x3c07_4a61;

impl Generator {
    fn new(seed: i64) -> Self {
        let bytes = seed.to_be_bytes();
        let low = scala_hash(&bytes, ARRAY_SEED);
        let high = scala_hash(&bytes, low);
        let state = i64::from(high) << 32 | i64::from(low as u32);
        Self { state, seed, twister: None, second: None }
    }

    fn twister(&mut self) -> &mut Twister {
        self.twister.get_or_insert_with(|| Twister::new(self.seed))
    }

    fn next(&mut self, bits: u32) -> i64 {
        let mut next = self.state ^ (self.state << 21);
        next ^= (next as u64 >> 35) as i64;
        next ^= next << 4;
        self.state = next;
        next & ((1 << bits) - 1)
    }

    /// A number from zero, and under one.
    fn double(&mut self) -> f64 {
        let high = self.next(26) << 27;
        (high + self.next(27)) as f64 * (-53_f64).exp2()
    }

    /// A number of the standard normal distribution, by Marsaglia's polar method.
    fn gaussian(&mut self) -> f64 {
        if let Some(second) = self.second.take() {
            return second;
        }
        loop {
            let (x, y) = (2.0 * self.double() - 1.0, 2.0 * self.double() - 1.0);
            let square = x * x + y * y;
            if square < 1.0 && square != 0.0 {
                let factor = (-2.0 * libm::log(square) / square).sqrt();
                self.second = Some(y * factor);
                return x * factor;
            }
        }
    }

    /// A digit or a letter of ASCII.
    fn letter(&mut self) -> char {
        const LETTERS: &[u8; 62] =
            b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
        let index = (self.next(32) as i32 % 62).unsigned_abs();
        char::from(LETTERS[index as usize])
    }
}

/// Scala's `MurmurHash3.bytesHash` of eight bytes.
fn scala_hash(bytes: &[u8; 8], seed: i32) -> i32 {
    let mut hash = seed as u32;
    for block in bytes.as_chunks::<4>().0 {
        let block = u32::from_le_bytes(*block).wrapping_mul(0xcc9e_2d51);
        hash ^= block.rotate_left(15).wrapping_mul(0x1b87_3593);
        hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    hash ^= bytes.len() as u32;
    hash = (hash ^ hash >> 16).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ hash >> 13).wrapping_mul(0xc2b2_ae35);
    (hash ^ hash >> 16) as i32
}

#[cfg(test)]
mod tests {
    use super::Generator;

    #[test]
    fn seed_zero_gives_the_number_of_the_documentation() {
        assert_eq!(Generator::new(0).double(), 0.7604953758285915);
        assert_eq!(Generator::new(0).gaussian(), 1.6034991609278433);
    }
}
