//! Where rows go that do not fit into memory: a private directory, limited in size, that goes with
//! its session, and that the next process sweeps if this one is killed.

use std::collections::HashSet;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use bytes::Bytes;
use datafusion::common::Result as DfResult;
use datafusion::execution::{SpillFile, SpillWriter, TempFileFactory};
use futures::stream::{self, Stream};
use parking_lot::Mutex;

use crate::config::{self, Config};
use crate::error::{Condition, Error, Result};
use crate::write::make_private;

/// How the names of spill directories begin; they are private and locked while they are in use.
const PREFIX: &str = "vonk-spill-";

/// The name of a directory that has no lock yet.
const UNLOCKED: &str = ".vonk-spill-";

/// How much is read back at once.
const STRETCH_BYTES: usize = 1 << 20;

/// The places that this process has swept.
static SWEPT: LazyLock<Mutex<HashSet<PathBuf>>> = LazyLock::new(Mutex::default);

/// Makes the spill files of one session, in a directory that is made for the first of them.
pub(super) struct SpillPlace {
    /// What the directory is made in.
    parent: PathBuf,
    limit: u64,
    used: Arc<AtomicU64>,
    directory: Mutex<Option<Arc<PrivateDirectory>>>,
}

impl SpillPlace {
    /// Reads the options, and removes what dead processes left.
    pub(super) fn new(config: &Config) -> Result<Self> {
        let parent = match config.get(config::SPILL_DIRECTORY) {
            Some(directory) => PathBuf::from(directory),
            None => std::env::temp_dir(),
        };
        if SWEPT.lock().insert(parent.clone()) {
            sweep(&parent);
        }
        let limit = config.bytes(config::SPILL_LIMIT)?.unwrap_or(u64::MAX);
        Ok(Self { parent, limit, used: Arc::default(), directory: Mutex::default() })
    }

    fn directory(&self) -> io::Result<Arc<PrivateDirectory>> {
        let mut made = self.directory.lock();
        if let Some(directory) = made.as_ref() {
            return Ok(Arc::clone(directory));
        }
        fs::create_dir_all(&self.parent)?;
        let directory = Arc::new(PrivateDirectory::create(&self.parent)?);
        *made = Some(Arc::clone(&directory));
        Ok(directory)
    }
}

impl TempFileFactory for SpillPlace {
    fn create_temp_file(&self, _description: &str) -> DfResult<Arc<dyn SpillFile>> {
        let create = || -> io::Result<Spilled> {
            let directory = self.directory()?;
            let path = directory.path.join(format!("{:016x}", rand::random::<u64>()));
            File::create_new(&path)?;
            let used = Arc::clone(&self.used);
            let space = Space { path, used, limit: self.limit, size: AtomicU64::new(0) };
            Ok(Spilled { space: Arc::new(space), _directory: directory })
        };
        let file = create().map_err(|error| cannot_spill(&self.parent, &error))?;
        Ok(Arc::new(file))
    }
}

fn cannot_spill(directory: &Path, error: &io::Error) -> Error {
    let message = format!("cannot spill into `{}`: {error}", directory.display());
    Error::new(Condition::DISK_FULL, message)
        .hint("set `vonk.spill.directory` to a directory on a disk with room")
}

/// A directory for this user alone, which goes with everything in it.
struct PrivateDirectory {
    path: PathBuf,
    /// Locked while this process lives, so that others tell work in progress from left-overs.
    _alive: File,
}

impl PrivateDirectory {
    fn create(parent: &Path) -> io::Result<Self> {
        let bits = rand::random::<u64>();
        let unlocked = parent.join(format!("{UNLOCKED}{bits:016x}"));
        make_private(&unlocked)?;
        let alive = File::open(&unlocked)?;
        alive.lock()?;
        // Only now has it a name that sweepers look for.
        let path = parent.join(format!("{PREFIX}{bits:016x}"));
        fs::rename(&unlocked, &path)?;
        Ok(Self { path, _alive: alive })
    }
}

impl Drop for PrivateDirectory {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            log::warn!("cannot remove `{}`: {error}", self.path.display());
        }
    }
}

/// Removes the spill directories whose processes are dead. Those of other users stay closed to it.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let is_ours = entry.file_name().as_encoded_bytes().starts_with(PREFIX.as_bytes());
        if is_ours
            && entry.file_type().is_ok_and(|kind| kind.is_dir())
            && let Ok(directory) = File::open(entry.path())
            && directory.try_lock().is_ok()
            && let Err(error) = fs::remove_dir_all(entry.path())
        {
            log::warn!("cannot remove `{}`: {error}", entry.path().display());
        }
    }
}

/// A file of spilled rows, and the part of the session's limit that it takes.
struct Space {
    path: PathBuf,
    used: Arc<AtomicU64>,
    limit: u64,
    size: AtomicU64,
}

