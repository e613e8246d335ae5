//! `theta_sketch_agg`, `hll_sketch_agg` and their kin: how many different values there are.
//!
//! Both families keep the least hashes of a set. Their bytes are vonk's own, as those of Spark's
//! library are of that library; what is stored and merged stays within one engine.

use arrow::array::AsArray;
use arrow::datatypes::{Int32Type, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use super::group;
use super::samples::{Bare, Mode, Samples};
use crate::failure::Failure;
use crate::function::Kernel;
use crate::hashes::xxhash64_of;
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// A family of such functions.
pub(super) trait Family: 'static {
    const AGG: &'static str;
    const UNION_AGG: &'static str;
    const UNION: &'static str;
    const ESTIMATE: &'static str;
    /// The sizes that a sketch may have, as powers of two.
    const SIZES: std::ops::RangeInclusive<i32>;
    const WRONG_SIZE: &'static str;
    const WRONG_BYTES: &'static str;
    /// What a union is told: a size, or whether the sizes of sketches may differ.
    const UNION_OPTION: Kind;
}

pub(super) struct Theta;

impl Family for Theta {
    const AGG: &'static str = "theta_sketch_agg";
    const UNION_AGG: &'static str = "theta_union_agg";
    const UNION: &'static str = "theta_union";
    const ESTIMATE: &'static str = "theta_sketch_estimate";
    const SIZES: std::ops::RangeInclusive<i32> = 4..=26;
    const WRONG_SIZE: &'static str = "SKETCH_INVALID_LG_NOM_ENTRIES";
    const WRONG_BYTES: &'static str = "THETA_INVALID_INPUT_SKETCH_BUFFER";
    const UNION_OPTION: Kind = Kind::Int;
}

pub(super) struct Hll;

impl Family for Hll {
    const AGG: &'static str = "hll_sketch_agg";
    const UNION_AGG: &'static str = "hll_union_agg";
    const UNION: &'static str = "hll_union";
    const ESTIMATE: &'static str = "hll_sketch_estimate";
    const SIZES: std::ops::RangeInclusive<i32> = 4..=21;
    const WRONG_SIZE: &'static str = "HLL_INVALID_LG_K";
    const WRONG_BYTES: &'static str = "HLL_INVALID_INPUT_SKETCH_BUFFER";
    const UNION_OPTION: Kind = Kind::Boolean;
}

/// The size of a sketch that was not told one.
pub(super) const SIZE: u8 = 12;

/// A size that was asked for, if it is one that `sizes` has.
pub(super) fn size(
    function: &str,
    condition: &'static str,
    sizes: &std::ops::RangeInclusive<i32>,
    given: i32,
) -> Result<u8> {
    match u8::try_from(given) {
        Ok(size) if sizes.contains(&given) => Ok(size),
        _ => {
            let (least, most) = (sizes.start(), sizes.end());
            let message = format!("`{function}` takes a size from {least} to {most}, not {given}");
            Err(Failure::new(condition, message).into())
        }
    }
}

fn read<F: Family>(function: &str, bytes: &[u8]) -> Result<Samples<Bare>> {
    Samples::from_bytes(bytes).ok_or_else(|| {
        let message = format!("the bytes given to `{function}` are no such sketch");
        Failure::new(F::WRONG_BYTES, message).hint(format!("make one with `{}`", F::AGG)).into()
    })
}

/// The bytes of a Theta sketch that another family's function takes.
pub(super) fn read_theta(function: &str, bytes: &[u8]) -> Result<Samples<Bare>> {
    read::<Theta>(function, bytes)
}

/// `theta_sketch_agg(value[, size])`
pub(super) fn agg<F: Family>() -> AggregateUDF {
    group(F::AGG, Parameters::with_optional(&[Kind::Any], &[Kind::Int]), |group| {
        let lg = match group.constant(1)? {
            Some(ScalarValue::Int32(Some(given))) => size(F::AGG, F::WRONG_SIZE, &F::SIZES, given)?,
            _ => SIZE,
        };
        let mut samples = Samples::new(lg);
        let hashes = xxhash64_of(&group.columns[0])?;
        for row in group.known(0) {
            samples.add(hashes[row] as u64, Bare, Mode::Sum);
        }
        Ok(ScalarValue::Binary(Some(samples.to_bytes())))
    })
}

/// `theta_union_agg(sketch[, size])`, `hll_union_agg(sketch[, allowed])`
pub(super) fn union_agg<F: Family>(options: &'static [Kind]) -> AggregateUDF {
    group(F::UNION_AGG, Parameters::with_optional(&[Kind::Bytes], options), |group| {
        let option = UnionOption::of::<F>(F::UNION_AGG, group.constant(1)?)?;
        let mut all: Option<Samples<Bare>> = None;
        for bytes in group.columns[0].as_binary_view().iter().flatten() {
            let sketch = read::<F>(F::UNION_AGG, bytes)?;
            match &mut all {
                Some(all) => {
                    option.check(all, &sketch)?;
                    all.unite(&sketch, Mode::Sum, |bare, _| bare);
                }
                None => all = Some(sketch),
            }
        }
        let mut all = all.unwrap_or_else(|| Samples::new(SIZE));
        all.lg = option.size.unwrap_or(all.lg);
        Ok(ScalarValue::Binary(Some(all.to_bytes())))
    })
}

