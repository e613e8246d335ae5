//! vonk as `cargo xtask bench` drives it: requests and answers as JSON, a line each.
//!
//! `peers.py` answers to the same requests for the engines of Python, so that neither side counts
//! the start of a process.

#![expect(clippy::print_stdout, reason = "answers are lines on the standard output")]

use std::collections::BTreeMap;
use std::io::{BufRead, Write};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use vonk::Session;
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

fn main() -> Result<(), BoxError> {
    let runtime = tokio::runtime::Runtime::new()?;
    let session = Session::new();
    for line in std::io::stdin().lock().lines() {
        let request = serde_json::from_str(&line?)?;
        let answer = runtime.block_on(answer(&session, request));
        let answer = answer
            .unwrap_or_else(|error| Answer { error: Some(error.to_string()), ..Answer::default() });
        println!("{}", serde_json::to_string(&answer)?);
        std::io::stdout().flush()?;
    }
    Ok(())
}

async fn answer(session: &Session, request: Request) -> Result<Answer, BoxError> {
    match request {
        Request::Tables(tables) => {
            for (name, path) in tables {
                let format = if path.ends_with(".txt") { "text" } else { "parquet" };
                let view = format!("CREATE TEMP VIEW {name} AS SELECT * FROM {format}.`{path}`");
                session.sql(view).collect().await?;
            }
            Ok(Answer::default())
        }
        Request::Query(query) => {
            let start = Instant::now();
            let batches = session.sql(query).collect().await?;
            let wall_s = start.elapsed().as_secs_f64();
            Ok(Answer { wall_s, rows: render::rows(&batches)?, error: None })
        }
    }
}
