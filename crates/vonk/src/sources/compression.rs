//! The bytes of a file in order, decoded if it is compressed as a whole.
//!
//! Decoders run on the blocking pool and hand over chunks of a fixed size through a short channel,
//! so that a small file that unpacks to gigabytes streams instead of filling the memory.

use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use bytes::{Buf, Bytes};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};
use tokio::sync::mpsc;

use super::{ReadOptions, bad_option, snappy, zlib};
use crate::error::{Condition, Error, Result};

/// Bytes read or decoded at a time: large enough to hide the cost of a request to the disk.
const CHUNK_BYTES: usize = 2 << 20;

/// Chunks that wait between reading, decoding and use.
const CHUNKS_AHEAD: usize = 2;

/// How a file is compressed as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    None,
    Gzip,
    Deflate,
    Bzip2,
    Xz,
    Zstd,
    Lz4,
    Snappy,
}

/// Names for option `compression`, the first of which messages use, and endings of files.
const COMPRESSIONS: &[(Compression, &[&str], &[&str])] = &[
    (Compression::None, &["none", "uncompressed"], &[]),
    (Compression::Gzip, &["gzip", "gz"], &["gz", "gzip"]),
    (Compression::Deflate, &["deflate", "zlib"], &["deflate"]),
    (Compression::Bzip2, &["bzip2", "bz2"], &["bz2"]),
    (Compression::Xz, &["xz", "lzma"], &["xz", "lzma"]),
    (Compression::Zstd, &["zstd", "zst"], &["zst", "zstd"]),
    (Compression::Lz4, &["lz4"], &["lz4"]),
    (Compression::Snappy, &["snappy"], &["snappy", "sz"]),
];

/// The first bytes of compressed data; Hadoop's Snappy is the only one without any.
const MAGICS: &[(Compression, &[u8])] = &[
    (Compression::Gzip, b"\x1f\x8b"),
    (Compression::Bzip2, b"BZh"),
    (Compression::Xz, b"\xfd7zXZ\0"),
    (Compression::Zstd, b"\x28\xb5\x2f\xfd"),
    (Compression::Lz4, b"\x04\x22\x4d\x18"),
    (Compression::Snappy, b"\xff\x06\0\0sNaPpY"),
];

/// Most of the first bytes that tell a compression.
const MAGIC_BYTES_MAX: u64 = 10;

/// Decodes data whose first bytes tell that it is compressed; any other is given as it is.
///
/// # Errors
/// If the first bytes cannot be read or are no valid beginning of what they promise.
///
/// ```
/// use std::io::Read;
/// let mut text = String::new();
/// vonk::sources::uncompressed(&b"a,b\n"[..])?.read_to_string(&mut text)?;
/// assert_eq!(text, "a,b\n");
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn uncompressed<'a>(mut input: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
    let mut head = Vec::new();
    input.by_ref().take(MAGIC_BYTES_MAX).read_to_end(&mut head)?;
    let found = MAGICS.iter().find(|(_, magic)| head.starts_with(magic));
    let compression = found.map_or(Compression::None, |(compression, _)| *compression);
    let whole = Read::chain(io::Cursor::new(head), input);
    compression.decoder(BufReader::with_capacity(CHUNK_BYTES, whole))
}

impl Compression {
    /// The compression of a file: what option `compression` says, or else the file's ending.
    ///
    /// # Errors
    /// `INVALID_PARAMETER_VALUE` if the option names none that is known.
    pub(crate) fn of(file: &Path, options: &ReadOptions) -> Result<Self> {
        match options.get("compression").map(str::to_lowercase) {
            None => Ok(Self::by_name(file.filename().unwrap_or_default()).0),
            Some(name) if name == "auto" => {
                Ok(Self::by_name(file.filename().unwrap_or_default()).0)
            }
            Some(name) => {
                let row = COMPRESSIONS.iter().find(|(_, names, _)| names.contains(&name.as_str()));
                row.map(|(compression, ..)| *compression).ok_or_else(|| {
                    let names: Vec<&str> =
                        COMPRESSIONS.iter().map(|(_, names, _)| names[0]).collect();
                    bad_option(
                        "compression",
                        &name,
                        &format!("`auto` or one of {}", names.join(", ")),
                    )
                })
            }
        }
    }

