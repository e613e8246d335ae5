//! Compressed output for the text formats, and the staged file below it.

use std::fs::File;
use std::io::{self, BufWriter, Write};

use super::options::bad_option;
use crate::error::Result;

/// A compression of whole files, by Spark's names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    None,
    Gzip,
    Deflate,
    Bzip2,
    Xz,
    Zstd,
    Lz4,
    Snappy,
}

/// Each codec with the ending of its files and the names by which options know it.
const CODECS: &[(Codec, &str, &[&str])] = &[
    (Codec::None, "", &["none", "uncompressed"]),
    (Codec::Gzip, ".gz", &["gzip", "gz"]),
    (Codec::Deflate, ".deflate", &["deflate", "zlib"]),
    (Codec::Bzip2, ".bz2", &["bzip2", "bz2"]),
    (Codec::Xz, ".xz", &["xz"]),
    (Codec::Zstd, ".zst", &["zstd", "zst"]),
    (Codec::Lz4, ".lz4", &["lz4"]),
    (Codec::Snappy, ".snappy", &["snappy"]),
];

impl Codec {
    pub(super) fn parse(name: &str) -> Result<Self> {
        let found = CODECS.iter().find(|(_, _, names)| names.contains(&name));
        found.map(|(codec, ..)| *codec).ok_or_else(|| {
            let known: Vec<&str> = CODECS.iter().map(|(.., names)| names[0]).collect();
            bad_option("compression", name, &format!("one of {}", known.join(", ")))
        })
    }

    /// The codec that a lower-case path's ending tells, and the path without that ending.
    pub(super) fn of_path(path: &str) -> Option<(Self, &str)> {
        let compressed = CODECS.iter().filter(|(codec, ..)| *codec != Self::None);
        compressed
            .filter_map(|(codec, ending, _)| Some((*codec, path.strip_suffix(ending)?)))
            .next()
    }

    pub(super) fn ending(self) -> &'static str {
        CODECS.iter().find(|(codec, ..)| *codec == self).map_or("", |(_, ending, _)| ending)
    }
}

/// A file under a codec.
pub(super) enum Output {
    None(BufWriter<File>),
    Gzip(flate2::write::GzEncoder<BufWriter<File>>),
    Deflate(flate2::write::ZlibEncoder<BufWriter<File>>),
    Bzip2(bzip2::write::BzEncoder<BufWriter<File>>),
    Xz(Box<liblzma::write::XzEncoder<BufWriter<File>>>),
    Zstd(zstd::stream::write::Encoder<'static, BufWriter<File>>),
    Lz4(Box<lz4_flex::frame::FrameEncoder<BufWriter<File>>>),
    Snappy(Box<snap::write::FrameEncoder<BufWriter<File>>>),
}

impl Output {
    pub(super) fn new(file: File, codec: Codec) -> io::Result<Self> {
        const XZ_LEVEL: u32 = 6;
        let file = BufWriter::with_capacity(256 << 10, file);
        Ok(match codec {
            Codec::None => Self::None(file),
            Codec::Gzip => Self::Gzip(flate2::write::GzEncoder::new(file, Default::default())),
            Codec::Deflate => {
                Self::Deflate(flate2::write::ZlibEncoder::new(file, Default::default()))
            }
            Codec::Bzip2 => Self::Bzip2(bzip2::write::BzEncoder::new(file, Default::default())),
            Codec::Xz => Self::Xz(Box::new(liblzma::write::XzEncoder::new(file, XZ_LEVEL))),
            Codec::Zstd => Self::Zstd(zstd::stream::write::Encoder::new(file, 0)?),
            Codec::Lz4 => Self::Lz4(Box::new(lz4_flex::frame::FrameEncoder::new(file))),
            Codec::Snappy => Self::Snappy(Box::new(snap::write::FrameEncoder::new(file))),
        })
    }

    /// Ends the compressed stream and gives the file with all bytes handed to the system.
    pub(super) fn finish(self) -> io::Result<File> {
        let file = match self {
            Self::None(file) => file,
            Self::Gzip(encoder) => encoder.finish()?,
            Self::Deflate(encoder) => encoder.finish()?,
            Self::Bzip2(encoder) => encoder.finish()?,
            Self::Xz(encoder) => encoder.finish()?,
            Self::Zstd(encoder) => encoder.finish()?,
            Self::Lz4(encoder) => encoder.finish().map_err(io::Error::other)?,
            Self::Snappy(encoder) => encoder.into_inner().map_err(|error| error.into_error())?,
        };
        file.into_inner().map_err(|error| error.into_error())
    }

    fn as_write(&mut self) -> &mut dyn Write {
        match self {
            Self::None(file) => file,
            Self::Gzip(encoder) => encoder,
            Self::Deflate(encoder) => encoder,
            Self::Bzip2(encoder) => encoder,
            Self::Xz(encoder) => encoder,
            Self::Zstd(encoder) => encoder,
            Self::Lz4(encoder) => encoder,
            Self::Snappy(encoder) => encoder,
        }
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.as_write().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.as_write().flush()
    }
}
