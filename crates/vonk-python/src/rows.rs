//! Arrow batches as rows of Python's objects, for programs without an Arrow library.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Date32Type, Float64Type, Int64Type, TimeUnit, TimestampMicrosecondType, UInt64Type,
};
use arrow::error::ArrowError;
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyTuple};

type Object<'py> = Bound<'py, PyAny>;

/// The rows of batches, as a list of tuples.
pub(crate) fn of_batches<'py>(
    py: Python<'py>,
    batches: &[RecordBatch],
) -> PyResult<Bound<'py, PyList>> {
    let rows = PyList::empty(py);
    for batch in batches {
        let columns: Vec<Vec<Object<'py>>> =
            batch.columns().iter().map(|column| objects(py, column)).collect::<PyResult<_>>()?;
        for row in 0..batch.num_rows() {
            rows.append(PyTuple::new(py, columns.iter().map(|column| &column[row]))?)?;
        }
    }
    Ok(rows)
}

fn wrong(error: ArrowError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// The values of a column as objects.
fn objects<'py>(py: Python<'py>, column: &ArrayRef) -> PyResult<Vec<Object<'py>>> {
    let each = |make: &dyn Fn(usize) -> PyResult<Object<'py>>| {
        let value =
            |row| if column.is_null(row) { Ok(py.None().into_bound(py)) } else { make(row) };
        (0..column.len()).map(value).collect::<PyResult<Vec<_>>>()
    };
    let as_type = |kind: DataType| cast(column, &kind).map_err(wrong);
    match column.data_type() {
        DataType::Null => each(&|_| Ok(py.None().into_bound(py))),
        DataType::Boolean => {
            let values = column.as_boolean();
            each(&|row| Ok(values.value(row).into_pyobject(py)?.to_owned().into_any()))
        }
        kind if kind.is_signed_integer() => {
            let values = as_type(DataType::Int64)?;
            let values = values.as_primitive::<Int64Type>();
            each(&|row| Ok(values.value(row).into_pyobject(py)?.into_any()))
        }
        kind if kind.is_unsigned_integer() => {
            let values = as_type(DataType::UInt64)?;
            let values = values.as_primitive::<UInt64Type>();
            each(&|row| Ok(values.value(row).into_pyobject(py)?.into_any()))
        }
        kind if kind.is_floating() => {
            let values = as_type(DataType::Float64)?;
            let values = values.as_primitive::<Float64Type>();
            each(&|row| Ok(values.value(row).into_pyobject(py)?.into_any()))
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
            let values = as_type(DataType::Utf8View)?;
            let values = values.as_string_view();
            each(&|row| Ok(PyString::new(py, values.value(row)).into_any()))
        }
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView => {
            let values = as_type(DataType::BinaryView)?;
            let values = values.as_binary_view();
            each(&|row| Ok(PyBytes::new(py, values.value(row)).into_any()))
        }
        DataType::Dictionary(_, kind) => objects(py, &as_type(kind.as_ref().clone())?),
        DataType::List(_) | DataType::LargeList(_) | DataType::Struct(_) | DataType::Map(..) => {
            nested(py, column)
        }
        _ => scalars(py, column),
    }
}

/// Dates, times and decimals as the objects of Python's modules; what is left as its text.
fn scalars<'py>(py: Python<'py>, column: &ArrayRef) -> PyResult<Vec<Object<'py>>> {
    let dates = py.import("datetime")?;
    let none = || py.None().into_bound(py);
    let each = |make: &dyn Fn(usize) -> PyResult<Object<'py>>| {
        let value = |row| if column.is_null(row) { Ok(none()) } else { make(row) };
        (0..column.len()).map(value).collect::<PyResult<Vec<_>>>()
    };
    match column.data_type() {
        DataType::Date32 => {
            /// The first of January 1970, counted as Python does.
            const EPOCH: i32 = 719_163;
            let days = column.as_primitive::<Date32Type>();
            let from_ordinal = dates.getattr("date")?.getattr("fromordinal")?;
            each(&|row| from_ordinal.call1((days.value(row).saturating_add(EPOCH),)))
        }
        DataType::Timestamp(_, zone) => {
            let micros = DataType::Timestamp(TimeUnit::Microsecond, zone.clone());
            let micros = cast(column, &micros).map_err(wrong)?;
            let micros = micros.as_primitive::<TimestampMicrosecondType>();
            let utc = dates.getattr("timezone")?.getattr("utc")?;
            let zone = if zone.is_some() { utc } else { none() };
            let epoch = dates.getattr("datetime")?.call1((1970, 1, 1, 0, 0, 0, 0, zone))?;
            let delta = dates.getattr("timedelta")?;
            each(&|row| {
                let since = delta.call1((0, 0, micros.value(row)))?;
                epoch.call_method1("__add__", (since,))
            })
        }
        kind => {
            let options = FormatOptions::default();
            let texts = ArrayFormatter::try_new(column, &options).map_err(wrong)?;
            let is_decimal = kind.is_decimal();
            let decimal = py.import("decimal")?.getattr("Decimal")?;
            each(&|row| {
                let text = PyString::new(py, &texts.value(row).to_string());
                if is_decimal { decimal.call1((text,)) } else { Ok(text.into_any()) }
            })
        }
    }
}

/// Lists as lists, structs and maps as dictionaries.
fn nested<'py>(py: Python<'py>, column: &ArrayRef) -> PyResult<Vec<Object<'py>>> {
    let dictionary = |pairs: Vec<(Object<'py>, Object<'py>)>| {
        let made = PyDict::new(py);
        pairs.into_iter().try_for_each(|(key, value)| made.set_item(key, value))?;
        Ok::<_, PyErr>(made.into_any())
    };
    let value = |row: usize| -> PyResult<Object<'py>> {
        if column.is_null(row) {
            return Ok(py.None().into_bound(py));
        }
        match column.data_type() {
            DataType::List(_) => {
                Ok(PyList::new(py, objects(py, &column.as_list::<i32>().value(row))?)?.into_any())
            }
            DataType::LargeList(_) => {
                Ok(PyList::new(py, objects(py, &column.as_list::<i64>().value(row))?)?.into_any())
            }
            DataType::Map(..) => {
                let entries = column.as_map().value(row);
                let keys = objects(py, entries.column(0))?;
                dictionary(keys.into_iter().zip(objects(py, entries.column(1))?).collect())
            }
            _ => {
                let parts = column.as_struct();
                let names = parts.column_names();
                let fields = names.iter().zip(parts.columns()).map(|(name, part)| {
                    let name = PyString::new(py, name).into_any();
                    let one = objects(py, &part.slice(row, 1))?;
                    Ok((name, one.into_iter().next().unwrap_or_else(|| py.None().into_bound(py))))
                });
                dictionary(fields.collect::<PyResult<_>>()?)
            }
        }
    };
    (0..column.len()).map(value).collect()
}
