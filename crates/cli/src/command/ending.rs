//! How a collection ended: its exit code, and what to do about a failure.

use testlake_collect::ledger::Verdict;
use testlake_collect::output::OutputError;
use testlake_collect::plan::{CollectError, Collected};
use testlake_collect::source::SourceErrorKind;

use crate::exit::{Exit, Failure};

/// Chooses the code of what came: the worst verdict counts, and empty attempts only where all are.
pub(super) fn exit_of<'run>(collected: impl Iterator<Item = &'run Collected>) -> Exit {
    let verdicts: Vec<_> = collected.map(|attempt| attempt.ledger.verdict).collect();
    if verdicts.contains(&Verdict::Partial) {
        Exit::Partial
    } else if verdicts.iter().all(|verdict| *verdict == Verdict::Empty) {
        Exit::Empty
    } else {
        Exit::Done
    }
}

/// Gives a collection's error its code and hints.
pub(super) fn failure(error: CollectError, signal: Option<Exit>) -> Failure {
    if let (CollectError::Cancelled, Some(exit)) = (&error, signal) {
        return Failure::new(exit, "ended by a signal; what was under way is undone");
    }
    let exit = match &error {
        CollectError::NoSource(failures) if failures.is_transient() => Exit::Unavailable,
        CollectError::NoSource(_)
        | CollectError::RunUnknown { .. }
        | CollectError::NoAttempt { .. }
        | CollectError::NothingOfRun { .. }
        | CollectError::NoInput { .. }
        | CollectError::Expired { .. }
        | CollectError::BadRunId { .. } => Exit::Usage,
        CollectError::Spool(_) | CollectError::Threads(_) => Exit::Unavailable,
        CollectError::Output(output) => output_exit(output),
        // Nobody cancels but a signal; and a variant that is not known here is a bug here.
        CollectError::Cancelled | CollectError::Internal(_) | _ => Exit::Bug,
    };
    let hints = hints(&error);
    let failure = Failure { exit, error: error.into(), hints: Vec::new() };
    hints.into_iter().fold(failure, Failure::hint)
}

fn output_exit(error: &OutputError) -> Exit {
    match error {
        OutputError::Unavailable { .. } | OutputError::Busy { .. } => Exit::Unavailable,
        OutputError::Refused { .. } | _ => Exit::Usage,
    }
}

/// Gives the error of a destination its code and hints.
pub(super) fn output_failure(error: OutputError) -> Failure {
    failure(CollectError::Output(error), None)
}

fn hints(error: &CollectError) -> Vec<&'static str> {
    match error {
        CollectError::NoSource(failures) => {
            let mut hints: Vec<_> =
                failures.failures.iter().filter_map(|(_, error)| hint_for(error.kind())).collect();
            hints.dedup();
            hints
        }
        CollectError::RunUnknown { .. } => vec!["name the run with `--run-id`"],
        CollectError::NoInput { .. } => vec!["check the path or the pattern"],
        CollectError::NoAttempt { .. } | CollectError::NothingOfRun { .. } => {
            vec!["check `--repo`, `--run-id` and `--attempt`"]
        }
        CollectError::Expired { .. } => {
            vec!["name a source that keeps them longer; providers remove artifacts after a time"]
        }
        CollectError::Output(OutputError::Refused { .. }) => vec!["choose another place with `--to`"],
        _ => Vec::new(),
    }
}

fn hint_for(kind: SourceErrorKind) -> Option<&'static str> {
    match kind {
        SourceErrorKind::NotFound => Some("check the source, `--repo`, `--run-id` and `--attempt`"),
        SourceErrorKind::Unavailable | SourceErrorKind::BadAnswer => {
            Some("try again later; nothing was written")
        }
        // The source's own message says what to set, and what is too large.
        SourceErrorKind::Unauthorized
        | SourceErrorKind::Forbidden
        | SourceErrorKind::Expired
        | SourceErrorKind::BadSetting
        | SourceErrorKind::TooLarge
        | _ => None,
    }
}

