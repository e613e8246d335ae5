//! Snappy files in either of two framings: that of the format's own description, and Hadoop's.

use std::io::{self, BufRead, Read};

/// The first byte of a file in the framing format; in Hadoop's it belongs to a length, and is small.
const FRAMED: u8 = 0xff;

/// The largest block that is believed; Hadoop's are 256 KiB unless configured.
const BLOCK_BYTES_MAX: usize = 256 << 20;

/// A decoder for the framing that the file begins with.
pub(super) fn decoder<'a>(
    mut input: impl BufRead + Send + 'a,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(match input.fill_buf()?.first() {
        Some(&FRAMED) => Box::new(snap::read::FrameDecoder::new(input)),
        _ => Box::new(Hadoop { input, left: 0, chunk: Vec::new(), used: 0 }),
    })
}

/// Hadoop's framing: blocks of a length and chunks, each chunk a length and raw Snappy; lengths are
/// big-endian, that of a block counts decoded bytes, that of a chunk encoded ones.
struct Hadoop<R> {
    input: R,
    /// Decoded bytes of the block that are in chunks still to be read.
    left: usize,
    chunk: Vec<u8>,
    used: usize,
}

impl<R: BufRead> Hadoop<R> {
    /// Decodes the next chunk; `false` at the end of the file.
    fn next_chunk(&mut self) -> io::Result<bool> {
        while self.left == 0 {
            if self.input.fill_buf()?.is_empty() {
                return Ok(false);
            }
            self.left = self.length()?;
        }
        let mut encoded = vec![0; self.length()?];
        self.input.read_exact(&mut encoded)?;
        if snap::raw::decompress_len(&encoded)? > self.left {
            return Err(invalid());
        }
        self.chunk = snap::raw::Decoder::new().decompress_vec(&encoded)?;
        self.left -= self.chunk.len();
        self.used = 0;
        Ok(true)
    }

    fn length(&mut self) -> io::Result<usize> {
        let mut bytes = [0; 4];
        self.input.read_exact(&mut bytes)?;
        match usize::try_from(u32::from_be_bytes(bytes)) {
            Ok(length) if length <= BLOCK_BYTES_MAX => Ok(length),
            _ => Err(invalid()),
        }
    }
}

impl<R: BufRead> Read for Hadoop<R> {
    fn read(&mut self, target: &mut [u8]) -> io::Result<usize> {
        while self.used == self.chunk.len() {
            if !self.next_chunk()? {
                return Ok(0);
            }
        }
        let count = target.len().min(self.chunk.len() - self.used);
        target[..count].copy_from_slice(&self.chunk[self.used..self.used + count]);
        self.used += count;
        Ok(count)
    }
}

fn invalid() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "no Snappy block")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hadoop_blocks_of_several_chunks_are_read() {
        let chunk = |text: &[u8]| {
            let encoded = snap::raw::Encoder::new().compress_vec(text).unwrap();
            [&(encoded.len() as u32).to_be_bytes(), encoded.as_slice()].concat()
        };
        let file = [
            &9_u32.to_be_bytes()[..],
            &chunk(b"hello"),
            &chunk(b" you"),
            &2_u32.to_be_bytes(),
            &chunk(b"!\n"),
        ];
        let mut text = String::new();
        decoder(file.concat().as_slice()).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello you!\n");
    }
}
