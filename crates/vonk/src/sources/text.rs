//! The format `text`: each line of a file is a row of one column, `value`.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringViewArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result as DfResult, Statistics};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileOpenFuture, FileOpener, FileScanConfig, FileSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::metrics::{ExecutionPlanMetricsSet, MetricBuilder};
use datafusion_datasource::projection::{ProjectionOpener, SplitProjection};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use memchr::memchr_iter;
use object_store::{ObjectMeta, ObjectStore};

use super::compression::{self, Compression};
use super::lines::{Chunk, LineRules, Lines, align};
use super::option_values::{check_names, record_bytes_max};
use super::{ReadOptions, bad_option};
use crate::error::{Condition, Error, Result};

/// Whole files longer than this are refused as one value unless option `maxLineLength` says otherwise.
const WHOLE_BYTES_MAX: usize = 1 << 30;

/// How much is read at first beyond the end of a range, to finish its last line.
const TAIL_BYTES: u64 = 64 << 10;

/// The mark by which some editors begin UTF-8 files; it is no part of the text.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The format `text` with the user's options.
#[derive(Debug)]
pub(crate) struct TextFormat {
    options: Arc<TextOptions>,
}

#[derive(Debug)]
struct TextOptions {
    /// One row for a file instead of one for a line.
    whole: bool,
    rules: LineRules,
    read: ReadOptions,
}

const OPTIONS: &[&str] =
    &["encodingErrors", "lineSep", "maxLineLength", "maxRecordBytes", "wholetext"];

impl TextFormat {
    /// Reads Spark's options `wholetext` and `lineSep`, and `encodingErrors` (`strict` or `replace`),
    /// `maxLineLength` (bytes) and `compression`.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` for a value that does not fit.
    pub(crate) fn new(options: &ReadOptions) -> Result<Self> {
        check_names("text", options, OPTIONS)?;
        let separator = match options.get("lineSep") {
            Some("") => return Err(bad_option("lineSep", "", "the text that ends a line")),
            given => given,
        };
        let replace = match options.get("encodingErrors").unwrap_or("strict") {
            "strict" => false,
            "replace" => true,
            other => return Err(bad_option("encodingErrors", other, "`strict` or `replace`")),
        };
        let whole = options.flag("wholetext")?;
        let line_bytes_max = match options.get("maxLineLength") {
            None if whole => WHOLE_BYTES_MAX,
            None => record_bytes_max(options)?,
            Some(text) => match text.parse() {
                Ok(count) if (1..=i32::MAX as usize).contains(&count) => count,
                _ => {
                    return Err(bad_option(
                        "maxLineLength",
                        text,
                        "a number of bytes, 1 to 2147483647",
                    ));
                }
            },
        };
        let rules = LineRules {
            separator: separator.unwrap_or("\n").as_bytes().to_vec(),
            drop_return: separator.is_none(),
            replace,
            line_bytes_max,
            batch_size: 0,
        };
        let options = TextOptions { whole, rules, read: options.clone() };
        Ok(Self { options: Arc::new(options) })
    }
}

#[async_trait]
impl FileFormat for TextFormat {
    fn get_ext(&self) -> String {
        "txt".to_owned()
    }

    fn get_ext_with_compression(&self, compression: &FileCompressionType) -> DfResult<String> {
        Ok(format!("txt{}", datafusion::common::GetExt::get_ext(compression)))
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        None
    }

    async fn infer_schema(
        &self,
        _state: &dyn Session,
        _store: &Arc<dyn ObjectStore>,
        _files: &[ObjectMeta],
    ) -> DfResult<SchemaRef> {
        Ok(Arc::new(Schema::new(vec![Field::new("value", DataType::Utf8View, true)])))
    }

    async fn infer_stats(
        &self,
        _state: &dyn Session,
        _store: &Arc<dyn ObjectStore>,
        schema: SchemaRef,
        _file: &ObjectMeta,
    ) -> DfResult<Statistics> {
        Ok(Statistics::new_unknown(&schema))
    }

    async fn create_physical_plan(
        &self,
        _state: &dyn Session,
        config: FileScanConfig,
    ) -> DfResult<Arc<dyn ExecutionPlan>> {
        Ok(DataSourceExec::from_data_source(config))
    }

    fn file_source(&self, schema: TableSchema) -> Arc<dyn FileSource> {
        Arc::new(TextSource {
            options: Arc::clone(&self.options),
            projection: SplitProjection::unprojected(&schema),
            schema,
            batch_size: 8192,
            metrics: ExecutionPlanMetricsSet::new(),
        })
    }
}

