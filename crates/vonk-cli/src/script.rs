//! Files of statements: read as a whole, with a hint at the neighbour that was meant.

use std::fs;
use std::io::{ErrorKind, Read};
use std::path::Path;

use vonk::error::closest;
use vonk::{Condition, Error, Policy};

/// The text of a file of statements.
///
/// # Errors
/// `PATH_NOT_FOUND` if there is no such file, `INSUFFICIENT_PERMISSIONS` if the policy forbids it,
/// else `CANNOT_READ_FILE`.
pub(crate) fn read(path: &Path, policy: &Policy) -> vonk::Result<String> {
    let mut file = policy.open(path).map_err(|error| match error.condition() {
        Condition::PATH_NOT_FOUND => not_found(path),
        _ => error,
    })?;
    let mut text = String::new();
    let read = file.read_to_string(&mut text);
    read.map(|_| text).map_err(|error| match error.kind() {
        ErrorKind::InvalidData => {
            Error::new(Condition::CANNOT_READ_FILE, "the file is no text in UTF-8").file(path)
        }
        ErrorKind::IsADirectory => {
            Error::new(Condition::CANNOT_READ_FILE, "a directory holds no statements by itself")
                .hint("name a file in it")
                .file(path)
        }
        _ => Error::new(Condition::CANNOT_READ_FILE, format!("the file cannot be read: {error}"))
            .file(path),
    })
}

fn not_found(path: &Path) -> Error {
    let error = Error::new(Condition::PATH_NOT_FOUND, "the file does not exist").file(path);
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let neighbours = fs::read_dir(directory.unwrap_or(Path::new("."))).into_iter().flatten();
    let names: Vec<String> =
        neighbours.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect();
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    match closest(&name, names.iter().map(String::as_str)) {
        Some(found) => error.hint(format!("did you mean `{found}`?")),
        None => error.hint("check the path; it is relative to the current directory"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_says_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("report.sql"), "SELECT 1").unwrap();
        fs::write(directory.path().join("image.png"), b"\x89PNG\xff").unwrap();
        let read = |name: &str| read(&directory.path().join(name), &Policy::default());
        let error = |name: &str| read(name).unwrap_err();
        assert_eq!(read("report.sql").unwrap(), "SELECT 1");
        assert_eq!(error("reprot.sql").hint_text(), Some("did you mean `report.sql`?"));
        assert_eq!(error("image.png").message(), "the file is no text in UTF-8");
        assert_eq!(error("").hint_text(), Some("name a file in it"));
    }
}
