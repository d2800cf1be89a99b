//! Rows laid down as they would lie after [`optimize`](Lake::optimize), for made lakes.

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use deltalake_core::kernel::Action;

use super::OptimizeOptions;
use super::optimize::write;
use crate::Lake;
use crate::engine::QueryError;
use crate::error::LakeError;
use crate::schema::TableKind;
use crate::table::{Commit, Entry, Operation, Snapshot, Table};

impl Lake {
    /// Puts rows of results of one day (`YYYY-MM-DD`), which come in the order that [`Self::optimize`] gives them, into files as
    /// it leaves them. Not for results that anybody has: nothing is replaced.
    ///
    /// # Errors
    /// Where something cannot be written.
    #[doc(hidden)]
    pub async fn lay_down(
        &self,
        day: &str,
        schema: SchemaRef,
        rows: impl Iterator<Item = RecordBatch> + Send + 'static,
    ) -> Result<u64, QueryError> {
        let table = self.table(TableKind::Results);
        let rows = futures::stream::iter(rows.map(Ok));
        let rows: SendableRecordBatchStream = Box::pin(RecordBatchStreamAdapter::new(schema, rows));
        let mut files = Vec::new();
        let count = write(table, Some(day.to_owned()), rows, &OptimizeOptions::default(), &mut files).await?;
        let mut added = Added { table, files: &files };
        table.commit(Operation::Write, self.patience(), &mut added).await.map_err(LakeError::from)?;
        Ok(count)
    }
}

struct Added<'a> {
    table: &'a Table,
    files: &'a [Entry],
}

#[async_trait]
impl Commit for Added<'_> {
    async fn plan(&mut self, _: &Snapshot) -> Result<Vec<Action>, LakeError> {
        Ok(self.files.iter().map(|file| Action::Add(file.add(self.table, true))).collect())
    }
}
