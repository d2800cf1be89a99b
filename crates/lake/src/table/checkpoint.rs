//! The latest version from its last checkpoint, if any, and the commits behind it, with no more of either read than is needed:
//! what an upload waits for in a lake of many commits.
//!
//! Whatever is not as this program writes it is left to Delta's own reader, which takes longer and says what is wrong.

use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use bytes::Bytes;
use datafusion::arrow::array::{Array, AsArray, StringArray, StructArray};
use datafusion::arrow::datatypes::{Int32Type, Int64Type};
use datafusion::arrow::record_batch::RecordBatch;
use deltalake_core::kernel::Action;
use futures::{StreamExt, TryStreamExt};
use object_store_lake::path::Path;
use object_store_lake::{ObjectStore, ObjectStoreExt};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde::Deserialize;

use super::create::CHECKPOINT_INTERVAL;
use super::snapshot::{Known, changes_of};
use super::{Entry, Table, Told};
use crate::error::{LakeError, is_transient};
use crate::schema::{VERSION, VERSION_PROPERTY};

const LOG: &str = "_delta_log";
/// Rows of a batch.
const BATCH_ROWS: usize = 1 << 13;
/// Commits that are asked for at once: about what a bucket needs so that the last checkpoint's fifty take little longer than one.
const COMMITS_AT_ONCE: usize = 16;

/// Commits that are read where there is no checkpoint: more than are written before the first.
const MOST_COMMITS: u64 = 4 * CHECKPOINT_INTERVAL;

/// Where the last checkpoint is.
#[derive(Debug, Deserialize)]
struct Hint {
    version: u64,
    parts: Option<u32>,
}

/// A checkpoint in memory. What it says of files' rows is most of it, and is looked at when it is asked for.
#[derive(Debug)]
pub(crate) struct Checkpoint {
    bytes: Bytes,
    statistics: OnceLock<Vec<RecordBatch>>,
}

impl Checkpoint {
    fn batches(&self, columns: &[&str]) -> Option<impl Iterator<Item = Option<RecordBatch>>> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(self.bytes.clone()).ok()?;
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
        let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build().ok()?;
        Some(reader.map(Result::ok))
    }

    /// Returns what is said of the rows of the file that a row of the checkpoint adds.
    pub(super) fn statistics(&self, row: usize) -> Option<Arc<str>> {
        let read = || self.batches(&["add.stats"])?.collect::<Option<Vec<_>>>();
        let batches = self.statistics.get_or_init(|| read().unwrap_or_default());
        let mut row = row;
        for batch in batches {
            if let Some(rest) = row.checked_sub(batch.num_rows()) {
                row = rest;
                continue;
            }
            let texts: &StringArray = child(structs(batch, "add")?, "stats")?.as_string_opt()?;
            return texts.is_valid(row).then(|| texts.value(row).into());
        }
        None
    }

    /// Returns the files, where it is one of a table that this program reads.
    fn entries(self: &Arc<Self>, partition: Option<&str>) -> Option<Vec<Entry>> {
        let columns = [
            "add.path",
            "add.partitionValues",
            "add.size",
            "add.modificationTime",
            "metaData.configuration",
            "protocol.minReaderVersion",
            "protocol.minWriterVersion",
        ];
        let (mut is_ours, mut is_plain) = (false, false);
        let mut entries = Vec::new();
        let mut before = 0;
        for batch in self.batches(&columns)? {
            let batch = batch?;
            is_ours |= has_version(structs(&batch, "metaData")?)?;
            is_plain |= has_plain_protocol(structs(&batch, "protocol")?)?;
            let added = structs(&batch, "add")?;
            let paths: &StringArray = child(added, "path")?.as_string_opt()?;
            let sizes = child(added, "size")?.as_primitive_opt::<Int64Type>()?;
            let times = child(added, "modificationTime")?.as_primitive_opt::<Int64Type>()?;
            for row in (0..batch.num_rows()).filter(|row| added.is_valid(*row)) {
                let path = paths.value(row);
                // No name of ours has a letter that is written otherwise in a log.
                if paths.is_null(row) || path.contains('%') {
                    return None;
                }
                entries.push(Entry {
                    path: path.to_owned(),
                    size: u64::try_from(sizes.value(row)).ok()?,
                    modified: times.value(row),
                    date: match partition {
                        Some(name) => value_of(child(added, "partitionValues")?, row, name)?,
                        None => None,
                    },
                    statistics: Told::InCheckpoint(Arc::clone(self), before + row),
                });
            }
            before += batch.num_rows();
        }
        (is_ours && is_plain).then_some(entries)
    }
}

