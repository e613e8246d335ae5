//! Writes that fail, are cancelled or race: what was there before stays, and nothing else.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::catalog::streaming::StreamingTable;
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::{MemoryPool, UnboundedMemoryPool};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::LogicalPlanBuilder;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use futures::StreamExt;

use crate::dataframe::DataFrame;
use crate::error::{Condition, Error};
use crate::policy::Policy;
use crate::session::Session;

/// How the rows of a test end.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    Well,
    Error,
    Panic,
    Never,
}

/// Ten batches of a hundred rows, and then the end.
#[derive(Debug)]
struct Rows {
    schema: SchemaRef,
    first: i64,
    end: End,
}

impl PartitionStream for Rows {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _context: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (schema, first, end) = (self.schema.clone(), self.first, self.end);
        let batches = (0..10).map(move |batch| {
            let numbers: Vec<i64> =
                (0..100).map(|row| first + i64::from(batch) * 100 + row).collect();
            let texts = StringArray::from_iter_values(numbers.iter().map(|n| format!("row {n}")));
            let mut columns: Vec<ArrayRef> = vec![Arc::new(texts)];
            if schema.fields().len() > 1 {
                let keys = numbers.iter().map(|n| n % 3).collect::<Int64Array>();
                columns.push(Arc::new(keys));
            }
            Ok(RecordBatch::try_new(schema.clone(), columns)?)
        });
        let last = futures::stream::once(async move {
            match end {
                End::Well => None,
                End::Error => Some(Err(DataFusionError::from(Error::new(
                    Condition::DIVIDE_BY_ZERO,
                    "division by zero",
                )))),
                End::Panic => panic!("a test panics"),
                End::Never => futures::future::pending().await,
            }
        });
        let rows = futures::stream::iter(batches).chain(last.filter_map(futures::future::ready));
        Box::pin(RecordBatchStreamAdapter::new(self.schema.clone(), rows))
    }
}

/// A query of two partitions with a thousand rows each; the second ends as told.
fn query(columns: usize, end: End) -> DataFrame {
    let fields =
        [Field::new("line", DataType::Utf8, true), Field::new("key", DataType::Int64, true)];
    let schema = Arc::new(Schema::new(fields[..columns].to_vec()));
    let part = |first, end| -> Arc<dyn PartitionStream> {
        Arc::new(Rows { schema: schema.clone(), first, end })
    };
    let parts = vec![part(0, End::Well), part(1000, end)];
    let table = Arc::new(StreamingTable::try_new(schema.clone(), parts).unwrap());
    DataFrame::deferred(Session::new(), move |_| {
        let source = provider_as_source(table.clone());
        let plan = LogicalPlanBuilder::scan("rows", source, None).and_then(|scan| scan.build());
        Box::pin(async move { Ok(plan?) })
    })
}

/// Every file below a directory with its bytes, by path.
fn contents(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in walkdir(directory) {
        let name = entry.strip_prefix(directory).unwrap().display().to_string();
        found.push((name, fs::read(&entry).unwrap()));
    }
    found.sort();
    found
}

fn walkdir(directory: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(walkdir(&path)) } else { files.push(path) }
    }
    files
}

fn lines(directory: &Path) -> usize {
    let files = contents(directory).into_iter().filter(|(name, _)| !name.contains("_SUCCESS"));
    files.map(|(_, bytes)| bytes.iter().filter(|byte| **byte == b'\n').count()).sum()
}

const FORMATS: [&str; 6] = ["parquet", "csv", "json", "text", "arrow", "avro"];

/// The three shapes of a target: a file, a directory, a partitioned directory.
const SHAPES: [&str; 3] = ["file", "directory", "partitioned"];

