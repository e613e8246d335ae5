//! Files that a client leaves for its functions of Python: modules, archives and others, in a folder
//! that ends with the session.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use vonk::{Error, Result};

use super::hex;
use crate::errors;

/// The folders of files by what they are for, as clients begin their names.
const MODULES: &str = "pyfiles";
const ARCHIVES: &str = "archives";
const OTHERS: &str = "files";

/// The files of a session.
#[derive(Debug, Default)]
pub(crate) struct Files(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    folder: Option<TempDir>,
    /// The hash of each file by its whole name.
    names: BTreeMap<String, String>,
}

/// What a worker is told of the files: where they are, which modules and which archives.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct Staged {
    root: PathBuf,
    /// What belongs on the path of modules, relative to the root.
    modules: Vec<String>,
    /// Archives relative to the root, and under which name there each is unpacked.
    archives: Vec<(String, String)>,
}

impl Files {
    /// Whether a name is one of a file, by its beginning.
    pub(super) fn is_file(name: &str) -> bool {
        name.split_once('/').is_some_and(|(kind, _)| [MODULES, ARCHIVES, OTHERS].contains(&kind))
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.0.lock().names.contains_key(name)
    }

    /// Keeps a file under its name; says whether it is new.
    ///
    /// # Errors
    /// `INVALID_PLAN_INPUT` for a name that leads elsewhere, `ARTIFACT_ALREADY_EXISTS` if another file
    /// has it, and where the folder cannot be written.
    pub(super) fn keep(&self, name: &str, data: &[u8]) -> Result<bool> {
        let place = place_of(name)?;
        let hash = hex(&Sha256::digest(data));
        let mut kept = self.0.lock();
        match kept.names.get(name) {
            Some(known) if *known == hash => return Ok(false),
            Some(_) => {
                let message = format!("the session has another file `{name}` already");
                return Err(Error::new(errors::ARTIFACT_EXISTS, message)
                    .parameter("normalizedRemoteRelativePath", name)
                    .hint("give it another name, or make a new session"));
            }
            None => {}
        }
        let root = kept.root().map_err(|error| not_kept(name, &error))?;
        let path = root.join(place);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all);
        written.and_then(|()| fs::write(&path, data)).map_err(|error| not_kept(name, &error))?;
        kept.names.insert(name.to_owned(), hash);
        Ok(true)
    }

    /// The same files in a folder of their own.
    ///
    /// # Errors
    /// Where a file cannot be read or written.
    pub(super) fn copy(&self) -> Result<Self> {
        let copy = Self::default();
        let kept = self.0.lock();
        for name in kept.names.keys() {
            let Some(folder) = &kept.folder else { break };
            let data = fs::read(folder.path().join(place_of(name)?));
            copy.keep(name, &data.map_err(|error| not_kept(name, &error))?)?;
        }
        drop(kept);
        Ok(copy)
    }

    /// What workers are told; `None` without files.
    pub(crate) fn staged(&self) -> Option<Staged> {
        let kept = self.0.lock();
        let root = kept.folder.as_ref()?.path().to_owned();
        let (mut modules, mut archives) = (Vec::new(), Vec::new());
        for name in kept.names.keys() {
            let (kind, rest) = name.split_once('/')?;
            match kind {
                // Single modules are found by their folder.
                MODULES if rest.ends_with(".py") => modules.push(MODULES.to_owned()),
                MODULES => modules.push(name.clone()),
                ARCHIVES => {
                    let (file, target) = of_archive(rest);
                    archives.push((format!("{ARCHIVES}/{file}"), target.to_owned()));
                }
                _ => {}
            }
        }
        modules.dedup();
        Some(Staged { root, modules, archives })
    }
}

impl Kept {
    /// The folder of the session, made when it is needed.
    fn root(&mut self) -> std::io::Result<&Path> {
        if self.folder.is_none() {
            // Only this user may enter it.
            self.folder = Some(tempfile::Builder::new().prefix("vonk-files-").tempdir()?);
        }
        self.folder.as_ref().map(TempDir::path).ok_or_else(|| std::io::ErrorKind::NotFound.into())
    }
}

/// The file of an archive, and what it is unpacked as: the name after `#`, else its own.
fn of_archive(name: &str) -> (&str, &str) {
    name.split_once('#').unwrap_or((name, name))
}

/// Where a file lies below the folder. Files that are neither modules nor archives lie in the folder itself.
fn place_of(name: &str) -> Result<PathBuf> {
    let (kind, rest) = name.split_once('/').unwrap_or((OTHERS, name));
    let (file, target) = if kind == ARCHIVES { of_archive(rest) } else { (rest, rest) };
    let is_plain = |name: &str| {
        let mut parts = Path::new(name).components();
        let first = parts.next();
        matches!(first, Some(Component::Normal(part)) if part == name) && parts.next().is_none()
    };
    if !is_plain(file) || !is_plain(target) {
        let message = format!("`{name}` is no name of a file");
        return Err(Error::new(errors::INVALID_PLAN, message)
            .hint("it has to be a plain name, without folders"));
    }
    Ok(match kind {
        OTHERS => PathBuf::from(file),
        _ => Path::new(kind).join(file),
    })
}

fn not_kept(name: &str, error: &std::io::Error) -> Error {
    Error::new(vonk::Condition::WRITE_FAILED, format!("the server cannot keep `{name}`: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_lie_where_workers_look_for_them() {
        let files = Files::default();
        assert_eq!(files.staged(), None);
        for name in ["pyfiles/a.py", "pyfiles/b.py", "pyfiles/c.zip", "files/d.txt"] {
            files.keep(name, name.as_bytes()).unwrap();
        }
        files.keep("archives/e.zip", b"1").unwrap();
        files.keep("archives/f.tar.gz#g", b"2").unwrap();
        let Staged { root, modules, archives } = files.copy().unwrap().staged().unwrap();
        assert!(!root.exists(), "it ends with the session");
        assert_eq!(modules, ["pyfiles", "pyfiles/c.zip"]);
        let pair = |file: &str, target: &str| (file.to_owned(), target.to_owned());
        let expected = [pair("archives/e.zip", "e.zip"), pair("archives/f.tar.gz", "g")];
        assert_eq!(archives, expected);
        let root = files.staged().unwrap().root;
        assert_eq!(fs::read(root.join("d.txt")).unwrap(), b"files/d.txt");
        assert_eq!(fs::read(root.join("pyfiles/a.py")).unwrap(), b"pyfiles/a.py");
    }

    #[test]
    fn names_lead_nowhere_else_and_files_do_not_change() {
        let files = Files::default();
        for name in
            ["files/../x", "files/a/b", "files//x", "files/", "pyfiles/..", "archives/a.zip#../b"]
        {
            assert_eq!(
                files.keep(name, b"").unwrap_err().condition(),
                errors::INVALID_PLAN,
                "{name}"
            );
        }
        assert!(files.keep("files/x", b"1").unwrap());
        assert!(!files.keep("files/x", b"1").unwrap());
        assert_eq!(files.keep("files/x", b"2").unwrap_err().condition(), errors::ARTIFACT_EXISTS);
    }
}
