//! One file of a recording, asked in a session of its own.

use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;
use vonk::arrow::datatypes::Schema;
use vonk::{Session, config, display};
use vonk_tests::BoxError;

use crate::compare::{self, Verdict};
use crate::golden::{GoldenFile, Record};
use crate::report::{FileReport, Outcome};
use crate::{render, tables};

/// A statement that takes longer has failed.
const STATEMENT_TIME_MAX: Duration = Duration::from_secs(30);

/// What a statement gave.
pub(crate) enum Answer {
    /// The schema as `struct<…>`, and each row as text.
    Rows { schema: String, rows: Vec<String> },
    /// The condition of an error, empty for a panic and for no answer in time, and its text.
    Error { condition: String, text: String },
}

/// Asks every statement of a file; a file that cannot be set up has no answers.
pub(crate) fn file(file: &GoldenFile) -> FileReport {
    let records = file.records().unwrap_or_default();
    let outcomes = match ask_all(file, &records) {
        Ok(answers) => {
            let pairs = records.into_iter().zip(answers);
            pairs.map(|(record, answer)| outcome(record, answer)).collect()
        }
        Err(error) => {
            let text = format!("no session: {error}");
            let failed = || Answer::Error { condition: String::new(), text: text.clone() };
            records.into_iter().map(|record| outcome(record, failed())).collect()
        }
    };
    FileReport { name: file.name.clone(), outcomes }
}

fn outcome(record: Record, answer: Answer) -> Outcome {
    let verdict = compare::verdict(&record, &answer);
    Outcome { record, answer, verdict }
}

fn ask_all(file: &GoldenFile, records: &[Record]) -> Result<Vec<Answer>, BoxError> {
    let warehouse = tempfile::tempdir()?;
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let session = Session::builder()
        .config(config::WAREHOUSE, warehouse.path().join("warehouse").display().to_string())
        .config(config::MASTER, "local[2]")
        .get_or_create()?;
    for (name, value) in file.settings() {
        // What vonk does not know of Spark's settings is left as it is, as by Spark's own clients.
        let _ = session.set(&name, &value);
    }
    runtime.block_on(tables::make(&session, &file.root, records))?;
    let answers = records.iter().map(|record| ask(&runtime, &session, &record.sql)).collect();
    session.stop();
    runtime.shutdown_background();
    Ok(answers)
}

/// Asks on a task of its own, so that a panic or a loop costs this statement only.
fn ask(runtime: &Runtime, session: &Session, sql: &str) -> Answer {
    let task = runtime.spawn(answer(session.clone(), sql.to_owned()));
    let abort = task.abort_handle();
    let joined = runtime.block_on(async { timeout(STATEMENT_TIME_MAX, task).await });
    let none = |text: String| Answer::Error { condition: String::new(), text };
    match joined {
        Ok(Ok(Ok(answer))) => answer,
        Ok(Ok(Err(error))) => {
            Answer::Error { condition: error.condition().name.to_owned(), text: error.to_string() }
        }
        Ok(Err(panic)) => none(format!("panic: {panic}")),
        Err(_) => {
            abort.abort();
            none(format!("no answer within {} s", STATEMENT_TIME_MAX.as_secs()))
        }
    }
}

async fn answer(session: Session, sql: String) -> vonk::Result<Answer> {
    let frame = session.sql(sql.as_str());
    let schema = frame.schema().await?;
    let batches = frame.collect().await?;
    let rows = render::rows(&session.config(), &sql, &schema, &batches)?;
    Ok(Answer::Rows { schema: schema_text(&schema), rows })
}

fn schema_text(schema: &Schema) -> String {
    let fields = schema.fields().iter().map(|field| {
        let data_type = display::field_type_name(field);
        format!("{}:{data_type}", field.name())
    });
    format!("struct<{}>", fields.collect::<Vec<_>>().join(","))
}

impl Outcome {
    /// Whether schema and rows, or the condition of the error, are Spark's.
    pub(crate) fn is_strict(&self) -> bool {
        self.verdict == Verdict::Same
    }

    /// Whether Spark answers rows and these are them.
    pub(crate) fn has_rows(&self) -> bool {
        self.record.error().is_none() && matches!(self.verdict, Verdict::Same | Verdict::SameRows)
    }
}