impl Space {
    fn take(&self, bytes: u64) -> io::Result<()> {
        let before = self.used.fetch_add(bytes, Ordering::Relaxed);
        self.size.fetch_add(bytes, Ordering::Relaxed);
        if before.saturating_add(bytes) <= self.limit {
            return Ok(());
        }
        let option = config::SPILL_LIMIT;
        let message = format!(
            "spilled rows take more than the limit `{option}`, which is {} bytes",
            self.limit
        );
        Err(io::Error::other(
            Error::new(Condition::DISK_FULL, message)
                .hint("read less at a time, or raise the limit"),
        ))
    }
}

impl Drop for Space {
    fn drop(&mut self) {
        self.used.fetch_sub(*self.size.get_mut(), Ordering::Relaxed);
        if let Err(error) = fs::remove_file(&self.path) {
            log::warn!("cannot remove `{}`: {error}", self.path.display());
        }
    }
}

struct Spilled {
    space: Arc<Space>,
    _directory: Arc<PrivateDirectory>,
}

impl SpillFile for Spilled {
    fn path(&self) -> Option<&Path> {
        Some(&self.space.path)
    }

    fn size(&self) -> Option<u64> {
        Some(self.space.size.load(Ordering::Relaxed))
    }

    fn read_stream(&self) -> DfResult<Pin<Box<dyn Stream<Item = DfResult<Bytes>> + Send>>> {
        let file = File::open(&self.space.path)?;
        Ok(Box::pin(stream::try_unfold(file, |file| async move {
            let read = tokio::task::spawn_blocking(move || stretch(file));
            read.await.map_err(io::Error::from)?.map_err(Into::into)
        })))
    }

    fn open_writer(&self) -> DfResult<Box<dyn SpillWriter>> {
        let file = File::options().append(true).open(&self.space.path)?;
        Ok(Box::new(Writer { file, space: Arc::clone(&self.space) }))
    }
}

/// The next bytes of a file, if there are any.
fn stretch(file: File) -> io::Result<Option<(Bytes, File)>> {
    let mut bytes = Vec::with_capacity(STRETCH_BYTES);
    (&file).take(STRETCH_BYTES as u64).read_to_end(&mut bytes)?;
    Ok((!bytes.is_empty()).then(|| (Bytes::from(bytes), file)))
}

struct Writer {
    file: File,
    space: Arc<Space>,
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.space.take(bytes.len() as u64)?;
        self.file.write_all(bytes).map_err(|error| {
            let directory = self.space.path.parent().unwrap_or(&self.space.path);
            io::Error::other(cannot_spill(directory, &error))
        })?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl SpillWriter for Writer {
    fn finish(&mut self) -> DfResult<()> {
        Ok(())
    }
}

impl fmt::Debug for SpillPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SpillPlace").field("parent", &self.parent).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(parent: &Path, limit: &str) -> SpillPlace {
        let mut config = Config::default();
        config.set(config::SPILL_DIRECTORY, parent.to_str().unwrap()).unwrap();
        config.set(config::SPILL_LIMIT, limit).unwrap();
        SpillPlace::new(&config).unwrap()
    }

    fn names(parent: &Path) -> Vec<String> {
        let entries = fs::read_dir(parent).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn files_are_private_limited_and_gone_at_the_end() {
        let root = tempfile::tempdir().unwrap();
        let place = place(root.path(), "1000");
        assert!(names(root.path()).is_empty());
        let file = place.create_temp_file("rows").unwrap();
        let directory = file.path().unwrap().parent().unwrap().to_owned();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&directory).unwrap().permissions().mode() & 0o777, 0o700);
        }
        let mut writer = file.open_writer().unwrap();
        writer.write_all(&[1; 900]).unwrap();
        let error = Error::from(writer.write_all(&[1; 101]).unwrap_err());
        assert_eq!(error.condition(), Condition::DISK_FULL);
        let message =
            "spilled rows take more than the limit `vonk.spill.limit`, which is 1000 bytes";
        assert_eq!(error.message(), message);
        drop((file, writer));
        place
            .create_temp_file("rows")
            .unwrap()
            .open_writer()
            .unwrap()
            .write_all(&[1; 900])
            .unwrap();
        drop(place);
        assert!(names(root.path()).is_empty());
    }

    #[test]
    fn what_dead_processes_left_is_swept_and_no_more() {
        let root = tempfile::tempdir().unwrap();
        let living = PrivateDirectory::create(root.path()).unwrap();
        for name in ["vonk-spill-dead/rows", "other/rows"] {
            fs::create_dir_all(root.path().join(name)).unwrap();
        }
        sweep(root.path());
        let mut left = names(root.path());
        left.sort();
        assert_eq!(left, ["other", living.path.file_name().unwrap().to_str().unwrap()]);
    }
}
