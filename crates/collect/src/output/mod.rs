//! Where collections go: a folder or an object store, each object whole or absent.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use crate::bucket::{StoreSettings, StoreUrl};
use crate::source::file_url_path;

mod folder;
pub mod gzip;
mod nowhere;
#[cfg(feature = "cloud")]
mod store;

pub use folder::Folder;
pub use nowhere::Nowhere;
#[cfg(feature = "cloud")]
pub use store::Store;

/// A place that keeps objects by key. An object is there whole, or not at all.
#[async_trait]
pub trait Destination: Debug + Send + Sync {
    /// Returns the name that messages use; without secrets.
    fn name(&self) -> &str;

    /// Checks that objects can be written here, before any work begins.
    async fn check(&self) -> Result<(), OutputError>;

    /// Begins an object. Nothing is visible under `key` (parts separated by `/`) before [`ObjectWriter::commit`].
    async fn create(&self, key: &str, kind: ObjectKind) -> Result<Box<dyn ObjectWriter>, OutputError>;

    /// Removes an object; one that is not there is removed already.
    async fn remove(&self, key: &str) -> Result<(), OutputError>;
}

/// An object under way.
#[async_trait]
pub trait ObjectWriter: Debug + Send {
    /// Adds bytes at the end.
    async fn write(&mut self, bytes: Bytes) -> Result<(), OutputError>;

    /// Makes the object visible under its key, whole, in place of what was there.
    async fn commit(self: Box<Self>) -> Result<(), OutputError>;

    /// Drops the object. What was under its key stays.
    async fn abort(self: Box<Self>);
}

/// What an object is, for the headers that a store keeps with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObjectKind {
    /// `Content-Type: application/json`, `Content-Encoding: gzip`.
    GzipJson,
    /// `Content-Type: application/json`.
    Json,
}

/// Why something could not be kept.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// The place cannot be written to, now or later: no permission, no such bucket, a file in the way.
    #[error("cannot write to `{place}`")]
    Refused {
        /// The destination or the object.
        place: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It still failed after retries, or the disk is full.
    #[error("could not write `{place}`")]
    Unavailable {
        /// The destination or the object.
        place: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Another process writes the same object now.
    #[error(
        "`{place}` is being written by another process; wait for it, or choose another place with `--to`"
    )]
    Busy {
        /// The object.
        place: String,
    },
}

impl OutputError {
    /// Puts another place into it.
    #[cfg_attr(not(feature = "cloud"), expect(dead_code, reason = "only stores in the cloud use it"))]
    fn at(self, name: &str) -> Self {
        let place = name.to_owned();
        match self {
            Self::Refused { source, .. } => Self::Refused { place, source },
            Self::Unavailable { source, .. } => Self::Unavailable { place, source },
            Self::Busy { .. } => Self::Busy { place },
        }
    }
}

/// Makes the destination that an address names: a path, `file:///folder`, `s3://bucket/prefix`, `gs://`, `az://`.
///
/// Nothing is connected or made yet: [`Destination::check`] does.
///
/// # Errors
/// [`OutputError::Refused`] for an address that names no destination.
pub fn open(url_or_path: &str, settings: &StoreSettings) -> Result<Arc<dyn Destination>, OutputError> {
    // The address may hold a secret where it is wrong.
    let refused = |place: &str, source: Box<dyn std::error::Error + Send + Sync>| OutputError::Refused {
        place: place.to_owned(),
        source,
    };
    if let Some(url) = StoreUrl::parse(url_or_path) {
        let url = url.map_err(|e| refused("the address given", Box::new(e)))?;
        return open_store(&url, settings);
    }
    match url_or_path.split_once("://") {
        Some((scheme, rest)) if scheme.eq_ignore_ascii_case("file") => match file_url_path(rest) {
            Some(path) => Ok(Arc::new(Folder::new(path))),
            None => Err(refused(url_or_path, "it reads `file:///folder`".into())),
        },
        Some((scheme, _)) if scheme.chars().all(|c| c.is_ascii_alphanumeric()) => {
            let known = "known are a path, file:///, s3://, gs:// and az://";
            Err(refused(&format!("{scheme}://"), known.into()))
        }
        _ if url_or_path.is_empty() => Err(refused("", "it is empty".into())),
        _ => Ok(Arc::new(Folder::new(url_or_path))),
    }
}

#[cfg(feature = "cloud")]
fn open_store(url: &StoreUrl, settings: &StoreSettings) -> Result<Arc<dyn Destination>, OutputError> {
    Ok(Arc::new(Store::new(url.clone(), settings.clone())))
}

#[cfg(not(feature = "cloud"))]
fn open_store(url: &StoreUrl, _settings: &StoreSettings) -> Result<Arc<dyn Destination>, OutputError> {
    let source = "this program was built without object stores (feature `cloud`)".into();
    Err(OutputError::Refused { place: url.to_string(), source })
}