/// Writes in a format and shape; text has only the one column.
async fn write(root: &Path, format: &str, shape: &str, mode: &str, end: End) -> crate::Result<u64> {
    let ending = if format == "text" { "txt" } else { format };
    let is_partitioned = shape == "partitioned";
    let columns = if format == "text" && !is_partitioned { 1 } else { 2 };
    let name = if shape == "file" { format!("out.{ending}") } else { "out".to_owned() };
    let mut writer = query(columns, end).write().format(format).mode(mode);
    if is_partitioned {
        writer = writer.partition_by(["key"]);
    }
    Ok(writer.save(root.join(name).to_str().unwrap()).await?.rows)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_write_leaves_what_was_there() {
    for format in FORMATS {
        for shape in SHAPES {
            for end in [End::Error, End::Panic] {
                let root = tempfile::tempdir().unwrap();
                let case = format!("{format} {shape} {end:?}");
                write(root.path(), format, shape, "error", end).await.unwrap_err();
                assert_eq!(fs::read_dir(root.path()).unwrap().count(), 0, "{case}: left-overs");
                let rows = write(root.path(), format, shape, "error", End::Well).await.unwrap();
                assert_eq!(rows, 2000, "{case}");
                let before = contents(root.path());
                write(root.path(), format, shape, "overwrite", end).await.unwrap_err();
                assert!(contents(root.path()) == before, "{case}: overwrite changed data");
                write(root.path(), format, shape, "append", end).await.unwrap_err();
                assert!(contents(root.path()) == before, "{case}: append changed data");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancelled_write_is_swept() {
    for format in FORMATS {
        for shape in SHAPES {
            let root = tempfile::tempdir().unwrap();
            write(root.path(), format, shape, "error", End::Well).await.unwrap();
            let before = contents(root.path());
            let mut write = Box::pin(write(root.path(), format, shape, "overwrite", End::Never));
            let staged = async {
                while fs::read_dir(root.path()).unwrap().count() < 2 {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            };
            tokio::select! {
                _ = &mut write => panic!("a write without end has ended"),
                () = staged => {}
            }
            drop(write);
            for _ in 0..500 {
                if fs::read_dir(root.path()).unwrap().count() == 1 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            assert!(contents(root.path()) == before, "{format} {shape}");
        }
    }
}

#[tokio::test]
async fn modes_do_as_they_say() {
    let root = tempfile::tempdir().unwrap();
    let save = async |mode| write(root.path(), "csv", "directory", mode, End::Well).await;
    assert_eq!(save("error").await.unwrap(), 2000);
    let refused = save("error").await.unwrap_err();
    assert_eq!(refused.condition(), Condition::PATH_ALREADY_EXISTS);
    assert!(refused.hint_text().unwrap().contains("overwrite"));
    assert_eq!(save("ignore").await.unwrap(), 0);
    assert_eq!(lines(&root.path().join("out")), 2000);
    assert_eq!(save("append").await.unwrap(), 2000);
    assert_eq!(lines(&root.path().join("out")), 4000);
    assert_eq!(save("overwrite").await.unwrap(), 2000);
    assert_eq!(lines(&root.path().join("out")), 2000);
    assert!(root.path().join("out/_SUCCESS").exists());
    assert!(save("sideways").await.is_err());
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn one_file_keeps_the_order_of_the_partitions() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "text", "file", "error", End::Well).await.unwrap();
    let text = fs::read_to_string(root.path().join("out.txt")).unwrap();
    let expected: String = (0..2000).map(|n| format!("row {n}\n")).collect();
    assert!(text == expected);
}

#[tokio::test]
async fn partitions_are_directories_and_can_be_replaced_alone() {
    let root = tempfile::tempdir().unwrap();
    write(root.path(), "csv", "partitioned", "error", End::Well).await.unwrap();
    let out = root.path().join("out");
    // Of 0..2000 the remainders 0 and 1 come 667 times, 2 comes 666 times.
    assert_eq!(lines(&out.join("key=0")), 667);
    assert_eq!(lines(&out.join("key=1")), 667);
    assert_eq!(lines(&out.join("key=2")), 666);
    let other = out.join("key=9");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("stranger.csv"), "x\n").unwrap();
    let writer = query(2, End::Well).write().mode("overwrite").partition_by(["KEY"]);
    let writer = writer.option("partitionOverwriteMode", "dynamic");
    writer.csv(out.to_str().unwrap()).await.unwrap();
    assert_eq!(lines(&out), 2001);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appends_at_the_same_time_are_all_there() {
    let root = tempfile::tempdir().unwrap();
    let appends = (0..8).map(|_| write(root.path(), "csv", "directory", "append", End::Well));
    for done in futures::future::join_all(appends).await {
        done.unwrap();
    }
    assert_eq!(lines(&root.path().join("out")), 16_000);
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}

#[tokio::test]
async fn left_overs_of_the_dead_are_swept_and_work_in_progress_is_not() {
    let root = tempfile::tempdir().unwrap();
    let dead = root.path().join(".vonk-staging-00000000deadbeef");
    fs::create_dir(&dead).unwrap();
    fs::write(dead.join("new"), "torn").unwrap();
    let living = super::Staging::begin(&Policy::default(), &root.path().join("other")).unwrap();
    write(root.path(), "json", "file", "error", End::Well).await.unwrap();
    assert!(!dead.exists());
    fs::write(living.new_path(), "whole").unwrap();
    living.publish_file(super::Existing::Refuse).unwrap();
    drop(living);
    assert_eq!(fs::read_to_string(root.path().join("other")).unwrap(), "whole");
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 2);
}

#[tokio::test]
async fn a_swap_that_a_dead_process_began_is_finished() {
    let root = tempfile::tempdir().unwrap();
    let dead = root.path().join(".vonk-staging-00000000deadbeef");
    fs::create_dir_all(dead.join("new")).unwrap();
    fs::write(dead.join("new/part.csv"), "1\n").unwrap();
    fs::write(dead.join("target"), "table").unwrap();
    write(root.path(), "csv", "directory", "error", End::Well).await.unwrap();
    assert_eq!(fs::read_to_string(root.path().join("table/part.csv")).unwrap(), "1\n");
    assert!(!dead.exists());
}

#[tokio::test]
async fn files_end_where_the_option_says() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("out");
    let writer = query(2, End::Well).write().option("maxRecordsPerFile", 300);
    let report = writer.option("compression", "gzip").csv(out.to_str().unwrap()).await.unwrap();
    // Each partition of 1000 rows gives files of 300, 300, 300 and 100 rows.
    assert_eq!((report.rows, report.files), (2000, 8));
    assert!(contents(&out).iter().filter(|(name, _)| name.ends_with(".csv.gz")).count() == 8);
}

#[tokio::test]
async fn many_partitions_are_written_one_after_another() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("out");
    // Every row is a partition of its own: 2000 of them, in two tasks.
    let writer = query(2, End::Well).write().partition_by(["line"]);
    let report = writer.csv(out.to_str().unwrap()).await.unwrap();
    assert_eq!((report.rows, report.files), (2000, 2000));
    let last = &contents(&out.join("line=row 1999"))[..];
    // 1999 = 3 * 666 + 1
    assert_eq!(last.iter().map(|(_, bytes)| bytes.as_slice()).collect::<Vec<_>>(), [b"1\n"]);
}

#[tokio::test]
async fn rows_of_many_partitions_lose_nothing_when_they_are_sorted() {
    let root = tempfile::tempdir().unwrap();
    let session = Session::builder().master("local[2]").get_or_create().unwrap();
    // 700 partitions of 100 rows each, whose rows come mixed.
    let rows = session.range(0, 70_000).select_expr(["id", "id % 700 AS k"]);
    let out = root.path().join("out");
    let report = rows.write().partition_by(["k"]).parquet(out.to_str().unwrap()).await.unwrap();
    assert_eq!(report.rows, 70_000);
    for k in [0, 1, 350, 699] {
        let directory = out.join(format!("k={k}"));
        let sql = format!("SELECT count(*), sum(id) FROM '{}'", directory.display());
        let sum = 100 * k + 700 * (0..100).sum::<i64>();
        let batches = session.sql(sql).collect().await.unwrap();
        let column = |index: usize| {
            let column = batches[0].column(index).as_any().downcast_ref::<Int64Array>().unwrap();
            column.value(0)
        };
        assert_eq!((column(0), column(1)), (100, sum), "{k}");
    }
}

#[tokio::test]
async fn the_session_says_what_overwriting_partitions_means() {
    let root = tempfile::tempdir().unwrap();
    let out = root.path().join("out");
    let path = out.to_str().unwrap();
    let session = Session::new();
    let write = async |value: i64, session: &Session| {
        let rows = session.sql(format!("SELECT 'x' AS line, {value} AS key"));
        rows.write().mode("overwrite").partition_by(["key"]).csv(path).await.unwrap();
    };
    write(1, &session).await;
    write(2, &session).await;
    assert_eq!(lines(&out), 1);
    session.set("spark.sql.sources.partitionOverwriteMode", "dynamic").unwrap();
    write(3, &session).await;
    write(3, &session).await;
    assert_eq!(lines(&out), 2);
    assert!(out.join("key=2").exists() && out.join("key=3").exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_listing_amid_writes_is_of_one_of_them() {
    let root = tempfile::tempdir().unwrap();
    let (out, other) = (root.path().join("out"), root.path().join(".other"));
    // Writes of ten partitions with a file each, and of ten with two, each into a new directory.
    let make = |directory: &Path, names: &[&str]| {
        for key in 0..10 {
            let partition = directory.join(format!("key={key}"));
            fs::create_dir_all(&partition).unwrap();
            names.iter().for_each(|name| fs::write(partition.join(name), "x").unwrap());
        }
    };
    make(&out, &["a"]);
    let spec = crate::sources::ReadSpec::new([out.to_str().unwrap()]);
    let state = Session::new().state();
    let is_over = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let ends = Arc::clone(&is_over);
    let writer = std::thread::spawn(move || {
        for names in [&["a", "b"][..], &["a"]].iter().cycle() {
            if ends.load(std::sync::atomic::Ordering::Relaxed) {
                break;
            }
            make(&other, names);
            assert!(super::publish::exchange(&other, &out).unwrap());
            fs::remove_dir_all(&other).unwrap();
            std::thread::sleep(Duration::from_millis(3));
        }
    });
    for _ in 0..400 {
        let files = crate::sources::list(&state, &spec).await.unwrap().len();
        assert!(files == 10 || files == 20, "{files} files");
    }
    is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    writer.join().unwrap();
}

/// Writing to `/dev/full` fails as on a disk without space.
#[test]
fn a_full_disk_is_told_by_every_format() {
    let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new("line", DataType::Utf8, true)]));
    let lines = StringArray::from_iter_values((0..100_000).map(|n| format!("row {n}")));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(lines)]).unwrap();
    let pool: Arc<dyn MemoryPool> = Arc::new(UnboundedMemoryPool::default());
    for name in FORMATS {
        let options = super::WriteOptions::default();
        let format = super::Format::new(name, &options, "out", super::Layout::Directory).unwrap();
        let file = fs::File::options().write(true).open("/dev/full").unwrap();
        let written =
            super::encode::start(&format, file, &schema, &pool).and_then(|mut encoder| {
                encoder.write(&batch)?;
                encoder.finish()
            });
        let error = written.unwrap_err();
        let io = super::find_io(error.as_ref());
        let kind = io.map(std::io::Error::kind);
        assert_eq!(kind, Some(std::io::ErrorKind::StorageFull), "{name}: {error}");
    }
}
