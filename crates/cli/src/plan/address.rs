//! A run's web address as the plan needs it.

use crate::exit::Failure;

/// What a run's web address says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct RunAddress {
    pub(super) repo: String,
    pub(super) run_id: String,
    pub(super) attempt: Option<u32>,
}

impl RunAddress {
    /// Parses an address. It is not repeated where it is wrong, as it may hold a secret.
    #[cfg(feature = "cloud")]
    pub(super) fn parse(address: &str) -> Result<Self, Failure> {
        match testlake_collect::source::github::parse_run_url(address) {
            Some(run) => Ok(Self { repo: run.repo, run_id: run.run_id, attempt: run.attempt }),
            None => Err(Failure::usage("an address that is no run's")
                .hint("one reads `https://github.com/owner/name/actions/runs/1`")),
        }
    }

    /// Says that this build reaches no network.
    #[cfg(not(feature = "cloud"))]
    pub(super) fn parse(_address: &str) -> Result<Self, Failure> {
        Err(crate::command::built_without_cloud("a run's web address"))
    }
}
