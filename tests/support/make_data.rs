//! Makes data sets for benchmarks and answers; `cargo xtask data` calls it.

use std::path::PathBuf;

use clap::Parser;
use vonk_tests::{BoxError, data};

/// A data set and where it goes.
#[derive(Parser)]
enum Make {
    /// The eight tables of TPC-H as Parquet.
    Tpch {
        /// The scale factor; 1 is about 300 MB of Parquet.
        #[arg(long, default_value_t = 1.0)]
        scale: f64,
        /// The folder to write into.
        #[arg(long)]
        dir: PathBuf,
    },
    /// A text whose words have frequencies as in a language.
    Words {
        /// The size in units of 1,000,000,000 bytes.
        #[arg(long, default_value_t = 1.0)]
        scale: f64,
        /// The folder to write `words.txt` into.
        #[arg(long)]
        dir: PathBuf,
    },
}

fn main() -> Result<(), BoxError> {
    match Make::parse() {
        Make::Tpch { scale, dir } => data::write_tpch(&dir, scale),
        Make::Words { scale, dir } => {
            data::write_words(&dir.join("words.txt"), (scale * 1e9) as u64)
        }
    }
}
