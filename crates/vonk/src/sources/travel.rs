//! Scans on their way to other processes: what stands for the reader of a scan's files, and the reader
//! again at the other end.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::Result as DfResult;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::datasource::physical_plan::{
    FileGroup, FileScanConfig, FileScanConfigBuilder, FileSource,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::datasource::table_schema::TableSchema;
use datafusion::execution::TaskContext;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::physical_expr::Partitioning;
use datafusion::physical_plan::ExecutionPlan;
use serde::{Deserialize, Serialize};

use super::compression::Compression;
use super::csv::{self, Layout};
use super::formats::{self, Format};
use super::guard::{self, Fence, Guarded};
use super::listed::ListedStore;
use super::tolerance::Tolerance;
use super::{ReadOptions, json, split, store};
use crate::error::{Error, Result};
use crate::operators::map_batches::hidden_input;

/// A scan without the objects that only its process has.
#[derive(Debug)]
pub struct TravellingScan {
    /// What [`source`] and [`arrived`] need to make it again.
    pub head: Vec<u8>,
    /// The scan with the foundation's own reader, where its format has one, which knows how to travel.
    pub native: Option<Arc<dyn ExecutionPlan>>,
}

/// What a scan is read with.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    format: String,
    options: BTreeMap<String, String>,
    tolerance: Tolerance,
    found: Found,
    /// What tells a file from a later one under its name.
    tags: BTreeMap<String, String>,
}

/// What a format has found out of the files.
#[derive(Debug, Serialize, Deserialize)]
enum Found {
    Nothing,
    Csv(Layout),
    Json { is_inferred: bool },
}

/// What of a scan travels; `None` if it is none of files, or not one of ours.
///
/// # Errors
/// If it cannot be written down.
pub fn travelling(config: &FileScanConfig) -> Result<Option<TravellingScan>> {
    let Some(guarded) = guard::of(config) else { return Ok(None) };
    let files = config.file_groups.iter().flat_map(|group| group.iter());
    let tags = files.filter_map(|file| {
        Some((file.object_meta.location.to_string(), file.object_meta.e_tag.clone()?))
    });
    let head = Head {
        format: guarded.format.to_owned(),
        options: guarded.options.iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect(),
        tolerance: guarded.tolerance,
        found: found(guarded),
        tags: tags.collect(),
    };
    let is_native = matches!(guarded.format, "parquet" | "avro" | "arrow");
    let native = is_native.then(|| -> Arc<dyn ExecutionPlan> {
        let inner = Arc::clone(&guarded.inner);
        let config = FileScanConfigBuilder::from(config.clone()).with_source(inner).build();
        DataSourceExec::from_data_source(config)
    });
    let head = serde_json::to_vec(&head).map_err(|error| Error::internal(error.to_string()))?;
    Ok(Some(TravellingScan { head, native }))
}

fn found(guarded: &Guarded) -> Found {
    match guarded.format {
        "csv" => csv::layout_of(guarded.inner.as_ref()).map_or(Found::Nothing, Found::Csv),
        "json" => Found::Json { is_inferred: json::is_inferred(guarded.inner.as_ref()) },
        _ => Found::Nothing,
    }
}

fn read(head: &[u8]) -> Result<Head> {
    serde_json::from_slice(head)
        .map_err(|error| Error::internal(format!("a scan that cannot be read: {error}")))
}

/// The reader of a format of ours, for files with these columns in the store of `url`.
///
/// # Errors
/// If `head` is not from [`travelling`] of the same version.
pub fn source(
    head: &[u8],
    schema: TableSchema,
    url: &ObjectStoreUrl,
) -> Result<Arc<dyn FileSource>> {
    let head = read(head)?;
    let options = ReadOptions(head.options);
    let format = formats::by_name(&head.format)?;
    Ok(match head.found {
        Found::Csv(layout) => csv::source(&options, schema, layout, url)?,
        Found::Json { is_inferred } => json::source(&options, schema, is_inferred)?,
        Found::Nothing => (format.make)(&options)?.file_source(schema),
    })
}

