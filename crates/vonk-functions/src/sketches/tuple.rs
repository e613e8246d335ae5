//! `tuple_sketch_agg_double` and its kin: different keys, each with a number that sums up its rows.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Float64Type, Int32Type, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use super::group;
use super::samples::{Bare, Mode, Samples, Summary, Whole};
use super::theta::{SIZE, read_theta, size};
use crate::aggregates::whole;
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::hashes::xxhash64_of;
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// The sizes that a sketch may have, as powers of two.
const SIZES: std::ops::RangeInclusive<i32> = 4..=26;

/// The numbers that a family of functions is for.
pub(super) trait Numbers: 'static {
    type Arrow: ArrowPrimitiveType;
    type Summary: Summary;
    const AGG: &'static str;
    const UNION_AGG: &'static str;
    const INTERSECTION_AGG: &'static str;
    const ESTIMATE: &'static str;
    const SUMMARY: &'static str;
    const THETA: &'static str;
    const UNION: &'static str;
    const INTERSECTION: &'static str;
    const DIFFERENCE: &'static str;
    const UNION_THETA: &'static str;
    const INTERSECTION_THETA: &'static str;
    const DIFFERENCE_THETA: &'static str;
    const VALUE: &'static [Kind];
    fn summary(value: <Self::Arrow as ArrowPrimitiveType>::Native) -> Self::Summary;
    fn value(summary: Self::Summary) -> <Self::Arrow as ArrowPrimitiveType>::Native;
}

macro_rules! numbers {
    ($name:ident, $arrow:ty, $summary:ty, $kind:expr, $suffix:literal, $to:expr, $from:expr) => {
        pub(super) struct $name;

        impl Numbers for $name {
            type Arrow = $arrow;
            type Summary = $summary;
            const AGG: &'static str = concat!("tuple_sketch_agg_", $suffix);
            const UNION_AGG: &'static str = concat!("tuple_union_agg_", $suffix);
            const INTERSECTION_AGG: &'static str = concat!("tuple_intersection_agg_", $suffix);
            const ESTIMATE: &'static str = concat!("tuple_sketch_estimate_", $suffix);
            const SUMMARY: &'static str = concat!("tuple_sketch_summary_", $suffix);
            const THETA: &'static str = concat!("tuple_sketch_theta_", $suffix);
            const UNION: &'static str = concat!("tuple_union_", $suffix);
            const INTERSECTION: &'static str = concat!("tuple_intersection_", $suffix);
            const DIFFERENCE: &'static str = concat!("tuple_difference_", $suffix);
            const UNION_THETA: &'static str = concat!("tuple_union_theta_", $suffix);
            const INTERSECTION_THETA: &'static str = concat!("tuple_intersection_theta_", $suffix);
            const DIFFERENCE_THETA: &'static str = concat!("tuple_difference_theta_", $suffix);
            const VALUE: &'static [Kind] = &[Kind::Any, $kind];

            fn summary(value: <$arrow as ArrowPrimitiveType>::Native) -> $summary {
                ($to)(value)
            }

            fn value(summary: $summary) -> <$arrow as ArrowPrimitiveType>::Native {
                ($from)(summary)
            }
        }
    };
}

numbers!(Double, Float64Type, f64, Kind::Double, "double", |value| value, |value| value);
numbers!(Integer, Int64Type, Whole, Kind::Long, "integer", Whole, |whole: Whole| whole.0);

type Sketch<N> = Samples<<N as Numbers>::Summary>;

const SKETCH: &[Kind] = &[Kind::Bytes];
const TWO_SKETCHES: &[Kind] = &[Kind::Bytes, Kind::Bytes];
const SIZE_AND_MODE: &[Kind] = &[Kind::Int, Kind::Text];
const MODE: &[Kind] = &[Kind::Text];

fn read<N: Numbers>(function: &str, bytes: &[u8]) -> Result<Sketch<N>> {
    Samples::from_bytes(bytes).ok_or_else(|| {
        let message = format!("the bytes given to `{function}` are no such sketch");
        Failure::new("TUPLE_INVALID_INPUT_SKETCH_BUFFER", message)
            .hint(format!("make one with `{}`", N::AGG))
            .into()
    })
}

fn mode_of(function: &str, name: Option<&str>) -> Result<Mode> {
    let Some(name) = name else { return Ok(Mode::Sum) };
    Mode::named(name).ok_or_else(|| {
        let message = format!("`{function}` does not know the mode `{name}`");
        Failure::new("TUPLE_INVALID_SUMMARY_MODE", message)
            .hint("it is one of sum, min, max and alwaysone")
            .into()
    })
}

fn size_of(function: &str, given: Option<i32>) -> Result<Option<u8>> {
    given.map(|given| size(function, "SKETCH_INVALID_LG_NOM_ENTRIES", &SIZES, given)).transpose()
}

