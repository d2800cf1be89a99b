//! A bucket in an object store: `s3://`, `gs://`, `az://`.

use std::collections::{BTreeSet, HashSet};
use std::io::Write;

use async_trait::async_trait;
use futures::StreamExt;
use object_store::list::PaginatedListOptions;
use object_store::path::Path;
use object_store::{GetOptions, GetRange};

use crate::bucket::{Bucket, Failure, StoreSettings, StoreUrl, Tries, Usage};
use crate::run::{RunFacts, RunKey};
use crate::spool::Spool;

use super::{Content, JobNames, Layout, Listing, ListingState, Source, SourceError, SourceErrorKind};

/// A bucket that CI's jobs put their artifacts into.
#[derive(Debug)]
pub struct Store {
    name: String,
    bucket: Bucket,
    layout: Layout,
}

/// Beyond this a fetched artifact goes to a temporary file: most are a few MiB, and many are under way at once.
const IN_MEMORY: usize = 16 << 20;

/// What is known of an object since its first bytes came.
struct Known {
    etag: Option<String>,
    size: u64,
}

/// Why reading an object came to an end before the object did.
enum Broken {
    Failure(Failure),
    Short,
    Final(SourceError),
}

impl Store {
    /// Makes the source. Nothing is connected yet.
    pub fn new(url: StoreUrl, settings: StoreSettings, layout: Layout) -> Self {
        Self { name: url.to_string(), bucket: Bucket::new(url, settings, Usage::Read), layout }
    }

    /// Lists what begins with `prefix`, all pages; with `delimiter`, the folders below it.
    async fn list_all(
        &self,
        prefix: &str,
        delimiter: bool,
        mut visit: impl FnMut(object_store::ListResult) + Send,
    ) -> Result<(), SourceError> {
        let pages = &self.bucket.connected().await?.pages;
        let mut tries = Tries::new(&self.bucket.settings);
        let mut token: Option<String> = None;
        loop {
            let options = PaginatedListOptions {
                delimiter: delimiter.then_some("/".into()),
                page_token: token.clone(),
                ..Default::default()
            };
            match pages.list_paginated(Some(prefix), options).await {
                Ok(page) => {
                    tries.step_done();
                    visit(page.result);
                    token = page.page_token.filter(|token| !token.is_empty());
                    if token.is_none() {
                        return Ok(());
                    }
                }
                Err(error) => {
                    let failure = Failure::of(&error);
                    tracing::warn!(source = self.name, %failure, "listing failed");
                    if !failure.is_transient() || !tries.again().await {
                        return Err(self.bucket.explain(failure, format!("cannot list `{}`", self.name)));
                    }
                }
            }
        }
    }

    /// Takes out what only marks a folder: an object without bytes whose key ends with `/`, as consoles make them.
    ///
    /// Keys come without that slash. So the folders with an object of no bytes are listed once more, with a delimiter: there
    /// a marker is a folder, and no object.
    async fn take_out_markers(&self, prefix: &str, listings: &mut Vec<Listing>) -> Result<(), SourceError> {
        let is_empty = |listing: &Listing| listing.bytes == Some(0);
        let mut empty: HashSet<String> = listings
            .iter()
            .filter(|listing| is_empty(listing))
            .map(|listing| listing.locator.clone())
            .collect();
        // of two that differ in the slash alone the one with bytes is the object
        for listing in listings.iter().filter(|listing| !is_empty(listing)) {
            empty.remove(&listing.locator);
        }
        let folder = |key: &String| {
            let parent = key.get(..key.rfind('/').map_or(0, |slash| slash + 1)).unwrap_or_default();
            if parent.len() < prefix.len() { prefix.to_owned() } else { parent.to_owned() }
        };
        let mut objects = HashSet::new();
        for folder in empty.iter().map(folder).collect::<BTreeSet<_>>() {
            self.list_all(&folder, true, |page| {
                let keys = page.objects.into_iter().map(|object| object.location.to_string());
                // the folder's own marker comes, too
                objects.extend(keys.filter(|key| key.starts_with(&folder) && empty.contains(key)));
            })
            .await?;
        }
        listings.retain(|listing| {
            // two of one key are the object and a marker
            let is_kept = !is_empty(listing) || objects.remove(&listing.locator);
            if !is_kept {
                tracing::debug!(
                    source = self.name,
                    key = listing.locator,
                    "a folder's marker is passed over"
                );
            }
            is_kept
        });
        Ok(())
    }

