//! The formats that can be written, and Spark's writer options for them.

use std::collections::BTreeMap;

use arrow::ipc::CompressionType;
use arrow_avro::compression::CompressionCodec;
use datafusion::execution::SessionState;
use orc_rust::compression::CompressionType as OrcCompression;
use parquet::basic::{Compression, GzipLevel, ZstdLevel};

use super::compress::Codec;
use super::pattern;
use crate::config::Config;
use crate::error::{Condition, Error, Result};
use crate::sources::is_of_stores;

/// Writer options by name, without regard to case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct WriteOptions(BTreeMap<String, String>);

impl WriteOptions {
    pub(crate) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.0.insert(name.to_lowercase(), value.into());
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(&name.to_lowercase()).map(String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Whether overwriting replaces only the partitions that are written: by option
    /// `partitionOverwriteMode`, or else as the session has it.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` for anything but `static` and `dynamic`.
    pub(super) fn is_dynamic(&self, state: &SessionState) -> Result<bool> {
        let config = state.config().get_extension::<Config>().unwrap_or_default();
        let of_session = config.get("spark.sql.sources.partitionOverwriteMode").unwrap_or("static");
        let mode = self.get("partitionOverwriteMode").unwrap_or(of_session);
        match mode.to_lowercase().as_str() {
            "dynamic" => Ok(true),
            "static" => Ok(false),
            _ => Err(bad_option("partitionOverwriteMode", mode, "`static` or `dynamic`")),
        }
    }

    /// Refuses options that no writer has.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` with the name that looks most like it.
    pub(crate) fn check_names(&self) -> Result<()> {
        let is_known = |name: &str| {
            OPTIONS.iter().any(|known| known.eq_ignore_ascii_case(name)) || is_of_stores(name)
        };
        let Some((name, _)) = self.iter().find(|(name, _)| !is_known(name)) else { return Ok(()) };
        let message = format!("option `{name}` is not known for writing");
        Err(Error::new(Condition::INVALID_PARAMETER, message)
            .hint(format!("the options are {}", OPTIONS.join(", ")))
            .did_you_mean(name, OPTIONS.iter().copied()))
    }

    /// What stands between the values of a line of CSV, by any of its names.
    pub(super) fn separator(&self) -> Option<&str> {
        self.first(&["sep", "delimiter", "delim"])
    }

    /// The value of the first of several names that is set.
    fn first(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.get(name))
    }

    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>> {
        match self.get(name).map(str::to_lowercase).as_deref() {
            None => Ok(None),
            Some("true" | "on" | "1" | "") => Ok(Some(true)),
            Some("false" | "off" | "0") => Ok(Some(false)),
            Some(other) => Err(bad_option(name, other, "`true` or `false`")),
        }
    }

    pub(super) fn count(&self, name: &str) -> Result<Option<u64>> {
        let Some(value) = self.get(name) else { return Ok(None) };
        let count = value.trim().parse().map_err(|_| bad_option(name, value, "a whole number"))?;
        Ok(Some(count))
    }
}

impl<N: AsRef<str>, V: Into<String>> FromIterator<(N, V)> for WriteOptions {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(pairs: I) -> Self {
        let mut options = Self::default();
        pairs.into_iter().for_each(|(name, value)| options.set(name.as_ref(), value));
        options
    }
}

/// Whether one file or a directory of files is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// One file under the target's name.
    File,
    /// A directory with one file per partition of the query, as Spark writes it.
    Directory,
}

/// A format to write, with its options.
#[derive(Debug, Clone)]
pub(crate) enum Format {
    Parquet(ParquetOptions),
    Csv(CsvOptions),
    Json(JsonOptions),
    Text(TextOptions),
    Arrow(Option<CompressionType>),
    Avro(Option<CompressionCodec>),
    Orc(Option<OrcCompression>),
}

#[derive(Debug, Clone)]
pub(crate) struct ParquetOptions {
    pub(super) compression: Compression,
    /// Bytes after which a row group is closed.
    pub(super) row_group_bytes: usize,
}

