//! Opens CSV files and byte ranges of them as streams of batches.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, SchemaRef};
use datafusion::common::Result as DataFusionResult;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{
    FileOpenFuture, FileOpener, FileScanConfig, FileSource,
};
use datafusion::datasource::projection::{ProjectionOpener, SplitProjection};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::projection::ProjectionExprs;
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use datafusion::physical_plan::{DisplayFormatType, apply_expression_roots};
use futures::stream::{self, BoxStream};
use futures::{FutureExt, StreamExt};
use hashbrown::HashMap;
use object_store::ObjectStore;

use super::super::decoding::{self, Origin};
use super::super::input::Input;
use super::super::malformed::Mode;
use super::borders::{self, QuoteIndex};
use super::decode::{Decoder, Part, Plan, Source};
use super::infer::Sample;
use super::layout::{self, Layout};
use super::options::CsvOptions;
use super::records::Scanner;
use crate::error::{Condition, Error, Result};

/// How much of a file is read for its header, at first.
const HEADER_BYTES: usize = 16 << 10;

/// The CSV files of a scan.
#[derive(Debug, Clone)]
pub(super) struct CsvSource {
    options: Arc<CsvOptions>,
    layout: Option<Layout>,
    url: Option<ObjectStoreUrl>,
    table_schema: TableSchema,
    projection: SplitProjection,
    batch_size: usize,
    quotes: Arc<QuoteIndex>,
    metrics: ExecutionPlanMetricsSet,
}

impl CsvSource {
    pub(super) fn new(
        options: Arc<CsvOptions>,
        table_schema: TableSchema,
        layout: Option<Layout>,
    ) -> Self {
        Self {
            options,
            layout,
            url: None,
            projection: SplitProjection::unprojected(&table_schema),
            table_schema,
            batch_size: 8192,
            quotes: Arc::default(),
            metrics: ExecutionPlanMetricsSet::new(),
        }
    }

    /// How the files are written, if that is known.
    pub(super) fn layout(&self) -> Option<Layout> {
        self.layout
    }

    /// The same files, of which is known how they are written.
    pub(super) fn with_layout(&self, layout: Layout, url: &ObjectStoreUrl) -> Self {
        Self { layout: Some(layout), url: Some(url.clone()), ..self.clone() }
    }
}

impl FileSource for CsvSource {
    fn create_file_opener(
        &self,
        store: Arc<dyn ObjectStore>,
        _config: &FileScanConfig,
        partition: usize,
    ) -> DataFusionResult<Arc<dyn FileOpener>> {
        let layout = self.layout.ok_or_else(|| Error::internal("a CSV scan without a layout"))?;
        let file_schema = self.table_schema.file_schema();
        let projected = self.projection.file_indices.clone();
        let opener =
            Arc::new(CsvOpener { source: self.clone(), partition, layout, store, projected });
        ProjectionOpener::try_new(self.projection.clone(), opener, file_schema)
    }

    fn table_schema(&self) -> &TableSchema {
        &self.table_schema
    }

    fn with_batch_size(&self, batch_size: usize) -> Arc<dyn FileSource> {
        Arc::new(Self { batch_size, ..self.clone() })
    }

    fn try_pushdown_projection(
        &self,
        projection: &ProjectionExprs,
    ) -> DataFusionResult<Option<Arc<dyn FileSource>>> {
        let merged = self.projection.source.try_merge(projection)?;
        let projection = SplitProjection::new(self.table_schema.file_schema(), &merged);
        Ok(Some(Arc::new(Self { projection, ..self.clone() })))
    }

    fn projection(&self) -> Option<&ProjectionExprs> {
        Some(&self.projection.source)
    }

    fn metrics(&self) -> &ExecutionPlanMetricsSet {
        &self.metrics
    }

    fn file_type(&self) -> &str {
        "csv"
    }

    fn supports_repartitioning(&self) -> bool {
        self.options.bytes.have_ranges() && borders::can_split(&self.options.dialect())
    }

