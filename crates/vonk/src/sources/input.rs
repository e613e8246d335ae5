//! The bytes of one file of a text format: read in stretches, decompressed and as UTF-8.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::common::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::object_store::ObjectStoreUrl;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::{GetOptions, GetRange, GetResultPayload, ObjectMeta, ObjectStore};

use super::ReadOptions;
use super::compression::{self, Compression};
use super::option_values::is_latin1;
use crate::error::{Error, Result};

/// How much is read at once: enough to keep calls rare, little enough to stay in a core's cache.
const STRETCH_BYTES: usize = 1 << 20;

/// The bytes of a file, as they come.
pub(super) type Stretches = BoxStream<'static, DataFusionResult<Bytes>>;

/// One file to be read.
#[derive(Debug, Clone)]
pub(super) struct Input {
    pub(super) store: Arc<dyn ObjectStore>,
    pub(super) meta: ObjectMeta,
    /// The path or address for messages.
    pub(super) name: String,
    latin1: bool,
    compression: Compression,
}

/// How the bytes of a file become text.
#[derive(Debug, Clone)]
pub(super) struct ByteOptions {
    /// Whether each byte is a character of ISO-8859-1.
    latin1: bool,
    /// The options, of which `compression` tells how files are compressed.
    options: ReadOptions,
}

impl ByteOptions {
    /// Reads the options.
    ///
    /// # Errors
    /// If they name something that is not known.
    pub(super) fn from_options(options: &ReadOptions) -> Result<Self> {
        Ok(Self { latin1: is_latin1(options)?, options: options.clone() })
    }

    /// Whether files may be read from any byte on.
    pub(super) fn have_ranges(&self) -> bool {
        !self.latin1
    }
}

impl Input {
    pub(super) fn new(
        store: &Arc<dyn ObjectStore>,
        meta: &ObjectMeta,
        url: Option<&ObjectStoreUrl>,
        bytes: &ByteOptions,
    ) -> Result<Self> {
        let name = match url.map(ObjectStoreUrl::as_str) {
            None | Some("file:///") => format!("/{}", meta.location),
            Some(url) => format!("{}/{}", url.trim_end_matches('/'), meta.location),
        };
        let compression = Compression::of(&meta.location, &bytes.options)?;
        let (store, meta) = (Arc::clone(store), meta.clone());
        Ok(Self { store, meta, name, latin1: bytes.latin1, compression })
    }

    /// Whether the file may be read from any byte on.
    pub(super) fn has_ranges(&self) -> bool {
        !self.latin1 && self.compression == Compression::None
    }

    /// The bytes of the file from `start` on.
    pub(super) async fn bytes(&self, start: u64) -> DataFusionResult<Stretches> {
        let raw = match self.compression {
            Compression::None => self.raw(start..self.meta.size).await?,
            compression => {
                let bytes = compression::read(&self.store, &self.meta, compression);
                bytes.map_err(DataFusionError::from).boxed()
            }
        };
        if !self.latin1 {
            return Ok(raw);
        }
        Ok(raw.map_ok(|bytes| Bytes::from(latin1_to_utf8(&bytes))).boxed())
    }

    /// The first `length` bytes, or a few more, and whether these are all.
    pub(super) async fn head(&self, length: usize) -> DataFusionResult<(Vec<u8>, bool)> {
        let mut stretches = self.bytes(0).await?;
        let mut head = Vec::new();
        while let Some(bytes) = stretches.try_next().await? {
            head.extend_from_slice(&bytes);
            if head.len() >= length {
                return Ok((head, false));
            }
        }
        Ok((head, true))
    }

    async fn raw(&self, range: Range<u64>) -> DataFusionResult<Stretches> {
        if range.is_empty() {
            return Ok(stream::empty().boxed());
        }
        // Some HTTP servers know no ranges, but all can send a whole file.
        let is_whole = range == (0..self.meta.size);
        let bounds = (!is_whole).then(|| GetRange::Bounded(range.clone()));
        let options = GetOptions { range: bounds, ..GetOptions::default() };
        let result = self
            .store
            .get_opts(&self.meta.location, options)
            .await
            .map_err(|error| Error::from(error).file(&self.name))?;
        match result.payload {
            GetResultPayload::File(mut file, _) => {
                file.seek(SeekFrom::Start(range.start))
                    .map_err(|error| Error::from(error).file(&self.name))?;
                Ok(file_stretches(file, range.end - range.start, self.name.clone()))
            }
            GetResultPayload::Stream(bytes) => {
                let name = self.name.clone();
                Ok(bytes.map_err(move |error| Error::from(error).file(&name).into()).boxed())
            }
        }
    }
}

fn file_stretches(file: File, length: u64, name: String) -> Stretches {
    let read = move |mut rest: std::io::Take<File>| {
        let mut bytes = Vec::with_capacity(STRETCH_BYTES.min(rest.limit() as usize));
        let stretch = rest.by_ref().take(STRETCH_BYTES as u64).read_to_end(&mut bytes);
        futures::future::ready(match stretch {
            Ok(0) if rest.limit() > 0 => Err(compression::shrunk(&name).into()),
            Ok(0) => Ok(None),
            Ok(_) => Ok(Some((Bytes::from(bytes), rest))),
            Err(error) => Err(Error::from(error).file(&name).into()),
        })
    };
    stream::try_unfold(file.take(length), read).boxed()
}

fn latin1_to_utf8(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().map(|byte| char::from(*byte)).collect::<String>().into_bytes()
}
