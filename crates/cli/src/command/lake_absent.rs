//! What a program that was built without lakes says.

use std::collections::BTreeMap;
use std::sync::Arc;

use testlake_collect::plan::{Cancel, Collected};
use testlake_collect::results::Results;

use crate::config::{Environment, Layers};
use crate::exit::{Exit, Failure};
use crate::plan::Collecting;
use crate::render::Kept;

fn built_without() -> Failure {
    Failure::usage("a lake is asked for, which this build knows nothing of")
        .hint("build with the feature `lake`, which is on by default")
}

macro_rules! absent {
    ($($name:ident, $args:ident, $plan:path;)*) => {
        $(pub(crate) mod $name {
            use super::{Exit, Failure, Layers};
            use crate::args::$args;

            /// Checks the words, and says that it cannot be done.
            pub(crate) fn run(args: $args, layers: &Layers) -> Result<Exit, Failure> {
                let (plan, talk) = $plan(args, layers)?;
                crate::log::start(talk);
                tracing::info!(?plan, "not done");
                Err(super::built_without())
            }
        })*
    };
}

absent! {
    runs, RunsArgs, crate::plan::runs;
    sql, SqlArgs, crate::plan::sql;
    tend, LakeArgs, crate::plan::lake;
    upload, UploadArgs, crate::plan::upload;
}

/// Returns the runs that a lake has: it cannot be asked.
pub(super) fn known_runs(_: &Collecting, _: &Environment) -> Result<BTreeMap<String, u32>, Failure> {
    Err(built_without())
}

/// A lake that is being filled: there is none.
#[derive(Debug)]
pub(super) enum Filling {}

impl Filling {
    pub(super) fn new(collecting: &Collecting, _: &Environment, _: &Cancel) -> Result<Option<Self>, Failure> {
        if collecting.lake.is_some() { Err(built_without()) } else { Ok(None) }
    }

    pub(super) fn results(&self) -> Arc<dyn Results> {
        match *self {}
    }

    pub(super) fn commit(&self, _: &Collected) -> Result<Option<Kept>, Failure> {
        match *self {}
    }

    pub(super) fn abandon(self) -> Option<Failure> {
        match self {}
    }
}
