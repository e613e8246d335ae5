//! Paths to files: what the user wrote, where it points, and which files are there now.

use std::sync::Arc;

use arrow::array::timezone::Tz;
use arrow::compute::kernels::cast_utils::string_to_datetime;
use datafusion::execution::SessionState;
use datafusion::execution::object_store::ObjectStoreUrl;
use globset::{GlobBuilder, GlobMatcher};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore};

use super::{ReadOptions, ReadSpec, bad_option, store};
use crate::error::{Condition, Error, Result};
use crate::policy::{Access, Policy};

mod lister;

use lister::Lister;

/// How often files are listed when a write replaces a directory in the midst of it.
const LISTINGS_MAX: usize = 50;

/// The characters that make a path a pattern.
const GLOB: &[char] = &['*', '?', '[', '{'];

/// The places that one table reads, all in one store.
#[derive(Debug, Clone)]
pub(super) struct Root {
    pub(super) url: ObjectStoreUrl,
    pub(super) store: Arc<dyn ObjectStore>,
    places: Vec<Place>,
    filter: FileFilter,
    policy: Arc<Policy>,
}

/// Which of the files that are found are read.
#[derive(Debug, Clone)]
struct FileFilter {
    /// Option `pathGlobFilter`.
    names: Option<GlobMatcher>,
    /// Options `modifiedAfter` and `modifiedBefore`, in microseconds since 1970.
    after: Option<i64>,
    before: Option<i64>,
}

impl FileFilter {
    fn find(state: &SessionState, options: &ReadOptions) -> Result<Self> {
        let zone = state.config_options().execution.time_zone.as_deref().unwrap_or("UTC");
        let zone: Tz = zone.parse()?;
        let time = |name: &str| {
            let parse = |text: &str| match string_to_datetime(&zone, text) {
                Ok(time) => Ok(time.timestamp_micros()),
                Err(_) => Err(bad_option(name, text, "a time such as `2024-01-31T10:00:00`")),
            };
            options.get(name).map(parse).transpose()
        };
        Ok(Self {
            names: options.get("pathGlobFilter").map(compile).transpose()?,
            after: time("modifiedAfter")?,
            before: time("modifiedBefore")?,
        })
    }

    fn accepts(&self, file: &ObjectMeta) -> bool {
        let name = file.location.filename().unwrap_or_default();
        self.names.as_ref().is_none_or(|names| names.is_match(name))
            && self.after.is_none_or(|time| file.last_modified.timestamp_micros() > time)
            && self.before.is_none_or(|time| file.last_modified.timestamp_micros() < time)
    }
}

/// One path of the user: a pattern for each alternative of its braces.
#[derive(Debug, Clone)]
struct Place {
    /// As the user wrote it, for messages.
    text: String,
    /// Where Hive's partitions begin, if the user said so.
    base: Option<Path>,
    patterns: Vec<Pattern>,
}

/// A literal beginning and the segments after it, the first of which is a glob.
#[derive(Debug, Clone)]
struct Pattern {
    literal: Path,
    rest: Vec<Segment>,
}

#[derive(Debug, Clone)]
enum Segment {
    /// `**`: any number of directories.
    Any,
    Literal(String),
    Glob(GlobMatcher),
}

/// A file that was found, and the directory below which its partitions are named.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) meta: ObjectMeta,
    pub(super) base: Path,
}

