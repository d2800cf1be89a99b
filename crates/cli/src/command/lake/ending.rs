//! What goes wrong with a lake: its exit code, and what to do.

use testlake_lake::LakeError;
use testlake_lake::engine::QueryError;

use crate::exit::{Exit, Failure};

/// What to do where a part of a lake cannot be read. `check` itself tells such as a problem.
const DAMAGED: &str = "`testlake lake check` names all that is damaged";

/// Gives an error of a lake its code and hints.
pub(super) fn lake_failure(error: LakeError) -> Failure {
    let (exit, hint) = match &error {
        LakeError::BadAddress { .. } => (
            Exit::Usage,
            Some(
                "it reads like `./testlake/lake`, `file:///folder`, `s3://bucket/prefix`, `gs://bucket` or `az://container`",
            ),
        ),
        LakeError::NoLake { .. } => (Exit::Usage, Some("name it with `--lake`")),
        LakeError::NoTable { .. } | LakeError::Newer { .. } | LakeError::Foreign { .. } => {
            (Exit::Usage, None)
        }
        LakeError::Contended { .. } => (Exit::Unavailable, None),
        LakeError::Store { is_transient: true, .. } => (Exit::Unavailable, Some("try again later")),
        LakeError::Store { .. } => {
            (Exit::Usage, Some("check the address, the credentials and what they may do"))
        }
        // There, and not whole.
        LakeError::Log { .. } | LakeError::Damaged { .. } => (Exit::Partial, Some(DAMAGED)),
        LakeError::Internal { .. } | _ => (Exit::Bug, None),
    };
    let failure = Failure { exit, error: error.into(), hints: Vec::new() };
    hint.into_iter().fold(failure, Failure::hint)
}

/// Gives an error of a question its code.
pub(super) fn query_failure(error: QueryError) -> Failure {
    let (exit, hint) = match error {
        QueryError::Lake(error) => return lake_failure(error),
        QueryError::Wrong { .. }
        | QueryError::NotOne
        | QueryError::Writes { .. }
        | QueryError::NoParameter { .. }
        | QueryError::UnusedParameter { .. }
        | QueryError::Execution { .. } => (Exit::Usage, None),
        // What was told before is right, and not all.
        QueryError::Memory { .. } | QueryError::Time { .. } => (Exit::Partial, None),
        QueryError::Unreadable { is_transient: false, .. } => (Exit::Partial, Some(DAMAGED)),
        QueryError::Unreadable { .. } => (Exit::Unavailable, None),
        // There are bytes at which the reader of files itself fails.
        QueryError::Internal { .. } => {
            (Exit::Bug, Some("`testlake lake check` tells whether a damaged file is the cause"))
        }
        _ => (Exit::Bug, None),
    };
    let failure = Failure { exit, error: error.into(), hints: Vec::new() };
    hint.into_iter().fold(failure, Failure::hint)
}

/// Says that a signal ended it.
pub(super) fn signalled(exit: Exit) -> Failure {
    Failure::new(exit, "ended by a signal")
}
