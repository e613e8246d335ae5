//! Lists files, and notices when a write puts another directory into the place of a listed one.
//!
//! A listing takes time, and a local one goes by names: it may find one partition as it was before a
//! write and the next as it is after it. Every write that changes more than one file gives the
//! directory another identity, so the listing counts if each directory is still the same at its end.
//! In other stores a ledger tells which files count, and a listing does if the ledger has not changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::SystemTime;

use datafusion::execution::object_store::ObjectStoreUrl;
use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ListResult, ObjectMeta, ObjectStore, ObjectStoreExt};
use parking_lot::Mutex;

use super::{display_path, is_hidden, is_local};
use crate::error::{Error, Result};
use crate::sources::ledger::{self, Ledger};
use crate::sources::store;

/// How many directories are listed at the same time.
const LISTS_AT_ONCE: usize = 16;

/// One listing of a store.
pub(super) struct Lister<'a> {
    store: &'a dyn ObjectStore,
    url: &'a ObjectStoreUrl,
    /// The local directories of this listing; `None` for a store of another kind.
    seen: Option<Mutex<Vec<(PathBuf, Option<Identity>)>>>,
    /// The directories of a remote store, each with its ledger as it was before the listing.
    ledgers: Mutex<BTreeMap<Path, (u64, Ledger)>>,
}

/// What a directory shares with no other, even one that got its inode after it.
type Identity = (u64, Option<SystemTime>);

#[cfg(unix)]
fn identity(directory: &std::path::Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(directory).ok()?;
    Some((metadata.ino(), metadata.created().ok()))
}

#[cfg(not(unix))]
fn identity(directory: &std::path::Path) -> Option<Identity> {
    Some((0, std::fs::metadata(directory).ok()?.created().ok()))
}

impl<'a> Lister<'a> {
    pub(super) fn new(store: &'a dyn ObjectStore, url: &'a ObjectStoreUrl) -> Self {
        Self { store, url, seen: is_local(url).then(Mutex::default), ledgers: Mutex::default() }
    }

    /// One that does not look at what changes in the meantime.
    pub(super) fn unwatched(store: &'a dyn ObjectStore, url: &'a ObjectStoreUrl) -> Self {
        Self { store, url, seen: None, ledgers: Mutex::default() }
    }

    fn error(&self, place: &Path, error: object_store::Error) -> Error {
        Error::from(error).or_file(display_path(self.url, place))
    }