/// What a union was told.
struct UnionOption {
    size: Option<u8>,
    /// Whether sketches of different sizes are refused.
    is_strict: bool,
}

impl UnionOption {
    fn of<F: Family>(function: &str, given: Option<ScalarValue>) -> Result<Self> {
        let is_hll = matches!(F::UNION_OPTION, Kind::Boolean);
        Ok(match given {
            Some(ScalarValue::Int32(Some(given))) => {
                let size = size(function, F::WRONG_SIZE, &F::SIZES, given)?;
                Self { size: Some(size), is_strict: false }
            }
            Some(ScalarValue::Boolean(Some(allowed))) => Self { size: None, is_strict: !allowed },
            _ => Self { size: None, is_strict: is_hll },
        })
    }

    fn check(&self, left: &Samples<Bare>, right: &Samples<Bare>) -> Result<()> {
        if !self.is_strict || left.lg == right.lg {
            return Ok(());
        }
        let message = format!("the sketches have the sizes {} and {}", left.lg, right.lg);
        Err(Failure::new("HLL_UNION_DIFFERENT_LG_K", message)
            .hint("allow it with `true` as the last argument")
            .into())
    }
}

/// `theta_intersection_agg(sketch)`
pub(super) fn intersection_agg() -> AggregateUDF {
    const NAME: &str = "theta_intersection_agg";
    group(NAME, Parameters::exact(&[Kind::Bytes]), |group| {
        let mut all: Option<Samples<Bare>> = None;
        for bytes in group.columns[0].as_binary_view().iter().flatten() {
            let sketch = read::<Theta>(NAME, bytes)?;
            match &mut all {
                Some(all) => all.intersect(&sketch, Mode::Sum, |_, bare, _| bare),
                None => all = Some(sketch),
            }
        }
        let all = all.unwrap_or_else(|| Samples::new(SIZE));
        Ok(ScalarValue::Binary(Some(all.to_bytes())))
    })
}

/// `theta_union(sketch, sketch[, size])`, `hll_union(sketch, sketch[, allowed])`
pub(super) fn union<F: Family>(options: &'static [Kind]) -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Bytes, Kind::Bytes], options);
    Kernel::new(F::UNION, parameters, rows::binary, |call| {
        let (left, right) = (call.bytes(0)?, call.bytes(1)?);
        let sizes = match F::UNION_OPTION {
            Kind::Int => call.optional::<Int32Type>(2)?,
            _ => None,
        };
        let flags = match F::UNION_OPTION {
            Kind::Boolean if call.count() > 2 => Some(call.array(2)?),
            _ => None,
        };
        rows::bytes(call, |row, out| {
            let size = sizes.as_ref().map(|sizes| ScalarValue::Int32(Some(sizes.value(row))));
            let flag = flags.as_ref().map(|flags| flags.as_boolean().value(row));
            let given = size.or(flag.map(|flag| ScalarValue::Boolean(Some(flag))));
            let option = UnionOption::of::<F>(F::UNION, given)?;
            let mut all = read::<F>(F::UNION, left.value(row))?;
            let other = read::<F>(F::UNION, right.value(row))?;
            option.check(&all, &other)?;
            all.lg = option.size.unwrap_or(all.lg);
            all.unite(&other, Mode::Sum, |bare, _| bare);
            *out = all.to_bytes();
            Ok(true)
        })
    })
    .udf()
}

/// A function of two Theta sketches.
macro_rules! of_two {
    ($function:ident, $name:literal, $make:expr) => {
        #[doc = concat!("`", $name, "(sketch, sketch)`")]
        pub(super) fn $function() -> ScalarUDF {
            let parameters = Parameters::exact(&[Kind::Bytes, Kind::Bytes]);
            Kernel::new($name, parameters, rows::binary, |call| {
                let make: fn(&mut Samples<Bare>, &Samples<Bare>) = $make;
                let (left, right) = (call.bytes(0)?, call.bytes(1)?);
                rows::bytes(call, |row, out| {
                    let mut sketch = read::<Theta>($name, left.value(row))?;
                    make(&mut sketch, &read::<Theta>($name, right.value(row))?);
                    *out = sketch.to_bytes();
                    Ok(true)
                })
            })
            .udf()
        }
    };
}

of_two!(intersection, "theta_intersection", |left, right| {
    left.intersect(right, Mode::Sum, |_, bare, _| bare);
});
of_two!(difference, "theta_difference", |left, right| left.subtract(right));

/// `theta_sketch_estimate(sketch)`
pub(super) fn estimate<F: Family>() -> ScalarUDF {
    Kernel::new(F::ESTIMATE, Parameters::exact(&[Kind::Bytes]), rows::long, |call| {
        let sketches = call.bytes(0)?;
        rows::numbers::<Int64Type>(call, |row| {
            let sketch = read::<F>(F::ESTIMATE, sketches.value(row))?;
            Ok(Some(sketch.estimate().round() as i64))
        })
    })
    .udf()
}