/// Reads lines of text files.
#[derive(Debug, Clone)]
pub(crate) struct TextSource {
    options: Arc<TextOptions>,
    schema: TableSchema,
    projection: SplitProjection,
    batch_size: usize,
    metrics: ExecutionPlanMetricsSet,
}

impl FileSource for TextSource {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        _config: &FileScanConfig,
        partition: usize,
    ) -> DfResult<Arc<dyn FileOpener>> {
        let file_schema = self.schema.file_schema();
        let [column] = file_schema.fields().as_ref() else {
            let message = format!("text has one column, not {}", file_schema.fields().len());
            return Err(Error::new(Condition::DATATYPE_MISMATCH, message).into());
        };
        if !matches!(column.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View)
        {
            let message = format!("column `{}` of text must be a string", column.name());
            return Err(Error::new(Condition::DATATYPE_MISMATCH, message).into());
        }
        let rules = LineRules { batch_size: self.batch_size, ..self.options.rules.clone() };
        let opener = TextOpener {
            store,
            options: Arc::clone(&self.options),
            rules,
            schema: Arc::new(file_schema.project(&self.projection.file_indices)?),
            metrics: self.metrics.clone(),
            partition,
        };
        ProjectionOpener::try_new(self.projection.clone(), Arc::new(opener), file_schema)
    }

    fn table_schema(&self) -> &TableSchema {
        &self.schema
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(Self { batch_size, ..self.clone() })
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    /// Takes columns only: what is made of the lines stays where the optimizer's rules look for it.
    fn try_pushdown_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> DfResult<Option<Arc<dyn FileSource>>> {
        if !projection.iter().all(|column| column.expr.is::<Column>()) {
            return Ok(None);
        }
        let merged = self.projection.source.try_merge(projection)?;
        let projection = SplitProjection::new(self.schema.file_schema(), &merged);
        Ok(Some(Arc::new(Self { projection, ..self.clone() })))
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        "text"
    }

    /// A separator of several bytes could be cut by the border of a range.
    fn supports_repartitioning(&self) -> bool {
        !self.options.whole && self.options.rules.separator.len() == 1
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DfResult<TreeNodeRecursion>,
    ) -> DfResult<TreeNodeRecursion> {
        datafusion::physical_plan::apply_expression_roots(self.projection.source.iter(), visit)
    }
}

struct TextOpener {
    store: Arc<dyn ObjectStore>,
    options: Arc<TextOptions>,
    rules: LineRules,
    /// The column `value`, or none if only rows are counted.
    schema: SchemaRef,
    metrics: ExecutionPlanMetricsSet,
    partition: usize,
}

impl FileOpener for TextOpener {
    fn open(&self, file: PartitionedFile) -> DfResult<FileOpenFuture> {
        let chunks = self.chunks(&file)?;
        let name = format!("/{}", file.path());
        let (schema, rules) = (Arc::clone(&self.schema), self.rules.clone());
        let counting = schema.fields().is_empty();
        let batches = match rules.separator.as_slice() {
            _ if self.options.whole => whole_file(chunks, rules, name, schema),
            [separator] if counting => count_lines(chunks, *separator, schema),
            _ => read_lines(chunks, Lines::new(rules, name, file.range().0 == 0), schema),
        };
        let batches = batches.map_err(DataFusionError::from).boxed();
        Ok(Box::pin(async move { Ok(batches) }))
    }
}

impl TextOpener {
    /// The bytes of the lines that belong to the file's range.
    fn chunks(&self, file: &PartitionedFile) -> Result<BoxStream<'static, Result<Chunk>>> {
        let meta = &file.object_meta;
        let compression = Compression::of(&meta.location, &self.options.read)?;
        if compression != Compression::None {
            let mut offset = 0;
            let bytes = compression::read(&self.store, meta, compression);
            let chunks = bytes.map_ok(move |bytes| {
                let at = offset;
                offset += bytes.len() as u64;
                (at, bytes)
            });
            return Ok(chunks.map_ok(without_mark).boxed());
        }
        let (start, end) = file.range();
        let mut ranges =
            compression::chunks_of(meta.size, &[start.saturating_sub(1), end, end + TAIL_BYTES]);
        ranges.retain(|range| range.start >= start.saturating_sub(1));
        let chunks =
            compression::read_chunks(Arc::clone(&self.store), meta.location.clone(), ranges);
        let scanned = MetricBuilder::new(&self.metrics).counter("bytes_scanned", self.partition);
        let chunks = chunks.inspect_ok(move |(_, bytes)| scanned.add(bytes.len()));
        let chunks = chunks.map_ok(without_mark).boxed();
        Ok(match self.rules.separator.as_slice() {
            [separator] if file.range.is_some() => align(chunks, start, end, *separator),
            _ => chunks,
        })
    }
}