impl Root {
    /// Understands the paths of `spec` and connects their store, without listing anything yet.
    pub(super) fn find(state: &SessionState, spec: &ReadSpec) -> Result<Self> {
        let mut found: Option<(ObjectStoreUrl, Arc<dyn ObjectStore>)> = None;
        let mut places = Vec::with_capacity(spec.paths.len());
        let policy = Policy::of(state);
        for text in &spec.paths {
            let (url, path) = split_url(text)?;
            check_unlisted(&url, &path, text)?;
            // Before anything is asked of the disk, which would tell what is there.
            let patterns = expand_braces(&url, &path, &policy);
            if is_local(&url) {
                let base = spec.options.get("basePath");
                let unseen = |pattern: &&String| !exists_literally(&url, pattern, &policy);
                let literal = patterns.iter().filter(unseen).map(|path| literal_start(path));
                literal
                    .chain(base)
                    .try_for_each(|path| policy.check(Access::Read, path.as_ref()))?;
            }
            // Partitions begin where alternatives do, as they do at a glob.
            let braces = path.split('{').next().filter(|_| patterns.len() > 1);
            let here = if is_local(&url) { "." } else { "" };
            let before =
                braces.map(|path| path.rsplit_once('/').map_or(here, |(before, _)| before));
            let base = spec.options.get("basePath").or(before);
            let base = base.map(|base| to_store_path(&url, base));
            let patterns = patterns
                .iter()
                .map(|pattern| Pattern::parse(&url, pattern, &policy))
                .collect::<Result<Vec<_>>>()?;
            match &found {
                None => {
                    let store = store::connect(state, &url, &spec.options)?;
                    found = Some((url, store));
                }
                Some((first, _)) if *first != url => return Err(two_stores(first, &url)),
                Some(_) => {}
            }
            places.push(Place { text: text.clone(), base: base.transpose()?, patterns });
        }
        let filter = FileFilter::find(state, &spec.options)?;
        match found {
            Some((url, store)) => Ok(Self { url, store, places, filter, policy }),
            None => Err(Error::new(Condition::INVALID_PARAMETER, "no path was given")
                .hint("name a file, a directory or a glob")),
        }
    }

    /// The files that are there now, in the order of the paths given, and by name within each.
    ///
    /// # Errors
    /// `PATH_NOT_FOUND` if one of the paths leads to nothing.
    pub(super) async fn list(&self) -> Result<Vec<Found>> {
        for _ in 0..LISTINGS_MAX {
            let lister = Lister::new(self.store.as_ref(), &self.url);
            let found = self.list_once(&lister).await;
            if lister.is_unchanged().await? {
                return found;
            }
        }
        let text = self.places.first().map_or("", |place| place.text.as_str());
        let message = "the directory is replaced again and again while it is listed";
        Err(Error::new(Condition::CANNOT_READ_FILE, message)
            .file(text)
            .hint("run the query again when fewer writes are made"))
    }

    async fn list_once(&self, lister: &Lister<'_>) -> Result<Vec<Found>> {
        let mut all = Vec::new();
        for place in &self.places {
            let mut files = Vec::new();
            for pattern in &place.patterns {
                files.extend(pattern.list(lister).await?);
            }
            files.retain(|file| lister.counts(&file.meta));
            files.sort_unstable_by(|a, b| a.meta.location.cmp(&b.meta.location));
            files.dedup_by(|a, b| a.meta.location == b.meta.location);
            if files.is_empty() {
                return Err(self.nothing_at(place).await);
            }
            files.retain(|file| self.filter.accepts(&file.meta));
            if is_local(&self.url) && self.policy.is_restricted() {
                // A link among them may lead elsewhere, and its size and time are data too.
                for file in &files {
                    self.policy.check(Access::Read, self.display(&file.meta.location).as_ref())?;
                }
            }
            if let Some(base) = &place.base {
                files.iter_mut().for_each(|file| file.base = base.clone());
            }
            all.append(&mut files);
        }
        Ok(all)
    }

    /// A path of this store as the user would write it.
    pub(super) fn display(&self, location: &Path) -> String {
        display_path(&self.url, location)
    }

    /// Whether every path is a directory that is there, of this machine, and holds nothing to read.
    pub(super) fn is_of_empty_directories(&self) -> bool {
        is_local(&self.url)
            && self.places.iter().all(|place| match place.patterns.as_slice() {
                [Pattern { literal, rest }] if rest.is_empty() => {
                    let path = std::path::Path::new("/").join(literal.as_ref());
                    std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
                }
                _ => false,
            })
    }