    /// Whether every directory that was listed is still the one of its name, in the same state.
    pub(super) async fn is_unchanged(&self) -> Result<bool> {
        if let Some(seen) = &self.seen {
            return Ok(seen.lock().iter().all(|(path, before)| identity(path) == *before));
        }
        let before: Vec<(Path, u64)> = (self.ledgers.lock().iter())
            .map(|(directory, (number, _))| (directory.clone(), *number))
            .collect();
        for (directory, number) in before {
            let now = ledger::newest(self.store, &directory).await;
            if now.map_err(|error| self.error(&directory, error))? != number {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether a file that was found counts, by the ledgers of the directories above it.
    pub(super) fn counts(&self, file: &ObjectMeta) -> bool {
        self.ledgers.lock().iter().all(|(directory, (_, ledger))| {
            let path = ledger::relative(directory, &file.location);
            path.is_none_or(|path| !ledger.hides(&path, file))
        })
    }

    /// Reads a directory's ledger before the directory is listed; false if it was read already.
    async fn read_ledger(&self, directory: &Path) -> Result<bool> {
        if self.seen.is_some()
            || !store::lists(self.url)
            || self.ledgers.lock().contains_key(directory)
        {
            return Ok(false);
        }
        let found = ledger::current(self.store, directory).await;
        let found = found.map_err(|error| self.error(directory, error))?;
        self.ledgers.lock().insert(directory.clone(), found);
        Ok(true)
    }

    /// Reads the ledgers of a directory that is listed whole, and of the table it is a partition of.
    async fn read_ledgers(&self, directory: &Path) -> Result<()> {
        let mut parts: Vec<_> = directory.parts().collect();
        self.read_ledger(directory).await?;
        while parts.last().is_some_and(|part| part.as_ref().contains('=')) {
            parts.pop();
            self.read_ledger(&parts.iter().cloned().collect()).await?;
        }
        Ok(())
    }

    /// Reads the ledgers that a listing shows further below; true if there were any unread ones.
    async fn read_shown(&self, shown: impl Iterator<Item = Path>) -> Result<bool> {
        let mut has_new = false;
        for directory in shown.collect::<BTreeSet<_>>() {
            has_new |= self.read_ledger(&directory).await?;
        }
        Ok(has_new)
    }

    fn note(&self, directory: &Path) {
        if let Some(seen) = &self.seen {
            let path = std::path::Path::new("/").join(directory.as_ref());
            let before = identity(&path);
            seen.lock().push((path, before));
        }
    }

    /// The file at `path`, or else every file below it.
    pub(super) async fn literal(&self, path: &Path) -> Result<Vec<ObjectMeta>> {
        if !path.as_ref().is_empty() {
            match self.store.head(path).await {
                Ok(meta) => return Ok(vec![meta]),
                Err(object_store::Error::NotFound { .. }) if !store::lists(self.url) => {
                    return Ok(Vec::new());
                }
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(self.error(path, error)),
            }
        }
        self.below(path).await
    }

    /// Every file below a directory, without hidden ones.
    pub(super) async fn below(&self, directory: &Path) -> Result<Vec<ObjectMeta>> {
        let visible = |name: Option<&str>| name.is_some_and(|name| !is_hidden(name));
        if self.seen.is_some() {
            let mut files = Vec::new();
            let mut level = vec![directory.clone()];
            while !level.is_empty() {
                let listed = self.directories(&level).await?;
                level.clear();
                for list in listed {
                    level
                        .extend(list.common_prefixes.into_iter().filter(|d| visible(d.filename())));
                    let objects = list.objects.into_iter();
                    files.extend(objects.filter(|file| visible(file.location.filename())));
                }
            }
            return Ok(files);
        }
        self.read_ledgers(directory).await?;
        let all = loop {
            let all = self.store.list(Some(directory)).try_collect::<Vec<ObjectMeta>>().await;
            let all = all.map_err(|error| self.error(directory, error))?;
            let shown = all.iter().filter_map(|file| ledger::owner(&file.location));
            if !self.read_shown(shown).await? {
                break all;
            }
        };
        let visible = |meta: &ObjectMeta| match meta.location.prefix_match(directory) {
            Some(mut parts) => !parts.any(|part| is_hidden(part.as_ref())),
            None => false,
        };
        Ok(all.into_iter().filter(visible).collect())
    }

    /// The directories and everything below them, without hidden ones.
    pub(super) async fn with_descendants(&self, directories: Vec<Path>) -> Result<Vec<Path>> {
        let mut all = directories.clone();
        let mut level = directories;
        while !level.is_empty() {
            let listed = self.directories(&level).await?;
            let below = listed.into_iter().flat_map(|list| list.common_prefixes);
            level = below.filter(|dir| !dir.filename().is_some_and(is_hidden)).collect();
            all.extend_from_slice(&level);
        }
        Ok(all)
    }

    /// What is directly in each of these directories.
    pub(super) async fn directories(&self, directories: &[Path]) -> Result<Vec<ListResult>> {
        let lists: Vec<_> = directories.iter().map(|dir| self.directory(dir)).collect();
        stream::iter(lists).buffered(LISTS_AT_ONCE).boxed().try_collect().await
    }

    /// What is directly in a directory; nothing if it does not exist.
    pub(super) async fn directory(&self, directory: &Path) -> Result<ListResult> {
        self.note(directory);
        loop {
            let listed = match self.store.list_with_delimiter(Some(directory)).await {
                Err(object_store::Error::NotFound { .. }) => {
                    ListResult { common_prefixes: Vec::new(), objects: Vec::new() }
                }
                other => other.map_err(|error| self.error(directory, error))?,
            };
            let is_ledger = |path: &&Path| path.filename() == Some(ledger::DIRECTORY);
            let shown = listed.common_prefixes.iter().find(is_ledger).map(|_| directory.clone());
            if !self.read_shown(shown.into_iter()).await? {
                return Ok(listed);
            }
        }
    }
}
