//! From the text of a target to a place on a local disk or in a store, and whether it is a file or a
//! directory.

use std::fs;
use std::path::PathBuf;

use datafusion::execution::SessionState;

use super::options::{Layout, WriteOptions, format_of_path};
use super::remote::{Address, Found};
use crate::error::{Condition, Error, Result};
use crate::policy::{Access, Policy};
use crate::sources;

/// Where a write goes.
#[derive(Debug, Clone)]
pub(crate) enum Place {
    Local(Target),
    Remote(Address),
}

impl Place {
    /// Reads a path or an address, and looks what is there.
    ///
    /// # Errors
    /// For what is no place to write to, for one that the policy forbids, and those of a store.
    pub(crate) async fn find(
        state: &SessionState,
        access: Access,
        text: &str,
        options: &WriteOptions,
    ) -> Result<Self> {
        match sources::is_remote(text) {
            true => Address::find(state, text, options).await.map(Self::Remote),
            false => Target::parse(&Policy::of(state), access, text).map(Self::Local),
        }
    }

    /// The place as text, for messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Local(target) => target.path.display().to_string(),
            Self::Remote(address) => address.text.clone(),
        }
    }

    /// Whether something is there.
    pub(crate) fn exists(&self) -> bool {
        match self {
            Self::Local(target) => target.exists(),
            Self::Remote(address) => address.found != Found::Nothing,
        }
    }

    /// Whether a file is there.
    pub(crate) fn is_file(&self) -> bool {
        match self {
            Self::Local(target) => target.path.is_file(),
            Self::Remote(address) => address.found == Found::File,
        }
    }

    /// One file where the path ends as the format's files do, or is a file; else a directory.
    pub(crate) fn layout(&self, format: &str, needs_directory: bool) -> Layout {
        match self {
            Self::Local(target) => target.layout(format, needs_directory),
            Self::Remote(address) if !needs_directory && address.is_file(&canonical(format)) => {
                Layout::File
            }
            Self::Remote(_) => Layout::Directory,
        }
    }

    /// Refuses to put a new directory in the place of one that this process stands in.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` for the working directory and all above it.
    pub(crate) fn check_replaceable(&self) -> Result<()> {
        match self {
            Self::Local(target) => target.check_replaceable(),
            Self::Remote(_) => Ok(()),
        }
    }
}

/// A place on the local disk to write to.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    /// Absolute, with symbolic links followed where it is there already.
    pub(crate) path: PathBuf,
    /// Whether the text ended with a slash, which asks for a directory.
    is_directory_asked: bool,
}

impl Target {
    /// Reads a path or a `file:` address.
    ///
    /// # Errors
    /// For other schemes, for a target that is neither file nor directory, and for one that the
    /// policy forbids.
    pub(crate) fn parse(policy: &Policy, access: Access, text: &str) -> Result<Self> {
        let local = local_path(text)?;
        let invalid = |message: String| Error::new(Condition::INVALID_PARAMETER, message);
        if local.is_empty() {
            return Err(invalid("the path to write to is empty".to_owned()));
        }
        let path = std::path::absolute(&local)
            .map_err(|error| invalid(format!("`{text}` is no path: {error}")))?;
        policy.check(access, &path)?;
        let is_device = path.starts_with("/dev") && !path.starts_with("/dev/shm");
        if is_device || path.starts_with("/proc") {
            return Err(invalid(format!("`{text}` is no file on a disk"))
                .hint("to write to the standard output, ask the query with `-o csv` or the like"));
        }
        // A link is followed, so that what it points to is replaced and not the link.
        let path = fs::canonicalize(&path).unwrap_or_else(|_| end_of_links(path));
        policy.check(access, &path)?;
        match fs::metadata(&path) {
            Ok(found) if !found.is_file() && !found.is_dir() => {
                return Err(invalid(format!("`{text}` is neither a file nor a directory"))
                    .hint("write to a path on a disk"));
            }
            _ => {}
        }
        Ok(Self { path, is_directory_asked: local.ends_with('/') })
    }