    /// Why a path leads to nothing: a typing error, a glob without match, an empty directory.
    async fn nothing_at(&self, place: &Place) -> Error {
        let text = &place.text;
        let error = |message: &str| {
            let error = Error::new(Condition::PATH_NOT_FOUND, message);
            error.parameter("path", text.clone()).file(text)
        };
        let literal = match place.patterns.as_slice() {
            [Pattern { literal, rest }] if rest.is_empty() => literal,
            _ => return error("no file matches the pattern"),
        };
        if is_local(&self.url) && std::path::Path::new("/").join(literal.as_ref()).is_dir() {
            return error("the directory holds no files")
                .hint("names that begin with `_` or `.` are not read");
        }
        let missing = error("the file does not exist");
        if text.starts_with('~') {
            return missing.hint("`~` is not expanded here; write the whole path");
        }
        let parts: Vec<_> = literal.parts().collect();
        let Some((last, parent)) = parts.split_last() else { return missing };
        let parent: Path = parent.iter().cloned().collect();
        let lister = Lister::unwatched(self.store.as_ref(), &self.url);
        let Ok(siblings) = lister.directory(&parent).await else { return missing };
        let names: Vec<&str> = (siblings.objects.iter().map(|object| &object.location))
            .chain(&siblings.common_prefixes)
            .filter_map(Path::filename)
            .collect();
        missing.did_you_mean(last.as_ref(), names)
    }
}

impl Pattern {
    fn parse(url: &ObjectStoreUrl, path: &str, policy: &Policy) -> Result<Self> {
        if !path.contains(GLOB) || exists_literally(url, path, policy) {
            return Ok(Self { literal: to_store_path(url, path)?, rest: Vec::new() });
        }
        let absolute = if is_local(url) { absolute(path)? } else { path.to_owned() };
        let segments: Vec<&str> = absolute.split('/').filter(|part| !part.is_empty()).collect();
        let first = segments.iter().position(|part| part.contains(GLOB)).unwrap_or(segments.len());
        let literal = to_store_path(url, &format!("/{}", segments[..first].join("/")))?;
        let rest =
            segments[first..].iter().map(|part| Segment::parse(part)).collect::<Result<_>>()?;
        Ok(Self { literal, rest })
    }

    async fn list(&self, lister: &Lister<'_>) -> Result<Vec<Found>> {
        let files = if self.rest.is_empty() {
            lister.literal(&self.literal).await?
        } else {
            self.list_glob(lister).await?
        };
        // Of a file that was named itself, no directory names a partition.
        let base = match files.as_slice() {
            [only] if only.location == self.literal => parent_of(&self.literal),
            _ => self.literal.clone(),
        };
        Ok(files.into_iter().map(|meta| Found { meta, base: base.clone() }).collect())
    }

    async fn list_glob(&self, lister: &Lister<'_>) -> Result<Vec<ObjectMeta>> {
        let mut dirs = vec![self.literal.clone()];
        let mut files = Vec::new();
        for (index, segment) in self.rest.iter().enumerate() {
            let last = index + 1 == self.rest.len();
            match segment {
                Segment::Any if last => {
                    for dir in std::mem::take(&mut dirs) {
                        files.extend(lister.below(&dir).await?);
                    }
                }
                Segment::Any => dirs = lister.with_descendants(dirs).await?,
                Segment::Literal(name) => {
                    dirs = dirs.into_iter().map(|dir| dir.join(name.as_str())).collect();
                }
                Segment::Glob(_) => {
                    let listed = lister.directories(&dirs).await?;
                    let named = |path: &Path| path.filename().is_some_and(|n| segment.matches(n));
                    if last {
                        let objects = listed.iter().flat_map(|list| &list.objects);
                        files.extend(objects.filter(|o| named(&o.location)).cloned());
                    }
                    let below = listed.into_iter().flat_map(|list| list.common_prefixes);
                    dirs = below.filter(|dir| named(dir)).collect();
                }
            }
        }
        for path in dirs {
            files.extend(lister.literal(&path).await?);
        }
        Ok(files)
    }
}

