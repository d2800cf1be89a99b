//! What is done with a lake: filled by `collect` and `upload`, asked by `sql` and `runs`, looked after by `lake`.

use std::time::Duration;

use testlake_collect::bucket::StoreSettings;
use testlake_lake::Lake;
use tokio::runtime::{Builder, Runtime};

use crate::config::Environment;
use crate::exit::{Exit, Failure, OrExit};
use crate::plan::LakePlace;

mod ask;
mod ending;
mod fill;
mod known;
mod prompt;
pub(crate) mod runs;
pub(crate) mod sql;
pub(crate) mod tend;
pub(crate) mod upload;

pub(super) use fill::Filling;
pub(super) use known::known_runs;

/// 30 seconds: what a person waits for a store that does not answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// Makes the threads that the lake works on.
fn runtime() -> Result<Runtime, Failure> {
    let runtime = Builder::new_multi_thread().thread_name("lake").enable_all().build();
    runtime.or_exit(Exit::Unavailable).map_err(|failure| failure.context("cannot start threads"))
}

/// Takes what stores need from the environment.
fn store_settings(retry_for: Option<Duration>, environment: &Environment) -> StoreSettings {
    let mut settings = StoreSettings::new(&|name| environment.get(name).map(str::to_owned));
    settings.deadline = retry_for.unwrap_or(PATIENCE);
    settings
}

/// Opens a lake that is there.
async fn open(place: &LakePlace, environment: &Environment) -> Result<Lake, Failure> {
    let settings = store_settings(place.retry_for, environment);
    Lake::open(&place.lake, &settings).await.map_err(ending::lake_failure)
}