    /// Whether something is there.
    pub(crate) fn exists(&self) -> bool {
        fs::symlink_metadata(&self.path).is_ok()
    }

    /// One file where the path ends as the format's files do, or is a file; else a directory.
    pub(crate) fn layout(&self, format: &str, needs_directory: bool) -> Layout {
        let text = self.path.to_string_lossy();
        let is_file = match fs::metadata(&self.path) {
            Ok(found) => found.is_file(),
            Err(_) => format_of_path(&text).is_some_and(|of_path| of_path == canonical(format)),
        };
        if is_file && !needs_directory && !self.is_directory_asked {
            Layout::File
        } else {
            Layout::Directory
        }
    }

    /// Refuses to put a new directory in the place of one that this process stands in.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` for the working directory and all above it.
    pub(crate) fn check_replaceable(&self) -> Result<()> {
        let is_above = std::env::current_dir().is_ok_and(|here| here.starts_with(&self.path));
        if !is_above {
            return Ok(());
        }
        let message = format!("`{}` holds the working directory", self.path.display());
        Err(Error::new(Condition::INVALID_PARAMETER, message).hint("write to a directory below it"))
    }
}

/// The format's name as [`format_of_path`] gives it.
fn canonical(format: &str) -> String {
    match format.to_lowercase().as_str() {
        "jsonl" | "ndjson" => "json".to_owned(),
        "txt" => "text".to_owned(),
        "ipc" | "feather" => "arrow".to_owned(),
        other => other.to_owned(),
    }
}

fn local_path(text: &str) -> Result<String> {
    let Some((scheme, rest)) = text.split_once(':') else { return Ok(text.to_owned()) };
    let is_scheme = scheme.len() > 1 && scheme.chars().all(|c| c.is_ascii_alphanumeric());
    if scheme.eq_ignore_ascii_case("file") {
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let rest = rest.strip_prefix("localhost").unwrap_or(rest);
        return Ok(rest.to_owned());
    }
    if is_scheme && rest.starts_with("//") {
        return Err(Error::unsupported(format!("this change of files at `{scheme}://` addresses"))
            .hint("use a table whose files are on a local disk"));
    }
    Ok(text.to_owned())
}

/// Where links lead that end at nothing yet.
fn end_of_links(mut path: PathBuf) -> PathBuf {
    const LINKS_MAX: usize = 40;
    for _ in 0..LINKS_MAX {
        let Ok(target) = fs::read_link(&path) else { break };
        // An absolute target stands alone.
        path = path.parent().map(|parent| parent.join(&target)).unwrap_or(target);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_file_addresses_are_local() {
        assert_eq!(local_path("a/b.csv").unwrap(), "a/b.csv");
        assert_eq!(local_path("file:///tmp/x").unwrap(), "/tmp/x");
        assert_eq!(local_path("file:/tmp/x").unwrap(), "/tmp/x");
        assert_eq!(local_path("/tmp/10:30").unwrap(), "/tmp/10:30");
        assert!(local_path("s3://bucket/x").is_err());
    }

    #[test]
    fn the_ending_decides_between_file_and_directory() {
        let layout = |path: &str, format| {
            let target = Target::parse(&Policy::default(), Access::Write, path).unwrap();
            target.layout(format, false)
        };
        assert_eq!(layout("/nowhere/out.parquet", "parquet"), Layout::File);
        assert_eq!(layout("/nowhere/out.csv.gz", "csv"), Layout::File);
        assert_eq!(layout("/nowhere/out.parquet/", "parquet"), Layout::Directory);
        assert_eq!(layout("/nowhere/out.csv", "parquet"), Layout::Directory);
        assert_eq!(layout("/nowhere/out", "parquet"), Layout::Directory);
    }
}