#[cfg(test)]
mod tests {
    use testlake_collect::ledger::{CaseCounts, Ledger, LedgerRun, ReportCounts, VERSION};
    use testlake_collect::plan::{RunSummary, SourceFailures};
    use testlake_collect::run::RunFacts;
    use testlake_collect::source::SourceError;

    use super::*;

    fn attempt(verdict: Verdict) -> Collected {
        let run = LedgerRun {
            repo: None,
            run_id: "7".to_owned(),
            attempt: 1,
            head_branch: None,
            head_repository: None,
        };
        Collected {
            ledger: Ledger {
                version: VERSION,
                verdict,
                run,
                sources: Vec::new(),
                artifacts: Vec::new(),
                reports: ReportCounts::default(),
                findings: Vec::new(),
                cases: CaseCounts::default(),
                results: None,
                redacted: None,
                declared: Vec::new(),
                jobs_without_report: Vec::new(),
            },
            facts: RunFacts::default(),
            summary: RunSummary::default(),
            written: Vec::new(),
        }
    }

    #[test]
    fn the_worst_verdict_counts() {
        use Verdict::{Complete, Empty, Partial};
        let exit = |verdicts: &[Verdict]| {
            let attempts: Vec<_> = verdicts.iter().map(|v| attempt(*v)).collect();
            exit_of(attempts.iter())
        };
        assert_eq!(exit(&[Complete, Complete]), Exit::Done);
        assert_eq!(exit(&[Complete, Partial, Empty]), Exit::Partial);
        assert_eq!(exit(&[Empty, Empty]), Exit::Empty);
        assert_eq!(exit(&[Complete, Empty]), Exit::Done);
    }

    fn no_source(kinds: &[SourceErrorKind]) -> Failure {
        let failures =
            kinds.iter().map(|kind| ("s3://b".to_owned(), SourceError::new(*kind, "it said no"))).collect();
        failure(CollectError::NoSource(SourceFailures { failures }), None)
    }

    #[test]
    fn a_source_that_says_no_is_a_matter_of_usage_and_one_that_is_down_is_not() {
        use SourceErrorKind::{BadAnswer, Forbidden, NotFound, Unauthorized, Unavailable};
        for kind in [Unauthorized, Forbidden, NotFound] {
            assert_eq!(no_source(&[kind]).exit, Exit::Usage);
        }
        for kind in [Unavailable, BadAnswer] {
            assert_eq!(no_source(&[NotFound, kind]).exit, Exit::Unavailable);
        }
        insta::assert_snapshot!(no_source(&[Unauthorized, NotFound]), @r"
        usage error: no source answered
          caused by: s3://b: it said no; s3://b: it said no
          hint: check the source, `--repo`, `--run-id` and `--attempt`
        ");
        insta::assert_snapshot!(no_source(&[Unavailable]), @r"
        error: no source answered
          caused by: s3://b: it said no
          hint: try again later; nothing was written
        ");
    }

    #[test]
    fn an_output_that_is_refused_is_a_matter_of_usage() {
        let place = || "s3://b".to_owned();
        let refused = OutputError::Refused { place: place(), source: "no permission".into() };
        let refused = failure(refused.into(), None);
        assert_eq!(refused.exit, Exit::Usage);
        insta::assert_snapshot!(refused, @r"
        usage error: cannot write to `s3://b`
          caused by: no permission
          hint: choose another place with `--to`
        ");
        let down = OutputError::Unavailable { place: place(), source: "timed out".into() };
        assert_eq!(failure(down.into(), None).exit, Exit::Unavailable);
        assert_eq!(failure(OutputError::Busy { place: place() }.into(), None).exit, Exit::Unavailable);
    }

    #[test]
    fn a_cancelled_run_ends_with_its_signal() {
        assert_eq!(failure(CollectError::Cancelled, Some(Exit::Signal(15))).exit.code(), 143);
    }
}
