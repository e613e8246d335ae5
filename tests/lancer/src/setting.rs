//! The configurations under which a query must give the same rows.

use vonk::config::{self, OPTIONS};

/// Where the rows of a table lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// A view over VALUES, which the planner sees through.
    Values,
    /// Batches in memory.
    Memory,
    /// Two Parquet files of row groups of two rows.
    Parquet,
    /// Two CSV files; nested columns have no form there.
    Csv,
    /// Two files of JSON lines.
    Json,
}

/// Options and storage of one session.
#[derive(Debug, Clone)]
pub struct Setting {
    /// How a finding names it.
    pub name: String,
    /// Options over the defaults.
    pub options: Vec<(String, String)>,
    /// Where its tables lie.
    pub storage: Storage,
}

impl Setting {
    fn new(name: &str, threads: usize, storage: Storage) -> Self {
        let options = vec![(config::MASTER.to_owned(), format!("local[{threads}]"))];
        Self { name: name.to_owned(), options, storage }
    }

    /// The setting with an option more.
    #[must_use]
    pub fn with(mut self, option: &str, value: &str) -> Self {
        self.options.push((option.to_owned(), value.to_owned()));
        self
    }
}

/// All settings; the others are held against the first.
#[must_use]
pub fn settings() -> Vec<Setting> {
    let mut settings = vec![
        Setting::new("memory", 2, Storage::Memory),
        Setting::new("one-thread", 1, Storage::Memory),
        Setting::new("small-batches", 4, Storage::Memory).with(config::BATCH_SIZE, "2"),
        Setting::new("values", 2, Storage::Values),
        Setting::new("parquet", 4, Storage::Parquet),
        Setting::new("low-memory", 2, Storage::Parquet)
            .with(config::MEMORY_LIMIT, "64MB")
            .with(config::BATCH_SIZE, "3"),
        Setting::new("csv", 2, Storage::Csv),
        Setting::new("json", 3, Storage::Json).with(config::BATCH_SIZE, "4"),
    ];
    settings.push(
        Setting::new("spilling joins", 4, Storage::Parquet).with(config::SPILLING_JOINS, "always"),
    );
    for row in OPTIONS.iter().filter(|row| row.name.starts_with("vonk.optimizer.")) {
        let name = format!("without {}", row.name);
        settings.push(Setting::new(&name, 3, Storage::Parquet).with(row.name, "false"));
    }
    settings
}
