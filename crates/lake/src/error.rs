//! What can go wrong with a lake.

use std::error::Error;
use std::io;
use std::time::Duration;

use deltalake_core::DeltaTableError;
use deltalake_core::kernel::transaction::TransactionError;

/// An error of another crate.
pub(crate) type Cause = Box<dyn Error + Send + Sync>;

/// Why something could not be done with a lake. Nothing of it was changed, except where a variant says otherwise.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LakeError {
    /// The text names no folder and no store.
    #[error("`{lake}` cannot be the address of a lake: {why}")]
    BadAddress {
        /// The address.
        lake: String,
        /// What is wrong with it.
        why: String,
    },
    /// There is nothing there.
    #[error("there is no lake at `{lake}`; `testlake collect` and `testlake upload` make one")]
    NoLake {
        /// The address.
        lake: String,
    },
    /// One of the tables is there and another is not.
    #[error(
        "the lake at `{lake}` has no table `{table}`: a part of it was removed, or its making was broken off; take something in to make it"
    )]
    NoTable {
        /// The address.
        lake: String,
        /// The table.
        table: &'static str,
    },
    /// A later program wrote it.
    #[error(
        "the table `{table}` of the lake at `{lake}` has version {stored} of the form, and this program knows versions up to {known}: take a newer testlake"
    )]
    Newer {
        /// The address.
        lake: String,
        /// The table.
        table: &'static str,
        /// The version that it has.
        stored: String,
        /// The highest that is known here.
        known: u32,
    },
    /// It is a Delta table, but not one of testlake's.
    #[error("the table `{table}` at `{lake}` was not made by testlake: {why}")]
    Foreign {
        /// The address.
        lake: String,
        /// The table.
        table: &'static str,
        /// What gives that away.
        why: String,
    },
    /// The log of a table cannot be read.
    #[error("the log of table `{table}` at `{lake}` cannot be read")]
    Log {
        /// The address.
        lake: String,
        /// The table.
        table: &'static str,
        /// Why.
        source: Cause,
    },
    /// The place where a lake is kept did not do what was asked.
    #[error("cannot {doing} `{place}`")]
    Store {
        /// What was asked.
        doing: &'static str,
        /// The object.
        place: String,
        /// Whether it may work later.
        is_transient: bool,
        /// Why.
        source: Cause,
    },
    /// A file that the log names is not as it was written.
    #[error("the file `{place}` is damaged")]
    Damaged {
        /// The file.
        place: String,
        /// Why.
        source: Cause,
    },
    /// Others wrote all the time.
    #[error("other writers of table `{table}` at `{lake}` were faster for {} s; try again later, or wait for longer", waited.as_secs())]
    Contended {
        /// The address.
        lake: String,
        /// The table.
        table: &'static str,
        /// For how long it was tried.
        waited: Duration,
    },
    /// A bug here.
    #[error("{doing} failed inside")]
    Internal {
        /// What was being done.
        doing: &'static str,
        /// Why.
        source: Cause,
    },
}

impl LakeError {
    /// Reports whether the same may succeed if repeated.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Contended { .. } => true,
            Self::Store { is_transient, .. } => *is_transient,
            Self::BadAddress { .. }
            | Self::NoLake { .. }
            | Self::NoTable { .. }
            | Self::Newer { .. }
            | Self::Foreign { .. }
            | Self::Log { .. }
            | Self::Damaged { .. }
            | Self::Internal { .. } => false,
        }
    }

    pub(crate) fn internal(doing: &'static str) -> impl Fn(Cause) -> Self {
        move |source| Self::Internal { doing, source }
    }
}

/// Reports whether a failure of a store may pass.
pub(crate) fn is_transient(error: &object_store_lake::Error) -> bool {
    use object_store_lake::Error as E;
    match error {
        E::NotFound { .. }
        | E::InvalidPath { .. }
        | E::NotSupported { .. }
        | E::AlreadyExists { .. }
        | E::Precondition { .. }
        | E::NotModified { .. }
        | E::NotImplemented { .. }
        | E::PermissionDenied { .. }
        | E::Unauthenticated { .. }
        | E::UnknownConfigurationKey { .. } => false,
        // What a folder refuses it refuses again, unless it was for want of room.
        E::Generic { store: "LocalFileSystem", source } => is_for_want_of_room(source.as_ref()),
        _ => true,
    }
}

fn is_for_want_of_room(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source()).any(|error| {
        error.downcast_ref::<io::Error>().is_some_and(|error| {
            matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded)
        })
    })
}

/// Finds the failure of the store that an error of the log comes from.
pub(crate) fn store_failure(error: &DeltaTableError) -> Option<&object_store_lake::Error> {
    match error {
        DeltaTableError::ObjectStore { source } => Some(source),
        DeltaTableError::Transaction { source: TransactionError::ObjectStore { source } } => Some(source),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_from_a_folder_that_refuses() {
        let may_pass = |kind: io::ErrorKind| {
            let source = io::Error::from(kind).into();
            is_transient(&object_store_lake::Error::Generic { store: "LocalFileSystem", source })
        };
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded] {
            assert!(may_pass(kind), "{kind}");
        }
        for kind in [io::ErrorKind::ReadOnlyFilesystem, io::ErrorKind::NotADirectory] {
            assert!(!may_pass(kind), "{kind}");
        }
    }
}