fn structs<'a>(batch: &'a RecordBatch, name: &str) -> Option<&'a StructArray> {
    batch.column_by_name(name)?.as_struct_opt()
}

fn child<'a>(parent: &'a StructArray, name: &str) -> Option<&'a dyn Array> {
    parent.column_by_name(name).map(AsRef::as_ref)
}

/// Returns the value of a name in a row's map; nothing at all where there is no map.
fn value_of(maps: &dyn Array, row: usize, name: &str) -> Option<Option<String>> {
    let maps = maps.as_map_opt()?;
    if maps.is_null(row) {
        return None;
    }
    let offsets = maps.value_offsets();
    let begin = usize::try_from(*offsets.get(row)?).ok()?;
    let end = usize::try_from(*offsets.get(row + 1)?).ok()?;
    let keys: &StringArray = maps.keys().as_string_opt()?;
    let values: &StringArray = maps.values().as_string_opt()?;
    let place = (begin..end).find(|place| keys.value(*place) == name);
    Some(place.filter(|place| values.is_valid(*place)).map(|place| values.value(place).to_owned()))
}

/// Reports whether a row says that the table is of a version of the form that this program reads.
fn has_version(metadata: &StructArray) -> Option<bool> {
    let settings = child(metadata, "configuration")?;
    let Some(row) = (0..metadata.len()).find(|row| metadata.is_valid(*row)) else { return Some(false) };
    let stored = value_of(settings, row, VERSION_PROPERTY)??;
    Some(stored.parse::<u32>().ok()? <= VERSION)
}

/// Reports whether a row says that the table is of the protocol that this program writes.
fn has_plain_protocol(protocol: &StructArray) -> Option<bool> {
    let reader = child(protocol, "minReaderVersion")?.as_primitive_opt::<Int32Type>()?;
    let writer = child(protocol, "minWriterVersion")?.as_primitive_opt::<Int32Type>()?;
    let row = (0..protocol.len()).find(|row| protocol.is_valid(*row));
    Some(row.is_some_and(|row| reader.value(row) <= 1 && writer.value(row) <= 2))
}

/// Reports whether a first commit makes a table that this program reads, and adds no file yet.
fn is_beginning(commit: &[u8]) -> Option<bool> {
    let (mut is_ours, mut is_plain) = (false, false);
    for line in commit.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        match serde_json::from_slice(line).ok()? {
            Action::CommitInfo(_) => {}
            Action::Protocol(protocol) => {
                is_plain = protocol.min_reader_version() <= 1 && protocol.min_writer_version() <= 2;
            }
            Action::Metadata(metadata) => {
                let stored = metadata.configuration().get(VERSION_PROPERTY)?;
                is_ours = stored.parse::<u32>().ok()? <= VERSION;
            }
            _ => return None,
        }
    }
    Some(is_ours && is_plain)
}

impl Table {
    /// Reads the latest version from its last checkpoint, or from its first commit where there is none yet. `None` where
    /// something is not as this program would have left it.
    ///
    /// # Errors
    /// Where the store does not answer.
    pub(super) async fn load_plainly(&self) -> Result<Option<Known>, LakeError> {
        let since = SystemTime::now();
        let path = format!("{LOG}/_last_checkpoint");
        let hint = match read(&*self.store(), &path).await {
            Ok(hint) => Some(hint),
            Err(error) if is_transient(&error) => return Err(self.store_error("read", &path, error)),
            Err(_) => None,
        };
        Ok(self.load_behind(hint, since).await)
    }