/// The size and the mode of a group, at these places among its arguments.
fn options(
    function: &str,
    group: &whole::Group<'_>,
    size_at: Option<usize>,
    mode_at: usize,
) -> Result<(Option<u8>, Mode)> {
    let given = match size_at {
        Some(at) => match group.constant(at)? {
            Some(ScalarValue::Int32(given)) => given,
            _ => None,
        },
        None => None,
    };
    let mode = group.constant(mode_at)?;
    let mode = mode.as_ref().and_then(|mode| mode.try_as_str().flatten());
    Ok((size_of(function, given)?, mode_of(function, mode)?))
}

/// `tuple_sketch_agg_…(key, summary[, size[, mode]])`
pub(super) fn agg<N: Numbers>() -> AggregateUDF {
    group(N::AGG, Parameters::with_optional(N::VALUE, SIZE_AND_MODE), |group| {
        let (size, mode) = options(N::AGG, group, Some(2), 3)?;
        let mut sketch = Sketch::<N>::new(size.unwrap_or(SIZE));
        let hashes = xxhash64_of(&group.columns[0])?;
        let values = group.columns[1].as_primitive::<N::Arrow>();
        for row in group.known(0) {
            if arrow::array::Array::is_valid(values, row) {
                let summary = N::summary(values.value(row));
                let none = N::Summary::of_nothing(mode);
                sketch.add(hashes[row] as u64, none.combined(summary, mode), mode);
            }
        }
        Ok(ScalarValue::Binary(Some(sketch.to_bytes())))
    })
}

/// `tuple_union_agg_…(sketch[, size[, mode]])`
pub(super) fn union_agg<N: Numbers>() -> AggregateUDF {
    group(N::UNION_AGG, Parameters::with_optional(SKETCH, SIZE_AND_MODE), |group| {
        let (size, mode) = options(N::UNION_AGG, group, Some(1), 2)?;
        let mut all = Sketch::<N>::new(size.unwrap_or(SIZE));
        for bytes in group.columns[0].as_binary_view().iter().flatten() {
            all.unite(&read::<N>(N::UNION_AGG, bytes)?, mode, |summary, _| summary);
        }
        Ok(ScalarValue::Binary(Some(all.to_bytes())))
    })
}

/// `tuple_intersection_agg_…(sketch[, mode])`
pub(super) fn intersection_agg<N: Numbers>() -> AggregateUDF {
    group(N::INTERSECTION_AGG, Parameters::with_optional(SKETCH, MODE), |group| {
        let (_, mode) = options(N::INTERSECTION_AGG, group, None, 1)?;
        let mut all: Option<Sketch<N>> = None;
        for bytes in group.columns[0].as_binary_view().iter().flatten() {
            let sketch = read::<N>(N::INTERSECTION_AGG, bytes)?;
            match &mut all {
                Some(all) => all.intersect(&sketch, mode, N::Summary::combined),
                None => all = Some(sketch),
            }
        }
        let all = all.unwrap_or_else(|| Samples::new(SIZE));
        Ok(ScalarValue::Binary(Some(all.to_bytes())))
    })
}

/// `tuple_sketch_estimate_…(sketch)`
pub(super) fn estimate<N: Numbers>() -> ScalarUDF {
    Kernel::new(N::ESTIMATE, Parameters::exact(SKETCH), rows::double, |call| {
        let sketches = call.bytes(0)?;
        rows::numbers::<Float64Type>(call, |row| {
            Ok(Some(read::<N>(N::ESTIMATE, sketches.value(row))?.estimate()))
        })
    })
    .udf()
}

/// `tuple_sketch_theta_…(sketch)`
pub(super) fn theta<N: Numbers>() -> ScalarUDF {
    Kernel::new(N::THETA, Parameters::exact(SKETCH), rows::double, |call| {
        let sketches = call.bytes(0)?;
        rows::numbers::<Float64Type>(call, |row| {
            Ok(Some(read::<N>(N::THETA, sketches.value(row))?.theta()))
        })
    })
    .udf()
}

/// `tuple_sketch_summary_…(sketch[, mode])`
pub(super) fn summary<N: Numbers>() -> ScalarUDF {
    let returns: fn(&[DataType]) -> Result<DataType> = |_| Ok(N::Arrow::DATA_TYPE);
    Kernel::new(N::SUMMARY, Parameters::with_optional(SKETCH, MODE), returns, |call| {
        let sketches = call.bytes(0)?;
        let modes = call.optional_text(1)?;
        rows::numbers::<N::Arrow>(call, |row| {
            let mode = mode_of(N::SUMMARY, modes.as_ref().map(|modes| modes.value(row)))?;
            let sketch = read::<N>(N::SUMMARY, sketches.value(row))?;
            let summaries = sketch.entries.into_values();
            let all = match mode {
                Mode::AlwaysOne => summaries
                    .map(|_| N::Summary::of_nothing(mode))
                    .reduce(|left, right| left.combined(right, Mode::Sum)),
                mode => summaries.reduce(|left, right| left.combined(right, mode)),
            };
            Ok(Some(N::value(all.unwrap_or(N::Summary::of_nothing(Mode::Sum)))))
        })
    })
    .udf()
}

