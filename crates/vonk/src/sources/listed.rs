//! The files of one scan as they were listed: those of a later write are refused, so that rows of
//! both never mix.
//!
//! Readers open a file once for each range that they read, and by name. Between two of these another
//! write may have put its own file under that name.

use std::collections::HashMap;
use std::fmt;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload,
    OBJECT_STORE_COALESCE_DEFAULT, ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions,
    PutPayload, PutResult, Result, coalesce_ranges,
};

use crate::error::{Condition, Error};

/// A store that gives of the files that were listed nothing but these.
#[derive(Debug)]
pub(super) struct ListedStore {
    inner: Arc<dyn ObjectStore>,
    listed: HashMap<Path, Version>,
}

/// What tells a file from another under its name.
#[derive(Debug)]
struct Version {
    tag: Option<String>,
    size: u64,
}

impl ListedStore {
    /// The store with the files of a listing; what was not listed is given as it is.
    pub(super) fn new<'a>(
        inner: Arc<dyn ObjectStore>,
        files: impl Iterator<Item = &'a ObjectMeta>,
    ) -> Self {
        let version = |file: &ObjectMeta| Version { tag: file.e_tag.clone(), size: file.size };
        Self { inner, listed: files.map(|file| (file.location.clone(), version(file))).collect() }
    }

    fn check(&self, found: &ObjectMeta) -> Result<()> {
        match self.listed.get(&found.location) {
            Some(listed) if !listed.is_same(found) => Err(replaced(&found.location)),
            _ => Ok(()),
        }
    }
}

impl Version {
    /// Whether a file is this one, or this one with more behind its end, as of a log.
    fn is_same(&self, found: &ObjectMeta) -> bool {
        let (Some(tag), Some(other)) = (&self.tag, &found.e_tag) else { return true };
        // Servers quote the same tag in one answer and not in the other.
        let bare = |tag: &'_ str| tag.trim_start_matches("W/").trim_matches('"').to_owned();
        // A local file's tag is its inode, time and size.
        let inode = |tag: &'_ str| tag.split_once('-').map(|(inode, _)| inode.to_owned());
        bare(tag) == bare(other) || (found.size > self.size && inode(tag) == inode(other))
    }
}

fn replaced(location: &Path) -> object_store::Error {
    let message = "the file was replaced or changed after the query had begun";
    let error = Error::new(Condition::CANNOT_READ_FILE, message)
        .hint("run the query again")
        .file(format!("/{location}"));
    object_store::Error::Generic { store: "listed", source: Box::new(error) }
}

impl fmt::Display for ListedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.fmt(f)
    }
}

/// The ranges of a file that is open, and so the same file for all of them.
fn read_ranges(mut file: File, ranges: &[Range<u64>], location: &Path) -> Result<Vec<Bytes>> {
    let mut read = |range: &Range<u64>| {
        let length = usize::try_from(range.end - range.start).unwrap_or(usize::MAX);
        let mut bytes = Vec::new();
        bytes.try_reserve_exact(length)?;
        file.seek(SeekFrom::Start(range.start))?;
        (&file).take(length as u64).read_to_end(&mut bytes)?;
        match bytes.len() == length {
            true => Ok(Bytes::from(bytes)),
            false => Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof)),
        }
    };
    let all = ranges.iter().map(&mut read).collect::<std::io::Result<Vec<Bytes>>>();
    all.map_err(|error| {
        let error = Error::from(error).file(format!("/{location}"));
        object_store::Error::Generic { store: "listed", source: Box::new(error) }
    })
}

