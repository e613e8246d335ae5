//! How deep a recursive query may go, and how many rows it may make.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties};
use futures::StreamExt;

use super::only_input;
use crate::config;
use crate::error::{Condition, Error, Result};

/// What both parts of a recursive query count together.
#[derive(Debug)]
pub(crate) struct Levels {
    levels_max: usize,
    rows_max: usize,
    levels: AtomicUsize,
    rows: AtomicUsize,
}

impl Levels {
    /// Counts from nothing up to these limits.
    pub(crate) fn new(levels_max: usize, rows_max: usize) -> Arc<Self> {
        let (levels, rows) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Arc::new(Self { levels_max, rows_max, levels, rows })
    }

    fn begin(&self) {
        self.levels.store(0, Ordering::Relaxed);
        self.rows.store(0, Ordering::Relaxed);
    }

    fn add_level(&self) -> Result<()> {
        if self.levels.fetch_add(1, Ordering::Relaxed) < self.levels_max {
            return Ok(());
        }
        let message = format!("the query recurs more than {} times", self.levels_max);
        Err(Error::new(Condition::RECURSION_LEVEL_LIMIT, message)
            .hint(format!("raise the option `{}`", config::RECURSION_LEVELS_MAX)))
    }

    fn add_rows(&self, batch: RecordBatch) -> Result<RecordBatch> {
        let rows = self.rows.fetch_add(batch.num_rows(), Ordering::Relaxed) + batch.num_rows();
        if rows <= self.rows_max {
            return Ok(batch);
        }
        let message = format!("the recursive query makes more than {} rows", self.rows_max);
        Err(Error::new(Condition::RECURSION_ROW_LIMIT, message)
            .hint(format!("add a LIMIT, or raise the option `{}`", config::RECURSION_ROWS_MAX)))
    }
}

/// One part of a recursive query, whose runs and rows are counted.
#[derive(Debug)]
pub(crate) struct LevelExec {
    input: Arc<dyn ExecutionPlan>,
    levels: Arc<Levels>,
    /// Whether it is the part that the recursion begins with.
    is_first: bool,
}

impl LevelExec {
    /// The part that begins, which starts the count anew.
    pub(crate) fn first(input: Arc<dyn ExecutionPlan>, levels: &Arc<Levels>) -> Self {
        Self { input, levels: Arc::clone(levels), is_first: true }
    }

    /// The part that is run once for each level.
    pub(crate) fn next(input: Arc<dyn ExecutionPlan>, levels: &Arc<Levels>) -> Self {
        Self { input, levels: Arc::clone(levels), is_first: false }
    }
}

impl DisplayAs for LevelExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LevelExec")
    }
}

impl ExecutionPlan for LevelExec {
    fn name(&self) -> &'static str {
        "LevelExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        self.input.properties()
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn apply_expressions(
        &self,
        _visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let input = only_input(self.name(), children)?;
        Ok(Arc::new(Self { input, levels: Arc::clone(&self.levels), is_first: self.is_first }))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DfResult<SendableRecordBatchStream> {
        match self.is_first {
            true => self.levels.begin(),
            false => self.levels.add_level()?,
        }
        let levels = Arc::clone(&self.levels);
        let rows = self.input.execute(partition, context)?;
        let schema = rows.schema();
        let counted = rows.map(move |batch| Ok(levels.add_rows(batch?)?));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, counted)))
    }
}