    /// The compression that a file's ending tells, and the name without that ending.
    pub(crate) fn by_name(name: &str) -> (Self, &str) {
        let none = (Self::None, name);
        let Some((stem, ending)) = name.rsplit_once('.') else { return none };
        let ending = ending.to_lowercase();
        let row = COMPRESSIONS.iter().find(|(.., endings)| endings.contains(&ending.as_str()));
        row.map_or(none, |(compression, ..)| (*compression, stem))
    }

    fn name(self) -> &'static str {
        let row = COMPRESSIONS.iter().find(|(compression, ..)| *compression == self);
        row.map_or("none", |(_, names, _)| names[0])
    }

    /// The unpacked bytes of a stream.
    ///
    /// # Errors
    /// If the decoder cannot begin.
    pub(crate) fn decoder<'a>(
        self,
        input: impl BufRead + Send + 'a,
    ) -> io::Result<Box<dyn Read + Send + 'a>> {
        Ok(match self {
            Self::None => Box::new(input),
            Self::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
            Self::Deflate => Box::new(zlib::decoder(input)),
            Self::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(input)),
            Self::Xz => Box::new(liblzma::bufread::XzDecoder::new_multi_decoder(input)),
            Self::Zstd => Box::new(zstd::Decoder::with_buffer(input)?),
            Self::Lz4 => Box::new(Frames(Some(lz4_flex::frame::FrameDecoder::new(input)))),
            Self::Snappy => snappy::decoder(input)?,
        })
    }
}

/// The bytes of a whole file, decoded, in chunks of at most two MiB.
///
/// Each error names the file. Dropping the stream ends the reading.
pub(crate) fn read(
    store: &Arc<dyn ObjectStore>,
    file: &ObjectMeta,
    compression: Compression,
) -> BoxStream<'static, Result<Bytes>> {
    let chunks = chunks_of(file.size, &[]);
    let raw = read_chunks(Arc::clone(store), file.location.clone(), chunks);
    let raw = raw.map_ok(|(_, bytes)| bytes).boxed();
    // An empty file is no valid stream of any compression, but holds no rows all the same.
    if compression == Compression::None || file.size == 0 {
        return raw;
    }
    decode(raw, format!("/{}", file.location), compression)
}

/// Cuts `size` bytes into ranges for [`read_chunks`], with further cuts at `bounds`.
pub(super) fn chunks_of(size: u64, bounds: &[u64]) -> Vec<Range<u64>> {
    let step = CHUNK_BYTES as u64;
    let mut cuts: Vec<u64> = (0..size.div_ceil(step)).map(|index| index * step).collect();
    cuts.extend(bounds.iter().copied().filter(|bound| *bound < size));
    cuts.push(size);
    cuts.sort_unstable();
    cuts.dedup();
    cuts.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

/// Reads ranges of a file in order, the next while one is in use, with the offset of each.
pub(super) fn read_chunks(
    store: Arc<dyn ObjectStore>,
    location: Path,
    ranges: Vec<Range<u64>>,
) -> BoxStream<'static, Result<(u64, Bytes)>> {
    stream::iter(ranges)
        .map(move |range| {
            let (store, location) = (Arc::clone(&store), location.clone());
            async move {
                let (start, length) = (range.start, range.end - range.start);
                let bytes = store.get_range(&location, range).await;
                let bytes = bytes.map_err(|error| read_error(error, &location))?;
                match bytes.len() as u64 == length {
                    true => Ok((start, bytes)),
                    false => Err(shrunk(&format!("/{location}"))),
                }
            }
        })
        .buffered(CHUNKS_AHEAD)
        .boxed()
}

/// The error for a file of which less is there than when it was listed.
pub(super) fn shrunk(file: &str) -> Error {
    Error::new(Condition::CANNOT_READ_FILE, "the file has become shorter since it was listed")
        .file(file)
        .hint("run the query again when nobody writes to the file")
}

fn read_error(error: object_store::Error, location: &Path) -> Error {
    let file = format!("/{location}");
    match error {
        object_store::Error::NotFound { .. } => {
            Error::new(Condition::PATH_NOT_FOUND, "the file is gone since it was listed").file(file)
        }
        other => Error::from(other).or_file(file),
    }
}

