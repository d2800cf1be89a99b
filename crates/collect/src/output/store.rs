//! Collections in an object store.
//!
//! A small object goes up in one request. A larger one goes up in parts, which no one sees before they are put
//! together at the end; given up, they are removed.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use object_store::path::Path;
use object_store::retry::{RetryContext, RetryFailure, RetryPolicy};
use object_store::{
    Attribute, Attributes, MultipartUpload, ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions,
    PutPayload, WriteMultipart,
};

use tokio::runtime::Handle;

use crate::bucket::{Backoff, Bucket, Failure, Provider, StoreSettings, StoreUrl, Usage};
use crate::source::{SourceError, SourceErrorKind};

use super::{Destination, ObjectKind, ObjectWriter, OutputError};

/// A place in an object store that objects are kept in.
#[derive(Debug)]
pub struct Store {
    name: String,
    bucket: Arc<Bucket>,
}

/// S3 takes 10,000 parts of at least 5 MiB: with this, objects up to 78 GiB.
const PART: usize = 8 << 20;
/// Parts under way at once: one goes out while the next fills.
const PARTS_AT_ONCE: usize = 2;
/// How long giving up an upload waits for the parts under way.
const GIVING_UP: Duration = Duration::from_secs(10);
/// The object of which [`Store::check`] begins an upload and gives it up. A role that may write anything here may
/// write ledgers.
const PROBE: &str = "ledger/.check";

impl Store {
    /// Makes the destination. Nothing is connected yet.
    pub fn new(url: StoreUrl, settings: StoreSettings) -> Self {
        Self { name: url.to_string(), bucket: Arc::new(Bucket::new(url, settings, Usage::Write)) }
    }

    fn target(&self, key: &str) -> Result<Target, OutputError> {
        let path = Path::parse(self.bucket.url.key(key)).map_err(|e| OutputError::Refused {
            place: format!("{}/{key}", self.name),
            source: Box::new(e),
        })?;
        Ok(Target { place: format!("{}/{key}", self.name), path, bucket: self.bucket.clone() })
    }
}

/// One object's place.
#[derive(Debug, Clone)]
struct Target {
    place: String,
    path: Path,
    bucket: Arc<Bucket>,
}

impl Target {
    async fn objects(&self) -> Result<&Arc<dyn ObjectStore>, OutputError> {
        match self.bucket.connected().await {
            Ok(connected) => Ok(&connected.objects),
            Err(error) => Err(output_error(&self.place, error)),
        }
    }

    fn error(&self, error: &object_store::Error) -> OutputError {
        output_error(&self.place, self.bucket.explain(Failure::of(error), "the request failed".to_owned()))
    }

    /// Begins an upload in parts. A request whose answer was lost may leave an empty upload that nobody sees.
    async fn begin(&self, kind: ObjectKind) -> Result<Box<dyn MultipartUpload>, OutputError> {
        let settings = &self.bucket.settings;
        let policy = PartRetries {
            backoff: Backoff::new(settings),
            retries: settings.retries,
            deadline: settings.deadline,
        };
        let objects = self.objects().await?;
        let mut tries = Twice::new(settings);
        loop {
            let options = PutMultipartOptions { attributes: attributes(kind), ..Default::default() };
            let options = options.with_retry_policy(Arc::new(policy));
            match objects.put_multipart_opts(&self.path, options).await {
                Err(error) if tries.once_more(&error) => {}
                done => return done.map_err(|e| self.error(&e)),
            }
        }
    }

    async fn put(&self, payload: PutPayload, kind: ObjectKind) -> Result<(), OutputError> {
        let objects = self.objects().await?;
        let mut tries = Twice::new(&self.bucket.settings);
        loop {
            let options = PutOptions { attributes: attributes(kind), ..Default::default() };
            match objects.put_opts(&self.path, payload.clone(), options).await {
                Err(error) if tries.once_more(&error) => {}
                done => return done.map(drop).map_err(|e| self.error(&e)),
            }
        }
    }

    /// Returns what is under the key now: its tag and size.
    async fn present(&self) -> Result<Option<(Option<String>, u64)>, OutputError> {
        match self.objects().await?.head(&self.path).await {
            Ok(meta) => Ok(Some((meta.e_tag, meta.size))),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(self.error(&error)),
        }
    }
}

/// Makes a request once more where the client does not by itself, as when a connection is cut in the middle of an
/// answer.
struct Twice {
    started: Instant,
    deadline: Duration,
    is_first: bool,
}

impl Twice {
    fn new(settings: &StoreSettings) -> Self {
        Self { started: Instant::now(), deadline: settings.deadline, is_first: true }
    }

    fn once_more(&mut self, error: &object_store::Error) -> bool {
        let is_first = std::mem::replace(&mut self.is_first, false);
        is_first && self.started.elapsed() < self.deadline && Failure::of(error).is_transient()
    }
}

/// Tries parts again that failed in ways the client does not retry by itself.
#[derive(Debug, Clone, Copy)]
struct PartRetries {
    backoff: Backoff,
    retries: usize,
    deadline: Duration,
}

#[async_trait]
impl RetryPolicy for PartRetries {
    async fn retry(&self, context: RetryContext) -> bool {
        let may_pass = match context.failure {
            RetryFailure::Transport(_) => true,
            RetryFailure::Status(status) => status.is_server_error() || status.is_success(),
            _ => false,
        };
        if !may_pass || context.attempt > self.retries || context.elapsed > self.deadline {
            return false;
        }
        tokio::time::sleep(self.backoff.wait(context.attempt)).await;
        true
    }
}

