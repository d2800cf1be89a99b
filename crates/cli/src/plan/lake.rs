//! Where the lake is, and the plans of the commands that read it.

use std::num::NonZeroU64;
use std::time::Duration;

use super::{Talk, destination, pick_switch, talk_without_format, voice};
use crate::args::{
    LakeAction, LakeArgs, LakePlaceArgs, QueryLimitArgs, RowsFormat, RunsArgs, SqlArgs, TableWord, switch,
};
use crate::config::value::{ParameterValue, Since};
use crate::config::{Layers, table};
use crate::exit::Failure;

/// Where results go without a word about it.
pub(super) const TO: &str = "./testlake";

/// A lake that is asked, or looked after.
#[derive(Debug)]
pub(crate) struct LakePlace {
    /// Its address.
    pub(crate) lake: String,
    /// How long calls over the network are repeated; absent: as long as suits a person who waits.
    pub(crate) retry_for: Option<Duration>,
}

/// What a question may cost.
#[derive(Debug)]
pub(crate) struct QueryLimits {
    /// Bytes; absent: the default.
    pub(crate) memory_bytes: Option<u64>,
    pub(crate) time: Option<Duration>,
}

/// Where the question is.
#[derive(Debug)]
pub(crate) enum Question {
    /// It was given.
    Given(String),
    /// In this file.
    File(String),
    /// A prompt asks for it, or the standard input has it.
    Asked,
}

/// What `testlake sql` runs on.
#[derive(Debug)]
pub(crate) struct Asking {
    pub(crate) place: LakePlace,
    pub(crate) question: Question,
    pub(crate) parameters: Vec<(String, ParameterValue)>,
    pub(crate) limits: QueryLimits,
    pub(crate) format: RowsFormat,
}

/// What `testlake runs` runs on.
#[derive(Debug)]
pub(crate) struct ListingRuns {
    pub(crate) place: LakePlace,
    pub(crate) repo: Option<String>,
    pub(crate) branch: Option<String>,
    pub(crate) since: Option<Since>,
    pub(crate) limit: NonZeroU64,
    pub(crate) format: RowsFormat,
}

/// What `testlake lake` runs on.
#[derive(Debug)]
pub(crate) struct Tending {
    pub(crate) place: LakePlace,
    pub(crate) action: LakeAction,
    /// Absent: all of them.
    pub(crate) table: Option<TableWord>,
    pub(crate) retention: Duration,
    pub(crate) dry_run: bool,
}

/// 7 days: who reads or writes for longer than this does something else.
const RETENTION: Duration = Duration::from_hours(7 * 24);

/// 50: what is looked through by eye.
const LIMIT: NonZeroU64 = NonZeroU64::MIN.saturating_add(49);

/// Resolves `testlake sql`.
pub(crate) fn sql(args: SqlArgs, layers: &Layers) -> Result<(Asking, Talk), Failure> {
    let SqlArgs { query, file, param, place, limits, rows, voice } = args;
    let question = match (query, file) {
        (Some(query), _) if query.trim().is_empty() => {
            return Err(Failure::usage("the question is empty").hint("leave it out for a prompt"));
        }
        (Some(query), _) => Question::Given(query),
        (None, Some(file)) => Question::File(file),
        (None, None) => Question::Asked,
    };
    for (number, (name, _)) in param.iter().enumerate() {
        if param.iter().take(number).any(|(other, _)| other == name) {
            return Err(Failure::usage(format!("the parameter `{name}` is given twice")));
        }
    }
    let asking = Asking {
        place: resolve(place, layers)?,
        question,
        parameters: param,
        limits: query_limits(&limits, layers)?,
        format: layers.pick(rows.format, &table::SQL_FORMAT)?.unwrap_or_default(),
    };
    Ok((asking, talk_without_format(&voice, layers)?))
}

/// Resolves `testlake runs`.
pub(crate) fn runs(args: RunsArgs, layers: &Layers) -> Result<(ListingRuns, Talk), Failure> {
    let RunsArgs { place, repo, branch, since, limit, rows, voice } = args;
    let listing = ListingRuns {
        place: resolve(place, layers)?,
        repo: layers.pick(repo, &table::REPO)?,
        branch: layers.pick(branch, &table::RUNS_BRANCH)?,
        since: layers.pick(since, &table::SINCE)?,
        limit: layers.pick(limit, &table::LIMIT)?.unwrap_or(LIMIT),
        format: layers.pick(rows.format, &table::RUNS_FORMAT)?.unwrap_or_default(),
    };
    Ok((listing, talk_without_format(&voice, layers)?))
}

/// Resolves `testlake lake`.
pub(crate) fn lake(args: LakeArgs, layers: &Layers) -> Result<(Tending, Talk), Failure> {
    let LakeArgs { action, place, table: word, retention, dry_run, no_dry_run, format, voice: talk } = args;
    let tending = Tending {
        place: resolve(place, layers)?,
        action,
        table: layers.pick(word, &table::TABLE)?,
        retention: layers.pick(retention, &table::RETENTION)?.unwrap_or(RETENTION),
        dry_run: pick_switch(layers, switch(dry_run, no_dry_run), &table::DRY_RUN)?,
    };
    Ok((tending, voice(&talk, format, layers)?))
}

fn query_limits(args: &QueryLimitArgs, layers: &Layers) -> Result<QueryLimits, Failure> {
    Ok(QueryLimits {
        memory_bytes: layers.pick(args.memory_limit, &table::MEMORY_LIMIT)?.map(NonZeroU64::get),
        time: layers.pick(args.timeout, &table::TIMEOUT)?,
    })
}

/// Resolves where the lake is: `--lake`, else below `to`.
pub(super) fn resolve(args: LakePlaceArgs, layers: &Layers) -> Result<LakePlace, Failure> {
    let to = layers.pick(None, &table::TO)?.unwrap_or_else(|| TO.to_owned());
    Ok(LakePlace { lake: address(args.lake, &to, layers)?, retry_for: layers.pick(None, &table::RETRY_FOR)? })
}

/// Returns the address of the lake: what was said, else below the root of all that is written.
pub(super) fn address(flag: Option<String>, to: &str, layers: &Layers) -> Result<String, Failure> {
    match layers.pick(flag, &table::LAKE)? {
        Some(lake) => destination::check("--lake", lake),
        None => destination::check("--to", format!("{}/lake", to.trim_end_matches('/'))),
    }
}