    async fn load_behind(&self, hint: Option<Bytes>, since: SystemTime) -> Option<Known> {
        let store = self.store();
        let (version, entries, commits) = match hint {
            Some(hint) => {
                let hint: Hint = serde_json::from_slice(&hint).ok()?;
                if hint.parts.is_some_and(|parts| parts != 1) {
                    return None;
                }
                let path = format!("{LOG}/{:020}.checkpoint.parquet", hint.version);
                let (bytes, commits) = futures::join!(read(&*store, &path), self.commits_after(hint.version));
                let checkpoint = Arc::new(Checkpoint { bytes: bytes.ok()?, statistics: OnceLock::new() });
                (hint.version, checkpoint.entries(self.kind.partition())?, commits?)
            }
            None => {
                let (first, commits) = futures::join!(self.log.read_commit_entry(0), self.commits_after(0));
                let begins_ours = is_beginning(&first.ok()??)?;
                let commits = commits.filter(|commits| begins_ours && commits.end <= MOST_COMMITS)?;
                (0, Vec::new(), commits)
            }
        };
        let changes = futures::stream::iter(commits).map(|version| async move {
            let commit = self.log.read_commit_entry(version).await.ok().flatten();
            commit.and_then(|commit| changes_of(&commit)).ok_or(())
        });
        let mut changes = changes.buffered(COMMITS_AT_ONCE);
        let mut known = Known { since, version, entries: Arc::new(entries) };
        while let Some(changes) = changes.try_next().await.ok()? {
            known.go_on(&changes, self.kind.partition());
        }
        Some(known)
    }

    /// Returns the versions behind one, which must have no gap between them.
    async fn commits_after(&self, version: u64) -> Option<std::ops::Range<u64>> {
        let version_of = |name: &str| {
            let digits = name.strip_suffix(".json").filter(|digits| digits.len() == 20)?;
            digits.parse::<u64>().ok().filter(|found| *found > version)
        };
        let mut found: Vec<u64> = match self.place.as_folder() {
            Some(folder) => {
                let log = folder.join(self.kind.name()).join(LOG);
                let names =
                    std::fs::read_dir(log).ok()?.map(|entry| entry.ok().map(|entry| entry.file_name()));
                let names = names.collect::<Option<Vec<_>>>()?;
                names.iter().filter_map(|name| version_of(name.to_str()?)).collect()
            }
            None => {
                let offset = Path::from(format!("{LOG}/{version:020}.json"));
                let listed = self.store().list_with_offset(Some(&Path::from(LOG)), &offset);
                let names = listed.map_ok(|object| object.location.filename().map(str::to_owned));
                let names: Vec<_> = names.try_collect().await.ok()?;
                names.iter().flatten().filter_map(|name| version_of(name)).collect()
            }
        };
        found.sort_unstable();
        let is_whole = found.iter().zip(version + 1..).all(|(found, expected)| *found == expected);
        is_whole.then(|| version + 1..version + 1 + found.len() as u64)
    }
}

async fn read(store: &dyn ObjectStore, path: &str) -> object_store_lake::Result<Bytes> {
    store.get(&Path::from(path)).await?.bytes().await
}

#[cfg(test)]
mod tests {
    use testlake_collect::bucket::StoreSettings;
    use testlake_collect::run::{RunFacts, RunKey};
    use testlake_report::{Case, Outcome};

    use super::*;
    use crate::Lake;
    use crate::ingest::{AttemptFacts, Origin, ReportKey};
    use crate::schema::TableKind;

