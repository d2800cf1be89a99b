//! Puts files into a table and takes out the rows that they replace, in one commit.
//!
//! Files are named by the attempt that all of their rows are of. Of another attempt's file nothing is read; a mixed
//! one's rows are looked at where the log does not say that it has none of this attempt.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{Array, AsArray, BooleanArray};
use datafusion::arrow::compute::{filter_record_batch, not};
use datafusion::arrow::datatypes::Int32Type;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use deltalake_core::kernel::Action;
use futures::StreamExt;
use object_store_lake::ObjectStoreExt;
use object_store_lake::path::Path;
use rustc_hash::{FxHashMap, FxHashSet};
use testlake_collect::run::RunKey;

use crate::error::LakeError;
use crate::file::{Effort, FileWriter, bounds_hold, conformed, name_of, put, read};
use crate::table::{Commit, Entry, Snapshot, Table};

/// Artifact and path of reports; a path that is absent stands for the artifact itself.
pub(crate) type Reports = FxHashSet<(String, Option<String>)>;

/// Artifact and path as a row has them.
type RowOf = (Option<String>, Option<String>);

/// Which rows of the attempt are replaced.
#[derive(Debug, Clone)]
pub(crate) enum Scope {
    /// All.
    Attempt,
    /// None: where there is one, it stays, and nothing is put in.
    IfAbsent,
    /// Those of reports.
    Reports {
        /// Which.
        reports: Arc<Reports>,
        /// And those of no report.
        and_no_report: bool,
    },
}

/// What is to become of a file that is there.
#[derive(Debug, Clone)]
enum Fate {
    Keep,
    Remove { rows: u64 },
    Rewrite { into: Entry, rows: u64 },
}

/// Puts files in and takes replaced rows out.
pub(crate) struct Replace<'a> {
    table: &'a Table,
    run: &'a RunKey,
    owner: String,
    scope: Scope,
    files: Vec<Entry>,
    /// What was found out about files; they never change.
    fates: FxHashMap<String, Fate>,
    /// Files that the last plan took out.
    taken_out: Vec<String>,
    puts_in: bool,
}

impl<'a> Replace<'a> {
    pub(crate) fn new(
        table: &'a Table,
        run: &'a RunKey,
        owner: String,
        scope: Scope,
        files: Vec<Entry>,
    ) -> Self {
        Self {
            table,
            run,
            owner,
            scope,
            files,
            fates: FxHashMap::default(),
            taken_out: Vec::new(),
            puts_in: true,
        }
    }

    /// Returns the files that were written and are in no commit, and how many rows were replaced.
    pub(crate) fn ended(self, is_committed: bool) -> (Vec<Entry>, u64) {
        let mut unused = Vec::new();
        let mut replaced = 0;
        for (path, fate) in self.fates {
            let is_used = is_committed && self.taken_out.contains(&path);
            match fate {
                Fate::Rewrite { rows, .. } | Fate::Remove { rows } if is_used => replaced += rows,
                Fate::Rewrite { into, .. } => unused.push(into),
                Fate::Keep | Fate::Remove { .. } => {}
            }
        }
        if !(is_committed && self.puts_in) {
            unused.extend(self.files);
        }
        (unused, replaced)
    }

    async fn fate(&self, entry: &Entry) -> Result<Fate, LakeError> {
        if !self.may_hold(entry) {
            return Ok(Fate::Keep);
        }
        let is_text = |name: &str| self.table.kind.columns().iter().any(|column| column.name == name);
        let wanted: Vec<&str> = ["repo", "run_id", "attempt", "artifact", "report"]
            .into_iter()
            .filter(|name| is_text(name))
            .collect();
        let damaged = |source: ArrowError| LakeError::Damaged {
            place: self.table.place.object(self.table.kind, &entry.path),
            source: source.into(),
        };
        let (mut replaced, mut kept) = (0_u64, 0_u64);
        for batch in read(self.table, entry, Some(&wanted)).await? {
            let mask = self.mask(&batch.map_err(damaged)?).map_err(damaged)?;
            replaced += mask.true_count() as u64;
            kept += (mask.len() - mask.true_count()) as u64;
        }
        if replaced == 0 {
            return Ok(Fate::Keep);
        }
        if kept == 0 {
            return Ok(Fate::Remove { rows: replaced });
        }
        let schema = self.table.kind.file_schema();
        let is_mixed = !self.is_own(entry);
        let effort = if is_mixed { Effort::Small } else { Effort::Quick };
        let mut writer = FileWriter::new(self.table.kind, Arc::clone(&schema), effort)?;
        for batch in read(self.table, entry, None).await? {
            let batch = batch.map_err(damaged)?;
            let others = not(&self.mask(&batch).map_err(damaged)?).map_err(damaged)?;
            let batch = filter_record_batch(&batch, &others).map_err(damaged)?;
            writer.write(&conformed(&batch, &schema).map_err(damaged)?)?;
        }
        let path = name_of(entry.date.as_deref(), (!is_mixed).then_some(&*self.owner));
        let into = put(self.table, path, entry.date.clone(), writer.finish()?).await?;
        Ok(Fate::Rewrite { into, rows: replaced })
    }

