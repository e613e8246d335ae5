//! The rules of the source tree that no lint knows, one finding per line: `file:line: what to do`.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{Result, repository};

mod layers;
mod mask;
mod rust;
mod text;

/// What is wrong in a place, and so what to do.
#[derive(Debug)]
struct Finding {
    file: PathBuf,
    line: usize,
    message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file.display(), self.line, self.message)
    }
}

/// A tracked file: its path from the top folder, and its text.
struct Source {
    path: PathBuf,
    text: String,
}

impl Source {
    fn finding(&self, line: usize, message: impl Into<String>) -> Finding {
        Finding { file: self.path.clone(), line, message: message.into() }
    }

    fn is_rust(&self) -> bool {
        self.path.extension().is_some_and(|extension| extension == "rs")
    }

    fn is_under(&self, folder: &str) -> bool {
        self.path.starts_with(folder)
    }
}

/// Checks every file that git knows; fails if anything was found.
pub(crate) fn run() -> Result<()> {
    let sources = tracked_files()?;
    let mut findings = Vec::new();
    for source in &sources {
        if source.is_rust() {
            rust::check(source, &mut findings);
            layers::check(source, &mut findings);
        }
        text::check(source, &repository(), &mut findings);
    }
    for finding in &findings {
        println!("{finding}");
    }
    println!("tidy: {} files, {} findings", sources.len(), findings.len());
    if findings.is_empty() { Ok(()) } else { Err("the tree is not tidy".into()) }
}

/// The text files that git tracks or would track; those that are no text are left out.
fn tracked_files() -> Result<Vec<Source>> {
    let root = repository();
    let output = Command::new("git")
        .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
        .current_dir(&root)
        .output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let names = String::from_utf8(output.stdout)?;
    let read = |name: &str| {
        let text = std::fs::read_to_string(root.join(name)).ok()?;
        Some(Source { path: Path::new(name).to_path_buf(), text })
    };
    Ok(names.split('\0').filter(|name| !name.is_empty()).filter_map(read).collect())
}
