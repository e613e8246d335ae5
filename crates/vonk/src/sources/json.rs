//! JSON files: a record a line, or documents with arrays and objects, with Spark's options and modes.
//!
//! Columns come in the order in which their keys first appear, or by their names as in Spark
//! (`vonk.sources.json.sorted`).

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use async_trait::async_trait;
use datafusion::catalog::Session;
use datafusion::common::{Result as DataFusionResult, Statistics};
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::file_compression_type::FileCompressionType;
use datafusion::datasource::physical_plan::{FileScanConfig, FileSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::physical_plan::ExecutionPlan;
use object_store::{ObjectMeta, ObjectStore};

use super::ReadOptions;
use super::samples::{self, Sampling};
use crate::config::{self, Config};
use crate::error::Result;
use options::JsonOptions;
use source::JsonSource;

mod columns;
mod decode;
mod infer;
mod options;
mod records;
mod shape;
mod source;
mod syntax;

/// Makes the reader for the user's options.
///
/// # Errors
/// `INVALID_PARAMETER_VALUE` for an option that is unknown or does not fit.
pub(super) fn make(options: &ReadOptions) -> Result<Arc<dyn FileFormat>> {
    let options = Arc::new(JsonOptions::from_options(options)?);
    Ok(Arc::new(JsonFormat { options, is_inferred: AtomicBool::new(false) }))
}

/// The JSON files of one table.
#[derive(Debug)]
struct JsonFormat {
    options: Arc<JsonOptions>,
    is_inferred: AtomicBool,
}

/// The reader of files, whose columns were found from them or else given.
///
/// # Errors
/// As [`make`].
pub(super) fn source(
    options: &ReadOptions,
    schema: TableSchema,
    is_inferred: bool,
) -> Result<Arc<dyn FileSource>> {
    let options = Arc::new(JsonOptions::from_options(options)?);
    Ok(Arc::new(JsonSource::new(options, schema, is_inferred)))
}

/// Whether the columns of a reader were found from its files.
pub(super) fn is_inferred(source: &dyn FileSource) -> bool {
    source.downcast_ref::<JsonSource>().is_some_and(JsonSource::is_inferred)
}

#[async_trait]
impl FileFormat for JsonFormat {
    fn get_ext(&self) -> String {
        "json".to_owned()
    }

    fn get_ext_with_compression(&self, kind: &FileCompressionType) -> DataFusionResult<String> {
        Ok(format!("json{}", datafusion::common::GetExt::get_ext(kind)))
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
        let options = &self.options;
        let sampling = Sampling { ratio: options.sampling_ratio, bytes: &options.bytes };
        let heads = samples::read_heads(sampling, store, files).await?;
        let mut found = infer::columns(options, &heads).await?;
        let config = state.config().get_extension::<Config>();
        let is_sorted = config.is_some_and(|config| config.is_on(config::JSON_SORTED));
        if is_sorted {
            found.members.sort();
        }
        let zone = state.config_options().execution.time_zone.clone();
        let fields = found.members.fields(options, zone.as_deref().unwrap_or("UTC"));
        let mut fields: Vec<_> = fields.iter().map(Arc::clone).collect();
        let has_corrupt = fields.iter().any(|field| field.name() == &options.corrupt_column);
        if found.has_corrupt && !has_corrupt {
            fields.push(Arc::new(Field::new(&options.corrupt_column, DataType::Utf8, true)));
        }
        if is_sorted {
            fields.sort_by(|a, b| a.name().cmp(b.name()));
        }
        self.is_inferred.store(true, Ordering::Relaxed);
        Ok(Arc::new(Schema::new(fields)))
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
        _state: &dyn Session,
        config: FileScanConfig,
    ) -> DataFusionResult<Arc<dyn ExecutionPlan>> {
        Ok(DataSourceExec::from_data_source(config))
    }

    fn file_source(&self, table_schema: TableSchema) -> Arc<dyn FileSource> {
        let is_inferred = self.is_inferred.load(Ordering::Relaxed);
        Arc::new(JsonSource::new(Arc::clone(&self.options), table_schema, is_inferred))
    }
}

#[cfg(test)]
mod tests;
