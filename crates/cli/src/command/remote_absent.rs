//! What would be reached over the network, in a build that reaches none.

use std::sync::Arc;

use testlake_collect::bucket::{StoreSettings, StoreUrl};
use testlake_collect::plan::Cancel;
use testlake_collect::source::{Layout, Source};

use super::built_without_cloud;
use super::history::PastRun;
use crate::config::Environment;
use crate::exit::Failure;
use crate::plan::{Collecting, PastRuns};

pub(super) fn open_store(
    url: &StoreUrl,
    _settings: &StoreSettings,
    _layout: Layout,
) -> Result<Arc<dyn Source>, Failure> {
    Err(built_without_cloud(&format!("`{url}`")))
}

pub(super) fn open_github(
    _collecting: &Collecting,
    _environment: &Environment,
) -> Result<Arc<dyn Source>, Failure> {
    Err(built_without_cloud("GitHub"))
}

/// The runs that GitHub knows: nobody is asked for them.
#[derive(Debug)]
pub(super) enum History {}

impl History {
    pub(super) fn open(_: &Collecting, _: &Environment, _: &Cancel) -> Result<Self, Failure> {
        Err(built_without_cloud("GitHub"))
    }

    pub(super) fn list(&self, _: &PastRuns, _: i64) -> Result<Option<Vec<PastRun>>, Failure> {
        match *self {}
    }

    pub(super) fn wait_for_calls(&self) -> Result<(), Failure> {
        match *self {}
    }
}

pub(super) fn open_circleci(
    _collecting: &Collecting,
    _environment: &Environment,
) -> Result<Arc<dyn Source>, Failure> {
    Err(built_without_cloud("CircleCI"))
}

pub(super) fn open_jobs_source(
    collecting: &Collecting,
    _environment: &Environment,
) -> Result<Option<Arc<dyn Source>>, Failure> {
    if !collecting.jobs_of_github {
        return Ok(None);
    }
    let failure = built_without_cloud("GitHub, which knows the jobs' names,");
    Err(failure.hint("give the names with `--jobs-file`"))
}

pub(super) fn check_github_host(_address: &str, _environment: &Environment) -> Result<(), Failure> {
    Err(built_without_cloud("a run's web address"))
}

pub(super) fn check_circleci_host(_address: &str, _environment: &Environment) -> Result<(), Failure> {
    Err(built_without_cloud("a run's web address"))
}
