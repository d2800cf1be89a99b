//! Rows of the tables `runs` and `findings`.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int32Array, Int64Array, StringArray};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;

use super::rows::{batch_of, same, tags, times};
use super::take_in::FindingRow;
use super::{AttemptFacts, Figures};
use crate::schema::TableKind;

fn key(facts: &AttemptFacts, rows: usize) -> [(&'static str, ArrayRef); 3] {
    [
        ("repo", same(facts.run.repo.as_deref(), rows)),
        ("run_id", same(Some(&facts.run.run_id), rows)),
        ("attempt", Arc::new(Int32Array::from(vec![facts.attempt(); rows]))),
    ]
}

fn micros(unix_ms: Option<i64>) -> Option<i64> {
    unix_ms?.checked_mul(1000)
}

/// Makes the row of an attempt.
pub(super) fn run_row(facts: &AttemptFacts, figures: Option<&Figures>) -> Result<RecordBatch, ArrowError> {
    let known = &facts.facts;
    let text = |text: &Option<String>| same(text.as_deref(), 1);
    let long = |number: Option<u64>| -> ArrayRef {
        Arc::new(Int64Array::from(vec![number.and_then(|number| i64::try_from(number).ok())]))
    };
    let time = |unix_ms: Option<i64>| times(std::iter::once(micros(unix_ms)));
    let figure = |of: &dyn Fn(&Figures) -> u64| long(figures.map(of));
    let mut columns = key(facts, 1).to_vec();
    columns.extend([
        ("provider", text(&known.provider)),
        ("workflow", text(&known.workflow)),
        ("event", text(&known.event)),
        ("branch", text(&known.head_branch)),
        ("head_repo", text(&known.head_repository)),
        ("commit", text(&known.head_commit)),
        ("merge_base", text(&known.merge_base)),
        ("pull_request", long(known.pull_request)),
        ("started", time(known.started_unix_ms)),
        ("ended", time(known.ended_unix_ms)),
        ("taken_in", time(Some(facts.taken_in_unix_ms))),
        ("verdict", same(figures.map(|figures| figures.verdict.as_str()), 1)),
        ("artifacts", figure(&|figures| figures.artifacts)),
        ("artifacts_read", figure(&|figures| figures.artifacts_read)),
        ("reports", figure(&|figures| figures.reports)),
        ("reports_read", figure(&|figures| figures.reports_read)),
        ("cases", figure(&|figures| figures.cases)),
        ("passed", figure(&|figures| figures.passed)),
        ("failed", figure(&|figures| figures.failed)),
        ("errored", figure(&|figures| figures.errored)),
        ("skipped", figure(&|figures| figures.skipped)),
        ("flaky", long(figures.and_then(|figures| figures.flaky))),
        ("findings", figure(&|figures| figures.findings)),
        ("jobs_without_report", figure(&|figures| figures.jobs_without_report)),
        ("tags", tags(&facts.tags, 1)?),
    ]);
    batch_of(TableKind::Runs, columns)
}

/// Makes the rows of findings.
pub(super) fn finding_rows(facts: &AttemptFacts, findings: &[FindingRow]) -> Result<RecordBatch, ArrowError> {
    let texts = |text: &dyn Fn(&FindingRow) -> Option<&str>| -> ArrayRef {
        Arc::new(findings.iter().map(text).collect::<StringArray>())
    };
    let offset = |finding: &FindingRow| finding.offset.and_then(|offset| i64::try_from(offset).ok());
    let taken_in = micros(Some(facts.taken_in_unix_ms));
    let mut columns = key(facts, findings.len()).to_vec();
    columns.extend([
        ("artifact", texts(&|finding| Some(&finding.artifact))),
        ("report", texts(&|finding| finding.report.as_deref())),
        ("code", texts(&|finding| Some(&finding.code))),
        ("byte_offset", Arc::new(findings.iter().map(offset).collect::<Int64Array>()) as ArrayRef),
        ("text", texts(&|finding| Some(&finding.text))),
        ("taken_in", times(findings.iter().map(|_| taken_in))),
    ]);
    batch_of(TableKind::Findings, columns)
}
