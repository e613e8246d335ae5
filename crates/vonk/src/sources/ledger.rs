//! Which files of a directory count, in stores where several files cannot appear at once.
//!
//! A write of several files, or one that replaces others, notes in the directory's ledger what it adds
//! and removes: first as `staged`, while its files appear, and then, with one small file that is
//! made only if it is not there, as `published`. Who reads by the ledger sees all of a write or
//! nothing. `docs/decisions/writes.md` says why it is done so.

use futures::TryStreamExt;
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, Result};
use serde::{Deserialize, Serialize};

/// The directory of a ledger, below the one that it is about; every reader skips names with a dot.
pub(crate) const DIRECTORY: &str = ".vonk";

/// How the names of its files begin, before their number.
const PREFIX: &str = "commit-";

/// What a write has done so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Phase {
    /// Its files are appearing and do not count yet.
    Staged,
    /// They count, and those that it removes do not.
    Published,
    /// What it removes is gone.
    #[default]
    Settled,
}

/// The newest state of a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ledger {
    pub(crate) phase: Phase,
    /// Files of the write, relative to the directory.
    #[serde(default)]
    pub(crate) added: Vec<String>,
    /// Files that go with the write.
    #[serde(default)]
    pub(crate) removed: Vec<Removed>,
    /// Files of writes that were given up and may yet appear.
    #[serde(default)]
    pub(crate) void: Vec<String>,
}

/// A file that goes: another one that somebody makes under its name later stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Removed {
    pub(crate) path: String,
    pub(crate) size: u64,
    /// Microseconds since 1970.
    pub(crate) modified: i64,
}

impl Removed {
    pub(crate) fn new(path: String, file: &ObjectMeta) -> Self {
        Self { path, size: file.size, modified: file.last_modified.timestamp_micros() }
    }

    /// Whether the file under the path is the one that goes.
    fn is(&self, file: &ObjectMeta) -> bool {
        self.size == file.size && self.modified == file.last_modified.timestamp_micros()
    }
}

impl Ledger {
    /// Whether a file does not count, named relative to the directory.
    pub(crate) fn hides(&self, path: &str, file: &ObjectMeta) -> bool {
        let names = |list: &[String]| list.iter().any(|name| name == path);
        let is_removed = |removed: &Removed| removed.path == path && removed.is(file);
        names(&self.void)
            || match self.phase {
                Phase::Staged => names(&self.added),
                Phase::Published => self.removed.iter().any(is_removed),
                Phase::Settled => false,
            }
    }
}

fn place(directory: &Path) -> Path {
    directory.clone().join(DIRECTORY)
}

fn file(directory: &Path, number: u64) -> Path {
    place(directory).join(format!("{PREFIX}{number:020}"))
}

async fn numbers(store: &dyn ObjectStore, directory: &Path) -> Result<Vec<u64>> {
    let place = place(directory);
    let listed = store.list_with_delimiter(Some(&place)).await;
    let files = match listed {
        Err(object_store::Error::NotFound { .. }) => return Ok(Vec::new()),
        other => other?.objects,
    };
    let number = |file: ObjectMeta| file.location.filename()?.strip_prefix(PREFIX)?.parse().ok();
    Ok(files.into_iter().filter_map(number).collect())
}

/// The number of a directory's newest state; 0 if it has none.
pub(crate) async fn newest(store: &dyn ObjectStore, directory: &Path) -> Result<u64> {
    Ok(numbers(store, directory).await?.into_iter().max().unwrap_or(0))
}

/// A directory's newest state and its number.
pub(crate) async fn current(store: &dyn ObjectStore, directory: &Path) -> Result<(u64, Ledger)> {
    loop {
        let number = newest(store, directory).await?;
        if number == 0 {
            return Ok((0, Ledger::default()));
        }
        let bytes = match store.get(&file(directory, number)).await {
            // A newer one has come and this one was removed.
            Err(object_store::Error::NotFound { .. }) => continue,
            other => other?.bytes().await?,
        };
        let ledger = serde_json::from_slice(&bytes).map_err(|error| {
            let message = format!("`{}` is no ledger: {error}", file(directory, number));
            object_store::Error::Generic { store: "ledger", source: message.into() }
        })?;
        return Ok((number, ledger));
    }
}

/// Makes a state the newest one; false if another writer was faster.
pub(crate) async fn append(
    store: &dyn ObjectStore,
    directory: &Path,
    number: u64,
    ledger: &Ledger,
) -> Result<bool> {
    let bytes = serde_json::to_vec(ledger)
        .map_err(|error| object_store::Error::Generic { store: "ledger", source: error.into() })?;
    let target = file(directory, number);
    let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
    match store.put_opts(&target, bytes.into(), options).await {
        Ok(_) => {}
        Err(
            object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. },
        ) => {
            return Ok(false);
        }
        Err(error) => return Err(error),
    }
    // One who slept may have made a number that was there and is gone.
    if newest(store, directory).await? == number {
        return Ok(true);
    }
    store.delete(&target).await?;
    Ok(false)
}

