//! Values that tasks share: broadcasts, which they read, and accumulators, to which they add.

use std::any::Any;
use std::cell::RefCell;
use std::fmt;
use std::ops::{AddAssign, Deref};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use super::SparkContext;

/// A value that closures on all threads read without copies.
///
/// ```
/// # use vonk::prelude::*;
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let context = Session::new().context();
/// let names = context.broadcast(vec!["zero", "one", "two"]);
/// let named = context.range(1, 3).map(move |n| names[n as usize]);
/// assert_eq!(named.collect().await?, ["one", "two"]);
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct Broadcast<T>(Arc<T>);

impl<T> Clone for Broadcast<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Broadcast<T> {
    /// The value.
    pub fn value(&self) -> &T {
        &self.0
    }
}

impl<T> Deref for Broadcast<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A value to which tasks add and which the program reads after the action.
///
/// What a task adds counts once, when the tasks of its stage have all succeeded, in the order of the
/// partitions; an action that fails adds nothing. A step that runs again for a second action adds
/// again.
///
/// ```
/// # use vonk::prelude::*;
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let context = Session::new().context();
/// let odd = context.long_accumulator();
/// let counter = odd.clone();
/// context
///     .range(0, 10)
///     .foreach(move |n| {
///         if n % 2 == 1 {
///             counter.add(1);
///         }
///     })
///     .await?;
/// assert_eq!(odd.value(), 5);
/// # Ok(()) }
/// ```
pub struct Accumulator<T>(Arc<Inner<T>>);

struct Inner<T> {
    id: u64,
    value: Mutex<T>,
    merge: Box<dyn Fn(&mut T, T) + Send + Sync>,
}

impl<T> Clone for Accumulator<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: fmt::Debug> fmt::Debug for Accumulator<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Accumulator({:?})", *self.0.value.lock())
    }
}

impl<T: Send + 'static> Accumulator<T> {
    fn new(zero: T, merge: impl Fn(&mut T, T) + Send + Sync + 'static) -> Self {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        let id = NEXT_ID.fetch_add(1, Ordering::Relaxed);
        Self(Arc::new(Inner { id, value: Mutex::new(zero), merge: Box::new(merge) }))
    }

    /// Adds a value: to the task's own sum within a task, at once elsewhere.
    pub fn add(&self, value: T) {
        let left = OF_TASK.with_borrow_mut(|updates| {
            let Some(updates) = updates else { return Some(value) };
            let pending = updates.0.entry(self.0.id).or_insert_with(|| {
                Box::new(Pending::<T> { accumulator: Arc::clone(&self.0), value: None })
            });
            let pending: &mut dyn Any = pending.as_mut();
            let pending = pending.downcast_mut::<Pending<T>>()?;
            match &mut pending.value {
                Some(sum) => (self.0.merge)(sum, value),
                None => pending.value = Some(value),
            }
            None
        });
        if let Some(value) = left {
            (self.0.merge)(&mut self.0.value.lock(), value);
        }
    }

    /// The value as of the last action that succeeded.
    pub fn value(&self) -> T
    where
        T: Clone,
    {
        self.0.value.lock().clone()
    }

    /// Sets the value.
    pub fn set(&self, value: T) {
        *self.0.value.lock() = value;
    }
}

/// What one task has added so far.
#[derive(Default)]
pub(super) struct Updates(FxHashMap<u64, Box<dyn Update>>);

trait Update: Any + Send {
    fn apply(&mut self);
}

struct Pending<T> {
    accumulator: Arc<Inner<T>>,
    value: Option<T>,
}

impl<T: Send + 'static> Update for Pending<T> {
    fn apply(&mut self) {
        if let Some(value) = self.value.take() {
            (self.accumulator.merge)(&mut self.accumulator.value.lock(), value);
        }
    }
}

impl Updates {
    /// Adds what the task has added to the accumulators themselves.
    pub(super) fn apply(&mut self) {
        self.0.values_mut().for_each(|update| update.apply());
    }
}

thread_local! {
    /// What the task on this thread has added; `None` outside of tasks.
    static OF_TASK: RefCell<Option<Updates>> = const { RefCell::new(None) };
}

/// Begins a task on this thread.
pub(super) fn begin_task() {
    OF_TASK.set(Some(Updates::default()));
}

/// Ends the task and gives what it has added.
pub(super) fn end_task() -> Updates {
    OF_TASK.take().unwrap_or_default()
}

impl SparkContext {
    /// A value that closures on all threads read without copies.
    pub fn broadcast<T: Send + Sync + 'static>(&self, value: T) -> Broadcast<T> {
        Broadcast(Arc::new(value))
    }

    /// An accumulator of whole numbers, from 0.
    pub fn long_accumulator(&self) -> Accumulator<i64> {
        self.accumulator(0)
    }

    /// An accumulator of floating-point numbers, from 0.
    pub fn double_accumulator(&self) -> Accumulator<f64> {
        self.accumulator(0.0)
    }

    /// An accumulator that adds with `+=`, from `start`.
    pub fn accumulator<T: AddAssign + Send + 'static>(&self, start: T) -> Accumulator<T> {
        Accumulator::new(start, |sum, value| *sum += value)
    }

    /// An accumulator that adds with a function, from `start`.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let context = Session::new().context();
    /// let seen = context.accumulator_with(Vec::new(), |all: &mut Vec<i64>, more| all.extend(more));
    /// let adder = seen.clone();
    /// context.range(0, 4).foreach(move |n| adder.add(vec![n])).await?;
    /// assert_eq!(seen.value(), [0, 1, 2, 3]);
    /// # Ok(()) }
    /// ```
    pub fn accumulator_with<T: Send + 'static>(
        &self,
        start: T,
        merge: impl Fn(&mut T, T) + Send + Sync + 'static,
    ) -> Accumulator<T> {
        Accumulator::new(start, merge)
    }
}
