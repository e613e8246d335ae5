//! Decompresses zlib streams (Spark's codec `deflate`) one after the other; the library's own
//! reader stops after the first, and takes a stream that is cut short for one that ends.

use std::io::{self, BufRead, Read};

use flate2::{Decompress, FlushDecompress, Status};

/// Reads what `input` holds, decompressed.
pub(super) fn decoder<R: BufRead>(input: R) -> impl Read + use<R> {
    ZlibReader { input, state: Decompress::new(true), is_within: false }
}

struct ZlibReader<R> {
    input: R,
    state: Decompress,
    /// Whether a stream has begun and not ended.
    is_within: bool,
}

impl<R: BufRead> Read for ZlibReader<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        if target.is_empty() {
            return Ok(0);
        }
        loop {
            let bytes = self.input.fill_buf()?;
            if bytes.is_empty() && !self.is_within {
                return Ok(0);
            }
            let is_end = bytes.is_empty();
            let (taken, given) = (self.state.total_in(), self.state.total_out());
            let status = self.state.decompress(bytes, target, FlushDecompress::None)?;
            let used = self.state.total_in() - taken;
            let made = self.state.total_out() - given;
            self.input.consume(used as usize);
            self.is_within = status != Status::StreamEnd;
            if !self.is_within {
                self.state.reset(true);
            }
            if made > 0 {
                return Ok(made as usize);
            }
            if is_end && self.is_within {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}
