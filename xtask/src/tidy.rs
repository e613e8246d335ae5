//! The rules of the source tree that no lint knows, one finding per line: `file:line: what to do`.

use std::fmt;
use std::path::PathBuf;
use std::process::Command;

use crate::{Result, repository};

mod layers;
mod mask;
mod python;
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
    /// Whether only tests compile it.
    is_test: bool,
}

impl Source {
    fn new(path: impl Into<PathBuf>, text: impl Into<String>) -> Self {
        let path = path.into();
        let is_test = path.iter().any(|part| part == "tests" || part == "benches");
        Self { path, text: text.into(), is_test }
    }

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
        python::check(source, &mut findings);
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
        Some(Source::new(name, text))
    };
    let names = names.split('\0').filter(|name| !name.is_empty());
    let mut sources: Vec<_> = names.filter_map(read).collect();
    mark_test_modules(&mut sources);
    Ok(sources)
}

/// Marks the files of modules that are declared under `#[cfg(test)]`, with the modules in them.
fn mark_test_modules(sources: &mut [Source]) {
    let declared: Vec<_> = sources.iter().flat_map(test_modules).collect();
    for source in sources {
        let module = source.path.with_extension("");
        source.is_test |= declared.iter().any(|declared| module.starts_with(declared));
    }
}

/// The paths, without ending, of the modules that a file declares for tests.
fn test_modules(source: &Source) -> Vec<PathBuf> {
    let stands_for_folder =
        ["lib.rs", "main.rs", "mod.rs"].iter().any(|n| source.path.ends_with(n));
    let folder = match source.path.parent() {
        Some(parent) if stands_for_folder => parent.to_path_buf(),
        _ => source.path.with_extension(""),
    };
    let lines: Vec<_> = source.text.lines().map(str::trim).collect();
    let declarations = lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]");
    declarations
        .filter_map(|pair| pair[1].strip_suffix(';')?.rsplit_once("mod "))
        .map(|(_, name)| folder.join(name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_declared_for_tests_are_marked() {
        let parent = "//! A.\n#[cfg(test)]\npub(crate) mod testing;\nmod shipped;\n";
        let mut sources = [
            Source::new("crates/x/src/a.rs", parent),
            Source::new("crates/x/src/a/testing.rs", ""),
            Source::new("crates/x/src/a/shipped.rs", ""),
        ];
        mark_test_modules(&mut sources);
        assert_eq!(sources.map(|source| source.is_test), [false, true, false]);
    }
}
