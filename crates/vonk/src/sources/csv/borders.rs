//! Finds where the first record of a byte range begins, although line breaks may stand in quotes.
//!
//! Whether a place is inside quotes depends on all bytes before it, so these are looked through for
//! quotes once per file, which is many times faster than reading fields. Guessing instead would
//! give wrong rows for some files.

use datafusion::common::Result as DataFusionResult;
use futures::TryStreamExt;
use hashbrown::HashMap;
use memchr::{memchr, memchr2};
use object_store::path::Path;
use tokio::sync::Mutex;

use super::super::input::Input;
use super::records::Dialect;

/// After so many bytes a scan lets others go on and can be cancelled.
const BYTES_AT_A_TIME: u64 = 32 << 20;

/// The states at those places of the files of a scan that were asked for, shared by its partitions,
/// so that the bytes of a file are looked through once.
#[derive(Debug, Default)]
pub(super) struct QuoteIndex {
    states: Mutex<HashMap<Path, Vec<(u64, QuoteState)>>>,
}

impl QuoteIndex {
    /// The state after the first `place` bytes of the file.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub(super) async fn state_at(
        &self,
        input: &Input,
        dialect: &Dialect,
        place: u64,
    ) -> DataFusionResult<QuoteState> {
        if dialect.quote.is_none() || !dialect.multi_line {
            return Ok(QuoteState::outside());
        }
        let mut states = self.states.lock().await;
        let known = states.entry(input.meta.location.clone()).or_default();
        let nearest = known.iter().filter(|(at, _)| *at <= place).max_by_key(|(at, _)| *at);
        let (mut at, mut state) = nearest.copied().unwrap_or((0, QuoteState::outside()));
        let mut stretches = input.bytes(at).await?;
        let mut pause = at + BYTES_AT_A_TIME;
        while at < place
            && let Some(bytes) = stretches.try_next().await?
        {
            let wanted = usize::try_from(place - at).map_or(bytes.len(), |n| n.min(bytes.len()));
            let mark =
                if at == 0 && bytes.starts_with(b"\xEF\xBB\xBF") { 3.min(wanted) } else { 0 };
            state.advance(dialect, &bytes[mark..wanted]);
            at += wanted as u64;
            if at >= pause {
                pause = at + BYTES_AT_A_TIME;
                tokio::task::yield_now().await;
            }
        }
        known.push((at, state));
        Ok(state)
    }
}

/// Where reading stands with regard to quotes, after all bytes up to some place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct QuoteState {
    inside: bool,
    /// The last byte was a quote inside quotes: it closes, unless a quote follows.
    maybe_closed: bool,
    /// The last byte was the escape inside quotes.
    escaped: bool,
    /// The last byte was `\r` outside quotes while looking for the end of a line.
    after_return: bool,
    previous: u8,
}

impl QuoteState {
    /// The state at the beginning of a file or of a record.
    pub(super) const fn outside() -> Self {
        Self {
            inside: false,
            maybe_closed: false,
            escaped: false,
            after_return: false,
            previous: b'\n',
        }
    }

    /// Goes over `bytes` quickly.
    pub(super) fn advance(&mut self, dialect: &Dialect, bytes: &[u8]) {
        let Some(quote) = dialect.quote else { return };
        let mut at = 0;
        while at < bytes.len() {
            if self.escaped || self.maybe_closed {
                self.byte(dialect, quote, bytes[at]);
                at += 1;
                continue;
            }
            let rest = &bytes[at..];
            let found = match dialect.escape {
                Some(escape) if self.inside => memchr2(quote, escape, rest),
                _ => memchr(quote, rest),
            };
            let length = found.unwrap_or(rest.len());
            if length > 0 {
                self.previous = rest[length - 1];
            }
            at += length;
            if found.is_some() {
                self.byte(dialect, quote, bytes[at]);
                at += 1;
            }
        }
    }

    /// Goes over `bytes` up to the end of a line outside quotes; where the next line begins, if it
    /// does in these bytes.
    pub(super) fn advance_to_next_line(
        &mut self,
        dialect: &Dialect,
        bytes: &[u8],
    ) -> Option<usize> {
        for (at, byte) in bytes.iter().enumerate() {
            if self.after_return {
                return Some(if *byte == b'\n' { at + 1 } else { at });
            }
            if let Some(quote) = dialect.quote.filter(|_| dialect.multi_line) {
                self.byte(dialect, quote, *byte);
            }
            let ends_line = match dialect.newline {
                Some(newline) => *byte == newline,
                None => *byte == b'\n',
            };
            if !self.inside && ends_line {
                return Some(at + 1);
            }
            self.after_return = !self.inside && *byte == b'\r' && dialect.newline.is_none();
        }
        None
    }

    fn byte(&mut self, dialect: &Dialect, quote: u8, byte: u8) {
        let previous = std::mem::replace(&mut self.previous, byte);
        if std::mem::take(&mut self.escaped) {
            // Only a quote or the escape itself loses its meaning.
            if byte == quote || Some(byte) == dialect.escape {
                return;
            }
        }
        if std::mem::take(&mut self.maybe_closed) {
            if byte == quote {
                return;
            }
            self.inside = false;
        }
        if self.inside {
            if byte == quote {
                self.maybe_closed = true;
            } else if Some(byte) == dialect.escape {
                self.escaped = true;
            }
        } else if byte == quote {
            self.inside = previous == dialect.delimiter || previous == b'\n' || previous == b'\r';
        }
    }
}

/// Whether [`QuoteState`] understands the dialect as well as the scanner does.
pub(super) fn can_split(dialect: &Dialect) -> bool {
    let simple = dialect.comment.is_none() && !dialect.trim_leading && dialect.newline.is_none();
    dialect.quote.is_none() || !dialect.multi_line || simple
}

#[cfg(test)]
mod tests {
    use super::super::records::{Scanner, Step};
    use super::*;

    /// Where the scanner sees records begin.
    fn starts(dialect: Dialect, text: &[u8]) -> Vec<usize> {
        let scanner = Scanner::new(dialect, 1000);
        let mut fields = Vec::new();
        let (mut at, mut starts) = (0, Vec::new());
        while at < text.len() {
            match scanner.step(text, at, true, &mut fields) {
                Step::Record { next, .. } | Step::Skip { next } => {
                    starts.push(at);
                    at = next;
                }
                other => panic!("{other:?}"),
            }
        }
        starts.push(text.len());
        starts
    }

    /// All texts of length six over bytes with a meaning: every cut must meet the scanner's records.
    #[test]
    fn every_cut_of_every_short_text_meets_the_scanner() {
        let alphabet = b"\",\n\ra\\";
        for dialect in [Dialect::new(b','), Dialect { escape: Some(b'\\'), ..Dialect::new(b',') }] {
            for number in 0..alphabet.len().pow(6) {
                let text: Vec<u8> = (0..6)
                    .map(|place| alphabet[number / alphabet.len().pow(place) % alphabet.len()])
                    .collect();
                let starts = starts(dialect, &text);
                for cut in 1..text.len() {
                    let mut state = QuoteState::outside();
                    state.advance(&dialect, &text[..cut - 1]);
                    let next = state.advance_to_next_line(&dialect, &text[cut - 1..]);
                    let found = next.map_or(text.len(), |length| cut - 1 + length);
                    let expected = starts.iter().copied().find(|start| *start >= cut);
                    assert_eq!(Some(found), expected, "{:?} cut at {cut}", text.escape_ascii());
                }
            }
        }
    }
}
