//! `kll_sketch_agg_bigint` and the others of KLL sketches, for BIGINT, DOUBLE and FLOAT.

use arrow::array::{ArrayRef, AsArray};
use arrow::datatypes::{ArrowPrimitiveType, DataType, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::{AggregateUDF, ScalarUDF};

use super::group;
use super::kll::{Item, K, K_RANGE, Sketch};
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// The numbers that a family of functions is for.
pub(super) trait Numbers: 'static {
    /// The numbers as columns; those of a FLOAT are DOUBLE within a sketch.
    type Arrow: ArrowPrimitiveType<Native: Item>;
    const AGG: &'static str;
    const MERGE_AGG: &'static str;
    const MERGE: &'static str;
    const N: &'static str;
    const QUANTILE: &'static str;
    const RANK: &'static str;
    const TO_STRING: &'static str;
    const VALUE_AND_K: Parameters;
    const SKETCH_AND_VALUE: Parameters;
    const RETURNS: DataType;
}

macro_rules! numbers {
    ($name:ident, $arrow:ty, $kind:expr, $returns:expr, $suffix:literal) => {
        pub(super) struct $name;

        impl Numbers for $name {
            type Arrow = $arrow;
            const AGG: &'static str = concat!("kll_sketch_agg_", $suffix);
            const MERGE_AGG: &'static str = concat!("kll_merge_agg_", $suffix);
            const MERGE: &'static str = concat!("kll_sketch_merge_", $suffix);
            const N: &'static str = concat!("kll_sketch_get_n_", $suffix);
            const QUANTILE: &'static str = concat!("kll_sketch_get_quantile_", $suffix);
            const RANK: &'static str = concat!("kll_sketch_get_rank_", $suffix);
            const TO_STRING: &'static str = concat!("kll_sketch_to_string_", $suffix);
            const VALUE_AND_K: Parameters = Parameters::with_optional(&[$kind], &[Kind::Int]);
            const SKETCH_AND_VALUE: Parameters = Parameters::exact(&[Kind::Bytes, $kind]);
            const RETURNS: DataType = $returns;
        }
    };
}

numbers!(Bigint, Int64Type, Kind::Long, DataType::Int64, "bigint");
numbers!(Double, Float64Type, Kind::Double, DataType::Float64, "double");
numbers!(Float, Float64Type, Kind::Double, DataType::Float32, "float");

type SketchOf<N> = Sketch<<<N as Numbers>::Arrow as ArrowPrimitiveType>::Native>;

const SKETCH: Parameters = Parameters::exact(&[Kind::Bytes]);

const TWO_SKETCHES: Parameters = Parameters::exact(&[Kind::Bytes, Kind::Bytes]);

/// `kll_sketch_agg_…(value[, k])`
pub(super) fn agg<N: Numbers>() -> AggregateUDF {
    group(N::AGG, N::VALUE_AND_K, |group| {
        let mut sketch = SketchOf::<N>::new(k_of(N::AGG, group.constant(1)?)?.unwrap_or(K));
        let values = group.columns[0].as_primitive::<N::Arrow>();
        values.iter().flatten().for_each(|value| sketch.add(value));
        Ok(ScalarValue::Binary(Some(sketch.to_bytes())))
    })
}

/// `kll_merge_agg_…(sketch[, k])`
pub(super) fn merge_agg<N: Numbers>() -> AggregateUDF {
    let parameters = Parameters::with_optional(&[Kind::Bytes], &[Kind::Int]);
    group(N::MERGE_AGG, parameters, |group| {
        let mut merged: Option<SketchOf<N>> = None;
        for bytes in group.columns[0].as_binary_view().iter().flatten() {
            let sketch = read::<N>(N::MERGE_AGG, bytes)?;
            match &mut merged {
                Some(merged) => merged.merge(&sketch),
                None => merged = Some(sketch),
            }
        }
        let mut merged = merged.unwrap_or_else(|| Sketch::new(K));
        if let Some(k) = k_of(N::MERGE_AGG, group.constant(1)?)? {
            merged.merge(&Sketch::new(k));
        }
        Ok(ScalarValue::Binary(Some(merged.to_bytes())))
    })
}

