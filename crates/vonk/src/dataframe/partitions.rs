//! How rows lie in partitions: spread, by key, gathered, sorted within each.
//!
//! Each step runs behind a table, because the rules that plan a query take away every exchange and
//! every order that the query does not need for its answer.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::SortOptions;
use arrow::datatypes::SchemaRef;
use async_trait::async_trait;
use datafusion::catalog::{Session as Planner, TableProvider};
use datafusion::common::{DataFusionError, Result as DfResult};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::{
    Expr as Resolved, ExprSchemable, LogicalPlan, LogicalPlanBuilder, TableType,
};
use datafusion::physical_expr::{LexOrdering, PhysicalSortExpr};
use datafusion::physical_plan::repartition::RepartitionExec;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties, Partitioning};
use futures::StreamExt;

use super::DataFrame;
use super::column::{Column, columns, lit};
use super::ranges;
use super::source::{behind_table, renamed};
use super::syntax::Select;
use crate::error::{Condition, Error, Result};
use crate::functions;
use crate::operators::ahead::run_ahead;
use crate::operators::named_scan::{NamedScan, Scanned};
use crate::operators::slices;
use crate::session::Session;

/// Batches that a partition may be ahead of the one that is being gathered.
const BATCHES_AHEAD: usize = 2;

/// What happens to the partitions of a query.
#[derive(Debug, Clone)]
enum Step {
    /// Rows are dealt out evenly.
    Spread(usize),
    /// Rows with equal keys meet.
    ByKey(Vec<Resolved>, usize),
    /// Rows go by ranges of their keys, in order.
    ByRange(Vec<(Resolved, SortOptions)>, usize),
    /// Rows go to the partition of their number.
    ByNumber(Resolved, usize),
    /// Neighbouring partitions become one.
    Gather(usize),
    /// The rows of each partition get an order.
    Sort(Vec<(Resolved, SortOptions)>),
}

impl DataFrame {
    /// Spreads the rows evenly over so many partitions.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let spread = Session::new().range(0, 100).repartition(5);
    /// assert_eq!(spread.rdd().num_partitions().await?, 5);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn repartition(&self, partitions: usize) -> Self {
        self.partitioned(move |_, _| Ok(Step::Spread(partitions.max(1))))
    }

    /// Puts rows with equal keys into the same of so many partitions.
    #[must_use]
    pub fn repartition_by<C: Into<Column>>(
        &self,
        partitions: usize,
        keys: impl IntoIterator<Item = C>,
    ) -> Self {
        let keys = columns(keys);
        self.partitioned(move |plan, session| {
            Ok(Step::ByKey(resolved(&keys, plan, session)?, partitions.max(1)))
        })
    }

    /// Puts rows into so many partitions by ranges of their keys: the least ones into the first, and equal ones
    /// into the same. The borders come from a sample, for which the query is run once more.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let ranges = Session::new().range(0, 4).repartition_by_range(2, [col("id").desc()]);
    /// let mut parts = ranges.rdd_of::<i64>().glom().collect().await?;
    /// parts.iter_mut().for_each(|part| part.sort_unstable());
    /// assert_eq!(parts, [[2, 3], [0, 1]]);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn repartition_by_range<C: Into<Column>>(
        &self,
        partitions: usize,
        keys: impl IntoIterator<Item = C>,
    ) -> Self {
        let keys = columns(keys);
        self.partitioned(move |plan, session| {
            Ok(Step::ByRange(sort_keys(&keys, plan, session)?, partitions.max(1)))
        })
    }

    /// Puts each row into the partition whose number, modulo so many, a column of whole numbers gives; NULL
    /// goes to the first.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let parts = Session::new().range(0, 4).repartition_by_id(3, col("id"));
    /// let mut parts = parts.rdd_of::<i64>().glom().collect().await?;
    /// parts.iter_mut().for_each(|part| part.sort_unstable());
    /// assert_eq!(parts, [vec![0, 3], vec![1], vec![2]]);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn repartition_by_id(&self, partitions: usize, id: impl Into<Column>) -> Self {
        let count = partitions.max(1);
        let number = functions::call("pmod", [id.into(), lit(count as i64)]);
        self.partitioned(move |plan, session| {
            let number = resolved(std::slice::from_ref(&number), plan, session)?;
            let [number] = <[Resolved; 1]>::try_from(number)
                .map_err(|_| Error::internal("a number of partitions is one value"))?;
            Ok(Step::ByNumber(number, count))
        })
    }

    /// Gathers the rows in at most so many partitions, by joining neighbours; their order stays.
    #[must_use]
    pub fn coalesce(&self, partitions: usize) -> Self {
        self.partitioned(move |_, _| Ok(Step::Gather(partitions.max(1))))
    }

    /// Orders the rows of each partition; ascending with NULL first unless a column says otherwise.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// let data = Session::new().range(0, 4).repartition_by(2, [col("id") % 2]);
    /// let sorted = data.sort_within_partitions([col("id").desc()]);
    /// let mut parts = sorted.rdd_of::<i64>().glom().collect().await?;
    /// parts.iter().for_each(|part| assert!(part.is_sorted_by(|a, b| a > b)));
    /// assert_eq!(parts.concat().len(), 4);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn sort_within_partitions<C: Into<Column>>(
        &self,
        keys: impl IntoIterator<Item = C>,
    ) -> Self {
        let keys = columns(keys);
        self.partitioned(move |plan, session| Ok(Step::Sort(sort_keys(&keys, plan, session)?)))
    }

    /// Gives Spark's hints a meaning: `coalesce`, `repartition` and `rebalance` with a number of
    /// partitions set them; others are for Spark's planner, and the query stays as it is.
    #[must_use]
    pub fn hint(&self, name: &str, partitions: Option<usize>) -> Self {
        match (name.to_lowercase().as_str(), partitions) {
            ("coalesce", Some(partitions)) => self.coalesce(partitions),
            ("repartition" | "rebalance", Some(partitions)) => self.repartition(partitions),
            _ => self.clone(),
        }
    }

    fn partitioned(
        &self,
        step: impl Fn(&LogicalPlan, &Session) -> Result<Step> + Send + Sync + 'static,
    ) -> Self {
        self.derive(move |plan, session| {
            let step = step(&plan, session)?;
            behind_table("partitions", plan, |input, schema| {
                Arc::new(PartitionTable { input, schema, step })
            })
        })
    }
}

