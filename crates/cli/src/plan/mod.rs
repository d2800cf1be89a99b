//! From words to a resolved plan: parsed, defaulted and checked, nothing opened. Pure.

use std::collections::BTreeMap;
use std::num::{NonZeroU64, NonZeroUsize};
use std::time::Duration;

use globset::Glob;
use regex::Regex;
use testlake_collect::limits::{ArchiveLimits, ReportLimits};
use testlake_collect::plan::{Full, Profile, RunRequest};
use testlake_collect::redact::OwnPattern;
use testlake_collect::run::RunFacts;
use testlake_collect::source::{Layout, SourceSpec};

use crate::args::{CommonArgs, Format, LimitArgs, ReportLimitArgs, TalkArgs, VoiceArgs, switch};
use crate::config::{Layers, table};
use crate::exit::Failure;

mod address;
mod asked;
mod collect;
mod destination;
mod history;
#[cfg_attr(
    not(feature = "lake"),
    expect(dead_code, reason = "without a lake plans are checked and not carried out")
)]
mod lake;
mod reading;
#[cfg(test)]
mod tests;
#[cfg_attr(
    not(feature = "lake"),
    expect(dead_code, reason = "without a lake plans are checked and not carried out")
)]
mod upload;
mod upload_test_stats;

pub(crate) use collect::{Collect, collect};
pub(crate) use history::PastRuns;
#[cfg(feature = "lake")]
pub(crate) use lake::{Asking, LakePlace, ListingRuns, QueryLimits, Question, Tending};
pub(crate) use lake::{lake, runs, sql};
pub(crate) use reading::{Converting, Reading, convert, lint};
pub(crate) use upload::upload;
#[cfg(feature = "lake")]
pub(crate) use upload::{AskedJob, Uploading};
pub(crate) use upload_test_stats::upload_test_stats;

/// The repository of the `pytorch` profile.
const PYTORCH: &str = "pytorch/pytorch";

/// What a collection runs on, before anything is opened.
#[derive(Debug)]
pub(crate) struct Collecting {
    pub(crate) run: RunRequest,
    pub(crate) sources: Vec<SourceSpec>,
    /// The working folder's reports as in a CircleCI job, before all other sources.
    pub(crate) circleci_folder: bool,
    #[cfg_attr(not(feature = "cloud"), expect(dead_code, reason = "only CircleCI's API needs it"))]
    pub(crate) project_slug: Option<String>,
    pub(crate) layout: Layout,
    /// Whether GitHub is asked for the names of jobs though no source is GitHub.
    pub(crate) jobs_of_github: bool,
    pub(crate) jobs_file: Option<String>,
    pub(crate) to: String,
    pub(crate) profile: Profile,
    pub(crate) full: Full,
    pub(crate) full_branch: String,
    pub(crate) full_repository: Option<String>,
    /// What the user or the CI job says of the run.
    pub(crate) facts: RunFacts,
    /// The patterns of secrets of the user's own; absent: nothing is masked.
    pub(crate) redact: Option<Vec<OwnPattern>>,
    pub(crate) artifact: Option<Glob>,
    pub(crate) limits: Limits,
    pub(crate) require_complete: bool,
    pub(crate) expect_jobs: Option<Regex>,
    pub(crate) dry_run: bool,
    /// The lake that is filled.
    pub(crate) lake: Option<String>,
    /// What is kept with each result there.
    #[cfg_attr(not(feature = "lake"), expect(dead_code, reason = "only a lake keeps them"))]
    pub(crate) tags: Vec<(String, String)>,
    /// Whether collections and ledger are written.
    pub(crate) collections: bool,
}

/// What the work may take.
#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) threads: NonZeroUsize,
    pub(crate) max_concurrency: NonZeroUsize,
    /// How long calls over the network are repeated; absent: as long as each kind of place suggests.
    pub(crate) retry_for: Option<Duration>,
    pub(crate) archive: ArchiveLimits,
    pub(crate) report: ReportLimits,
}

/// How the command talks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Talk {
    /// What was asked for; absent: a table, as far as there is talk at all.
    pub(crate) format: Option<Format>,
    pub(crate) quiet: bool,
    pub(crate) verbose: u8,
}

/// Resolves how a command that collects talks.
pub(crate) fn talk(args: &TalkArgs, layers: &Layers) -> Result<Talk, Failure> {
    voice(&args.voice, args.format, layers)
}

/// Resolves how a command talks.
fn voice(args: &VoiceArgs, format: Option<Format>, layers: &Layers) -> Result<Talk, Failure> {
    Ok(Talk { format: layers.pick(format, &table::FORMAT)?, ..talk_without_format(args, layers)? })
}

/// Resolves how a command talks whose data have one form.
fn talk_without_format(args: &VoiceArgs, layers: &Layers) -> Result<Talk, Failure> {
    Ok(Talk {
        format: None,
        quiet: pick_switch(layers, switch(args.quiet, args.no_quiet), &table::QUIET)?,
        verbose: layers.pick((args.verbose > 0).then_some(args.verbose), &table::VERBOSE)?.unwrap_or(0),
    })
}

