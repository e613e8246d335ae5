//! Lines of text files: large files are split by byte ranges, and every line belongs to the split in
//! which its first byte lies.

use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::job::{Job, or_throw};
use super::{Outline, Parts, Preparing, Rdd, SparkContext, remote, whole};
use crate::config;
use crate::error::{Condition, Error, Result};
use crate::policy::Policy;
use crate::sources::compression::{self, Compression};
use crate::sources::{self, ReadSpec};

/// The most bytes of one split, as of Spark for local files.
const SPLIT_BYTES_MAX: u64 = 32 << 20;

/// Files are not split further for the sake of threads when splits would be smaller than this.
const SPLIT_BYTES_MIN: u64 = 1 << 20;

/// Bytes read at a time.
const BUFFER_BYTES: usize = 256 << 10;

/// A part of a file.
#[derive(Debug, Clone)]
struct Split {
    path: PathBuf,
    bytes: Range<u64>,
}

/// The lines of the files at `path`, in at least `min_partitions` splits if they are large enough.
pub(super) fn lines(context: &SparkContext, path: String, min_partitions: usize) -> Rdd<String> {
    if remote::is_remote(&path) {
        return remote::lines(context, &path);
    }
    let outline = Outline::source(format!("text_file {path}"));
    // The splits are those of the first action, so that cached partitions and new ones fit together.
    let known = Arc::new(OnceCell::<Arc<[Split]>>::new());
    Rdd::new(context, outline, move |preparing: Preparing| {
        let (path, known) = (path.clone(), Arc::clone(&known));
        let threads = preparing.job.threads();
        async move {
            let list = || async {
                let files = list(&preparing.job, &path).await?;
                Ok::<Arc<[Split]>, Error>(into_splits(files, min_partitions, threads).into())
            };
            let splits = Arc::clone(known.get_or_try_init(list).await?);
            let limit = preparing.job.session().config().bytes(config::RECORD_BYTES_MAX)?;
            let policy = preparing.job.session().policy().clone();
            Ok(Parts::new(splits.len(), move |task, partition| {
                let limit = limit.unwrap_or(u64::MAX);
                Ok(task.watch(LineReader::open(&splits[partition], limit, &policy)?))
            }))
        }
    })
}

/// Cuts files as Hadoop's `FileInputFormat` does, and finer for the sake of idle threads.
fn into_splits(files: Vec<(PathBuf, u64)>, min_partitions: usize, threads: usize) -> Vec<Split> {
    /// The last split of a file may be this much larger, in tenths, so that no tiny one follows.
    const SLOP_TENTHS: u64 = 11;
    let total: u64 = files.iter().map(|(_, size)| size).sum();
    let for_threads = (total / threads.max(1) as u64).max(SPLIT_BYTES_MIN);
    let goal = (total / min_partitions.max(1) as u64).min(for_threads);
    let split = goal.clamp(1, SPLIT_BYTES_MAX);
    let mut splits = Vec::new();
    for (path, size) in files {
        let mut start = 0;
        if compression_of(&path) == Compression::None {
            while (size - start) * 10 > split * SLOP_TENTHS {
                splits.push(Split { path: path.clone(), bytes: start..start + split });
                start += split;
            }
        }
        if start < size || size == 0 {
            splits.push(Split { path, bytes: start..size });
        }
    }
    splits
}

/// How a file is compressed as a whole, which its ending tells.
fn compression_of(path: &Path) -> Compression {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    Compression::by_name(&name).0
}

/// The paths of a comma-separated list; commas between braces belong to a glob.
pub(super) fn split_paths(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let between = |letter: char| {
        match letter {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    };
    text.split(between).map(str::trim).filter(|path| !path.is_empty()).collect()
}

/// The local files at a list of paths, each with its size.
pub(super) async fn list(job: &Job, paths: &str) -> Result<Vec<(PathBuf, u64)>> {
    let spec = ReadSpec::new(split_paths(paths));
    let files = sources::list(&job.session().state(), &spec).await?;
    Ok(files.into_iter().map(|(name, size)| (PathBuf::from(name), size)).collect())
}

/// Reads the lines of one split.
struct LineReader {
    path: PathBuf,
    compression: Compression,
    input: BufReader<Box<dyn Read>>,
    /// The offset of the next line in the file, after decompression.
    at: u64,
    /// Lines that begin here or later belong to the next split.
    end: u64,
    /// How long a line may be.
    bytes_max: u64,
    line: Vec<u8>,
}

impl LineReader {
    fn open(split: &Split, bytes_max: u64, policy: &Policy) -> Result<Self> {
        let failed = |cause: std::io::Error| Error::from(cause).file(&split.path);
        let compression = compression_of(&split.path);
        let (input, end): (Box<dyn Read>, u64) = match compression {
            Compression::None => {
                let mut file = policy.open(&split.path)?;
                if split.bytes.start > 0 {
                    // A line that begins right here is found by the end of the line before it.
                    file.seek(SeekFrom::Start(split.bytes.start - 1)).map_err(failed)?;
                }
                (Box::new(file), split.bytes.end)
            }
            _ => (whole::open(policy, &split.path, compression, split.bytes.end)?, u64::MAX),
        };
        let mut reader = Self {
            path: split.path.clone(),
            compression,
            input: BufReader::with_capacity(BUFFER_BYTES, input),
            at: split.bytes.start.saturating_sub(1),
            end,
            bytes_max,
            line: Vec::new(),
        };
        if split.bytes.start > 0 {
            reader.at += reader.input.skip_until(b'\n').map_err(failed)? as u64;
        }
        Ok(reader)
    }

    fn try_next(&mut self) -> Result<Option<String>> {
        if self.at >= self.end {
            return Ok(None);
        }
        self.line.clear();
        let most = self.bytes_max.saturating_add(1);
        let read = self.input.by_ref().take(most).read_until(b'\n', &mut self.line);
        let read = read.map_err(|cause| match self.compression {
            Compression::None => Error::from(cause).file(&self.path),
            packed => {
                let place = (self.path.display().to_string(), self.at + self.line.len() as u64);
                compression::decode_error(cause, place, packed)
            }
        })?;
        if read == 0 {
            return Ok(None);
        }
        if read as u64 > self.bytes_max {
            return Err(too_long(&self.path, self.at, self.bytes_max));
        }
        let mut line = self.line.as_slice();
        if let Some(rest) = line.strip_suffix(b"\n") {
            line = rest.strip_suffix(b"\r").unwrap_or(rest);
        }
        let text = std::str::from_utf8(line)
            .map_err(|wrong| not_utf8(&self.path, self.at + wrong.valid_up_to() as u64))?;
        let text = if self.at == 0 { text.strip_prefix('\u{feff}').unwrap_or(text) } else { text };
        self.at += read as u64;
        Ok(Some(text.to_owned()))
    }
}

fn too_long(path: &Path, at: u64, limit: u64) -> Error {
    let message = format!("a line that begins at byte {at} is longer than {limit} bytes");
    Error::new(Condition::MALFORMED_RECORD, message)
        .hint("raise the option `vonk.sources.record.bytes.max`, or read the file with `binary_files`")
        .file(path)
}

/// The error for bytes that are no UTF-8, from this offset of the unpacked file.
pub(super) fn not_utf8(path: &Path, offset: u64) -> Error {
    Error::new(Condition::MALFORMED_RECORD, format!("the bytes at offset {offset} are no UTF-8"))
        .hint("convert the file to UTF-8, or read its bytes with `binary_files`")
        .file(path)
}

impl Iterator for LineReader {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        or_throw(self.try_next())
    }
}