    fn is_own(&self, entry: &Entry) -> bool {
        owner_of(&entry.path) == Some(&*self.owner)
    }

    /// Reports whether a file may hold rows that are replaced, without looking into it.
    fn may_hold(&self, entry: &Entry) -> bool {
        let is_own = match owner_of(&entry.path) {
            Some(owner) if owner != self.owner => return false,
            owner => owner.is_some(),
        };
        if is_own && !matches!(self.scope, Scope::Reports { .. }) {
            return true;
        }
        let Some(statistics) = entry.parsed_statistics() else { return true };
        let of_run = is_own
            || bounds_hold(&statistics, "repo", self.run.repo.as_deref())
                && bounds_hold(&statistics, "run_id", Some(&self.run.run_id));
        let Scope::Reports { reports, and_no_report } = &self.scope else { return of_run };
        let of_reports = || {
            let mut artifacts = FxHashSet::default();
            let mut distinct =
                reports.iter().map(|(artifact, _)| artifact).filter(|artifact| artifacts.insert(*artifact));
            distinct.any(|artifact| bounds_hold(&statistics, "artifact", Some(artifact)))
        };
        of_run && (*and_no_report || of_reports())
    }

    /// Says of each row whether it is replaced.
    fn mask(&self, batch: &RecordBatch) -> Result<BooleanArray, ArrowError> {
        let text = |name: &str| -> Result<_, ArrowError> {
            let column = batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
            column.ok_or_else(|| ArrowError::SchemaError(format!("no column `{name}` of texts")))
        };
        let (repos, runs) = (text("repo")?, text("run_id")?);
        let attempts =
            batch.column_by_name("attempt").and_then(|column| column.as_primitive_opt::<Int32Type>());
        let attempts =
            attempts.ok_or_else(|| ArrowError::SchemaError("no column `attempt` of numbers".to_owned()))?;
        let attempt = i32::try_from(self.run.attempt).unwrap_or(i32::MAX);
        let at = |column: &datafusion::arrow::array::StringArray, row: usize| -> Option<String> {
            column.is_valid(row).then(|| column.value(row).to_owned())
        };
        let is_of_run = |row: usize| {
            (attempts.is_valid(row) && attempts.value(row) == attempt)
                && (runs.is_valid(row) && runs.value(row) == self.run.run_id)
                && (repos.is_valid(row).then(|| repos.value(row)) == self.run.repo.as_deref())
        };
        let Scope::Reports { reports, and_no_report } = &self.scope else {
            return Ok((0..batch.num_rows()).map(|row| Some(is_of_run(row))).collect());
        };
        let (artifacts, paths) = (text("artifact")?, text("report")?);
        // Rows of one report come in runs, or at least often.
        let mut last: Option<(RowOf, bool)> = None;
        let mut is_replaced = |row: usize| {
            let same = |(artifact, path): &RowOf| {
                artifact.as_deref() == artifacts.is_valid(row).then(|| artifacts.value(row))
                    && path.as_deref() == paths.is_valid(row).then(|| paths.value(row))
            };
            if let Some((key, is_replaced)) = &last
                && same(key)
            {
                return *is_replaced;
            }
            let (artifact, path) = (at(artifacts, row), at(paths, row));
            let is_replaced = match (&artifact, &path) {
                (_, None) if *and_no_report => true,
                (Some(artifact), path) => reports.contains(&(artifact.clone(), path.clone())),
                (None, _) => false,
            };
            last = Some(((artifact, path), is_replaced));
            is_replaced
        };
        Ok((0..batch.num_rows()).map(|row| Some(is_of_run(row) && is_replaced(row))).collect())
    }
}

