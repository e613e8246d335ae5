//! What a session may touch: directories, hosts, options and programs.
//!
//! There are two gates and every path goes through one of them: `sources` resolves and opens
//! what is read, `write` and `catalog` resolve what is written. Both ask here. A check resolves links and `..` first, and
//! what was opened is checked once more by its descriptor, so that a link that is made after the
//! check leads nowhere.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use datafusion::execution::SessionState;

use crate::config;
use crate::error::{Condition, Error, Result};

#[cfg(any(test, feature = "remote", feature = "hdfs"))]
pub(crate) mod addresses;
mod hosts;

/// What the statements of a session may read, write, reach and set.
///
/// The default allows everything. [`Policy::safe`] allows nothing, and the other methods open what
/// a program needs. Once a session is made its policy stays as it is.
///
/// ```
/// # use vonk::{Policy, Session, Condition};
/// # #[tokio::main] async fn main() -> vonk::Result<()> {
/// let data = tempfile::tempdir()?;
/// std::fs::write(data.path().join("a.csv"), "n\n1\n")?;
/// let policy = Policy::safe().allow_read(data.path())?;
/// let session = Session::builder().policy(policy).get_or_create()?;
/// assert_eq!(session.read().csv(&data.path().join("a.csv")).count().await?, 1);
/// let refused = session.read().text("/etc/passwd").count().await.unwrap_err();
/// assert_eq!(refused.condition(), Condition::INSUFFICIENT_PERMISSIONS);
/// # Ok(()) }
/// ```
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// `None` allows everything.
    rules: Option<Arc<Rules>>,
}

#[derive(Debug, Clone, Default)]
struct Rules {
    /// Directories and files, resolved.
    read: Vec<PathBuf>,
    write: Vec<PathBuf>,
    hosts: Vec<String>,
    /// Addresses of directories in stores that may be written below.
    write_addresses: Vec<String>,
}

/// What is done with a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

impl Policy {
    /// Allows nothing yet: no file, no host, no program, and no option of the process.
    pub fn safe() -> Self {
        Self { rules: Some(Arc::default()) }
    }

    /// Allows to read a file, or all below a directory.
    ///
    /// # Errors
    /// `PATH_NOT_FOUND` if it is not there: only what exists can be resolved.
    pub fn allow_read(self, root: impl AsRef<Path>) -> Result<Self> {
        let root = existing(root.as_ref())?;
        Ok(self.with(|rules| rules.read.push(root)))
    }

    /// Allows to write, and to read, below a directory.
    ///
    /// # Errors
    /// `PATH_NOT_FOUND` if it is not there: only what exists can be resolved.
    pub fn allow_write(self, root: impl AsRef<Path>) -> Result<Self> {
        let root = existing(root.as_ref())?;
        Ok(self.with(|rules| {
            rules.read.push(root.clone());
            rules.write.push(root);
        }))
    }

    /// Allows requests to a host: `data.example.org`, or `*.example.org` for all below it.
    ///
    /// A name never leads to an address that is not public, whatever it resolves to. The address
    /// itself, such as `10.0.0.5`, can be allowed.
    #[must_use]
    pub fn allow_host(self, host: &str) -> Self {
        let host = hosts::plain(host);
        self.with(|rules| rules.hosts.push(host))
    }

    /// Allows to write below an address in a store, such as `s3://bucket/results`; the hosts of the
    /// store have to be allowed as well.
    ///
    /// ```
    /// use vonk::Policy;
    /// let policy = Policy::safe().allow_host("*.amazonaws.com").allow_write_to("s3://bucket/results");
    /// assert!(policy.is_restricted());
    /// ```
    #[must_use]
    pub fn allow_write_to(self, address: &str) -> Self {
        let address = address.trim_end_matches('/').to_owned();
        self.with(|rules| rules.write_addresses.push(address))
    }

    /// Whether anything is forbidden at all.
    pub fn is_restricted(&self) -> bool {
        self.rules.is_some()
    }

    /// Whether the policy allows to read a path; links and `..` are resolved first.
    pub fn may_read(&self, path: impl AsRef<Path>) -> bool {
        self.check(Access::Read, path.as_ref()).is_ok()
    }

    /// Opens a file for reading if the policy allows that.
    ///
    /// # Errors
    /// `INSUFFICIENT_PERMISSIONS`, `PATH_NOT_FOUND`, and what else opening it gives.
    pub fn open(&self, path: impl AsRef<Path>) -> Result<File> {
        let path = path.as_ref();
        self.check(Access::Read, path)?;
        let file = File::open(path).map_err(|error| Error::from(error).file(path))?;
        self.check_opened(path, &file)?;
        Ok(file)
    }

    /// The policy of the session that a state belongs to.
    pub(crate) fn of(state: &SessionState) -> Arc<Self> {
        state.config().get_extension::<Self>().unwrap_or_default()
    }

