//! A table of a lake: making it, the files of a version of it, and commits to it.

mod checkpoint;
mod commit;
mod create;
mod snapshot;

pub(crate) use commit::{Commit, Operation};
pub(crate) use snapshot::{Entry, Snapshot, Told};

use std::error::Error;
use std::sync::{Arc, Mutex};

use deltalake_core::DeltaTableError;
use deltalake_core::logstore::LogStoreRef;
use object_store_lake::ObjectStore;

use crate::error::{LakeError, is_transient, store_failure};
use crate::place::Place;
use crate::schema::TableKind;

/// A table of a lake.
#[derive(Clone)]
pub(crate) struct Table {
    pub(crate) kind: TableKind,
    pub(crate) place: Place,
    log: LogStoreRef,
    /// The version that was read last, by any clone.
    known: Arc<Mutex<Option<snapshot::Known>>>,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Table").field("kind", &self.kind).field("place", &self.place).finish_non_exhaustive()
    }
}

impl Table {
    /// Returns the table, which may not be there yet.
    pub(crate) fn new(place: &Place, kind: TableKind) -> Result<Self, LakeError> {
        Ok(Self { kind, place: place.clone(), log: place.log_store(kind)?, known: Arc::default() })
    }

    /// Returns the store with the table as its root.
    pub(crate) fn store(&self) -> Arc<dyn ObjectStore> {
        self.log.object_store(None)
    }

    /// Makes an error of one of the log.
    fn log_error(&self, error: DeltaTableError) -> LakeError {
        match store_failure(&error) {
            Some(failure) if !matches!(failure, object_store_lake::Error::NotFound { .. }) => {
                LakeError::Store {
                    doing: "read or write the log of",
                    place: self.place.object(self.kind, ""),
                    is_transient: is_transient(failure),
                    source: error.into(),
                }
            }
            _ => LakeError::Log {
                lake: self.place.to_string(),
                table: self.kind.name(),
                source: causes(&error).into(),
            },
        }
    }

    /// Makes an error of one of the store.
    pub(crate) fn store_error(
        &self,
        doing: &'static str,
        path: &str,
        error: object_store_lake::Error,
    ) -> LakeError {
        LakeError::Store {
            doing,
            place: self.place.object(self.kind, path),
            is_transient: is_transient(&error),
            source: error.into(),
        }
    }
}

/// Tells an error and its causes, each once, without where in the program it was made: some have that in their text where
/// `RUST_BACKTRACE` is set.
fn causes(error: &DeltaTableError) -> String {
    let mut told = String::new();
    let error: &(dyn Error + 'static) = error;
    for cause in std::iter::successors(Some(error), |&error| error.source()) {
        let text = cause.to_string();
        let text = text.split_once("\n   0: ").map_or(&*text, |(text, _)| text).trim_end();
        if told.contains(text) {
            continue;
        }
        if !told.is_empty() {
            told.push_str(": ");
        }
        told.push_str(text);
    }
    told
}
