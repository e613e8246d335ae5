//! Runs every `sql/**/*.slt` under every mode, one test per file and mode.
//!
//! `cargo test -p vonk-tests --test slt -- joins` runs the files whose path or mode has `joins` in
//! it. sql/README.md tells how such a file is written.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use sqllogictest::{AsyncDB, ColumnType, DBOutput, Record, Runner};
use vonk::Session;
use vonk_tests::mode::{MODES, Mode};
use vonk_tests::{BoxError, render, repository};

/// A record that takes longer has hung.
const RECORD_TIME_MAX: Duration = Duration::from_secs(180);

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    for file in slt_files() {
        for mode in MODES {
            let path = file.clone();
            let name = format!("{}::{}", relative(&file), mode.name);
            trials.push(Trial::test(name, move || run_file(&path, mode).map_err(Failed::from)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn slt_files() -> Vec<PathBuf> {
    walkdir::WalkDir::new(repository().join("sql"))
        .sort_by_file_name()
        .into_iter()
        .filter_map(Result::ok)
        .map(walkdir::DirEntry::into_path)
        .filter(|path| path.extension().is_some_and(|extension| extension == "slt"))
        .collect()
}

fn relative(file: &Path) -> String {
    let root = repository().join("sql");
    file.strip_prefix(root).unwrap_or(file).with_extension("").display().to_string()
}

/// Runs all records of a file, and tells of every one that fails.
fn run_file(file: &Path, mode: &'static Mode) -> Result<(), BoxError> {
    let temporary = tempfile::tempdir()?;
    let warehouse = temporary.path().join("warehouse").display().to_string();
    let name = format!("sql/{}.slt", relative(file));
    let script =
        std::fs::read_to_string(file)?.replace("$TMP", &temporary.path().display().to_string());
    let script = script.replace("$SQL", &repository().join("sql").display().to_string());
    let records = sqllogictest::parser::parse_with_name::<Letter>(&script, name)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let failures = runtime.block_on(async {
        let connect = move || {
            let session = mode.session(&warehouse);
            async move { Ok(Engine { session: session.map_err(Failure::from)? }) }
        };
        let mut runner = Runner::new(connect);
        runner.with_column_validator(sqllogictest::strict_column_validator);
        runner.add_label(mode.name);
        run_records(&mut runner, records).await
    });
    if failures.is_empty() { Ok(()) } else { Err(failures.join("\n\n").into()) }
}

async fn run_records<M>(runner: &mut Runner<Engine, M>, records: Vec<Record<Letter>>) -> Vec<String>
where
    M: sqllogictest::MakeConnection<Conn = Engine>,
{
    let mut failures = Vec::new();
    for record in records {
        if matches!(record, Record::Halt { .. }) {
            break;
        }
        if let Err(error) = runner.run_async(record).await {
            failures.push(error.to_string());
        }
    }
    failures
}

/// A session as the runner sees it.
struct Engine {
    session: Session,
}

/// What the runner compares `statement error` with: `[CONDITION] file: message at …`.
#[derive(Debug)]
struct Failure(String);

impl From<vonk::Error> for Failure {
    fn from(error: vonk::Error) -> Self {
        Self(error.to_string())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// The type of a column, by the letters of [`render::type_letter`].
#[derive(Debug, Clone, PartialEq, Eq)]
struct Letter(char);

impl ColumnType for Letter {
    fn from_char(value: char) -> Option<Self> {
        "TIRPBDSXN?".contains(value).then_some(Self(value))
    }

    fn to_char(&self) -> char {
        self.0
    }
}

#[async_trait::async_trait]
impl AsyncDB for Engine {
    type Error = Failure;
    type ColumnType = Letter;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<Letter>, Failure> {
        let answer = tokio::time::timeout(RECORD_TIME_MAX, answer(&self.session, sql));
        answer.await.map_err(|_| Failure(format!("no answer within {RECORD_TIME_MAX:?}")))?
    }

    fn engine_name(&self) -> &'static str {
        "vonk"
    }

    async fn shutdown(&mut self) {
        self.session.stop();
    }
}

async fn answer(session: &Session, sql: &str) -> Result<DBOutput<Letter>, Failure> {
    let frame = session.sql(sql);
    let schema = frame.schema().await?;
    let batches = frame.collect().await?;
    if schema.fields().is_empty() {
        return Ok(DBOutput::StatementComplete(0));
    }
    let types = schema
        .fields()
        .iter()
        .map(|field| Letter(render::type_letter(field.data_type())))
        .collect();
    let rows = render::rows(&batches).map_err(|error| Failure(error.to_string()))?;
    Ok(DBOutput::Rows { types, rows })
}
