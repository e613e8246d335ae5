//! What is said of a store: by the process's environment, the session's options and those of the
//! statement, under the names that Hadoop and the clients have for it.

#![cfg_attr(
    not(all(feature = "s3", feature = "hdfs")),
    allow(dead_code, reason = "each store asks for its own settings")
)]

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::str::FromStr;
use std::time::Duration;

use super::ReadOptions;
use crate::config::{self, Config};
use crate::error::Result;

/// How the names begin that mean something to stores.
const HADOOP: &[&str] = &["fs.", "dfs.", "hadoop.", "google.cloud."];
const OWN: &[&str] = &["aws_", "azure_", "google_"];

/// Everything that is said of stores; what is said last and closest to the statement counts.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    /// The environment's variables.
    variables: BTreeMap<String, String>,
    /// Hadoop's names, such as `fs.s3a.endpoint`, as they were written.
    hadoop: BTreeMap<String, String>,
    /// The clients' own names, such as `aws_endpoint`, lower case.
    own: BTreeMap<String, String>,
    pub(super) patience: Patience,
}

/// How long a store is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Patience {
    /// Until a connection stands.
    pub(super) connect: Duration,
    /// Until a request is answered, or more of a file comes.
    pub(super) answer: Duration,
    /// How often a request is made again that failed in a way that may pass.
    pub(super) retries: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), answer: Duration::from_secs(30), retries: 3 }
    }
}

impl Settings {
    /// Collects what there is.
    ///
    /// # Errors
    /// If an option of the session has no sensible value.
    pub(super) fn gather(
        variables: &BTreeMap<String, String>,
        config: &Config,
        options: &ReadOptions,
    ) -> Result<Self> {
        let mut settings = Self { variables: variables.clone(), ..Self::default() };
        let usual = Patience::default();
        settings.patience = Patience {
            connect: config.time(config::STORE_CONNECT_TIMEOUT)?.unwrap_or(usual.connect),
            answer: config.time(config::STORE_TIMEOUT)?.unwrap_or(usual.answer),
            retries: config
                .count(config::STORE_ATTEMPTS)?
                .map_or(usual.retries, |attempts| attempts.saturating_sub(1)),
        };
        for (name, value) in config.iter() {
            settings.set(name.strip_prefix("spark.hadoop.").unwrap_or(name), value);
        }
        options.iter().for_each(|(name, value)| settings.set(name, value));
        Ok(settings)
    }

    fn set(&mut self, name: &str, value: &str) {
        let lower = name.to_lowercase();
        let begins = |with: &[&str]| with.iter().any(|begin| lower.starts_with(begin));
        if begins(HADOOP) {
            // An option of a statement has lost its capitals and replaces the same with them.
            self.hadoop.retain(|known, _| !known.eq_ignore_ascii_case(name));
            self.hadoop.insert(name.to_owned(), value.to_owned());
        } else if begins(OWN) {
            self.own.insert(lower, value.to_owned());
        }
    }

    /// A variable of the environment, unless it is empty.
    pub(super) fn variable(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// What the environment says by variables whose names, in small letters, begin so.
    pub(super) fn of_environment<K: FromStr>(&self, begin: &str) -> Vec<(K, String)> {
        let named = self.variables.iter().map(|(name, value)| (name.to_lowercase(), value));
        let of_store = named.filter(|(name, value)| name.starts_with(begin) && !value.is_empty());
        of_store.filter_map(|(name, value)| Some((name.parse().ok()?, value.clone()))).collect()
    }

    /// What options say by the clients' own names.
    pub(super) fn of_options<K: FromStr>(&self) -> Vec<(K, String)> {
        let known = |(name, value): (&String, &String)| Some((name.parse().ok()?, value.clone()));
        self.own.iter().filter_map(known).collect()
    }

    /// A setting by Hadoop's name, whatever its capitals.
    pub(super) fn hadoop(&self, name: &str) -> Option<&str> {
        let found = self.hadoop.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    }

    /// A setting of S3A: what is said of the bucket itself, or of all.
    pub(super) fn s3a(&self, bucket: &str, name: &str) -> Option<&str> {
        self.hadoop(&format!("fs.s3a.bucket.{bucket}.{name}"))
            .or_else(|| self.hadoop(&format!("fs.s3a.{name}")))
    }

    /// All settings by Hadoop's names.
    pub(super) fn all_hadoop(&self) -> impl Iterator<Item = (&str, &str)> {
        self.hadoop.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// All settings by the clients' own names.
    pub(super) fn all_own(&self) -> impl Iterator<Item = (&str, &str)> {
        self.own.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// What differs if any setting does.
    pub(super) fn digest(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        (&self.variables, &self.hadoop, &self.own, self.patience).hash(&mut hasher);
        hasher.finish()
    }
}
