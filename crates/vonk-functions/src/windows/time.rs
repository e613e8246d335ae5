//! `windows_of(timestamp, duration[, slide[, start]])`, and `window_time(window)`.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StructArray, TimestampMicrosecondArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Fields, TimestampMicrosecondType};
use datafusion::common::Result;
use datafusion::logical_expr::ScalarUDF;

use crate::datetime::rows::Memo;
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::interval::parse_units;
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// How many windows a moment may lie in.
const WINDOWS_MAX: i64 = 10_000;

/// `windows_of(timestamp, duration[, slide[, start]])`
pub(super) fn windows_of() -> ScalarUDF {
    let parameters =
        Parameters::with_optional(&[Kind::AnyTimestamp, Kind::Text], &[Kind::Text, Kind::Text]);
    Kernel::new("windows_of", parameters, |types| Ok(list_of(&types[0])), windows).udf()
}

pub(super) fn list_of(moment: &DataType) -> DataType {
    let item = Field::new_list_field(DataType::Struct(window(moment)), true);
    DataType::List(Arc::new(item))
}

pub(super) fn window(moment: &DataType) -> Fields {
    vec![Field::new("start", moment.clone(), true), Field::new("end", moment.clone(), true)].into()
}

fn windows(call: &Call<'_>) -> Result<ArrayRef> {
    let times = call.primitive::<TimestampMicrosecondType>(0)?;
    let durations = call.text(1)?;
    let (slides, firsts) = (call.optional_text(2)?, call.optional_text(3)?);
    let nulls = rows::valid(call)?;
    let (mut starts, mut ends, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
    let mut micros = [Memo::new(length), Memo::new(length), Memo::new(length)];
    for row in 0..call.rows {
        let before = starts.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            let duration = *micros[0].get(durations.value(row))?;
            let slide = match &slides {
                Some(slides) => *micros[1].get(slides.value(row))?,
                None => duration,
            };
            let first = match &firsts {
                Some(firsts) => *micros[2].get(firsts.value(row))?,
                None => 0,
            };
            check(duration, slide)?;
            let time = times.value(row);
            let mut start = time - (time - first).rem_euclid(slide);
            // From the last window that has begun, back to the first that has not ended.
            while start > time - duration {
                starts.push(start);
                ends.push(start + duration);
                start -= slide;
            }
        }
        lengths.push(starts.len() - before);
    }
    let column = |micros: Vec<i64>| -> ArrayRef {
        let array = TimestampMicrosecondArray::from(micros);
        Arc::new(array.with_data_type(times.data_type().clone()))
    };
    let fields = window(times.data_type());
    let structs = StructArray::try_new(fields, vec![column(starts), column(ends)], None)?;
    let item = Field::new_list_field(structs.data_type().clone(), true);
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(Arc::new(item), offsets, Arc::new(structs), nulls)?))
}

fn check(duration: i64, slide: i64) -> Result<(), Failure> {
    if duration > 0 && slide > 0 && slide <= duration && duration / slide <= WINDOWS_MAX {
        return Ok(());
    }
    let message = "a window has to be longer than nothing, and not shorter than what it slides by";
    let condition = match duration > 0 && slide > 0 {
        true => "DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION",
        false => "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
    };
    Err(Failure::new(condition, message).hint("write `window(time, '10 minutes', '5 minutes')`"))
}

/// Microseconds of a text such as `5 minutes`.
fn length(text: &str) -> Result<i64, Failure> {
    let units = parse_units(text).filter(|units| units.months == 0);
    units.and_then(|units| units.duration()).ok_or_else(|| {
        let message = format!("`{text}` is not a length of days and time");
        Failure::new("CANNOT_PARSE_INTERVAL", message).hint("write it as `5 minutes`")
    })
}

/// `window_time(window)`
pub(super) fn window_time() -> ScalarUDF {
    let returns = |types: &[DataType]| match &types[0] {
        DataType::Struct(fields) => match fields.iter().find(|field| field.name() == "end") {
            Some(end) => Ok(end.data_type().clone()),
            None => Err(not_a_window().into()),
        },
        _ => Err(not_a_window().into()),
    };
    let parameters = Parameters::exact(&[Kind::Struct]);
    Kernel::new("window_time", parameters, returns, |call| {
        let windows = call.array(0)?;
        let ends = windows.as_struct().column_by_name("end").ok_or_else(not_a_window)?;
        let ends = ends.as_primitive::<TimestampMicrosecondType>();
        rows::numbers::<TimestampMicrosecondType>(call, |row| {
            Ok(ends.is_valid(row).then(|| ends.value(row) - 1))
        })
    })
    .udf()
}

fn not_a_window() -> Failure {
    let message = "`window_time` takes a window, which has a start and an end";
    Failure::new("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", message)
        .hint("pass the column that `window` made")
}
