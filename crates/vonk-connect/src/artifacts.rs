//! What clients leave with the server: blocks of data that a plan then names by their hash.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use spark_connect_proto::add_artifacts_request::{BeginChunkedArtifact, Payload};
use spark_connect_proto::add_artifacts_response::ArtifactSummary;
use vonk::{Error, Result};

use crate::errors::{self, required};

/// The beginning of the names of blocks that plans refer to.
const CACHE: &str = "cache/";

/// The data that one session has left.
#[derive(Debug, Default)]
pub(crate) struct Artifacts {
    blocks: Mutex<Blocks>,
}

#[derive(Debug, Default)]
struct Blocks {
    by_hash: HashMap<String, Bytes>,
    bytes: usize,
}

impl Artifacts {
    /// The block of this hash.
    ///
    /// # Errors
    /// `INVALID_PLAN_INPUT` if the client never sent it.
    pub(crate) fn block(&self, hash: &str) -> Result<Bytes> {
        self.blocks.lock().by_hash.get(hash).cloned().ok_or_else(|| {
            Error::new(errors::INVALID_PLAN, format!("there is no block of data `{hash}`"))
        })
    }

    /// Whether a block of this name is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        let hash = name.strip_prefix(CACHE);
        hash.is_some_and(|hash| self.blocks.lock().by_hash.contains_key(hash))
    }

    /// The same blocks, for a clone of the session.
    pub(crate) fn copy(&self) -> Self {
        let blocks = self.blocks.lock();
        let (by_hash, bytes) = (blocks.by_hash.clone(), blocks.bytes);
        Self { blocks: Mutex::new(Blocks { by_hash, bytes }) }
    }

    fn keep(&self, name: &str, data: Bytes, bytes_max: usize) -> Result<()> {
        let Some(hash) = name.strip_prefix(CACHE) else {
            return Err(errors::unsupported(&format!("files such as `{name}` on the server")));
        };
        let mut blocks = self.blocks.lock();
        if blocks.by_hash.contains_key(hash) {
            return Ok(());
        }
        if blocks.bytes + data.len() > bytes_max {
            let message = format!("a session may leave at most {bytes_max} bytes with the server");
            return Err(Error::new(errors::ARTIFACTS_TOO_LARGE, message)
                .hint("write large data to files and read those"));
        }
        blocks.bytes += data.len();
        blocks.by_hash.insert(hash.to_owned(), data);
        Ok(())
    }
}

/// One call of `AddArtifacts`, whose messages come one after the other.
pub(crate) struct Upload {
    begun: Option<(String, BytesMut, i64)>,
    summaries: Vec<ArtifactSummary>,
    bytes_max: usize,
}

impl Upload {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self { begun: None, summaries: Vec::new(), bytes_max }
    }

    /// Takes the next message in.
    pub(crate) fn take(&mut self, artifacts: &Artifacts, payload: Option<Payload>) -> Result<()> {
        match required(payload, "artifact")? {
            Payload::Batch(batch) => {
                for artifact in batch.artifacts {
                    let data = required(artifact.data, "data of an artifact")?.data;
                    self.finish(artifacts, artifact.name, data)?;
                }
                Ok(())
            }
            Payload::BeginChunk(begin) => self.begin(artifacts, begin),
            Payload::Chunk(chunk) => self.append(artifacts, &chunk.data),
        }
    }

    fn begin(&mut self, artifacts: &Artifacts, begin: BeginChunkedArtifact) -> Result<()> {
        self.begun = Some((begin.name, BytesMut::new(), begin.num_chunks));
        self.append(artifacts, &required(begin.initial_chunk, "first chunk")?.data)
    }

    fn append(&mut self, artifacts: &Artifacts, data: &[u8]) -> Result<()> {
        let (name, mut held, left) = required(self.begun.take(), "beginning of an artifact")?;
        if held.len() + data.len() > self.bytes_max {
            let message = format!("artifact `{name}` is larger than {} bytes", self.bytes_max);
            return Err(Error::new(errors::ARTIFACTS_TOO_LARGE, message));
        }
        held.extend_from_slice(data);
        if left > 1 {
            self.begun = Some((name, held, left - 1));
            return Ok(());
        }
        self.finish(artifacts, name, held.freeze())
    }

    fn finish(&mut self, artifacts: &Artifacts, name: String, data: Bytes) -> Result<()> {
        // A block is named by its SHA-256, which tells more surely than a CRC that it is whole.
        let is_whole = match name.strip_prefix(CACHE) {
            Some(hash) => hex(&Sha256::digest(&data)) == hash,
            None => true,
        };
        if is_whole {
            artifacts.keep(&name, data, self.bytes_max)?;
        }
        self.summaries.push(ArtifactSummary { name, is_crc_successful: is_whole });
        Ok(())
    }

    /// What has become of each artifact.
    pub(crate) fn summaries(self) -> Vec<ArtifactSummary> {
        self.summaries
    }
}

/// Bytes as pairs of hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