impl Segment {
    fn parse(text: &str) -> Result<Self> {
        if text == "**" {
            return Ok(Self::Any);
        }
        if !text.contains(GLOB) {
            return Ok(Self::Literal(text.to_owned()));
        }
        compile(text).map(Self::Glob)
    }

    /// Wildcards leave out hidden names unless the pattern itself begins like them.
    fn matches(&self, name: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Literal(text) => text == name,
            Self::Glob(glob) => {
                let spelled = glob.glob().glob().starts_with(['_', '.']);
                (spelled || !is_hidden(name)) && glob.is_match(name)
            }
        }
    }
}

fn compile(text: &str) -> Result<GlobMatcher> {
    let glob = GlobBuilder::new(text).literal_separator(true).backslash_escape(true).build();
    let glob = glob.map_err(|error| {
        let message = format!("`{text}` is not a glob: {}", error.kind());
        Error::new(Condition::INVALID_PARAMETER, message)
            .hint("write `[*]` for a `*`, `[?]` for a `?` and `[[]` for a `[` in a name")
    })?;
    Ok(glob.compile_matcher())
}

/// Spark's rule: `_x` and `.x` are not data, except a partition's directory such as `_day=1`.
pub(super) fn is_hidden(name: &str) -> bool {
    name.starts_with('.') || (name.starts_with('_') && !name.contains('='))
}

fn parent_of(path: &Path) -> Path {
    let parts: Vec<_> = path.parts().collect();
    parts.iter().take(parts.len().saturating_sub(1)).cloned().collect()
}

/// The URL of the store and the path within it; a path without scheme is local.
fn split_url(text: &str) -> Result<(ObjectStoreUrl, String)> {
    let local = ObjectStoreUrl::local_filesystem;
    if let Some(rest) = text.strip_prefix("file:") {
        let rest = rest.strip_prefix("//localhost").or(rest.strip_prefix("//")).unwrap_or(rest);
        return Ok((local(), super::partitions::percent_decode(rest)));
    }
    let Some((scheme, rest)) = text.split_once("://") else {
        return Ok((local(), text.to_owned()));
    };
    if scheme.is_empty() || !scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    {
        return Ok((local(), text.to_owned()));
    }
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let url = ObjectStoreUrl::parse(format!("{scheme}://{host}")).map_err(|error| {
        Error::new(Condition::INVALID_PARAMETER, format!("`{text}` is not a URL")).caused_by(error)
    })?;
    Ok((url, path.to_owned()))
}

/// Refuses what a server of HTTP cannot answer: a directory, and an address with a query.
fn check_unlisted(url: &ObjectStoreUrl, path: &str, text: &str) -> Result<()> {
    if store::lists(url) || is_local(url) {
        return Ok(());
    }
    let (message, hint) = match path {
        _ if path.is_empty() || path.ends_with('/') => (
            "a server of HTTP does not list its directories",
            "name every file: several paths, or `{a,b}` in one",
        ),
        _ if path.contains(['?', '#']) => (
            "an address with a query or a fragment is not read",
            "download the file first, or use an address without `?` and `#`",
        ),
        _ => return Ok(()),
    };
    Err(Error::unsupported(message).hint(hint).file(text))
}

/// The store of an address and the path in it.
pub(super) fn locate(
    state: &SessionState,
    text: &str,
    options: &ReadOptions,
) -> Result<(ObjectStoreUrl, Arc<dyn ObjectStore>, Path)> {
    let (url, path) = split_url(text)?;
    let path = to_store_path(&url, &path)?;
    Ok((url.clone(), store::connect(state, &url, options)?, path))
}

