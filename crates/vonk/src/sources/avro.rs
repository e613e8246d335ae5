//! Whether an Avro file is whole and sound: its reader takes one that is cut within a block for one
//! that ends before it, and never ends in a block that holds more records than it says.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::{DataFusionError, Result as DfResult};
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

mod skip;

use skip::Shape;

/// The length of the marker that stands behind the header and behind each block.
const MARKER_BYTES: usize = 16;

/// How much is read at first of a header, which holds the schema.
const HEADER_BYTES: u64 = 16 << 10;

/// How much is read at least of the blocks.
const WINDOW_BYTES: u64 = 4 << 20;

/// The most bytes that a block may have, unpacked.
const BLOCK_BYTES_MAX: u64 = 1 << 30;

/// Checks the marker of every block, and that its records fill it.
///
/// # Errors
/// If they do not, and if the file cannot be read.
pub(super) fn check_blocks(
    store: Arc<dyn ObjectStore>,
    file: ObjectMeta,
) -> BoxFuture<'static, DfResult<()>> {
    async move {
        let header = Header::read(store.as_ref(), &file).await?;
        let mut window =
            Window { store: store.as_ref(), file: &file, start: 0, bytes: Bytes::new() };
        let mut at = header.end;
        while at < file.size {
            let head = window.get(at, (file.size - at).min(20)).await?;
            let mut used = 0;
            let numbers = long(&head, &mut used).zip(long(&head, &mut used));
            let sizes = numbers.and_then(|(count, size)| {
                Some((u64::try_from(count).ok()?, u64::try_from(size).ok()?))
            });
            let (count, size) = sizes.ok_or_else(|| torn(&format!("the block at byte {at}")))?;
            let start = at + used as u64;
            let end = start.checked_add(size).and_then(|end| end.checked_add(MARKER_BYTES as u64));
            let end = end.filter(|end| *end <= file.size);
            let end = end.ok_or_else(|| torn("the last block is not whole"))?;
            let block = window.get(start, end - start).await?;
            let (data, marker) = block.split_at(block.len() - MARKER_BYTES);
            if marker != header.marker || !header.is_filled(count, data) {
                return Err(damaged(at));
            }
            at = end;
        }
        Ok(())
    }
    .boxed()
}

fn damaged(at: u64) -> DataFusionError {
    let reason = format!("the file is damaged: the block at byte {at} is not what it says");
    DataFusionError::IoError(std::io::Error::new(std::io::ErrorKind::InvalidData, reason))
}

/// What the beginning of a file says about the rest.
struct Header {
    end: u64,
    marker: Vec<u8>,
    codec: String,
    /// `None` for a schema that is left to the reader.
    shape: Option<Shape>,
}

impl Header {
    async fn read(store: &dyn ObjectStore, file: &ObjectMeta) -> DfResult<Self> {
        let mut length = HEADER_BYTES.min(file.size);
        loop {
            let bytes = match length {
                0 => Bytes::new(),
                _ => store.get_range(&file.location, 0..length).await?,
            };
            if let Some((end, entries)) = header_end(&bytes)
                && let Some(marker) = bytes.get(end..end + MARKER_BYTES)
            {
                let entry = |name: &[u8]| entries.iter().find(|(key, _)| *key == name);
                let codec = entry(b"avro.codec").map_or(&b"null"[..], |(_, value)| value);
                return Ok(Self {
                    end: (end + MARKER_BYTES) as u64,
                    marker: marker.to_vec(),
                    codec: String::from_utf8_lossy(codec).into_owned(),
                    shape: entry(b"avro.schema").and_then(|(_, schema)| Shape::parse(schema)),
                });
            }
            if length == file.size {
                return Err(torn("the header is not whole"));
            }
            length = (length * 8).min(file.size);
        }
    }

