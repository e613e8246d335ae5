//! How often each part of split texts occurs: the rows that `explode(split(…))` makes, counted before
//! they are made.
//!
//! The general way builds a list per text, a row per item, and hashes each row in a table that knows
//! nothing of words. Here a part is a few bytes of the text until its first occurrence.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, Partitioning, PhysicalExpr};
use datafusion::physical_plan::execution_plan::EmissionType;
use datafusion::physical_plan::metrics::{BaselineMetrics, ExecutionPlanMetricsSet, MetricsSet};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
};
use futures::stream::{self, StreamExt, TryStreamExt};
use vonk_functions::Splitter;

use super::only_input;

mod table;

use table::Counts;

/// Counts are given away when they take more than this; who comes next adds them up.
const BYTES_MAX: usize = 128 << 20;

/// Gives the parts of a text per row, each once per so many rows, with how often it occurred.
#[derive(Debug)]
pub(crate) struct TokenCountExec {
    input: Arc<dyn ExecutionPlan>,
    text: Arc<dyn PhysicalExpr>,
    pattern: String,
    splitter: Arc<Splitter>,
    properties: Arc<PlanProperties>,
    metrics: ExecutionPlanMetricsSet,
}

impl TokenCountExec {
    /// Splits `text`, an expression over the rows of `input`, by Java's regular expression `pattern`.
    ///
    /// The columns are the parts, under `name`, and their counts.
    pub(crate) fn new(
        input: Arc<dyn ExecutionPlan>,
        text: Arc<dyn PhysicalExpr>,
        pattern: String,
        name: &str,
    ) -> DfResult<Self> {
        let schema = Arc::new(Schema::new(vec![
            Field::new(name, DataType::Utf8View, true),
            Field::new("count", DataType::Int64, false),
        ]));
        Self::with_schema(input, text, pattern, schema)
    }

    /// What is split, and by which regular expression.
    pub(crate) fn split(&self) -> (&Arc<dyn PhysicalExpr>, &str) {
        (&self.text, &self.pattern)
    }

    fn with_schema(
        input: Arc<dyn ExecutionPlan>,
        text: Arc<dyn PhysicalExpr>,
        pattern: String,
        schema: SchemaRef,
    ) -> DfResult<Self> {
        let partitions = input.output_partitioning().partition_count();
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(partitions),
            EmissionType::Final,
            input.boundedness(),
        ));
        let splitter = Arc::new(Splitter::new(&pattern)?);
        let metrics = ExecutionPlanMetricsSet::new();
        Ok(Self { input, text, pattern, splitter, properties, metrics })
    }
}

impl DisplayAs for TokenCountExec {
    fn fmt_as(&self, _format: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenCountExec: split({}, {:?})", self.text, self.pattern)
    }
}

impl ExecutionPlan for TokenCountExec {
    fn name(&self) -> &'static str {
        "TokenCountExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn for<'a> FnMut(&'a Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        visit(&self.text)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        let input = only_input(self.name(), children)?;
        let (text, pattern) = (Arc::clone(&self.text), self.pattern.clone());
        Ok(Arc::new(Self::with_schema(input, text, pattern, self.schema())?))
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> DfResult<SendableRecordBatchStream> {
        let schema = self.schema();
        let reservation = MemoryConsumer::new(format!("TokenCountExec[{partition}]"))
            .register(context.memory_pool());
        let counting = Counting {
            batches: self.input.execute(partition, Arc::clone(&context))?,
            text: Arc::clone(&self.text),
            splitter: Arc::clone(&self.splitter),
            counts: Counts::default(),
            reservation,
            schema: Arc::clone(&schema),
            rows_max: context.session_config().batch_size(),
            metrics: BaselineMetrics::new(&self.metrics, partition),
        };
        let given = stream::try_unfold(counting, Counting::next);
        let batches = given.map_ok(|batches| stream::iter(batches).map(Ok)).try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, batches)))
    }

    fn metrics(&self) -> Option<MetricsSet> {
        Some(self.metrics.clone_inner())
    }
}

/// One partition on its way.
struct Counting {
    batches: SendableRecordBatchStream,
    text: Arc<dyn PhysicalExpr>,
    splitter: Arc<Splitter>,
    counts: Counts,
    reservation: MemoryReservation,
    schema: SchemaRef,
    rows_max: usize,
    metrics: BaselineMetrics,
}

impl Counting {
    /// Counts until the input ends or memory is short, and gives what was counted.
    async fn next(mut self) -> DfResult<Option<(Vec<RecordBatch>, Self)>> {
        while let Some(batch) = self.batches.next().await {
            let elapsed = self.metrics.elapsed_compute().clone();
            let _timed = elapsed.timer();
            self.count(&batch?)?;
            let bytes = self.counts.bytes();
            if bytes > BYTES_MAX || self.reservation.try_resize(bytes).is_err() {
                return self.give().map(Some);
            }
        }
        if self.counts.is_empty() {
            return Ok(None);
        }
        self.give().map(Some)
    }

    fn count(&mut self, batch: &RecordBatch) -> DfResult<()> {
        let texts = self.text.evaluate(batch)?.into_array(batch.num_rows())?;
        let texts: ArrayRef = match texts.data_type() {
            DataType::Utf8View => texts,
            _ => cast(&texts, &DataType::Utf8View)?,
        };
        let texts = texts.as_string_view();
        match self.splitter.as_ref() {
            Splitter::Byte(separator) => count_bytes(texts, *separator, &mut self.counts),
            splitter => {
                for text in texts.iter().flatten() {
                    splitter.split(text, None, |part| self.counts.add(part.as_bytes()))?;
                }
            }
        }
        Ok(())
    }

    fn give(mut self) -> DfResult<(Vec<RecordBatch>, Self)> {
        let counted = std::mem::take(&mut self.counts);
        let batches = counted.into_batches(&self.schema, self.rows_max)?;
        self.metrics.record_output(batches.iter().map(RecordBatch::num_rows).sum());
        self.reservation.free();
        Ok((batches, self))
    }
}

/// Counts the parts between single bytes, without a look at what the bytes mean.
fn count_bytes(texts: &StringViewArray, separator: u8, counts: &mut Counts) {
    for text in texts.iter().flatten() {
        let text = text.as_bytes();
        let mut begin = 0;
        for end in memchr::memchr_iter(separator, text) {
            counts.add_within(text, begin, end);
            begin = end + 1;
        }
        counts.add_within(text, begin, text.len());
    }
}
