//! Files as one element each: their whole text or bytes.

use std::io::{BufRead, BufReader, Cursor, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::context::slice_of;
use super::job::{Task, or_throw};
use super::text::{list, not_utf8};
use super::{Outline, Parts, Preparing, Rdd, SparkContext, remote};
use crate::error::{Condition, Error, Result};
use crate::policy::Policy;
use crate::sources::compression::{self, Compression};

/// The longest file that is read as one element.
const WHOLE_BYTES_MAX: u64 = i32::MAX as u64;

impl SparkContext {
    /// The files at a path, each as a pair of its path and its whole text.
    ///
    /// Paths are as in [`SparkContext::text_file`], compressed files are unpacked, and bytes that
    /// are no UTF-8 are an error that names the file and the byte.
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().to_str().unwrap();
    /// std::fs::write(directory.path().join("poem.txt"), "to be\nor not\n")?;
    /// let files = Session::new().context().whole_text_files(path).collect().await?;
    /// assert!(files[0].0.ends_with("poem.txt"));
    /// assert_eq!(files[0].1, "to be\nor not\n");
    /// # Ok(()) }
    /// ```
    pub fn whole_text_files(&self, path: impl Into<String>) -> Rdd<(String, String)> {
        let path = path.into();
        if remote::is_remote(&path) {
            return remote::whole_texts(self, &path);
        }
        whole(self, "whole_text_files", path, |policy, path, size| {
            let name = Compression::by_name(&name_of(path)).0;
            String::from_utf8(read(policy, path, size, name)?)
                .map_err(|wrong| not_utf8(path, wrong.utf8_error().valid_up_to() as u64))
        })
    }

    /// The files at a path, each as a pair of its path and its bytes as they are.
    ///
    /// Paths are as in [`SparkContext::text_file`].
    ///
    /// ```
    /// # use vonk::prelude::*;
    /// # #[tokio::main] async fn main() -> vonk::Result<()> {
    /// # let directory = tempfile::tempdir()?;
    /// # let path = directory.path().to_str().unwrap();
    /// std::fs::write(directory.path().join("four.bin"), [0, 1, 254, 255])?;
    /// let files = Session::new().context().binary_files(path).values();
    /// assert_eq!(files.collect().await?, [[0, 1, 254, 255]]);
    /// # Ok(()) }
    /// ```
    pub fn binary_files(&self, path: impl Into<String>) -> Rdd<(String, Vec<u8>)> {
        let path = path.into();
        if remote::is_remote(&path) {
            return remote::whole(self, &path);
        }
        whole(self, "binary_files", path, |policy, path, size| {
            read(policy, path, size, Compression::None)
        })
    }
}

/// How a file of a known size becomes an element.
type ReadFile<T> = fn(&Policy, &Path, u64) -> Result<T>;

fn whole<T: Send + 'static>(
    context: &SparkContext,
    name: &str,
    paths: String,
    read: ReadFile<T>,
) -> Rdd<(String, T)> {
    let outline = Outline::source(format!("{name} {paths}"));
    // The files are those of the first action, so that cached partitions and new ones fit together.
    let known = Arc::new(OnceCell::<Arc<[(PathBuf, u64)]>>::new());
    Rdd::new(context, outline, move |preparing: Preparing| {
        let (paths, known) = (paths.clone(), Arc::clone(&known));
        async move {
            let list = || async { Ok::<_, Error>(list(&preparing.job, &paths).await?.into()) };
            let files = Arc::clone(known.get_or_try_init(list).await?);
            let policy = preparing.job.session().policy().clone();
            let count = files.len().min(preparing.job.threads());
            Ok(Parts::new(count, move |task: &Arc<Task>, partition| {
                let (files, policy) = (Arc::clone(&files), policy.clone());
                let mine = slice_of(files.len(), partition, count);
                Ok(task.watch(mine.map(move |at| {
                    let (path, size) = &files[at];
                    (path.display().to_string(), or_throw(read(&policy, path, *size)))
                })))
            }))
        }
    })
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn read(policy: &Policy, path: &Path, size: u64, compression: Compression) -> Result<Vec<u8>> {
    read_all(path, open(policy, path, compression, size)?, size, compression)
}

/// The bytes of a file that is in memory, unpacked.
///
/// # Errors
/// Those of unpacking, with the file's name and the byte.
pub(super) fn unpack(path: &Path, bytes: Vec<u8>, compression: Compression) -> Result<Vec<u8>> {
    if compression == Compression::None || bytes.is_empty() {
        return Ok(bytes);
    }
    let size = bytes.len() as u64;
    let input = decoder(path, Cursor::new(bytes), compression)?;
    read_all(path, input, size, compression)
}

fn read_all(path: &Path, input: impl Read, size: u64, compression: Compression) -> Result<Vec<u8>> {
    let failed = |cause: std::io::Error| Error::from(cause).file(path);
    // One byte more than fits tells that there are too many.
    let mut input = input.take(WHOLE_BYTES_MAX + 1);
    let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
    match compression {
        Compression::None => input.read_to_end(&mut bytes).map_err(failed)?,
        _ => input.read_to_end(&mut bytes).map_err(|cause| {
            let place = (path.display().to_string(), bytes.len() as u64);
            compression::decode_error(cause, place, compression)
        })?,
    };
    if bytes.len() as u64 > WHOLE_BYTES_MAX {
        let message = format!("the file is longer than {WHOLE_BYTES_MAX} bytes, unpacked");
        return Err(Error::new(Condition::CANNOT_READ_FILE, message)
            .hint("read it line by line with `text_file`")
            .file(path));
    }
    Ok(bytes)
}

/// The bytes of a file from its beginning, unpacked if it is compressed.
///
/// # Errors
/// Those of opening it, with its name.
pub(super) fn open(
    policy: &Policy,
    path: &Path,
    compression: Compression,
    size: u64,
) -> Result<Box<dyn Read + Send>> {
    let file = policy.open(path)?;
    // An empty file is no valid stream of any compression, but holds nothing all the same.
    if compression == Compression::None || size == 0 {
        return Ok(Box::new(file));
    }
    decoder(path, BufReader::with_capacity(256 << 10, file), compression)
}

fn decoder(
    path: &Path,
    input: impl BufRead + Send + 'static,
    compression: Compression,
) -> Result<Box<dyn Read + Send>> {
    compression.decoder(input).map_err(|cause| {
        compression::decode_error(cause, (path.display().to_string(), 0), compression)
    })
}
