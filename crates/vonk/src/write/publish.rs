//! The file system's side of publishing: names that change at once, links, and durability.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::staging;

/// What becomes of a target that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It is an error.
    Refuse,
    /// It goes, with everything in it.
    Replace,
    /// Its data goes; hidden files stay, which hold a table's metadata.
    ReplaceData,
    /// Only the partitions that are written anew go.
    ReplacePartitions,
    /// It stays, and the new files come to it.
    Append,
}

/// Which files of the old directory the new one takes over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    Nothing,
    Metadata,
    OtherPartitions,
    Everything,
}

/// Gives `from` the name `to` unless that is taken.
pub(crate) fn rename_new(from: &Path, to: &Path) -> io::Result<()> {
    match rename_with(from, to, Rename::NoReplace) {
        Err(error) if is_unsupported(&error) => {
            if fs::symlink_metadata(to).is_ok() {
                return Err(io::ErrorKind::AlreadyExists.into());
            }
            fs::rename(from, to)
        }
        done => done,
    }
}

/// Swaps two names at once; false where the file system cannot.
pub(super) fn exchange(one: &Path, other: &Path) -> io::Result<bool> {
    match rename_with(one, other, Rename::Exchange) {
        Ok(()) => Ok(true),
        Err(error) if is_unsupported(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

enum Rename {
    NoReplace,
    Exchange,
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn rename_with(from: &Path, to: &Path, how: Rename) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    let flags = match how {
        Rename::NoReplace => RenameFlags::NOREPLACE,
        Rename::Exchange => RenameFlags::EXCHANGE,
    };
    Ok(renameat_with(CWD, from, CWD, to, flags)?)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn rename_with(_from: &Path, _to: &Path, _how: Rename) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Kernels and file systems without the flags say so in two ways.
fn is_unsupported(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput)
}

/// Moves the one data file of `new` into `target`, which readers see at once; false if it has more.
pub(super) fn append_single(new: &Path, target: &Path) -> io::Result<bool> {
    let mut found = None;
    for entry in fs::read_dir(new)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            return Ok(false);
        }
        let is_marker = entry.file_name() == SUCCESS && target.join(SUCCESS).exists();
        if !is_marker && found.replace(entry.file_name()).is_some() {
            return Ok(false);
        }
    }
    if !target.is_dir() {
        return Ok(false);
    }
    if let Some(name) = found {
        rename_new(&new.join(&name), &target.join(&name))?;
        sync(target)?;
    }
    Ok(true)
}

/// The empty file by which Spark tells that a directory is complete.
pub(super) const SUCCESS: &str = "_SUCCESS";

/// Links what `kept` says from one directory into another, where it is not there yet.
///
/// Links cost no space and no copying. Where they are not to be had the files are copied.
pub(super) fn carry_over(from: &Path, to: &Path, kept: Kept) -> io::Result<()> {
    if kept == Kept::Nothing {
        return keep_permissions(from, to);
    }
    if !from.is_dir() {
        return Ok(());
    }
    let was_there = kept == Kept::OtherPartitions && holds_files(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (name, kind) = (entry.file_name(), entry.file_type()?);
        let (source, target) = (entry.path(), to.join(&name));
        if staging::is_staging(&name) {
            continue;
        }
        if kind.is_dir() {
            if kept == Kept::Metadata {
                continue;
            }
            if !target.exists() {
                fs::create_dir(&target)?;
            }
            carry_over(&source, &target, kept)?;
        } else if is_kept(kept, was_there, &name) && fs::symlink_metadata(&target).is_err() {
            link(&source, &target, kind)?;
        }
    }
    keep_permissions(from, to)?;
    sync(to)
}

fn is_kept(kept: Kept, is_rewritten: bool, name: &OsStr) -> bool {
    match kept {
        Kept::Nothing => false,
        Kept::Metadata => is_hidden(name),
        Kept::OtherPartitions => !is_rewritten || is_hidden(name),
        Kept::Everything => true,
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

/// Whether a directory has data files of its own: then it is a partition that is written anew.
fn holds_files(directory: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = entry.file_name();
        if !entry.file_type()?.is_dir() && !is_hidden(&name) && name != SUCCESS {
            return Ok(true);
        }
    }
    Ok(false)
}

fn link(source: &Path, target: &Path, kind: fs::FileType) -> io::Result<()> {
    if kind.is_symlink() {
        return copy_symlink(source, target);
    }
    if fs::hard_link(source, target).is_ok() {
        return Ok(());
    }
    fs::copy(source, target)?;
    sync(target)
}

#[cfg(unix)]
fn copy_symlink(source: &Path, target: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(fs::read_link(source)?, target)
}

#[cfg(not(unix))]
fn copy_symlink(source: &Path, target: &Path) -> io::Result<()> {
    fs::copy(source, target).map(drop)
}

/// Gives `new` the permissions of `old`, if that is there.
pub(super) fn keep_permissions(old: &Path, new: &Path) -> io::Result<()> {
    match fs::metadata(old) {
        Ok(metadata) if metadata.is_dir() == new.is_dir() => {
            fs::set_permissions(new, metadata.permissions())
        }
        _ => Ok(()),
    }
}

/// Copies the files that are directly in one directory to another, durably, and gives the copies.
pub(crate) fn copy_files(from: &Path, to: &Path) -> io::Result<Vec<PathBuf>> {
    let mut copies = Vec::new();
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            let copy = to.join(entry.file_name());
            fs::copy(entry.path(), &copy)?;
            sync(&copy)?;
            copies.push(copy);
        }
    }
    copies.sort();
    Ok(copies)
}

/// Writes a small file so that it survives a crash.
pub(crate) fn write_durable(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a file, or the names in a directory, durable.
pub(crate) fn sync(path: &Path) -> io::Result<()> {
    if cfg!(not(unix)) && path.is_dir() {
        return Ok(());
    }
    File::open(path)?.sync_all()
}

/// Makes the names in a directory and in all directories below it durable.
pub(super) fn sync_directories(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync_directories(&entry.path())?;
        }
    }
    sync(directory)
}