fn k_of(function: &str, given: Option<ScalarValue>) -> Result<Option<u16>> {
    let Some(ScalarValue::Int32(Some(k))) = given else { return Ok(None) };
    match u16::try_from(k) {
        Ok(k) if K_RANGE.contains(&i32::from(k)) => Ok(Some(k)),
        _ => {
            let (least, most) = (K_RANGE.start(), K_RANGE.end());
            let message = format!("`{function}` takes a `k` from {least} to {most}, not {k}");
            Err(Failure::new("KLL_SKETCH_K_OUT_OF_RANGE", message).into())
        }
    }
}

fn read<N: Numbers>(function: &str, bytes: &[u8]) -> Result<SketchOf<N>> {
    Sketch::from_bytes(bytes).ok_or_else(|| {
        let message = format!("the bytes given to `{function}` are no KLL sketch");
        let failure = Failure::new("KLL_INVALID_INPUT_SKETCH_BUFFER", message);
        failure.hint(format!("make one with `{}`", N::AGG)).into()
    })
}

/// `kll_sketch_merge_…(sketch, sketch)`
pub(super) fn merge<N: Numbers>() -> ScalarUDF {
    Kernel::new(N::MERGE, TWO_SKETCHES, rows::binary, |call| {
        let (left, right) = (call.bytes(0)?, call.bytes(1)?);
        rows::bytes(call, |row, out| {
            let mut sketch = read::<N>(N::MERGE, left.value(row))?;
            sketch.merge(&read::<N>(N::MERGE, right.value(row))?);
            *out = sketch.to_bytes();
            Ok(true)
        })
    })
    .udf()
}

/// `kll_sketch_get_n_…(sketch)`
pub(super) fn n<N: Numbers>() -> ScalarUDF {
    Kernel::new(N::N, SKETCH, rows::long, |call| {
        let sketches = call.bytes(0)?;
        rows::numbers::<Int64Type>(call, |row| {
            Ok(Some(read::<N>(N::N, sketches.value(row))?.count as i64))
        })
    })
    .udf()
}

/// `kll_sketch_get_quantile_…(sketch, rank)`
pub(super) fn quantile<N: Numbers>() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Bytes, Kind::Double]);
    Kernel::new(N::QUANTILE, parameters, |_| Ok(N::RETURNS), quantiles::<N>).udf()
}

fn quantiles<N: Numbers>(call: &Call<'_>) -> Result<ArrayRef> {
    let (sketches, ranks) = (call.bytes(0)?, call.primitive::<Float64Type>(1)?);
    let data_type = N::Arrow::DATA_TYPE;
    let within = call.returning(&data_type);
    let values = rows::numbers::<N::Arrow>(&within, |row| {
        let rank = ranks.value(row);
        if !(0.0..=1.0).contains(&rank) {
            let message = format!("`{}` takes a rank from 0 to 1, not {rank}", N::QUANTILE);
            return Err(Failure::new("KLL_SKETCH_INVALID_QUANTILE_RANGE", message).into());
        }
        Ok(read::<N>(N::QUANTILE, sketches.value(row))?.quantile(rank))
    })?;
    Ok(arrow::compute::cast(&values, call.returns)?)
}

/// `kll_sketch_get_rank_…(sketch, value)`
pub(super) fn rank<N: Numbers>() -> ScalarUDF {
    Kernel::new(N::RANK, N::SKETCH_AND_VALUE, rows::double, |call| {
        let (sketches, values) = (call.bytes(0)?, call.primitive::<N::Arrow>(1)?);
        rows::numbers::<Float64Type>(call, |row| {
            Ok(read::<N>(N::RANK, sketches.value(row))?.rank(values.value(row)))
        })
    })
    .udf()
}

/// `kll_sketch_to_string_…(sketch)`
pub(super) fn to_string<N: Numbers>() -> ScalarUDF {
    Kernel::new(N::TO_STRING, SKETCH, rows::text, |call| {
        let sketches = call.bytes(0)?;
        rows::texts(call, |row, out| {
            let sketch = read::<N>(N::TO_STRING, sketches.value(row))?;
            let (k, count, kept) = (sketch.k, sketch.count, sketch.kept());
            let text = format!("KLL sketch\n   K: {k}\n   N: {count}\n   Retained items: {kept}\n");
            out.push_str(&text);
            Ok(true)
        })
    })
    .udf()
}
