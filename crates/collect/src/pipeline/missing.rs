//! What could not be had of the run beside its artifacts, and what that does to the collections.

use super::fold::FindingKind;
use super::listing::Listed;
use crate::ledger::LedgerFinding;
use crate::plan::{CollectPlan, Full, Profile};
use crate::run::RunKey;

/// Whether `test_run`, all documents, is written, and why not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FullVerdict {
    Written,
    LeftOut,
    /// It would be written if what is unknown of the run were what is asked for.
    LeftOutAsUnknown,
}

impl FullVerdict {
    pub(crate) fn of(plan: &CollectPlan, run: &RunKey, listed: &Listed) -> Self {
        match plan.full {
            Full::Always => Self::Written,
            Full::Never => Self::LeftOut,
            // for everyone else a run of which nothing is known is one's own
            Full::Auto if is_asked_for(plan, run, listed, plan.profile == Profile::Plain) => Self::Written,
            Full::Auto if is_asked_for(plan, run, listed, true) => Self::LeftOutAsUnknown,
            Full::Auto => Self::LeftOut,
        }
    }
}

/// Reports whether head branch and head repository are those that are asked for; `unknown` stands for one that is not known.
fn is_asked_for(plan: &CollectPlan, run: &RunKey, listed: &Listed, unknown: bool) -> bool {
    let is = |known: Option<&str>, wanted: Option<&str>| match (known, wanted) {
        (Some(known), Some(wanted)) => known == wanted,
        (None, Some(_)) => unknown,
        (_, None) => plan.profile == Profile::Plain,
    };
    let repository = plan.full_repository.as_deref().or(run.repo.as_deref());
    is(listed.facts.head_branch.as_deref(), Some(&plan.full_branch))
        && is(listed.facts.head_repository.as_deref(), repository)
}

/// Returns what is to be told of what could not be had.
pub(crate) fn missing(
    plan: &CollectPlan,
    listed: &Listed,
    full: FullVerdict,
) -> Vec<(LedgerFinding, FindingKind)> {
    job_names(plan, listed).into_iter().chain(facts(plan, listed, full)).collect()
}

/// Names of jobs, where collections are keyed by them.
fn job_names(plan: &CollectPlan, listed: &Listed) -> Option<(LedgerFinding, FindingKind)> {
    let text = "the names of the run's jobs could not be had: all of `additional_info` stands under `NoBuildEnv` and \
                `NoTestConfig`, and whether a job left no report is not known; take the run in again";
    let is_told = listed.has_lost_job_names && plan.profile == Profile::Pytorch;
    is_told.then(|| (of_the_run("job-names-missing", text.to_owned()), FindingKind::WholeArtifact))
}

/// Head branch and head repository, where a source that was asked did not answer.
fn facts(plan: &CollectPlan, listed: &Listed, full: FullVerdict) -> Option<(LedgerFinding, FindingKind)> {
    let why = listed.lost_facts.as_ref()?;
    let (what, flags) = match (&listed.facts.head_branch, &listed.facts.head_repository) {
        (None, None) => {
            ("the run's head branch and head repository", "`--head-branch` and `--head-repository`")
        }
        (None, Some(_)) => ("the run's head branch", "`--head-branch`"),
        (Some(_), None) => ("the run's head repository", "`--head-repository`"),
        (Some(_), Some(_)) => return None,
    };
    let lost = format!("{what} could not be had ({why})");
    Some(match (full, plan.full) {
        (FullVerdict::LeftOutAsUnknown, _) => {
            let text = format!(
                "{lost}, so `--full auto` leaves out `test_run`; give {flags}, or say with `--full` whether it is \
                 written"
            );
            (of_the_run("run-facts-missing", text), FindingKind::WholeArtifact)
        }
        (FullVerdict::Written, Full::Auto) => {
            let text = format!(
                "{lost}, so `--full auto` writes `test_run` as for a run of one's own; where it is none, give {flags}, \
                 or `--full never`"
            );
            (of_the_run("run-facts-unknown", text), FindingKind::Note)
        }
        (FullVerdict::Written | FullVerdict::LeftOut, _) => {
            let text = format!("{lost}; whether `test_run` is written does not hang on that");
            (of_the_run("run-facts-unknown", text), FindingKind::Note)
        }
    })
}

fn of_the_run(code: &str, text: String) -> LedgerFinding {
    LedgerFinding {
        artifact: String::new(),
        entry: None,
        offset: None,
        code: code.to_owned(),
        text,
        cases_saved: None,
    }
}
