//! The commands: each takes a resolved plan and does it.

pub(crate) mod collect;
pub(crate) mod completions;
pub(crate) mod convert;
mod ending;
mod history;
#[cfg_attr(not(feature = "lake"), path = "lake_absent.rs")]
pub(crate) mod lake;
pub(crate) mod lint;
pub(crate) mod man;
mod open;
#[cfg_attr(not(feature = "cloud"), path = "remote_absent.rs")]
mod remote;
mod reports;
mod signal;
pub(crate) mod upload_test_stats;

/// Says that this build reaches no network.
#[cfg(not(feature = "cloud"))]
pub(crate) fn built_without_cloud(what: &str) -> crate::exit::Failure {
    crate::exit::Failure::usage(format!("{what} is reached over the network, which this build cannot"))
        .hint("build with the feature `cloud`, which is on by default")
}