    async fn fetch_into(
        &self,
        key: &str,
        spool: &mut Spool,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<(), SourceError> {
        let mut tries = Tries::new(&self.bucket.settings);
        let mut known = None;
        loop {
            let broken = match self.read_on(key, spool, &mut known, &mut tries, progress).await {
                Ok(()) => return Ok(()),
                Err(broken) => broken,
            };
            let what = || format!("cannot fetch `{key}` from `{}`", self.name);
            let (failure, text) = match broken {
                Broken::Final(error) => return Err(error),
                Broken::Failure(failure) if failure.is_replaced => return Err(self.replaced(key)),
                Broken::Failure(failure) => {
                    let text = failure.to_string();
                    (Some(failure), text)
                }
                Broken::Short => (None, "the connection ended early".to_owned()),
            };
            tracing::warn!(source = self.name, key, bytes = spool.len(), reason = text, "fetch broken off");
            let may_pass = failure.as_ref().is_none_or(Failure::is_transient);
            if !may_pass || !tries.again().await {
                return Err(match failure {
                    Some(failure) => self.bucket.explain(failure, what()),
                    None => SourceError::new(SourceErrorKind::Unavailable, what()).because(text),
                });
            }
            // Without a tag nothing says that the rest would be of the same object.
            if known.as_ref().is_some_and(|known: &Known| known.etag.is_none()) {
                spool.clear().map_err(|e| spool_error(key, e))?;
                known = None;
            }
        }
    }

    /// Reads the object from where the spool ends.
    async fn read_on(
        &self,
        key: &str,
        spool: &mut Spool,
        known: &mut Option<Known>,
        tries: &mut Tries,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<(), Broken> {
        let objects = &self.bucket.connected().await.map_err(Broken::Final)?.objects;
        let path = Path::parse(key).map_err(|e| {
            let what = format!("`{key}` is no key that can be fetched");
            Broken::Final(SourceError::new(SourceErrorKind::BadAnswer, what).because(e))
        })?;
        let mut options = GetOptions::default();
        if let Some(known) = known.as_ref().filter(|_| !spool.is_empty()) {
            if spool.len() == known.size {
                return Ok(());
            }
            options.range = Some(GetRange::Bounded(spool.len()..known.size));
            options.if_match.clone_from(&known.etag);
        }
        let result = objects.get_opts(&path, options).await.map_err(|e| Broken::Failure(Failure::of(&e)))?;
        let now = Known { etag: result.meta.e_tag.clone(), size: result.meta.size };
        match known {
            // Not every store looks at the condition.
            Some(known) if !spool.is_empty() && (known.size != now.size || known.etag != now.etag) => {
                return Err(Broken::Final(self.replaced(key)));
            }
            _ => {}
        }
        let size = now.size;
        *known = Some(now);
        let mut chunks = result.into_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|e| Broken::Failure(Failure::of(&e)))?;
            spool.write_all(&chunk).map_err(|e| Broken::Final(spool_error(key, e)))?;
            tries.progress(chunk.len() as u64);
            progress(chunk.len() as u64);
            if spool.len() > size {
                let what = format!("`{key}` has more bytes than the {size} that `{}` told", self.name);
                return Err(Broken::Final(SourceError::new(SourceErrorKind::BadAnswer, what)));
            }
            if tries.is_overdue() && spool.len() < size {
                let what = format!(
                    "`{key}` comes from `{}` slower than 1 MiB in {:?}",
                    self.name, self.bucket.settings.deadline
                );
                return Err(Broken::Final(SourceError::new(SourceErrorKind::Unavailable, what)));
            }
        }
        if spool.len() < size { Err(Broken::Short) } else { Ok(()) }
    }

    fn replaced(&self, key: &str) -> SourceError {
        let what = format!("`{key}` in `{}` was replaced while it was being read", self.name);
        SourceError::new(SourceErrorKind::BadAnswer, what)
    }
}

fn spool_error(key: &str, error: std::io::Error) -> SourceError {
    let what = format!("cannot keep `{key}` in a temporary file");
    SourceError::new(SourceErrorKind::Unavailable, what).because(error)
}

#[async_trait]
impl Source for Store {
    fn name(&self) -> &str {
        &self.name
    }

    fn is_store(&self) -> bool {
        true
    }

    async fn attempts(&self, run: &RunKey) -> Result<Vec<u32>, SourceError> {
        let Some(folders) = self.layout.attempt_folders(run)? else { return Ok(Vec::new()) };
        let mut attempts = Vec::new();
        let prefix = match folders.parent.as_str() {
            "" if self.bucket.url.prefix.is_empty() => String::new(),
            parent => self.bucket.url.key(parent),
        };
        let number = |path: &Path| folders.number(path.filename()?);
        self.list_all(&prefix, true, |page| attempts.extend(page.common_prefixes.iter().filter_map(number)))
            .await?;
        attempts.sort_unstable();
        attempts.dedup();
        Ok(attempts)
    }

    async fn list(&self, run: &RunKey) -> Result<Vec<Listing>, SourceError> {
        let prefix = self.bucket.url.key(&self.layout.prefix(run)?);
        let mut listings = Vec::new();
        let listing = |object: object_store::ObjectMeta| {
            let key = object.location.to_string();
            Some(Listing {
                name: key.strip_prefix(&prefix).filter(|name| !name.is_empty())?.to_owned(),
                bytes: Some(object.size),
                state: ListingState::Available,
                locator: key,
            })
        };
        self.list_all(&prefix, false, |page| listings.extend(page.objects.into_iter().filter_map(listing)))
            .await?;
        self.take_out_markers(&prefix, &mut listings).await?;
        Ok(listings)
    }

    async fn fetch(
        &self,
        listing: &Listing,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Content, SourceError> {
        let mut spool = Spool::new(IN_MEMORY);
        self.fetch_into(&listing.locator, &mut spool, progress).await?;
        let body = spool.finish().map_err(|e| spool_error(&listing.locator, e))?;
        Ok(Content::Bytes(body))
    }

    async fn jobs(&self, _run: &RunKey) -> Result<Option<JobNames>, SourceError> {
        Ok(None)
    }

    async fn facts(&self, _run: &RunKey) -> Result<RunFacts, SourceError> {
        Ok(RunFacts::default())
    }
}
