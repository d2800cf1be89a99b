//! Commits: all of it or nothing, however many write at once.
//!
//! A commit is one object of the log, `N.json`, that only one writer can make. Who loses looks at what the winner wrote,
//! plans anew against it, and tries `N + 1`.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use deltalake_core::DeltaTable;
use deltalake_core::kernel::Action;
use deltalake_core::kernel::transaction::TransactionError;
use deltalake_core::logstore::CommitOrBytes;
use deltalake_core::protocol::checkpoints;
use serde_json::{Value, json};
use uuid::Uuid;

use super::create::CHECKPOINT_INTERVAL;
use super::{Snapshot, Table};
use crate::error::LakeError;

/// What a commit does.
#[async_trait]
pub(crate) trait Commit: Send {
    /// Says what is to change in this version of the table. It is asked again for each version that others wrote in
    /// the meantime; no action means that nothing is to change. The version may be one that this commit made, and nobody
    /// heard of it: then nothing is to change.
    async fn plan(&mut self, snapshot: &Snapshot) -> Result<Vec<Action>, LakeError>;
}

/// What the log says that a commit was for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Operation {
    /// Rows are taken in.
    Write,
    /// The same rows are put into other files.
    Optimize,
}

/// What came of a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Committed {
    /// The version that it made, or found with nothing to change.
    pub(crate) version: u64,
    /// How often others were faster.
    pub(crate) lost: u64,
}

/// Why a commit is not known to be made.
#[derive(Debug)]
pub(crate) struct NotCommitted {
    pub(crate) error: LakeError,
    /// Whether it may be there all the same, its answer lost on the way: then the files that it names must stay.
    pub(crate) may_be_made: bool,
}

impl From<NotCommitted> for LakeError {
    fn from(not: NotCommitted) -> Self {
        not.error
    }
}

/// What each commit of ours has an id by.
pub(super) const COMMIT_ID: &str = "testlakeCommit";
/// The longest wait for another try.
const LONGEST_WAIT: Duration = Duration::from_millis(200);
/// The first, doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(10);

impl Operation {
    fn info(self, id: &str, read_version: u64) -> Value {
        let (operation, parameters) = match self {
            Self::Write => ("WRITE", json!({"mode": "Append"})),
            Self::Optimize => ("OPTIMIZE", json!({})),
        };
        json!({"commitInfo": {
            "timestamp": crate::clock::unix_ms(),
            "operation": operation,
            "operationParameters": parameters,
            "readVersion": read_version,
            "engineInfo": concat!("testlake/", env!("CARGO_PKG_VERSION")),
            COMMIT_ID: id,
        }})
    }
}

impl Table {
    /// Commits what is planned, trying again for as long as `patience` where others are faster.
    pub(crate) async fn commit(
        &self,
        operation: Operation,
        patience: Duration,
        commit: &mut dyn Commit,
    ) -> Result<Committed, NotCommitted> {
        let mut may_be_made = false;
        let committed = self.committed(operation, patience, commit, &mut may_be_made).await;
        committed.map_err(|error| NotCommitted { error, may_be_made })
    }

    async fn committed(
        &self,
        operation: Operation,
        patience: Duration,
        commit: &mut dyn Commit,
        may_be_made: &mut bool,
    ) -> Result<Committed, LakeError> {
        let began = Instant::now();
        let id = Uuid::new_v4().to_string();
        let mut snapshot = self.snapshot().await?;
        let mut lost = 0;
        loop {
            let actions = commit.plan(&snapshot).await?;
            if actions.is_empty() {
                return Ok(Committed { version: snapshot.version(), lost });
            }
            let version = snapshot.version() + 1;
            let entry = entry_of(operation, &id, snapshot.version(), &actions)?;
            let entry = CommitOrBytes::LogBytes(entry.into());
            if let Err(error) = self.log.write_commit_entry(version, entry, Uuid::new_v4()).await {
                let is_taken = matches!(error, TransactionError::VersionAlreadyExists(_));
                let error = self.log_error(error.into());
                // A request whose answer was lost may have been heard.
                let is_ours = self.is_ours(version, &id).await;
                if is_ours == Some(true) {
                    tracing::debug!(table = self.kind.name(), version, %error, "committed all the same");
                } else {
                    *may_be_made |= is_ours.is_none() && (is_taken || error.is_transient());
                    if !is_taken {
                        return Err(error);
                    }
                    lost += 1;
                    wait(lost).await;
                    if began.elapsed() > patience {
                        return Err(LakeError::Contended {
                            lake: self.place.to_string(),
                            table: self.kind.name(),
                            waited: began.elapsed(),
                        });
                    }
                    snapshot = self.snapshot().await?;
                    continue;
                }
            }
            if version.is_multiple_of(CHECKPOINT_INTERVAL) {
                self.checkpoint(version).await;
            }
            return Ok(Committed { version, lost });
        }
    }

    /// Reports whether a version is the commit of this id; nothing where that cannot be seen, or not yet.
    async fn is_ours(&self, version: u64, id: &str) -> Option<bool> {
        match self.log.read_commit_entry(version).await {
            Ok(entry) => entry.map(|entry| memchr::memmem::find(&entry, id.as_bytes()).is_some()),
            Err(error) => {
                tracing::debug!(table = self.kind.name(), version, %error, "cannot see whose commit it is");
                None
            }
        }
    }

    /// Writes a checkpoint. The commit is there; what goes wrong here costs later readers time and nothing else.
    async fn checkpoint(&self, version: u64) {
        let checkpoint = async {
            let mut state = DeltaTable::new(Arc::clone(&self.log));
            state.load_version(version).await?;
            checkpoints::create_checkpoint(&state, None).await?;
            checkpoints::cleanup_metadata(&state, None).await
        };
        if let Err(error) = checkpoint.await {
            tracing::warn!(table = self.kind.name(), version, %error, "no checkpoint");
        }
    }
}

/// Waits for up to a time that doubles, so that many who lost do not come back at once.
async fn wait(lost: u64) {
    let doublings = u32::try_from(lost.saturating_sub(1)).unwrap_or(u32::MAX).min(8);
    let whole = FIRST_WAIT.saturating_mul(1 << doublings).min(LONGEST_WAIT);
    tokio::time::sleep(whole.mul_f64(fastrand::f64())).await;
}

fn entry_of(
    operation: Operation,
    id: &str,
    read_version: u64,
    actions: &[Action],
) -> Result<String, LakeError> {
    let mut entry = operation.info(id, read_version).to_string();
    for action in actions {
        let line = serde_json::to_string(action);
        entry.push('\n');
        entry.push_str(&line.map_err(|error| LakeError::internal("writing a commit")(error.into()))?);
    }
    Ok(entry)
}
