//! Files of statements: read as a whole, with a hint at the neighbour that was meant.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use vonk::error::closest;
use vonk::{Condition, Error};

/// The text of a file of statements.
///
/// # Errors
/// `PATH_NOT_FOUND` if there is no such file, else `CANNOT_READ_FILE`.
pub(crate) fn read(path: &Path) -> vonk::Result<String> {
    fs::read_to_string(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => not_found(path),
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
        let error = |name: &str| read(&directory.path().join(name)).unwrap_err();
        assert_eq!(read(&directory.path().join("report.sql")).unwrap(), "SELECT 1");
        assert_eq!(error("reprot.sql").hint_text(), Some("did you mean `report.sql`?"));
        assert_eq!(error("image.png").message(), "the file is no text in UTF-8");
        assert_eq!(error("").hint_text(), Some("name a file in it"));
    }
}
