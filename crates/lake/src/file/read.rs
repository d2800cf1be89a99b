//! Reading a file of a table.

use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::{ArrayRef, new_null_array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use object_store_lake::ObjectStoreExt;
use object_store_lake::path::Path;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::error::LakeError;
use crate::table::{Entry, Table};

/// Rows of a batch.
const BATCH_ROWS: usize = 1 << 14;

/// Reads a file, whole or some of its columns.
pub(crate) async fn read(
    table: &Table,
    entry: &Entry,
    columns: Option<&[&str]>,
) -> Result<ParquetRecordBatchReader, LakeError> {
    let path = &entry.path;
    let damaged = |source: crate::error::Cause| LakeError::Damaged {
        place: table.place.object(table.kind, path),
        source,
    };
    let location = Path::parse(path).map_err(|error| damaged(error.into()))?;
    let bytes = match table.store().get(&location).await {
        Ok(object) => object.bytes().await.map_err(|error| table.store_error("read", path, error))?,
        Err(error @ object_store_lake::Error::NotFound { .. }) => return Err(damaged(error.into())),
        Err(error) => return Err(table.store_error("read", path, error)),
    };
    if bytes.len() as u64 != entry.size {
        return Err(damaged(format!("it has {} bytes, and the log says {}", bytes.len(), entry.size).into()));
    }
    reader(bytes, columns).map_err(|error| damaged(error.into()))
}

fn reader(
    bytes: Bytes,
    columns: Option<&[&str]>,
) -> Result<ParquetRecordBatchReader, parquet::errors::ParquetError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes)?.with_batch_size(BATCH_ROWS);
    let Some(columns) = columns else { return builder.build() };
    let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
    builder.with_projection(mask).build()
}

/// Gives a batch the form of a schema: columns by name, in order; those that are absent are null.
pub(crate) fn conformed(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let column = |field: &datafusion::arrow::datatypes::FieldRef| -> Result<ArrayRef, ArrowError> {
        match batch.column_by_name(field.name()) {
            Some(column) if column.data_type() == field.data_type() => Ok(Arc::clone(column)),
            Some(column) => cast(column, field.data_type()),
            None => Ok(new_null_array(field.data_type(), batch.num_rows())),
        }
    };
    let columns = schema.fields().iter().map(column).collect::<Result<_, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}
