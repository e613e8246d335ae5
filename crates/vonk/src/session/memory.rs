//! How much memory queries may take: the pool of the session, the machine, and what the process
//! really takes.

use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::memory_pool::{
    FairSpillPool, MemoryConsumer, MemoryLimit, MemoryPool, MemoryReservation, TrackConsumersPool,
};

use crate::config::{self, Config};
use crate::error::Result;

/// How many of the largest memory consumers an out-of-memory error names.
const CONSUMERS_NAMED: NonZeroUsize = NonZeroUsize::new(5).unwrap();

/// The part of the machine's memory that is used when no limit is set.
const MEMORY_SHARE: f64 = 0.7;

/// What the process may take by itself before those who can spill have to: hundredths of the memory
/// limit, bytes beyond them, and bytes that it may take under any limit.
const SPILLS_FROM: (u64, u64, u64) = (100, 8 << 20, 112 << 20);

/// The same for those who cannot spill, whose query fails.
const FAILS_FROM: (u64, u64, u64) = (110, 16 << 20, 120 << 20);

/// What is set apart of a memory limit for what is in nobody's books: half of what is beyond the
/// first figure, at most the second.
const UNBOOKED: (usize, usize) = (32 << 20, 48 << 20);

/// How long a reading of the process's size is good for.
const READING_MS: u64 = 10;

/// The pool that the operators and caches of a session share.
pub(super) fn pool(config: &Config) -> Result<Arc<dyn MemoryPool>> {
    let bytes = limit(config)?;
    let tracked = |bytes| TrackConsumersPool::new(FairSpillPool::new(bytes), CONSUMERS_NAMED);
    if !config.is_on(config::MEMORY_GUARD) {
        return Ok(Arc::new(tracked(bytes)));
    }
    let unbooked = (bytes.saturating_sub(UNBOOKED.0) / 2).min(UNBOOKED.1);
    let pool = tracked(bytes - unbooked);
    let limit = |(hundredths, slack, least): (u64, u64, u64)| {
        (bytes as u64 / 100).saturating_mul(hundredths).saturating_add(slack).max(least)
    };
    let (spills_from, fails_from) = (limit(SPILLS_FROM), limit(FAILS_FROM));
    let (little, reading) = ((bytes / 16).max(1 << 20), Reading::new());
    Ok(Arc::new(Guarded { pool, spills_from, fails_from, little, reading }))
}

/// The bytes of the pool.
pub(super) fn limit(config: &Config) -> Result<usize> {
    Ok(match config.bytes(config::MEMORY_LIMIT)? {
        Some(bytes) => usize::try_from(bytes).unwrap_or(usize::MAX),
        None => (of_machine() as f64 * MEMORY_SHARE) as usize,
    })
}

/// The memory of the container or, without one, of the machine, in bytes.
fn of_machine() -> u64 {
    const FALLBACK: u64 = 8 << 30;
    let container = std::fs::read_to_string("/sys/fs/cgroup/memory.max")
        .ok()
        .and_then(|text| text.trim().parse::<u64>().ok());
    let machine = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib * 1024)
    });
    match (container, machine) {
        (Some(container), Some(machine)) => container.min(machine),
        (Some(bytes), None) | (None, Some(bytes)) => bytes,
        (None, None) => FALLBACK,
    }
}

/// A pool that gives nothing more while the process itself is too large.
///
/// Operators tell the pool of what they hold, but not of all of it: buffers of decoders, results of
/// expressions and what the allocator keeps are in nobody's books. Who is refused spills or fails.
#[derive(Debug)]
struct Guarded<P> {
    pool: P,
    spills_from: u64,
    fails_from: u64,
    little: usize,
    reading: Reading,
}

impl<P: MemoryPool> MemoryPool for Guarded<P> {
    fn name(&self) -> &str {
        "guarded"
    }

    fn register(&self, consumer: &MemoryConsumer) {
        self.pool.register(consumer);
    }

    fn unregister(&self, consumer: &MemoryConsumer) {
        self.pool.unregister(consumer);
    }

