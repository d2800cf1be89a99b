//! What a lake is made of.

use crate::Lake;
use crate::error::LakeError;
use crate::schema::{TableKind, VERSION};
use crate::table::{Entry, Table};

/// The files of a version of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The table.
    pub table: TableKind,
    /// The number of the version.
    pub version: u64,
    /// Its files.
    pub files: Vec<File>,
}

/// A file of a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Where it is: a path, or an address in a store.
    pub place: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// How many rows it has, where the log says so.
    pub rows: Option<u64>,
    /// The day of its rows (`YYYY-MM-DD`), where the table is partitioned by one. It is no column of the file.
    pub date: Option<String>,
    /// When it was written, in milliseconds since 1970.
    pub modified_unix_ms: i64,
}

/// What a lake is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Info {
    /// Where it is.
    pub place: String,
    /// The version of the form that it is written in.
    pub format: u32,
    /// Its tables.
    pub tables: Vec<TableInfo>,
}

/// What a table is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableInfo {
    /// The table.
    pub table: TableKind,
    /// The number of its latest version, which is that of its commits.
    pub version: u64,
    /// Files of the latest version.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Their rows, where the log says so of each.
    pub rows: Option<u64>,
    /// The first and the last day, where the table is partitioned by one and has rows.
    pub days: Option<(String, String)>,
    /// Files that `optimize` would put together with others.
    pub files_to_optimize: u64,
}

impl Lake {
    /// Returns the files of the latest version of a table, by their places: those that another program may read as
    /// Parquet, and no others.
    ///
    /// # Errors
    /// Where the log cannot be read.
    pub async fn files(&self, kind: TableKind) -> Result<Files, LakeError> {
        let table = self.table(kind);
        let snapshot = table.snapshot().await?;
        let mut files: Vec<File> = snapshot.entries().iter().map(|entry| File::of(table, entry)).collect();
        files.sort_by(|one, two| one.place.cmp(&two.place));
        Ok(Files { table: kind, version: snapshot.version(), files })
    }

    /// Returns what it is made of.
    ///
    /// # Errors
    /// Where a log cannot be read.
    pub async fn info(&self) -> Result<Info, LakeError> {
        let mut tables = Vec::new();
        for kind in TableKind::ALL {
            let snapshot = self.table(kind).snapshot().await?;
            let entries = snapshot.entries();
            let mut days: Vec<&String> = entries.iter().filter_map(|entry| entry.date.as_ref()).collect();
            days.sort_unstable();
            let days = days.first().zip(days.last()).map(|(first, last)| ((*first).clone(), (*last).clone()));
            let groups = super::optimize::groups(entries, &super::OptimizeOptions::default());
            tables.push(TableInfo {
                table: kind,
                version: snapshot.version(),
                files: entries.len() as u64,
                bytes: entries.iter().map(|entry| entry.size).sum(),
                rows: entries.iter().map(Entry::rows).sum(),
                days,
                files_to_optimize: groups.iter().map(|group| group.len() as u64).sum(),
            });
        }
        Ok(Info { place: self.place().to_string(), format: VERSION, tables })
    }
}

impl File {
    fn of(table: &Table, entry: &Entry) -> Self {
        Self {
            place: table.place.object(table.kind, &entry.path),
            bytes: entry.size,
            rows: entry.rows(),
            date: entry.date.clone(),
            modified_unix_ms: entry.modified,
        }
    }
}
