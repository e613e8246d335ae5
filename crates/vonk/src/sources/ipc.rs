//! Whether the lengths that an Arrow file tells lie within it: its reader takes as much memory as
//! they say before it reads, and the process ends if there is not so much.

use std::ops::Range;
use std::sync::Arc;

use arrow::ipc::convert::fb_to_schema;
use arrow::ipc::reader::{FileDecoder, read_footer_length};
use arrow::ipc::{Footer, Message, RecordBatch, Schema, root_as_footer, root_as_message};
use bytes::Bytes;
use datafusion::common::{DataFusionError, Result as DfResult};
use futures::FutureExt;
use futures::future::BoxFuture;
use object_store::{ObjectMeta, ObjectStore, ObjectStoreExt};

/// How files of blocks begin; a stream of messages begins otherwise.
const MAGIC: &[u8] = b"ARROW1\0\0";

/// The footer's length and the magic bytes behind it.
const TAIL_BYTES: u64 = 10;

/// What stands before a message whose length follows.
const CONTINUATION: [u8; 4] = [0xff; 4];

/// How many messages are looked at together.
const MESSAGES_AT_ONCE: usize = 64;

/// No column of one batch is larger, unpacked, unless its file is damaged.
const BUFFER_BYTES_MAX: i64 = 2 << 30;

/// Checks all lengths of a file.
///
/// # Errors
/// If one of them leads out of the file or is absurd, and if the file cannot be read.
pub(super) fn check_lengths(
    store: Arc<dyn ObjectStore>,
    file: ObjectMeta,
) -> BoxFuture<'static, DfResult<()>> {
    async move {
        let source = Source { store: store.as_ref(), file: &file };
        match source.get(0, MAGIC.len() as u64).await? == MAGIC {
            true => source.check_blocks().await,
            false => source.check_stream().await,
        }
    }
    .boxed()
}

struct Source<'a> {
    store: &'a dyn ObjectStore,
    file: &'a ObjectMeta,
}

/// A message, and where its body is in the file.
struct Place {
    name: String,
    metadata: Range<u64>,
    body: Range<u64>,
}

