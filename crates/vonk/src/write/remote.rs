//! Writes to stores other than the local disk: files are prepared on the local disk and sent while the
//! plan runs, but none is seen before all are there.
//!
//! A store that renames takes them into a hidden directory, any other keeps an upload open for
//! each. Publishing is one rename or one upload where that is enough, else `publish` has the
//! directory's ledger say when they count.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::execution::{SessionState, SpillFile};
use object_store::path::Path as StorePath;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt};
use parking_lot::Mutex;

use super::options::{Layout, format_of_path};
use super::staging::already_exists;
use super::{Existing, Guard, WriteOptions, make_private, write_error};
use crate::error::{Condition, Error, Result};
use crate::policy::{Access, Policy};
use crate::sources::{self, ReadOptions, ledger, store};

mod publish;
#[cfg(test)]
mod tests;
mod upload;

/// The schemes of stores that can give files and directories another name at once.
const RENAMING: &[&str] = &["hdfs:", "viewfs:"];

/// A place to write to in a store.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    /// As the user wrote it.
    pub(crate) text: String,
    store: Arc<dyn ObjectStore>,
    path: StorePath,
    renames: bool,
    pub(crate) found: Found,
}

/// What is at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Nothing,
    File,
    Directory,
}

impl Address {
    /// Connects the store of an address and looks what is there.
    ///
    /// # Errors
    /// If the policy forbids to write there, and those of the store.
    pub(crate) async fn find(
        state: &SessionState,
        text: &str,
        options: &WriteOptions,
    ) -> Result<Self> {
        Policy::of(state).check_address_to(Access::Write, text)?;
        let mut of_store = ReadOptions::default();
        options.iter().for_each(|(name, value)| of_store.set(name, value));
        let (url, store, path) = sources::locate(state, text, &of_store)?;
        if path.as_ref().is_empty() {
            let message = format!("`{text}` cannot be written to");
            return Err(Error::new(Condition::INVALID_PARAMETER, message)
                .hint("name a file or directory in it"));
        }
        if !store::lists(&url) {
            return Err(Error::unsupported("writing to servers of HTTP")
                .hint("write to a local path, `hdfs`, or an object store")
                .file(text));
        }
        let renames = RENAMING.iter().any(|scheme| url.as_str().starts_with(scheme));
        let mut address =
            Self { text: text.to_owned(), store, path, renames, found: Found::Nothing };
        address.found = address.look().await?;
        Ok(address)
    }

    async fn look(&self) -> Result<Found> {
        match self.store.head(&self.path).await {
            Ok(_) => return Ok(Found::File),
            Err(object_store::Error::NotFound { .. }) => {}
            Err(error) => return Err(self.failed(error)),
        }
        let listed = match self.store.list_with_delimiter(Some(&self.path)).await {
            Err(object_store::Error::NotFound { .. }) => return Ok(Found::Nothing),
            other => other.map_err(|error| self.failed(error))?,
        };
        let is_data = |path: &StorePath| path.filename() != Some(ledger::DIRECTORY);
        let is_there = !listed.objects.is_empty() || listed.common_prefixes.iter().any(is_data);
        Ok(if is_there { Found::Directory } else { Found::Nothing })
    }

    /// One file where the path ends as the format's files do, or is a file; else a directory.
    pub(super) fn is_file(&self, of_format: &str) -> bool {
        match self.found {
            Found::File => true,
            Found::Directory => false,
            Found::Nothing => {
                !self.text.ends_with('/')
                    && format_of_path(&self.text).is_some_and(|of_path| of_path == of_format)
            }
        }
    }

    /// What went wrong with a target, for the person who named it.
    fn failed(&self, error: object_store::Error) -> Error {
        let text = error.to_string();
        if text.contains("QuotaExceededException") {
            let message = format!("no space left to write `{}`", self.text);
            return Error::new(Condition::DISK_FULL, message)
                .hint("free some space or write elsewhere; nothing was published")
                .caused_by(error);
        }
        let error = Error::from(error);
        if error.condition() != Condition::CANNOT_READ_FILE {
            return error.or_file(&self.text);
        }
        let failed =
            Error::new(Condition::WRITE_FAILED, format!("cannot write: {}", error.message()));
        match error.hint_text() {
            Some(hint) => failed.hint(hint),
            None => failed,
        }
        .file(&self.text)
        .caused_by(error)
    }
}

