//! `testlake upload`: what one CI job left, into the lake, in one small write.
//!
//! - `identity`: which run and which job.
//! - `read`: the reports, once, to whoever hears them.
//! - `told`: what the job's tests did.
//! - `spool`: what could not be sent, for the next call.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use testlake_collect::redact::{Masked, Redactor};
use testlake_lake::Lake;
use testlake_lake::LakeError;
use testlake_lake::ingest::{Ingest, Origin, TakenIn};
use tokio::runtime::Runtime;

use super::fill::kept;
use super::{ending, runtime, store_settings};
use crate::args::UploadArgs;
use crate::command::{open, reports};
use crate::config::{Environment, Layers};
use crate::exit::{Exit, Failure, OrExit};
use crate::plan::{self, Talk, Uploading};
use crate::render::number::counted;
use crate::render::{self, Kept, Paint, for_terminal};

mod identity;
mod read;
mod spool;
mod told;

use identity::Identity;
use read::{Found, Read};
use spool::{Draft, Spool};
pub(crate) use told::{BrokenReport, FailedTest, SlowTest, TestName, Told};

/// How long a request may take at least: a write of 8 MiB at about 7 Mbit a second.
const LEAST_ANSWER_TIME: Duration = Duration::from_secs(10);

/// What came of an upload.
#[derive(Debug)]
pub(crate) struct Uploaded<'upload> {
    /// `owner/name`, run, attempt.
    pub(crate) run: &'upload testlake_collect::run::RunKey,
    /// What the reports are of.
    pub(crate) artifact: &'upload str,
    /// The address of the lake.
    pub(crate) lake: &'upload str,
    /// What the job's tests did.
    pub(crate) told: &'upload Told,
    /// What was taken in; nothing where the lake could not be reached.
    pub(crate) taken_in: Option<Kept>,
    /// The file that has it where the lake could not be reached.
    pub(crate) spooled: Option<String>,
    /// Earlier uploads that were sent from the spool.
    pub(crate) sent: u64,
}

/// Resolves the words and uploads.
pub(crate) fn run(args: UploadArgs, layers: &Layers) -> Result<Exit, Failure> {
    let (uploading, talk) = plan::upload(args, layers)?;
    crate::log::start(talk);
    let identity = identity::resolve(&uploading, layers.environment())?;
    reports::or_closed(carry_out(&uploading, &identity, talk, layers.environment()))
}

fn carry_out(
    uploading: &Uploading,
    identity: &Identity,
    talk: Talk,
    environment: &Environment,
) -> Result<Exit, Failure> {
    let found = read::find(&uploading.paths)?;
    let spool = Spool::new(uploading.spool.as_deref(), &uploading.place.lake, environment)?;
    let work = Work {
        uploading,
        identity,
        found: &found,
        spool: &spool,
        redactor: open::redactor(uploading.redact.clone())?,
        environment,
        runtime: runtime()?,
        is_quiet: talk.quiet,
    };
    // No signal is listened for: it ends the process as it stands. Nothing is seen before the commit, and that is there or not.
    let Done { told, taken_in, down, spooled, lost, sent } = work.carry_out()?;
    let uploaded = Uploaded {
        run: &identity.attempt.run,
        artifact: &identity.artifact,
        lake: &uploading.place.lake,
        told: &told,
        taken_in: taken_in.as_ref().map(kept),
        spooled: spooled.as_ref().map(|path| path.display().to_string()),
        sent,
    };
    // To be quiet is not to talk. What was asked for by name is data.
    let format = if talk.quiet { uploading.format } else { Some(uploading.format.unwrap_or_default()) };
    if let Some(format) = format {
        let text = render::upload::render(&uploaded, format, Paint::for_stdout(environment));
        let printed = render::print(&text.or_exit(Exit::Bug)?).or_exit(Exit::Unavailable);
        printed.map_err(|failure| failure.context("cannot write to the standard output"))?;
    }
    match down {
        None => Ok(exit_of(&told)),
        Some(down) => {
            let failure = lost.unwrap_or_else(|| down_failure(down, spooled.is_some()));
            if !uploading.fail_open {
                return Err(failure);
            }
            let text = failure.to_string();
            let text = text.strip_prefix("error: ").unwrap_or(&text);
            // Where stderr is gone there is nobody to tell.
            writeln!(io::stderr(), "warning: {text}").ok();
            Ok(exit_of(&told))
        }
    }
}

/// Chooses the code of what was read.
fn exit_of(told: &Told) -> Exit {
    if told.cases == 0 {
        Exit::Empty
    } else if told.is_partial() {
        Exit::Partial
    } else {
        Exit::Done
    }
}

