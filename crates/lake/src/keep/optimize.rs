//! Fewer files, each with the rows of a test together.

use async_trait::async_trait;
use datafusion::execution::SendableRecordBatchStream;
use deltalake_core::kernel::Action;
use futures::StreamExt;

use crate::Lake;
use crate::engine::{QueryError, QueryLimits, sorted_rows};
use crate::error::LakeError;
use crate::file::{Effort, FileWriter, name_of, put};
use crate::replace::{owner_of, remove};
use crate::schema::TableKind;
use crate::table::{Commit, Entry, Operation, Snapshot, Table};

/// How to optimise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptimizeOptions {
    /// About how many bytes a file is to have.
    pub target_bytes: u64,
    /// What sorting may hold; what is more is put on the disk.
    pub limits: QueryLimits,
}

impl Default for OptimizeOptions {
    /// 64 MiB: ten million cases, which a reader of one test skips but for a few pages.
    fn default() -> Self {
        Self {
            target_bytes: 64 << 20,
            limits: QueryLimits { memory_bytes: Some(1 << 30), ..QueryLimits::default() },
        }
    }
}

/// What was optimised.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Optimized {
    /// Files that were put together.
    pub files_before: u64,
    /// Files that they became.
    pub files_after: u64,
    /// Bytes before.
    pub bytes_before: u64,
    /// Bytes after.
    pub bytes_after: u64,
    /// Rows, which are the same before and after.
    pub rows: u64,
    /// Days that were left as they are, as somebody else changed their files all the time.
    pub left: u64,
}

/// How often a day is begun anew when its files change meanwhile.
const TRIES: usize = 3;

impl Lake {
    /// Puts small files together, day by day, and sorts their rows so that those of a test lie together. What is in the
    /// tables stays the same. May run while others write: a day whose files they change meanwhile is begun anew.
    ///
    /// # Errors
    /// Where something cannot be read or written. Days before it are done, that day and those behind it are as before.
    pub async fn optimize(&self, options: &OptimizeOptions) -> Result<Optimized, QueryError> {
        let mut done = Optimized::default();
        for kind in TableKind::ALL {
            let table = self.table(kind);
            let mut left = vec![];
            for attempt in 0..TRIES {
                let snapshot = table.snapshot().await?;
                let dates = (attempt > 0).then_some(left.as_slice());
                let mut again = Vec::new();
                for group in groups(snapshot.entries(), options) {
                    let date = group.first().and_then(|entry| entry.date.clone());
                    if dates.is_some_and(|dates| !dates.contains(&date)) {
                        continue;
                    }
                    if !self.optimize_group(&snapshot, &group, options, &mut done).await? {
                        again.push(date);
                    }
                }
                left = again;
                if left.is_empty() {
                    break;
                }
            }
            done.left += left.len() as u64;
        }
        Ok(done)
    }

    /// Puts some files together; false where they changed meanwhile.
    async fn optimize_group(
        &self,
        snapshot: &Snapshot,
        group: &[Entry],
        options: &OptimizeOptions,
        done: &mut Optimized,
    ) -> Result<bool, QueryError> {
        let table = snapshot.table();
        let rows = match sorted_rows(table, group, &options.limits).await {
            Ok(rows) => rows,
            Err(error) => return if has_gone(table, group).await? { Ok(false) } else { Err(error) },
        };
        let mut files = Vec::new();
        let date = group.first().and_then(|entry| entry.date.clone());
        let written = write(table, date, rows, options, &mut files).await;
        let rows = match written {
            Ok(rows) => rows,
            Err(error) => {
                remove(table, files).await;
                return if has_gone(table, group).await? { Ok(false) } else { Err(error) };
            }
        };
        let before: Option<u64> = group.iter().map(Entry::rows).sum();
        if before.is_some_and(|before| before != rows) {
            remove(table, files).await;
            let text = format!(
                "{rows} rows came of files with {before:?}; `testlake lake check` says which is damaged"
            );
            return Err(LakeError::internal("putting files together")(text.into()).into());
        }
        let mut swap = Swap { table, before: group, after: &files, is_done: false };
        let committed = table.commit(Operation::Optimize, self.patience(), &mut swap).await;
        match committed {
            Ok(_) if swap.is_done => {}
            Ok(_) => {
                remove(table, files).await;
                return Ok(false);
            }
            Err(not) => {
                if !not.may_be_made {
                    remove(table, files).await;
                }
                return Err(not.error.into());
            }
        }
        done.files_before += group.len() as u64;
        done.files_after += files.len() as u64;
        done.bytes_before += group.iter().map(|entry| entry.size).sum::<u64>();
        done.bytes_after += files.iter().map(|entry| entry.size).sum::<u64>();
        done.rows += rows;
        Ok(true)
    }
}

