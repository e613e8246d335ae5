//! What the tests and benchmarks share: the repository's paths, generated data and run modes.

use std::path::{Path, PathBuf};

pub mod data;
pub mod mode;
pub mod mutate;
pub mod random;
pub mod render;

/// An error of any kind, for code that only a test or a benchmark runs.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The top folder of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    let manifest = std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from);
    let top = manifest.ancestors().find(|folder| folder.join("Cargo.lock").is_file());
    top.unwrap_or(Path::new(".")).to_path_buf()
}
