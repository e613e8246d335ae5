//! Memory accounting and runs on disk: what steps do when the memory limit is reached.
//!
//! Records are written with postcard: a maintained, compact serde format with a stable wire format,
//! where bincode is no longer maintained. Blocks of about 64 KiB are compressed with LZ4.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::marker::PhantomData;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::execution::SpillFile;
use datafusion::execution::memory_pool::{
    MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::job::{Job, or_throw};
use crate::error::{Condition, Error, Result};

/// Bytes of records per block on disk, before compression.
const BLOCK_BYTES: usize = 64 << 10;

/// Memory is asked of the pool in steps of this size.
const STEP_BYTES: usize = 64 << 10;

/// What every task may hold whatever the limit, so that spilled runs never become tiny.
const FLOOR_BYTES: usize = 256 << 10;

/// The memory that one task or one kept partition holds of the session's pool.
pub(super) struct Budget {
    reservation: MemoryReservation,
    pending: usize,
    /// May be taken in any case.
    floor: usize,
    /// Nothing is granted when the whole pool would hold more than this.
    pool_bytes_max: usize,
    pool: Arc<dyn MemoryPool>,
}

impl Budget {
    /// A budget of a task for what it can spill.
    pub(super) fn spillable(job: &Job, name: &str) -> Self {
        let consumer = MemoryConsumer::new(format!("rdd {name}")).with_can_spill(true);
        Self::new(job, consumer, FLOOR_BYTES, usize::MAX)
    }

    /// A budget for what stays in memory after the task; it leaves half of the limit to others.
    pub(super) fn kept(job: &Job, name: &str) -> Self {
        let half = match job.session().runtime().memory_pool.memory_limit() {
            MemoryLimit::Finite(bytes) => bytes / 2,
            MemoryLimit::Infinite | MemoryLimit::Unknown => usize::MAX,
        };
        Self::new(job, MemoryConsumer::new(format!("rdd {name}")), 0, half)
    }

    fn new(job: &Job, consumer: MemoryConsumer, floor: usize, pool_bytes_max: usize) -> Self {
        let pool = Arc::clone(&job.session().runtime().memory_pool);
        Self { reservation: consumer.register(&pool), pending: 0, floor, pool_bytes_max, pool }
    }

    /// Counts bytes; `false` means that what is held should go to disk.
    #[inline]
    pub(super) fn grow(&mut self, bytes: usize) -> bool {
        self.pending += bytes;
        self.pending < STEP_BYTES || self.settle()
    }

    /// Asks the pool for what was counted since the last time.
    pub(super) fn settle(&mut self) -> bool {
        let step = self.pending;
        let fits = if self.reservation.size() + step <= self.floor {
            self.reservation.grow(step);
            true
        } else {
            self.pool.reserved().saturating_add(step) <= self.pool_bytes_max
                && self.reservation.try_grow(step).is_ok()
        };
        if fits {
            self.pending = 0;
        }
        fits
    }

    /// Gives everything back.
    pub(super) fn release(&mut self) {
        self.reservation.free();
        self.pending = 0;
    }

    /// Gives a part back that somebody else has taken over.
    pub(super) fn release_part(&self, bytes: usize) {
        self.reservation.shrink(bytes.min(self.reservation.size()));
    }

    pub(super) fn bytes(&self) -> usize {
        self.reservation.size() + self.pending
    }

    /// Does nothing; a closure that calls it owns the budget for as long as it lives.
    #[inline]
    pub(super) fn hold(&self) {}
}

/// Estimates the memory of elements: exact without heap data, else by sampling their serialised size.
pub(super) struct Meter<T> {
    seen: usize,
    sampled: usize,
    sampled_bytes: usize,
    element: PhantomData<fn(&T)>,
}

impl<T> Default for Meter<T> {
    fn default() -> Self {
        Self { seen: 0, sampled: 0, sampled_bytes: 0, element: PhantomData }
    }
}

impl<T: Serialize> Meter<T> {
    pub(super) fn weigh(&mut self, element: &T) -> usize {
        const FIRST: usize = 16;
        const EVERY: usize = 64;
        if !std::mem::needs_drop::<T>() {
            return size_of::<T>();
        }
        if self.seen < FIRST || self.seen.is_multiple_of(EVERY) {
            self.sampled += 1;
            self.sampled_bytes += serialized_bytes(element);
        }
        self.seen += 1;
        size_of::<T>() + self.sampled_bytes / self.sampled.max(1)
    }
}

fn serialized_bytes<T: Serialize>(element: &T) -> usize {
    let size = postcard::ser_flavors::Size::default();
    // What cannot be serialised is found out by the spill, with an error that says so.
    postcard::serialize_with_flavor(element, size).unwrap_or(0)
}

/// A file of records in segments, one after the other; it is deleted when the last clone goes.
#[derive(Clone)]
pub(super) struct Run {
    file: Arc<dyn SpillFile>,
    path: PathBuf,
    segments: Arc<[Range<u64>]>,
}

/// Writes a [`Run`].
pub(super) struct RunWriter {
    file: Arc<dyn SpillFile>,
    writer: Box<dyn datafusion::execution::SpillWriter>,
    block: Vec<u8>,
    written: u64,
    segments: Vec<Range<u64>>,
}

impl RunWriter {
    pub(super) fn create(job: &Job, what: &str) -> Result<Self> {
        let file = job.session().runtime().disk_manager.create_tmp_file(what)?;
        let writer = file.open_writer()?;
        Ok(Self { file, writer, block: Vec::new(), written: 0, segments: Vec::new() })
    }

    pub(super) fn push<T: Serialize>(&mut self, record: &T) -> Result<()> {
        let block = std::mem::take(&mut self.block);
        self.block = postcard::to_extend(record, block).map_err(|cause| {
            Error::new(
                Condition::USER_CODE_FAILED,
                format!("`{}` cannot be written to disk: {cause}", std::any::type_name::<T>()),
            )
            .hint("check its `Serialize`, or raise the option `vonk.memory.limit`")
        })?;
        if self.block.len() >= BLOCK_BYTES { self.flush_block() } else { Ok(()) }
    }

    /// Ends the segment that the records since the last call belong to.
    pub(super) fn end_segment(&mut self) -> Result<()> {
        self.flush_block()?;
        let start = self.segments.last().map_or(0, |segment| segment.end);
        self.segments.push(start..self.written);
        Ok(())
    }

    pub(super) fn finish(mut self) -> Result<Run> {
        self.writer.flush().map_err(spill_error)?;
        self.writer.finish()?;
        let path = self.file.path().map(PathBuf::from);
        let path = path.ok_or_else(|| Error::unsupported("RDD spill files outside local disks"))?;
        Ok(Run { file: self.file, path, segments: self.segments.into() })
    }

    fn flush_block(&mut self) -> Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let packed = lz4_flex::block::compress_prepend_size(&self.block);
        self.block.clear();
        self.writer.write_all(&(packed.len() as u64).to_le_bytes()).map_err(spill_error)?;
        self.writer.write_all(&packed).map_err(spill_error)?;
        self.written += 8 + packed.len() as u64;
        Ok(())
    }
}

