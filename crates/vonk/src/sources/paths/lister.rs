//! Lists files, and notices when a write puts another directory into the place of a listed one.
//!
//! A listing takes time, and a local one goes by names: it may find one partition as it was before a
//! write and the next as it is after it. Every write that changes more than one file gives the
//! directory another identity, so the listing counts if each directory is still the same at its end.

use std::path::PathBuf;
use std::time::SystemTime;

use futures::{StreamExt, TryStreamExt, stream};
use object_store::path::Path;
use object_store::{ListResult, ObjectMeta, ObjectStore, ObjectStoreExt};
use parking_lot::Mutex;

use super::is_hidden;
use crate::error::{Error, Result};

/// How many directories are listed at the same time.
const LISTS_AT_ONCE: usize = 16;

/// One listing of a store.
pub(super) struct Lister<'a> {
    store: &'a dyn ObjectStore,
    /// The local directories of this listing; `None` for a store of another kind.
    seen: Option<Mutex<Vec<(PathBuf, Option<Identity>)>>>,
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
    pub(super) fn new(store: &'a dyn ObjectStore, is_local: bool) -> Self {
        Self { store, seen: is_local.then(Mutex::default) }
    }

    /// Whether every directory that was listed is still the one of its name.
    pub(super) fn is_unchanged(&self) -> bool {
        let Some(seen) = &self.seen else { return true };
        seen.lock().iter().all(|(path, before)| identity(path) == *before)
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
                Err(object_store::Error::NotFound { .. }) => {}
                Err(error) => return Err(Error::from(error).file(format!("/{path}"))),
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
        let all = self.store.list(Some(directory)).try_collect::<Vec<ObjectMeta>>().await;
        let all = all.map_err(|error| Error::from(error).file(format!("/{directory}")))?;
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
        match self.store.list_with_delimiter(Some(directory)).await {
            Err(object_store::Error::NotFound { .. }) => {
                Ok(ListResult { common_prefixes: Vec::new(), objects: Vec::new() })
            }
            other => other.map_err(|error| Error::from(error).file(format!("/{directory}"))),
        }
    }
}
