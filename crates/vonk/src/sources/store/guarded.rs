//! The local disk under a policy: what is opened and listed lies where the policy allows it.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use async_trait::async_trait;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult,
};

use crate::error::Error;
use crate::policy::{Access, Policy};
use crate::sources::paths::is_hidden;

/// Reads the local disk as far as a policy allows, and writes nothing: writes have a way of their
/// own, in `write`.
#[derive(Debug, Clone)]
pub(super) struct GuardedDisk {
    disk: LocalFileSystem,
    policy: Policy,
}

impl GuardedDisk {
    pub(super) fn new(policy: Policy) -> Self {
        Self { disk: LocalFileSystem::new(), policy }
    }

    fn check(&self, location: &Path) -> object_store::Result<()> {
        self.policy.check(Access::Read, &local(location)).map_err(|error| refused(location, error))
    }

    /// The files of a directory, and the directories in it that are not hidden.
    ///
    /// No hidden directory below the one that was asked for is ever read, and so none is listed.
    async fn level(self, dir: Path) -> object_store::Result<(Vec<ObjectMeta>, Vec<Path>)> {
        let list = self.list_with_delimiter(Some(&dir)).await?;
        let is_seen = |dir: &Path| !dir.filename().is_some_and(is_hidden);
        Ok((list.objects, list.common_prefixes.into_iter().filter(is_seen).collect()))
    }
}

fn local(location: &Path) -> PathBuf {
    PathBuf::from(format!("/{location}"))
}

fn refused(location: &Path, error: Error) -> object_store::Error {
    object_store::Error::PermissionDenied { path: location.to_string(), source: Box::new(error) }
}

fn read_only<T>() -> object_store::Result<T> {
    Err(object_store::Error::NotImplemented {
        operation: "a change".to_owned(),
        implementer: "the guarded disk".to_owned(),
    })
}

impl fmt::Display for GuardedDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GuardedDisk({})", self.disk)
    }
}

#[async_trait]
impl ObjectStore for GuardedDisk {
    async fn get_opts(
        &self,
        location: &Path,
        options: GetOptions,
    ) -> object_store::Result<GetResult> {
        self.check(location)?;
        let found = self.disk.get_opts(location, options).await?;
        if let GetResultPayload::File(file, path) = &found.payload {
            let checked = self.policy.check_opened(path, file);
            checked.map_err(|error| refused(location, error))?;
        }
        Ok(found)
    }

    async fn get_ranges(
        &self,
        location: &Path,
        ranges: &[Range<u64>],
    ) -> object_store::Result<Vec<bytes::Bytes>> {
        let read = |range: &Range<u64>| {
            let options = GetOptions { range: Some(range.clone().into()), ..GetOptions::default() };
            async move { self.get_opts(location, options).await?.bytes().await }
        };
        stream::iter(ranges.iter().map(read)).buffered(1).try_collect().await
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        let (disk, first) = (self.clone(), prefix.cloned().unwrap_or_default());
        let levels = stream::try_unfold(vec![first], move |mut waiting: Vec<Path>| {
            let disk = disk.clone();
            async move {
                let Some(dir) = waiting.pop() else {
                    return Ok::<_, object_store::Error>(None);
                };
                let (files, below) = disk.level(dir).await?;
                waiting.extend(below);
                Ok(Some((stream::iter(files.into_iter().map(Ok)), waiting)))
            }
        });
        levels.try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.check(prefix.unwrap_or(&Path::default()))?;
        self.disk.list_with_delimiter(prefix).await
    }

    async fn put_opts(
        &self,
        _: &Path,
        _: PutPayload,
        _: PutOptions,
    ) -> object_store::Result<PutResult> {
        read_only()
    }

    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        read_only()
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        locations.and_then(|_| async { read_only() }).boxed()
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> object_store::Result<()> {
        read_only()
    }
}