/// Removes files that no commit names. What cannot be removed costs room until the next `vacuum`, nothing else.
pub(crate) async fn remove(table: &Table, files: Vec<Entry>) {
    let store = table.store();
    let removals = files.into_iter().filter_map(|file| Path::parse(&file.path).ok()).map(|path| {
        let store = Arc::clone(&store);
        async move {
            if let Err(error) = store.delete(&path).await {
                tracing::warn!(%path, %error, "a file that is not needed stays");
            }
        }
    });
    futures::stream::iter(removals).buffer_unordered(8).collect::<()>().await;
}

/// Returns what a file is named by where all of its rows are of one attempt.
pub(crate) fn owner_of(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    let (owner, _) = name.split_once('-')?;
    (owner.len() == 16 && owner.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(owner)
}

#[async_trait]
impl Commit for Replace<'_> {
    async fn plan(&mut self, snapshot: &Snapshot) -> Result<Vec<Action>, LakeError> {
        let own: FxHashSet<&str> = self.files.iter().map(|file| file.path.as_str()).collect();
        if snapshot.entries().iter().any(|entry| own.contains(entry.path.as_str())) {
            // To plan anew would be to replace the rows by themselves, by one path taken out and put in.
            return Ok(Vec::new());
        }
        let mut actions = Vec::new();
        self.taken_out.clear();
        self.puts_in = true;
        for entry in snapshot.entries().iter() {
            let fate = match self.fates.get(&entry.path) {
                Some(fate) => fate.clone(),
                None if owner_of(&entry.path).is_some_and(|owner| owner != self.owner) => continue,
                None => {
                    let fate = self.fate(entry).await?;
                    self.fates.insert(entry.path.clone(), fate.clone());
                    fate
                }
            };
            if matches!(fate, Fate::Keep) {
                continue;
            }
            if matches!(self.scope, Scope::IfAbsent) {
                self.puts_in = false;
                self.taken_out.clear();
                return Ok(Vec::new());
            }
            actions.push(Action::Remove(entry.remove(self.table, true)));
            if let Fate::Rewrite { into, .. } = &fate {
                actions.push(Action::Add(into.add(self.table, true)));
            }
            self.taken_out.push(entry.path.clone());
        }
        actions.extend(self.files.iter().map(|file| Action::Add(file.add(self.table, true))));
        Ok(actions)
    }
}

#[cfg(test)]
mod tests {
    use testlake_collect::bucket::StoreSettings;
    use testlake_collect::run::RunFacts;
    use testlake_report::{Case, Outcome};

    use super::*;
    use crate::Lake;
    use crate::ingest::{AttemptFacts, Origin, ReportKey};
    use crate::schema::TableKind;
    use crate::table::Operation;

    async fn paths(table: &Table) -> Vec<String> {
        let snapshot = table.snapshot_anew().await.unwrap();
        snapshot.entries().iter().map(|entry| entry.path.clone()).collect()
    }

    /// As after a commit that was heard, and whose answer was lost together with every later one.
    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_committed_already_is_not_replaced_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("lake").display().to_string();
        let lake = Lake::open_or_create(&place, &StoreSettings::new(&|_| None)).await.unwrap();
        let run = RunKey { repo: None, run_id: "1".to_owned(), attempt: 1 };
        let ingest = lake.ingest(AttemptFacts::new(run.clone(), RunFacts::default()));
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

        let of_report: Reports = std::iter::once(("a".to_owned(), Some("r.xml".to_owned()))).collect();
        let of_report = Scope::Reports { reports: Arc::new(of_report), and_no_report: false };
        for (kind, scope) in [
            (TableKind::Results, of_report),
            (TableKind::Runs, Scope::Attempt),
            (TableKind::Runs, Scope::IfAbsent),
        ] {
            let table = lake.table(kind);
            let snapshot = table.snapshot().await.unwrap();
            let files = snapshot.entries().to_vec();
            let owner = owner_of(&files[0].path).unwrap().to_owned();
            let before = paths(table).await;
            let mut again = Replace::new(table, &run, owner, scope, files);
            let committed = table.commit(Operation::Write, lake.patience(), &mut again).await.unwrap();
            assert_eq!(committed.version, snapshot.version(), "{kind:?}");
            let (unused, _) = again.ended(true);
            assert!(unused.is_empty(), "{kind:?}: {unused:?}");
            assert_eq!(paths(table).await, before, "{kind:?}");
        }
    }
}
