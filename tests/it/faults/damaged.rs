//! Damaged files: each is read, or refused by an error that names it; none ends the process.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arrow::array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding};
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder, WriterVersion};
use vonk::{Condition, Error, Session};
use vonk_tests::mutate;

use crate::writes::child;

/// The longest time that a damaged file may take.
const TIME_MAX: Duration = Duration::from_secs(5);

const FLAT: &str = "SELECT id, IF(id % 7 = 0, NULL, CAST(id AS INT)) AS n,
    concat('text ', id % 50) AS s, id / 8 AS d, CAST(id AS DECIMAL(38, 2)) AS p, id % 3 = 0 AS b,
    CAST('2024-01-01 00:00:00' AS TIMESTAMP) AS t, DATE '2024-02-29' AS day FROM range(300)";

const NESTED: &str = "SELECT id, concat('text ', id) AS s, array(id, NULL, 3) AS l,
    named_struct('x', id, 'y', array('z', NULL)) AS st, map('k', id) AS m FROM range(300)";

/// A whole file of which damaged ones are made.
struct Whole {
    name: String,
    format: &'static str,
    bytes: Vec<u8>,
}

/// A way to lay out Parquet.
type Layout = (&'static str, &'static str, fn(WriterPropertiesBuilder) -> WriterPropertiesBuilder);

/// Encodings, compressions, versions of pages, indexes and filters of Parquet.
const LAYOUTS: [Layout; 7] = [
    ("plain", FLAT, |properties| {
        properties.set_dictionary_enabled(false).set_encoding(Encoding::PLAIN)
    }),
    ("dictionary", FLAT, |properties| properties.set_compression(Compression::SNAPPY)),
    ("delta", FLAT, |properties| {
        let properties = properties.set_writer_version(WriterVersion::PARQUET_2_0);
        let properties = properties.set_dictionary_enabled(false);
        properties.set_compression(Compression::ZSTD(Default::default()))
    }),
    ("lengths", FLAT, |properties| {
        let properties = properties.set_dictionary_enabled(false);
        let properties =
            properties.set_column_encoding("s".into(), Encoding::DELTA_LENGTH_BYTE_ARRAY);
        let properties = properties.set_column_encoding("id".into(), Encoding::BYTE_STREAM_SPLIT);
        let properties = properties.set_column_encoding("p".into(), Encoding::BYTE_STREAM_SPLIT);
        properties.set_compression(Compression::GZIP(Default::default()))
    }),
    ("filters", FLAT, |properties| {
        let properties = properties.set_bloom_filter_enabled(true).set_bloom_filter_max_ndv(100);
        let properties = properties.set_data_page_row_count_limit(50).set_write_batch_size(50);
        properties.set_compression(Compression::LZ4_RAW).set_max_row_group_row_count(Some(100))
    }),
    ("nested", NESTED, |properties| properties.set_compression(Compression::UNCOMPRESSED)),
    ("nested-delta", NESTED, |properties| {
        let properties = properties.set_writer_version(WriterVersion::PARQUET_2_0);
        let properties = properties.set_column_encoding("s".into(), Encoding::DELTA_BYTE_ARRAY);
        properties.set_compression(Compression::BROTLI(Default::default()))
    }),
];

/// The other files: format, query, and the file's name without that of the compression.
const OTHERS: [(&str, &str, &[&str]); 5] = [
    ("arrow", FLAT, &["none", "lz4", "zstd"]),
    ("avro", FLAT, &["none", "snappy", "deflate", "zstandard"]),
    ("csv", FLAT, &["", ".gz", ".zst", ".bz2", ".xz", ".lz4", ".deflate", ".snappy"]),
    ("json", NESTED, &["", ".gz", ".zst", ".lz4", ".snappy"]),
    (
        "text",
        "SELECT concat('line ', id, ' é') AS line FROM range(300)",
        &["", ".gz", ".bz2", ".xz"],
    ),
];