impl Source<'_> {
    /// The range of some bytes that are in the file.
    fn range(&self, start: u64, length: u64) -> DfResult<Range<u64>> {
        match start.checked_add(length) {
            Some(end) if end <= self.file.size => Ok(start..end),
            _ => Err(wrong(&format!("it tells of bytes at {start} that are not there"))),
        }
    }

    async fn get(&self, start: u64, length: u64) -> DfResult<Bytes> {
        match length {
            0 => Ok(Bytes::new()),
            _ => Ok(self.store.get_range(&self.file.location, self.range(start, length)?).await?),
        }
    }

    /// Checks a file with a footer that tells where its messages are.
    async fn check_blocks(&self) -> DfResult<()> {
        let start = self.file.size.checked_sub(TAIL_BYTES).ok_or_else(|| wrong("it is cut"))?;
        let tail = self.get(start, TAIL_BYTES).await?;
        let tail = tail.first_chunk().ok_or_else(|| wrong("it is cut"))?;
        let length = read_footer_length(*tail)? as u64;
        let start = start.checked_sub(length).ok_or_else(|| wrong("its footer is cut"))?;
        let footer = self.get(start, length).await?;
        let footer = root_as_footer(&footer).map_err(|error| wrong(&format!("footer: {error}")))?;
        let schema = footer.schema().ok_or_else(|| wrong("its footer has no schema"))?;
        if footer.recordBatches().is_none() {
            return Err(wrong("its footer has no list of record batches"));
        }
        if !schema.endianness().equals_to_target_endianness() {
            return Err(wrong("its bytes are in the order of another kind of machine"));
        }
        let dictionaries = footer.dictionaries().into_iter().flatten().map(|b| ("dictionary", b));
        let batches = footer.recordBatches().into_iter().flatten().map(|b| ("record batch", b));
        let mut places = Vec::new();
        for (index, (kind, block)) in dictionaries.enumerate().chain(batches.enumerate()) {
            let name = format!("{kind} {index}");
            let length = |length: i64| u64::try_from(length).map_err(|_| wrong(&name));
            let start = length(block.offset())?;
            let metadata = self.range(start, length(block.metaDataLength().into())?)?;
            let body = self.range(metadata.end, length(block.bodyLength())?)?;
            places.push(Place { name, metadata, body });
        }
        for places in places.chunks(MESSAGES_AT_ONCE) {
            let ranges: Vec<_> = places.iter().map(|place| place.metadata.clone()).collect();
            let found = self.store.get_ranges(&self.file.location, &ranges).await?;
            for (place, bytes) in places.iter().zip(found) {
                let skipped = if bytes.starts_with(&CONTINUATION) { 8 } else { 4 };
                let message = bytes.get(skipped..).unwrap_or_default();
                self.check_message(place, message).await?;
            }
        }
        self.check_dictionaries(footer, schema).await
    }

    /// Reads the dictionaries as Arrow's reader does before the first batch. DataFusion takes a file
    /// whose dictionaries fail for a stream of messages, and its first bytes for the length of one.
    async fn check_dictionaries(&self, footer: Footer<'_>, schema: Schema<'_>) -> DfResult<()> {
        let mut decoder = FileDecoder::new(Arc::new(fb_to_schema(schema)), footer.version());
        for (index, block) in footer.dictionaries().into_iter().flatten().enumerate() {
            let length = i64::from(block.metaDataLength()).checked_add(block.bodyLength());
            let place = u64::try_from(block.offset()).ok();
            let place = place.zip(length.and_then(|length| u64::try_from(length).ok()));
            let (start, length) = place.ok_or_else(|| wrong(&format!("dictionary {index}")))?;
            let bytes = self.get(start, length).await?;
            let read = decoder.read_dictionary(block, &bytes.into());
            read.map_err(|error| wrong(&format!("dictionary {index}: {error}")))?;
        }
        Ok(())
    }

    /// Checks messages that follow each other.
    async fn check_stream(&self) -> DfResult<()> {
        let mut at = 0;
        for index in 0_u64.. {
            if at == self.file.size {
                break;
            }
            let mut length = self.get(at, 4).await?;
            at += 4;
            if length == CONTINUATION[..] {
                length = self.get(at, 4).await?;
                at += 4;
            }
            let length = length.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
            if length == 0 {
                break;
            }
            let metadata = self.range(at, length.into())?;
            let bytes = self.get(at, length.into()).await?;
            let name = format!("message {index}");
            let body =
                u64::try_from(parsed(&name, &bytes)?.bodyLength()).map_err(|_| wrong(&name))?;
            let body = self.range(metadata.end, body)?;
            at = body.end;
            self.check_message(&Place { name, metadata, body }, &bytes).await?;
        }
        Ok(())
    }

    /// Checks where a message's buffers are, and how large they say to be when they are unpacked.
    async fn check_message(&self, place: &Place, bytes: &[u8]) -> DfResult<()> {
        let message = parsed(&place.name, bytes)?;
        let absurd = |what: &str| wrong(&format!("{}: {what}", place.name));
        let dictionary = message.header_as_dictionary_batch().and_then(|batch| batch.data());
        let Some(batch) = message.header_as_record_batch().or(dictionary) else { return Ok(()) };
        // Rows are counted by this length alone where no column is read.
        let first = batch.nodes().and_then(|nodes| nodes.iter().next());
        if batch.length() < 0 || first.is_some_and(|node| node.length() != batch.length()) {
            return Err(absurd(&format!("{} rows, and columns of another length", batch.length())));
        }
        let size = place.body.end - place.body.start;
        let mut packed = Vec::new();
        for buffer in batch.buffers().into_iter().flatten() {
            let start = u64::try_from(buffer.offset()).map_err(|_| absurd("a place below 0"))?;
            let length = u64::try_from(buffer.length()).map_err(|_| absurd("a length below 0"))?;
            if start.checked_add(length).is_none_or(|end| end > size) {
                return Err(absurd("a column leads out of it"));
            }
            if is_packed(batch) && length >= 8 {
                packed.push(place.body.start + start..place.body.start + start + 8);
            }
        }
        for length in self.store.get_ranges(&self.file.location, &packed).await? {
            let length = length.first_chunk().map_or(0, |bytes| i64::from_le_bytes(*bytes));
            // Buffers that would not get smaller are stored as they are, which -1 tells.
            if !(-1..=BUFFER_BYTES_MAX).contains(&length) {
                return Err(absurd(&format!("a column of {length} bytes")));
            }
        }
        Ok(())
    }
}

fn parsed<'a>(name: &str, bytes: &'a [u8]) -> DfResult<Message<'a>> {
    root_as_message(bytes).map_err(|error| wrong(&format!("{name}: {error}")))
}

fn is_packed(batch: RecordBatch<'_>) -> bool {
    batch.compression().is_some()
}

fn wrong(reason: &str) -> DataFusionError {
    let reason = format!("the file is damaged: {reason}");
    DataFusionError::IoError(std::io::Error::new(std::io::ErrorKind::InvalidData, reason))
}
