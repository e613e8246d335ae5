//! The arguments of the command, from which help, completions and the man page are made.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::cluster;
use crate::look::Color;
use crate::output::Format;
use crate::python;

/// Asks files questions in SQL: Parquet, CSV, JSON, text, Avro and Arrow, where they are.
#[derive(Debug, Parser)]
#[command(
    name = "vonk",
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Examples:
  vonk                                              open the shell
  vonk \"SELECT * FROM 'data/*.parquet' LIMIT 5\"      ask one question
  cat sales.csv.gz | vonk \"SELECT count(*) FROM stdin\"
  vonk -f report.sql -o csv > report.csv
  vonk run wordcount.py README.md                   run a program of Spark's
  vonk --master vonk://n1:7077,n2:7077 -f report.sql  run it on workers

Exit codes: 0 fine, 1 query error, 2 usage, 3 input or output, 130 interrupted."
)]
pub(crate) struct Args {
    /// SQL to run; without it the shell opens, or SQL is read from standard input
    pub(crate) sql: Option<String>,

    /// SQL to run, as an option
    #[arg(short, long, value_name = "SQL", conflicts_with = "sql")]
    pub(crate) command: Option<String>,

    /// File of SQL statements to run; `-` is standard input
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["sql", "command"])]
    pub(crate) file: Option<PathBuf>,

    /// How results are written
    #[arg(short, long, value_enum, default_value_t = Format::Table, value_name = "FORMAT")]
    pub(crate) output: Format,

    /// Most rows that a table shows; 0 is all [default: what the terminal has room for, at most 40]
    #[arg(long, value_name = "N")]
    pub(crate) max_rows: Option<usize>,

    /// Goes on with the next statement after an error
    #[arg(long)]
    pub(crate) keep_going: bool,

    /// Format of the data on standard input; found from its first bytes if not given
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) stdin_format: Option<InputFormat>,

    /// Where queries run: `local[N]` for N threads, `local[*]` for all cores, `vonk://HOST:PORT,…` for
    /// workers
    #[arg(long, value_name = "MASTER")]
    pub(crate) master: Option<String>,

    /// Memory for operators and caches, such as `4GB`
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory_limit: Option<String>,

    /// Sets an option of the session, by vonk's or Spark's name
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_setting)]
    pub(crate) conf: Vec<(String, String)>,

    /// Lets statements read below the current directory only, write nothing, and change no option
    /// of the process; the flags below allow more
    #[arg(long)]
    pub(crate) safe: bool,

    /// Lets statements of `--safe` read below this directory too, or this file
    #[arg(long, value_name = "PATH", requires = "safe")]
    pub(crate) allow_read: Vec<PathBuf>,

    /// Lets statements of `--safe` read and write below this directory, or write below the address
    /// of a store such as `s3://bucket/results`
    #[arg(long, value_name = "DIR", requires = "safe")]
    pub(crate) allow_write: Vec<PathBuf>,

    /// Lets statements of `--safe` read from this host: `data.example.org` or `*.example.org`
    #[arg(long, value_name = "HOST", requires = "safe")]
    pub(crate) allow_host: Vec<String>,

    /// When to use colours
    #[arg(long, value_enum, default_value_t = Color::Auto, value_name = "WHEN")]
    pub(crate) color: Color,

    /// Shows no progress bar
    #[arg(long)]
    pub(crate) no_progress: bool,

    /// Says nothing but results and errors
    #[arg(short, long)]
    pub(crate) quiet: bool,

    /// A tool instead of a query
    #[command(subcommand)]
    pub(crate) tool: Option<Tool>,
}

/// What the command does besides SQL.
#[derive(Debug, Subcommand)]
pub(crate) enum Tool {
    /// Prints the completion script of a shell
    Completions {
        /// The shell that the script is for
        shell: Shell,
    },
    /// Prints the manual page
    Man,
    /// Runs a Python program that was written for Spark
    Run(Box<python::Run>),
    /// As `run`, with the flags of spark-submit
    Submit(Box<python::Submit>),
    /// Serves Spark Connect, so that PySpark's client runs its programs here
    Server(ServerOptions),
    /// Runs parts of the queries of other processes
    Worker(Box<cluster::Worker>),
    /// Starts workers on this machine, or shows those of a cluster
    #[command(subcommand)]
    Cluster(cluster::Cluster),
}