#[derive(Debug, Clone)]
pub(crate) struct CsvOptions {
    pub(super) codec: Codec,
    pub(super) header: bool,
    pub(super) separator: String,
    pub(super) quote: u8,
    /// What stands before a quote inside quotes; the quote itself unless told.
    pub(super) escape: u8,
    pub(super) quote_all: bool,
    pub(super) null_value: String,
    pub(super) line_end: String,
    pub(super) dates: DateFormats,
}

#[derive(Debug, Clone)]
pub(crate) struct JsonOptions {
    pub(super) codec: Codec,
    pub(super) writes_nulls: bool,
    pub(super) dates: DateFormats,
}

#[derive(Debug, Clone)]
pub(crate) struct TextOptions {
    pub(super) codec: Codec,
    pub(super) line_end: String,
}

/// Formats of dates and timestamps in `strftime`'s letters; ISO 8601 if `None`.
#[derive(Debug, Clone, Default)]
pub(crate) struct DateFormats {
    pub(super) date: Option<String>,
    pub(super) timestamp: Option<String>,
    pub(super) timestamp_ntz: Option<String>,
}

/// The options of all writers, those of object stores aside.
const OPTIONS: &[&str] = &[
    "codec",
    "compression",
    "dateFormat",
    "delim",
    "delimiter",
    "escape",
    "header",
    "ignoreNullFields",
    "lineSep",
    "mapreduce.fileoutputcommitter.marksuccessfuljobs",
    "maxRecordsPerFile",
    "null",
    "nullstr",
    "nullValue",
    "partitionOverwriteMode",
    "quote",
    "quoteAll",
    "sep",
    "timestampFormat",
    "timestampNTZFormat",
];

/// The names of the formats, with the endings by which a path tells its format.
const FORMATS: &[(&str, &[&str])] = &[
    ("parquet", &["parquet", "parq", "pq"]),
    ("csv", &["csv", "tsv"]),
    ("json", &["json", "jsonl", "ndjson"]),
    ("text", &["txt", "text"]),
    ("arrow", &["arrow", "feather", "ipc"]),
    ("avro", &["avro"]),
    ("orc", &["orc"]),
];

/// The format that a path's ending tells, with a compression's ending behind it or not.
pub(crate) fn format_of_path(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path).to_lowercase();
    let inner = Codec::of_path(&name).map_or(name.as_str(), |(_, inner)| inner);
    let (_, ending) = inner.rsplit_once('.')?;
    FORMATS.iter().find(|(_, endings)| endings.contains(&ending)).map(|(format, _)| *format)
}

impl Format {
    /// Reads the options of a format for a path; the layout decides whether CSV has a header unless told.
    pub(crate) fn new(
        name: &str,
        options: &WriteOptions,
        path: &str,
        layout: Layout,
    ) -> Result<Self> {
        let of_path = || match layout {
            Layout::File => Codec::of_path(&path.to_lowercase()).map(|(codec, _)| codec),
            Layout::Directory => None,
        };
        let codec = || match compression(options) {
            Some(name) => Codec::parse(&name),
            None => Ok(of_path().unwrap_or(Codec::None)),
        };
        match name.to_lowercase().as_str() {
            "parquet" => Ok(Self::Parquet(ParquetOptions::new(options)?)),
            "csv" => Ok(Self::Csv(CsvOptions::new(options, codec()?, path, layout)?)),
            "json" | "jsonl" | "ndjson" => Ok(Self::Json(JsonOptions {
                codec: codec()?,
                writes_nulls: !options.flag("ignoreNullFields")?.unwrap_or(true),
                dates: DateFormats::new(options)?,
            })),
            "text" | "txt" => Ok(Self::Text(TextOptions {
                codec: codec()?,
                line_end: options.get("lineSep").unwrap_or("\n").to_owned(),
            })),
            "arrow" | "ipc" | "feather" => Ok(Self::Arrow(ipc_compression(options)?)),
            "avro" => Ok(Self::Avro(avro_compression(options)?)),
            "orc" => Ok(Self::Orc(orc_compression(options)?)),
            _ => Err(unknown_format(name)),
        }
    }

