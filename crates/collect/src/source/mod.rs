//! Where CI keeps what its jobs left: a [`Source`] lists the artifacts of an attempt and fetches them.

use std::collections::BTreeMap;
use std::fmt::Debug;

use async_trait::async_trait;

use crate::run::{RunFacts, RunKey};
use crate::spool::Body;

#[cfg(feature = "cloud")]
pub mod circleci;
mod error;
mod folder;
#[cfg(feature = "cloud")]
pub mod github;
#[cfg(feature = "cloud")]
pub mod http;
mod layout;
mod paths;
mod secret;
mod spec;
#[cfg(feature = "cloud")]
mod store;
pub(crate) mod walk;

pub use error::{SourceError, SourceErrorKind};
pub use folder::Folder;
pub use layout::Layout;
pub use paths::Paths;
pub use secret::Secret;
pub use spec::SourceSpec;
pub(crate) use spec::file_url_path;
#[cfg(feature = "cloud")]
pub use store::Store;

/// A place that holds artifacts of runs.
///
/// Retrying is the source's own business: an error that comes out of these methods is final for this call.
#[async_trait]
pub trait Source: Debug + Send + Sync {
    /// Returns the name that the ledger and messages use; without secrets.
    fn name(&self) -> &str;

    /// Returns the attempts of the run that are known here, ascending; empty where there is no such notion.
    async fn attempts(&self, run: &RunKey) -> Result<Vec<u32>, SourceError>;

    /// Reports whether this is a store of artifacts by key, whose copy counts before a provider's own.
    fn is_store(&self) -> bool {
        false
    }

    /// Reports whether what lies here can be fetched again at no cost.
    fn is_local(&self) -> bool {
        false
    }

    /// Lists every artifact of the attempt that the run's profile may want, in any order.
    async fn list(&self, run: &RunKey) -> Result<Vec<Listing>, SourceError>;

    /// Fetches one artifact. `progress` hears the number of bytes that came since it was last called.
    async fn fetch(
        &self,
        listing: &Listing,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Content, SourceError>;

    /// Returns the names of the attempt's jobs by id; `None` where this place does not know them.
    async fn jobs(&self, run: &RunKey) -> Result<Option<JobNames>, SourceError>;

    /// Returns what else this place says about the attempt.
    async fn facts(&self, run: &RunKey) -> Result<RunFacts, SourceError>;

    /// Returns what takes further calls to find out, given what is known: where the head comes from.
    async fn ancestry(&self, _run: &RunKey, _facts: &RunFacts) -> Result<RunFacts, SourceError> {
        Ok(RunFacts::default())
    }

    /// Returns 16 hex digits that stand for all the bytes here, wherever they lie; `None` where the place holds runs
    /// by id. With it, input without a run's id gets one: `local-<fingerprint>`.
    ///
    /// # Cost
    /// Reads all bytes once.
    async fn fingerprint(&self) -> Result<Option<String>, SourceError> {
        Ok(None)
    }
}

/// Names of jobs by id. Ids are decimal digits without leading zeros (some providers': any text).
pub type JobNames = BTreeMap<String, String>;

/// One artifact as a source lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// The full name, archive suffix and all.
    pub name: String,
    /// Its size in bytes, where the source says.
    pub bytes: Option<u64>,
    /// Whether it can still be had.
    pub state: ListingState,
    /// Where the source finds it: an object's key, an address, a path. Opaque to others.
    pub locator: String,
}

/// Whether an artifact can still be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ListingState {
    /// It can be fetched.
    Available,
    /// The provider has removed it after its retention time.
    Expired,
}

/// An artifact's bytes.
#[derive(Debug, Clone)]
pub enum Content {
    /// An archive, or a single report.
    Bytes(Body),
    /// Loose files that lie together in a folder. Paths are relative to it, with `/`.
    Files(Vec<LooseFile>),
    /// Single files that were fetched one by one, one after the other in one body, so that a job with thousands
    /// of small reports costs neither memory nor a file handle for each.
    Spooled(Body, Vec<SpooledFile>),
}

/// One file of a folder that stands for an artifact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LooseFile {
    /// The path relative to the artifact's folder, with `/`.
    pub path: String,
    /// Where the file lies.
    pub file: std::path::PathBuf,
    /// Its size in bytes when it was listed.
    pub size_bytes: u64,
}

/// One file of an artifact that was fetched file by file. Its bytes are `start..end` of the artifact's [`Body`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpooledFile {
    /// The path as the provider has it, with `/` (`..` and the like still in it).
    pub path: String,
    /// Where its bytes start in the body.
    pub start: u64,
    /// Where they end.
    pub end: u64,
}
