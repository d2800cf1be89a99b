//! Where collections go: a folder or an object store, each object whole or absent.

use std::fmt::Debug;

use async_trait::async_trait;
use bytes::Bytes;

mod folder;
pub mod gzip;

pub use folder::Folder;

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