    fn fmt_extra(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.layout {
            Some(Layout { dialect, header, .. }) => {
                write!(f, ", delimiter={}", dialect.delimiter.escape_ascii())?;
                write!(f, ", header={header}")
            }
            None => Ok(()),
        }
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> DataFusionResult<TreeNodeRecursion>,
    ) -> DataFusionResult<TreeNodeRecursion> {
        apply_expression_roots(self.projection.source.iter(), visit)
    }
}

struct CsvOpener {
    source: CsvSource,
    partition: usize,
    layout: Layout,
    store: Arc<dyn ObjectStore>,
    /// Which columns of the file schema are wanted.
    projected: Vec<usize>,
}

/// The columns of one file.
struct FileColumns {
    names: Vec<String>,
    has_header: bool,
}

impl FileOpener for CsvOpener {
    fn open(&self, file: PartitionedFile) -> DataFusionResult<FileOpenFuture> {
        let opener = Self {
            source: self.source.clone(),
            partition: self.partition,
            layout: self.layout,
            store: Arc::clone(&self.store),
            projected: self.projected.clone(),
        };
        Ok(async move { opener.stream(file).await }.boxed())
    }
}

impl CsvOpener {
    async fn stream(
        self,
        file: PartitionedFile,
    ) -> DataFusionResult<BoxStream<'static, DataFusionResult<arrow::array::RecordBatch>>> {
        let (url, bytes) = (self.source.url.as_ref(), &self.source.options.bytes);
        let input = Input::new(&self.store, &file.object_meta, url, bytes)?;
        let Some(columns) = self.columns(&input).await? else { return Ok(stream::empty().boxed()) };
        let plan = self.plan(&columns, &input.name)?;
        let (start, end) = file.range();
        if !input.has_ranges() && start > 0 {
            return Ok(stream::empty().boxed());
        }
        // A range begins with the first record after the line break before it.
        let (start, seeking) = match start.checked_sub(1) {
            None => (0, None),
            Some(before) => {
                let dialect = &self.layout.dialect;
                (before, Some(self.source.quotes.state_at(&input, dialect, before).await?))
            }
        };
        let is_part = file.range.is_some() && input.has_ranges();
        let length = if is_part { end - start } else { u64::MAX };
        let skip_header = columns.has_header && seeking.is_none();
        let decoder = Decoder::new(plan, Part { seeking, length, skip_header });
        let stretches = input.bytes(start).await?;
        let scanned = decoding::bytes_scanned(&input, &self.source.metrics, self.partition);
        Ok(decoding::batches(decoder, stretches, Origin { input, start, scanned }))
    }

    /// The columns of the file by its first record; `None` if it has no record.
    async fn columns(&self, input: &Input) -> DataFusionResult<Option<FileColumns>> {
        let options = &self.source.options;
        let scanner = Scanner::new(self.layout.dialect, options.limits.columns);
        let mut length = HEADER_BYTES;
        loop {
            let (bytes, is_whole) = input.head(length).await?;
            let sample =
                Sample { bytes: &bytes, is_whole, scanner: &scanner, values: &options.values };
            match layout::file_columns(&sample, self.layout.header, &input.name) {
                Ok(None) => return Ok(None),
                Ok(Some(names)) => {
                    return Ok(Some(FileColumns { names, has_header: self.layout.header }));
                }
                Err(error) if length >= options.limits.record_bytes => return Err(error.into()),
                Err(_) => length *= 16,
            }
        }
    }

    fn plan(&self, columns: &FileColumns, file: &str) -> Result<Plan> {
        let options = &self.source.options;
        let file_schema = self.source.table_schema.file_schema();
        let schema: SchemaRef = Arc::new(file_schema.project(&self.projected)?);
        let is_inferred = self.layout.is_inferred;
        let default_mode = if is_inferred { Mode::Strict } else { Mode::Permissive };
        let mode = options.mode.unwrap_or(default_mode);
        let all = if is_inferred {
            sources_by_name(file_schema.fields(), columns, file)?
        } else {
            self.sources_by_place(columns, file)?
        };
        let sources: Vec<Source> = self.projected.iter().map(|index| all[*index]).collect();
        let checks = mode == Mode::DropMalformed || sources.contains(&Source::CorruptRecord);
        let checked = all.iter().enumerate().filter_map(|(index, source)| match source {
            Source::Field(number) if checks && !self.projected.contains(&index) => {
                Some((*number, file_schema.field(index).data_type().clone()))
            }
            _ => None,
        });
        let fields = all.iter().filter(|source| matches!(source, Source::Field(_))).count();
        Ok(Plan {
            scanner: Scanner::new(self.layout.dialect, options.limits.columns),
            values: Arc::new(options.values.clone()),
            limits: options.limits,
            mode,
            schema,
            checked: checked.collect(),
            sources,
            width: if is_inferred { columns.names.len() } else { fields },
            batch_size: self.source.batch_size,
            misfit_hint: misfit_hint(is_inferred),
        })
    }

    /// Fields go to columns one after the other; the header, if any, is not looked at.
    fn sources_by_place(&self, columns: &FileColumns, file: &str) -> Result<Vec<Source>> {
        let options = &self.source.options;
        let file_schema = self.source.table_schema.file_schema();
        let mut number = 0;
        let mut sources = Vec::with_capacity(file_schema.fields().len());
        for field in file_schema.fields() {
            if field.name() == &options.corrupt_column && field.data_type() == &DataType::Utf8 {
                sources.push(Source::CorruptRecord);
                continue;
            }
            let in_file = columns.names.get(number).filter(|_| columns.has_header);
            if let Some(name) = in_file
                && !options.enforce_schema
                && !name.eq_ignore_ascii_case(field.name())
            {
                return Err(other_header(file, number, name, field.name()));
            }
            sources.push(Source::Field(number));
            number += 1;
        }
        Ok(sources)
    }
}

