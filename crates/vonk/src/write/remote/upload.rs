//! Sends a local file to a store in parts, a few at a time.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use futures::stream::{FuturesUnordered, TryStreamExt};
use object_store::path::Path as StorePath;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt, Result};

/// The size of a part: above the 5 MB that S3 asks for, and small enough to be held in memory.
const PART_BYTES: u64 = 8 << 20;

/// S3 takes 10,000 parts of a file; larger files have larger parts.
const PARTS_MAX: u64 = 9_000;

/// How many parts are on their way.
const PARTS_AT_ONCE: usize = 4;

/// Sends all of a file; it is seen when the upload is completed. Gives its size as well.
pub(super) async fn send(
    store: &dyn ObjectStore,
    to: &StorePath,
    from: &Path,
) -> Result<(Box<dyn MultipartUpload>, u64)> {
    let mut file = File::open(from).map_err(|error| generic(error.into()))?;
    let size = file.metadata().map_err(|error| generic(error.into()))?.len();
    let part = PART_BYTES.max(size.div_ceil(PARTS_MAX));
    let mut upload = store.put_multipart(to).await?;
    match send_parts(upload.as_mut(), &mut file, part).await {
        Ok(bytes) => Ok((upload, bytes)),
        Err(error) => {
            if let Err(left) = upload.abort().await {
                log::warn!("an upload of `{to}` stays open: {left}");
            }
            Err(error)
        }
    }
}

async fn send_parts(upload: &mut dyn MultipartUpload, file: &mut File, part: u64) -> Result<u64> {
    let mut under_way = FuturesUnordered::new();
    let mut sent = 0;
    loop {
        let mut bytes = Vec::new();
        // A part comes from the cache of the system: it was written a moment ago.
        let read = file.by_ref().take(part).read_to_end(&mut bytes);
        let read = read.map_err(|error| generic(error.into()))? as u64;
        if read > 0 {
            under_way.push(upload.put_part(bytes.into()));
            sent += read;
        }
        while under_way.len() >= PARTS_AT_ONCE || (read < part && !under_way.is_empty()) {
            under_way.try_next().await?;
        }
        if read < part {
            return Ok(sent);
        }
    }
}

fn generic(source: Box<dyn std::error::Error + Send + Sync>) -> object_store::Error {
    object_store::Error::Generic { store: "upload", source }
}