impl ObjectStore for ListedStore {
    fn get_opts<'a, 'b, 'c>(
        &'a self,
        location: &'b Path,
        options: GetOptions,
    ) -> BoxFuture<'c, Result<GetResult>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        Box::pin(async move {
            let result = self.inner.get_opts(location, options).await?;
            self.check(&result.meta)?;
            Ok(result)
        })
    }

    fn get_ranges<'a, 'b, 'r, 'c>(
        &'a self,
        location: &'b Path,
        ranges: &'r [Range<u64>],
    ) -> BoxFuture<'c, Result<Vec<Bytes>>>
    where
        'a: 'c,
        'b: 'c,
        'r: 'c,
        Self: 'c,
    {
        Box::pin(async move {
            let [first, rest @ ..] = ranges else { return Ok(Vec::new()) };
            let options = GetOptions { range: Some(first.clone().into()), ..GetOptions::default() };
            let result = self.get_opts(location, options).await?;
            if let GetResultPayload::File(file, _) = result.payload {
                let (ranges, location) = (ranges.to_vec(), location.clone());
                let read = move || read_ranges(file, &ranges, &location);
                return tokio::task::spawn_blocking(read).await?;
            }
            let mut all = vec![result.bytes().await?];
            let fetch = |range: Range<u64>| async move {
                let options = GetOptions { range: Some(range.into()), ..GetOptions::default() };
                self.get_opts(location, options).await?.bytes().await
            };
            all.extend(coalesce_ranges(rest, fetch, OBJECT_STORE_COALESCE_DEFAULT).await?);
            Ok(all)
        })
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_delimiter<'a, 'b, 'c>(
        &'a self,
        prefix: Option<&'b Path>,
    ) -> BoxFuture<'c, Result<ListResult>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        self.inner.list_with_delimiter(prefix)
    }

    fn put_opts<'a, 'b, 'c>(
        &'a self,
        location: &'b Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> BoxFuture<'c, Result<PutResult>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        self.inner.put_opts(location, payload, options)
    }

    fn put_multipart_opts<'a, 'b, 'c>(
        &'a self,
        location: &'b Path,
        options: PutMultipartOptions,
    ) -> BoxFuture<'c, Result<Box<dyn MultipartUpload>>>
    where
        'a: 'c,
        'b: 'c,
        Self: 'c,
    {
        self.inner.put_multipart_opts(location, options)
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(locations)
    }

    fn copy_opts<'a, 'b, 'd, 'c>(
        &'a self,
        from: &'b Path,
        to: &'d Path,
        options: CopyOptions,
    ) -> BoxFuture<'c, Result<()>>
    where
        'a: 'c,
        'b: 'c,
        'd: 'c,
        Self: 'c,
    {
        self.inner.copy_opts(from, to, options)
    }
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt;
    use object_store::local::LocalFileSystem;

    use super::*;

    async fn listed(root: &std::path::Path) -> (ListedStore, Path) {
        let path = Path::from_absolute_path(root.join("x")).unwrap();
        let store: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new());
        let meta = store.head(&path).await.unwrap();
        (ListedStore::new(store, std::iter::once(&meta)), path)
    }

    #[tokio::test]
    async fn a_file_that_takes_the_place_of_another_is_refused() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("x"), "old rows").unwrap();
        let (store, path) = listed(root.path()).await;
        assert_eq!(store.get_range(&path, 4..8).await.unwrap(), "rows");
        assert_eq!(store.get_ranges(&path, &[0..3, 4..8]).await.unwrap(), ["old", "rows"]);
        std::fs::write(root.path().join("y"), "new rows").unwrap();
        std::fs::rename(root.path().join("y"), root.path().join("x")).unwrap();
        let error = Error::from(store.get_range(&path, 4..8).await.unwrap_err());
        assert!(error.message().contains("was replaced"), "{error}");
        assert!(store.get_ranges(&path, &[0..3, 4..8]).await.is_err());
    }

    #[tokio::test]
    async fn a_file_that_grows_is_the_same_up_to_its_old_end() {
        let root = tempfile::tempdir().unwrap();
        std::fs::write(root.path().join("x"), "old").unwrap();
        let (store, path) = listed(root.path()).await;
        let mut file = File::options().append(true).open(root.path().join("x")).unwrap();
        std::io::Write::write_all(&mut file, b" and more").unwrap();
        assert_eq!(store.get_range(&path, 0..3).await.unwrap(), "old");
        std::fs::write(root.path().join("x"), "cut").unwrap();
        file.set_len(1).unwrap();
        assert!(store.get_range(&path, 0..1).await.is_err());
    }
}