/// The keys over the columns of a plan: they are resolved as a projection.
fn resolved(keys: &[Column], plan: &LogicalPlan, session: &Session) -> Result<Vec<Resolved>> {
    if keys.is_empty() {
        return Err(Error::new(Condition::INVALID_PARAMETER, "there is no column to go by")
            .hint("name at least one column"));
    }
    let list = keys.iter().map(Column::item).collect::<Result<Vec<_>>>()?;
    let projected = Select::over(std::slice::from_ref(plan), list)?.plan(session)?;
    Ok(projected.expressions().into_iter().map(Resolved::unalias).collect())
}

/// The keys over the columns of a plan, each with its order.
fn sort_keys(
    keys: &[Column],
    plan: &LogicalPlan,
    session: &Session,
) -> Result<Vec<(Resolved, SortOptions)>> {
    let options = keys.iter().map(sort_options).collect::<Result<Vec<_>>>()?;
    Ok(resolved(keys, plan, session)?.into_iter().zip(options).collect())
}

fn sort_options(key: &Column) -> Result<SortOptions> {
    let options = key.sort_key()?.options;
    let ascending = options.asc.unwrap_or(true);
    Ok(SortOptions {
        descending: !ascending,
        nulls_first: options.nulls_first.unwrap_or(ascending),
    })
}

/// A query whose partitions are made as a step says.
#[derive(Debug)]
struct PartitionTable {
    input: LogicalPlan,
    schema: SchemaRef,
    step: Step,
}

/// The query whose rows a table of this kind passes on.
pub(super) fn input_of(table: &dyn TableProvider) -> Option<&LogicalPlan> {
    table.downcast_ref::<PartitionTable>().map(|table| &table.input)
}

#[async_trait]
impl TableProvider for PartitionTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    async fn scan(
        &self,
        state: &dyn Planner,
        projection: Option<&Vec<usize>>,
        _filters: &[Resolved],
        limit: Option<usize>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let input = state.create_physical_plan(&self.input).await?;
        let keys = match self.step.sampled(&self.input)? {
            Some(keys) => Some(state.create_physical_plan(&keys).await?),
            None => None,
        };
        let (plan, count) = self.step.plan(input, keys, &self.input, state)?;
        let slice = |index| {
            let (plan, schema) = (Arc::clone(&plan), Arc::clone(&self.schema));
            Slice { plan, schema, index, count, pieces: 1 }
        };
        let scan = slices::scan(&self.schema, count, slice, projection, limit)?;
        Ok(Arc::new(NamedScan::new(Scanned::Partitions, scan)))
    }
}

impl Step {
    /// The query for what has to be known of the rows before they are put into partitions.
    fn sampled(&self, input: &LogicalPlan) -> DfResult<Option<LogicalPlan>> {
        let Self::ByRange(keys, 2..) = self else { return Ok(None) };
        let keys = keys.iter().enumerate();
        let keys = keys.map(|(at, (key, _))| key.clone().alias(format!("key{at}")));
        LogicalPlanBuilder::from(input.clone()).project(keys)?.build().map(Some)
    }

