//! The engines under test: a session per setting, and DuckDB beside them, all with the same tables.

use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio::sync::Mutex;
use vonk::config;
use vonk::{DataFrame, Session};
use vonk_tests::{BoxError, render};

use crate::duckdb::DuckDb;
use crate::files;
use crate::reply::Reply;
use crate::setting::{Setting, Storage};
use crate::table::Table;

/// A statement over tables of a few rows that takes longer has hung.
const STATEMENT_TIME_MAX: Duration = Duration::from_secs(60);

/// Conditions under which both an error and rows are right: which of them comes depends on the
/// order in which conditions are evaluated, on memory, or on what is left of a plan over no rows.
const EITHER: [&str; 6] = [
    "ARITHMETIC_OVERFLOW",
    "DIVIDE_BY_ZERO",
    "NUMERIC_VALUE_OUT_OF_RANGE",
    "CAST_",
    "QUERY_EXECUTION_MEMORY_LIMIT_EXCEEDED",
    "UNSUPPORTED_FEATURE",
];

/// Sessions with the same tables.
pub struct Bench {
    seats: Vec<Seat>,
    duckdb: Option<Mutex<DuckDb>>,
    tables: Vec<Table>,
    folder: TempDir,
    /// How often tables were laid out; each layout has a folder of its own.
    layouts: usize,
}

struct Seat {
    setting: Setting,
    session: Session,
    laid: Mutex<Laid>,
}

/// What the views of a session show.
#[derive(Default)]
struct Laid {
    layout: usize,
    names: Vec<String>,
}

impl Bench {
    /// A session for each setting, the first of which the others are held against.
    ///
    /// # Errors
    /// If an option has gone or its value no longer fits.
    pub fn new(settings: Vec<Setting>, duckdb: Option<DuckDb>) -> Result<Self, BoxError> {
        let folder = tempfile::tempdir()?;
        let warehouse = folder.path().join("warehouse").display().to_string();
        let mut seats = Vec::with_capacity(settings.len());
        for setting in settings {
            let mut builder = Session::builder().config(config::WAREHOUSE, &warehouse);
            for (name, value) in &setting.options {
                builder = builder.config(name, value);
            }
            let session = builder.get_or_create()?;
            seats.push(Seat { setting, session, laid: Mutex::default() });
        }
        let duckdb = duckdb.map(Mutex::new);
        Ok(Self { seats, duckdb, tables: Vec::new(), folder, layouts: 0 })
    }

    /// Exchanges the tables; each engine takes them over with its next statement.
    pub fn lay_out(&mut self, tables: &[Table]) {
        if self.layouts == 0 || self.tables != tables {
            self.tables = tables.to_vec();
            self.layouts += 1;
        }
    }

    /// The settings, the first of which the others are held against.
    pub fn settings(&self) -> impl Iterator<Item = &Setting> {
        self.seats.iter().map(|seat| &seat.setting)
    }

    /// Whether DuckDB is there.
    #[must_use]
    pub fn has_duckdb(&self) -> bool {
        self.duckdb.is_some()
    }

    /// What a statement gives under the first setting.
    pub async fn ask(&self, sql: &str) -> Reply {
        self.ask_under(0, sql).await
    }

    /// What a statement gives under a setting, as texts that are not canonical yet.
    pub async fn ask_under(&self, setting: usize, sql: &str) -> Reply {
        let Some(seat) = self.seats.get(setting) else { return Reply::Absent };
        if seat.setting.storage == Storage::Csv && self.tables.iter().any(files::is_nested) {
            return Reply::Absent;
        }
        if let Err(error) = self.prepare(seat).await {
            return Reply::Broken(format!("the tables cannot be laid out: {error}"));
        }
        run(seat.session.clone(), sql.to_owned()).await
    }

    /// What a statement gives in DuckDB.
    pub async fn ask_duckdb(&self, sql: &str) -> Reply {
        let Some(duckdb) = &self.duckdb else { return Reply::Absent };
        let mut duckdb = duckdb.lock().await;
        match duckdb.answer(self.layouts, &self.tables, sql).await {
            Ok(rows) => Reply::Rows(rows),
            Err(error) => Reply::Refused(error.to_string()),
        }
    }

    async fn prepare(&self, seat: &Seat) -> Result<(), BoxError> {
        let mut laid = seat.laid.lock().await;
        if laid.layout == self.layouts {
            return Ok(());
        }
        for name in laid.names.drain(..) {
            seat.session.sql(format!("DROP VIEW {name}")).collect().await?;
        }
        for table in &self.tables {
            let folder = self.folder.path().join(format!("{}-{}", self.layouts, table.name));
            let frame = frame(&seat.session, seat.setting.storage, table, &folder)?;
            frame.create_or_replace_temp_view(&table.name).await?;
            laid.names.push(table.name.clone());
        }
        laid.layout = self.layouts;
        Ok(())
    }
}

/// A table of the storage; its files are written by the first who needs them.
fn frame(
    session: &Session,
    storage: Storage,
    table: &Table,
    folder: &Path,
) -> Result<DataFrame, BoxError> {
    let folder = folder.with_extension(format!("{storage:?}"));
    let path = folder.display().to_string();
    let written = folder.exists();
    Ok(match storage {
        Storage::Values => session.sql(table.as_values(crate::print::Dialect::Vonk)),
        Storage::Memory => session.from_batches(vec![table.batch()?])?,
        Storage::Parquet => {
            if !written {
                files::write_parquet(table, &folder)?;
            }
            session.read().parquet(path)
        }
        Storage::Csv => {
            if !written {
                files::write_csv(table, &folder)?;
            }
            let reader = session.read().option("header", true);
            let reader = reader.option("nullValue", files::CSV_NULL);
            reader.schema(table.ddl(crate::print::Dialect::Vonk)).csv(path)
        }
        Storage::Json => {
            if !written {
                files::write_json(table, &folder)?;
            }
            session.read().schema(table.ddl(crate::print::Dialect::Vonk)).json(path)
        }
    })
}

/// Runs a statement in a task of its own, so that a panic is a reply.
async fn run(session: Session, sql: String) -> Reply {
    let task = tokio::spawn(async move { session.sql(sql).collect().await });
    let abort = task.abort_handle();
    match tokio::time::timeout(STATEMENT_TIME_MAX, task).await {
        Err(_) => {
            abort.abort();
            Reply::Broken(format!("no answer within {STATEMENT_TIME_MAX:?}"))
        }
        Ok(Err(panic)) => Reply::Broken(format!("panic: {panic}")),
        Ok(Ok(Ok(batches))) => match render::rows(&batches) {
            Ok(rows) => Reply::Rows(rows),
            Err(error) => Reply::Broken(format!("the rows have no text: {error}")),
        },
        Ok(Ok(Err(error))) => {
            let text = error.to_string();
            match text.starts_with("[INTERNAL_ERROR") {
                true => Reply::Broken(text),
                false => Reply::Refused(text),
            }
        }
    }
}

/// Whether an error may stand where other plans give rows.
#[must_use]
pub fn depends_on_plan(error: &str) -> bool {
    EITHER.iter().any(|condition| error.trim_start_matches('[').starts_with(condition))
}