fn attributes(kind: ObjectKind) -> Attributes {
    let mut attributes = Attributes::new();
    attributes.insert(Attribute::ContentType, "application/json".into());
    if kind == ObjectKind::GzipJson {
        attributes.insert(Attribute::ContentEncoding, "gzip".into());
    }
    attributes
}

fn output_error(place: &str, error: SourceError) -> OutputError {
    let place = place.to_owned();
    if error.kind() == SourceErrorKind::Unavailable {
        OutputError::Unavailable { place, source: Box::new(error) }
    } else {
        OutputError::Refused { place, source: Box::new(error) }
    }
}

#[async_trait]
impl Destination for Store {
    fn name(&self) -> &str {
        &self.name
    }

    async fn check(&self) -> Result<(), OutputError> {
        let target = self.target(PROBE)?;
        let at_name = |error: OutputError| error.at(&self.name);
        let mut upload = target.begin(ObjectKind::Json).await.map_err(at_name)?;
        // Azure hears of an upload with its first part. A part alone is no object; Azure forgets it in a week.
        let heard = match self.bucket.url.provider {
            Provider::Azure => upload.put_part(PutPayload::from_static(b"probe")).await,
            Provider::S3 | Provider::Gcs => Ok(()),
        };
        if let Err(error) = upload.abort().await {
            tracing::debug!(destination = self.name, %error, "upload not given up");
        }
        heard.map_err(|e| target.error(&e).at(&self.name))
    }

    async fn create(&self, key: &str, kind: ObjectKind) -> Result<Box<dyn ObjectWriter>, OutputError> {
        let target = self.target(key)?;
        let runtime = Handle::current();
        Ok(Box::new(Writer { target, kind, size: 0, state: State::Small(Vec::new()), runtime }))
    }

    async fn remove(&self, key: &str) -> Result<(), OutputError> {
        let target = self.target(key)?;
        match target.objects().await?.delete(&target.path).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(target.error(&error)),
        }
    }
}

#[derive(Debug)]
struct Writer {
    target: Target,
    kind: ObjectKind,
    size: u64,
    state: State,
    /// Where an upload is given up when the writer is dropped, by whatever thread.
    runtime: Handle,
}

enum State {
    /// All that came, while it fits a part.
    Small(Vec<Bytes>),
    /// An upload in parts, and the tag of what was under the key before.
    Parts(WriteMultipart, Option<String>),
    /// A write failed, or the object is done.
    Over,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Small(_) => "Small",
            Self::Parts(..) => "Parts",
            Self::Over => "Over",
        })
    }
}

impl Writer {
    fn take(&mut self) -> State {
        std::mem::replace(&mut self.state, State::Over)
    }

    fn over(&self) -> OutputError {
        let source = "a write before this one failed".into();
        OutputError::Unavailable { place: self.target.place.clone(), source }
    }

    /// Begins the parts with what is there.
    async fn grow(&mut self, pieces: Vec<Bytes>) -> Result<(), OutputError> {
        let before = self.target.present().await?.and_then(|(etag, _)| etag);
        let upload = self.target.begin(self.kind).await?;
        let mut parts = WriteMultipart::new_with_chunk_size(upload, PART);
        for piece in pieces {
            parts.put(piece);
        }
        self.state = State::Parts(parts, before);
        Ok(())
    }
}

#[async_trait]
impl ObjectWriter for Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<(), OutputError> {
        self.size += bytes.len() as u64;
        match self.take() {
            State::Small(mut pieces) => {
                pieces.push(bytes);
                if self.size > PART as u64 {
                    self.grow(pieces).await
                } else {
                    self.state = State::Small(pieces);
                    Ok(())
                }
            }
            State::Parts(mut parts, before) => {
                if let Err(error) = parts.wait_for_capacity(PARTS_AT_ONCE).await {
                    give_up(parts).await;
                    return Err(self.target.error(&error));
                }
                parts.put(bytes);
                self.state = State::Parts(parts, before);
                Ok(())
            }
            State::Over => Err(self.over()),
        }
    }

    async fn commit(mut self: Box<Self>) -> Result<(), OutputError> {
        let (parts, before) = match self.take() {
            State::Small(pieces) => return self.target.put(pieces.into_iter().collect(), self.kind).await,
            State::Parts(parts, before) => (parts, before),
            State::Over => return Err(self.over()),
        };
        let Err(error) = parts.finish().await else { return Ok(()) };
        // The answer may be what was lost, not the object.
        match self.target.present().await {
            Ok(Some((etag, size))) if size == self.size && etag.is_some() && etag != before => {
                tracing::warn!(place = self.target.place, %error, "put together, though the answer was lost");
                Ok(())
            }
            _ => Err(self.target.error(&error)),
        }
    }

    async fn abort(mut self: Box<Self>) {
        if let State::Parts(parts, _) = self.take() {
            give_up(parts).await;
        }
    }
}

async fn give_up(mut parts: WriteMultipart) {
    // A part that comes in after the upload was given up would stay: those under way are waited for, not for ever.
    match tokio::time::timeout(GIVING_UP, parts.wait_for_capacity(1)).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a part of an upload that is given up failed"),
        Err(_) => tracing::debug!("parts of an upload that is given up are still under way"),
    }
    if let Err(error) = parts.abort().await {
        tracing::warn!(%error, "parts of an upload that was given up may stay; the bucket's lifecycle removes them");
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let State::Parts(parts, _) = self.take() {
            drop(self.runtime.spawn(give_up(parts)));
        }
    }
}