/// What every command that collects is told in the same words.
struct Common {
    jobs_file: Option<String>,
    limits: Limits,
    require_complete: bool,
    expect_jobs: Option<Regex>,
    dry_run: bool,
}

impl Common {
    fn resolve(args: CommonArgs, layers: &Layers, cores: NonZeroUsize) -> Result<Self, Failure> {
        let CommonArgs { jobs, verdict, limits, talk } = args;
        let require_complete = switch(verdict.require_complete, verdict.no_require_complete);
        let dry_run = switch(talk.dry_run, talk.no_dry_run);
        Ok(Self {
            jobs_file: layers.pick(jobs.jobs_file, &table::JOBS_FILE)?,
            limits: resolve_limits(&limits, layers, cores)?,
            require_complete: pick_switch(layers, require_complete, &table::REQUIRE_COMPLETE)?,
            expect_jobs: layers.pick(verdict.expect_jobs, &table::EXPECT_JOBS)?,
            dry_run: pick_switch(layers, dry_run, &table::DRY_RUN)?,
        })
    }
}

fn resolve_limits(args: &LimitArgs, layers: &Layers, cores: NonZeroUsize) -> Result<Limits, Failure> {
    let archive = ArchiveLimits::default();
    let number = |flag: Option<NonZeroU64>, setting, default: u64| {
        layers.pick(flag, setting).map(|picked| picked.map_or(default, NonZeroU64::get))
    };
    Ok(Limits {
        threads: layers.pick(args.threads, &table::THREADS)?.unwrap_or(cores.min(MOST_THREADS)),
        max_concurrency: layers
            .pick(args.max_concurrency, &table::MAX_CONCURRENCY)?
            .unwrap_or(MAX_CONCURRENCY),
        retry_for: layers.pick(args.retry_for, &table::RETRY_FOR)?,
        archive: ArchiveLimits {
            entries: number(args.max_entries, &table::MAX_ENTRIES, archive.entries)?,
            entry_bytes: number(args.max_entry_size, &table::MAX_ENTRY_SIZE, archive.entry_bytes)?,
            run_bytes: number(args.max_run_size, &table::MAX_RUN_SIZE, archive.run_bytes)?,
            ratio: number(args.max_ratio, &table::MAX_RATIO, archive.ratio)?,
        },
        report: report_limits(&args.report, layers)?,
    })
}

fn report_limits(args: &ReportLimitArgs, layers: &Layers) -> Result<ReportLimits, Failure> {
    let limits = ReportLimits::default();
    let length = |flag: Option<NonZeroUsize>, setting, default: usize| {
        layers.pick(flag, setting).map(|picked| picked.map_or(default, NonZeroUsize::get))
    };
    Ok(ReportLimits {
        depth: length(args.max_depth, &table::MAX_DEPTH, limits.depth)?,
        attributes: length(args.max_attributes, &table::MAX_ATTRIBUTES, limits.attributes)?,
        tag_bytes: size(layers, args.max_tag_size, &table::MAX_TAG_SIZE, limits.tag_bytes)?,
        case_bytes: size(layers, args.max_case_size, &table::MAX_CASE_SIZE, limits.case_bytes)?,
        findings: length(args.max_findings, &table::MAX_FINDINGS, limits.findings)?,
        ..limits
    })
}

/// Resolves a size; more than can be addressed is no limit at all.
fn size(
    layers: &Layers,
    flag: Option<NonZeroU64>,
    setting: &table::Setting<NonZeroU64>,
    default: usize,
) -> Result<usize, Failure> {
    let picked = layers.pick(flag, setting)?;
    Ok(picked.map_or(default, |size| usize::try_from(size.get()).unwrap_or(usize::MAX)))
}

/// The bound of the setting holds for the machine's own number, too.
const MOST_THREADS: NonZeroUsize = NonZeroUsize::MIN.saturating_add(table::MOST_THREADS - 1);

/// 16: enough to fill a line whose answers take 100 ms, few enough for the limits that providers put on one client.
const MAX_CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);

/// Resolves tags, in the order of their names.
fn tags(flags: Vec<(String, String)>, layers: &Layers) -> Result<Vec<(String, String)>, Failure> {
    let mut tags = BTreeMap::new();
    for (name, value) in layers.pick_all(flags, &table::TAGS)? {
        if tags.contains_key(&name) {
            return Err(Failure::usage(format!("the tag `{name}` is given twice"))
                .hint("a name has one value; give the other a name of its own"));
        }
        tags.insert(name, value);
    }
    Ok(tags.into_iter().collect())
}

fn pick_switch(layers: &Layers, flag: Option<bool>, setting: &table::Setting<bool>) -> Result<bool, Failure> {
    Ok(layers.pick(flag, setting)?.unwrap_or(false))
}
