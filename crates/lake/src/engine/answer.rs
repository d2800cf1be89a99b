//! Rows of an answer, as they are found.

use std::pin::Pin;
use std::task::{Context, Poll};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use futures::Stream;
use tokio::time::{Instant, Sleep, sleep_until};

use super::{QueryError, QueryLimits};

/// Batches of rows, of one schema. It ends after an error. To drop it is to cancel the question.
pub struct Answer {
    schema: SchemaRef,
    rows: Option<SendableRecordBatchStream>,
    deadline: Option<Pin<Box<Sleep>>>,
    limits: QueryLimits,
}

impl std::fmt::Debug for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Answer").field("schema", &self.schema).finish_non_exhaustive()
    }
}

impl Answer {
    pub(super) fn new(
        rows: SendableRecordBatchStream,
        deadline: Option<Instant>,
        limits: QueryLimits,
    ) -> Self {
        let schema = rows.schema();
        let deadline = deadline.map(|deadline| Box::pin(sleep_until(deadline)));
        Self { schema, rows: Some(rows), deadline, limits }
    }

    /// Returns the columns.
    pub fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }
}

impl Stream for Answer {
    type Item = Result<RecordBatch, QueryError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let this = &mut *self;
        let Some(rows) = &mut this.rows else { return Poll::Ready(None) };
        if let Some(deadline) = &mut this.deadline
            && deadline.as_mut().poll(cx).is_ready()
        {
            this.rows = None;
            return Poll::Ready(Some(Err(QueryError::out_of_time(&this.limits))));
        }
        match rows.as_mut().poll_next(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(batch))) => Poll::Ready(Some(Ok(batch))),
            Poll::Ready(Some(Err(error))) => {
                this.rows = None;
                Poll::Ready(Some(Err(QueryError::of(&error, &this.limits))))
            }
            Poll::Ready(None) => {
                this.rows = None;
                Poll::Ready(None)
            }
        }
    }
}
