//! The files of a version of a table.

use std::collections::HashMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use deltalake_core::DeltaTable;
use deltalake_core::kernel::{Action, Add, LogicalFileView, Remove};
use futures::TryStreamExt;
use rustc_hash::FxHashSet;
use serde_json::Value;

use super::Table;
use super::checkpoint::Checkpoint;
use super::commit::COMMIT_ID;
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
    /// What the log says of its rows.
    pub(crate) statistics: Told,
}

/// What the log says of a file's rows: JSON. Of a long log it is made only of the files that are asked for.
#[derive(Clone)]
pub(crate) enum Told {
    /// Nothing.
    Nothing,
    /// This.
    Text(Arc<str>),
    /// What this part of the log has.
    InLog(LogicalFileView),
    /// What a checkpoint has in this row.
    InCheckpoint(Arc<Checkpoint>, usize),
}

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Told").field(&self.text()).finish()
    }
}

impl Told {
    fn text(&self) -> Option<Arc<str>> {
        match self {
            Self::Nothing => None,
            Self::Text(text) => Some(Arc::clone(text)),
            Self::InLog(view) => view.stats().map(Into::into),
            Self::InCheckpoint(checkpoint, row) => checkpoint.statistics(*row),
        }
    }
}

/// A version of a table.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    table: Table,
    version: u64,
    entries: Arc<Vec<Entry>>,
}

/// The version that was read last, and when all of it was read: what others committed since is read from their commits.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) since: SystemTime,
    pub(super) version: u64,
    pub(super) entries: Arc<Vec<Entry>>,
}

impl Known {
    /// Goes on to the next version, by what its commit changes.
    pub(super) fn go_on(&mut self, changes: &[Change], partition: Option<&str>) {
        self.version += 1;
        let entries = Arc::make_mut(&mut self.entries);
        let removed: FxHashSet<&str> = changes.iter().filter_map(Change::removed).collect();
        if !removed.is_empty() {
            entries.retain(|entry| !removed.contains(entry.path.as_str()));
        }
        entries.extend(changes.iter().filter_map(|change| match change {
            Change::Add(add) => Some(Entry::of(add, partition)),
            Change::Remove(_) => None,
        }));
    }
}

/// For how long commits are followed one by one. They are kept for a day; who slept for longer must not take a log
/// that begins anew behind a checkpoint for one that has ended. It is the clock's time, as no other goes on while a machine
/// sleeps.
const FOLLOWED: Duration = Duration::from_mins(5);

impl Table {
    /// Reads the latest version.
    pub(crate) async fn snapshot(&self) -> Result<Snapshot, LakeError> {
        let known = self.known().clone();
        let known = match known {
            Some(known) if known.since.elapsed().is_ok_and(|age| age < FOLLOWED) => {
                self.followed(known).await?
            }
            _ => None,
        };
        let known = match known {
            Some(known) => known,
            None => match self.load_plainly().await? {
                Some(known) => known,
                None => self.load().await?,
            },
        };
        let snapshot =
            Snapshot { table: self.clone(), version: known.version, entries: Arc::clone(&known.entries) };
        let mut last = self.known();
        // Another thread may have come further.
        if last.as_ref().is_none_or(|last| last.version <= known.version) {
            *last = Some(known);
        }
        Ok(snapshot)
    }

    /// Reads the latest version from the log alone, whatever was read before.
    pub(crate) async fn snapshot_anew(&self) -> Result<Snapshot, LakeError> {
        let known = self.load().await?;
        Ok(Snapshot { table: self.clone(), version: known.version, entries: known.entries })
    }

    fn known(&self) -> MutexGuard<'_, Option<Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes on from a version by the commits behind it; `None` where they change more than files.
    async fn followed(&self, mut known: Known) -> Result<Option<Known>, LakeError> {
        loop {
            let commit = self.log.read_commit_entry(known.version + 1).await;
            let Some(commit) = commit.map_err(|error| self.log_error(error))? else { return Ok(Some(known)) };
            let Some(changes) = changes_of(&commit) else { return Ok(None) };
            known.go_on(&changes, self.kind.partition());
        }
    }

