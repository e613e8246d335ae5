//! CSV files: delimiter, quotes, header and types found from the file unless told, Spark's options
//! and modes, one large file read by all threads.

use std::sync::Arc;

use arrow::datatypes::{Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{Result as DataFusionResult, Statistics};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::physical_plan::{FileScanConfig, FileScanConfigBuilder, FileSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_plan::ExecutionPlan;
use object_store::{ObjectMeta, ObjectStore};
use parking_lot::Mutex;

use super::paths::Found;
use super::samples::{self, Head, Sampling};
use super::{ReadOptions, ReadSpec};
use crate::error::Result;
pub(super) use layout::Layout;
use options::CsvOptions;
use source::CsvSource;

mod borders;
mod columns;
mod decode;
mod infer;
mod layout;
mod options;
mod records;
mod sniff;
mod source;

/// Makes the reader for the user's options.
///
/// # Errors
/// `INVALID_PARAMETER_VALUE` for an option that is unknown or does not fit.
pub(super) fn make(options: &ReadOptions) -> Result<Arc<dyn FileFormat>> {
    let options = Arc::new(CsvOptions::from_options(options)?);
    Ok(Arc::new(CsvFormat { options, layout: Mutex::new(None) }))
}

/// The options that say of files what their reader would find by looking at the first of them.
///
/// # Errors
/// As [`make`], and those of reading.
pub(super) async fn told(
    spec: &ReadSpec,
    store: &Arc<dyn ObjectStore>,
    files: &[Found],
) -> Result<Vec<(&'static str, String)>> {
    let options = CsvOptions::from_options(&spec.options)?;
    let sampling = Sampling { ratio: options.sampling_ratio, bytes: &options.bytes };
    let first = files.iter().map(|file| &file.meta).find(|meta| meta.size > 0);
    let first = first.map(std::slice::from_ref).unwrap_or_default();
    let heads = samples::read_heads(sampling, store, first).await?;
    let Layout { dialect, header, .. } = layout::find(&options, &heads, spec.schema.as_deref());
    let mut told = Vec::new();
    if options.header.is_none() {
        told.push(("header", header.to_string()));
    }
    let guessed = options.dialect();
    let mut tell = |name, found: Option<u8>, guessed: Option<u8>| {
        let found = found.filter(|_| found != guessed);
        told.extend(found.map(|byte| (name, char::from(byte).to_string())));
    };
    tell("sep", Some(dialect.delimiter), Some(guessed.delimiter));
    tell("quote", dialect.quote, guessed.quote);
    tell("escape", dialect.escape, guessed.escape);
    Ok(told)
}

/// The CSV files of one table.
#[derive(Debug)]
struct CsvFormat {
    options: Arc<CsvOptions>,
    /// Found together with the schema, or else before the first scan.
    layout: Mutex<Option<Layout>>,
}

impl CsvFormat {
    fn sampling(&self) -> Sampling<'_> {
        Sampling { ratio: self.options.sampling_ratio, bytes: &self.options.bytes }
    }

    /// How the files of a scan are written, which their beginnings tell where nobody looked yet.
    async fn layout_of(
        &self,
        state: &dyn Session,
        config: &FileScanConfig,
        schema: &Schema,
    ) -> DataFusionResult<Layout> {
        if let Some(layout) = *self.layout.lock() {
            return Ok(layout);
        }
        let store = state.runtime_env().object_store(&config.object_store_url)?;
        let files = config.file_groups.iter().flat_map(|group| group.iter());
        let first = files.map(|file| &file.object_meta).find(|meta| meta.size > 0);
        let heads: Vec<Head> = match first {
            Some(meta) => {
                samples::read_heads(self.sampling(), &store, std::slice::from_ref(meta)).await?
            }
            None => Vec::new(),
        };
        let layout = layout::find(&self.options, &heads, Some(schema));
        *self.layout.lock() = Some(layout);
        Ok(layout)
    }
}

/// The reader of files that are known to be written so.
///
/// # Errors
/// As [`make`].
pub(super) fn source(
    options: &ReadOptions,
    schema: TableSchema,
    layout: Layout,
    url: &ObjectStoreUrl,
) -> Result<Arc<dyn FileSource>> {
    let options = Arc::new(CsvOptions::from_options(options)?);
    Ok(Arc::new(CsvSource::new(options, schema, None).with_layout(layout, url)))
}

/// How the files of a reader are written.
pub(super) fn layout_of(source: &dyn FileSource) -> Option<Layout> {
    source.downcast_ref::<CsvSource>().and_then(CsvSource::layout)
}

#[async_trait]
impl FileFormat for CsvFormat {
    fn get_ext(&self) -> String {
        "csv".to_owned()
    }

    fn get_ext_with_compression(&self, kind: &FileCompressionType) -> DataFusionResult<String> {
        Ok(format!("csv{}", datafusion::common::GetExt::get_ext(kind)))
    }

    fn compression_type(&self) -> Option<FileCompressionType> {
        None
    }

    async fn infer_schema(
        &self,
        state: &dyn Session,
        store: &Arc<dyn ObjectStore>,
        files: &[ObjectMeta],
    ) -> DataFusionResult<SchemaRef> {
        let heads = samples::read_heads(self.sampling(), store, files).await?;
        let layout = layout::find(&self.options, &heads, None);
        let zone = state.config_options().execution.time_zone.clone();
        let schema =
            layout::schema(&self.options, &heads, layout, zone.as_deref().unwrap_or("UTC")).await?;
        *self.layout.lock() = Some(layout);
        Ok(Arc::new(schema))
    }

    async fn infer_stats(
        &self,
        _state: &dyn Session,
        _store: &Arc<dyn ObjectStore>,
        table_schema: SchemaRef,
        _file: &ObjectMeta,
    ) -> DataFusionResult<Statistics> {
        Ok(Statistics::new_unknown(&table_schema))
    }

    async fn create_physical_plan(
        &self,
        state: &dyn Session,
        config: FileScanConfig,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        let layout =
            self.layout_of(state, &config, config.file_source.table_schema().file_schema()).await?;
        // The source that the table made does not know how the files are written.
        let source = (config.file_source.as_ref() as &dyn std::any::Any)
            .downcast_ref::<CsvSource>()
            .map(|source| source.with_layout(layout, &config.object_store_url));
        let config = match source {
            Some(source) => {
                FileScanConfigBuilder::from(config).with_source(Arc::new(source)).build()
            }
            None => config,
        };
        Ok(DataSourceExec::from_data_source(config))
    }

    fn file_source(&self, table_schema: TableSchema) -> Arc<dyn FileSource> {
        Arc::new(CsvSource::new(Arc::clone(&self.options), table_schema, *self.layout.lock()))
    }
}

#[cfg(test)]
mod tests;
