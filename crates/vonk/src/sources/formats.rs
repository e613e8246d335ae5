//! The table of file formats, and how the format of a file is found.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::arrow::ArrowFormat;
use datafusion::datasource::file_format::avro::AvroFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use futures::future::BoxFuture;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

use super::ReadOptions;
use super::binary::BinaryFormat;
use super::compression::Compression;
use super::option_values::check_names;
use super::paths::{Found, Root};
use super::text::TextFormat;
use crate::error::{Condition, Error, Result};

/// One row of the table of formats.
pub(crate) struct Format {
    /// The name by which users know it.
    pub(crate) name: &'static str,
    /// Endings of file names, lower case, without dot and without that of a compression.
    pub(crate) extensions: &'static [&'static str],
    /// Whether files may be compressed as a whole, such as `x.csv.gz`.
    pub(crate) compressible: bool,
    /// Whether one file tells the columns of all, unless option `mergeSchema` is set.
    pub(crate) first_file_tells: bool,
    /// Whether files hold statistics.
    pub(crate) statistics: bool,
    /// The first bytes of each file, if they are always the same.
    pub(crate) magic: Option<&'static [u8]>,
    /// Finds out whether a file is whole and sound, where the reader does not.
    pub(super) check: Option<Check>,
    /// Makes the reader for the user's options.
    pub(crate) make: fn(&ReadOptions) -> Result<Arc<dyn FileFormat>>,
}

/// A look at a file before it is read.
pub(super) type Check =
    fn(Arc<dyn ObjectStore>, ObjectMeta) -> BoxFuture<'static, datafusion::common::Result<()>>;

/// Every file format that can be read.
pub(crate) const FORMATS: &[Format] = &[
    Format {
        name: "parquet",
        extensions: &["parquet", "parq", "pq"],
        compressible: false,
        first_file_tells: true,
        statistics: true,
        magic: Some(b"PAR1"),
        check: None,
        make: |options| {
            check_names("parquet", options, &["datetimeRebaseMode", "int96RebaseMode"])?;
            Ok(Arc::new(ParquetFormat::default().with_coerce_int96(Some("us".to_owned()))))
        },
    },
    Format {
        name: "csv",
        extensions: &["csv", "tsv"],
        compressible: true,
        first_file_tells: false,
        statistics: false,
        magic: None,
        check: None,
        make: super::csv::make,
    },
    Format {
        name: "json",
        extensions: &["json", "jsonl", "ndjson"],
        compressible: true,
        first_file_tells: false,
        statistics: false,
        magic: None,
        check: None,
        make: super::json::make,
    },
    Format {
        name: "avro",
        extensions: &["avro"],
        compressible: false,
        first_file_tells: true,
        statistics: false,
        magic: Some(b"Obj\x01"),
        check: Some(super::avro::check_blocks),
        make: |options| {
            check_names("avro", options, &["datetimeRebaseMode"])?;
            Ok(Arc::new(AvroFormat))
        },
    },
    Format {
        name: "arrow",
        extensions: &["arrow", "arrows", "feather", "ipc"],
        compressible: false,
        first_file_tells: true,
        statistics: false,
        magic: Some(b"ARROW1"),
        check: Some(super::ipc::check_lengths),
        make: |options| {
            check_names("arrow", options, &[])?;
            Ok(Arc::new(ArrowFormat))
        },
    },
    Format {
        name: "orc",
        extensions: &["orc"],
        compressible: false,
        first_file_tells: true,
        statistics: false,
        magic: Some(b"ORC"),
        check: None,
        make: super::orc::make,
    },
    Format {
        name: "text",
        extensions: &["txt", "text", "log"],
        compressible: true,
        first_file_tells: true,
        statistics: false,
        magic: None,
        check: None,
        make: |options| Ok(Arc::new(TextFormat::new(options)?)),
    },
    Format {
        name: "binaryFile",
        extensions: &[],
        compressible: false,
        first_file_tells: true,
        statistics: false,
        magic: None,
        check: None,
        make: |options| {
            check_names("binaryFile", options, &[])?;
            Ok(Arc::new(BinaryFormat))
        },
    },
];

/// The format of a name.
///
/// # Errors
/// `DATA_SOURCE_NOT_FOUND` if there is none.
pub(super) fn by_name(name: &str) -> Result<&'static Format> {
    FORMATS.iter().find(|format| format.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let names = FORMATS.iter().map(|format| format.name);
        let error =
            Error::new(Condition::DATA_SOURCE_NOT_FOUND, format!("format `{name}` does not exist"));
        match crate::error::closest(name, names.clone()) {
            Some(found) => error.hint(format!("did you mean `{found}`?")),
            None => {
                let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
                error.hint(format!("the formats are {}", names.join(", ")))
            }
        }
    })
}

/// The one format of all `files`, by their endings, or else by their first bytes.
///
/// # Errors
/// `UNABLE_TO_INFER_SCHEMA` if a file's format cannot be told, or if there are several.
pub(super) async fn detect(root: &Root, files: &[Found]) -> Result<&'static Format> {
    let mut seen: BTreeMap<&'static str, &Found> = BTreeMap::new();
    for file in files {
        let name = file.meta.location.filename().unwrap_or_default();
        let format = match by_file_name(name) {
            Some(format) => format,
            None => by_magic(root, file).await?,
        };
        seen.entry(format.name).or_insert(file);
    }
    let mut names = seen.iter();
    match (names.next(), names.next()) {
        (Some((name, _)), None) => by_name(name),
        (Some((one, a)), Some((other, b))) => {
            let (a, b) = (root.display(&a.meta.location), root.display(&b.meta.location));
            let message =
                format!("files of several formats: `{a}` is `{one}` and `{b}` is `{other}`");
            Err(Error::new(Condition::UNABLE_TO_INFER_SCHEMA, message)
                .hint(format!("name one kind with a glob such as `*.{one}`")))
        }
        (None, _) => Err(Error::internal("no files to find a format for")),
    }
}

fn by_file_name(name: &str) -> Option<&'static Format> {
    let (compression, stem) = Compression::by_name(name);
    let compressed = compression != Compression::None;
    let ending = stem.rsplit_once('.')?.1.to_lowercase();
    FORMATS
        .iter()
        .filter(|format| format.compressible || !compressed)
        .find(|format| format.extensions.contains(&ending.as_str()))
}

async fn by_magic(root: &Root, file: &Found) -> Result<&'static Format> {
    let longest = FORMATS.iter().filter_map(|f| f.magic).map(<[u8]>::len).max().unwrap_or(0) as u64;
    let end = longest.min(file.meta.size);
    let start = match end {
        0 => bytes::Bytes::new(),
        _ => root.store.get_range(&file.meta.location, 0..end).await?,
    };
    let format = FORMATS.iter().find(|f| f.magic.is_some_and(|magic| start.starts_with(magic)));
    format.ok_or_else(|| {
        let path = root.display(&file.meta.location);
        Error::new(
            Condition::UNABLE_TO_INFER_SCHEMA,
            "the format cannot be told from the file's name",
        )
        .file(&path)
        .hint(format!("name the format, as in text.`{path}`"))
    })
}
