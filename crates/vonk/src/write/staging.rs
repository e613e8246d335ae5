//! The commit protocol of every write: stage beside the target, make durable, publish by renaming.
//!
//! `docs/decisions/writes.md` says why it is done so.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::publish;
use crate::error::{Condition, Error, Result};
use crate::policy::{Access, Policy};

/// How the names of staging directories begin; readers skip every name that begins with a dot.
const PREFIX: &str = ".vonk-staging-";

/// What is being written, inside the staging directory.
const NEW: &str = "new";

/// The note of which target is being replaced, for file systems that cannot swap two names at once.
const INTENT: &str = "target";

/// A private directory beside the target in which a write is prepared.
///
/// It goes with everything in it when the last holder lets go, so each task of a write keeps a
/// clone of the `Arc` around it: a cancelled write is swept when its last task has stopped.
#[derive(Debug)]
pub(crate) struct Staging {
    directory: PathBuf,
    target: PathBuf,
    made_parents: Vec<PathBuf>,
    /// Locked while this process lives, so that others tell work in progress from left-overs.
    _alive: Option<File>,
}

impl Staging {
    /// Makes the staging directory for a target, after sweeping what dead processes left beside it.
    ///
    /// # Errors
    /// If the directories cannot be made, or the policy forbids to write the target.
    pub(crate) fn begin(policy: &Policy, target: &Path) -> Result<Self> {
        policy.check(Access::Write, target)?;
        let parent = parent_of(target)?;
        let made_parents = make_parents(parent)
            .map_err(|error| write_error(target, "make its directory", error))?;
        let directory = parent.join(format!("{PREFIX}{:016x}", rand::random::<u64>()));
        // The parent is locked until the new directory is, or a sweeper could take it for dead.
        let alive = lock_directory(parent)
            .and_then(|_lock| {
                sweep(parent);
                make_private(&directory)?;
                lock_directory(&directory)
            })
            .map_err(|error| {
                made_parents.iter().rev().for_each(|made| drop(fs::remove_dir(made)));
                write_error(target, "stage beside it", error)
            })?;
        Ok(Self { directory, target: target.to_owned(), made_parents, _alive: alive })
    }

    /// The path at which the new file or directory is prepared.
    pub(crate) fn new_path(&self) -> PathBuf {
        self.directory.join(NEW)
    }

    /// Where the write will be published.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Publishes the prepared file under the target's name; everything in it is durable already.
    pub(crate) fn publish_file(&self, existing: publish::Existing) -> Result<()> {
        let parent = parent_of(&self.target)?;
        let publish = || -> io::Result<()> {
            let _lock = lock_directory(parent)?;
            match existing {
                publish::Existing::Refuse => publish::rename_new(&self.new_path(), &self.target)?,
                _ if self.target.is_dir() => self.exchange()?,
                _ => {
                    publish::keep_permissions(&self.target, &self.new_path())?;
                    fs::rename(self.new_path(), &self.target)?;
                }
            }
            publish::sync(parent)
        };
        publish().map_err(|error| write_error(&self.target, "publish", error))
    }

    /// Publishes the prepared directory under the target's name, with what it keeps of the old one.
    ///
    /// # Errors
    /// Also if the guard's file has changed, which is checked while no other writer publishes.
    pub(crate) fn publish_directory(
        &self,
        existing: publish::Existing,
        guard: Option<&Guard>,
    ) -> Result<()> {
        let parent = parent_of(&self.target)?;
        let publish = || -> io::Result<()> {
            let _lock = lock_directory(parent)?;
            if guard.is_some_and(Guard::is_broken) {
                return Err(io::Error::other("the table was changed or dropped in the meantime"));
            }
            publish::sync_directories(&self.new_path())?;
            if fs::symlink_metadata(&self.target).is_err() {
                publish::rename_new(&self.new_path(), &self.target)?;
                return publish::sync(parent);
            }
            let kept = match existing {
                publish::Existing::Refuse => return Err(io::ErrorKind::AlreadyExists.into()),
                publish::Existing::Replace => publish::Kept::Nothing,
                publish::Existing::ReplaceData => publish::Kept::Metadata,
                publish::Existing::ReplacePartitions => publish::Kept::OtherPartitions,
                publish::Existing::Append => publish::Kept::Everything,
            };
            if kept == publish::Kept::Everything
                && publish::append_single(&self.new_path(), &self.target)?
            {
                return Ok(());
            }
            publish::carry_over(&self.target, &self.new_path(), kept)?;
            self.exchange()?;
            if kept == publish::Kept::Everything {
                // What strangers put into the old directory in the meantime moves along.
                publish::carry_over(&self.new_path(), &self.target, kept)?;
            }
            publish::sync(parent)
        };
        publish().map_err(|error| write_error(&self.target, "publish", error))
    }

    /// Makes the target vanish at once; what it held is removed with the staging directory.
    pub(crate) fn remove_target(&self) -> Result<()> {
        let parent = parent_of(&self.target)?;
        let remove = || -> io::Result<()> {
            let _lock = lock_directory(parent)?;
            fs::rename(&self.target, self.new_path())?;
            publish::sync(parent)
        };
        remove().map_err(|error| write_error(&self.target, "remove", error))
    }

