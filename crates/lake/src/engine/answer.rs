//! Rows of an answer, as they are found.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use futures::{Stream, StreamExt};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::AbortHandle;
use tokio::time::{Instant, Sleep, sleep_until};

use super::{QueryError, QueryLimits};

/// Batches that are found ahead of who takes them.
const AHEAD: usize = 2;

/// Batches of rows, of one schema. It ends after an error. To drop it is to cancel the question.
pub struct Answer {
    schema: SchemaRef,
    rows: Option<Receiver<Result<RecordBatch, DataFusionError>>>,
    work: AbortHandle,
    has_ended: Arc<AtomicBool>,
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
        mut found: SendableRecordBatchStream,
        threads: &Handle,
        deadline: Option<Instant>,
        limits: QueryLimits,
    ) -> Self {
        let schema = found.schema();
        let deadline = deadline.map(|deadline| Box::pin(sleep_until(deadline)));
        let (sender, rows) = channel(AHEAD);
        let has_ended = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&has_ended);
        // In a task of its own: some steps of the engine take long, and neither time nor Ctrl-C waits for them.
        let work = threads.spawn(async move {
            while let Some(batch) = found.next().await {
                if sender.send(batch).await.is_err() {
                    return;
                }
            }
            end.store(true, Ordering::Release);
        });
        Self { schema, rows: Some(rows), work: work.abort_handle(), has_ended, deadline, limits }
    }

    /// Returns the columns.
    pub fn schema(&self) -> SchemaRef {
        SchemaRef::clone(&self.schema)
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.work.abort();
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
            this.work.abort();
            return Poll::Ready(Some(Err(QueryError::out_of_time(&this.limits))));
        }
        match rows.poll_recv(cx) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Some(Ok(batch))) => Poll::Ready(Some(Ok(batch))),
            Poll::Ready(Some(Err(error))) => {
                this.rows = None;
                Poll::Ready(Some(Err(QueryError::of(&error, &this.limits))))
            }
            Poll::Ready(None) => {
                this.rows = None;
                // A bug of the engine that panics must not look like the end of the rows.
                let has_ended = this.has_ended.load(Ordering::Acquire);
                Poll::Ready((!has_ended).then(|| Err(QueryError::broken_off())))
            }
        }
    }
}
