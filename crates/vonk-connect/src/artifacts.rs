//! What clients leave with the server: blocks of data that a plan then names by their hash, and files for
//! functions of Python.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};
use parking_lot::Mutex;
use sha2::{Digest, Sha256};
use spark_connect_proto::add_artifacts_request::{ArtifactChunk, BeginChunkedArtifact, Payload};
use spark_connect_proto::add_artifacts_response::ArtifactSummary;
use vonk::{Error, Result};

use crate::errors::{self, required};
use crate::session::ConnectSession;

mod files;

pub(crate) use files::{Files, Staged};

/// The beginning of the names of blocks that plans refer to.
const CACHE: &str = "cache/";

/// The data that one session has left.
#[derive(Debug, Default)]
pub(crate) struct Artifacts {
    blocks: Mutex<Blocks>,
    pub(crate) files: Files,
}

#[derive(Debug, Default)]
struct Blocks {
    by_hash: HashMap<String, Bytes>,
    /// The size of all blocks and files.
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

    /// Whether a block or file of this name is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        match name.strip_prefix(CACHE) {
            Some(hash) => self.blocks.lock().by_hash.contains_key(hash),
            None => self.files.has(name),
        }
    }

    /// The same blocks and files, for a clone of the session.
    ///
    /// # Errors
    /// Where a file cannot be copied.
    pub(crate) fn copy(&self) -> Result<Self> {
        let files = self.files.copy()?;
        let blocks = self.blocks.lock();
        let (by_hash, bytes) = (blocks.by_hash.clone(), blocks.bytes);
        Ok(Self { blocks: Mutex::new(Blocks { by_hash, bytes }), files })
    }

    fn keep(&self, name: &str, data: Bytes, bytes_max: usize) -> Result<()> {
        let hash = name.strip_prefix(CACHE);
        let mut blocks = self.blocks.lock();
        if hash.is_some_and(|hash| blocks.by_hash.contains_key(hash)) {
            return Ok(());
        }
        if blocks.bytes + data.len() > bytes_max {
            let message = format!("a session may leave at most {bytes_max} bytes with the server");
            return Err(Error::new(errors::ARTIFACTS_TOO_LARGE, message)
                .hint("write large data to files and read those"));
        }
        let size = data.len();
        let is_new = match hash {
            Some(hash) => blocks.by_hash.insert(hash.to_owned(), data).is_none(),
            None => self.files.keep(name, &data)?,
        };
        blocks.bytes += if is_new { size } else { 0 };
        Ok(())
    }
}

/// One call of `AddArtifacts`, whose messages come one after the other.
#[derive(Default)]
pub(crate) struct Upload {
    begun: Option<Begun>,
    summaries: Vec<ArtifactSummary>,
}

/// An artifact of which pieces are to come.
struct Begun {
    name: String,
    held: BytesMut,
    is_whole: bool,
    /// How many pieces are to come with the next one.
    left: i64,
}

impl Upload {
    /// Takes the next message in.
    pub(crate) fn take(
        &mut self,
        session: &ConnectSession,
        payload: Option<Payload>,
    ) -> Result<()> {
        match required(payload, "artifact")? {
            Payload::Batch(batch) => {
                for artifact in batch.artifacts {
                    let (data, is_whole) = checked(artifact.data)?;
                    self.finish(session, artifact.name, data, is_whole)?;
                }
                Ok(())
            }
            Payload::BeginChunk(begin) => self.begin(session, begin),
            Payload::Chunk(chunk) => self.append(session, Some(chunk)),
        }
    }

    fn begin(&mut self, session: &ConnectSession, begin: BeginChunkedArtifact) -> Result<()> {
        let BeginChunkedArtifact { name, num_chunks: left, initial_chunk, .. } = begin;
        self.begun = Some(Begun { name, held: BytesMut::new(), is_whole: true, left });
        self.append(session, initial_chunk)
    }

    fn append(&mut self, session: &ConnectSession, chunk: Option<ArtifactChunk>) -> Result<()> {
        let mut begun = required(self.begun.take(), "beginning of an artifact")?;
        let (data, is_whole) = checked(chunk)?;
        let bytes_max = session.limits.artifact_bytes_max;
        if begun.held.len() + data.len() > bytes_max {
            let message = format!("artifact `{}` is larger than {bytes_max} bytes", begun.name);
            return Err(Error::new(errors::ARTIFACTS_TOO_LARGE, message));
        }
        begun.held.extend_from_slice(&data);
        begun.is_whole &= is_whole;
        if begun.left > 1 {
            begun.left -= 1;
            self.begun = Some(begun);
            return Ok(());
        }
        self.finish(session, begun.name, begun.held.freeze(), begun.is_whole)
    }

    fn finish(
        &mut self,
        session: &ConnectSession,
        name: String,
        data: Bytes,
        is_whole: bool,
    ) -> Result<()> {
        // A block is named by its SHA-256, which tells more surely than a CRC that it is whole.
        let is_whole = match name.strip_prefix(CACHE) {
            Some(hash) => hex(&Sha256::digest(&data)) == hash,
            None if Files::is_file(&name) => {
                session.python.check_allowed(&session.engine)?;
                is_whole
            }
            None => return Err(errors::unsupported(&format!("artifacts such as `{name}`"))),
        };
        if is_whole {
            session.artifacts.keep(&name, data, session.limits.artifact_bytes_max)?;
        }
        self.summaries.push(ArtifactSummary { name, is_crc_successful: is_whole });
        Ok(())
    }

    /// What has become of each artifact.
    pub(crate) fn summaries(self) -> Vec<ArtifactSummary> {
        self.summaries
    }
}

/// The bytes of a piece, and whether they are those that were sent.
fn checked(chunk: Option<ArtifactChunk>) -> Result<(Bytes, bool)> {
    let ArtifactChunk { data, crc } = required(chunk, "data of an artifact")?;
    let is_whole = i64::from(crc32fast::hash(&data)) == crc;
    Ok((data, is_whole))
}

/// Bytes as pairs of hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