async fn wholes(folder: &Path) -> Vec<Whole> {
    let session = Session::new();
    let mut all = Vec::new();
    for (name, query, lay_out) in LAYOUTS {
        let path = folder.join(format!("{name}.parquet"));
        let batches = session.sql(query).collect().await.unwrap();
        write_parquet(&path, &batches, lay_out(WriterProperties::builder()).build());
        all.push(whole(&path, "parquet"));
    }
    for (format, query, kinds) in OTHERS {
        for kind in kinds {
            let ending = if format == "text" { "txt" } else { format };
            let (name, compression) = match kind.starts_with('.') || kind.is_empty() {
                true => (format!("whole.{ending}{kind}"), None),
                false => (format!("{kind}.{ending}"), Some(*kind)),
            };
            let path = folder.join(name);
            let mut writer = session.sql(query).write().format(format);
            if let Some(compression) = compression {
                writer = writer.option("compression", compression);
            }
            writer.save(path.to_str().unwrap()).await.unwrap();
            all.push(whole(&path, format));
        }
    }
    let nested = session.sql(NESTED);
    for format in ["arrow", "avro"] {
        let path = folder.join(format!("nested.{format}"));
        let rows = nested.select(["id", "s", "l", "st"]);
        rows.write().format(format).save(path.to_str().unwrap()).await.unwrap();
        all.push(whole(&path, format));
    }
    all
}

fn write_parquet(path: &Path, batches: &[RecordBatch], properties: WriterProperties) {
    let file = File::create(path).unwrap();
    let mut writer = ArrowWriter::try_new(file, batches[0].schema(), Some(properties)).unwrap();
    batches.iter().for_each(|batch| writer.write(batch).unwrap());
    writer.close().unwrap();
}

fn whole(path: &Path, format: &'static str) -> Whole {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    Whole { name, format, bytes: fs::read(path).unwrap() }
}

/// Reads a file in one of three ways.
async fn read(
    session: Session,
    format: &'static str,
    path: PathBuf,
    way: u64,
) -> Result<(), Error> {
    let path = path.display().to_string();
    let rows = match way {
        0 => session.sql(format!("SELECT * FROM {format}.`{path}`")),
        1 => session.sql(format!("SELECT count(*) FROM {format}.`{path}`")),
        _ if format == "text" => session.sql(format!("SELECT max(value) FROM text.`{path}`")),
        // Its reader knows no other columns than the file's.
        _ if format == "arrow" => session.sql(format!("SELECT * FROM arrow.`{path}` LIMIT 200")),
        _ => {
            let mut reader = session.read().format(format).schema("id BIGINT, s STRING");
            if format == "csv" {
                reader = reader.option("header", true);
            }
            reader.load(path.as_str()).filter("id > 150 AND s < 'text 7'")
        }
    };
    rows.collect().await.map(drop)
}

/// What became of the damaged files.
#[derive(Debug, Default)]
struct Figures {
    read: u64,
    refused: u64,
    with_place: u64,
    wrong: Vec<String>,
}

impl Figures {
    fn count(&mut self, case: &str, path: &Path, outcome: Outcome) {
        match outcome {
            Ok(Ok(Ok(()))) => self.read += 1,
            Ok(Ok(Err(error))) => {
                self.refused += 1;
                self.with_place += u64::from(names_place(error.message()));
                let is_internal = error.condition() == Condition::INTERNAL_ERROR;
                if error.file_path() != Some(path) || is_internal {
                    self.wrong.push(format!("{case}: {error}"));
                }
            }
            Ok(Err(panic)) => self.wrong.push(format!("{case}: {panic}")),
            Err(_) => self.wrong.push(format!("{case}: not done in {TIME_MAX:?}")),
        }
    }
}

type Outcome =
    Result<Result<Result<(), Error>, tokio::task::JoinError>, tokio::time::error::Elapsed>;

fn names_place(message: &str) -> bool {
    ["line", "byte", "column", "row", "offset", "footer", "header", "end"]
        .iter()
        .any(|place| message.contains(place))
}