fn decode(
    mut raw: BoxStream<'static, Result<Bytes>>,
    file: String,
    compression: Compression,
) -> BoxStream<'static, Result<Bytes>> {
    let start = async move {
        let (raw_sender, raw_receiver) = mpsc::channel(CHUNKS_AHEAD);
        let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
        // Both ends stop by themselves when the channel they write to is closed.
        tokio::spawn(async move {
            while let Some(chunk) = raw.next().await {
                if raw_sender.send(chunk).await.is_err() {
                    break;
                }
            }
        });
        tokio::task::spawn_blocking(move || {
            let input = ChannelReader { receiver: raw_receiver, current: Bytes::new() };
            // A decoder that panics must not look like the end of the file.
            let mut unpacked = 0;
            let decoded = catch_unwind(AssertUnwindSafe(|| {
                let decoder = compression.decoder(input)?;
                pump(decoder, &sender, &mut unpacked)
            }));
            let decoded = decoded.unwrap_or_else(|_| Err(io::ErrorKind::InvalidData.into()));
            if let Err(error) = decoded {
                // A closed channel means that nobody waits for the error either.
                let _closed =
                    sender.blocking_send(Err(decode_error(error, (file, unpacked), compression)));
            }
        });
        stream::unfold(receiver, |mut receiver| async {
            receiver.recv().await.map(|chunk| (chunk, receiver))
        })
    };
    stream::once(start).flatten().boxed()
}

/// Reads the decoder to its end, or until the receiver is gone.
fn pump(
    mut decoder: Box<dyn Read + Send + '_>,
    sender: &mpsc::Sender<Result<Bytes>>,
    unpacked: &mut u64,
) -> io::Result<()> {
    loop {
        let mut chunk = vec![0; CHUNK_BYTES];
        let mut length = 0;
        let mut outcome = Ok(());
        while length < chunk.len() {
            match decoder.read(&mut chunk[length..]) {
                Ok(0) => break,
                Ok(count) => length += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    outcome = Err(error);
                    break;
                }
            }
        }
        let ended = length < chunk.len();
        chunk.truncate(length);
        *unpacked += length as u64;
        let gone = length > 0 && sender.blocking_send(Ok(Bytes::from(chunk))).is_err();
        outcome?;
        if ended || gone {
            return Ok(());
        }
    }
}

/// The error of a file that cannot be unpacked further than so many bytes.
pub(crate) fn decode_error(
    error: io::Error,
    (file, unpacked): (String, u64),
    compression: Compression,
) -> Error {
    if error.get_ref().is_some_and(|inner| inner.is::<Error>())
        && let Some(Ok(ours)) = error.into_inner().map(|inner| inner.downcast::<Error>())
    {
        return *ours;
    }
    Error::new(
        Condition::CANNOT_READ_FILE,
        format!("cannot be decompressed as `{}` after {unpacked} bytes", compression.name()),
    )
    .file(file)
    .hint("the file may be cut short or compressed in another way; option `compression` names it")
}

/// Reads the chunks of a channel on a blocking thread.
struct ChannelReader {
    receiver: mpsc::Receiver<Result<Bytes>>,
    current: Bytes,
}

impl BufRead for ChannelReader {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.current.is_empty() {
            match self.receiver.blocking_recv() {
                Some(chunk) => self.current = chunk.map_err(io::Error::other)?,
                None => break,
            }
        }
        Ok(&self.current)
    }

    fn consume(&mut self, count: usize) {
        self.current.advance(count);
    }
}

impl Read for ChannelReader {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.len().min(target.len());
        target[..count].copy_from_slice(&self.current[..count]);
        self.consume(count);
        Ok(count)
    }
}