    /// What comes behind the name of a file in a directory, such as `.snappy.parquet`.
    pub(super) fn file_ending(&self) -> String {
        match self {
            Self::Parquet(options) => format!("{}.parquet", options.name_part()),
            Self::Csv(options) => format!(".csv{}", options.codec.ending()),
            Self::Json(options) => format!(".json{}", options.codec.ending()),
            Self::Text(options) => format!(".txt{}", options.codec.ending()),
            Self::Arrow(_) => ".arrow".to_owned(),
            Self::Avro(_) => ".avro".to_owned(),
            Self::Orc(compression) => {
                let codec = compression.map(|codec| format!(".{codec:?}").to_lowercase());
                format!("{}.orc", codec.unwrap_or_default())
            }
        }
    }

    /// Whether a file without rows still tells its columns.
    pub(super) fn has_schema_without_rows(&self) -> bool {
        match self {
            Self::Parquet(_) | Self::Arrow(_) | Self::Avro(_) | Self::Orc(_) => true,
            Self::Csv(options) => options.header,
            Self::Json(_) | Self::Text(_) => false,
        }
    }
}

impl ParquetOptions {
    fn new(options: &WriteOptions) -> Result<Self> {
        const ROW_GROUP_BYTES: u64 = 128 << 20;
        let name = compression(options).unwrap_or_else(|| "snappy".to_owned());
        let compression = match name.as_str() {
            "none" | "uncompressed" => Compression::UNCOMPRESSED,
            "snappy" => Compression::SNAPPY,
            "gzip" => Compression::GZIP(GzipLevel::default()),
            "zstd" => Compression::ZSTD(ZstdLevel::default()),
            "lz4" | "lz4_raw" | "lz4raw" => Compression::LZ4_RAW,
            "brotli" => Compression::BROTLI(Default::default()),
            other => {
                let known = "`none`, `snappy`, `gzip`, `zstd`, `lz4_raw` or `brotli`";
                return Err(bad_option("compression", other, known));
            }
        };
        let bytes = options.count("parquet.block.size")?.unwrap_or(ROW_GROUP_BYTES);
        let row_group_bytes = usize::try_from(bytes).unwrap_or(usize::MAX).max(1);
        Ok(Self { compression, row_group_bytes })
    }

    fn name_part(&self) -> &'static str {
        match self.compression {
            Compression::SNAPPY => ".snappy",
            Compression::GZIP(_) => ".gz",
            Compression::ZSTD(_) => ".zstd",
            Compression::LZ4_RAW => ".lz4raw",
            Compression::BROTLI(_) => ".br",
            _ => "",
        }
    }
}

impl CsvOptions {
    fn new(options: &WriteOptions, codec: Codec, path: &str, layout: Layout) -> Result<Self> {
        let quote = one_byte(options, "quote")?.unwrap_or(b'"');
        let is_tsv = layout == Layout::File && path.to_lowercase().contains(".tsv");
        let separator = match options.separator().unwrap_or(if is_tsv { "\t" } else { "," }) {
            "\\t" => "\t",
            "" => return Err(bad_option("sep", "", "at least one character")),
            other => other,
        };
        Ok(Self {
            codec,
            header: options.flag("header")?.unwrap_or(layout == Layout::File),
            separator: separator.to_owned(),
            quote,
            escape: one_byte(options, "escape")?.unwrap_or(quote),
            quote_all: options.flag("quoteAll")?.unwrap_or(false),
            null_value: options.first(&["nullValue", "null", "nullstr"]).unwrap_or("").to_owned(),
            line_end: options.get("lineSep").unwrap_or("\n").to_owned(),
            dates: DateFormats::new(options)?,
        })
    }
}

impl DateFormats {
    fn new(options: &WriteOptions) -> Result<Self> {
        let read = |name: &str| {
            options.get(name).map(|value| pattern::to_strftime(name, value)).transpose()
        };
        let timestamp = read("timestampFormat")?;
        let timestamp_ntz = match read("timestampNTZFormat")? {
            Some(own) => Some(own),
            None => timestamp.clone(),
        };
        Ok(Self { date: read("dateFormat")?, timestamp, timestamp_ntz })
    }
}