    /// Reads all of the log that there is.
    pub(super) async fn load(&self) -> Result<Known, LakeError> {
        let mut was_absent = false;
        loop {
            let since = SystemTime::now();
            let mut state = DeltaTable::new(Arc::clone(&self.log));
            let error = match state.load().await {
                Ok(()) => return self.checked(&state, since),
                Err(error) => error,
            };
            // Where the store does not answer, the first error says so only inside.
            if !self.exists().await? {
                return Err(self.absent().await);
            }
            // Another may have made it after it was looked for.
            if std::mem::replace(&mut was_absent, true) {
                return Err(self.log_error(error));
            }
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

    /// Takes from Delta's state what is needed of it, where it is a table that this program knows.
    fn checked(&self, state: &DeltaTable, since: SystemTime) -> Result<Known, LakeError> {
        let loaded = state.snapshot().map_err(|error| self.log_error(error))?;
        let lake = || self.place.to_string();
        let metadata = loaded.metadata();
        let foreign = |why: String| LakeError::Foreign { lake: lake(), table: self.kind.name(), why };
        let Some(stored) = metadata.configuration().get(VERSION_PROPERTY) else {
            return Err(foreign(format!("it has no property `{VERSION_PROPERTY}`")));
        };
        if stored.parse().ok().is_none_or(|stored: u32| stored > VERSION) {
            return Err(LakeError::Newer {
                lake: lake(),
                table: self.kind.name(),
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
        let log = loaded.snapshot().try_log_data().map_err(|error| self.log_error(error))?;
        let partition = self.kind.partition();
        let entry = |view: LogicalFileView| Entry {
            path: view.path().into_owned(),
            size: u64::try_from(view.size()).unwrap_or(0),
            modified: view.modification_time(),
            date: partition.and_then(|name| view.partition_values_map().remove(name).flatten()),
            statistics: Told::InLog(view),
        };
        let entries = Arc::new(log.iter().map(entry).collect());
        Ok(Known { since, version: loaded.version(), entries })
    }

    /// Returns when files that are no longer there were removed, in milliseconds since 1970.
    pub(crate) async fn removals(&self) -> Result<HashMap<String, i64>, LakeError> {
        let mut state = DeltaTable::new(Arc::clone(&self.log));
        state.load().await.map_err(|error| self.log_error(error))?;
        let loaded = state.snapshot().map_err(|error| self.log_error(error))?;
        let removed = loaded.all_tombstones(&self.log);
        removed
            .map_ok(|removed| (removed.path().into_owned(), removed.deletion_timestamp().unwrap_or(0)))
            .try_collect()
            .await
            .map_err(|error| self.log_error(error))
    }
}

/// What a commit changes.
#[derive(Debug)]
pub(super) enum Change {
    Add(Box<Add>),
    Remove(Box<Remove>),
}

impl Change {
    fn removed(&self) -> Option<&str> {
        match self {
            Self::Add(_) => None,
            Self::Remove(remove) => Some(&remove.path),
        }
    }
}

/// Reads the changes of a commit; `None` where it changes more than files, or is not ours: others add a file again that is
/// there, to say more of it.
pub(super) fn changes_of(commit: &[u8]) -> Option<Vec<Change>> {
    let (about, lines): (Vec<_>, Vec<_>) = commit
        .split(|byte| *byte == b'\n')
        .filter(|line| !line.is_empty())
        .partition(|line| line.starts_with(br#"{"commitInfo""#));
    if !about.iter().any(|line| memchr::memmem::find(line, COMMIT_ID.as_bytes()).is_some()) {
        return None;
    }
    let mut changes = Vec::new();
    for line in lines {
        match serde_json::from_slice(line).ok()? {
            Action::Add(add) if add.deletion_vector.is_none() => changes.push(Change::Add(Box::new(add))),
            Action::Remove(remove) => changes.push(Change::Remove(Box::new(remove))),
            Action::CommitInfo(_) => {}
            _ => return None,
        }
    }
    Some(changes)
}

impl Snapshot {
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
}

impl Entry {
    fn of(add: &Add, partition: Option<&str>) -> Self {
        Self {
            path: add.path.clone(),
            size: u64::try_from(add.size).unwrap_or(0),
            modified: add.modification_time,
            date: partition.and_then(|name| add.partition_values.get(name).cloned().flatten()),
            statistics: add.stats.as_deref().map_or(Told::Nothing, |text| Told::Text(text.into())),
        }
    }

    /// Returns what the log says of its rows.
    pub(crate) fn parsed_statistics(&self) -> Option<Value> {
        serde_json::from_str(&self.statistics.text()?).ok()
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
            stats: self.statistics.text().map(|text| text.as_ref().to_owned()),
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
