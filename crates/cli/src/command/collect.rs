//! `testlake collect`.

use std::num::NonZeroUsize;
use std::sync::Arc;

use testlake_collect::plan::{Cancel, Collected};

use super::{ending, open, signal};
use crate::args::{CollectArgs, Format};
use crate::config::{Environment, Layers};
use crate::exit::{Exit, Failure, OrExit};
use crate::plan::{self, Collecting, Talk};
use crate::progress::{Counters, Progress};
use crate::render::{self, Paint};

/// Resolves the words and collects.
pub(crate) fn run(args: CollectArgs, layers: &Layers, cores: NonZeroUsize) -> Result<Exit, Failure> {
    let talk = plan::talk(&args.talk, layers)?;
    let collecting = plan::collect(args, layers, cores)?;
    carry_out(&collecting, talk, layers.environment())
}

/// Collects, and says what came.
pub(super) fn carry_out(
    collecting: &Collecting,
    talk: Talk,
    environment: &Environment,
) -> Result<Exit, Failure> {
    crate::log::start(talk);
    let runtime =
        tokio::runtime::Builder::new_multi_thread().enable_all().build().or_exit(Exit::Unavailable)?;
    let collected = runtime.block_on(collect(collecting, talk, environment));
    // What still waits for a disk or a server is of no use any more.
    runtime.shutdown_background();
    let (collected, to) = collected?;
    if !talk.quiet {
        show(&collected, &to, collecting.dry_run, talk.format, Paint::for_stdout(environment))?;
    }
    Ok(ending::exit_of(&collected, collecting.dry_run))
}

async fn collect(
    collecting: &Collecting,
    talk: Talk,
    environment: &Environment,
) -> Result<(Vec<Collected>, String), Failure> {
    let cancel = Cancel::new();
    let received = signal::listen(cancel.clone(), talk.quiet).or_exit(Exit::Unavailable)?;
    let plan = open::open(collecting, environment)?;
    let counters = Arc::new(Counters::default());
    // The log and the line would write over each other.
    let progress = Progress::show(&counters, !talk.quiet && talk.verbose == 0);
    let collected = super::pending::collect(&plan, &*counters, &cancel).await;
    drop(progress);
    let collected = collected.map_err(|error| ending::failure(error, received.exit()))?;
    Ok((collected, plan.destination.name().to_owned()))
}

fn show(
    collected: &[Collected],
    to: &str,
    is_dry_run: bool,
    format: Format,
    paint: Paint,
) -> Result<(), Failure> {
    for (i, attempt) in collected.iter().enumerate() {
        let text = match format {
            Format::Json => render::json::render(attempt, to, is_dry_run).or_exit(Exit::Bug)?,
            Format::Table => {
                let gap = if i == 0 { "" } else { "\n" };
                format!("{gap}{}", render::table::render(attempt, to, is_dry_run, paint))
            }
        };
        let printed = render::print(&text).or_exit(Exit::Unavailable);
        printed.map_err(|f| f.context("cannot write to the standard output"))?;
    }
    Ok(())
}
