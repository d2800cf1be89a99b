//! Why a question has no answer.

use std::time::Duration;

use datafusion::error::DataFusionError;
use datafusion::sql::sqlparser::parser::ParserError;

use super::QueryLimits;
use crate::error::LakeError;

/// Why a question has no answer, or not all of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QueryError {
    /// A lake cannot be read.
    #[error(transparent)]
    Lake(#[from] LakeError),
    /// The SQL is wrong: it cannot be parsed, or names what is not there.
    #[error("this is no question that can be answered: {why}")]
    Wrong {
        /// What is wrong with it.
        why: String,
    },
    /// Something other than one statement.
    #[error("one statement is asked for at a time")]
    NotOne,
    /// It would write.
    #[error(
        "`{what}` is not taken: a lake is only read by SQL (SELECT, WITH, VALUES, SHOW, DESCRIBE, EXPLAIN)"
    )]
    Writes {
        /// Its first word.
        what: String,
    },
    /// A parameter has no value.
    #[error("the parameter `{name}` has no value; give it one (`-p name=value`)")]
    NoParameter {
        /// Its name, with the `$`.
        name: String,
    },
    /// A value is for a parameter that is not there.
    #[error("a value is given for `{name}`, and the SQL has no `${name}`")]
    UnusedParameter {
        /// Its name.
        name: String,
    },
    /// More memory than it may have, and the disk does not help.
    #[error("it takes more than the limit of {} MiB of memory; raise it (`--memory-limit`), or ask for less", limit_bytes >> 20)]
    Memory {
        /// The limit.
        limit_bytes: usize,
        /// What the engine says of it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// More time than it may have.
    #[error("it takes longer than the limit of {} s; raise it (`--timeout`), or ask for less", limit.as_secs_f64())]
    Time {
        /// The limit.
        limit: Duration,
    },
    /// A value of the data or of the SQL cannot be worked with: a text that is no number, a division by zero.
    #[error("the question cannot be answered: {why}")]
    Execution {
        /// What is wrong.
        why: String,
    },
    /// A file or an object cannot be read.
    #[error("a file of the lake cannot be read: {why}; `testlake lake check` says more")]
    Unreadable {
        /// Why.
        why: String,
        /// Whether it may work later.
        is_transient: bool,
    },
    /// A bug here or in the engine.
    #[error("the engine failed inside")]
    Internal {
        /// What the engine says of it.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl QueryError {
    /// Reports whether the same may succeed if repeated.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Lake(error) => error.is_transient(),
            Self::Unreadable { is_transient, .. } => *is_transient,
            Self::Wrong { .. }
            | Self::NotOne
            | Self::Writes { .. }
            | Self::NoParameter { .. }
            | Self::UnusedParameter { .. }
            | Self::Memory { .. }
            | Self::Time { .. }
            | Self::Execution { .. }
            | Self::Internal { .. } => false,
        }
    }

    /// Says that a statement would write.
    pub(super) fn writes(sql: &str) -> Self {
        let word: String = sql.split_whitespace().next().unwrap_or_default().chars().take(32).collect();
        Self::Writes { what: word.to_uppercase() }
    }

    pub(super) fn out_of_time(limits: &QueryLimits) -> Self {
        Self::Time { limit: limits.time.unwrap_or_default() }
    }

    pub(super) fn broken_off() -> Self {
        Self::Internal { source: "the work on the answer was broken off".into() }
    }

    pub(super) fn of_parser(error: &DataFusionError) -> Self {
        Self::Wrong { why: wrong(error.find_root()) }
    }

    #[expect(clippy::needless_pass_by_value, reason = "it stands where a function of an error is asked for")]
    pub(super) fn of_setup(error: DataFusionError) -> Self {
        Self::Internal { source: error.to_string().into() }
    }

    /// Says what an error of the engine means.
    pub(crate) fn of(error: &DataFusionError, limits: &QueryLimits) -> Self {
        use DataFusionError as E;
        let root = error.find_root();
        match root {
            E::SQL(..) | E::Plan(_) | E::SchemaError(..) | E::NotImplemented(_) | E::Configuration(_) => {
                Self::Wrong { why: wrong(root) }
            }
            E::ResourcesExhausted(why) => Self::Memory {
                limit_bytes: limits.memory_bytes.unwrap_or(usize::MAX),
                source: why.clone().into(),
            },
            E::ObjectStore(failure) => {
                Self::Unreadable { why: sentence(error), is_transient: crate::error::is_transient(failure) }
            }
            E::ParquetError(_) | E::IoError(_) => {
                Self::Unreadable { why: sentence(error), is_transient: false }
            }
            E::Execution(_) | E::ArrowError(..) => Self::Execution { why: sentence(error) },
            E::External(source) => match source.downcast_ref::<object_store_lake::Error>() {
                Some(failure) => Self::Unreadable {
                    why: failure.to_string(),
                    is_transient: crate::error::is_transient(failure),
                },
                None => Self::Internal { source: error.to_string().into() },
            },
            E::Collection(errors) => match errors.first() {
                Some(first) => Self::of(first, limits),
                None => Self::Internal { source: error.to_string().into() },
            },
            _ => Self::Internal { source: error.to_string().into() },
        }
    }
}

/// Says what is wrong with a question.
fn wrong(error: &DataFusionError) -> String {
    match error {
        DataFusionError::SQL(error, _) => match error.as_ref() {
            ParserError::TokenizerError(text) | ParserError::ParserError(text) => text.clone(),
            ParserError::RecursionLimitExceeded => "it is nested too deeply".to_owned(),
        },
        DataFusionError::Plan(text) => {
            let unknown = text.strip_prefix("table '").and_then(|rest| rest.split_once("' not found"));
            match unknown {
                // the last part is the table's own name
                Some((name, _)) => {
                    let name = name.rsplit('.').next().unwrap_or(name);
                    format!("there is no table `{name}`; there are `runs`, `results` and `findings`")
                }
                None => text.trim_end_matches('.').to_owned(),
            }
        }
        other => sentence(other),
    }
}

/// Returns what an error says, without the names that the engine has for kinds of errors.
fn sentence(error: &DataFusionError) -> String {
    let text = error.strip_backtrace();
    let mut rest = text.as_str();
    while let Some((kind, behind)) = rest.split_once(": ") {
        let is_kind = ["error", "Error", "SQL", "Shared", "Diagnostic"].iter().any(|end| kind.ends_with(end))
            && kind.len() < 40;
        if !is_kind {
            break;
        }
        rest = behind;
    }
    rest.trim_end_matches('.').to_owned()
}
