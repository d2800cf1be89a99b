//! Why a question has no answer.

use std::error::Error;
use std::time::Duration;

use datafusion::arrow::error::ArrowError;
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
    #[error("it takes more than the limit of {} of memory; raise it (`--memory-limit`), or ask for less", size(*limit_bytes))]
    Memory {
        /// The limit.
        limit_bytes: usize,
        /// What the engine says of it.
        source: Box<dyn Error + Send + Sync>,
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
    #[error("a file of the lake cannot be read: {why}")]
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
        source: Box<dyn Error + Send + Sync>,
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
        if let Some(failure) = store_failure(error) {
            let is_transient = crate::error::is_transient(failure);
            return Self::Unreadable { why: failure.to_string(), is_transient };
        }
        let root = error.find_root();
        match root {
            E::SQL(..) | E::Plan(_) | E::SchemaError(..) | E::NotImplemented(_) | E::Configuration(_) => {
                Self::Wrong { why: wrong(root) }
            }
            E::ResourcesExhausted(why) => Self::Memory {
                limit_bytes: limits.memory_bytes.unwrap_or(usize::MAX),
                source: why.clone().into(),
            },
            E::ParquetError(_) | E::IoError(_) => {
                Self::Unreadable { why: sentence(error), is_transient: false }
            }
            // So a reader of files says what is no fault of the question.
            E::ArrowError(inner, _)
                if matches!(
                    **inner,
                    ArrowError::ParquetError(_) | ArrowError::IoError(..) | ArrowError::ExternalError(_)
                ) =>
            {
                Self::Unreadable { why: sentence(error), is_transient: false }
            }
            E::Execution(_) | E::ArrowError(..) => Self::Execution { why: sentence(error) },
            E::Collection(errors) => match errors.first() {
                Some(first) => Self::of(first, limits),
                None => Self::Internal { source: error.to_string().into() },
            },
            _ => Self::Internal { source: error.to_string().into() },
        }
    }
}

/// Finds the failure of the store that an error comes from, however deep it lies.
fn store_failure(error: &DataFusionError) -> Option<&object_store_lake::Error> {
    let error: &(dyn Error + 'static) = error;
    let mut chain = std::iter::successors(Some(error), |&error| error.source());
    chain.find_map(|error| error.downcast_ref())
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

/// Writes a size exactly, in the largest unit that it is a multiple of.
fn size(bytes: usize) -> String {
    const UNITS: [(usize, &str); 6] = [
        (1 << 30, "GiB"),
        (1_000_000_000, "GB"),
        (1 << 20, "MiB"),
        (1_000_000, "MB"),
        (1 << 10, "KiB"),
        (1_000, "kB"),
    ];
    let unit = UNITS.into_iter().find(|(unit, _)| bytes > 0 && bytes.is_multiple_of(*unit));
    let (unit, name) = unit.unwrap_or((1, "bytes"));
    format!("{} {name}", bytes / unit)
}

#[cfg(test)]
mod tests {
    use parquet::errors::ParquetError;

    use super::*;

    #[test]
    fn a_size_is_exact() {
        let sizes = [1_000_000, 1 << 20, 2 << 30, 1_500_000, 1536, 1_000_001, 0].map(size);
        assert_eq!(sizes, ["1 MB", "1 MiB", "2 GiB", "1500 kB", "1536 bytes", "1000001 bytes", "0 bytes"]);
    }

    #[test]
    fn a_store_that_failed_deep_inside_may_answer_later() {
        let failure = object_store_lake::Error::Generic { store: "S3", source: "timed out".into() };
        let error = DataFusionError::from(ParquetError::External(failure.into()));
        let said = QueryError::of(&error, &QueryLimits::default());
        assert!(matches!(said, QueryError::Unreadable { is_transient: true, .. }), "{said:?}");
    }

    #[test]
    fn what_a_reader_of_files_says_is_no_fault_of_the_question() {
        let of = |error| QueryError::of(&DataFusionError::from(error), &QueryLimits::default());
        for error in [
            ArrowError::ParquetError("EOF: eof decoding byte array".to_owned()),
            ArrowError::IoError("cut off".to_owned(), std::io::ErrorKind::UnexpectedEof.into()),
            ArrowError::ExternalError("cut off".into()),
        ] {
            let said = of(error);
            assert!(matches!(said, QueryError::Unreadable { is_transient: false, .. }), "{said:?}");
        }
        let said = of(ArrowError::DivideByZero);
        assert!(matches!(said, QueryError::Execution { .. }), "{said:?}");
    }
}
