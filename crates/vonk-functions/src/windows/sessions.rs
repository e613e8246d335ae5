//! `sessions_of(timestamp, gap)` and `merge_sessions(session)`, of which `session_window` is made.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, StructArray, TimestampMicrosecondArray};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimestampMicrosecondType};
use datafusion::common::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    PartitionEvaluator, ScalarUDF, Signature, Volatility, WindowUDF, WindowUDFImpl,
};

use super::time::{list_of, window};
use crate::datetime::calendar::{MICROS_PER_DAY, add_months_to_micros};
use crate::datetime::rows::Memo;
use crate::datetime::zone::Zone;
use crate::failure::Failure;
use crate::function::{Call, Kernel};
use crate::interval::{Units, parse_units};
use crate::parameters::{Kind, Parameters};
use crate::rows;

/// `sessions_of(timestamp, gap)`: the session of one moment, in a list; none without a moment or
/// with a gap that is not longer than nothing.
pub(super) fn sessions_of() -> ScalarUDF {
    const PARAMETERS: Parameters = Parameters::exact(&[Kind::AnyTimestamp, Kind::OnlyText]);
    Kernel::new("sessions_of", PARAMETERS, |types| Ok(list_of(&types[0])), sessions).udf()
}

fn sessions(call: &Call<'_>) -> Result<ArrayRef> {
    let times = call.primitive::<TimestampMicrosecondType>(0)?;
    let gaps = call.text(1)?;
    let nulls = rows::valid(call)?;
    let zone = match times.data_type() {
        DataType::Timestamp(_, Some(_)) => Some(Zone::named(call.time_zone())?),
        _ => None,
    };
    let (mut starts, mut ends, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
    let mut units = Memo::new(gap);
    for row in 0..call.rows {
        let before = starts.len();
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(row)) {
            let start = times.value(row);
            let end = end_of(start, units.get(gaps.value(row))?, zone.as_ref())?;
            if end > start {
                starts.push(start);
                ends.push(end);
            }
        }
        lengths.push(starts.len() - before);
    }
    let structs = structs(times.data_type(), starts, ends)?;
    let item = Field::new_list_field(structs.data_type().clone(), true);
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(Arc::new(item), offsets, Arc::new(structs), None)?))
}

/// A gap such as `5 minutes` or `1 month`.
fn gap(text: &str) -> Result<Units, Failure> {
    parse_units(text).ok_or_else(|| {
        let message = format!("`{text}` is no interval");
        Failure::new("CAST_INVALID_INPUT", message).hint("write the gap as `5 minutes`")
    })
}

/// The moment a gap after another; months and days are those of the zone's calendar.
fn end_of(start: i64, gap: &Units, zone: Option<&Zone>) -> Result<i64, Failure> {
    let later = |start: i64| -> Option<i64> {
        let local = zone.map_or(start, |zone| zone.to_local(start));
        let local = add_months_to_micros(local, gap.months)?;
        let local = local.checked_add(i64::from(gap.days).checked_mul(MICROS_PER_DAY)?)?;
        Some(zone.map_or(local, |zone| zone.to_utc(local)))
    };
    let end = match (gap.months, gap.days) {
        (0, 0) => Some(start),
        _ => later(start),
    };
    end.and_then(|end| end.checked_add(gap.micros)).ok_or_else(|| {
        Failure::new("DATETIME_OVERFLOW", "the end of a session is past the last timestamp")
    })
}

fn structs(moment: &DataType, starts: Vec<i64>, ends: Vec<i64>) -> Result<StructArray> {
    let column = |micros: Vec<i64>| -> ArrayRef {
        let array = TimestampMicrosecondArray::from(micros);
        Arc::new(array.with_data_type(moment.clone()))
    };
    Ok(StructArray::try_new(window(moment), vec![column(starts), column(ends)], None)?)
}

/// `merge_sessions(session)`, over sessions in the order of their starts: those that touch each other are one.
pub(super) fn merge_sessions() -> WindowUDF {
    WindowUDF::from(MergeSessions { signature: Signature::any(1, Volatility::Immutable) })
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct MergeSessions {
    signature: Signature,
}

impl WindowUDFImpl for MergeSessions {
    fn name(&self) -> &str {
        "merge_sessions"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(
        &self,
        _args: PartitionEvaluatorArgs<'_>,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Merger))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        let session = args.input_fields().first().map(|field| field.data_type().clone());
        match session {
            Some(DataType::Struct(fields)) if is_session(&fields) => {
                Ok(Arc::new(Field::new(args.name(), DataType::Struct(fields), true)))
            }
            _ => Err(Failure::new(
                "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                "`merge_sessions` takes a session, which has a start and an end",
            )
            .hint("call `session_window`")
            .into()),
        }
    }
}

fn is_session(fields: &Fields) -> bool {
    let is_moment = |field: &FieldRef| matches!(field.data_type(), DataType::Timestamp(..));
    fields.len() == 2 && fields.iter().all(is_moment)
}

#[derive(Debug)]
struct Merger;

impl PartitionEvaluator for Merger {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let sessions = values[0].as_struct();
        let starts = sessions.column(0).as_primitive::<TimestampMicrosecondType>();
        let ends = sessions.column(1).as_primitive::<TimestampMicrosecondType>();
        let (mut from, mut to) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        let mut begin = 0;
        while begin < rows {
            let mut end = ends.value(begin);
            let mut next = begin + 1;
            while next < rows && starts.value(next) <= end {
                end = end.max(ends.value(next));
                next += 1;
            }
            from.resize(next, starts.value(begin));
            to.resize(next, end);
            begin = next;
        }
        Ok(Arc::new(structs(starts.data_type(), from, to)?))
    }
}
