//! Times vonk and its peers: every engine a process, all asked the same queries in turns.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

use crate::{Result, process, repository};

mod report;

/// The peers: packages of PyPI.
const PEERS: [&str; 3] = ["duckdb", "polars", "datafusion"];

/// The engines of a suite by name, ours first. Words are counted by all of our doors.
fn engines_of(suite: Suite) -> Vec<&'static str> {
    let ours: &[&str] = match suite {
        Suite::Tpch => &["vonk"],
        Suite::Words => &["vonk", "vonk dataframe", "vonk rdd"],
    };
    ours.iter().chain(&PEERS).copied().collect()
}

/// What `cargo xtask bench` is told.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to measure.
    #[arg(long, value_enum, default_value = "tpch")]
    suite: Suite,
    /// TPC-H's scale factor, or the gigabytes of text.
    #[arg(long, default_value_t = 1.0)]
    scale: f64,
    /// How often each query runs; the best time counts.
    #[arg(long, default_value_t = 3)]
    iters: usize,
    /// Only these queries, such as `q01,q06`.
    #[arg(long, value_delimiter = ',')]
    queries: Vec<String>,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Suite {
    /// The 22 queries of TPC-H over Parquet.
    Tpch,
    /// How often each word occurs in a text.
    Words,
}

/// A query's name and its text, where `{split}` stands for what splits a line into rows.
struct Query {
    name: String,
    text: String,
}

/// How often each word occurs.
const WORD_COUNT: &str =
    "SELECT word, count(*) AS n FROM (SELECT {split} AS word FROM words) t GROUP BY word";

/// The best of an engine's runs of a query.
#[derive(Clone)]
struct Measured {
    wall_s: f64,
    cpu_s: f64,
    rows: Vec<Vec<String>>,
}

/// Measured runs by engine, or why there is none, for a query.
type Measurements = BTreeMap<&'static str, Result<Measured, String>>;

/// Makes the data, starts the engines, and prints the tables.
pub(crate) fn run(options: &Options) -> Result<()> {
    let tables = make_tables(options)?;
    let names = engines_of(options.suite);
    let mut engines = start_engines(&names, &tables)?;
    let mut results = Vec::new();
    for query in queries(options.suite)? {
        if options.queries.is_empty() || options.queries.contains(&query.name) {
            let measured = measure(&mut engines, &query, options.iters);
            println!("{}", report::progress(&query.name, &measured));
            results.push((query.name, measured));
        }
    }
    println!("\n{}", report::tables(&names, &results));
    Ok(())
}

/// Records DuckDB's answers to the queries of TPC-H at the scale of the tests.
pub(crate) fn record_answers() -> Result<()> {
    let folder = process::target_folder()?.join("bench-data").join("answers");
    let python = process::python_with(&["duckdb"])?;
    let dir = folder.display().to_string();
    process::make_data(&["tpch", "--scale", "0.01", "--dir", &dir])?;
    let mut command = Command::new(python);
    command.arg(repository().join("benches/peers.py")).arg("--answers");
    process::run(command.arg(repository().join("sql/tpch")).arg(folder))
}

/// The files of a suite by the name of their table; those made by an earlier run are kept.
fn make_tables(options: &Options) -> Result<BTreeMap<String, PathBuf>> {
    let name = match options.suite {
        Suite::Tpch => "tpch",
        Suite::Words => "words",
    };
    let scale = options.scale.to_string();
    let folder = process::target_folder()?.join("bench-data").join(format!("{name}-{scale}"));
    if !folder.exists() {
        let unfinished = folder.with_extension("unfinished");
        let dir = unfinished.display().to_string();
        process::make_data(&[name, "--scale", &scale, "--dir", &dir])?;
        std::fs::rename(unfinished, &folder)?;
    }
    let mut tables = BTreeMap::new();
    for entry in std::fs::read_dir(&folder)? {
        let path = entry?.path();
        let table = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        tables.insert(table, path);
    }
    Ok(tables)
}

fn queries(suite: Suite) -> Result<Vec<Query>> {
    if let Suite::Words = suite {
        return Ok(vec![Query { name: "words".to_owned(), text: WORD_COUNT.to_owned() }]);
    }
    let mut queries = Vec::new();
    for entry in std::fs::read_dir(repository().join("sql/tpch"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "sql") {
            let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            queries.push(Query { name, text: std::fs::read_to_string(&path)? });
        }
    }
    queries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(queries)
}

