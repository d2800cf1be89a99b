//! A lake: its three tables, opened or made.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use testlake_collect::bucket::StoreSettings;
use tokio::runtime::Handle;

use crate::error::LakeError;
use crate::ingest::{AttemptFacts, Ingest};
use crate::place::Place;
use crate::schema::TableKind;
use crate::table::Table;

/// For how long a commit is tried again where others are faster: 50 writers at once need a few seconds.
pub const PATIENCE: Duration = Duration::from_mins(1);

/// A lake. Cheap to clone; nothing is held open.
#[derive(Debug, Clone)]
pub struct Lake {
    tables: Arc<[Table; 3]>,
    place: Place,
    patience: Duration,
}

impl Lake {
    pub(crate) fn at(lake: &str, settings: &StoreSettings) -> Result<Self, LakeError> {
        let place = Place::resolve(lake, settings)?;
        let table = |kind| Table::new(&place, kind);
        let [runs, results, findings] = TableKind::ALL;
        let tables = Arc::new([table(runs)?, table(results)?, table(findings)?]);
        Ok(Self { tables, place, patience: PATIENCE })
    }

    /// Opens a lake in a folder or a store, which is reached with `settings`.
    ///
    /// # Errors
    /// Where there is none, where a later program made it, or where it cannot be read.
    pub async fn open(lake: &str, settings: &StoreSettings) -> Result<Self, LakeError> {
        let lake = Self::at(lake, settings)?;
        // None is left behind in the midst of it where another has failed.
        for opened in join_all(lake.tables.iter().map(Table::snapshot)).await {
            opened?;
        }
        Ok(lake)
    }

    /// Opens a lake to take something in, and makes it where there is none. That others do the same at the same time
    /// harms nothing.
    ///
    /// # Errors
    /// As [`Self::open`], and where it cannot be written.
    pub async fn open_or_create(lake: &str, settings: &StoreSettings) -> Result<Self, LakeError> {
        let lake = Self::at(lake, settings)?;
        for opened in join_all(lake.tables.iter().map(Table::opened_or_created)).await {
            opened?;
        }
        Ok(lake)
    }

    /// Sets for how long a commit is tried again where other writers are faster; [`PATIENCE`] by default.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Returns where it is.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Begins to take in an attempt, or a part of it.
    ///
    /// # Panics
    /// Outside of a tokio runtime. It must be one of several threads, as workers wait for it while they write files.
    pub fn ingest(&self, attempt: AttemptFacts) -> Arc<Ingest> {
        self.ingest_on(attempt, Handle::current())
    }

    /// Begins to take in an attempt, with files written by the threads of a runtime.
    pub(crate) fn ingest_on(&self, attempt: AttemptFacts, io: Handle) -> Arc<Ingest> {
        Ingest::new(self, attempt, self.patience, io)
    }

    /// Returns one of its tables.
    pub(crate) fn table(&self, kind: TableKind) -> &Table {
        let [runs, results, findings] = &*self.tables;
        match kind {
            TableKind::Runs => runs,
            TableKind::Results => results,
            TableKind::Findings => findings,
        }
    }

    pub(crate) fn patience(&self) -> Duration {
        self.patience
    }
}
