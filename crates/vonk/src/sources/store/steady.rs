//! A store that may be slow, busy or gone: it is waited for so long and asked so often, what was cut
//! off is read on from where it ended, and errors say what to do.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetRange, GetResult, GetResultPayload, ListResult, MultipartUpload,
    ObjectMeta, ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, RenameOptions,
    Result, UploadPart,
};
use url::Url;

use super::settings::Patience;

mod errors;

use errors::Teller;

/// The pause before a request is made again; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(100);

/// Sending takes as long as the line needs, for which this many times the usual patience must do.
const PATIENCE_OF_WRITES: u32 = 10;

/// A store around a client.
#[derive(Clone)]
pub(super) struct Steady {
    client: Arc<dyn ObjectStore>,
    patience: Patience,
    teller: Teller,
    /// Whether errors that may pass are this store's to ask again for; clients over HTTP do it.
    asks_again: bool,
    /// Whether the server can list; servers of plain HTTP cannot.
    lists: bool,
}

impl Steady {
    pub(super) fn new(client: Arc<dyn ObjectStore>, url: &Url, patience: Patience) -> Self {
        let scheme = url.scheme();
        Self {
            client,
            patience,
            teller: Teller::new(url, patience),
            asks_again: matches!(scheme, "hdfs" | "viewfs"),
            lists: !matches!(scheme, "http" | "https"),
        }
    }

    /// Makes a request that changes nothing, again if need be.
    async fn ask<'a, T>(
        &'a self,
        location: &Path,
        request: impl Fn() -> BoxFuture<'a, Result<T>>,
    ) -> Result<T> {
        for attempt in 0.. {
            let is_last = attempt >= self.patience.retries;
            match tokio::time::timeout(self.patience.answer, request()).await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(error)) if is_last || !self.may_pass(&error) => {
                    return Err(self.teller.tell(location, error));
                }
                Err(_) if is_last => break,
                Ok(Err(error)) => log::warn!("`{location}` is asked for again: {error}"),
                Err(_) => log::warn!("`{location}` is asked for again: no answer"),
            }
            pause(attempt).await;
        }
        Err(self.teller.silence(location))
    }

    /// Makes a request that may not be made twice.
    async fn act<T>(&self, location: &Path, request: impl Future<Output = Result<T>>) -> Result<T> {
        match tokio::time::timeout(self.patience.answer * PATIENCE_OF_WRITES, request).await {
            Ok(done) => done.map_err(|error| self.teller.tell(location, error)),
            Err(_) => Err(self.teller.silence(location)),
        }
    }

    fn may_pass(&self, error: &object_store::Error) -> bool {
        self.asks_again && errors::may_pass(error)
    }

    /// The bytes of an answer; when they end too early the rest is asked for.
    fn reading(&self, location: Path, found: ObjectMeta, bytes: Reading) -> Reading {
        let Reading { stream, range } = bytes;
        let left = self.patience.retries;
        let state =
            Rest { store: self.clone(), location, found, stream, range: range.clone(), left };
        let stream = stream::try_unfold(state, |mut rest| async move {
            Ok(rest.next().await?.map(|bytes| (bytes, rest)))
        });
        Reading { stream: stream.boxed(), range }
    }

    /// A range of a file from a server that sends whole files only.
    async fn cut(&self, location: &Path, mut options: GetOptions) -> Result<GetResult> {
        let Some(range) = options.range.take() else {
            return self.client.get_opts(location, options).await;
        };
        let mut whole = self.client.get_opts(location, options).await?;
        let range = range.as_range(whole.meta.size).map_err(|error| generic(Box::new(error)))?;
        let skipping = (whole.take_stream(), range.start, range.end - range.start);
        let stream = stream::try_unfold(skipping, |(mut stream, mut skip, mut take)| async move {
            while take > 0 {
                let Some(mut bytes) = stream.try_next().await? else { break };
                let skipped = skip.min(bytes.len() as u64);
                bytes = bytes.slice(skipped as usize..);
                skip -= skipped;
                bytes.truncate(usize::try_from(take).unwrap_or(usize::MAX));
                take -= bytes.len() as u64;
                if !bytes.is_empty() {
                    return Ok(Some((bytes, (stream, skip, take))));
                }
            }
            Ok(None)
        });
        whole.payload = GetResultPayload::Stream(stream.boxed());
        whole.range = range;
        Ok(whole)
    }

    async fn get(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        match self.client.get_opts(location, options.clone()).await {
            Err(error) if options.range.is_some() && errors::knows_no_ranges(&error) => {
                self.cut(location, options).await
            }
            answer => answer,
        }
    }
}

/// Takes the stream out of an answer, so that the rest of the answer can be kept.
trait TakeStream {
    fn take_stream(&mut self) -> BoxStream<'static, Result<Bytes>>;
}

impl TakeStream for GetResult {
    fn take_stream(&mut self) -> BoxStream<'static, Result<Bytes>> {
        let nothing = GetResultPayload::Stream(stream::empty().boxed());
        match std::mem::replace(&mut self.payload, nothing) {
            GetResultPayload::Stream(stream) => stream,
            #[cfg(not(target_arch = "wasm32"))]
            GetResultPayload::File(..) => stream::empty().boxed(),
        }
    }
}

/// Bytes that come, and which of the file's these are.
struct Reading {
    stream: BoxStream<'static, Result<Bytes>>,
    range: Range<u64>,
}

/// What is still to be read.
struct Rest {
    store: Steady,
    location: Path,
    found: ObjectMeta,
    stream: BoxStream<'static, Result<Bytes>>,
    range: Range<u64>,
    /// How often it may still be asked for again before anything more has come.
    left: usize,
}

