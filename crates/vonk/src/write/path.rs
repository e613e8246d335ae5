//! From the text of a target to a path on a local disk, and whether it is a file or a directory.

use std::fs;
use std::path::PathBuf;

use super::options::{Layout, format_of_path};
use crate::error::{Condition, Error, Result};
use crate::policy::{Access, Policy};

/// A place to write to.
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
        // A link is followed, so that what it points to is replaced and not the link.
        let path = fs::canonicalize(&path).unwrap_or(path);
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
        return Err(Error::unsupported(format!("writing to `{scheme}://` addresses"))
            .hint("write to a local path and copy the result"));
    }
    Ok(text.to_owned())
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
