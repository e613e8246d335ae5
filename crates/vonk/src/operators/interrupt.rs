//! Ends joins that look at many pairs of rows and give none, when nobody waits for the query any more.
//!
//! A task of tokio ends where it gives way, and such a join does not for minutes. Its condition is
//! evaluated batch by batch, though: here it learns that the query's stream has been dropped, and lets
//! the runtime do what waits for its thread, such as the timer that would drop the stream.

use std::any::Any;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use datafusion::arrow::datatypes::{DataType, FieldRef, Schema};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::config::{ConfigEntry, ConfigExtension, ExtensionOptions};
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{Result as DfResult, config_err, internal_err};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::ColumnarValue;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::joins::utils::JoinFilter;
use datafusion::physical_plan::joins::{
    HashJoinExec, NestedLoopJoinExec, NestedLoopJoinExecBuilder,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;
use parking_lot::Mutex;
use tokio::runtime::{Handle, RuntimeFlavor};

use super::ahead::run_ahead;
use crate::error::{Condition, Error};

/// How long a condition is evaluated before other work may have its thread.
const TURN: Duration = Duration::from_millis(100);

/// How long a thread is left to others: long enough for another one to take its work over.
const PAUSE: Duration = Duration::from_millis(1);

/// Batches that a query may be ahead of who takes them.
const BATCHES_AHEAD: usize = 2;

/// Whether somebody waits for a query. The query's options have it too, for functions to ask.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interrupt(Arc<Phase>);

/// How far a query is.
#[derive(Debug, Default)]
struct Phase {
    has_begun: AtomicBool,
    has_ended: AtomicBool,
}

impl Interrupt {
    /// Whether the query is still being planned.
    pub(crate) fn is_planning(&self) -> bool {
        !self.0.has_begun.load(Ordering::Relaxed)
    }

    /// Whether nobody waits for the query any more.
    pub(crate) fn has_ended(&self) -> bool {
        self.0.has_ended.load(Ordering::Relaxed)
    }

    /// Says that the query is planned.
    pub(crate) fn begin(&self) {
        self.0.has_begun.store(true, Ordering::Relaxed);
    }

    /// Lets the conditions of joins in a plan end it.
    pub(crate) fn reach(&self, plan: Arc<dyn ExecutionPlan>) -> DfResult<Arc<dyn ExecutionPlan>> {
        plan.transform_up(|plan| {
            let ending = |filter: &JoinFilter| {
                JoinFilter::new(
                    Arc::new(Ending {
                        condition: Arc::clone(filter.expression()),
                        interrupt: self.clone(),
                        turn: Arc::new(Mutex::new(Instant::now())),
                    }),
                    filter.column_indices().to_vec(),
                    Arc::clone(filter.schema()),
                )
            };
            if let Some(join) = plan.downcast_ref::<NestedLoopJoinExec>()
                && let Some(filter) = join.filter()
            {
                let (left, right) = (Arc::clone(join.left()), Arc::clone(join.right()));
                let join = NestedLoopJoinExecBuilder::new(left, right, *join.join_type())
                    .with_projection_ref(join.projection().clone())
                    .with_filter(Some(ending(filter)))
                    .build()?;
                return Ok(Transformed::yes(Arc::new(join)));
            }
            if let Some(join) = plan.downcast_ref::<HashJoinExec>()
                && let Some(filter) = join.filter()
            {
                let join = join.builder().with_filter(Some(ending(filter))).build_exec()?;
                return Ok(Transformed::yes(join));
            }
            Ok(Transformed::no(plan))
        })
        .data()
    }

    /// The stream of the query, run by a task of its own; its drop ends the query.
    ///
    /// Without the task, whoever takes the batches would do the work of a plan of one partition, and
    /// could not turn away while an operator does not give way.
    pub(crate) fn run(self, rows: SendableRecordBatchStream) -> SendableRecordBatchStream {
        struct Guard(Interrupt);
        impl Drop for Guard {
            fn drop(&mut self) {
                self.0.0.has_ended.store(true, Ordering::Relaxed);
            }
        }
        let schema = rows.schema();
        let rows = run_ahead(Arc::clone(&schema), BATCHES_AHEAD, move || Ok(rows));
        let guard = Guard(self);
        let rows = rows.inspect(move |_| {
            let _held = &guard;
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, rows))
    }
}

impl ConfigExtension for Interrupt {
    const PREFIX: &'static str = "vonk_query";
}

impl ExtensionOptions for Interrupt {
    fn as_any(&self) -> &dyn Any {
        self
    }

    fn as_any_mut(&mut self) -> &mut dyn Any {
        self
    }

    fn cloned(&self) -> Box<dyn ExtensionOptions> {
        Box::new(self.clone())
    }

    fn set(&mut self, key: &str, _value: &str) -> DfResult<()> {
        config_err!("`{key}` is no option of a query")
    }

    fn entries(&self) -> Vec<ConfigEntry> {
        Vec::new()
    }
}

/// A condition that fails once nobody waits for its answer.
#[derive(Debug)]
struct Ending {
    condition: Arc<dyn PhysicalExpr>,
    interrupt: Interrupt,
    /// When other work had the thread last.
    turn: Arc<Mutex<Instant>>,
}

impl Ending {
    /// Moves the other tasks of this thread to another one from time to time.
    fn give_way(&self) {
        let is_due = self.turn.try_lock().is_some_and(|mut turn| {
            let is_due = turn.elapsed() >= TURN;
            if is_due {
                *turn = Instant::now();
            }
            is_due
        });
        let has_threads = || {
            Handle::try_current()
                .is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread)
        };
        if is_due && has_threads() {
            tokio::task::block_in_place(|| std::thread::sleep(PAUSE));
        }
    }
}

impl PartialEq for Ending {
    fn eq(&self, other: &Self) -> bool {
        self.condition.eq(&other.condition)
    }
}

impl Eq for Ending {}

impl Hash for Ending {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.condition.hash(state);
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt(f)
    }
}

impl PhysicalExpr for Ending {
    fn data_type(&self, schema: &Schema) -> DfResult<DataType> {
        self.condition.data_type(schema)
    }

    fn nullable(&self, schema: &Schema) -> DfResult<bool> {
        self.condition.nullable(schema)
    }

    fn return_field(&self, schema: &Schema) -> DfResult<FieldRef> {
        self.condition.return_field(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> DfResult<ColumnarValue> {
        self.give_way();
        if self.interrupt.has_ended() {
            return Err(Error::new(Condition::OPERATION_CANCELED, "the query was cancelled").into());
        }
        self.condition.evaluate(batch)
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.condition]
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn PhysicalExpr>>,
    ) -> DfResult<Arc<dyn PhysicalExpr>> {
        match children.pop() {
            Some(condition) if children.is_empty() => Ok(Arc::new(Self {
                condition,
                interrupt: self.interrupt.clone(),
                turn: Arc::clone(&self.turn),
            })),
            _ => internal_err!("a condition that ends has one part"),
        }
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.condition.fmt_sql(f)
    }
}
