//! Sums by short texts: a text of up to 15 bytes is a number, and lies in the table with its sum.
//!
//! To find the entry of a text elsewhere and the text elsewhere again is most of the time of a word count.

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;

use crate::redo::{Redo, Result};
use crate::value::Value;

/// The longest text that fits, with its length, into sixteen bytes.
const SHORT_MAX: usize = 15;

/// How many terms are looked up together: the processor then waits for several places at once.
const TOGETHER: usize = 64;

/// What was added up for each text.
#[derive(Debug, Default)]
pub(crate) struct Sums {
    table: HashTable<Sum>,
    /// Terms that are not added yet.
    pending: Vec<(u128, i64)>,
}

#[derive(Debug)]
struct Sum {
    /// The bytes of the text, and its length in the last one.
    text: u128,
    sum: i64,
    /// When the text came first.
    arrival: usize,
}

impl Sums {
    /// How many texts there are, but for terms that are not added yet.
    pub(crate) fn len(&self) -> usize {
        self.table.len()
    }

    /// Takes a number for the sum of a text; `false` if this is not one of them. `others` is how many keys
    /// came before that are no short texts.
    pub(crate) fn add(&mut self, key: &Value<'_>, term: &Value<'_>, others: usize) -> Result<bool> {
        let (Some(text), Value::Int(term)) = (short(key), term) else { return Ok(false) };
        self.pending.push((text, *term));
        if self.pending.len() == TOGETHER {
            self.flush(others)?;
        }
        Ok(true)
    }

    /// Adds the terms that are not added yet.
    pub(crate) fn flush(&mut self, others: usize) -> Result<()> {
        for (text, term) in self.pending.drain(..) {
            let arrival = others + self.table.len();
            match self.table.entry(hash(text), |sum| sum.text == text, |sum| hash(sum.text)) {
                Entry::Occupied(mut found) => {
                    let sum = &mut found.get_mut().sum;
                    *sum = sum.checked_add(term).ok_or(Redo("a whole number beyond 64 bits"))?;
                }
                Entry::Vacant(free) => {
                    free.insert(Sum { text, sum: term, arrival });
                }
            }
        }
        Ok(())
    }

    /// When each text came first, the text and its sum, in any order; none is left.
    pub(crate) fn take(&mut self) -> impl Iterator<Item = (usize, Value<'static>, Value<'static>)> {
        let sums = std::mem::take(&mut self.table);
        sums.into_iter().map(|Sum { text, sum, arrival }| {
            let bytes = text.to_le_bytes();
            let text = String::from_utf8_lossy(&bytes[..usize::from(bytes[SHORT_MAX])]);
            (arrival, Value::owned(text.into_owned()), Value::Int(sum))
        })
    }
}

/// A text as a number, if it is short enough.
pub(crate) fn short(key: &Value<'_>) -> Option<u128> {
    let Value::Str(text) = key else { return None };
    let bytes = text.as_bytes();
    let length = bytes.len();
    if length > SHORT_MAX {
        return None;
    }
    // The first and the last eight or four bytes, which may overlap: a copy of so many bytes is a call.
    let (low, high) = if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        (u64::from_le_bytes(*first), u64::from_le_bytes(*last) >> 1 >> (8 * (16 - length) - 1))
    } else if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        let (first, last) = (u32::from_le_bytes(*first), u32::from_le_bytes(*last));
        (u64::from(first) | (u64::from(last) << (8 * (length - 4))), 0)
    } else {
        (bytes.iter().rev().fold(0, |low, byte| (low << 8) | u64::from(*byte)), 0)
    };
    Some(u128::from(low) | (u128::from(high) << 64) | ((length as u128) << 120))
}

/// Spreads texts over the table: one multiplication of both halves, folded.
fn hash(text: u128) -> u64 {
    let (low, high) = (text as u64, (text >> 64) as u64);
    let folded = u128::from(low ^ 0x9e37_79b9_7f4a_7c15) * u128::from(high ^ 0xd1b5_4a32_d192_ed03);
    folded as u64 ^ (folded >> 64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_apart_by_their_bytes_and_lengths() {
        let texts = [
            "",
            "\0",
            "a",
            "a\0",
            "é",
            "four",
            "five!",
            "sixsix",
            "seven77",
            "eight888",
            "eight888\0",
            "thirteen bytes",
            "fifteen bytes..",
            "fifteen bytes.!",
        ];
        let mut sums = Sums::default();
        for _ in 0..100 {
            for (at, text) in texts.iter().enumerate() {
                assert!(sums.add(&Value::borrowed(text), &Value::Int(at as i64), 7).unwrap());
            }
        }
        assert!(!sums.add(&Value::borrowed("sixteen bytes..."), &Value::Int(1), 7).unwrap());
        assert!(!sums.add(&Value::borrowed("a"), &Value::Float(1.0), 7).unwrap());
        assert!(!sums.add(&Value::Int(1), &Value::Int(1), 7).unwrap());
        sums.flush(7).unwrap();
        let mut found: Vec<_> = sums.take().collect();
        found.sort_by_key(|(arrival, ..)| *arrival);
        for (at, (arrival, text, sum)) in found.into_iter().enumerate() {
            assert_eq!(arrival, 7 + at);
            assert!(matches!(text, Value::Str(text) if text == texts[at]));
            assert!(matches!(sum, Value::Int(sum) if sum == 100 * at as i64));
        }
        assert_eq!(sums.len(), 0);
    }

    #[test]
    fn a_sum_beyond_64_bits_is_redone() {
        let mut sums = Sums::default();
        let mut add = |term| sums.add(&Value::borrowed("a"), &Value::Int(term), 0);
        assert!(add(i64::MAX).unwrap());
        assert!(add(1).unwrap());
        assert!(sums.flush(0).is_err());
    }
}
