//! `testlake collect github --since`: run after run, those that the lake does not have.

use std::io::{self, Write as _};
use std::time::SystemTime;

use testlake_collect::ledger::Verdict;
use testlake_collect::plan::{Cancel, CollectError};
use testlake_collect::run::AttemptChoice;
use testlake_report::time::parse_instant;

use super::collect::{self, Attempt};
use super::remote::History;
use super::signal::Signals;
use super::{ending, lake};
use crate::args::Format;
use crate::config::Environment;
use crate::config::value::Since;
use crate::exit::{Exit, Failure, OrExit};
use crate::plan::{Collecting, PastRuns, Talk};
use crate::render::{self, Paint};

/// A run that has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PastRun {
    pub(super) run_id: String,
    /// The number of its last attempt.
    pub(super) attempts: u32,
    /// When it was made, in milliseconds since 1970.
    pub(super) created_unix_ms: i64,
}

/// What came of the runs.
#[derive(Debug, Default)]
struct Sum {
    taken_in: u64,
    partial: u64,
    empty: u64,
    /// Of which nothing is left.
    gone: u64,
}

/// Takes in the runs, and says of each what came.
pub(super) fn carry_out(
    mut collecting: Collecting,
    past: &PastRuns,
    talk: Talk,
    environment: &Environment,
) -> Result<Exit, Failure> {
    crate::log::start(talk);
    let cancel = Cancel::new();
    let signals = Signals::listen(&cancel, talk.quiet).or_exit(Exit::Unavailable)?;
    let by_signal = || ending::failure(CollectError::Cancelled, signals.exit());
    let history = History::open(&collecting, environment, &cancel)?;
    let known = lake::known_runs(&collecting, environment)?;
    let listed = history.list(past, unix_ms(past.since))?.ok_or_else(by_signal)?;
    let count = listed.len();
    let missing = |run: &PastRun| known.get(&run.run_id).is_none_or(|attempt| *attempt < run.attempts);
    let runs: Vec<_> = listed.into_iter().filter(missing).collect();
    let known = count - runs.len();
    tracing::info!(listed = count, known, "taking in runs");
    let wants_all = collecting.run.attempts == AttemptChoice::All;
    let shown = Shown { talk, paint: Paint::for_stdout(environment) };
    let mut sum = Sum::default();
    for run in runs {
        history.wait_for_calls()?;
        if !wants_all {
            collecting.run.attempts = AttemptChoice::Number(run.attempts);
        }
        collecting.run.run_id = Some(run.run_id.clone());
        match collect::take_in(&collecting, talk, environment, &cancel, &signals) {
            Ok(attempts) => {
                sum.add(&attempts);
                shown.run(&run, &attempts, &collecting)?;
            }
            Err(failure) if is_gone(&failure) => {
                sum.gone += 1;
                // Where stderr is gone there is nobody to tell.
                writeln!(io::stderr(), "warning: {:#}", render::for_terminal(&failure.error.to_string()))
                    .ok();
            }
            Err(failure) if matches!(failure.exit, Exit::Signal(_)) => return Err(failure),
            Err(failure) => {
                let text = format!("run {} is not taken in, nor are those after it", run.run_id);
                return Err(failure.context(text).hint("call it again: it goes on with that run"));
            }
        }
    }
    shown.sum(&sum, known)?;
    Ok(sum.exit())
}

/// Reports whether nothing is left of the run, which a later call would not find either.
fn is_gone(failure: &Failure) -> bool {
    matches!(
        failure.error.downcast_ref(),
        Some(
            CollectError::Expired { .. } | CollectError::NothingOfRun { .. } | CollectError::NoAttempt { .. }
        )
    )
}

fn unix_ms(since: Since) -> i64 {
    match since {
        Since::Ago(span) => {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            i64::try_from(now.saturating_sub(span).as_millis()).unwrap_or(i64::MAX)
        }
        Since::Day(year, month, day) => {
            parse_instant(&format!("{year:04}-{month:02}-{day:02}T00:00:00Z")).map_or(0, |time| time.unix_ms)
        }
    }
}

impl Sum {
    fn add(&mut self, attempts: &[Attempt]) {
        self.taken_in += 1;
        for (attempt, _) in attempts {
            match attempt.ledger.verdict {
                Verdict::Complete => {}
                Verdict::Partial => self.partial += 1,
                Verdict::Empty => self.empty += 1,
            }
        }
    }

    /// A run without a test is nothing unusual among many.
    fn exit(&self) -> Exit {
        if self.partial + self.gone > 0 { Exit::Partial } else { Exit::Done }
    }
}

/// How what came is shown.
struct Shown {
    talk: Talk,
    paint: Paint,
}

impl Shown {
    /// As of one run: to be quiet is not to talk, and what was asked for by name is data.
    fn format(&self) -> Option<Format> {
        if self.talk.quiet { self.talk.format } else { Some(self.talk.format.unwrap_or_default()) }
    }

    fn run(&self, run: &PastRun, attempts: &[Attempt], collecting: &Collecting) -> Result<(), Failure> {
        match self.format() {
            Some(Format::Json) => {
                collect::show(attempts, &collect::places(collecting), Format::Json, self.paint)
            }
            Some(Format::Table) => attempts.iter().try_for_each(|(attempt, _)| {
                print(&render::history::run(run.created_unix_ms, &attempt.ledger, self.paint))
            }),
            None => Ok(()),
        }
    }

    fn sum(&self, sum: &Sum, known: usize) -> Result<(), Failure> {
        let Some(Format::Table) = self.format() else { return Ok(()) };
        let Sum { taken_in, partial, empty, gone } = *sum;
        let known = u64::try_from(known).unwrap_or(u64::MAX);
        print(&render::history::sum(
            taken_in,
            &[
                ("read in part", partial),
                ("without a test", empty),
                ("of which nothing is left", gone),
                ("in the lake before", known),
            ],
        ))
    }
}

fn print(text: &str) -> Result<(), Failure> {
    let printed = render::print(text).or_exit(Exit::Unavailable);
    printed.map_err(|failure| failure.context("cannot write to the standard output"))
}
