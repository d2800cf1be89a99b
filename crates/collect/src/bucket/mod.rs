//! Object stores as sources and destinations share them: addresses, credentials, what errors mean.
//!
//! Not here: what is read from a store ([`crate::source`]) and what is written to one ([`crate::output`]).

#[cfg(feature = "cloud")]
mod azure;
#[cfg(feature = "cloud")]
mod connect;
#[cfg(feature = "cloud")]
mod failure;
#[cfg(feature = "cloud")]
mod gcs;
#[cfg(feature = "cloud")]
mod probe;
#[cfg(feature = "cloud")]
mod process;
#[cfg(feature = "cloud")]
mod profile;
#[cfg(feature = "cloud")]
mod s3;
mod settings;
#[cfg(feature = "cloud")]
mod shared;
#[cfg(feature = "cloud")]
mod tries;
mod url;

#[cfg(feature = "cloud")]
pub(crate) use connect::{Bucket, Usage};
#[cfg(feature = "cloud")]
pub(crate) use failure::Failure;
pub use settings::StoreSettings;
#[cfg(feature = "cloud")]
pub use shared::SharedStore;
#[cfg(feature = "cloud")]
pub(crate) use tries::{Backoff, Tries};
pub use url::{Provider, StoreUrl, StoreUrlError};
