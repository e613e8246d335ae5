//! Files by their bytes, wherever they live: for programs that have readers and writers of their own.

use std::ops::Range;
use std::path::Path;

use bytes::Bytes;
use object_store::ObjectStoreExt;

use super::Session;
use crate::error::{Error, Result};
use crate::policy::Access;
use crate::sources::{self, ReadOptions, ReadSpec};
use crate::write::{
    Existing, Layout, Place, Stage, WriteOptions, already_exists, blocking, success_marker,
    write_error,
};

impl Session {
    /// The files at paths, globs and directories, in order, as the session's paths name them, each
    /// with its size in bytes.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// # let directory = tempfile::tempdir()?;
    /// # std::fs::write(directory.path().join("a.txt"), "to be")?;
    /// let files = Session::new().list_files([directory.path().to_str().unwrap()]).await?;
    /// assert!(files[0].0.ends_with("/a.txt"));
    /// assert_eq!(files[0].1, 5);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `PATH_NOT_FOUND` if a path leads to nothing, and those of the store.
    pub async fn list_files<'a>(
        &self,
        paths: impl IntoIterator<Item = &'a str>,
    ) -> Result<Vec<(String, u64)>> {
        sources::list(&self.state(), &ReadSpec::new(paths)).await
    }

    /// The bytes of a part of a file, which has to have them.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().join("a.txt");
    /// # std::fs::write(&path, "to be or not")?;
    /// let bytes = Session::new().read_bytes(path.to_str().unwrap(), 3..5).await?;
    /// assert_eq!(bytes, "be");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    /// `PATH_NOT_FOUND`, and those of the store.
    pub async fn read_bytes(&self, path: &str, range: Range<u64>) -> Result<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let state = self.state();
        if !sources::is_remote(path) {
            self.policy().check(Access::Read, path.as_ref())?;
        }
        let (_, store, place) = sources::locate(&state, path, &ReadOptions::default())?;
        let read = store.get_range(&place, range).await;
        read.map_err(|error| Error::from(error).or_file(path))
    }

    /// Publishes the files of a local directory as a new directory, which appears with all of them,
    /// and `_SUCCESS`.
    ///
    /// # Errors
    /// `PATH_ALREADY_EXISTS`, and those of reading and writing.
    pub async fn publish_files(&self, from: &Path, to: &str) -> Result<()> {
        let (state, options) = (self.state(), WriteOptions::default());
        self.policy().check(Access::Read, from)?;
        let target = Place::find(&state, Access::Write, to, &options).await?;
        if target.exists() {
            return Err(already_exists(target.name().as_ref()));
        }
        let marker: Vec<_> = success_marker(&state, &options)?.into_iter().collect();
        let stage = Stage::begin(&state, &target, Layout::Directory, &marker).await?;
        let (source, copies) = (from.to_owned(), stage.new_path());
        let named = to.to_owned();
        let copy = move || {
            let all = crate::write::copy_files(&source, &copies);
            all.map_err(|error| write_error(named.as_ref(), "write", error))
        };
        for file in blocking(copy).await? {
            if let Err(error) = stage.send(&file).await {
                stage.abandon().await;
                return Err(error);
            }
        }
        Stage::publish(stage.into(), Layout::Directory, Existing::Refuse, (None, marker)).await
    }
}
