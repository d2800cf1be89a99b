//! The plan of `testlake upload`.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use testlake_collect::redact::OwnPattern;
use testlake_collect::run::RunFacts;
use testlake_report::Limits;

use super::lake::{self, LakePlace};
use super::{Talk, pick_switch, report_limits, size, talk_without_format};
use crate::args::{UploadArgs, UploadFormat, UploadRunArgs, switch};
use crate::config::{Layers, table};
use crate::exit::Failure;

/// What an upload runs on.
#[derive(Debug)]
pub(crate) struct Uploading {
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) place: LakePlace,
    pub(crate) tags: Vec<(String, String)>,
    pub(crate) job: AskedJob,
    pub(crate) fail_open: bool,
    /// The folder of what could not be sent; absent: in the user's cache folder.
    pub(crate) spool: Option<PathBuf>,
    /// The patterns of secrets of the user's own; absent: nothing is masked.
    pub(crate) redact: Option<Vec<OwnPattern>>,
    pub(crate) limits: Limits,
    /// What was asked for; absent: a table, as far as there is talk at all.
    pub(crate) format: Option<UploadFormat>,
}

/// What is said of the run and the job; what is not, CI's variables say.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct AskedJob {
    pub(crate) repo: Option<String>,
    pub(crate) run_id: Option<String>,
    pub(crate) attempt: Option<NonZeroU32>,
    pub(crate) job: Option<String>,
    pub(crate) job_id: Option<String>,
    pub(crate) variant: Option<String>,
    pub(crate) artifact: Option<String>,
    pub(crate) facts: RunFacts,
}

/// 30 seconds: what a job can wait at its end.
const RETRY_FOR: Duration = Duration::from_secs(30);

/// Resolves `testlake upload`.
pub(crate) fn upload(args: UploadArgs, layers: &Layers) -> Result<(Uploading, Talk), Failure> {
    let UploadArgs { path, place, tags, down, run, redact, limits, max_report_size, format, voice } = args;
    let paths: Vec<_> = layers.pick_all(path, &table::PATH)?.into_iter().map(PathBuf::from).collect();
    if paths.is_empty() {
        return Err(Failure::usage("no report is given")
            .hint("give a file or a folder, as in `testlake upload ./reports`"));
    }
    let retry_for = layers.pick(down.retry_for, &table::RETRY_FOR)?;
    let most = Limits::default().report_bytes;
    let uploading = Uploading {
        paths,
        place: LakePlace { retry_for: retry_for.or(Some(RETRY_FOR)), ..lake::resolve(place, layers)? },
        tags: super::tags(tags.tags, layers)?,
        job: job(run, layers)?,
        fail_open: pick_switch(layers, switch(down.fail_open, down.no_fail_open), &table::FAIL_OPEN)?,
        spool: layers.pick(down.spool, &table::SPOOL)?.map(PathBuf::from),
        redact: super::collect::redact(redact, layers)?,
        limits: Limits {
            report_bytes: size(layers, max_report_size, &table::MAX_REPORT_SIZE, most)?,
            ..report_limits(&limits, layers)?
        },
        format: layers.pick(format, &table::UPLOAD_FORMAT)?,
    };
    Ok((uploading, talk_without_format(&voice, layers)?))
}

fn job(args: UploadRunArgs, layers: &Layers) -> Result<AskedJob, Failure> {
    let UploadRunArgs {
        repo,
        run_id,
        attempt,
        job,
        job_id,
        variant,
        artifact,
        head_branch,
        head_repository,
        facts,
    } = args;
    Ok(AskedJob {
        repo: layers.pick(repo, &table::REPO)?,
        run_id: layers.pick(run_id, &table::RUN_ID)?,
        attempt: layers.pick(attempt, &table::UPLOAD_ATTEMPT)?,
        job: layers.pick(job, &table::JOB)?,
        job_id: layers.pick(job_id, &table::JOB_ID)?,
        variant: layers.pick(variant, &table::VARIANT)?,
        artifact: layers.pick(artifact, &table::UPLOAD_ARTIFACT)?,
        facts: RunFacts {
            head_branch: layers.pick(head_branch, &table::HEAD_BRANCH)?,
            head_repository: layers.pick(head_repository, &table::HEAD_REPOSITORY)?,
            ..super::collect::facts(facts, layers)?
        },
    })
}
