//! DuckDB in a Python process of its own, asked over lines of JSON.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use vonk_tests::BoxError;

use crate::print::Dialect;
use crate::table::Table;

const WORKER: &str = include_str!("duckdb.py");

/// A running DuckDB.
pub struct DuckDb {
    _process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
    /// Which tables it holds.
    laid: usize,
}

impl DuckDb {
    /// Starts DuckDB under a Python that has its package.
    ///
    /// # Errors
    /// If Python or the package is not there.
    pub async fn start(python: &Path) -> Result<Self, BoxError> {
        let mut command = Command::new(python);
        command.args(["-c", WORKER]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = command.stderr(Stdio::null()).kill_on_drop(true).spawn()?;
        let requests = process.stdin.take().ok_or("no standard input")?;
        let answers = BufReader::new(process.stdout.take().ok_or("no standard output")?);
        let mut duckdb = Self { _process: process, requests, answers, laid: 0 };
        duckdb.ask(&json!({ "query": "SELECT 1" })).await?;
        Ok(duckdb)
    }

    /// The rows of a query over tables, which are made anew if `layout` is another than before.
    ///
    /// # Errors
    /// DuckDB's error.
    pub async fn answer(
        &mut self,
        layout: usize,
        tables: &[Table],
        sql: &str,
    ) -> Result<Vec<Vec<String>>, BoxError> {
        if self.laid != layout {
            let dialect = Dialect::DuckDb;
            let make = |table: &Table| {
                let (name, values) = (&table.name, table.as_values(dialect));
                format!("CREATE OR REPLACE TABLE {name} AS {values}")
            };
            let statements: Vec<String> = tables.iter().map(make).collect();
            self.ask(&json!({ "statements": statements })).await?;
            self.laid = layout;
        }
        let answer = self.ask(&json!({ "query": sql })).await?;
        Ok(serde_json::from_value(answer["rows"].clone())?)
    }

    async fn ask(&mut self, request: &Value) -> Result<Value, BoxError> {
        self.requests.write_all(format!("{request}\n").as_bytes()).await?;
        self.requests.flush().await?;
        let mut line = String::new();
        self.answers.read_line(&mut line).await?;
        if line.is_empty() {
            return Err("DuckDB has ended".into());
        }
        let answer: Value = serde_json::from_str(&line)?;
        match answer["error"].as_str() {
            Some(error) => Err(error.into()),
            None => Ok(answer),
        }
    }
}