/// Reads so many damaged files; each of them is made from the seed and its number alone.
async fn damage(numbers: std::ops::Range<u64>, seed: u64) -> Figures {
    let folder = tempfile::tempdir().unwrap();
    let wholes = Arc::new(wholes(folder.path()).await);
    let mut figures = Figures::default();
    for whole in wholes.iter() {
        for way in 0..3 {
            let path = folder.path().join(&whole.name);
            let done = read(Session::new(), whole.format, path, way).await;
            assert!(done.is_ok(), "{} is whole: {done:?}", whole.name);
        }
    }
    let mut session = Session::builder().master("local[2]").get_or_create().unwrap();
    for number in numbers {
        let whole = &wholes[number as usize % wholes.len()];
        let way = number / wholes.len() as u64 % 3;
        let case = format!("seed {seed} number {number} way {way} {}", whole.name);
        if child::root().is_some() {
            // If this one ends the process, its parent knows which it was.
            child::tell(&format!("at: {case}"));
        }
        let path = folder.path().join(format!("damaged-{number}-{}", whole.name));
        fs::write(&path, mutate::damaged(&whole.bytes, seed, number)).unwrap();
        let reading = tokio::spawn(read(session.clone(), whole.format, path.clone(), way));
        let outcome = tokio::time::timeout(TIME_MAX, reading).await;
        if outcome.is_err() {
            session = Session::builder().master("local[2]").get_or_create().unwrap();
        }
        figures.count(&case, &path, outcome);
        fs::remove_file(&path).unwrap();
    }
    figures
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn damaged_files_are_read_or_refused_by_name() {
    let figures = damage(0..400, 1).await;
    assert!(figures.wrong.is_empty(), "{}", figures.wrong.join("\n"));
    assert!(figures.refused > 150, "{figures:?}");
    // Arrow files with a wrong number of rows, which were counted one by one for hours.
    for number in [5980, 6080] {
        let figures = damage(number..number + 1, 2).await;
        assert!(figures.wrong.is_empty() && figures.refused == 1, "{figures:?}");
    }
}

/// Ten thousand in processes of a thousand each, so that one that ends is told by its number.
#[test]
#[ignore = "a part of the soak"]
fn soak() {
    let mut told = Vec::new();
    for part in 0..10 {
        let root = tempfile::tempdir().unwrap();
        let mut command = child::command("faults::damaged::thousand", root.path());
        let output = command.env("VONK_TEST_FIRST", (part * 1000).to_string()).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let last = text.lines().rfind(|line| line.starts_with("at: ")).unwrap_or_default();
        assert!(output.status.success(), "{}: {last}\n{text}", output.status);
        told.extend(text.lines().filter(|line| line.starts_with("figures: ")).map(str::to_owned));
    }
    child::tell(&told.join("\n"));
}

/// A tenth of the soak.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it runs as a process of its own"]
async fn thousand() {
    if child::root().is_none() {
        return;
    }
    let first: u64 = std::env::var("VONK_TEST_FIRST").unwrap().parse().unwrap();
    let figures = damage(first..first + 1000, 2).await;
    child::tell(&format!("figures: {figures:?}"));
    assert!(figures.wrong.is_empty(), "{}", figures.wrong.join("\n"));
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut member, bytes).unwrap();
    member.finish().unwrap()
}

/// A gzip of a few megabytes that unpacks to a short line and one of three gigabytes.
fn one_long_line(path: &Path, first: &str) {
    const BLOCK: usize = 16 << 20;
    let member = gzip(&vec![b'x'; BLOCK]);
    let mut file = File::create(path).unwrap();
    std::io::Write::write_all(&mut file, &gzip(first.as_bytes())).unwrap();
    for _ in 0..(3_usize << 30) / BLOCK {
        std::io::Write::write_all(&mut file, &member).unwrap();
    }
}

#[test]
fn a_line_of_three_gigabytes_is_refused_by_its_option() {
    let root = tempfile::tempdir().unwrap();
    let output = child::command("faults::damaged::long_lines", root.path()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{told}");
    assert_eq!(told.matches("passed: ").count(), 4, "{told}");
}

/// The most memory that this process has had, in bytes.
fn memory_peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let digits = line.unwrap_or_default().trim().trim_end_matches(" kB");
    digits.parse::<u64>().unwrap_or_default() << 10
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it runs as a process of its own, whose memory is measured"]
async fn long_lines() {
    let Some(root) = child::root() else { return };
    let session = Session::new();
    for (format, first) in
        [("csv", "a\n1\n"), ("json", "{\"a\":1}\n"), ("text", "a\n"), ("rdd", "a\n")]
    {
        let path = root.join(format!("long.{format}.gz"));
        one_long_line(&path, first);
        let name = path.display().to_string();
        let outcome = match format {
            "rdd" => session.context().text_file(&name).collect().await.map(drop),
            _ => session.sql(format!("SELECT * FROM {format}.`{name}`")).collect().await.map(drop),
        };
        let error = outcome.expect_err("the line is too long");
        assert_eq!(error.condition(), Condition::MALFORMED_RECORD, "{format}: {error}");
        assert_eq!(error.file_path(), Some(path.as_path()), "{format}: {error}");
        assert!(error.to_string().contains("vonk.sources.record.bytes.max"), "{format}: {error}");
        assert!(memory_peak() < 700 << 20, "{format}: {} bytes", memory_peak());
        child::passed(format);
    }
    child::tell(&format!("memory peak: {} MB", memory_peak() >> 20));
}