/// Whether a path names another store than the local disk.
pub(super) fn is_remote(text: &str) -> bool {
    split_url(text).is_ok_and(|(url, _)| !is_local(&url))
}

fn is_local(url: &ObjectStoreUrl) -> bool {
    url.as_str().starts_with("file:")
}

fn exists_literally(url: &ObjectStoreUrl, path: &str, policy: &Policy) -> bool {
    is_local(url) && policy.may_read(path) && std::path::Path::new(path).exists()
}

/// The path up to the first directory or file that is a pattern.
fn literal_start(path: &str) -> &str {
    match path.find(GLOB) {
        None => path,
        Some(at) => match path[..at].rfind('/') {
            Some(0) => "/",
            Some(end) => &path[..end],
            None => ".",
        },
    }
}

/// A path of the user's as the store knows it: absolute, without `.` and `..`.
fn to_store_path(url: &ObjectStoreUrl, path: &str) -> Result<Path> {
    let text = if is_local(url) { absolute(path)? } else { path.to_owned() };
    let segments: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
    Path::parse(segments.join("/")).map_err(|error| {
        Error::new(Condition::PATH_NOT_FOUND, format!("`{path}` cannot be a path")).caused_by(error)
    })
}

/// Makes a local path absolute; `..` is resolved on the disk, because links may be on the way.
fn absolute(path: &str) -> Result<String> {
    let absolute = std::path::absolute(path)?;
    let has_parent = absolute.components().any(|part| part == std::path::Component::ParentDir);
    let absolute = if has_parent { resolve_parents(&absolute)? } else { absolute };
    absolute.into_os_string().into_string().map_err(|path| {
        Error::new(Condition::PATH_NOT_FOUND, format!("`{}` is not UTF-8", path.display()))
    })
}

/// Resolves the path up to its last `..`, which must exist, and leaves the rest as it is.
fn resolve_parents(path: &std::path::Path) -> Result<std::path::PathBuf> {
    let parts: Vec<_> = path.components().collect();
    let last = parts.iter().rposition(|part| *part == std::path::Component::ParentDir);
    let (head, tail) = parts.split_at(last.map_or(0, |index| index + 1));
    let head: std::path::PathBuf = head.iter().collect();
    let resolved = head.canonicalize().map_err(|error| {
        let message = format!("`{}` does not exist", head.display());
        Error::new(Condition::PATH_NOT_FOUND, message).caused_by(error)
    })?;
    Ok(tail.iter().fold(resolved, |path, part| path.join(part)))
}

/// A path of a store as the user would write it.
pub(super) fn display_path(url: &ObjectStoreUrl, location: &Path) -> String {
    if is_local(url) { format!("/{location}") } else { format!("{}{location}", url.as_str()) }
}

fn two_stores(first: &ObjectStoreUrl, second: &ObjectStoreUrl) -> Error {
    let message = format!("one table cannot read from both `{first}` and `{second}`");
    Error::unsupported(message).hint("read them separately and join the results with UNION ALL")
}

/// The alternatives of `{a,b}`, which may be nested and may hold slashes.
fn expand_braces(url: &ObjectStoreUrl, path: &str, policy: &Policy) -> Vec<String> {
    if exists_literally(url, path, policy) {
        return vec![path.to_owned()];
    }
    let Some((open, close)) = outer_braces(path) else { return vec![path.to_owned()] };
    let (head, tail) = (&path[..open], &path[close + 1..]);
    let mut depth = 0_usize;
    let alternatives = path[open + 1..close].split(|c| {
        match c {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        c == ',' && depth == 0
    });
    alternatives
        .flat_map(|part| expand_braces(url, &format!("{head}{part}{tail}"), policy))
        .collect()
}

fn outer_braces(path: &str) -> Option<(usize, usize)> {
    let open = path.find('{')?;
    let mut depth = 0_usize;
    for (index, c) in path[open..].char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return Some((open, open + index)),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;
