//! Checks the dependencies by the rules of `deny.toml`: licences, versions that must be one,
//! sources, and the advisories of `xtask/advisories.tsv`.
//!
//! `cargo deny check` reads the same rules; this needs neither that program nor a network, so that
//! every run of the tests does it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::process::cargo;
use crate::{Result, repository};

/// The registry of crates.io, as Cargo.lock names it.
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// A package of Cargo.lock.
struct Locked {
    name: String,
    version: String,
    source: Option<String>,
}

/// Checks all; prints each finding and fails if there is any.
pub(crate) fn run() -> Result<()> {
    let rules = fs::read_to_string(repository().join("deny.toml"))?;
    let advisories = fs::read_to_string(repository().join("xtask/advisories.tsv"))?;
    let locked = locked(&fs::read_to_string(repository().join("Cargo.lock"))?);
    let mut findings = licences(&rules)?;
    findings.extend(several_versions(&locked, &rules));
    findings.extend(strange_sources(&locked));
    findings.extend(affected(&locked, &advisories, &rules));
    findings.iter().for_each(|finding| println!("{finding}"));
    let names: BTreeSet<&str> = locked.iter().map(|package| package.name.as_str()).collect();
    let twice = locked.len() - names.len();
    println!(
        "deny: {} packages, {twice} of them second versions, {} findings",
        locked.len(),
        findings.len()
    );
    if findings.is_empty() { Ok(()) } else { Err("the dependencies break the rules".into()) }
}

fn locked(text: &str) -> Vec<Locked> {
    let packages = text.split("[[package]]").skip(1);
    let value = |package: &str, key: &str| {
        let line = package.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))?;
        Some(line.trim_matches('"').to_owned())
    };
    let read = |package| {
        let (name, version) = (value(package, "name")?, value(package, "version")?);
        Some(Locked { name, version, source: value(package, "source") })
    };
    packages.filter_map(read).collect()
}

/// The texts in quotes of a list, which begins with `start`.
fn listed<'a>(rules: &'a str, start: &str) -> Vec<&'a str> {
    let Some((_, list)) = rules.split_once(start) else { return Vec::new() };
    let lines = list.lines().take_while(|line| line.trim() != "]");
    lines.filter_map(|line| line.split('"').nth(1)).collect()
}

/// Packages of this machine's build whose licence is not among those allowed.
fn licences(rules: &str) -> Result<Vec<String>> {
    let allowed = listed(rules, "allow = [");
    let host = std::process::Command::new("rustc").arg("-vV").output()?.stdout;
    let host = String::from_utf8(host)?;
    let host = host.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or_default();
    let metadata = ["metadata", "--locked", "--format-version", "1", "--filter-platform", host];
    let output = cargo(&metadata).output()?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned().into());
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().ok_or("cargo lists no packages")?;
    let finding = |package: &serde_json::Value| {
        let licence = package["license"].as_str().unwrap_or("of no name");
        let is_allowed = is_allowed(&licence.replace('/', " OR "), &allowed);
        let (name, version) = (package["name"].as_str()?, package["version"].as_str()?);
        (!is_allowed).then(|| format!("{name} {version}: its licence {licence} is not allowed"))
    };
    Ok(packages.iter().filter_map(finding).collect())
}

/// Whether an SPDX expression can be met by licences that are allowed.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    let expression = expression.trim();
    let parts = |word| split_outside(expression, word);
    if let Some(parts) = parts(" OR ") {
        return parts.iter().any(|part| is_allowed(part, allowed));
    }
    if let Some(parts) = parts(" AND ") {
        return parts.iter().all(|part| is_allowed(part, allowed));
    }
    match expression.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => is_allowed(inner, allowed),
        None => allowed.contains(&expression),
    }
}

/// The parts between a word that stands outside of all parentheses, if there is one.
fn split_outside<'a>(text: &'a str, word: &str) -> Option<Vec<&'a str>> {
    let (mut parts, mut start) = (Vec::new(), 0);
    for (at, _) in text.match_indices(word) {
        if text[..at].matches('(').count() == text[..at].matches(')').count() {
            parts.push(&text[start..at]);
            start = at + word.len();
        }
    }
    parts.push(&text[start..]);
    (parts.len() > 1).then_some(parts)
}