    fn grow(&self, reservation: &MemoryReservation, additional: usize) {
        self.pool.grow(reservation, additional);
    }

    fn shrink(&self, reservation: &MemoryReservation, shrink: usize) {
        self.pool.shrink(reservation, shrink);
    }

    fn try_grow(&self, reservation: &MemoryReservation, additional: usize) -> DfResult<()> {
        let resident = self.reading.bytes();
        // What is little is given: to refuse it saves nothing, and operators need some to spill and to
        // read again what they spilled.
        let is_little = reservation.size() + additional < self.little;
        let consumer = reservation.consumer();
        let limit = if consumer.can_spill() { self.spills_from } else { self.fails_from };
        if resident.saturating_add(additional as u64) > limit && !is_little {
            let message = format!(
                "`{}` needs {additional} bytes more, and the process takes {resident} of {limit} bytes",
                consumer.name(),
            );
            return Err(DataFusionError::ResourcesExhausted(message));
        }
        self.pool.try_grow(reservation, additional)
    }

    fn reserved(&self) -> usize {
        self.pool.reserved()
    }

    fn memory_limit(&self) -> MemoryLimit {
        self.pool.memory_limit()
    }
}

impl<P: MemoryPool> fmt::Display for Guarded<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(resident: {} of {})", self.name(), self.reading.bytes(), self.fails_from)
    }
}

/// The bytes that the process takes, without those that it shares with files, read now and then.
#[derive(Debug)]
struct Reading {
    start: Instant,
    /// When it was read, in milliseconds from the start.
    read_ms: AtomicU64,
    bytes: AtomicU64,
}

impl Reading {
    fn new() -> Self {
        let (read_ms, bytes) = (AtomicU64::new(0), AtomicU64::new(resident_bytes()));
        Self { start: Instant::now(), read_ms, bytes }
    }

    fn bytes(&self) -> u64 {
        let now_ms = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        if now_ms.saturating_sub(self.read_ms.load(Ordering::Relaxed)) >= READING_MS {
            self.read_ms.store(now_ms, Ordering::Relaxed);
            self.bytes.store(resident_bytes(), Ordering::Relaxed);
        }
        self.bytes.load(Ordering::Relaxed)
    }
}

/// What the process takes by itself now; 0 where the system does not tell.
fn resident_bytes() -> u64 {
    const PAGE: u64 = 4096;
    let Ok(text) = std::fs::read_to_string("/proc/self/statm") else { return 0 };
    let mut pages = text.split_whitespace().skip(1).map_while(|pages| pages.parse::<u64>().ok());
    match (pages.next(), pages.next()) {
        (Some(resident), Some(shared)) => resident.saturating_sub(shared) * PAGE,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_process_takes_is_counted() {
        let before = resident_bytes();
        let touched = vec![1_u8; 64 << 20];
        let taken = resident_bytes().saturating_sub(before);
        assert!(taken >= touched.len() as u64 / 2, "{taken} bytes");
    }

    #[test]
    fn a_process_that_is_too_large_gets_nothing_more() {
        let (spills_from, fails_from) = (4096, 1 << 40);
        let reading = Reading::new();
        let pool = FairSpillPool::new(1 << 30);
        let pool: Arc<dyn MemoryPool> =
            Arc::new(Guarded { pool, spills_from, fails_from, little: 1 << 20, reading });
        let sort = MemoryConsumer::new("sort").with_can_spill(true).register(&pool);
        assert!(sort.try_grow(512 << 10).is_ok());
        let error = sort.try_grow(8 << 20).unwrap_err().to_string();
        assert!(error.contains("sort") && error.contains(&spills_from.to_string()), "{error}");
        // Who cannot spill gets a little more before its query fails.
        let join = MemoryConsumer::new("join").register(&pool);
        assert!(join.try_grow(8 << 20).is_ok());
        let error = join.try_grow(2 << 40).unwrap_err().to_string();
        assert!(error.contains("join") && error.contains(&fails_from.to_string()), "{error}");
    }
}
