//! The files of a version of a table.

use std::collections::HashMap;
use std::sync::Arc;

use deltalake_core::DeltaTable;
use deltalake_core::kernel::{Add, Remove};
use serde_json::Value;

use super::Table;
use crate::error::LakeError;
use crate::schema::{VERSION, VERSION_PROPERTY};

/// A file that a version of a table is made of.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    /// Its path below the table.
    pub(crate) path: String,
    /// Its size in bytes.
    pub(crate) size: u64,
    /// When it was written, in milliseconds since 1970.
    pub(crate) modified: i64,
    /// The day of its rows, where the table is partitioned.
    pub(crate) date: Option<String>,
    /// What the log says of its rows: JSON.
    pub(crate) statistics: Option<Arc<str>>,
}

/// A version of a table.
#[derive(Debug)]
pub(crate) struct Snapshot {
    table: Table,
    state: DeltaTable,
    version: u64,
    entries: Arc<Vec<Entry>>,
}

impl Table {
    /// Reads the latest version.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, LakeError> {
        let mut state = DeltaTable::new(Arc::clone(&self.log));
        match state.load().await {
            Ok(()) => Snapshot::of(self, state),
            Err(error) => match self.exists().await {
                Ok(false) => Err(self.absent().await),
                // What went wrong first says more.
                Ok(true) | Err(_) => Err(self.log_error(error)),
            },
        }
    }

    /// Says what is missing where this table is not there.
    async fn absent(&self) -> LakeError {
        for kind in crate::schema::TableKind::ALL {
            let other = Self::new(&self.place, kind);
            if let Ok(other) = other
                && matches!(other.exists().await, Ok(true))
            {
                return LakeError::NoTable { lake: self.place.to_string(), table: self.kind.name() };
            }
        }
        LakeError::NoLake { lake: self.place.to_string() }
    }
}

impl Snapshot {
    fn of(table: &Table, state: DeltaTable) -> Result<Self, LakeError> {
        let loaded = state.snapshot().map_err(|error| table.log_error(error))?;
        let lake = || table.place.to_string();
        let metadata = loaded.metadata();
        let foreign = |why: String| LakeError::Foreign { lake: lake(), table: table.kind.name(), why };
        let Some(stored) = metadata.configuration().get(VERSION_PROPERTY) else {
            return Err(foreign(format!("it has no property `{VERSION_PROPERTY}`")));
        };
        if stored.parse().ok().is_none_or(|stored: u32| stored > VERSION) {
            return Err(LakeError::Newer {
                lake: lake(),
                table: table.kind.name(),
                stored: stored.clone(),
                known: VERSION,
            });
        }
        let protocol = loaded.protocol();
        if protocol.min_reader_version() > 1 || protocol.min_writer_version() > 2 {
            return Err(foreign(format!(
                "its Delta protocol was raised to reader version {} and writer version {} by another program",
                protocol.min_reader_version(),
                protocol.min_writer_version()
            )));
        }
        let log = loaded.snapshot().try_log_data().map_err(|error| table.log_error(error))?;
        let partition = table.kind.partition();
        let entry = |view: deltalake_core::kernel::LogicalFileView| Entry {
            path: view.path().into_owned(),
            size: u64::try_from(view.size()).unwrap_or(0),
            modified: view.modification_time(),
            date: partition.and_then(|name| view.partition_values_map().remove(name).flatten()),
            statistics: view.stats().map(Into::into),
        };
        let entries = Arc::new(log.iter().map(entry).collect());
        let version = loaded.version();
        Ok(Self { table: table.clone(), version, entries, state })
    }

    /// Returns the latest version, going on from this one.
    pub(crate) async fn refreshed(self) -> Result<Self, LakeError> {
        let Self { table, mut state, version, entries } = self;
        state.update_state().await.map_err(|error| table.log_error(error))?;
        if state.version() == Some(version) {
            return Ok(Self { table, state, version, entries });
        }
        Self::of(&table, state)
    }

    /// Returns the number of the version.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// Returns the files.
    pub(crate) fn entries(&self) -> &Arc<Vec<Entry>> {
        &self.entries
    }

    /// Returns the table.
    pub(crate) fn table(&self) -> &Table {
        &self.table
    }

    /// Returns what Delta knows of it.
    pub(super) fn state(&self) -> &DeltaTable {
        &self.state
    }

    /// Returns when files that are no longer there were removed, in milliseconds since 1970.
    pub(crate) async fn removals(&self) -> Result<HashMap<String, i64>, LakeError> {
        use futures::TryStreamExt;
        let loaded = self.state.snapshot().map_err(|error| self.table.log_error(error))?;
        let removed = loaded.all_tombstones(&self.table.log);
        removed
            .map_ok(|removed| (removed.path().into_owned(), removed.deletion_timestamp().unwrap_or(0)))
            .try_collect()
            .await
            .map_err(|error| self.table.log_error(error))
    }
}

impl Entry {
    /// Returns what the log says of its rows.
    pub(crate) fn parsed_statistics(&self) -> Option<Value> {
        serde_json::from_str(self.statistics.as_deref()?).ok()
    }

    /// Returns how many rows the log says that it has.
    pub(crate) fn rows(&self) -> Option<u64> {
        self.parsed_statistics()?.get("numRecords")?.as_u64()
    }

    fn partition_values(&self, partition: Option<&str>) -> HashMap<String, Option<String>> {
        partition.map(|name| (name.to_owned(), self.date.clone())).into_iter().collect()
    }

    /// Returns the action that adds it.
    pub(crate) fn add(&self, table: &Table, changes_data: bool) -> Add {
        Add {
            path: self.path.clone(),
            partition_values: self.partition_values(table.kind.partition()),
            size: i64::try_from(self.size).unwrap_or(i64::MAX),
            modification_time: self.modified,
            data_change: changes_data,
            stats: self.statistics.as_deref().map(str::to_owned),
            tags: None,
            deletion_vector: None,
            base_row_id: None,
            default_row_commit_version: None,
            clustering_provider: None,
        }
    }

    /// Returns the action that removes it.
    pub(crate) fn remove(&self, table: &Table, changes_data: bool) -> Remove {
        Remove {
            path: self.path.clone(),
            data_change: changes_data,
            deletion_timestamp: Some(crate::clock::unix_ms()),
            extended_file_metadata: Some(true),
            partition_values: Some(self.partition_values(table.kind.partition())),
            size: i64::try_from(self.size).ok(),
            tags: None,
            deletion_vector: None,
            base_row_id: None,
            default_row_commit_version: None,
        }
    }
}