/// Removes states older than the one before a number.
pub(crate) async fn forget(store: &dyn ObjectStore, directory: &Path, number: u64) -> Result<()> {
    for old in numbers(store, directory).await? {
        if old + 1 < number {
            store.delete(&file(directory, old)).await?;
        }
    }
    Ok(())
}

/// Every file below a directory that counts by its ledger, without hidden ones.
pub(crate) async fn files(
    store: &dyn ObjectStore,
    directory: &Path,
    ledger: &Ledger,
) -> Result<Vec<(String, ObjectMeta)>> {
    let all: Vec<ObjectMeta> = match store.list(Some(directory)).try_collect().await {
        Err(object_store::Error::NotFound { .. }) => Vec::new(),
        other => other?,
    };
    let counts = |meta: ObjectMeta| {
        let path = relative(directory, &meta.location)?;
        let is_hidden = path.split('/').any(super::paths::is_hidden);
        (!is_hidden && !ledger.hides(&path, &meta)).then_some((path, meta))
    };
    Ok(all.into_iter().filter_map(counts).collect())
}

/// The directory that a file of a ledger is about; `None` for any other file.
pub(crate) fn owner(file: &Path) -> Option<Path> {
    let parts: Vec<_> = file.parts().collect();
    match parts.as_slice() {
        [above @ .., directory, name]
            if directory.as_ref() == DIRECTORY && name.as_ref().starts_with(PREFIX) =>
        {
            Some(above.iter().cloned().collect())
        }
        _ => None,
    }
}

/// A file's path below a directory.
pub(crate) fn relative(directory: &Path, file: &Path) -> Option<String> {
    let parts: Vec<_> =
        file.prefix_match(directory)?.map(|part| part.as_ref().to_owned()).collect();
    (!parts.is_empty()).then(|| parts.join("/"))
}

#[cfg(test)]
mod tests {
    use object_store::memory::InMemory;

    use super::*;

    #[tokio::test]
    async fn of_two_writers_one_is_faster() {
        let (store, directory) = (InMemory::new(), Path::from("table"));
        assert_eq!(current(&store, &directory).await.unwrap(), (0, Ledger::default()));
        let staged = Ledger { phase: Phase::Staged, added: vec!["a".into()], ..Ledger::default() };
        assert!(append(&store, &directory, 1, &staged).await.unwrap());
        assert!(!append(&store, &directory, 1, &Ledger::default()).await.unwrap());
        assert_eq!(current(&store, &directory).await.unwrap(), (1, staged));
        for number in 2..5 {
            assert!(append(&store, &directory, number, &Ledger::default()).await.unwrap());
        }
        forget(&store, &directory, 4).await.unwrap();
        let mut left = numbers(&store, &directory).await.unwrap();
        left.sort_unstable();
        assert_eq!(left, [3, 4]);
        // A writer that slept since the second state does not turn back the time.
        assert!(!append(&store, &directory, 2, &Ledger::default()).await.unwrap());
        assert_eq!(newest(&store, &directory).await.unwrap(), 4);
    }

    #[tokio::test]
    async fn files_count_by_the_phase_of_their_write() {
        let (store, directory) = (InMemory::new(), Path::from("t"));
        for name in ["t/old", "t/k=1/new", "t/.vonk/commit-1", "t/_SUCCESS"] {
            store.put(&name.into(), "x".into()).await.unwrap();
        }
        let old = store.head(&"t/old".into()).await.unwrap();
        let mut ledger = Ledger {
            phase: Phase::Staged,
            added: vec!["k=1/new".to_owned()],
            removed: vec![Removed::new("old".to_owned(), &old)],
            void: Vec::new(),
        };
        let mut seen = Vec::new();
        for phase in [Phase::Staged, Phase::Published, Phase::Settled] {
            ledger.phase = phase;
            let files = files(&store, &directory, &ledger).await.unwrap();
            let mut names: Vec<_> = files.into_iter().map(|(path, _)| path).collect();
            names.sort();
            seen.push(names.join(" "));
        }
        assert_eq!(seen, ["old", "k=1/new", "k=1/new old"]);
        // What somebody puts under the name of a removed file is another file.
        ledger.phase = Phase::Published;
        store.put(&"t/old".into(), "longer".into()).await.unwrap();
        assert_eq!(files(&store, &directory, &ledger).await.unwrap().len(), 2);
    }
}