    /// The plan with its step, and how many partitions its own are gathered in.
    fn plan(
        &self,
        input: Arc<dyn ExecutionPlan>,
        sampled: Option<Arc<dyn ExecutionPlan>>,
        logical: &LogicalPlan,
        state: &dyn Planner,
    ) -> DfResult<(Arc<dyn ExecutionPlan>, usize)> {
        let physical = |key: &Resolved| state.create_physical_expr(key.clone(), logical.schema());
        let order = |keys: &[(Resolved, SortOptions)]| {
            let keys = keys.iter().map(|(key, options)| {
                Ok(PhysicalSortExpr { expr: physical(key)?, options: *options })
            });
            Ok::<_, DataFusionError>(LexOrdering::new(keys.collect::<DfResult<Vec<_>>>()?))
        };
        let plan: Arc<dyn ExecutionPlan> = match self {
            Self::Gather(count) => {
                let count = input.output_partitioning().partition_count().min(*count);
                return Ok((input, count));
            }
            Self::Spread(count) => {
                let pieces = in_pieces(input, *count)?;
                Arc::new(RepartitionExec::try_new(pieces, Partitioning::RoundRobinBatch(*count))?)
            }
            Self::ByKey(keys, count) => {
                let keys = keys.iter().map(physical).collect::<DfResult<_>>()?;
                Arc::new(RepartitionExec::try_new(input, Partitioning::Hash(keys, *count))?)
            }
            Self::ByRange(keys, count) => match (order(keys)?, sampled) {
                (Some(order), Some(keys)) => ranges::by_range(input, keys, order, *count)?,
                _ => return Ok((input, 1)),
            },
            Self::ByNumber(number, count) => {
                let data_type = number.get_type(logical.schema())?;
                let options = SortOptions { descending: false, nulls_first: true };
                match order(&[(number.clone(), options)])? {
                    Some(order) => ranges::by_number(input, order, &data_type, *count)?,
                    None => input,
                }
            }
            Self::Sort(keys) => match order(keys)? {
                Some(order) => {
                    Arc::new(SortExec::new(order, input).with_preserve_partitioning(true))
                }
                None => input,
            },
        };
        let count = plan.output_partitioning().partition_count();
        Ok((plan, count))
    }
}

/// A plan whose batches are cut in so many pieces: batches are dealt out whole, and few rows are one.
fn in_pieces(plan: Arc<dyn ExecutionPlan>, pieces: usize) -> DfResult<Arc<dyn ExecutionPlan>> {
    let (schema, count) = (plan.schema(), plan.output_partitioning().partition_count());
    let slice = |index| {
        let (plan, schema) = (Arc::clone(&plan), Arc::clone(&schema));
        Slice { plan, schema, index, count, pieces }
    };
    Ok(Arc::new(slices::scan(&schema, count, slice, None, None)?))
}

/// One of `count` slices of a plan's partitions.
#[derive(Debug)]
struct Slice {
    plan: Arc<dyn ExecutionPlan>,
    schema: SchemaRef,
    index: usize,
    count: usize,
    /// In how many each batch is cut.
    pieces: usize,
}

/// Rows of a piece at least, but in the first batch of a partition: few rows have no other.
const PIECE_ROWS: usize = 256;

/// The pieces of a batch, none of them empty.
fn cut(batch: &RecordBatch, is_first: bool, pieces: usize) -> Vec<RecordBatch> {
    let rows = batch.num_rows();
    let most = if is_first { rows } else { rows.div_ceil(PIECE_ROWS) };
    let pieces = pieces.min(most);
    let border = |piece: usize| rows * piece / pieces;
    let piece = |at| batch.slice(border(at), border(at + 1) - border(at));
    (0..pieces).map(piece).collect()
}

impl PartitionStream for Slice {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let parts = self.plan.output_partitioning().partition_count();
        let border = |slice: usize| slice * parts / self.count;
        let streams: Vec<SendableRecordBatchStream> = (border(self.index)..border(self.index + 1))
            .map(|part| run(&self.plan, part, &context))
            .collect();
        let schema = Arc::clone(&self.schema);
        let rows = futures::stream::iter(streams).flatten().map(move |batch| {
            let batch: RecordBatch = batch?;
            renamed(&batch, &schema).map_err(DataFusionError::from)
        });
        let schema = Arc::clone(&self.schema);
        if self.pieces == 1 {
            return Box::pin(RecordBatchStreamAdapter::new(schema, rows));
        }
        let pieces = self.pieces;
        let pieces = rows.enumerate().flat_map(move |(number, batch)| {
            futures::stream::iter(match batch {
                Ok(batch) => cut(&batch, number == 0, pieces).into_iter().map(Ok).collect(),
                Err(error) => vec![Err(error)],
            })
        });
        Box::pin(RecordBatchStreamAdapter::new(schema, pieces))
    }
}

/// A partition that runs on a task of its own, so that all of a slice run at the same time.
fn run(
    plan: &Arc<dyn ExecutionPlan>,
    partition: usize,
    context: &Arc<TaskContext>,
) -> SendableRecordBatchStream {
    let (schema, plan, context) = (plan.schema(), Arc::clone(plan), Arc::clone(context));
    run_ahead(schema, BATCHES_AHEAD, move || plan.execute(partition, context))
}
