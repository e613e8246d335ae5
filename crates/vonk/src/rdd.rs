//! The RDD: a lazy, typed, partitioned collection, and the lineage that tells how to make it.
//!
//! A transformation adds a step to the lineage and runs nothing. An action prepares the lineage
//! from its sources downwards (lists files, plans shuffles), runs the shuffles, and then one task per
//! partition. Narrow steps fuse: a task pulls each element through all of them before the next one.
//!
//! ```
//! # use vonk::prelude::*;
//! # #[tokio::main] async fn main() -> vonk::Result<()> {
//! let session = Session::builder().master("local[2]").get_or_create()?;
//! let lines = session.context().parallelize(["to be or", "not to be"].map(str::to_owned));
//! let mut counts = lines
//!     .flat_map(|line| line.split(' ').map(str::to_owned).collect::<Vec<_>>())
//!     .map(|word| (word, 1))
//!     .reduce_by_key(|a, b| a + b)
//!     .collect()
//!     .await?;
//! counts.sort();
//! let expected = [("be", 2), ("not", 1), ("or", 1), ("to", 2)];
//! assert_eq!(counts, expected.map(|(word, count)| (word.to_owned(), count)));
//! # Ok(()) }
//! ```

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures::future::BoxFuture;
use parking_lot::RwLock;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Result;

mod action;
mod cache;
mod context;
mod frame;
mod groups;
mod held;
mod job;
mod join;
mod keyed;
mod narrow;
mod numbering;
mod pairs;
mod pipe;
mod remote;
pub(crate) mod sample;
mod save;
mod shared;
mod shuffle;
mod sort;
mod spill;
mod stats;
#[cfg(test)]
mod tests;
mod text;
mod to_df;
mod top;
mod whole;
mod wide;

pub use crate::dataframe::StorageLevel;
pub use context::SparkContext;
pub use shared::{Accumulator, Broadcast};
pub use stats::{Number, Stats};

use cache::Store;
use job::{Job, Task};

/// An element that may cross a shuffle or a cache: it can be cloned, sent and spilled to disk.
///
/// Every type that fits has it; serde's derives are enough for types of your own. Narrow steps do
/// not ask for it.
pub trait Data: Clone + Send + Sync + Serialize + DeserializeOwned + 'static {}

impl<T: Clone + Send + Sync + Serialize + DeserializeOwned + 'static> Data for T {}

/// The key of a pair: [`Data`] that can be hashed and compared.
pub trait Key: Data + Hash + Eq {}

impl<T: Data + Hash + Eq> Key for T {}

/// The elements of one partition, pulled one at a time.
pub type Rows<T> = Box<dyn Iterator<Item = T>>;

/// A lazy, typed collection in partitions; see the [module](self) for an example.
///
/// Cloning is cheap. A step runs again for every action, unless the RDD before it is cached.
pub struct Rdd<T> {
    context: SparkContext,
    node: Arc<Node<T>>,
}

impl<T> Clone for Rdd<T> {
    fn clone(&self) -> Self {
        Self { context: self.context.clone(), node: Arc::clone(&self.node) }
    }
}

impl<T> fmt::Debug for Rdd<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rdd[{}] {}", self.node.step.id, self.node.step.name)
    }
}

/// What is known of a step without its type: enough to count reads and to draw the lineage.
#[derive(Debug)]
pub(crate) struct Step {
    id: u64,
    name: String,
    parents: Vec<Parent>,
    /// Whether it exchanges elements between partitions.
    wide: bool,
    /// Whether its input is read once per job, however often its output is read.
    keeps_output: bool,
}

/// An edge of the lineage.
#[derive(Debug, Clone)]
pub(crate) struct Parent {
    step: Arc<Step>,
    /// How often the child reads each partition of the parent.
    reads: u32,
}

/// A step of the lineage with the recipe of its partitions.
struct Node<T> {
    step: Arc<Step>,
    prepare: Prepare<T>,
    store: RwLock<Option<Arc<dyn Store<T>>>>,
}

type Prepare<T> = Box<dyn Fn(Preparing) -> BoxFuture<'static, Result<Parts<T>>> + Send + Sync>;
type MakeRows<T> = Arc<dyn Fn(&Arc<Task>, usize) -> Result<Rows<T>> + Send + Sync>;