/// Reads LZ4 frames one after the other, each with a decoder of its own: the library's panics when
/// the next frame has blocks of another size.
struct Frames<R: BufRead>(Option<lz4_flex::frame::FrameDecoder<R>>);

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.0 {
            let count = decoder.read(target)?;
            if count > 0 {
                return Ok(count);
            }
            let input = self.0.take().map(lz4_flex::frame::FrameDecoder::into_inner);
            if let Some(mut input) = input
                && !input.fill_buf()?.is_empty()
            {
                self.0 = Some(lz4_flex::frame::FrameDecoder::new(input));
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use object_store::memory::InMemory;

    use super::*;

    async fn decoded(compression: Compression, bytes: Vec<u8>) -> Result<Vec<u8>> {
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let path = Path::from("x");
        store.put(&path, bytes.into()).await.unwrap();
        let meta = store.head(&path).await.unwrap();
        let chunks: Vec<Bytes> = read(&store, &meta, compression).try_collect().await?;
        Ok(chunks.concat())
    }

    fn encoded(compression: Compression, text: &[u8]) -> Vec<u8> {
        match compression {
            Compression::None => text.to_vec(),
            Compression::Gzip => {
                let mut writer =
                    flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                writer.write_all(text).unwrap();
                writer.finish().unwrap()
            }
            Compression::Deflate => {
                let mut writer =
                    flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
                writer.write_all(text).unwrap();
                writer.finish().unwrap()
            }
            Compression::Bzip2 => {
                let mut writer =
                    bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                writer.write_all(text).unwrap();
                writer.finish().unwrap()
            }
            Compression::Xz => {
                let mut writer = liblzma::write::XzEncoder::new(Vec::new(), 1);
                writer.write_all(text).unwrap();
                writer.finish().unwrap()
            }
            Compression::Zstd => zstd::encode_all(text, 1).unwrap(),
            Compression::Lz4 => {
                let mut writer = lz4_flex::frame::FrameEncoder::new(Vec::new());
                writer.write_all(text).unwrap();
                writer.finish().unwrap()
            }
            Compression::Snappy => {
                let mut writer = snap::write::FrameEncoder::new(Vec::new());
                writer.write_all(text).unwrap();
                writer.into_inner().unwrap()
            }
        }
    }

    #[tokio::test]
    async fn every_compression_is_read_also_when_members_follow_each_other() {
        let text = b"some text that repeats, some text that repeats\n".repeat(100_000);
        for (compression, ..) in COMPRESSIONS {
            let one = encoded(*compression, &text);
            assert_eq!(decoded(*compression, one.clone()).await.unwrap(), text, "{compression:?}");
            let two = [one, encoded(*compression, b"more")].concat();
            let both = [text.as_slice(), b"more"].concat();
            assert_eq!(decoded(*compression, two).await.unwrap(), both, "{compression:?}");
            assert!(decoded(*compression, Vec::new()).await.unwrap().is_empty());
        }
    }

    #[tokio::test]
    async fn a_file_cut_short_is_an_error_that_names_it() {
        let text: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
        for (compression, ..) in &COMPRESSIONS[1..] {
            let mut bytes = encoded(*compression, &text);
            bytes.truncate(bytes.len() - 30);
            let error = decoded(*compression, bytes).await.unwrap_err();
            assert_eq!(error.file_path(), Some(std::path::Path::new("/x")), "{compression:?}");
            assert_eq!(error.condition(), Condition::CANNOT_READ_FILE);
        }
    }

    #[tokio::test]
    async fn a_bomb_is_read_as_far_as_it_is_used() {
        let bomb = encoded(Compression::Gzip, &vec![0; 64 << 20]);
        let store: Arc<dyn ObjectStore> = Arc::new(InMemory::new());
        let path = Path::from("bomb.gz");
        store.put(&path, bomb.into()).await.unwrap();
        let meta = store.head(&path).await.unwrap();
        let compression = Compression::of(&path, &ReadOptions::default()).unwrap();
        let first = read(&store, &meta, compression).next().await.unwrap().unwrap();
        assert_eq!(first.len(), CHUNK_BYTES);
    }

    #[test]
    fn the_option_comes_before_the_ending() {
        let mut options = ReadOptions::default();
        let path = Path::from("a/x.csv.GZ");
        assert_eq!(Compression::of(&path, &options).unwrap(), Compression::Gzip);
        options.set("compression", "none");
        assert_eq!(Compression::of(&path, &options).unwrap(), Compression::None);
        options.set("compression", "rar");
        assert!(Compression::of(&path, &options).is_err());
        assert_eq!(Compression::by_name("x.csv.zst"), (Compression::Zstd, "x.csv"));
    }
}