    /// Puts the prepared directory in the target's place and the old one in its own.
    fn exchange(&self) -> io::Result<()> {
        let new = self.new_path();
        if publish::exchange(&new, &self.target)? {
            return Ok(());
        }
        // Without an atomic exchange there is a moment without a target; the note lets the next
        // write finish the swap if this process dies in it.
        let name = self.target.file_name().unwrap_or_default();
        publish::write_durable(&self.directory.join(INTENT), name.as_encoded_bytes())?;
        let old = self.directory.join("old");
        fs::rename(&self.target, &old)?;
        fs::rename(&new, &self.target).inspect_err(|_| drop(fs::rename(&old, &self.target)))?;
        fs::rename(&old, &new)
    }
}

/// A small file that has to be the same when a write is published as when it began.
#[derive(Debug)]
pub(crate) struct Guard {
    pub(crate) path: PathBuf,
    pub(crate) bytes: Vec<u8>,
}

impl Guard {
    pub(super) fn is_broken(&self) -> bool {
        fs::read(&self.path).map_or(true, |bytes| bytes != self.bytes)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.directory) {
            log::warn!("cannot remove `{}`: {error}", self.directory.display());
        }
        // Only empty ones can go, so this does nothing after a successful write.
        self.made_parents.iter().rev().for_each(|made| drop(fs::remove_dir(made)));
    }
}

/// Removes the staging directories whose processes are dead. The parent must be locked.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let is_staging = entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes());
        if is_staging
            && let Ok(directory) = File::open(entry.path())
            && directory.try_lock().is_ok()
        {
            finish_swap(parent, &entry.path());
            if let Err(error) = fs::remove_dir_all(entry.path()) {
                log::warn!("cannot remove `{}`: {error}", entry.path().display());
            }
        }
    }
}

/// Finishes the swap that a process noted and died in.
fn finish_swap(parent: &Path, staging: &Path) {
    let Ok(name) = fs::read_to_string(staging.join(INTENT)) else { return };
    let target = parent.join(name);
    if fs::symlink_metadata(&target).is_err()
        && let Err(error) = fs::rename(staging.join(NEW), &target)
    {
        log::warn!("cannot finish replacing `{}`: {error}", target.display());
    }
}

/// Whether a name belongs to the commit protocol and not to the data.
pub(super) fn is_staging(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(PREFIX.as_bytes())
}

/// Holds a directory against other writers until the file is dropped, where directories can be locked.
pub(crate) fn lock_directory(directory: &Path) -> io::Result<Option<File>> {
    if cfg!(not(unix)) {
        return Ok(None);
    }
    let file = File::open(directory)?;
    file.lock()?;
    Ok(Some(file))
}

/// What went wrong with a target, for the person who named it.
pub(crate) fn write_error(target: &Path, action: &str, error: io::Error) -> Error {
    use io::ErrorKind;
    let name = target.display();
    let converted = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            Error::new(Condition::DISK_FULL, format!("no space left to write `{name}`"))
                .hint("free some space or write elsewhere; nothing was published")
        }
        ErrorKind::AlreadyExists => already_exists(target),
        ErrorKind::CrossesDevices | ErrorKind::ResourceBusy => Error::new(
            Condition::WRITE_FAILED,
            format!("cannot {action}: `{name}` belongs to another file system than its parent"),
        )
        .hint("write to a directory below it"),
        _ => Error::new(Condition::WRITE_FAILED, format!("cannot {action}: {error}")),
    };
    converted.file(target).caused_by(error)
}

/// The error of a target that is there already.
pub(crate) fn already_exists(target: &Path) -> Error {
    Error::new(Condition::PATH_ALREADY_EXISTS, format!("`{}` already exists", target.display()))
        .hint("use mode `overwrite` to replace it or `append` to add to it")
        .parameter("outputPath", target.display().to_string())
}

fn parent_of(target: &Path) -> Result<&Path> {
    target.parent().filter(|_| target.file_name().is_some()).ok_or_else(|| {
        Error::new(
            Condition::INVALID_PARAMETER,
            format!("`{}` cannot be written to", target.display()),
        )
        .hint("name a file or directory below it")
    })
}

/// Makes the missing directories of a path and gives those it made, outermost first.
fn make_parents(parent: &Path) -> io::Result<Vec<PathBuf>> {
    let missing = parent.ancestors().take_while(|path| fs::symlink_metadata(path).is_err());
    let mut made: Vec<PathBuf> = missing.map(Path::to_owned).collect();
    made.reverse();
    fs::create_dir_all(parent)?;
    for path in &made {
        path.parent().map_or(Ok(()), publish::sync)?;
    }
    Ok(made)
}

/// Makes a directory that only its owner may enter.
#[cfg(unix)]
pub(crate) fn make_private(directory: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(directory)
}

/// Makes a directory.
#[cfg(not(unix))]
pub(crate) fn make_private(directory: &Path) -> io::Result<()> {
    fs::create_dir(directory)
}
