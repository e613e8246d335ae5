//! `bitmap_construct_agg`, `bitmap_or_agg`, `bitmap_and_agg`: sets of small numbers as bits.

use arrow::array::AsArray;
use arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::AggregateUDF;

use super::whole::{Group, Kernel};
use crate::failure::Failure;
use crate::parameters::{Kind, Parameters};

/// How many bytes every bitmap has.
const BYTES: usize = 4096;

/// `bitmap_construct_agg(position)`
pub(super) fn construct() -> AggregateUDF {
    kernel("bitmap_construct_agg", Parameters::exact(&[Kind::Long]), |group| {
        let mut bitmap = vec![0_u8; BYTES];
        for position in group.columns[0].as_primitive::<Int64Type>().iter().flatten() {
            let place = usize::try_from(position).ok().filter(|place| *place < 8 * BYTES);
            let Some(place) = place else {
                let message = format!("a bitmap has {} bits, none at {position}", 8 * BYTES);
                return Err(Failure::new("INVALID_BITMAP_POSITION", message).into());
            };
            bitmap[place / 8] |= 1 << (place % 8);
        }
        Ok(ScalarValue::Binary(Some(bitmap)))
    })
}

/// `bitmap_or_agg(bitmap)`
pub(super) fn or() -> AggregateUDF {
    kernel("bitmap_or_agg", Parameters::exact(&[Kind::Bytes]), |group| {
        Ok(combined(group, 0, |bits, more| bits | more))
    })
}

/// `bitmap_and_agg(bitmap)`
pub(super) fn and() -> AggregateUDF {
    kernel("bitmap_and_agg", Parameters::exact(&[Kind::Bytes]), |group| {
        Ok(combined(group, u8::MAX, |bits, more| bits & more))
    })
}

fn kernel(
    name: &'static str,
    parameters: Parameters,
    finish: fn(&Group<'_>) -> Result<ScalarValue>,
) -> AggregateUDF {
    let returns = |_: &[DataType]| Ok(DataType::Binary);
    Kernel { name, parameters, unify: None, returns, finish }.udf()
}

/// A short bitmap has no bits at its end.
fn combined(group: &Group<'_>, start: u8, combine: fn(u8, u8) -> u8) -> ScalarValue {
    let mut bitmap = vec![start; BYTES];
    for other in group.columns[0].as_binary_view().iter().flatten() {
        for (at, bits) in bitmap.iter_mut().enumerate() {
            *bits = combine(*bits, other.get(at).copied().unwrap_or_default());
        }
    }
    ScalarValue::Binary(Some(bitmap))
}
