//! Removes what no version needs any more.

use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, TryStreamExt};
use object_store_lake::ObjectStoreExt;
use object_store_lake::path::Path;
use rustc_hash::FxHashSet;

use crate::Lake;
use crate::clock::unix_ms;
use crate::error::LakeError;
use crate::schema::TableKind;
use crate::table::Table;

/// How long a file stays after the last version that needs it, by default. Readers that began before it was replaced
/// read it to their end, and files of a taking in that has not committed yet stay.
pub const RETENTION: Duration = Duration::from_hours(7 * 24);

/// How to remove.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VacuumOptions {
    /// How long a file stays that no version needs. With less than the longest taking in, its files go under its hands.
    pub retention: Duration,
    /// Whether only to say what would go.
    pub dry_run: bool,
}

impl Default for VacuumOptions {
    fn default() -> Self {
        Self { retention: RETENTION, dry_run: false }
    }
}

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Vacuumed {
    /// The files (under `dry_run`: that would be).
    pub places: Vec<String>,
    /// Their bytes.
    pub bytes: u64,
}

impl Lake {
    /// Removes the files that no version needs and that are older than the retention: those that were replaced, and
    /// those of takings in that were broken off. The log is left as it is.
    ///
    /// # Errors
    /// Where a table cannot be listed, or a file cannot be removed; those before it are gone.
    pub async fn vacuum(&self, options: VacuumOptions) -> Result<Vacuumed, LakeError> {
        let mut vacuumed = Vacuumed::default();
        for kind in TableKind::ALL {
            vacuum_table(self.table(kind), options, &mut vacuumed).await?;
        }
        Ok(vacuumed)
    }
}

async fn vacuum_table(
    table: &Table,
    options: VacuumOptions,
    vacuumed: &mut Vacuumed,
) -> Result<(), LakeError> {
    let store = table.store();
    // Listed before the version is read: what a commit makes needed in between is in the version.
    let listed = store.list(None).try_collect::<Vec<_>>().await;
    let listed = listed.map_err(|error| table.store_error("list", "", error))?;
    let snapshot = table.snapshot().await?;
    let removals = table.removals().await?;
    let needed: FxHashSet<&str> = snapshot.entries().iter().map(|entry| entry.path.as_str()).collect();
    let retention = i64::try_from(options.retention.as_millis()).unwrap_or(i64::MAX);
    let oldest = unix_ms().saturating_sub(retention);
    let mut paths: Vec<Path> = Vec::new();
    for object in listed {
        let path = object.location.as_ref();
        let since = removals.get(path).copied().unwrap_or_else(|| object.last_modified.timestamp_millis());
        if path.starts_with("_delta_log") || needed.contains(path) || since > oldest {
            continue;
        }
        vacuumed.places.push(table.place.object(table.kind, path));
        vacuumed.bytes += object.size;
        paths.push(object.location);
    }
    if !options.dry_run {
        let removals = paths.into_iter().map(|path| {
            let store = Arc::clone(&store);
            async move {
                match store.delete(&path).await {
                    Ok(()) | Err(object_store_lake::Error::NotFound { .. }) => Ok(()),
                    Err(error) => Err(table.store_error("remove", path.as_ref(), error)),
                }
            }
        });
        futures::stream::iter(removals).buffer_unordered(8).try_collect::<()>().await?;
    }
    half_written(table, oldest, options.dry_run, vacuumed)
}

/// Removes what writers in a folder left half written when they were killed: `NAME#1`, which no store lists.
fn half_written(table: &Table, oldest: i64, dry_run: bool, vacuumed: &mut Vacuumed) -> Result<(), LakeError> {
    let Some(folder) = table.place.as_folder() else { return Ok(()) };
    let error = |path: &std::path::Path, source: std::io::Error| LakeError::Store {
        doing: "remove",
        place: path.display().to_string(),
        is_transient: false,
        source: source.into(),
    };
    let mut folders = vec![folder.join(table.kind.name())];
    while let Some(next) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&next) else { continue };
        for entry in entries.flatten() {
            let path = entry.path();
            let Ok(metadata) = entry.metadata() else { continue };
            if metadata.is_dir() {
                folders.push(path);
                continue;
            }
            let name = entry.file_name();
            let number = name.to_str().and_then(|name| name.rsplit_once('#')).map(|(_, number)| number);
            let is_half =
                number.is_some_and(|number| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()));
            let modified =
                metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
            let modified =
                modified.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(i64::MAX);
            if !is_half || modified > oldest {
                continue;
            }
            if !dry_run {
                std::fs::remove_file(&path).map_err(|source| error(&path, source))?;
            }
            vacuumed.bytes += metadata.len();
            vacuumed.places.push(path.display().to_string());
        }
    }
    Ok(())
}
