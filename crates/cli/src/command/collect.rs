//! `testlake collect`.

use std::io::{self, Write as _};
use std::num::NonZeroUsize;
use std::sync::Arc;

use testlake_collect::plan::{Cancel, Collected, Observer};

use super::lake::Filling;
use super::signal::Signals;
use super::{ending, history, open};
use crate::args::{CollectArgs, Format};
use crate::config::{Environment, Layers};
use crate::exit::{Exit, Failure, OrExit};
use crate::plan::{self, Collect, Collecting, Talk};
use crate::progress::{Counters, Progress};
use crate::render::{self, Kept, Paint, Places};

/// Resolves the words and collects.
pub(crate) fn run(args: CollectArgs, layers: &Layers, cores: NonZeroUsize) -> Result<Exit, Failure> {
    let talk = plan::talk(&args.common.talk, layers)?;
    match plan::collect(args, layers, cores)? {
        Collect::Run(collecting) => carry_out(&collecting, talk, layers.environment()),
        Collect::History(collecting, past) => {
            history::carry_out(*collecting, &past, talk, layers.environment())
        }
    }
}

/// An attempt, and what the lake took in of it.
pub(super) type Attempt = (Collected, Option<Kept>);

/// Collects, and says what came.
pub(super) fn carry_out(
    collecting: &Collecting,
    talk: Talk,
    environment: &Environment,
) -> Result<Exit, Failure> {
    crate::log::start(talk);
    let cancel = Cancel::new();
    let signals = Signals::listen(&cancel, talk.quiet).or_exit(Exit::Unavailable)?;
    let collected = take_in(collecting, talk, environment, &cancel, &signals)?;
    // To be quiet is not to talk. What was asked for by name is data.
    let format = if talk.quiet { talk.format } else { Some(talk.format.unwrap_or_default()) };
    if let Some(format) = format {
        show(&collected, &places(collecting), format, Paint::for_stdout(environment))?;
    }
    Ok(ending::exit_of(collected.iter().map(|(attempt, _)| attempt)))
}

/// Takes in one run, as far as a signal lets it, and warns of what makes its collections wrong.
pub(super) fn take_in(
    collecting: &Collecting,
    talk: Talk,
    environment: &Environment,
    cancel: &Cancel,
    signals: &Signals,
) -> Result<Vec<Attempt>, Failure> {
    let sources: Vec<_> = collecting.sources.iter().map(ToString::to_string).collect();
    let run = collecting.run.run_id.as_deref().unwrap_or("local");
    let (to, threads) = (&collecting.to, collecting.limits.threads);
    tracing::info!(run, ?sources, to, threads, profile = ?collecting.profile, "collecting");
    let filling = Filling::new(collecting, environment, cancel)?;
    let plan = open::open(collecting, environment, filling.as_ref().map(Filling::results))?;
    let counters = Arc::new(Counters::default());
    // The log and the line would write over each other.
    let progress = Progress::show(&counters, !talk.quiet && talk.verbose == 0);
    let observer: Arc<dyn Observer> = counters;
    let collected = testlake_collect::pipeline::collect(&plan, &observer, cancel);
    drop(progress);
    let collected = match (collected, filling) {
        (Ok(collected), Some(filling)) => match keep(collected, &filling) {
            Ok(kept) => kept,
            Err(failure) => {
                // Of the lake there is nothing more to tell than this.
                filling.abandon();
                return Err(failure);
            }
        },
        (Ok(collected), None) => collected.into_iter().map(|attempt| (attempt, None)).collect(),
        (Err(error), filling) => {
            let of_lake = filling.and_then(Filling::abandon);
            return Err(of_lake.unwrap_or_else(|| ending::failure(error, signals.exit())));
        }
    };
    warn(&collected);
    Ok(collected)
}

/// Where what is collected goes.
pub(super) fn places(collecting: &Collecting) -> Places<'_> {
    Places {
        to: collecting.collections.then_some(&collecting.to),
        lake: collecting.lake.as_deref(),
        is_dry_run: collecting.dry_run,
    }
}

/// Lets each attempt be seen in the lake. The collections are there by now.
fn keep(collected: Vec<Collected>, filling: &Filling) -> Result<Vec<Attempt>, Failure> {
    let keep = |attempt: Collected| {
        // All of it has expired: what is there of it stays as it is.
        if attempt.written.is_empty() {
            return Ok((attempt, None));
        }
        let kept = filling.commit(&attempt).map_err(|failure| {
            let run = &attempt.ledger.run;
            let text =
                format!("run {} attempt {} is collected, and not in the lake", run.run_id, run.attempt);
            failure.context(text).hint("collect it again, or leave the lake out with `--no-lake`")
        })?;
        Ok((attempt, kept))
    };
    collected.into_iter().map(keep).collect()
}

/// Says what makes whole collections wrong or leaves one out, even to who wants to hear nothing.
fn warn(collected: &[Attempt]) {
    for finding in collected.iter().flat_map(|(attempt, _)| &attempt.ledger.findings) {
        if matches!(finding.code.as_str(), "job-names-missing" | "run-facts-missing") {
            // Where stderr is gone there is nobody to tell.
            writeln!(io::stderr(), "warning: {}", render::for_terminal(&finding.text)).ok();
        }
    }
}

/// Shows each attempt.
pub(super) fn show(
    collected: &[Attempt],
    to: &Places<'_>,
    format: Format,
    paint: Paint,
) -> Result<(), Failure> {
    for (i, (attempt, kept)) in collected.iter().enumerate() {
        let text = match format {
            Format::Json => render::json::render(attempt, *kept, to).or_exit(Exit::Bug)?,
            Format::Table => {
                let gap = if i == 0 { "" } else { "\n" };
                format!("{gap}{}", render::table::render(attempt, *kept, to, paint))
            }
        };
        let printed = render::print(&text).or_exit(Exit::Unavailable);
        printed.map_err(|f| f.context("cannot write to the standard output"))?;
    }
    Ok(())
}