fn compression(options: &WriteOptions) -> Option<String> {
    options.first(&["compression", "codec"]).map(str::to_lowercase)
}

fn ipc_compression(options: &WriteOptions) -> Result<Option<CompressionType>> {
    match compression(options).as_deref() {
        None | Some("none" | "uncompressed") => Ok(None),
        Some("lz4" | "lz4_frame") => Ok(Some(CompressionType::LZ4_FRAME)),
        Some("zstd") => Ok(Some(CompressionType::ZSTD)),
        Some(other) => Err(bad_option("compression", other, "`none`, `lz4` or `zstd`")),
    }
}

fn avro_compression(options: &WriteOptions) -> Result<Option<CompressionCodec>> {
    match compression(options).as_deref() {
        None | Some("snappy") => Ok(Some(CompressionCodec::Snappy)),
        Some("none" | "uncompressed") => Ok(None),
        Some("deflate") => Ok(Some(CompressionCodec::Deflate)),
        Some("zstd" | "zstandard") => Ok(Some(CompressionCodec::ZStandard)),
        Some(other) => {
            Err(bad_option("compression", other, "`none`, `snappy`, `deflate` or `zstandard`"))
        }
    }
}

fn orc_compression(options: &WriteOptions) -> Result<Option<OrcCompression>> {
    match compression(options).as_deref() {
        None | Some("zstd") => Ok(Some(OrcCompression::Zstd)),
        Some("none" | "uncompressed") => Ok(None),
        Some("snappy") => Ok(Some(OrcCompression::Snappy)),
        Some("zlib") => Ok(Some(OrcCompression::Zlib)),
        Some("lz4") => Ok(Some(OrcCompression::Lz4)),
        Some(other) => {
            Err(bad_option("compression", other, "`none`, `snappy`, `zlib`, `lz4` or `zstd`"))
        }
    }
}

fn one_byte(options: &WriteOptions, name: &str) -> Result<Option<u8>> {
    match options.get(name).map(str::as_bytes) {
        None | Some([]) => Ok(None),
        Some([byte]) if byte.is_ascii() => Ok(Some(*byte)),
        Some(_) => {
            let value = options.get(name).unwrap_or_default();
            Err(bad_option(name, value, "one ASCII character"))
        }
    }
}

pub(super) fn bad_option(name: &str, value: &str, expected: &str) -> Error {
    Error::new(Condition::INVALID_PARAMETER, format!("option `{name}` cannot be `{value}`"))
        .hint(format!("give {expected}"))
        .parameter("parameter", name)
}

fn unknown_format(name: &str) -> Error {
    let error =
        Error::new(Condition::DATA_SOURCE_NOT_FOUND, format!("format `{name}` cannot be written"));
    let names = || FORMATS.iter().map(|(name, _)| *name);
    match crate::error::closest(name, names()) {
        Some(found) => error.hint(format!("did you mean `{found}`?")),
        None => error.hint(format!("use one of {}", names().collect::<Vec<_>>().join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_tells_its_format_behind_a_compression() {
        assert_eq!(format_of_path("out/a.csv.gz"), Some("csv"));
        assert_eq!(format_of_path("out/a.PARQUET"), Some("parquet"));
        assert_eq!(format_of_path("out.parquet/part"), None);
    }

    #[test]
    fn files_are_named_as_spark_names_them() {
        let ending = |format: &str, codec: &str| {
            let options = WriteOptions::from_iter([("compression", codec)]);
            Format::new(format, &options, "d", Layout::Directory).unwrap().file_ending()
        };
        assert_eq!(ending("parquet", "snappy"), ".snappy.parquet");
        assert_eq!(ending("parquet", "none"), ".parquet");
        assert_eq!(ending("csv", "gzip"), ".csv.gz");
        assert_eq!(ending("text", "bzip2"), ".txt.bz2");
    }
}