/// Says that the lake could not be reached.
fn down_failure(error: LakeError, is_spooled: bool) -> Failure {
    let mut failure = ending::lake_failure(error);
    failure.hints.clear();
    if !is_spooled {
        return failure;
    }
    let failure = failure.context("the results are not in the lake yet");
    failure.hint("they are spooled, and the next call sends them first")
}

struct Work<'upload> {
    uploading: &'upload Uploading,
    identity: &'upload Identity,
    found: &'upload Found,
    spool: &'upload Spool,
    redactor: Option<Arc<Redactor>>,
    environment: &'upload Environment,
    runtime: Runtime,
    is_quiet: bool,
}

struct Done {
    told: Told,
    taken_in: Option<TakenIn>,
    down: Option<LakeError>,
    spooled: Option<std::path::PathBuf>,
    /// Why it could not be spooled.
    lost: Option<Failure>,
    sent: u64,
}

fn keep_draft(draft: Result<Draft, Failure>, told: Told, error: LakeError) -> Done {
    let kept = if told.reports > 0 { draft.and_then(Draft::keep).map(Some) } else { Ok(None) };
    let (spooled, lost) = kept.map_or_else(|lost| (None, Some(lost)), |spooled| (spooled, None));
    Done { told, taken_in: None, down: Some(error), spooled, lost, sent: 0 }
}

impl Work<'_> {
    fn carry_out(&self) -> Result<Done, Failure> {
        let (lake, sent) = match self.open_and_send() {
            Ok((lake, sent)) => (lake, sent),
            Err(error) if error.is_transient() => return self.keep(None, error),
            Err(error) => return Err(ending::lake_failure(error)),
        };
        let ingest = {
            let _guard = self.runtime.enter();
            lake.ingest(self.identity.attempt.clone())
        };
        // What cannot be read twice is kept from the first time on, if it can: the lake may well take it.
        let mut draft = if self.found.is_repeatable { None } else { Some(self.draft()) };
        let told = self.read(Some(&ingest), draft.as_mut().and_then(|draft| draft.as_mut().ok()))?;
        if told.reports == 0 {
            return Ok(Done { told, taken_in: None, down: None, spooled: None, lost: None, sent });
        }
        let committed = self.runtime.block_on(ingest.commit(&Origin::Uploaded, &[]));
        match committed {
            Ok(taken_in) => {
                Ok(Done { told, taken_in: Some(taken_in), down: None, spooled: None, lost: None, sent })
            }
            Err(error) if error.is_transient() => {
                self.runtime.block_on(ingest.abandon());
                let kept = match draft {
                    Some(draft) => keep_draft(draft, told, error),
                    None => self.keep(Some(told), error)?,
                };
                Ok(Done { sent, ..kept })
            }
            Err(error) => Err(ending::lake_failure(error)),
        }
    }

    /// Opens the lake, and sends what could not be sent before.
    fn open_and_send(&self) -> Result<(Lake, u64), LakeError> {
        let mut settings = store_settings(self.uploading.place.retry_for, self.environment);
        // A store that takes what is sent and never answers is as one that is down.
        settings.part_timeout = settings.part_timeout.min(settings.deadline.max(LEAST_ANSWER_TIME));
        let (address, patience) = (&self.uploading.place.lake, settings.deadline);
        let lake = self.runtime.block_on(Lake::open_or_create(address, &settings))?.with_patience(patience);
        let sent = self.spool.send(&lake, &self.runtime)?;
        if sent.uploads > 0 && !self.is_quiet {
            let (uploads, cases) = (counted(sent.uploads, "upload"), counted(sent.cases, "case"));
            // Where stderr is gone there is nobody to tell.
            writeln!(io::stderr(), "sent from the spool: {uploads}, {cases}").ok();
        }
        for (path, why) in &sent.unsent {
            let line = format!("warning: the spooled file `{}` is left where it is: {why}", path.display());
            writeln!(io::stderr(), "{}", for_terminal(&line)).ok();
        }
        Ok((lake, sent.uploads))
    }

    fn draft(&self) -> Result<Draft, Failure> {
        self.spool.begin(self.identity, &self.uploading.place.lake)
    }

    /// Reads all reports into the spool. `told` is what came of them at the first time.
    fn keep(&self, told: Option<Told>, error: LakeError) -> Result<Done, Failure> {
        let mut draft = self.draft();
        let read = self.read(None, draft.as_mut().ok())?;
        Ok(keep_draft(draft, told.unwrap_or(read), error))
    }

    fn read(&self, ingest: Option<&Arc<Ingest>>, draft: Option<&mut Draft>) -> Result<Told, Failure> {
        let read = Read {
            identity: self.identity,
            limits: self.uploading.limits,
            redactor: self.redactor.as_deref(),
            ingest,
            draft,
            told: Told::default(),
            masked: Masked::default(),
        };
        read.all(self.found)
    }
}
