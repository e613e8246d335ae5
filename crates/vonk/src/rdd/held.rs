//! The elements of one partition kept for reading more than once: in memory, or on disk past the limit.

use std::sync::Arc;

use super::job::{Job, Task};
use super::spill::{Budget, Meter, Run, RunWriter};
use super::{Data, Rows};
use crate::error::Result;

/// Elements that can be read any number of times, in order: those on disk, then those in memory.
pub(super) struct Held<T> {
    runs: Vec<Run>,
    memory: Arc<Vec<T>>,
    /// The memory counts for as long as the elements are held.
    _budget: Budget,
}

/// Where elements may be held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) memory: bool,
    pub(super) disk: bool,
}

impl<T: Data> Held<T> {
    /// Holds all of `rows`; gives them back if they do not fit where they may be held.
    pub(super) fn of(
        task: &Arc<Task>,
        mut rows: Rows<T>,
        place: Place,
        mut budget: Budget,
    ) -> Result<Result<Self, Rows<T>>> {
        let mut memory = Vec::new();
        let mut meter = Meter::default();
        let mut runs = Vec::new();
        while let Some(element) = rows.next() {
            let bytes = meter.weigh(&element);
            memory.push(element);
            if budget.grow(bytes) && (place.memory || memory.len() < DISK_BATCH) {
                continue;
            }
            if !place.disk {
                return Ok(Err(Box::new(memory.into_iter().chain(rows))));
            }
            runs.push(write(&task.job, task, &memory)?);
            memory.clear();
            budget.release();
        }
        let fits = place.memory && budget.settle();
        if !memory.is_empty() && !fits {
            if !place.disk {
                return Ok(Err(Box::new(memory.into_iter())));
            }
            runs.push(write(&task.job, task, &memory)?);
            memory = Vec::new();
            budget.release();
        }
        memory.shrink_to_fit();
        Ok(Ok(Self { runs, memory: Arc::new(memory), _budget: budget }))
    }

    /// All elements, from the beginning.
    ///
    /// # Errors
    /// If a file of spilled elements cannot be opened.
    pub(super) fn rows(&self) -> Result<Rows<T>> {
        let memory = Arc::clone(&self.memory);
        let runs: Vec<_> = self.runs.iter().map(|run| run.read(0)).collect::<Result<_>>()?;
        let in_memory = (0..memory.len()).map(move |at| memory[at].clone());
        Ok(Box::new(runs.into_iter().flatten().chain(in_memory)))
    }
}

/// How many elements go to disk at a time when none may stay in memory.
const DISK_BATCH: usize = 1 << 16;

fn write<T: Data>(job: &Job, task: &Task, elements: &[T]) -> Result<Run> {
    let mut run = RunWriter::create(job, "rdd partition")?;
    for element in elements {
        task.check();
        run.push(element)?;
    }
    run.end_segment()?;
    run.finish()
}
