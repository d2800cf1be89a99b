//! `testlake collect`.

use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::sync::Arc;

use testlake_collect::plan::{Cancel, Collected, Observer};

use super::signal::Signals;
use super::{ending, open};
use crate::args::{CollectArgs, Format};
use crate::config::{Environment, Layers};
use crate::exit::{Exit, Failure, OrExit};
use crate::plan::{self, Collecting, Talk};
use crate::progress::{Counters, Progress};
use crate::render::{self, Paint};

/// Resolves the words and collects.
pub(crate) fn run(args: CollectArgs, layers: &Layers, cores: NonZeroUsize) -> Result<Exit, Failure> {
    let talk = plan::talk(&args.common.talk, layers)?;
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
    let sources: Vec<_> = collecting.sources.iter().map(ToString::to_string).collect();
    let run = collecting.run.run_id.as_deref().unwrap_or("local");
    let (to, threads) = (&collecting.to, collecting.limits.threads);
    tracing::info!(run, ?sources, to, threads, profile = ?collecting.profile, "collecting");
    let plan = open::open(collecting, environment)?;
    let cancel = Cancel::new();
    let signals = Signals::listen(&cancel, talk.quiet).or_exit(Exit::Unavailable)?;
    let counters = Arc::new(Counters::default());
    // The log and the line would write over each other.
    let progress = Progress::show(&counters, !talk.quiet && talk.verbose == 0);
    let observer: Arc<dyn Observer> = counters;
    let collected = testlake_collect::pipeline::collect(&plan, &observer, &cancel);
    drop(progress);
    let collected = collected.map_err(|error| ending::failure(error, signals.exit()))?;
    warn(&collected);
    // To be quiet is not to talk. What was asked for by name is data.
    let format = if talk.quiet { talk.format } else { Some(talk.format.unwrap_or_default()) };
    if let Some(format) = format {
        let paint = Paint::for_stdout(environment);
        show(&collected, plan.destination.name(), plan.dry_run, format, paint)?;
    }
    Ok(ending::exit_of(&collected))
}

/// Says what makes whole collections wrong or leaves one out, even to who wants to hear nothing.
fn warn(collected: &[Collected]) {
    for finding in collected.iter().flat_map(|attempt| &attempt.ledger.findings) {
        if matches!(finding.code.as_str(), "job-names-missing" | "run-facts-missing") {
            // Where stderr is gone there is nobody to tell.
            writeln!(io::stderr(), "warning: {}", render::for_terminal(&finding.text)).ok();
        }
    }
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