/// What `vonk server` is told.
#[derive(Debug, clap::Args)]
pub(crate) struct ServerOptions {
    /// Address and port to listen at
    #[arg(long, default_value = "127.0.0.1:15002", value_name = "ADDRESS")]
    pub(crate) listen: String,

    /// What clients have to know, as in `sc://host/;token=…`
    #[arg(
        long,
        env = "SPARK_CONNECT_AUTHENTICATE_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub(crate) token: Option<String>,

    /// Certificate in PEM, to speak TLS
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// Key of the certificate in PEM
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Lets other machines in without a token or without TLS
    #[arg(long)]
    pub(crate) insecure: bool,

    /// Runs functions of Python programs also where other machines reach the server
    #[arg(long)]
    pub(crate) allow_python: bool,

    /// The Python that runs functions of programs, where a session does not name another
    #[arg(long, env = "PYSPARK_PYTHON", default_value = "python3", value_name = "PYTHON")]
    pub(crate) python: String,

    /// Where queries run: `local[N]` for N threads, `local[*]` for all cores, `vonk://HOST:PORT,…` for
    /// workers
    #[arg(long, value_name = "MASTER")]
    pub(crate) master: Option<String>,

    /// Memory of one session for operators and caches, such as `4GB`
    #[arg(long, value_name = "SIZE")]
    pub(crate) memory_limit: Option<String>,

    /// Sets an option of every session, by vonk's or Spark's name
    #[arg(long, value_name = "NAME=VALUE", value_parser = parse_setting)]
    pub(crate) conf: Vec<(String, String)>,

    /// Sessions that may be open at the same time
    #[arg(long, default_value_t = 1000, value_name = "N")]
    pub(crate) max_sessions: usize,
}

/// The formats that data on standard input can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum InputFormat {
    /// Comma-separated values, or with another delimiter
    Csv,
    /// JSON lines or a whole document
    Json,
    /// Lines of text, in column `value`
    Text,
    /// Apache Parquet
    Parquet,
    /// Apache Arrow IPC file
    Arrow,
    /// Apache Avro
    Avro,
}

/// Reads the arguments of the process; help, version and usage errors end it.
pub(crate) fn parse() -> Args {
    Args::parse()
}

pub(crate) fn parse_setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("give NAME=VALUE, such as vonk.memory.limit=4GB".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(arguments: &[&str]) -> Result<Args, clap::Error> {
        Args::try_parse_from([&["vonk"], arguments].concat())
    }

    #[test]
    fn the_definition_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn sql_comes_by_position_option_or_file_but_only_once() {
        assert_eq!(parse(&["SELECT 1"]).unwrap().sql.as_deref(), Some("SELECT 1"));
        assert_eq!(parse(&["-c", "SELECT 1"]).unwrap().command.as_deref(), Some("SELECT 1"));
        assert!(parse(&["-f", "x.sql"]).unwrap().file.is_some());
        assert!(parse(&["SELECT 1", "-c", "SELECT 2"]).is_err());
        assert!(parse(&["-f", "x.sql", "-c", "SELECT 2"]).is_err());
    }

    #[test]
    fn a_tool_is_no_query() {
        let args = parse(&["completions", "bash"]).unwrap();
        assert!(matches!(args.tool, Some(Tool::Completions { .. })));
        assert!(args.sql.is_none());
        assert!(matches!(parse(&["man"]).unwrap().tool, Some(Tool::Man)));
    }

    #[test]
    fn what_is_allowed_needs_safe() {
        let args = parse(&["--safe", "--allow-read", "a", "--allow-read", "b"]).unwrap();
        assert_eq!(args.allow_read, ["a", "b"].map(PathBuf::from));
        for flag in ["--allow-read", "--allow-write", "--allow-host"] {
            assert!(parse(&[flag, "x"]).is_err(), "{flag}");
        }
    }

    #[test]
    fn settings_are_pairs() {
        let args = parse(&["--conf", "a.b=c=d", "--conf", "e=f"]).unwrap();
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(args.conf, [pair("a.b", "c=d"), pair("e", "f")]);
        assert!(parse(&["--conf", "novalue"]).is_err());
    }
}
