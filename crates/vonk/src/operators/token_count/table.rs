//! Counts of short texts: those of up to 15 bytes are numbers in an open table, others are hashed as
//! they are.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Builder, RecordBatch, StringViewBuilder};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, Result as DfResult};
use rustc_hash::FxHashMap;

/// The longest text that fits, with its length, into sixteen bytes.
const SHORT_MAX: usize = 15;

/// Slots of a new table.
const SLOTS: usize = 1 << 12;

/// How often each text occurs.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Occurrences of the text without bytes.
    empty: i64,
    /// Texts as [`key`] writes them; a key of zero is a free slot. The number of slots is a power of two.
    slots: Vec<(u128, i64)>,
    used: usize,
    long: FxHashMap<Box<[u8]>, i64>,
    long_bytes: usize,
}

/// A short text and, in the last byte, its length; none is zero.
fn key(bytes: u128, length: usize) -> u128 {
    let unused = 8 * (16 - length) as u32;
    // Lossless: the length is at most fifteen.
    (bytes & (u128::MAX >> unused)) | ((length as u128) << 120)
}

/// Spreads keys over slots: one multiplication of both halves, folded.
fn place(key: u128) -> usize {
    let (low, high) = (key as u64, (key >> 64) as u64);
    let folded = u128::from(low ^ 0x243f_6a88_85a3_08d3) * u128::from(high ^ 0x9e37_79b9_7f4a_7c15);
    (folded as u64 ^ (folded >> 64) as u64) as usize
}

impl Counts {
    pub(super) fn is_empty(&self) -> bool {
        self.used == 0 && self.long.is_empty() && self.empty == 0
    }

    /// About the memory that is taken.
    pub(super) fn bytes(&self) -> usize {
        const PER_LONG: usize = 48;
        self.slots.capacity() * size_of::<(u128, i64)>()
            + self.long.capacity() * PER_LONG
            + self.long_bytes
    }

    /// Counts a text.
    pub(super) fn add(&mut self, text: &[u8]) {
        self.add_within(text, 0, text.len());
    }

    /// Counts the text between two places of a larger one, where it can be read at one stroke.
    #[inline]
    pub(super) fn add_within(&mut self, text: &[u8], begin: usize, end: usize) {
        let length = end - begin;
        if length == 0 {
            self.empty += 1;
        } else if length > SHORT_MAX {
            self.add_long(&text[begin..end]);
        } else {
            let bytes = match text[begin..].first_chunk::<16>() {
                Some(bytes) => u128::from_le_bytes(*bytes),
                None => {
                    let mut bytes = [0; 16];
                    bytes[..length].copy_from_slice(&text[begin..end]);
                    u128::from_le_bytes(bytes)
                }
            };
            self.add_key(key(bytes, length));
        }
    }

    #[inline]
    fn add_key(&mut self, key: u128) {
        if self.used * 2 >= self.slots.len() {
            self.grow();
        }
        let mask = self.slots.len() - 1;
        let mut at = place(key) & mask;
        loop {
            let (there, count) = &mut self.slots[at];
            if *there == key {
                *count += 1;
                return;
            }
            if *there == 0 {
                (*there, *count) = (key, 1);
                self.used += 1;
                return;
            }
            at = (at + 1) & mask;
        }
    }

    fn grow(&mut self) {
        let size = (self.slots.len() * 2).max(SLOTS);
        let old = std::mem::replace(&mut self.slots, vec![(0, 0); size]);
        for (key, count) in old.into_iter().filter(|(key, _)| *key != 0) {
            let mut at = place(key) & (size - 1);
            while self.slots[at].0 != 0 {
                at = (at + 1) & (size - 1);
            }
            self.slots[at] = (key, count);
        }
    }

    fn add_long(&mut self, text: &[u8]) {
        match self.long.get_mut(text) {
            Some(count) => *count += 1,
            None => {
                self.long_bytes += text.len();
                self.long.insert(text.into(), 1);
            }
        }
    }

    /// The texts and their counts, in batches of so many rows.
    pub(super) fn into_batches(
        self,
        schema: &SchemaRef,
        rows_max: usize,
    ) -> DfResult<Vec<RecordBatch>> {
        let mut rows = Rows::new(schema, rows_max);
        if self.empty > 0 {
            rows.push(b"", self.empty)?;
        }
        for (key, count) in self.slots.into_iter().filter(|(key, _)| *key != 0) {
            let bytes = key.to_le_bytes();
            rows.push(&bytes[..usize::from(bytes[SHORT_MAX])], count)?;
        }
        for (text, count) in self.long {
            rows.push(&text, count)?;
        }
        rows.finish()
    }
}

/// Batches that are being made.
struct Rows<'a> {
    schema: &'a SchemaRef,
    rows_max: usize,
    texts: StringViewBuilder,
    counts: Int64Builder,
    rows: usize,
    done: Vec<RecordBatch>,
}

impl<'a> Rows<'a> {
    fn new(schema: &'a SchemaRef, rows_max: usize) -> Self {
        let (texts, counts) = (StringViewBuilder::new(), Int64Builder::new());
        Self { schema, rows_max: rows_max.max(1), texts, counts, rows: 0, done: Vec::new() }
    }

    fn push(&mut self, text: &[u8], count: i64) -> DfResult<()> {
        let text = std::str::from_utf8(text)
            .map_err(|error| DataFusionError::Internal(format!("a part of a text: {error}")))?;
        self.texts.append_value(text);
        self.counts.append_value(count);
        self.rows += 1;
        if self.rows == self.rows_max { self.close() } else { Ok(()) }
    }

    fn close(&mut self) -> DfResult<()> {
        let columns: Vec<ArrayRef> =
            vec![Arc::new(self.texts.finish()), Arc::new(self.counts.finish())];
        self.done.push(RecordBatch::try_new(Arc::clone(self.schema), columns)?);
        self.rows = 0;
        Ok(())
    }

    fn finish(mut self) -> DfResult<Vec<RecordBatch>> {
        if self.rows > 0 {
            self.close()?;
        }
        Ok(self.done)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn texts_of_every_length_are_told_apart() {
        let text = "the quick brown fox jumps over the lazy dog again and again\0".repeat(40);
        let text = text.as_bytes();
        let mut counts = Counts::default();
        let mut wanted: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
        for begin in 0..text.len() {
            for length in [0, 1, 2, 7, 8, 14, 15, 16, 17, 40] {
                let end = (begin + length).min(text.len());
                counts.add_within(text, begin, end);
                *wanted.entry(text[begin..end].to_vec()).or_default() += 1;
            }
        }
        let mut found = BTreeMap::new();
        found.extend((counts.empty > 0).then_some((Vec::new(), counts.empty)));
        for (key, count) in counts.slots.iter().filter(|(key, _)| *key != 0) {
            let bytes = key.to_le_bytes();
            found.insert(bytes[..usize::from(bytes[SHORT_MAX])].to_vec(), *count);
        }
        found.extend(counts.long.into_iter().map(|(text, count)| (text.into_vec(), count)));
        assert_eq!(found, wanted);
    }

    #[test]
    fn a_zero_byte_is_part_of_a_text() {
        let mut counts = Counts::default();
        for text in [&b"a"[..], b"a\0", b"a\0\0", b"a"] {
            counts.add(text);
        }
        assert_eq!((counts.used, counts.is_empty()), (3, false));
    }
}