impl Rest {
    async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            let patience = self.store.patience.answer;
            let failed = match tokio::time::timeout(patience, self.stream.next()).await {
                Ok(Some(Ok(bytes))) => {
                    self.range.start += bytes.len() as u64;
                    self.left = self.store.patience.retries;
                    return Ok(Some(bytes));
                }
                Ok(None) if self.range.start >= self.range.end => return Ok(None),
                Ok(None) => Some(generic("the answer ended too early".into())),
                Ok(Some(Err(error))) => Some(error),
                Err(_) => None,
            };
            if self.left == 0 {
                return Err(match failed {
                    Some(error) => self.store.teller.tell(&self.location, error),
                    None => self.store.teller.silence(&self.location),
                });
            }
            pause(self.store.patience.retries - self.left).await;
            self.left -= 1;
            self.stream = ask_on(&self.store, &self.location, self.options()).await?;
        }
    }

    /// The rest of the file as it was: another one of the same name is an error.
    fn options(&self) -> GetOptions {
        GetOptions {
            range: Some(GetRange::Bounded(self.range.clone())),
            if_match: self.found.e_tag.clone(),
            if_unmodified_since: match self.found.e_tag {
                None => Some(self.found.last_modified),
                Some(_) => None,
            },
            ..GetOptions::default()
        }
    }
}

async fn ask_on(
    store: &Steady,
    location: &Path,
    options: GetOptions,
) -> Result<BoxStream<'static, Result<Bytes>>> {
    let request = || -> BoxFuture<'_, _> { Box::pin(store.get(location, options.clone())) };
    Ok(store.ask(location, request).await?.take_stream())
}

async fn pause(attempt: usize) {
    tokio::time::sleep(PAUSE * 2_u32.saturating_pow(attempt.min(8) as u32)).await;
}

fn generic(source: Box<dyn std::error::Error + Send + Sync>) -> object_store::Error {
    object_store::Error::Generic { store: "store", source }
}

impl fmt::Debug for Steady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Display for Steady {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Steady({})", self.client)
    }
}

#[async_trait]
impl ObjectStore for Steady {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let request = || -> BoxFuture<'_, _> { Box::pin(self.get(location, options.clone())) };
        let mut answer = self.ask(location, request).await?;
        if !options.head && matches!(answer.payload, GetResultPayload::Stream(_)) {
            let bytes = Reading { stream: answer.take_stream(), range: answer.range.clone() };
            let reading = self.reading(location.clone(), answer.meta.clone(), bytes);
            answer.payload = GetResultPayload::Stream(reading.stream);
        }
        Ok(answer)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let prefix = prefix.cloned().unwrap_or_default();
        if !self.lists {
            let refusal = self.teller.cannot_list(&prefix);
            return stream::once(async { Err(refusal) }).boxed();
        }
        let (store, stream) = (self.clone(), self.client.list(Some(&prefix)));
        let state = (store, prefix, stream, 0, false);
        let found =
            stream::try_unfold(state, |(store, prefix, mut stream, tries, has_some)| async move {
                let mut tries = tries;
                loop {
                    let next = tokio::time::timeout(store.patience.answer, stream.next()).await;
                    let is_last = has_some || tries >= store.patience.retries;
                    match next {
                        Ok(None) => return Ok(None),
                        Ok(Some(Ok(meta))) => {
                            return Ok(Some((meta, (store, prefix, stream, tries, true))));
                        }
                        Ok(Some(Err(error))) if is_last || !store.may_pass(&error) => {
                            return Err(store.teller.tell(&prefix, error));
                        }
                        Err(_) if is_last => return Err(store.teller.silence(&prefix)),
                        Ok(Some(Err(_))) | Err(_) => {}
                    }
                    pause(tries).await;
                    tries += 1;
                    stream = store.client.list(Some(&prefix));
                }
            });
        found.boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let place = prefix.cloned().unwrap_or_default();
        if !self.lists {
            return Err(self.teller.cannot_list(&place));
        }
        self.ask(&place, || self.client.list_with_delimiter(prefix)).await
    }

    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        self.act(location, self.client.put_opts(location, payload, options)).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let upload = self.act(location, self.client.put_multipart_opts(location, options)).await?;
        Ok(Box::new(SteadyUpload { upload, store: self.clone(), location: location.clone() }))
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        let deleted = self.client.delete_stream(locations);
        deleted.map_err(move |error| store.teller.tell(&Path::default(), error)).boxed()
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.act(to, self.client.copy_opts(from, to, options)).await
    }

    async fn rename_opts(&self, from: &Path, to: &Path, options: RenameOptions) -> Result<()> {
        self.act(to, self.client.rename_opts(from, to, options)).await
    }
}

/// An upload with the patience and the words of its store.
struct SteadyUpload {
    upload: Box<dyn MultipartUpload>,
    store: Steady,
    location: Path,
}

impl fmt::Debug for SteadyUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SteadyUpload").field("location", &self.location).finish_non_exhaustive()
    }
}

#[async_trait]
impl MultipartUpload for SteadyUpload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (part, store, location) =
            (self.upload.put_part(data), self.store.clone(), self.location.clone());
        Box::pin(async move { store.act(&location, part).await })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let (store, location) = (self.store.clone(), self.location.clone());
        store.act(&location, self.upload.complete()).await
    }

    async fn abort(&mut self) -> Result<()> {
        let (store, location) = (self.store.clone(), self.location.clone());
        store.act(&location, self.upload.abort()).await
    }
}
