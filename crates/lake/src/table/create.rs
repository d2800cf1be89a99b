//! Making a table that is not there.

use deltalake_core::kernel::transaction::TransactionError;
use deltalake_core::logstore::CommitOrBytes;
use serde_json::json;
use uuid::Uuid;

use super::{Snapshot, Table};
use crate::error::LakeError;
use crate::schema::{VERSION, VERSION_PROPERTY};

/// After how many commits a checkpoint is written, so that a reader reads no more of the log than that.
pub(super) const CHECKPOINT_INTERVAL: u64 = 50;

impl Table {
    /// Reports whether there is such a table.
    pub(crate) async fn exists(&self) -> Result<bool, LakeError> {
        self.log.is_delta_table_location().await.map_err(|error| self.log_error(error))
    }

    /// Reads the table, and makes it where there is none.
    pub(crate) async fn opened_or_created(&self) -> Result<Snapshot, LakeError> {
        match self.snapshot().await {
            Err(LakeError::NoLake { .. } | LakeError::NoTable { .. }) => {
                self.create().await?;
                self.snapshot().await
            }
            opened => opened,
        }
    }

    /// Makes the table. One that somebody else makes at the same time is left as it is.
    async fn create(&self) -> Result<(), LakeError> {
        let internal = LakeError::internal("making a table");
        let schema = self.kind.delta_schema().map_err(|error| internal(error.into()))?;
        let schema = serde_json::to_string(&schema).map_err(|error| internal(error.into()))?;
        let now = crate::clock::unix_ms();
        let actions = [
            json!({"commitInfo": {
                "timestamp": now, "operation": "CREATE TABLE", "operationParameters": {},
                "engineInfo": concat!("testlake/", env!("CARGO_PKG_VERSION")),
            }}),
            // The lowest that says it all, so that every reader reads it.
            json!({"protocol": {"minReaderVersion": 1, "minWriterVersion": 2}}),
            json!({"metaData": {
                "id": Uuid::new_v4().to_string(),
                "name": self.kind.name(),
                "format": {"provider": "parquet", "options": {}},
                "schemaString": schema,
                "partitionColumns": self.kind.partition().into_iter().collect::<Vec<_>>(),
                "configuration": {
                    VERSION_PROPERTY: VERSION.to_string(),
                    "delta.checkpointInterval": CHECKPOINT_INTERVAL.to_string(),
                    // Old versions are not to be gone back to; the log stays short.
                    "delta.logRetentionDuration": "interval 1 day",
                },
                "createdTime": now,
            }}),
        ];
        let lines: Vec<String> = actions.iter().map(ToString::to_string).collect();
        let entry = CommitOrBytes::LogBytes(lines.join("\n").into());
        match self.log.write_commit_entry(0, entry, Uuid::new_v4()).await {
            Ok(()) | Err(TransactionError::VersionAlreadyExists(_)) => Ok(()),
            Err(error) => Err(self.log_error(error.into())),
        }
    }
}
