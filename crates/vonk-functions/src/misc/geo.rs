//! Geometries and geographies: well-known bytes with the number of their reference system.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BinaryArray, Int32Array, StructArray};
use arrow::datatypes::{DataType, Field, Fields, Int32Type};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::ScalarUDF;

use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// The reference system of longitudes and latitudes.
const WGS84: i32 = 4326;

/// The smallest geometry has an order of bytes and a kind.
const BYTES_MIN: usize = 5;

fn fields() -> Fields {
    let srid = Field::new("srid", DataType::Int32, false);
    vec![srid, Field::new("wkb", DataType::Binary, false)].into()
}

fn shape(_: &[DataType]) -> Result<DataType> {
    Ok(DataType::Struct(fields()))
}

/// Spark's `st_geogfromwkb`.
pub(super) fn geog_from_wkb() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Bytes]);
    Kernel::new("st_geogfromwkb", parameters, shape, |call| read(call, WGS84)).udf()
}

/// Spark's `st_geomfromwkb(bytes[, srid])`.
pub(super) fn geom_from_wkb() -> ScalarUDF {
    let parameters = Parameters::with_optional(&[Kind::Bytes], &[Kind::Int]);
    Kernel::new("st_geomfromwkb", parameters, shape, |call| read(call, 0)).udf()
}

fn read(call: &Call<'_>, default: i32) -> Result<ArrayRef> {
    let bytes = call.bytes(0)?;
    let given = call.optional::<Int32Type>(1)?;
    if let Some(wrong) = bytes.iter().flatten().find(|wkb| wkb.len() < BYTES_MIN || wkb[0] > 1) {
        let message = format!("{} bytes are no well-known binary of a geometry", wrong.len());
        return Err(Failure::new("WKB_PARSE_ERROR", message).into());
    }
    let srid = |row: usize| given.as_ref().map_or(default, |given| given.value(row));
    let srids = Int32Array::from_iter_values((0..call.rows).map(srid));
    let wkb: BinaryArray = bytes.iter().map(|wkb| Some(wkb.unwrap_or_default())).collect();
    built(srids, Arc::new(wkb), rows::valid(call)?)
}

fn built(
    srids: Int32Array,
    wkb: ArrayRef,
    nulls: Option<arrow::buffer::NullBuffer>,
) -> Result<ArrayRef> {
    Ok(Arc::new(StructArray::try_new(fields(), vec![Arc::new(srids), wkb], nulls)?))
}

const ONE: Parameters = Parameters::exact(&[Kind::Struct]);

fn shapes(call: &Call<'_>) -> Result<StructArray> {
    let array = call.array(0)?;
    match array.as_struct_opt().filter(|shapes| *shapes.fields() == fields()) {
        Some(shapes) => Ok(shapes.clone()),
        None => plan_err!("a geometry or a geography is needed, not {}", array.data_type()),
    }
}

/// Spark's `st_asbinary`.
pub(super) fn as_binary() -> ScalarUDF {
    Kernel::new("st_asbinary", ONE, rows::binary, |call| {
        let shapes = shapes(call)?;
        let wkb = shapes.column(1).as_binary::<i32>();
        rows::bytes(call, |row, output| {
            output.extend_from_slice(wkb.value(row));
            Ok(true)
        })
    })
    .udf()
}

/// Spark's `st_srid`.
pub(super) fn srid() -> ScalarUDF {
    Kernel::new("st_srid", ONE, rows::int, |call| {
        let shapes = shapes(call)?;
        let srids = shapes.column(0).as_primitive::<Int32Type>();
        rows::numbers::<Int32Type>(call, |row| Ok(Some(srids.value(row))))
    })
    .udf()
}

/// Spark's `st_setsrid`.
pub(super) fn set_srid() -> ScalarUDF {
    let parameters = Parameters::exact(&[Kind::Struct, Kind::Int]);
    Kernel::new("st_setsrid", parameters, shape, |call| {
        let (shapes, given) = (shapes(call)?, call.primitive::<Int32Type>(1)?);
        let srids = Int32Array::from_iter_values((0..call.rows).map(|row| given.value(row)));
        built(srids, Arc::clone(shapes.column(1)), rows::valid(call)?)
    })
    .udf()
}