    async fn upload(lake: &Lake, run: usize) {
        let run = RunKey { repo: None, run_id: run.to_string(), attempt: 1 };
        let ingest = lake.ingest(AttemptFacts::new(run, RunFacts::default()));
        let mut rows = ingest.report(ReportKey {
            artifact: "a".to_owned(),
            path: "r.xml".to_owned(),
            job: None,
            job_name: None,
            variant: None,
        });
        rows.push(&Case::new(Outcome::Passed, 0));
        rows.end();
        ingest.commit(&Origin::Uploaded, &[]).await.unwrap();
    }

    type Shown = (String, u64, i64, Option<String>, Option<serde_json::Value>);

    fn shown(known: &Known) -> (u64, Vec<Shown>) {
        let mut entries: Vec<_> = known
            .entries
            .iter()
            .map(|entry| {
                let (path, date) = (entry.path.clone(), entry.date.clone());
                (path, entry.size, entry.modified, date, entry.parsed_statistics())
            })
            .collect();
        entries.sort_by(|one, two| one.0.cmp(&two.0));
        (known.version, entries)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_checkpoint_and_what_is_behind_it_are_what_the_whole_log_says() {
        let folder = tempfile::tempdir().unwrap();
        let lake = folder.path().join("lake").display().to_string();
        let lake = Lake::open_or_create(&lake, &StoreSettings::new(&|_| None)).await.unwrap();
        for run in 0..49 {
            upload(&lake, run).await;
        }
        let table = lake.table(TableKind::Results);
        let (read, whole) = (table.load_plainly().await.unwrap().unwrap(), table.load().await.unwrap());
        assert_eq!(shown(&read), shown(&whole));
        assert_eq!(read.version, 49, "there is no checkpoint yet");
        // The last three replace what the first three left: a file that the checkpoint has is removed behind it.
        for run in [49, 50, 0, 1, 2] {
            upload(&lake, run).await;
            let read = table.load_plainly().await.unwrap().unwrap();
            let whole = shown(&table.load().await.unwrap());
            assert_eq!(shown(&read), whole);
            assert!(whole.1.iter().all(|(.., statistics)| statistics.is_some()));
        }
        let (version, entries) = shown(&table.load_plainly().await.unwrap().unwrap());
        assert_eq!((version, entries.len()), (54, 51));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_log_with_a_gap_behind_its_checkpoint_is_left_to_others() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("lake");
        let lake = root.display().to_string();
        let lake = Lake::open_or_create(&lake, &StoreSettings::new(&|_| None)).await.unwrap();
        for run in 0..53 {
            upload(&lake, run).await;
        }
        let table = lake.table(TableKind::Results);
        assert!(table.load_plainly().await.unwrap().is_some());
        std::fs::remove_file(root.join(format!("results/_delta_log/{:020}.json", 52))).unwrap();
        assert!(table.load_plainly().await.unwrap().is_none());
        assert!(table.load().await.is_err());
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_that_another_program_adds_again_is_there_once() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("lake");
        let lake = root.display().to_string();
        let lake = Lake::open_or_create(&lake, &StoreSettings::new(&|_| None)).await.unwrap();
        upload(&lake, 1).await;
        let table = lake.table(TableKind::Results);
        assert!(table.load_plainly().await.unwrap().is_some());
        let commit = |version: u64| root.join(format!("results/_delta_log/{version:020}.json"));
        let ours = std::fs::read_to_string(commit(1)).unwrap();
        let (_, added) = ours.split_once('\n').unwrap();
        // As one does that has found out more of the columns.
        let theirs = format!("{{\"commitInfo\":{{\"operation\":\"COMPUTE STATS\"}}}}\n{added}");
        std::fs::write(commit(2), theirs).unwrap();
        assert!(table.load_plainly().await.unwrap().is_none());
        for snapshot in [table.snapshot().await.unwrap(), table.snapshot_anew().await.unwrap()] {
            assert_eq!((snapshot.version(), snapshot.entries().len()), (2, 1));
        }
        upload(&lake, 2).await;
        assert_eq!(table.snapshot().await.unwrap().entries().len(), 2);
    }
}
