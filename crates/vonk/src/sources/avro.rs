//! Whether an Avro file is whole: its reader takes one that is cut within a block for one that ends
//! before it.

use std::sync::Arc;

use datafusion::common::{DataFusionError, Result as DfResult};
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

/// The length of the marker that stands behind the header and behind each block.
const MARKER_BYTES: usize = 16;

/// How much is read at first of a header, which holds the schema.
const HEADER_BYTES: u64 = 16 << 10;

/// Checks that the file ends with the marker that its header names.
///
/// # Errors
/// If it does not, and if it cannot be read.
pub(super) fn check_end(
    store: Arc<dyn ObjectStore>,
    file: ObjectMeta,
) -> BoxFuture<'static, DfResult<()>> {
    async move {
        let mut length = HEADER_BYTES.min(file.size);
        let marker = loop {
            let bytes = store.get_range(&file.location, 0..length).await?;
            match header_end(&bytes).and_then(|end| bytes.get(end..end + MARKER_BYTES)) {
                Some(marker) => break marker.to_vec(),
                None if length == file.size => return Err(torn("the header is not whole")),
                None => length = (length * 8).min(file.size),
            }
        };
        let end = file.size - MARKER_BYTES as u64..file.size;
        match store.get_range(&file.location, end).await? == marker {
            true => Ok(()),
            false => Err(torn("the last block is not whole")),
        }
    }
    .boxed()
}

fn torn(reason: &str) -> DataFusionError {
    let reason = format!("the file is cut short: {reason}");
    DataFusionError::IoError(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, reason))
}

/// Where the header's map of metadata ends: entries in groups, the last of which is empty.
fn header_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 4;
    loop {
        let count = long(bytes, &mut at)?;
        if count == 0 {
            return Some(at);
        }
        if count < 0 {
            // The bytes of the group, for those that skip it.
            long(bytes, &mut at)?;
        }
        for _ in 0..count.unsigned_abs().checked_mul(2)? {
            let length = long(bytes, &mut at)?;
            at = at.checked_add(usize::try_from(length).ok()?)?;
            if at > bytes.len() {
                return None;
            }
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
        assert_eq!(header_end(b"Obj\x01\x02\x02k\x04vv\x00rest"), Some(11));
        assert_eq!(header_end(b"Obj\x01\x02\x02k\x04v"), None);
        assert_eq!(header_end(b"Obj\x01\x00"), Some(5));
    }
}
