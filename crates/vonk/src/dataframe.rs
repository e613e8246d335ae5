//! The DataFrame: a lazy query, and the actions that run it.
//!
//! Every transformation is a small SELECT over its input, given to the same resolver as SQL text.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::execution::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::future::BoxFuture;
use futures::{StreamExt, TryStreamExt};
use tokio::sync::OnceCell;

use crate::config;
use crate::display;
use crate::error::Result;
use crate::limits::{self, Deadline};
use crate::operators::in_order::keep_file_order;
use crate::operators::interrupt::Interrupt;
pub use crate::operators::map_batches::Batches;
use crate::placement::{self, Place, Placed};
use crate::session::Session;
use crate::stack::with_room;

mod around;
mod cache;
mod column;
mod group;
mod join;
mod literal;
mod na;
mod observe;
mod outside;
mod partitions;
mod qualify;
mod ranges;
mod reader;
mod reference;
mod row;
mod rows;
mod sample;
mod select;
mod set;
mod show;
mod source;
mod stat;
mod syntax;
#[cfg(test)]
mod tests;
mod unbounded;
mod value;
mod views;
mod window;

pub use around::Around;
pub use cache::StorageLevel;
pub(crate) use cache::{Caches, keep_plan};
pub(crate) use column::columns;
pub use column::{Column, col, expr, lit};
pub use group::GroupedData;
pub use join::JoinOn;
pub use literal::Operand;
pub use na::NaFunctions;
pub use observe::Observation;
pub(crate) use outside::MapTable;
pub use reader::{DataFrameReader, Paths, ReadSchema};
pub use reference::Reference;
pub use row::{Row, RowIndex};
pub use select::Condition;
pub(crate) use source::{named_fields, scan_plan, traced_fields};
pub(crate) use syntax::{binary as operation, call, named_argument, nested};
pub(crate) use value::typed;
pub use window::{Window, WindowSpec};

/// A lazy query: it is planned and run by an action, once per action.
///
/// Cloning is cheap, and clones share the plan once it is made.
#[derive(Clone)]
pub struct DataFrame {
    session: Session,
    lazy: Arc<Lazy>,
    /// What keeps the rows, if this is a cached query.
    cache: Option<Arc<cache::Cache>>,
}

type Make = Box<dyn Fn(Session) -> BoxFuture<'static, Result<LogicalPlan>> + Send + Sync>;

/// A plan that is made at the first action and kept.
struct Lazy {
    plan: OnceCell<LogicalPlan>,
    make: Make,
}

/// A query that has begun: its batches, and the plan whose metrics tell how far it is.
pub struct Execution {
    /// The batches as they come.
    pub stream: SendableRecordBatchStream,
    /// The running plan with its metrics.
    pub plan: Arc<dyn ExecutionPlan>,
    /// Where it runs.
    pub(crate) place: Place,
}

impl fmt::Debug for DataFrame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lazy.plan.get() {
            Some(plan) => write!(f, "DataFrame\n{}", plan.display_indent()),
            None => f.write_str("DataFrame (not planned yet)"),
        }
    }
}

impl DataFrame {
    /// A query whose plan is made when it is first needed.
    pub(crate) fn deferred(
        session: Session,
        make: impl Fn(Session) -> BoxFuture<'static, Result<LogicalPlan>> + Send + Sync + 'static,
    ) -> Self {
        let lazy = Lazy { plan: OnceCell::new(), make: Box::new(make) };
        Self { session, lazy: Arc::new(lazy), cache: None }
    }

    /// A query whose plan is made from this one's.
    pub(crate) fn derive(
        &self,
        make: impl Fn(LogicalPlan, &Session) -> Result<LogicalPlan> + Send + Sync + 'static,
    ) -> Self {
        let input = self.clone();
        let make = Arc::new(make);
        Self::deferred(self.session.clone(), move |session| {
            let (input, make) = (input.clone(), Arc::clone(&make));
            Box::pin(async move { make(input.logical_plan().await?.clone(), &session) })
        })
    }

    /// A query whose plan is made from this one's and another's.
    pub(crate) fn derive_with(
        &self,
        other: &DataFrame,
        make: impl Fn(LogicalPlan, LogicalPlan, &Session) -> Result<LogicalPlan> + Send + Sync + 'static,
    ) -> Self {
        let inputs = (self.clone(), other.clone());
        let make = Arc::new(make);
        Self::deferred(self.session.clone(), move |session| {
            let ((left, right), make) = (inputs.clone(), Arc::clone(&make));
            Box::pin(async move {
                let left = left.logical_plan().await?.clone();
                let right = right.logical_plan().await?.clone();
                make(left, right, &session)
            })
        })
    }