/// The partitions of an RDD within one job, ready to be computed by tasks.
pub(crate) struct Parts<T> {
    count: usize,
    /// Whether partition `p` holds exactly the pairs whose key's bucket is `p` of `count`.
    by_key: bool,
    make: MakeRows<T>,
}

impl<T> Clone for Parts<T> {
    fn clone(&self) -> Self {
        Self { count: self.count, by_key: self.by_key, make: Arc::clone(&self.make) }
    }
}

impl<T> Parts<T> {
    fn new(
        count: usize,
        make: impl Fn(&Arc<Task>, usize) -> Result<Rows<T>> + Send + Sync + 'static,
    ) -> Self {
        Self { count, by_key: false, make: Arc::new(make) }
    }

    fn rows(&self, task: &Arc<Task>, partition: usize) -> Result<Rows<T>> {
        (self.make)(task, partition)
    }
}

/// The circumstances under which a step is prepared.
struct Preparing {
    job: Arc<Job>,
    /// Whether the job will read the partitions of the step more than once.
    read_again: bool,
}

/// What a step is called, what it reads and how.
struct Outline {
    name: String,
    parents: Vec<Parent>,
    wide: bool,
    keeps_output: bool,
}

impl Outline {
    fn source(name: impl Into<String>) -> Self {
        Self { name: name.into(), parents: Vec::new(), wide: false, keeps_output: false }
    }

    fn narrow(name: &str, parents: impl IntoIterator<Item = Parent>) -> Self {
        Self { parents: parents.into_iter().collect(), ..Self::source(name) }
    }

    /// A step that exchanges elements, unless they lie right already.
    fn by_key(name: &str, parents: impl IntoIterator<Item = Parent>) -> Self {
        Self { wide: true, ..Self::narrow(name, parents) }
    }

    /// A step that exchanges elements in any case.
    fn wide(name: &str, parents: impl IntoIterator<Item = Parent>) -> Self {
        Self { keeps_output: true, ..Self::by_key(name, parents) }
    }
}

impl<T: Send + 'static> Rdd<T> {
    fn new<F, Fut>(context: &SparkContext, outline: Outline, prepare: F) -> Self
    where
        F: Fn(Preparing) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Parts<T>>> + Send + 'static,
    {
        static NEXT_ID: AtomicU64 = AtomicU64::new(0);
        let step = Step {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            name: outline.name,
            parents: outline.parents,
            wide: outline.wide,
            keeps_output: outline.keeps_output,
        };
        let prepare: Prepare<T> = Box::new(move |preparing| Box::pin(prepare(preparing)));
        let node = Node { step: Arc::new(step), prepare, store: RwLock::new(None) };
        Self { context: context.clone(), node: Arc::new(node) }
    }

    /// The edge by which a step that reads every partition once hangs on this RDD.
    fn parent(&self) -> Parent {
        Parent { step: Arc::clone(&self.node.step), reads: 1 }
    }

    /// The partitions of this RDD in `job`; the first call makes them.
    async fn prepare(&self, job: &Arc<Job>) -> Result<Parts<T>> {
        let id = self.node.step.id;
        if let Some(parts) = job.prepared::<Parts<T>>(id) {
            return Ok(parts);
        }
        let preparing = Preparing { job: Arc::clone(job), read_again: job.reads_again(id) };
        let store = self.node.store.read().clone();
        let parts = match store {
            None => (self.node.prepare)(preparing).await?,
            Some(store) => match store.complete() {
                Some(parts) => parts,
                None => store.around((self.node.prepare)(preparing).await?),
            },
        };
        job.remember(id, parts.clone());
        Ok(parts)
    }

    /// The context that made this RDD.
    pub fn context(&self) -> &SparkContext {
        &self.context
    }

    /// How the RDD is made, one step per line, the last one first.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// let numbers = Session::new().context().range(0, 10).map(|n| n * 2);
    /// let lineage = numbers.to_debug_string();
    /// assert!(lineage.contains("map") && lineage.contains("range"));
    /// ```
    pub fn to_debug_string(&self) -> String {
        fn draw(step: &Step, depth: usize, text: &mut String) {
            let mark = if step.wide { "+-" } else { "" };
            text.push_str(&format!("{:depth$}{mark}[{}] {}\n", "", step.id, step.name));
            let deeper = depth + if step.wide { 3 } else { 1 };
            step.parents.iter().for_each(|parent| draw(&parent.step, deeper, text));
        }
        let mut text = String::new();
        draw(&self.node.step, 0, &mut text);
        text
    }
}
