//! Attempts of which no artifact can be had: they must not replace what an earlier collection left by nothing.

use crate::ledger::{ArtifactStatus, Ledger, LedgerArtifact, Verdict};
use crate::plan::{CollectError, CollectPlan, Collected, RunSummary, SourceFailures};
use crate::run::{AttemptChoice, RunFacts};
use crate::source::{SourceError, SourceErrorKind};

/// What a source could not do: its name, and why.
pub(crate) type SourceFailure = (String, SourceError);

/// Keeps the failure that says most of whether a later time may bring more.
pub(crate) fn keep_failure(kept: &mut Option<SourceFailure>, source: &str, error: SourceError) {
    let rank = |error: &SourceError| match error.kind() {
        SourceErrorKind::Expired => 0,
        kind if kind.is_transient() => 2,
        _ => 1,
    };
    if kept.as_ref().is_none_or(|(_, known)| rank(known) < rank(&error)) {
        *kept = Some((source.to_owned(), error));
    }
}

/// Reports whether there are artifacts, and all of them have expired.
pub(crate) fn has_all_expired(artifacts: &[LedgerArtifact]) -> bool {
    !artifacts.is_empty() && artifacts.iter().all(|artifact| artifact.status == ArtifactStatus::Expired)
}

/// Returns why nothing of an attempt could be had, where a source's failure is why. `unlisted` are the sources that did not
/// list, `unfetched` what [`keep_failure`] kept.
pub(crate) fn nothing_came(
    plan: &CollectPlan,
    artifacts: &[LedgerArtifact],
    unlisted: Vec<SourceFailure>,
    unfetched: Option<SourceFailure>,
) -> Option<CollectError> {
    let is_lost = |artifact: &LedgerArtifact| {
        matches!(artifact.status, ArtifactStatus::Expired | ArtifactStatus::Unavailable)
    };
    if artifacts.is_empty() || !artifacts.iter().all(is_lost) {
        return None;
    }
    let mut failures = unlisted;
    let may_pass = failures.iter().any(|(_, error)| error.kind().is_transient());
    let is_one_of_many = plan.run.attempts == AttemptChoice::All;
    if has_all_expired(artifacts) && (failures.is_empty() || (is_one_of_many && !may_pass)) {
        return None;
    }
    failures.extend(unfetched);
    (!failures.is_empty()).then(|| CollectError::NoSource(SourceFailures { failures }))
}

/// Tells of an attempt whose artifacts have all expired; nothing of it is written or removed.
pub(crate) fn left_as_it_was(mut ledger: Ledger, facts: RunFacts) -> Collected {
    // it had artifacts, so something that belongs to the run is missing
    ledger.verdict = Verdict::Partial;
    Collected { ledger, facts, summary: RunSummary::default(), written: Vec::new() }
}

/// Returns the error where all attempts are such.
pub(crate) fn all_expired(attempts: &[Collected]) -> Option<CollectError> {
    let first = &attempts.first()?.ledger.run;
    if !attempts.iter().all(|attempt| has_all_expired(&attempt.ledger.artifacts)) {
        return None;
    }
    let repo = first.repo.as_ref().map(|repo| format!("{repo} ")).unwrap_or_default();
    let attempt = if attempts.len() == 1 { format!(" attempt {}", first.attempt) } else { String::new() };
    Some(CollectError::Expired {
        run: format!("{repo}run {}{attempt}", first.run_id),
        artifacts: attempts.iter().map(|attempt| attempt.ledger.artifacts.len() as u64).sum(),
    })
}