impl std::fmt::Debug for RemoteStage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RemoteStage").field("address", &self.address).finish_non_exhaustive()
    }
}

/// A write to a store that is being prepared.
pub(crate) struct RemoteStage {
    address: Address,
    /// Where files lie until they are sent: in the session's spill directory, which goes with it.
    local: PathBuf,
    _spill: Arc<dyn SpillFile>,
    /// The hidden directory of this write, in a store that renames.
    hidden: StorePath,
    sent: Mutex<Vec<Sent>>,
    /// Whether nothing of this write is hidden any more.
    is_over: AtomicBool,
}

/// A file that the store has and does not show.
struct Sent {
    /// Its path below the target; empty if it is the target.
    path: String,
    bytes: u64,
    state: Hidden,
}

/// How a store keeps a file from being seen.
enum Hidden {
    /// Under another name.
    Named(StorePath),
    /// As an upload that is not complete.
    Open(Box<dyn MultipartUpload>),
}

impl RemoteStage {
    /// Makes the local directory, and for a store that renames chooses the hidden one.
    pub(super) fn begin(
        state: &SessionState,
        address: &Address,
        layout: Layout,
        companions: &[(String, Vec<u8>)],
    ) -> Result<Self> {
        let spill = state.runtime_env().disk_manager.create_tmp_file("a write to a store")?;
        let parent = spill.path().and_then(Path::parent);
        let parent = parent.ok_or_else(|| Error::internal("the spill file has no place"))?;
        let id = rand::random::<u64>();
        let local = parent.join(format!("write-{id:016x}"));
        let mut above: Vec<_> = address.path.parts().collect();
        above.pop();
        let above: StorePath = above.into_iter().collect();
        let hidden = match address.found {
            Found::Directory => {
                address.path.clone().join(ledger::DIRECTORY).join(format!("staging-{id:016x}"))
            }
            _ => above.join(format!(".vonk-staging-{id:016x}")),
        };
        let stage = Self {
            address: address.clone(),
            local,
            _spill: spill,
            hidden,
            sent: Mutex::default(),
            is_over: AtomicBool::new(false),
        };
        let make = || -> std::io::Result<()> {
            make_private(&stage.local)?;
            if layout == Layout::Directory {
                fs::create_dir(stage.new_path())?;
                for (name, bytes) in companions {
                    fs::write(stage.new_path().join(name), bytes)?;
                }
            }
            Ok(())
        };
        make().map_err(|error| write_error(&stage.local, "stage", error))?;
        Ok(stage)
    }

    /// The local path at which the new file or directory is prepared.
    pub(super) fn new_path(&self) -> PathBuf {
        self.local.join("new")
    }

    /// Where the write will be published, for messages.
    pub(super) fn target(&self) -> &Path {
        Path::new(&self.address.text)
    }

    /// Sends a file that is complete, and frees its place on the local disk; gives its size.
    pub(super) async fn send(&self, file: &Path) -> Result<u64> {
        let below = file.strip_prefix(self.new_path()).unwrap_or(Path::new(""));
        let path = below.components().map(|part| part.as_os_str().to_string_lossy());
        let path = path.collect::<Vec<_>>().join("/");
        let sent = self.send_as(file, path).await?;
        let bytes = sent.bytes;
        self.sent.lock().push(sent);
        Ok(bytes)
    }

    async fn send_as(&self, file: &Path, path: String) -> Result<Sent> {
        let address = &self.address;
        let target = match address.renames {
            true => below(&self.hidden.clone().join("new"), &path),
            false => below(&address.path, &path),
        };
        let failed = |error| address.failed(error);
        let (mut upload, bytes) =
            upload::send(address.store.as_ref(), &target, file).await.map_err(failed)?;
        let state = match address.renames {
            true => {
                upload.complete().await.map_err(failed)?;
                Hidden::Named(target)
            }
            false => Hidden::Open(upload),
        };
        drop(fs::remove_file(file));
        Ok(Sent { path, bytes, state })
    }