    /// Whether the records of a block end where it ends; the reader tells what cannot be unpacked.
    fn is_filled(&self, count: u64, data: &[u8]) -> bool {
        let Some(shape) = &self.shape else { return count > 0 || data.is_empty() };
        let mut unpacked = Vec::new();
        let mut unpack =
            |input: &mut dyn Read| input.take(BLOCK_BYTES_MAX).read_to_end(&mut unpacked).is_ok();
        let is_unpacked = match self.codec.as_str() {
            "null" => return shape.fills(count, data),
            "deflate" => unpack(&mut flate2::read::DeflateDecoder::new(data)),
            "bzip2" => unpack(&mut bzip2::read::BzDecoder::new(data)),
            "xz" => unpack(&mut liblzma::read::XzDecoder::new(data)),
            "zstandard" => zstd::Decoder::new(data).is_ok_and(|mut decoder| unpack(&mut decoder)),
            "snappy" => {
                // Four bytes of a checksum follow.
                let packed = &data[..data.len().saturating_sub(4)];
                let length = snap::raw::decompress_len(packed).unwrap_or(usize::MAX);
                if length as u64 > BLOCK_BYTES_MAX {
                    return false;
                }
                snap::raw::Decoder::new().decompress_vec(packed).is_ok_and(|bytes| {
                    unpacked = bytes;
                    true
                })
            }
            _ => return true,
        };
        is_unpacked && shape.fills(count, &unpacked)
    }
}

/// Reads a file from its beginning to its end, much at a time.
struct Window<'a> {
    store: &'a dyn ObjectStore,
    file: &'a ObjectMeta,
    start: u64,
    bytes: Bytes,
}

impl Window<'_> {
    /// Some bytes that are in the file.
    async fn get(&mut self, start: u64, length: u64) -> DfResult<Bytes> {
        let end = start + length;
        if start < self.start || end > self.start + self.bytes.len() as u64 {
            let range = start..end.max(start + WINDOW_BYTES).min(self.file.size);
            self.bytes = self.store.get_range(&self.file.location, range).await?;
            self.start = start;
        }
        let from = (start - self.start) as usize;
        Ok(self.bytes.slice(from..from + length as usize))
    }
}

fn torn(reason: &str) -> DataFusionError {
    let reason = format!("the file is cut short: {reason}");
    DataFusionError::IoError(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, reason))
}

/// Where the header's map of metadata ends, and its entries: they come in groups, the last empty.
fn header_end(bytes: &[u8]) -> Option<(usize, Vec<(&[u8], &[u8])>)> {
    let mut at = 4;
    let mut entries = Vec::new();
    let text = |at: &mut usize| {
        let length = usize::try_from(long(bytes, at)?).ok()?;
        let start = *at;
        *at = start.checked_add(length)?;
        bytes.get(start..*at)
    };
    loop {
        let count = long(bytes, &mut at)?;
        if count == 0 {
            return Some((at, entries));
        }
        if count < 0 {
            // The bytes of the group, for those that skip it.
            long(bytes, &mut at)?;
        }
        for _ in 0..count.unsigned_abs() {
            entries.push((text(&mut at)?, text(&mut at)?));
        }
    }
}

/// A whole number in Avro's zigzag form of variable length.
fn long(bytes: &[u8], at: &mut usize) -> Option<i64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let byte = *bytes.get(*at)?;
        *at += 1;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((value >> 1).cast_signed() ^ -(value & 1).cast_signed());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_zigzag() {
        let read = |bytes: &[u8]| long(bytes, &mut 0);
        assert_eq!(read(&[0]), Some(0));
        assert_eq!(read(&[1]), Some(-1));
        assert_eq!(read(&[2]), Some(1));
        assert_eq!(read(&[0x80, 1]), Some(64));
        assert_eq!(read(&[0x80]), None);
    }

    #[test]
    fn the_header_ends_behind_its_map() {
        // One group of one entry, "k" with two bytes, then the empty group.
        let entries = vec![(&b"k"[..], &b"vv"[..])];
        assert_eq!(header_end(b"Obj\x01\x02\x02k\x04vv\x00rest"), Some((11, entries)));
        assert_eq!(header_end(b"Obj\x01\x02\x02k\x04v"), None);
        assert_eq!(header_end(b"Obj\x01\x00"), Some((5, Vec::new())));
    }
}
