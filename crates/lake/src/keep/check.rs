//! Proof that all that the log names is there, and counts as it says.

use std::panic::{AssertUnwindSafe, catch_unwind};

use futures::TryStreamExt;
use object_store_lake::path::Path;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use testlake_collect::bucket::StoreSettings;

use crate::Lake;
use crate::error::LakeError;
use crate::file::read;
use crate::schema::TableKind;
use crate::table::{Entry, Table};

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checked {
    /// Files that were read to their end.
    pub files: u64,
    /// Their rows.
    pub rows: u64,
    /// Their bytes.
    pub bytes: u64,
    /// What is wrong; empty where all is well.
    pub problems: Vec<Problem>,
}

/// Something wrong with a lake.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The table.
    pub table: TableKind,
    /// The file or the object.
    pub place: String,
    /// What is wrong with it, in a sentence.
    pub text: String,
}

impl Lake {
    /// Opens a lake to check it, also where logs of it are broken or missing: [`Self::check`] tells that.
    ///
    /// # Errors
    /// Where there is none, where a later program made it, or where a store does not answer.
    pub async fn open_to_check(lake: &str, settings: &StoreSettings) -> Result<Self, LakeError> {
        let lake = Self::at(lake, settings)?;
        for kind in TableKind::ALL {
            match lake.table(kind).snapshot().await {
                Ok(_) | Err(LakeError::Log { .. } | LakeError::NoTable { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(lake)
    }

    /// Reads the log and every file that it names, every row of it. A lake that is written meanwhile is checked as it
    /// was when it began; files that a `vacuum` removes meanwhile are told as missing.
    ///
    /// # Errors
    /// Where a store does not answer, so that nothing can be said. What is wrong with the lake is no error.
    pub async fn check(&self) -> Result<Checked, LakeError> {
        let mut checked = Checked::default();
        for kind in TableKind::ALL {
            let table = self.table(kind);
            self.check_log(table, &mut checked).await?;
            let snapshot = match table.snapshot_anew().await {
                Ok(snapshot) => snapshot,
                Err(error) => {
                    checked.tell(table, "_delta_log", error)?;
                    continue;
                }
            };
            for entry in snapshot.entries().iter() {
                check_file(table, entry, &mut checked).await?;
            }
        }
        Ok(checked)
    }

    /// Looks for versions that are missing in the log.
    async fn check_log(&self, table: &Table, checked: &mut Checked) -> Result<(), LakeError> {
        let listed = table.store().list(Some(&Path::from("_delta_log"))).try_collect::<Vec<_>>().await;
        let listed = match listed {
            Ok(listed) => listed,
            Err(error) => {
                return checked.tell(table, "_delta_log", table.store_error("list", "_delta_log", error));
            }
        };
        let names = listed.iter().filter_map(|object| object.location.filename());
        let mut versions: Vec<u64> = Vec::new();
        let mut checkpoint = None;
        for name in names {
            let Some((number, kind)) = name.split_once('.') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match kind {
                "json" => versions.push(number),
                _ if kind.starts_with("checkpoint") => checkpoint = checkpoint.max(Some(number)),
                _ => {}
            }
        }
        versions.sort_unstable();
        // What a checkpoint holds need not be there in pieces.
        let first = checkpoint.map_or(0, |version| version + 1);
        let mut expected = first;
        for version in versions.into_iter().skip_while(|version| *version < first) {
            for missing in (expected..version).take(10) {
                let place = table.place.object(table.kind, &format!("_delta_log/{missing:020}.json"));
                let text = format!(
                    "the log has a hole: version {missing} is missing, and version {version} is there"
                );
                checked.problems.push(Problem { table: table.kind, place, text });
            }
            expected = version + 1;
        }
        Ok(())
    }
}

impl Checked {
    /// Tells a problem; an error that says nothing of the lake is one of the check.
    fn tell(&mut self, table: &Table, path: &str, error: LakeError) -> Result<(), LakeError> {
        if error.is_transient() {
            return Err(error);
        }
        let mut text = error.to_string();
        let mut source = std::error::Error::source(&error);
        while let Some(cause) = source {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            source = cause.source();
        }
        self.problems.push(Problem { table: table.kind, place: table.place.object(table.kind, path), text });
        Ok(())
    }
}

async fn check_file(table: &Table, entry: &Entry, checked: &mut Checked) -> Result<(), LakeError> {
    let reader = match read(table, entry, None).await {
        Ok(reader) => reader,
        Err(error) => return checked.tell(table, &entry.path, error),
    };
    // There are bytes of which the reader takes no error, but its own end.
    let counted = catch_unwind(AssertUnwindSafe(|| count(reader)))
        .unwrap_or_else(|_| Err("its bytes are such that the reader itself failed".to_owned()));
    let text = match counted {
        Ok(rows) if entry.rows() == Some(rows) => {
            checked.files += 1;
            checked.rows += rows;
            checked.bytes += entry.size;
            return Ok(());
        }
        Ok(rows) => match entry.rows() {
            Some(told) => format!("it has {rows} rows, and the log says {told}"),
            None => format!("it has {rows} rows, and the log does not say how many"),
        },
        Err(error) => format!("it cannot be read: {error}"),
    };
    checked.problems.push(Problem {
        table: table.kind,
        place: table.place.object(table.kind, &entry.path),
        text,
    });
    Ok(())
}

fn count(reader: ParquetRecordBatchReader) -> Result<u64, String> {
    let mut rows = 0;
    for batch in reader {
        rows += batch.map_err(|error| error.to_string())?.num_rows() as u64;
    }
    Ok(rows)
}