    /// Plans the query now, so that its errors come early.
    ///
    /// # Errors
    /// Whatever is wrong with the statement, its names or its types.
    pub async fn check(&self) -> Result<()> {
        self.logical_plan().await.map(drop)
    }

    /// The logical plan, made on first use.
    pub(crate) async fn logical_plan(&self) -> Result<&LogicalPlan> {
        let make = || with_room((self.lazy.make)(self.session.clone()));
        self.lazy.plan.get_or_try_init(make).await
    }

    /// The columns and types of the result.
    ///
    /// # Errors
    /// Those of [`DataFrame::check`].
    pub async fn schema(&self) -> Result<SchemaRef> {
        Ok(display::result_schema(self.logical_plan().await?.schema().inner()))
    }

    /// Starts the query and gives its batches with the running plan.
    ///
    /// # Errors
    /// Those of planning; errors of the data come through the stream.
    pub async fn execute(&self) -> Result<Execution> {
        let execution = self.start().await?;
        let stream = limits::at_most_rows(execution.stream, &self.session.config())?;
        Ok(Execution { stream, ..execution })
    }

    /// Runs the query for rows that stay in memory together.
    pub(crate) async fn execute_held(&self) -> Result<SendableRecordBatchStream> {
        limits::at_most_bytes(self.execute().await?.stream, &self.session.config())
    }

    /// Runs the query, within the time that a statement may take.
    async fn start(&self) -> Result<Execution> {
        let deadline = Deadline::start(&self.session.config())?;
        let execution = deadline.within(self.begin()).await?;
        Ok(Execution { stream: deadline.bound(execution.stream), ..execution })
    }

    async fn begin(&self) -> Result<Execution> {
        let state = self.session.state();
        let interrupt = Interrupt::default();
        let placed = self.placed_within(interrupt.clone()).await?;
        let is_here = placed.is_here();
        let mut plan = placed.plan;
        if is_here && self.session.config().is_on(config::FILE_ORDER) {
            plan = keep_file_order(plan)?;
        }
        if is_here {
            plan = interrupt.reach(plan)?;
        }
        interrupt.begin();
        let stream = execute_stream(Arc::clone(&plan), state.task_ctx())?;
        let stream = interrupt.run(display::result_stream(stream));
        Ok(Execution { stream, plan, place: placed.place })
    }

    /// The plan that runs once, with as many partitions as the query has.
    pub(crate) async fn physical_plan(&self) -> Result<Arc<dyn ExecutionPlan>> {
        let logical = self.logical_plan().await?;
        Ok(with_room(self.state_within(None).create_physical_plan(logical)).await?)
    }

    /// The plan where it runs, with what tells functions whether somebody waits.
    async fn placed_within(&self, interrupt: Interrupt) -> Result<Placed> {
        let logical = self.logical_plan().await?;
        with_room(placement::plan(&self.state_within(Some(interrupt)), logical)).await
    }

    /// The state that plans and runs the query once.
    fn state_within(&self, interrupt: Option<Interrupt>) -> SessionState {
        // The moment of the query and the session's options, for functions that ask for them.
        let mut state = SessionState::clone(&self.session.state());
        if let Some(interrupt) = interrupt {
            state.config_mut().options_mut().extensions.insert(interrupt);
        }
        if let Ok(catalog) = self.session.catalog() {
            let options = state.config_mut().options_mut();
            options.catalog.default_schema = catalog.current_database();
        }
        let options = Arc::clone(state.config_options());
        state.execution_props_mut().mark_start_execution(options);
        state
    }

    /// Runs the query and gives all its rows as Arrow batches.
    ///
    /// # Errors
    /// Those of planning and of the data.
    pub async fn collect(&self) -> Result<Vec<RecordBatch>> {
        Ok(self.execute_held().await?.try_collect().await?)
    }

    /// Runs the query and counts its rows.
    ///
    /// # Errors
    /// Those of planning and of the data.
    pub async fn count(&self) -> Result<usize> {
        let mut stream = self.start().await?.stream;
        let mut rows = 0;
        while let Some(batch) = stream.next().await {
            rows += batch?.num_rows();
        }
        Ok(rows)
    }

    /// The session that the query belongs to.
    pub fn session(&self) -> &Session {
        &self.session
    }
}
