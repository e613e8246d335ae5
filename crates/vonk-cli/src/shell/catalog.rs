//! What completion can know: the session's tables and functions, the schemas of files, and the disk.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use reedline::{Completer, CompletionResult, Span, Suggestion};
use vonk::{Policy, Session};

use super::command;
use super::complete::{Candidate, Catalog, Column, complete};
use crate::progress::size;
use crate::workers::Workers;

/// A schema that takes longer is not worth the wait of the person who types.
const SCHEMA_WAIT: Duration = Duration::from_millis(400);

/// How long the schema of something without a time of change is believed.
const SCHEMA_AGE_MAX: Duration = Duration::from_secs(10);

/// Most files that are offered.
const FILES_MAX: usize = 500;

/// The session and the disk as completion sees them.
pub(super) struct SessionCatalog {
    session: Session,
    workers: Workers,
    schemas: RefCell<HashMap<String, Known>>,
}

/// The columns of a relation, and when they were read.
struct Known {
    read: Instant,
    changed: Option<SystemTime>,
    columns: Vec<Column>,
}

impl SessionCatalog {
    pub(super) fn new(session: Session, workers: Workers) -> Self {
        Self { session, workers, schemas: RefCell::default() }
    }

    fn read_columns(&self, relation: &str) -> Vec<Column> {
        let schema = self.session.schema_of(relation);
        let schema = self
            .workers
            .handle()
            .block_on(async { tokio::time::timeout(SCHEMA_WAIT, schema).await });
        match schema {
            Ok(Ok(schema)) => schema.fields().iter().map(|field| Column::of(field)).collect(),
            Ok(Err(_)) | Err(_) => Vec::new(),
        }
    }
}

impl Catalog for SessionCatalog {
    fn tables(&self) -> Vec<String> {
        self.session.table_names()
    }

    fn functions(&self) -> Vec<String> {
        self.session.function_names()
    }

    fn columns(&self, relation: &str) -> Vec<Column> {
        if !self.session.policy().may_read(relation) {
            return self.read_columns(relation);
        }
        let changed = std::fs::metadata(relation).and_then(|file| file.modified()).ok();
        if let Some(known) = self.schemas.borrow().get(relation)
            && known.changed == changed
            && known.read.elapsed() < SCHEMA_AGE_MAX
        {
            return known.columns.clone();
        }
        let columns = self.read_columns(relation);
        let known = Known { read: Instant::now(), changed, columns: columns.clone() };
        self.schemas.borrow_mut().insert(relation.to_owned(), known);
        columns
    }

    fn files(&self, start: &str) -> Vec<Candidate> {
        files(start, self.session.policy())
    }
}

/// Directories, then files, whose path starts with a text, where the policy lets them be read.
fn files(start: &str, policy: &Policy) -> Vec<Candidate> {
    let (directory, name) = start
        .rsplit_once('/')
        .map_or(("", start), |(directory, name)| (&start[..=directory.len()], name));
    let place = if directory.is_empty() { Path::new(".") } else { Path::new(directory) };
    if !policy.may_read(place) {
        return Vec::new();
    }
    let Ok(entries) = std::fs::read_dir(place) else { return Vec::new() };
    let mut found = Vec::new();
    for entry in entries.flatten() {
        let Ok(entry_name) = entry.file_name().into_string() else { continue };
        let is_hidden = entry_name.starts_with('.') && !name.starts_with('.');
        if !entry_name.starts_with(name) || is_hidden {
            continue;
        }
        let Ok(data) = std::fs::metadata(entry.path()) else { continue };
        let is_directory = data.is_dir();
        let (end, note) =
            if is_directory { ("/", "directory".to_owned()) } else { ("", size(data.len())) };
        let value = format!("{directory}{entry_name}{end}");
        found.push((!is_directory, Candidate { value, note }));
    }
    found.sort_by(|a, b| (a.0, &a.1.value).cmp(&(b.0, &b.1.value)));
    found.into_iter().map(|(_, candidate)| candidate).take(FILES_MAX).collect()
}

/// Completion as the line editor asks for it.
pub(super) struct Completions(pub(super) SessionCatalog);

impl Completer for Completions {
    fn complete(&mut self, line: &str, position: usize) -> CompletionResult {
        let completion = if command::is_command(line) {
            command::complete(line, position, &self.0)
        } else {
            complete(line, position, &self.0)
        };
        let span = Span { start: completion.start, end: completion.end };
        let suggestion = |candidate: Candidate| Suggestion {
            span,
            append_whitespace: !candidate.value.ends_with(['(', '/', '\'', '"', '`']),
            value: candidate.value,
            description: Some(candidate.note).filter(|note| !note.is_empty()),
            ..Suggestion::default()
        };
        let suggestions: Vec<_> = completion.candidates.into_iter().map(suggestion).collect();
        CompletionResult::fresh(suggestions)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_follow_their_directory() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        std::fs::create_dir(root.join("year")).unwrap();
        std::fs::write(root.join("a.csv"), "x").unwrap();
        std::fs::write(root.join(".hidden"), "x").unwrap();
        let start = format!("{}/", root.display());
        let values = |start: &str| -> Vec<String> {
            files(start, &Policy::default()).into_iter().map(|candidate| candidate.value).collect()
        };
        assert_eq!(values(&start), [format!("{start}year/"), format!("{start}a.csv")]);
        assert_eq!(values(&format!("{start}a")), [format!("{start}a.csv")]);
        assert_eq!(values(&format!("{start}.h")), [format!("{start}.hidden")]);
        assert!(values("/no/such/place/").is_empty());
        assert!(files(&start, &Policy::safe()).is_empty());
    }
}
