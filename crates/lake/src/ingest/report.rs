//! The rows of one report, which count when it has been read to its end.

use std::sync::Arc;

use testlake_report::{Case, Finding};

use super::ReportKey;
use super::rows::Rows;
use super::take_in::{FindingRow, Ingest};
use crate::table::Entry;

/// Takes the cases of one report. What is dropped without [`Self::end`] leaves no rows.
#[derive(Debug)]
pub struct ReportRows {
    ingest: Arc<Ingest>,
    key: ReportKey,
    /// Rows of reports before this one, and behind them of this.
    rows: Rows,
    /// Where the rows of this one begin.
    begin: usize,
    ordinal: i64,
    /// Files that hold rows of this report alone.
    files: Vec<Entry>,
    findings: Vec<FindingRow>,
    has_ended: bool,
}

impl ReportRows {
    pub(super) fn new(ingest: Arc<Ingest>, key: ReportKey) -> Self {
        let mut rows = ingest.take_rows();
        rows.begin(key.clone());
        let begin = rows.len();
        Self {
            ingest,
            key,
            rows,
            begin,
            ordinal: 0,
            files: Vec::new(),
            findings: Vec::new(),
            has_ended: false,
        }
    }

    /// Adds a case. Where a file cannot be written the whole taking in fails, at its commit.
    pub fn push(&mut self, case: &Case<'_>) {
        if self.ingest.has_failed() {
            return;
        }
        self.rows.push(self.ordinal, case);
        self.ordinal += 1;
        if self.rows.is_full() {
            self.flush();
        }
    }

    /// Adds a finding.
    pub fn finding(&mut self, finding: Finding, text: &str) {
        self.findings.push(FindingRow {
            artifact: self.key.artifact.clone(),
            report: Some(self.key.path.clone()),
            code: finding.code.as_str().to_owned(),
            offset: Some(finding.offset),
            text: text.to_owned(),
        });
    }

    /// Writes all rows into files: those of earlier reports, which count, apart from those of this one, which may not.
    fn flush(&mut self) {
        let counted = self.ingest.write(&self.rows, 0..self.begin);
        let own = self.ingest.write(&self.rows, self.begin..self.rows.len());
        self.ingest.count(counted);
        self.files.extend(own);
        self.rows.clear();
        self.begin = 0;
    }

    /// Lets the rows count.
    pub fn end(mut self) {
        self.has_ended = true;
        if self.rows.len() == self.begin {
            // Nothing of it is waited for.
            self.rows.take_back(self.begin);
        }
        self.ingest.end_report(&self.key, u64::try_from(self.ordinal).unwrap_or(0));
        self.ingest.count(std::mem::take(&mut self.files));
        self.ingest.add_findings(std::mem::take(&mut self.findings));
        self.ingest.give_back(std::mem::take(&mut self.rows));
    }
}

impl Drop for ReportRows {
    fn drop(&mut self) {
        if !self.has_ended {
            self.rows.take_back(self.begin);
            self.ingest.give_back(std::mem::take(&mut self.rows));
            self.ingest.discard(std::mem::take(&mut self.files));
        }
    }
}