fn without_mark((offset, bytes): Chunk) -> Chunk {
    if offset == 0 && bytes.starts_with(BYTE_ORDER_MARK) {
        (BYTE_ORDER_MARK.len() as u64, bytes.slice(BYTE_ORDER_MARK.len()..))
    } else {
        (offset, bytes)
    }
}

fn read_lines(
    chunks: BoxStream<'static, Result<Chunk>>,
    lines: Lines,
    schema: SchemaRef,
) -> BoxStream<'static, Result<RecordBatch>> {
    let state = (chunks, lines, false);
    stream::try_unfold(state, move |(mut chunks, mut lines, mut ended)| {
        let schema = Arc::clone(&schema);
        async move {
            loop {
                if let Some(array) = lines.next_batch()? {
                    return Ok(Some((batch(&schema, array)?, (chunks, lines, ended))));
                }
                if ended {
                    return Ok(None);
                }
                match chunks.try_next().await? {
                    Some(chunk) => lines.feed(chunk),
                    None => {
                        ended = true;
                        if let Some(array) = lines.last()? {
                            return Ok(Some((batch(&schema, array)?, (chunks, lines, ended))));
                        }
                    }
                }
            }
        }
    })
    .boxed()
}

/// Counts the lines of each chunk without looking at what they hold.
fn count_lines(
    chunks: BoxStream<'static, Result<Chunk>>,
    separator: u8,
    schema: SchemaRef,
) -> BoxStream<'static, Result<RecordBatch>> {
    let counted =
        stream::try_unfold((chunks, false, false), move |(mut chunks, open, ended)| async move {
            if ended {
                return Ok(None);
            }
            Ok(Some(match chunks.try_next().await? {
                Some((_, bytes)) => {
                    let open = bytes.last().map_or(open, |last| *last != separator);
                    (memchr_iter(separator, &bytes).count(), (chunks, open, false))
                }
                None => (usize::from(open), (chunks, false, true)),
            }))
        });
    counted
        .try_filter(|rows| std::future::ready(*rows > 0))
        .and_then(move |rows| std::future::ready(rows_only(&schema, rows)))
        .boxed()
}

/// Reads a file into one value.
fn whole_file(
    mut chunks: BoxStream<'static, Result<Chunk>>,
    rules: LineRules,
    name: String,
    schema: SchemaRef,
) -> BoxStream<'static, Result<RecordBatch>> {
    let read = async move {
        if schema.fields().is_empty() {
            return rows_only(&schema, 1);
        }
        let mut bytes = Vec::new();
        while let Some((_, chunk)) = chunks.try_next().await? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > rules.line_bytes_max {
                let message = format!("the file is longer than {} bytes", rules.line_bytes_max);
                return Err(Error::new(Condition::MALFORMED_RECORD, message)
                    .file(name)
                    .hint("raise the option `maxLineLength`, or read it line by line"));
            }
        }
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) if rules.replace => String::from_utf8_lossy(error.as_bytes()).into_owned(),
            Err(error) => {
                let offset = error.utf8_error().valid_up_to();
                let message = format!("the byte at offset {offset} is not UTF-8");
                return Err(Error::new(Condition::MALFORMED_RECORD, message).file(name).hint(
                    "convert the file to UTF-8, or set option `encodingErrors` to `replace`",
                ));
            }
        };
        batch(&schema, Arc::new(StringViewArray::from_iter_values([text])))
    };
    stream::once(read).boxed()
}

/// A batch of the column `value` in the type that the table has it, or of rows alone.
fn batch(schema: &SchemaRef, lines: ArrayRef) -> Result<RecordBatch> {
    let Some(column) = schema.fields().first() else { return rows_only(schema, lines.len()) };
    let lines = match column.data_type() {
        DataType::Utf8View => lines,
        other => cast(&lines, other)?,
    };
    Ok(RecordBatch::try_new(Arc::clone(schema), vec![lines])?)
}

fn rows_only(schema: &SchemaRef, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), Vec::new(), &options)?)
}