impl Run {
    /// The records of one segment in the order in which they were pushed.
    ///
    /// # Errors
    /// If the file cannot be opened; later errors leave the task.
    pub(super) fn read<T: DeserializeOwned>(&self, segment: usize) -> Result<RunReader<T>> {
        let bytes = self.segments.get(segment).cloned().unwrap_or(0..0);
        let mut file = File::open(&self.path).map_err(spill_error)?;
        file.seek(SeekFrom::Start(bytes.start)).map_err(spill_error)?;
        Ok(RunReader {
            file,
            left: bytes.end - bytes.start,
            block: Vec::new(),
            at: 0,
            _keep: Arc::clone(&self.file),
            record: PhantomData,
        })
    }
}

/// The records of one segment of a [`Run`].
pub(super) struct RunReader<T> {
    file: File,
    left: u64,
    block: Vec<u8>,
    at: usize,
    _keep: Arc<dyn SpillFile>,
    record: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> RunReader<T> {
    fn try_next(&mut self) -> Result<Option<T>> {
        if self.at == self.block.len() {
            if self.left == 0 {
                return Ok(None);
            }
            self.read_block()?;
        }
        let unread = &self.block[self.at..];
        let (record, rest) = postcard::take_from_bytes::<T>(unread).map_err(|cause| {
            Error::new(
                Condition::USER_CODE_FAILED,
                format!("`{}` cannot be read back from disk: {cause}", std::any::type_name::<T>()),
            )
            .hint("its `Deserialize` must read what its `Serialize` writes without field names")
        })?;
        self.at += unread.len() - rest.len();
        Ok(Some(record))
    }

    fn read_block(&mut self) -> Result<()> {
        let mut length = [0; 8];
        self.file.read_exact(&mut length).map_err(spill_error)?;
        let length = u64::from_le_bytes(length);
        let mut packed = vec![0; usize::try_from(length).unwrap_or(0)];
        self.file.read_exact(&mut packed).map_err(spill_error)?;
        self.block = lz4_flex::block::decompress_size_prepended(&packed)
            .map_err(|cause| Error::internal(format!("a spill file is damaged: {cause}")))?;
        self.at = 0;
        self.left = self.left.saturating_sub(8 + length);
        Ok(())
    }
}

impl<T: DeserializeOwned> Iterator for RunReader<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        or_throw(self.try_next())
    }
}

fn spill_error(cause: std::io::Error) -> Error {
    Error::new(Condition::DISK_FULL, format!("cannot spill to disk: {cause}"))
        .hint("set `vonk.spill.directory` to a disk with room, or raise `vonk.spill.limit`")
        .caused_by(cause)
}