/// Returns the files to put together, in groups of one day each.
pub(super) fn groups(entries: &[Entry], options: &OptimizeOptions) -> Vec<Vec<Entry>> {
    let mut entries: Vec<&Entry> = entries.iter().collect();
    entries.sort_by(|one, two| (&one.date, &one.path).cmp(&(&two.date, &two.path)));
    let by_day = entries.chunk_by(|one, two| one.date == two.date);
    let groups = by_day.map(|day| {
        // A file that is large enough and has no owner was made here before.
        let is_made = |entry: &Entry| owner_of(&entry.path).is_none();
        let is_large = |entry: &Entry| entry.size >= options.target_bytes / 4 * 3;
        let group: Vec<Entry> = day
            .iter()
            .filter(|entry| !(is_made(entry) && is_large(entry)))
            .map(|entry| (*entry).clone())
            .collect();
        let is_done = matches!(group.as_slice(), [] | [_]) && group.iter().all(is_made);
        if is_done { Vec::new() } else { group }
    });
    groups.filter(|group| !group.is_empty()).collect()
}

/// Reports whether files are no longer of the table's latest version.
async fn has_gone(table: &Table, group: &[Entry]) -> Result<bool, LakeError> {
    let snapshot = table.snapshot().await?;
    Ok(group.iter().any(|entry| !snapshot.entries().iter().any(|other| other.path == entry.path)))
}

/// Writes the rows of a day into files.
pub(super) async fn write(
    table: &Table,
    date: Option<String>,
    mut rows: SendableRecordBatchStream,
    options: &OptimizeOptions,
    files: &mut Vec<Entry>,
) -> Result<u64, QueryError> {
    let mut count = 0;
    let mut writer: Option<FileWriter> = None;
    let end = async |writer: FileWriter, files: &mut Vec<Entry>| {
        let path = name_of(date.as_deref(), None);
        files.push(put(table, path, date.clone(), writer.finish()?).await?);
        Ok::<_, LakeError>(())
    };
    while let Some(batch) = rows.next().await {
        let batch = batch.map_err(|error| QueryError::of(&error, &options.limits))?;
        count += batch.num_rows() as u64;
        let mut open = match writer.take() {
            Some(open) => open,
            None => FileWriter::new(table.kind, batch.schema(), Effort::Small)?,
        };
        open.write(&batch)?;
        if open.size() as u64 >= options.target_bytes {
            end(open, files).await?;
        } else {
            writer = Some(open);
        }
    }
    if let Some(open) = writer {
        end(open, files).await?;
    }
    Ok(count)
}

/// Puts files in the place of others, where all of those are still there.
struct Swap<'a> {
    table: &'a Table,
    before: &'a [Entry],
    after: &'a [Entry],
    is_done: bool,
}

#[async_trait]
impl Commit for Swap<'_> {
    async fn plan(&mut self, snapshot: &Snapshot) -> Result<Vec<Action>, LakeError> {
        let there: rustc_hash::FxHashSet<&str> =
            snapshot.entries().iter().map(|entry| entry.path.as_str()).collect();
        if !self.after.is_empty() && self.after.iter().all(|entry| there.contains(entry.path.as_str())) {
            self.is_done = true;
            return Ok(Vec::new());
        }
        self.is_done = self.before.iter().all(|entry| there.contains(entry.path.as_str()));
        if !self.is_done {
            return Ok(Vec::new());
        }
        let removals = self.before.iter().map(|entry| Action::Remove(entry.remove(self.table, false)));
        let additions = self.after.iter().map(|entry| Action::Add(entry.add(self.table, false)));
        Ok(removals.chain(additions).collect())
    }
}
