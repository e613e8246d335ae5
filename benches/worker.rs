//! vonk as `cargo xtask bench` drives it: requests and answers as JSON, a line each.
//!
//! `peers.py` answers to the same requests for the engines of Python, so that neither side counts
//! the start of a process.

#![expect(clippy::print_stdout, reason = "answers are lines on the standard output")]

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use vonk::prelude::*;
use vonk_tests::{BoxError, render};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A line that comes in.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Request {
    /// Tables by name, each with the path of its file; `.txt` is text, the others Parquet.
    Tables(BTreeMap<String, String>),
    /// A query to run once.
    Query(String),
}

/// The line that goes out.
#[derive(Serialize, Default)]
struct Answer {
    wall_s: f64,
    rows: Vec<Vec<String>>,
    error: Option<String>,
}

/// By which door the queries come in.
#[derive(Debug, Clone, Copy)]
enum Door {
    /// As the text of the request.
    Sql,
    /// The word count as a DataFrame, whatever the text.
    DataFrame,
    /// The word count as an RDD, whatever the text.
    Rdd,
}

fn main() -> Result<(), BoxError> {
    let door = match std::env::args().nth(1).as_deref() {
        None => Door::Sql,
        Some("dataframe") => Door::DataFrame,
        Some("rdd") => Door::Rdd,
        Some(other) => return Err(format!("`{other}` is no door: dataframe or rdd").into()),
    };
    let runtime = tokio::runtime::Runtime::new()?;
    let mut worker = Worker { session: Session::new(), door, tables: BTreeMap::new() };
    for line in std::io::stdin().lock().lines() {
        let request = serde_json::from_str(&line?)?;
        let answer = runtime.block_on(worker.answer(request));
        let answer = answer
            .unwrap_or_else(|error| Answer { error: Some(error.to_string()), ..Answer::default() });
        println!("{}", serde_json::to_string(&answer)?);
        std::io::stdout().flush()?;
    }
    Ok(())
}

struct Worker {
    session: Session,
    door: Door,
    tables: BTreeMap<String, String>,
}

impl Worker {
    async fn answer(&mut self, request: Request) -> Result<Answer, BoxError> {
        match request {
            Request::Tables(tables) => {
                for (name, path) in &tables {
                    let format = if path.ends_with(".txt") { "text" } else { "parquet" };
                    let view =
                        format!("CREATE TEMP VIEW {name} AS SELECT * FROM {format}.`{path}`");
                    self.session.sql(view).collect().await?;
                }
                self.tables = tables;
                Ok(Answer::default())
            }
            Request::Query(query) => {
                let start = Instant::now();
                match self.door {
                    Door::Sql => timed(start, self.session.sql(query).collect().await?),
                    Door::DataFrame => timed(start, self.words_of_dataframe().collect().await?),
                    Door::Rdd => {
                        let counts = self.words_of_rdd()?.collect().await?;
                        let wall_s = start.elapsed().as_secs_f64();
                        let rows = counts.into_iter().map(|(word, n)| vec![word, n.to_string()]);
                        Ok(Answer { wall_s, rows: rows.collect(), error: None })
                    }
                }
            }
        }
    }

    fn words_of_dataframe(&self) -> DataFrame {
        let words = functions::explode(functions::split("value", " ")).alias("word");
        let words = self.session.table("words").select([words]);
        words.group_by(["word"]).agg([functions::count("*").alias("n")])
    }

    fn words_of_rdd(&self) -> Result<Rdd<(String, i64)>, BoxError> {
        let path = self.tables.get("words").ok_or("there is no table `words`")?;
        let lines = self.session.context().text_file(path);
        let words = lines
            .flat_map(|line| line.split(' ').map(str::to_owned).collect::<Vec<_>>())
            .map(|word| (word, 1));
        Ok(words.reduce_by_key(|a, b| a + b))
    }
}

fn timed(
    start: Instant,
    batches: Vec<vonk::arrow::record_batch::RecordBatch>,
) -> Result<Answer, BoxError> {
    let wall_s = start.elapsed().as_secs_f64();
    Ok(Answer { wall_s, rows: render::rows(&batches)?, error: None })
}