    /// Takes back everything that was sent.
    pub(super) async fn abandon(&self) {
        let sent = std::mem::take(&mut *self.sent.lock());
        self.take_back(sent).await;
        self.is_over.store(true, Ordering::Relaxed);
    }

    async fn take_back(&self, sent: Vec<Sent>) {
        let hidden = self.address.renames.then(|| self.hidden.clone());
        take_back(Arc::clone(&self.address.store), hidden, sent).await;
    }

    /// Publishes the one file that was sent.
    pub(super) async fn publish_file(&self, existing: Existing) -> Result<()> {
        let address = &self.address;
        let sent = self.sent.lock().pop();
        let done = match (sent, self.check_absent(existing).await) {
            (Some(file), Ok(())) => publish::show(address, file, &address.path, existing).await,
            (sent, checked) => {
                self.take_back(sent.into_iter().collect()).await;
                checked
            }
        };
        self.sweep().await;
        done
    }

    /// Refuses a target that somebody has made in the meantime, where none may be.
    async fn check_absent(&self, existing: Existing) -> Result<()> {
        if existing == Existing::Refuse && self.address.look().await? != Found::Nothing {
            return Err(already_exists(self.target()));
        }
        Ok(())
    }

    /// Publishes the files that were sent as a directory, with what it keeps of the old one.
    ///
    /// # Errors
    /// Also if the guard's file has changed.
    pub(super) async fn publish_directory(
        &self,
        existing: Existing,
        guard: Option<&Guard>,
        companions: &[(String, Vec<u8>)],
    ) -> Result<()> {
        if self.address.renames && self.address.found == Found::Nothing {
            // The whole directory gets its name at once, so these are in it from the first moment.
            for (name, _) in companions {
                self.send(&self.new_path().join(name)).await?;
            }
        }
        let sent = std::mem::take(&mut *self.sent.lock());
        let done = publish::directory(self, sent, existing, (guard, companions)).await;
        self.sweep().await;
        done
    }

    /// Removes what is left of the hidden directory.
    async fn sweep(&self) {
        if self.address.renames {
            remove_tree(self.address.store.as_ref(), &self.hidden).await;
        }
        self.is_over.store(true, Ordering::Relaxed);
    }
}

impl Drop for RemoteStage {
    /// What was sent by a write that was given up is taken back as soon as somebody has time.
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.local));
        let sent = std::mem::take(self.sent.get_mut());
        if let Ok(runtime) = tokio::runtime::Handle::try_current()
            && !*self.is_over.get_mut()
        {
            let hidden = self.address.renames.then(|| self.hidden.clone());
            runtime.spawn(take_back(Arc::clone(&self.address.store), hidden, sent));
        }
    }
}

/// A path below a directory; names are taken as they are, with what Hive has escaped in them.
fn below(directory: &StorePath, path: &str) -> StorePath {
    let text = match directory.as_ref() {
        "" => path.to_owned(),
        above => format!("{above}/{path}"),
    };
    let parts = || path.split('/').filter(|part| !part.is_empty());
    let parsed = StorePath::parse(text.trim_end_matches('/'));
    parsed.unwrap_or_else(|_| parts().fold(directory.clone(), |path, part| path.join(part)))
}

/// Ends uploads that are not complete, and removes the hidden directory of files that are.
async fn take_back(store: Arc<dyn ObjectStore>, hidden: Option<StorePath>, sent: Vec<Sent>) {
    for file in sent {
        if let Hidden::Open(mut upload) = file.state
            && let Err(error) = upload.abort().await
        {
            log::warn!("an upload of `{}` stays open: {error}", file.path);
        }
    }
    if let Some(hidden) = hidden {
        remove_tree(store.as_ref(), &hidden).await;
    }
}

/// Removes a directory and all in it, as far as it can; directories go after what is in them.
async fn remove_tree(store: &dyn ObjectStore, root: &StorePath) {
    let mut directories = vec![root.clone()];
    let mut next = 0;
    while next < directories.len() {
        let listed = store.list_with_delimiter(Some(&directories[next])).await;
        next += 1;
        let Ok(listed) = listed else { continue };
        for file in listed.objects {
            drop(store.delete(&file.location).await);
        }
        directories.extend(listed.common_prefixes);
    }
    for directory in directories.iter().rev() {
        drop(store.delete(directory).await);
    }
}