/// How an engine makes a row of every word of the column `value`.
fn split_in(engine: &str) -> &'static str {
    match engine {
        "vonk" => "explode(split(value, ' '))",
        "duckdb" => "unnest(string_split(value, ' '))",
        _ => "unnest(string_to_array(value, ' '))",
    }
}

/// A running engine that answers requests.
struct Engine {
    name: &'static str,
    process: Child,
    requests: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Engine {
    fn start(name: &'static str, command: &mut Command) -> Result<Self> {
        let mut process = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let requests = process.stdin.take().ok_or("no standard input")?;
        let answers = BufReader::new(process.stdout.take().ok_or("no standard output")?);
        Ok(Self { name, process, requests, answers })
    }

    fn ask(&mut self, request: &Value) -> Result<Value> {
        writeln!(self.requests, "{request}")?;
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        if line.is_empty() {
            return Err(format!("{} has ended", self.name).into());
        }
        let answer: Value = serde_json::from_str(&line)?;
        match answer["error"].as_str() {
            Some(error) => Err(error.into()),
            None => Ok(answer),
        }
    }
}

impl Engine {
    fn measure(&mut self, query: &str) -> Result<Measured> {
        let before = self.cpu_seconds()?;
        let answer = self.ask(&json!({ "query": query }))?;
        Ok(Measured {
            wall_s: answer["wall_s"].as_f64().ok_or("no wall time")?,
            cpu_s: self.cpu_seconds()? - before,
            rows: serde_json::from_value(answer["rows"].clone())?,
        })
    }

    /// The processor time of all threads of the engine so far (proc(5): fields 14 and 15 in ticks).
    fn cpu_seconds(&self) -> Result<f64> {
        const TICKS_PER_SECOND: f64 = 100.0;
        let text = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // The second field is the name in parentheses, which may hold anything.
        let fields = text.rsplit(')').next().unwrap_or_default().split_whitespace();
        let ticks = fields.skip(11).take(2).map(str::parse::<f64>).sum::<Result<f64, _>>()?;
        Ok(ticks / TICKS_PER_SECOND)
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // The worker may have ended by itself; there is nothing to do about a failure here.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Starts every engine that can be, and gives it the tables.
fn start_engines(
    names: &[&'static str],
    tables: &BTreeMap<String, PathBuf>,
) -> Result<Vec<Engine>> {
    let python = process::python_with(&["duckdb", "polars", "datafusion", "pyarrow"])?;
    let worker = process::build_tools()?.join("bench-worker");
    let request = json!({ "tables": tables });
    let mut engines = Vec::new();
    for &name in names {
        let mut command = match name.strip_prefix("vonk") {
            Some(door) => {
                let mut command = Command::new(&worker);
                command.args(door.split_whitespace());
                command
            }
            None => peer_command(&python, name),
        };
        let started = Engine::start(name, &mut command).and_then(|mut engine| {
            engine.ask(&request)?;
            Ok(engine)
        });
        match started {
            Ok(engine) => engines.push(engine),
            Err(error) => println!("{name} is left out: {error}"),
        }
    }
    Ok(engines)
}

fn peer_command(python: &Path, name: &str) -> Command {
    let mut command = Command::new(python);
    command.arg(repository().join("benches/peers.py")).arg(name);
    command
}

/// Asks all engines in turns, `iters` times, and keeps the best of each.
fn measure(engines: &mut [Engine], query: &Query, iters: usize) -> Measurements {
    let mut best = Measurements::new();
    for _ in 0..iters.max(1) {
        for engine in engines.iter_mut() {
            if matches!(best.get(engine.name), Some(Err(_))) {
                continue;
            }
            let text = query.text.replace("{split}", split_in(engine.name));
            let run = engine.measure(&text).map_err(|error| error.to_string());
            let better = match (&run, best.get(engine.name)) {
                (Ok(run), Some(Ok(known))) => run.wall_s < known.wall_s,
                _ => true,
            };
            if better {
                best.insert(engine.name, run);
            }
        }
    }
    best
}