fn other_header(file: &str, number: usize, found: &str, expected: &str) -> Error {
    Error::new(
        Condition::MALFORMED_RECORD,
        format!("column {} is named `{found}` where the schema has `{expected}`", number + 1),
    )
    .file(file)
    .hint("correct the schema, or set option `enforceSchema` to `true` to ignore the header")
}

/// Columns are found by their names in the header, so that files may have them in any order.
fn sources_by_name(
    fields: &[Arc<Field>],
    columns: &FileColumns,
    file: &str,
) -> Result<Vec<Source>> {
    let numbers: HashMap<String, usize> = columns
        .names
        .iter()
        .enumerate()
        .map(|(number, name)| (name.to_lowercase(), number))
        .collect();
    let source = |field: &Arc<Field>| match numbers.get(&field.name().to_lowercase()) {
        Some(number) => Source::Field(*number),
        None => Source::Missing,
    };
    let sources: Vec<Source> = fields.iter().map(source).collect();
    if !sources.is_empty() && sources.iter().all(|source| *source == Source::Missing) {
        let names: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
        return Err(Error::new(
            Condition::MALFORMED_RECORD,
            format!("the header has none of the columns {}", names.join(", ")),
        )
        .file(file)
        .hint("set option `header` to `false` if the files have none, or give a schema"));
    }
    Ok(sources)
}

fn misfit_hint(is_inferred: bool) -> &'static str {
    if is_inferred {
        "the type was found from the first part of the data: set option `samplingRatio` to `1.0` to \
         look at all, or `inferSchema` to `false` for strings, or give a schema; option `mode` set \
         to `PERMISSIVE` gives NULL, `DROPMALFORMED` leaves the line out"
    } else {
        "correct the schema or the line; option `mode` set to `PERMISSIVE` gives NULL, \
         `DROPMALFORMED` leaves the line out"
    }
}
