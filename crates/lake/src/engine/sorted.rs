//! The rows of some files in order, whatever memory they would take.

use std::sync::Arc;

use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::col;

use super::provider::LakeTable;
use super::{QueryError, QueryLimits, context};
use crate::schema::TableKind;
use crate::table::{Entry, Table};

/// Returns the rows of files of a table in the order that its files have, without the column of the partition.
pub(crate) async fn sorted_rows(
    table: &Table,
    entries: &[Entry],
    limits: &QueryLimits,
) -> Result<SendableRecordBatchStream, QueryError> {
    let context = context(limits)?;
    let files = LakeTable::of(table, entries, &context)?;
    let wrong = |error| QueryError::of(&error, limits);
    let quoted = |name: &str| col(format!("\"{name}\""));
    // Behind those that a file is sorted by, what makes rows of one test alike: the job, then the run.
    let behind: &[&str] = match table.kind {
        TableKind::Results => &["variant", "job_name", "artifact", "report", "run_id", "attempt", "ordinal"],
        TableKind::Runs => &[],
        TableKind::Findings => &["artifact", "report", "byte_offset"],
    };
    let order = table.kind.sorted_by().iter().chain(behind).map(|name| quoted(name).sort(true, true));
    let columns = table.kind.file_schema();
    let columns = columns.fields().iter().map(|field| quoted(field.name()));
    let frame = context.read_table(Arc::new(files)).map_err(wrong)?;
    let frame = frame.select(columns.collect::<Vec<_>>()).map_err(wrong)?;
    frame.sort(order.collect()).map_err(wrong)?.execute_stream().await.map_err(wrong)
}
