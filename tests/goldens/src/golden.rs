//! Recordings as they stand on disk: statements with the schema and rows, or the error, of Spark.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;
use vonk_tests::BoxError;

/// Folders whose statements call functions that only Spark's own test code defines.
const FOLDERS_SKIPPED: &[&str] = &["udf/", "udaf/", "udtf/"];

/// Files that Spark's suite leaves out, and one that starts scripts.
const FILES_SKIPPED: &[&str] = &["ignored.sql", "transform.sql"];

/// A file of statements and recorded answers.
pub(crate) struct GoldenFile {
    /// The recording's folder.
    pub(crate) root: PathBuf,
    /// The recording's name and the path in it, such as `goldens/array.sql`.
    pub(crate) name: String,
    /// The path in the recording, such as `array.sql`.
    pub(crate) path: String,
}

/// A statement and what Spark answered.
pub(crate) struct Record {
    pub(crate) sql: String,
    /// `struct<name:type,…>`.
    pub(crate) schema: String,
    /// The rows, or an exception and its details.
    pub(crate) output: String,
}

/// Every file of the recordings in a folder whose path has `only` in it, by name.
pub(crate) fn find(directory: &Path, only: &str) -> Result<Vec<GoldenFile>, BoxError> {
    let mut roots = vec![directory.to_path_buf()];
    if let Ok(entries) = std::fs::read_dir(directory) {
        roots.extend(entries.filter_map(Result::ok).map(|entry| entry.path()));
    }
    let mut files = Vec::new();
    for root in roots.into_iter().filter(|root| root.join("results").is_dir()) {
        let root = root.canonicalize()?;
        let label = root.file_name().map(|name| name.to_string_lossy().into_owned());
        let label = label.unwrap_or_default();
        for path in files_of(&root) {
            let name = format!("{label}/{path}");
            files.push(GoldenFile { root: root.clone(), name, path });
        }
    }
    files.retain(|file| file.name.contains(only));
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// The paths in a recording, without `.out`.
fn files_of(root: &Path) -> Vec<String> {
    let results = root.join("results");
    let entries = walkdir::WalkDir::new(&results).into_iter().filter_map(Result::ok);
    let paths = entries.filter_map(|entry| {
        let path = entry.path().strip_prefix(&results).ok()?.to_str()?.strip_suffix(".out")?;
        Some(path.to_owned())
    });
    let is_skipped = |path: &String| {
        FOLDERS_SKIPPED.iter().any(|folder| path.starts_with(folder))
            || FILES_SKIPPED.iter().any(|file| path.rsplit('/').next() == Some(file))
    };
    paths.filter(|path| path.ends_with(".sql") && !is_skipped(path)).collect()
}

impl GoldenFile {
    /// The statements in their order.
    pub(crate) fn records(&self) -> Result<Vec<Record>, BoxError> {
        let path = self.root.join("results").join(format!("{}.out", self.path));
        Ok(parse(&std::fs::read_to_string(path)?))
    }

    /// The options that the statements ran under, in the order in which they are set.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let is_ansi = if self.path.starts_with("nonansi") { "false" } else { "true" };
        let mut settings = vec![
            ("spark.sql.session.timeZone".to_owned(), "America/Los_Angeles".to_owned()),
            ("spark.sql.ansi.enabled".to_owned(), is_ansi.to_owned()),
        ];
        if self.path.starts_with("timestampNTZ") {
            settings.push(("spark.sql.timestampType".to_owned(), "TIMESTAMP_NTZ".to_owned()));
        }
        if self.path.starts_with("postgreSQL") {
            settings.push(("spark.sql.legacy.interval.enabled".to_owned(), "true".to_owned()));
        }
        let input = std::fs::read_to_string(self.root.join("inputs").join(&self.path));
        let input = input.unwrap_or_default();
        for line in input.lines().filter_map(|line| line.strip_prefix("--SET")) {
            let pairs = line.split(',').filter_map(|pair| pair.split_once('='));
            settings.extend(pairs.map(|(k, v)| (k.trim().to_owned(), v.trim().to_owned())));
        }
        settings
    }
}

fn parse(text: &str) -> Vec<Record> {
    let mut records: Vec<Record> = Vec::new();
    for segment in text.split("-- !query").skip(1) {
        let part = segment.split_once('\n');
        match (part.map(|(head, body)| (head.trim(), body)), records.last_mut()) {
            (Some(("schema", body)), Some(record)) => record.schema = body.trim().to_owned(),
            (Some(("output", body)), Some(record)) => {
                record.output = body.trim_start_matches('\n').trim_end().to_owned();
            }
            (Some(("analysis", _)), _) => {}
            _ => records.push(Record {
                sql: segment.trim().to_owned(),
                schema: String::new(),
                output: String::new(),
            }),
        }
    }
    records
}

static EXCEPTION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^[\w.$]+(?:Exception|Error)(?:\n|$)").ok());

static CONDITION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#""(?:errorClass|condition)"\s*:\s*"([^"]+)""#).ok());

impl Record {
    /// The condition of the recorded error, empty if it has none; None if Spark answered rows.
    pub(crate) fn error(&self) -> Option<&str> {
        let is_schema_of_none = matches!(self.schema.as_str(), "" | "struct<>");
        let pattern = EXCEPTION.as_ref().filter(|_| is_schema_of_none)?;
        pattern.is_match(&self.output).then_some(())?;
        let found = CONDITION.as_ref().and_then(|pattern| pattern.captures(&self.output));
        Some(found.and_then(|found| found.get(1)).map_or("", |condition| condition.as_str()))
    }
}
