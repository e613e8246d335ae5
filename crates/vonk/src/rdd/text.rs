//! Lines of text files: large files are split by byte ranges, and every line belongs to the split in
//! which its first byte lies.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::OnceCell;

use super::job::{Job, or_throw};
use super::{Outline, Parts, Preparing, Rdd, SparkContext};
use crate::error::{Condition, Error, Result};
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
            Ok(Parts::new(splits.len(), move |task, partition| {
                Ok(task.watch(LineReader::open(&splits[partition])?))
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
        if decoder_of(&path).is_none() {
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

/// The bytes of a compressed file.
type Decode = fn(File) -> std::io::Result<Box<dyn Read>>;

/// How files with these endings are compressed as a whole.
const CODECS: &[(&str, Decode)] = &[
    ("gz", |file| Ok(Box::new(flate2::read::MultiGzDecoder::new(file)))),
    ("bz2", |file| Ok(Box::new(bzip2::read::MultiBzDecoder::new(file)))),
    ("xz", |file| Ok(Box::new(liblzma::read::XzDecoder::new_multi_decoder(file)))),
    ("zst", |file| Ok(Box::new(zstd::Decoder::new(file)?))),
    ("lz4", |file| Ok(Box::new(lz4_flex::frame::FrameDecoder::new(file)))),
];

fn decoder_of(path: &Path) -> Option<Decode> {
    let ending = path.extension()?;
    CODECS.iter().find(|(known, _)| ending == *known).map(|(_, decode)| *decode)
}

/// The paths of a comma-separated list; commas between braces belong to a glob.
fn split_paths(text: &str) -> Vec<&str> {
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
async fn list(job: &Job, paths: &str) -> Result<Vec<(PathBuf, u64)>> {
    let paths = split_paths(paths);
    if let Some(remote) =
        paths.iter().find(|path| path.contains("://") && !path.starts_with("file:"))
    {
        return Err(Error::unsupported(format!("`text_file` of `{remote}`"))
            .hint("read it with `session.read()` and go on with `rdd_of::<(String,)>()`"));
    }
    let files = sources::list(&job.session().state(), &ReadSpec::new(paths)).await?;
    Ok(files.into_iter().map(|(name, size)| (PathBuf::from(name), size)).collect())
}

/// Reads the lines of one split.
struct LineReader {
    path: PathBuf,
    input: BufReader<Box<dyn Read>>,
    /// The offset of the next line in the file, after decompression.
    at: u64,
    /// Lines that begin here or later belong to the next split.
    end: u64,
    line: Vec<u8>,
}

impl LineReader {
    fn open(split: &Split) -> Result<Self> {
        let failed = |cause: std::io::Error| Error::from(cause).file(&split.path);
        let mut file = File::open(&split.path).map_err(failed)?;
        let decode = decoder_of(&split.path);
        if split.bytes.start > 0 {
            // A line that begins right here is found by the end of the line before it.
            file.seek(SeekFrom::Start(split.bytes.start - 1)).map_err(failed)?;
        }
        let end = if decode.is_some() { u64::MAX } else { split.bytes.end };
        let input: Box<dyn Read> = match decode {
            // An empty file is no valid stream of any compression, but holds no lines all the same.
            Some(decode) if split.bytes.end > 0 => decode(file).map_err(failed)?,
            _ => Box::new(file),
        };
        let mut reader = Self {
            path: split.path.clone(),
            input: BufReader::with_capacity(BUFFER_BYTES, input),
            at: split.bytes.start.saturating_sub(1),
            end,
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
        let read = self.input.read_until(b'\n', &mut self.line);
        let read = read.map_err(|cause| Error::from(cause).file(&self.path))?;
        if read == 0 {
            return Ok(None);
        }
        let mut line = self.line.as_slice();
        if let Some(rest) = line.strip_suffix(b"\n") {
            line = rest.strip_suffix(b"\r").unwrap_or(rest);
        }
        let text = std::str::from_utf8(line).map_err(|wrong| {
            let place = self.at + wrong.valid_up_to() as u64;
            Error::new(
                Condition::MALFORMED_RECORD,
                format!("the bytes at offset {place} are no UTF-8"),
            )
            .hint("convert the file to UTF-8")
            .file(&self.path)
        })?;
        self.at += read as u64;
        Ok(Some(text.to_owned()))
    }
}

impl Iterator for LineReader {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        or_throw(self.try_next())
    }
}