/// The scan behind its fence again, in the process that runs it.
///
/// # Errors
/// If its store cannot be reached from here, or `head` is not from [`travelling`].
pub fn arrived(
    head: &[u8],
    plan: &Arc<dyn ExecutionPlan>,
    task: &TaskContext,
) -> Result<Arc<dyn ExecutionPlan>> {
    let head = read(head)?;
    let Some(config) = scan_of(plan) else {
        return Err(Error::internal("a scan that arrived is none"));
    };
    let mut config = config.clone();
    for group in &mut config.file_groups {
        let files = group.iter().cloned().map(|mut file| {
            file.object_meta.e_tag = head.tags.get(file.object_meta.location.as_ref()).cloned();
            file
        });
        *group = FileGroup::new(files.collect());
    }
    let options = ReadOptions(head.options);
    let format: &Format = formats::by_name(&head.format)?;
    let url = config.object_store_url.clone();
    let runtime = task.runtime_env();
    let inner = store::open(task.session_config(), &runtime, &url, &options)?;
    let files = config.file_groups.iter().flat_map(|group| group.iter());
    let listed = ListedStore::new(inner, files.map(|file| &file.object_meta));
    let footers = runtime.cache_manager.get_file_metadata_cache();
    let config = FileScanConfigBuilder::from(config).with_preserve_order(true).build();
    let fence = Fence {
        format: format.name,
        tolerance: head.tolerance,
        options,
        store: Arc::new(listed),
        footers,
        reads_late: false,
    };
    Ok(guard::fence(DataSourceExec::from_data_source(config), fence))
}

fn scan_of(plan: &Arc<dyn ExecutionPlan>) -> Option<&FileScanConfig> {
    plan.downcast_ref::<DataSourceExec>()?.data_source().downcast_ref::<FileScanConfig>()
}

/// The bytes of the files of a scan of ours.
pub fn scanned_bytes(plan: &Arc<dyn ExecutionPlan>) -> Option<u64> {
    let config = scan_of(plan)?;
    guard::of(config)?;
    let files = config.file_groups.iter().flat_map(|group| group.iter());
    Some(files.map(|file| file.effective_size()).sum())
}

/// The bytes of the files that a plan reads, also below what hides its input.
///
/// # Errors
/// None but those of the foundation.
pub(crate) fn bytes_read(plan: &Arc<dyn ExecutionPlan>) -> DfResult<u64> {
    let mut bytes = 0;
    plan.apply(|plan| {
        bytes += scanned_bytes(plan).unwrap_or(0);
        if let Some(hidden) = hidden_input(plan) {
            bytes += bytes_read(hidden)?;
        }
        Ok(TreeNodeRecursion::Continue)
    })?;
    Ok(bytes)
}

/// The same scan in so many parts, whose partitions one after the other give the rows in the order of
/// the files; `None` if it is none of ours, or reads its files in parts of another's making.
///
/// Parts of files are not made smaller than `bytes_min`.
///
/// # Errors
/// None but those of the foundation.
pub fn shares(
    plan: &Arc<dyn ExecutionPlan>,
    count: usize,
    bytes_min: u64,
) -> DfResult<Option<Vec<Arc<dyn ExecutionPlan>>>> {
    let Some(config) = scan_of(plan) else { return Ok(None) };
    let Some(guarded) = guard::of(config) else { return Ok(None) };
    let Some(files) = whole_files(config) else { return Ok(None) };
    let format = formats::by_name(guarded.format)?;
    let can_split = guarded.inner.supports_repartitioning();
    let is_plain = |path: &object_store::path::Path| {
        !format.compressible
            || matches!(Compression::of(path, &guarded.options), Ok(Compression::None))
    };
    let partitions = config.file_groups.len().max(1);
    let groups = split::into_groups(files, partitions * count, bytes_min, |file| {
        can_split && is_plain(file.path())
    });
    let each = groups.len().div_ceil(count).max(1);
    let share = |at: usize| -> Arc<dyn ExecutionPlan> {
        let mut own: Vec<FileGroup> = groups.iter().skip(at * each).take(each).cloned().collect();
        own.resize_with(each, || FileGroup::new(Vec::new()));
        let config = FileScanConfigBuilder::from(config.clone())
            .with_file_groups(own)
            .with_output_partitioning(Some(Partitioning::UnknownPartitioning(each)))
            .build();
        DataSourceExec::from_data_source(config)
    };
    Ok(Some((0..count).map(share).collect()))
}

/// The files of a scan in their order; `None` unless it reads each from its start to its end.
fn whole_files(
    config: &FileScanConfig,
) -> Option<Vec<datafusion::datasource::listing::PartitionedFile>> {
    let mut whole: Vec<datafusion::datasource::listing::PartitionedFile> = Vec::new();
    let mut read = 0;
    for part in config.file_groups.iter().flat_map(|group| group.iter()) {
        let (start, end) = part.range();
        let is_same = whole.last().is_some_and(|last| last.path() == part.path() && start > 0);
        if is_same {
            if start != read {
                return None;
            }
        } else {
            if start != 0 || whole.last().is_some_and(|last| last.object_meta.size != read) {
                return None;
            }
            let mut file = part.clone();
            file.range = None;
            whole.push(file);
        }
        read = end;
    }
    whole.last().is_none_or(|last| last.object_meta.size == read).then_some(whole)
}
