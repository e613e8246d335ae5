//! The way from the bytes of a text format's file to a stream of batches.

use arrow::array::RecordBatch;
use datafusion::common::{DataFusionError, Result as DataFusionResult};
use datafusion::physical_plan::metrics::{Count, ExecutionPlanMetricsSet, MetricBuilder};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};

use super::input::{Input, Stretches};
use super::malformed::Malformed;
use crate::error::Result;

/// Why decoding ended early.
#[derive(Debug)]
pub(super) enum Failure {
    /// A record of the file is wrong.
    Malformed(Malformed),
    /// Anything else.
    Other(DataFusionError),
}

impl From<DataFusionError> for Failure {
    fn from(error: DataFusionError) -> Self {
        Self::Other(error)
    }
}

impl From<Malformed> for Failure {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

/// Takes bytes as they come and gives batches of rows.
pub(super) trait Decode: Send {
    /// Adds the bytes that follow.
    fn push(&mut self, bytes: &[u8]);

    /// Says that no bytes follow.
    fn finish(&mut self);

    /// Whether all rows have been given out, once there is no next batch.
    fn is_done(&self) -> bool;

    /// The next rows of the bytes at hand; `None` if more bytes are needed for that.
    fn next_batch(&mut self) -> Result<Option<RecordBatch>, Failure>;
}

/// Where in a file the bytes of a decoder come from.
pub(super) struct Origin {
    pub(super) input: Input,
    /// The place of the first byte, from which the decoder counts lines.
    pub(super) start: u64,
    /// What the bytes are added to as they come.
    pub(super) scanned: Option<Count>,
}

/// Counts the bytes that a partition takes from a file, unless those on the disk are others.
pub(super) fn bytes_scanned(
    input: &Input,
    metrics: &ExecutionPlanMetricsSet,
    partition: usize,
) -> Option<Count> {
    input.has_ranges().then(|| MetricBuilder::new(metrics).counter("bytes_scanned", partition))
}

struct Reading<D> {
    decoder: D,
    stretches: Stretches,
    origin: Origin,
    is_finished: bool,
}

/// The batches that `decoder` makes of `stretches`.
pub(super) fn batches(
    decoder: impl Decode + 'static,
    stretches: Stretches,
    origin: Origin,
) -> BoxStream<'static, DataFusionResult<RecordBatch>> {
    let reading = Reading { decoder, stretches, origin, is_finished: false };
    stream::try_unfold(reading, |mut reading| async move {
        Ok(reading.next().await?.map(|batch| (batch, reading)))
    })
    .boxed()
}

impl<D: Decode> Reading<D> {
    async fn next(&mut self) -> DataFusionResult<Option<RecordBatch>> {
        loop {
            match self.decoder.next_batch() {
                Ok(Some(batch)) => return Ok(Some(batch)),
                Ok(None) if self.decoder.is_done() || self.is_finished => return Ok(None),
                Ok(None) => {}
                Err(Failure::Other(error)) => return Err(error),
                Err(Failure::Malformed(malformed)) => {
                    let Origin { input, start, .. } = &self.origin;
                    let lines = count_lines_before(input, *start).await?;
                    return Err(malformed.into_error(&input.name, lines).into());
                }
            }
            match self.stretches.try_next().await? {
                Some(bytes) => {
                    if let Some(scanned) = &self.origin.scanned {
                        scanned.add(bytes.len());
                    }
                    self.decoder.push(&bytes);
                }
                None => {
                    self.decoder.finish();
                    self.is_finished = true;
                }
            }
        }
    }
}

/// How many lines end before a place of the file; only errors need to know.
async fn count_lines_before(input: &Input, place: u64) -> DataFusionResult<u64> {
    let mut rest = usize::try_from(place).unwrap_or(usize::MAX);
    let mut lines = 0;
    if rest == 0 {
        return Ok(lines);
    }
    let mut stretches = input.bytes(0).await?;
    while let Some(bytes) = stretches.try_next().await? {
        let counted = bytes.len().min(rest);
        lines += count_lines(&bytes[..counted]);
        rest -= counted;
        if rest == 0 {
            break;
        }
    }
    Ok(lines)
}

/// How many lines end in these bytes.
pub(super) fn count_lines(bytes: &[u8]) -> u64 {
    let feeds = bytes.iter().filter(|byte| **byte == b'\n').count();
    if feeds > 0 {
        return feeds as u64;
    }
    // Some old files end their lines with a carriage return alone.
    bytes.iter().filter(|byte| **byte == b'\r').count() as u64
}
