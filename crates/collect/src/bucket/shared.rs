//! The client of a store, for those who keep other things there than collections.

use std::sync::Arc;

use object_store::ObjectStore;

use crate::source::SourceError;

use super::{Bucket, Failure, StoreSettings, StoreUrl, Usage};

/// A store that is connected at its first use, with the credentials that sources and destinations find. Keys are those
/// of the bucket, whatever prefix the address has.
#[derive(Debug)]
pub struct SharedStore {
    bucket: Bucket,
}

impl SharedStore {
    /// Makes it. Nothing is connected yet.
    pub fn new(url: StoreUrl, settings: StoreSettings) -> Self {
        Self { bucket: Bucket::new(url, settings, Usage::Write) }
    }

    /// Returns its address.
    pub fn url(&self) -> &StoreUrl {
        &self.bucket.url
    }

    /// Returns the client, which tries again by itself what may pass.
    ///
    /// # Errors
    /// Where the settings lead nowhere.
    pub async fn client(&self) -> Result<Arc<dyn ObjectStore>, SourceError> {
        Ok(Arc::clone(&self.bucket.connected().await?.objects))
    }

    /// Says what a failure of the client means, and what to do about it.
    pub fn explain(&self, error: &object_store::Error) -> SourceError {
        self.bucket.explain(Failure::of(error), "the request failed".to_owned())
    }
}