/// The bytes that `make` leaves of a sketch and the bytes of another.
fn made<N: Numbers>(
    function: &str,
    call: &Call<'_>,
    make: impl Fn(usize, &mut Sketch<N>, &[u8]) -> Result<()>,
) -> Result<ArrayRef> {
    let (left, right) = (call.bytes(0)?, call.bytes(1)?);
    rows::bytes(call, |row, out| {
        let mut sketch = read::<N>(function, left.value(row))?;
        make(row, &mut sketch, right.value(row))?;
        *out = sketch.to_bytes();
        Ok(true)
    })
}

/// `tuple_union_…(sketch, sketch[, size[, mode]])`
pub(super) fn union<N: Numbers>() -> ScalarUDF {
    let parameters = Parameters::with_optional(TWO_SKETCHES, SIZE_AND_MODE);
    Kernel::new(N::UNION, parameters, rows::binary, |call| {
        let (sizes, modes) = (call.optional::<Int32Type>(2)?, call.optional_text(3)?);
        made::<N>(N::UNION, call, |row, sketch, other| {
            let size = size_of(N::UNION, sizes.as_ref().map(|sizes| sizes.value(row)))?;
            let mode = mode_of(N::UNION, modes.as_ref().map(|modes| modes.value(row)))?;
            sketch.lg = size.unwrap_or(sketch.lg);
            sketch.unite(&read::<N>(N::UNION, other)?, mode, |summary, _| summary);
            Ok(())
        })
    })
    .udf()
}

/// `tuple_union_theta_…(sketch, theta sketch[, size[, mode]])`
pub(super) fn union_theta<N: Numbers>() -> ScalarUDF {
    let parameters = Parameters::with_optional(TWO_SKETCHES, SIZE_AND_MODE);
    Kernel::new(N::UNION_THETA, parameters, rows::binary, |call| {
        let (sizes, modes) = (call.optional::<Int32Type>(2)?, call.optional_text(3)?);
        made::<N>(N::UNION_THETA, call, |row, sketch, other| {
            let size = size_of(N::UNION_THETA, sizes.as_ref().map(|sizes| sizes.value(row)))?;
            let mode = mode_of(N::UNION_THETA, modes.as_ref().map(|modes| modes.value(row)))?;
            sketch.lg = size.unwrap_or(sketch.lg);
            let other = read_theta(N::UNION_THETA, other)?;
            sketch.unite(&other, mode, |_: Bare, mode| N::Summary::of_nothing(mode));
            Ok(())
        })
    })
    .udf()
}

/// `tuple_intersection_…(sketch, sketch[, mode])`
pub(super) fn intersection<N: Numbers>() -> ScalarUDF {
    let parameters = Parameters::with_optional(TWO_SKETCHES, MODE);
    Kernel::new(N::INTERSECTION, parameters, rows::binary, |call| {
        let modes = call.optional_text(2)?;
        made::<N>(N::INTERSECTION, call, |row, sketch, other| {
            let mode = mode_of(N::INTERSECTION, modes.as_ref().map(|modes| modes.value(row)))?;
            let other = read::<N>(N::INTERSECTION, other)?;
            sketch.intersect(&other, mode, N::Summary::combined);
            Ok(())
        })
    })
    .udf()
}

/// `tuple_intersection_theta_…(sketch, theta sketch[, mode])`
pub(super) fn intersection_theta<N: Numbers>() -> ScalarUDF {
    let parameters = Parameters::with_optional(TWO_SKETCHES, MODE);
    Kernel::new(N::INTERSECTION_THETA, parameters, rows::binary, |call| {
        let modes = call.optional_text(2)?;
        made::<N>(N::INTERSECTION_THETA, call, |row, sketch, other| {
            let name = modes.as_ref().map(|modes| modes.value(row));
            let mode = mode_of(N::INTERSECTION_THETA, name)?;
            let other = read_theta(N::INTERSECTION_THETA, other)?;
            sketch.intersect(&other, mode, |_: Bare, summary, _| summary);
            Ok(())
        })
    })
    .udf()
}

/// `tuple_difference_…(sketch, sketch)`
pub(super) fn difference<N: Numbers>() -> ScalarUDF {
    Kernel::new(N::DIFFERENCE, Parameters::exact(TWO_SKETCHES), rows::binary, |call| {
        made::<N>(N::DIFFERENCE, call, |_, sketch, other| {
            sketch.subtract(&read::<N>(N::DIFFERENCE, other)?);
            Ok(())
        })
    })
    .udf()
}

/// `tuple_difference_theta_…(sketch, theta sketch)`
pub(super) fn difference_theta<N: Numbers>() -> ScalarUDF {
    Kernel::new(N::DIFFERENCE_THETA, Parameters::exact(TWO_SKETCHES), rows::binary, |call| {
        made::<N>(N::DIFFERENCE_THETA, call, |_, sketch, other| {
            sketch.subtract(&read_theta(N::DIFFERENCE_THETA, other)?);
            Ok(())
        })
    })
    .udf()
}