    /// Refuses a path that leads out of the directories that may be read or written.
    pub(crate) fn check(&self, access: Access, path: &Path) -> Result<()> {
        let Some(rules) = &self.rules else { return Ok(()) };
        match resolve(path) {
            Some(real) if is_below(&real, rules.roots(access)) => Ok(()),
            _ => Err(rules.refusal(access, path)),
        }
    }

    /// Refuses a file that was opened and is not where it seemed to be.
    pub(crate) fn check_opened(&self, path: &Path, file: &File) -> Result<()> {
        let Some(rules) = &self.rules else { return Ok(()) };
        match place_of(path, file) {
            Some(real) if is_below(&real, rules.roots(Access::Read)) => Ok(()),
            _ => Err(rules.refusal(Access::Read, path)),
        }
    }

    /// Refuses to change an option that concerns the process, such as its memory.
    pub(crate) fn check_setting(&self, name: &str) -> Result<()> {
        match config::find(name) {
            Some(row) if self.is_restricted() && row.is_of_process => {
                let message = format!("the policy does not allow to change option `{}`", row.name);
                Err(Error::new(Condition::CANNOT_MODIFY_CONFIG, message)
                    .hint("set it when the session is made, as with `--conf`"))
            }
            _ => Ok(()),
        }
    }

    /// Refuses to start a program of the system.
    pub(crate) fn check_program(&self, command: &str) -> Result<()> {
        if !self.is_restricted() {
            return Ok(());
        }
        let message = format!("the policy does not allow to run `{command}`");
        Err(Error::new(Condition::INSUFFICIENT_PERMISSIONS, message)
            .hint("use a session without a policy"))
    }

    fn with(self, change: impl FnOnce(&mut Rules)) -> Self {
        let mut rules = self.rules.unwrap_or_default();
        change(Arc::make_mut(&mut rules));
        Self { rules: Some(rules) }
    }
}

impl Rules {
    fn roots(&self, access: Access) -> &[PathBuf] {
        match access {
            Access::Read => &self.read,
            Access::Write => &self.write,
        }
    }

    /// Names the path as the user wrote it, the rule, and the way to allow it. Where a link leads
    /// is not said: that may be nobody's business.
    fn refusal(&self, access: Access, path: &Path) -> Error {
        let (done, flag) = match access {
            Access::Read => ("read", "read"),
            Access::Write => ("written", "write"),
        };
        let roots = self.roots(access);
        let rule = match roots {
            [] => "nothing".to_owned(),
            roots => {
                let roots = roots.iter().map(|root| format!("`{}`", root.display()));
                format!("only what is in {}", roots.collect::<Vec<_>>().join(", "))
            }
        };
        let message = format!("`{}` may not be {done}: the policy allows {rule}", path.display());
        Error::new(Condition::INSUFFICIENT_PERMISSIONS, message)
            .hint(format!("allow its directory with `--allow-{flag}` or `Policy::allow_{flag}`"))
            .parameter("path", path.display().to_string())
    }
}

fn existing(root: &Path) -> Result<PathBuf> {
    root.canonicalize().map_err(|error| {
        let message = format!("`{}` cannot be allowed: {error}", root.display());
        Error::new(Condition::PATH_NOT_FOUND, message).hint("make it first")
    })
}

fn is_below(path: &Path, roots: &[PathBuf]) -> bool {
    roots.iter().any(|root| path.starts_with(root))
}

/// Where a path really leads: what is there is resolved, and what is not must be plain names.
fn resolve(path: &Path) -> Option<PathBuf> {
    let path = std::path::absolute(path).ok()?;
    for known in path.ancestors() {
        match known.canonicalize() {
            Ok(real) => {
                let rest = path.strip_prefix(known).ok()?;
                let is_plain = rest.components().all(|part| matches!(part, Component::Normal(_)));
                // A link to nothing is made good by whoever writes through it.
                let is_link = rest.iter().next().is_some_and(|name| known.join(name).is_symlink());
                return (is_plain && !is_link).then(|| real.join(rest));
            }
            Err(error) if is_absence(error.kind()) => {}
            Err(_) => return None,
        }
    }
    None
}

fn is_absence(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Where an open file lies, whatever has become of its path since.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn place_of(_path: &Path, file: &File) -> Option<PathBuf> {
    use std::os::fd::AsRawFd;
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()
}

/// Elsewhere the path is resolved once more, and has to lead to the file that was opened.
#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
fn place_of(path: &Path, file: &File) -> Option<PathBuf> {
    use std::os::unix::fs::MetadataExt;
    let real = path.canonicalize().ok()?;
    let (opened, found) = (file.metadata().ok()?, real.symlink_metadata().ok()?);
    (opened.dev() == found.dev() && opened.ino() == found.ino()).then_some(real)
}

#[cfg(not(unix))]
fn place_of(path: &Path, _file: &File) -> Option<PathBuf> {
    path.canonicalize().ok()
}

#[cfg(test)]
mod tests;
