//! Tests of the collector with real parts.
//!
//! Each module is marked as a test's, so that the lints for tests hold for its helpers too.

#[cfg(test)]
mod archive;
#[cfg(test)]
#[cfg(feature = "cloud")]
mod azure;
#[cfg(test)]
#[cfg(feature = "cloud")]
mod circleci;
#[cfg(test)]
#[cfg(feature = "cloud")]
mod clock;
#[cfg(test)]
#[cfg(feature = "cloud")]
mod download;
#[cfg(test)]
mod folder;
#[cfg(test)]
#[cfg(feature = "cloud")]
mod gcs;
#[cfg(test)]
#[cfg(feature = "cloud")]
mod github;
#[cfg(test)]
mod output;
#[cfg(test)]
mod pipeline;
#[cfg(test)]
#[cfg(feature = "cloud")]
mod store;
