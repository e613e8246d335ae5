//! How the text formats read dates and timestamps: the options `dateFormat`, `timestampFormat` and
//! `timeZone`, and the arrays that come of them.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, PrimitiveArray, TimestampMicrosecondArray};
use arrow::compute::{cast, kernels::zip::zip};
use arrow::datatypes::{DataType, TimeUnit, TimestampMicrosecondType};
use datafusion::common::Result as DataFusionResult;

use vonk_functions::datetime::{Pattern, Zone};

use super::ReadOptions;
use super::literal::{self, Instant};
use crate::error::Result;

/// How dates and timestamps look in the text.
#[derive(Debug, Clone, Default)]
pub(super) struct TimeFormats {
    date: Option<Pattern>,
    timestamp: Option<Pattern>,
}

impl TimeFormats {
    pub(super) fn from_options(options: &ReadOptions) -> Result<Self> {
        let pattern = |name: &str| options.get(name).map(Pattern::for_parsing).transpose();
        Ok(Self { date: pattern("dateFormat")?, timestamp: pattern("timestampFormat")? })
    }

    /// Days since 1970-01-01.
    pub(super) fn date(&self, text: &str) -> Option<i32> {
        match &self.date {
            Some(pattern) => pattern.parse(text).ok().map(|parsed| parsed.day()),
            None => literal::parse_date(text.as_bytes()),
        }
    }

    /// A point in time.
    pub(super) fn timestamp(&self, text: &str) -> Option<Instant> {
        match &self.timestamp {
            Some(pattern) => pattern.parse(text).ok().map(|parsed| Instant {
                micros: parsed.utc_micros(&Zone::UTC),
                has_offset: parsed.zone.is_some(),
            }),
            None => literal::parse_timestamp(text.as_bytes()),
        }
    }

    /// A point in time, or the midnight with which a date begins.
    pub(super) fn timestamp_or_date(&self, text: &str) -> Option<Instant> {
        self.timestamp(text).or_else(|| {
            let micros = literal::micros_of(self.date(text)?, (0, 0, 0), 0)?;
            Some(Instant { micros, has_offset: false })
        })
    }
}

/// An array of points in time as `data_type`; times without an offset are local to its zone.
///
/// # Errors
/// If the zone is not known.
pub(super) fn timestamp_array(
    instants: &[Option<Instant>],
    data_type: &DataType,
) -> DataFusionResult<ArrayRef> {
    let micros: TimestampMicrosecondArray =
        instants.iter().map(|instant| instant.map(|instant| instant.micros)).collect();
    let DataType::Timestamp(_, Some(zone)) = data_type else {
        return Ok(cast(&micros, data_type)?);
    };
    let in_zone = DataType::Timestamp(TimeUnit::Microsecond, Some(Arc::clone(zone)));
    let utc: PrimitiveArray<TimestampMicrosecondType> =
        micros.clone().with_timezone(Arc::clone(zone));
    let is_utc = ["UTC", "Z", "+00:00"].contains(&zone.as_ref());
    if is_utc || instants.iter().flatten().all(|instant| instant.has_offset) {
        return Ok(cast(&utc, data_type)?);
    }
    let local = cast(&micros, &in_zone)?;
    let fixed: BooleanArray =
        instants.iter().map(|instant| Some(instant.is_some_and(|i| i.has_offset))).collect();
    let both = zip(&fixed, &(Arc::new(utc) as Arc<dyn Array>), &local)?;
    Ok(cast(&both, data_type)?)
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;

    use super::*;

    #[test]
    fn local_times_are_local_to_the_zone() {
        let instants = [
            Some(Instant { micros: 0, has_offset: false }),
            Some(Instant { micros: 0, has_offset: true }),
            None,
        ];
        let zone = DataType::Timestamp(TimeUnit::Microsecond, Some("+01:00".into()));
        let array = timestamp_array(&instants, &zone).unwrap();
        let array = array.as_primitive::<TimestampMicrosecondType>();
        assert_eq!(array.value(0), -3_600_000_000);
        assert_eq!(array.value(1), 0);
        assert!(array.is_null(2));
    }
}
