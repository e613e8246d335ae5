//! The beginnings of the files of a table, from which columns and types are found.

use std::sync::Arc;

use datafusion::common::Result as DataFusionResult;
use futures::stream::{self, StreamExt, TryStreamExt};
use object_store::{ObjectMeta, ObjectStore};

use super::input::{ByteOptions, Input};
use crate::error::{Error, Result};

/// Files of this size in total are looked at as a whole, and this much is held at once.
const WHOLE_BYTES_MAX: usize = 8 << 20;
/// How much of the first file, and of each other, is looked at otherwise.
const FIRST_BYTES: usize = 1 << 20;
const OTHER_BYTES: usize = 64 << 10;
/// How many records of a beginning are looked at.
const ROWS: usize = 20_480;
/// How many files are opened at once.
const FILES_AT_ONCE: usize = 8;

/// How much to look at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sampling<'a> {
    /// The part of each file that the user wants to be looked at.
    pub(super) ratio: Option<f64>,
    pub(super) bytes: &'a ByteOptions,
}

/// The beginning of a file.
pub(super) struct Head {
    pub(super) input: Input,
    pub(super) bytes: Vec<u8>,
    pub(super) is_whole: bool,
    /// How many bytes are to be looked at, which may be more than are here.
    wanted: usize,
    /// How many records are to be looked at.
    pub(super) rows_max: usize,
}

impl Head {
    /// Calls `visit` with stretches of the file until as many bytes as wanted have been looked at.
    ///
    /// `visit` is told whether a stretch is the last of the file and says how much of it was used;
    /// the rest comes again with what follows.
    ///
    /// # Errors
    /// If the file cannot be read, or what `visit` gives.
    pub(super) async fn for_each_stretch(
        &self,
        mut visit: impl FnMut(&[u8], bool) -> Result<usize>,
    ) -> DataFusionResult<()> {
        if self.is_whole || self.wanted <= self.bytes.len() {
            visit(&self.bytes, self.is_whole)?;
            return Ok(());
        }
        let mut stretches = self.input.bytes(0).await?;
        let mut buffer = Vec::new();
        let mut seen = 0;
        // A record that does not end within this is an error of the scan, which can name its line.
        while seen < self.wanted && buffer.len() <= WHOLE_BYTES_MAX {
            let Some(bytes) = stretches.try_next().await? else {
                visit(&buffer, true)?;
                break;
            };
            seen += bytes.len();
            buffer.extend_from_slice(&bytes);
            let used = visit(&buffer, false)?;
            buffer.drain(..used);
        }
        Ok(())
    }
}

/// Reads the beginnings of the files.
///
/// # Errors
/// If a file cannot be read, or if it is UTF-16.
pub(super) async fn read_heads(
    sampling: Sampling<'_>,
    store: &Arc<dyn ObjectStore>,
    files: &[ObjectMeta],
) -> DataFusionResult<Vec<Head>> {
    let total: u64 = files.iter().map(|file| file.size).sum();
    let length = |index: usize, file: &ObjectMeta| match sampling.ratio {
        #[expect(clippy::cast_possible_truncation, reason = "a part of the size")]
        #[expect(clippy::cast_sign_loss, reason = "both are positive")]
        Some(ratio) if ratio < 1.0 => (file.size as f64 * ratio).ceil() as usize,
        Some(_) => usize::MAX,
        None if total <= WHOLE_BYTES_MAX as u64 => WHOLE_BYTES_MAX,
        None if index == 0 => FIRST_BYTES,
        None => OTHER_BYTES,
    };
    let mut heads = Vec::with_capacity(files.len());
    for (index, file) in files.iter().enumerate() {
        heads.push((Input::new(store, file, None, sampling.bytes)?, length(index, file)));
    }
    let read = |(input, wanted): (Input, usize)| async move {
        // One byte more shows that a file of just this size is whole.
        let (bytes, is_whole) = input.head(wanted.min(WHOLE_BYTES_MAX) + 1).await?;
        refuse_utf16(&bytes, &input.name)?;
        let rows_max = if is_whole || sampling.ratio.is_some() { usize::MAX } else { ROWS };
        Ok(Head { input, bytes, is_whole, wanted, rows_max })
    };
    stream::iter(heads).map(read).buffered(FILES_AT_ONCE).try_collect().await
}

/// An error for the byte order marks of UTF-16, whose bytes would be read as nonsense.
fn refuse_utf16(bytes: &[u8], file: &str) -> Result<()> {
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Err(Error::unsupported("the file is encoded in UTF-16")
            .hint("convert it with `iconv -f UTF-16 -t UTF-8`")
            .file(file));
    }
    Ok(())
}