/// Packages that must have one version and have more.
fn several_versions(locked: &[Locked], rules: &str) -> Vec<String> {
    let mut versions = BTreeMap::<&str, Vec<&str>>::new();
    for package in locked {
        versions.entry(&package.name).or_default().push(&package.version);
    }
    let once = listed(rules, "deny = [");
    let several = once.iter().filter_map(|name| Some((name, versions.get(name)?)));
    let several = several.filter(|(_, versions)| versions.len() > 1);
    several.map(|(name, versions)| format!("{name}: in versions {}", versions.join(", "))).collect()
}

fn strange_sources(locked: &[Locked]) -> Vec<String> {
    let sources = locked.iter().filter_map(|package| Some((package, package.source.as_deref()?)));
    let strange = sources.filter(|(_, source)| *source != REGISTRY);
    strange.map(|(package, source)| format!("{}: comes from {source}", package.name)).collect()
}

/// Packages with a known advisory that `deny.toml` does not name with a reason.
fn affected(locked: &[Locked], advisories: &str, rules: &str) -> Vec<String> {
    let ignored = listed(rules, "ignore = [");
    let mut findings = Vec::new();
    for line in advisories.lines().filter(|line| !line.starts_with('#')) {
        let [id, name, unaffected, title] = line.split('\t').collect::<Vec<_>>()[..] else {
            findings.push(format!("xtask/advisories.tsv: `{line}` has not four columns"));
            continue;
        };
        let is_open = |package: &&Locked| {
            package.name == name
                && !unaffected.split('|').any(|range| fits(&package.version, range))
        };
        let open = locked.iter().filter(is_open).filter(|_| !ignored.contains(&id));
        findings.extend(open.map(|package| format!("{name} {}: {id}, {title}", package.version)));
    }
    findings
}

/// Whether a version is in a range such as `>= 0.9.3, < 0.10.0`.
fn fits(version: &str, range: &str) -> bool {
    range.split(',').all(|bound| match bound.trim().split_once(' ') {
        Some((">=", bound)) => parts(version) >= parts(bound),
        Some(("<", bound)) => parts(version) < parts(bound),
        _ => false,
    })
}

fn parts(version: &str) -> Vec<u64> {
    let number = |part: &str| {
        let digits = part.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
        digits.parse().unwrap_or(0)
    };
    version.split(['-', '+']).next().unwrap_or_default().split('.').map(number).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_read_as_expressions() {
        let allowed = ["MIT", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "ISC"];
        for good in [
            "MIT",
            "MIT OR GPL-3.0",
            "Apache-2.0 AND ISC",
            "(MIT OR GPL-3.0) AND ISC",
            "Apache-2.0 WITH LLVM-exception OR GPL-2.0",
        ] {
            assert!(is_allowed(good, &allowed), "{good}");
        }
        for bad in ["GPL-3.0", "MIT AND GPL-3.0", "(MIT OR ISC) AND GPL-3.0", ""] {
            assert!(!is_allowed(bad, &allowed), "{bad}");
        }
    }

    #[test]
    fn an_advisory_holds_for_versions_outside_of_its_ranges() {
        assert!(fits("0.9.5", ">= 0.9.3, < 0.10.0") && !fits("0.10.0", ">= 0.9.3, < 0.10.0"));
        let lock = "[[package]]\nname = \"rand\"\nversion = \"0.10.0\"\n\n[[package]]\nname = \"rand\"\nversion = \"0.9.5\"\n";
        let advisories = "# x\nR-1\trand\t>= 0.10.1 | >= 0.9.3, < 0.10.0\tbad\n";
        assert_eq!(affected(&locked(lock), advisories, ""), ["rand 0.10.0: R-1, bad"]);
        let ignored = "ignore = [\n  { id = \"R-1\", reason = \"x\" },\n]\n";
        assert!(affected(&locked(lock), advisories, ignored).is_empty());
    }

    #[test]
    fn one_version_means_one() {
        let lock = "[[package]]\nname = \"arrow\"\nversion = \"1\"\n[[package]]\nname = \"arrow\"\nversion = \"2\"\nsource = \"git+x\"\n";
        let rules = "deny = [\n  { name = \"arrow\", deny-multiple-versions = true },\n]\n";
        assert_eq!(several_versions(&locked(lock), rules), ["arrow: in versions 1, 2"]);
        assert_eq!(strange_sources(&locked(lock)), ["arrow: comes from git+x"]);
    }
}
