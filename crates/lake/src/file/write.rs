//! Writing a file of a table.

use std::sync::LazyLock;

use bytes::Bytes;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use object_store_lake::path::Path;
use object_store_lake::{ObjectStoreExt, PutPayload};
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowWriterOptions, compute_leaves};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::{ColumnDescPtr, ColumnPath};
use uuid::Uuid;

use super::Statistics;
use super::numbered::NumberedWriter;
use crate::error::LakeError;
use crate::schema::TableKind;
use crate::table::{Entry, Table, Told};

/// How hard to try for a small file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Effort {
    /// While a run is taken in: fast.
    Quick,
    /// When files are put together: small.
    Small,
}

/// Rows of a row group: what a reader skips or takes whole, and what is held in memory while it is written.
const ROW_GROUP_ROWS: usize = 1 << 18;
/// Rows of a page: what a reader of one test inflates at least.
const PAGE_ROWS: usize = 1 << 14;
/// Bytes of a dictionary: names of tests fill more than the usual MiB.
const DICTIONARY_BYTES: usize = 4 << 20;

/// A file of a table under way, in memory.
pub(crate) struct FileWriter {
    kind: TableKind,
    writer: ArrowWriter<Vec<u8>>,
    statistics: Statistics,
}

/// A file that is written and not yet in the store.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) bytes: Bytes,
    pub(crate) statistics: String,
}

/// Writes a file of one batch, in which dictionaries stand for texts: faster than by [`FileWriter`], and not in pieces.
pub(crate) fn write_whole(
    kind: TableKind,
    batch: &RecordBatch,
    effort: Effort,
) -> Result<Written, LakeError> {
    if batch.num_rows() > ROW_GROUP_ROWS {
        let mut writer = FileWriter::new(kind, batch.schema(), effort)?;
        writer.write(batch)?;
        return writer.finish();
    }
    let mut statistics = Statistics::new(kind);
    statistics.add(batch);
    let bytes = whole(kind, batch, effort).map_err(internal)?;
    tracing::trace!(table = kind.name(), rows = batch.num_rows(), bytes = bytes.len(), "file written");
    Ok(Written { bytes: bytes.into(), statistics: statistics.to_json() })
}

fn whole(kind: TableKind, batch: &RecordBatch, effort: Effort) -> Result<Vec<u8>, ParquetError> {
    let properties = properties(kind, effort);
    let options =
        ArrowWriterOptions::new().with_properties(properties.clone()).with_skip_arrow_metadata(true);
    let writer = ArrowWriter::try_new_with_options(Vec::new(), batch.schema(), options)?;
    let (mut writer, columns) = writer.into_serialized_writer()?;
    let descriptors: Vec<ColumnDescPtr> = writer.schema_descr().columns().to_vec();
    let mut leaves = columns.create_column_writers(0)?.into_iter().zip(&descriptors);
    let mut numbered = NumberedWriter::new(&properties, PAGE_ROWS, DICTIONARY_BYTES);
    let mut group = writer.next_row_group()?;
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        for leaf in compute_leaves(field, column)? {
            let Some((mut usual, descriptor)) = leaves.next() else {
                return Err(ParquetError::General("more columns than the schema has".to_owned()));
            };
            match numbered.as_mut().and_then(|numbered| numbered.chunk(descriptor, column.as_ref())) {
                Some(chunk) => {
                    let (bytes, closed) = chunk?;
                    group.append_column(&bytes, closed)?;
                }
                None => {
                    usual.write(&leaf)?;
                    usual.close()?.append_to_row_group(&mut group)?;
                }
            }
        }
    }
    group.close()?;
    writer.into_inner()
}

impl FileWriter {
    /// Begins a file. The batches that follow have this schema, which may hold dictionaries where the table's has
    /// texts.
    pub(crate) fn new(kind: TableKind, schema: SchemaRef, effort: Effort) -> Result<Self, LakeError> {
        let properties = properties(kind, effort);
        // Readers take the types from the log; a dictionary in memory is nobody's business.
        let options = ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(Vec::new(), schema, options).map_err(internal)?;
        Ok(Self { kind, writer, statistics: Statistics::new(kind) })
    }

    /// Adds rows, which come in the table's order.
    pub(crate) fn write(&mut self, batch: &RecordBatch) -> Result<(), LakeError> {
        self.statistics.add(batch);
        self.writer.write(batch).map_err(internal)
    }

    /// Returns about how large the file is so far, in bytes.
    pub(crate) fn size(&self) -> usize {
        self.writer.bytes_written() + self.writer.in_progress_size()
    }

    /// Ends the file.
    pub(crate) fn finish(self) -> Result<Written, LakeError> {
        let (rows, statistics) = (self.statistics.rows(), self.statistics.to_json());
        let bytes = self.writer.into_inner().map_err(internal)?;
        tracing::trace!(table = self.kind.name(), rows, bytes = bytes.len(), "file written");
        Ok(Written { bytes: bytes.into(), statistics })
    }
}

fn internal(error: ParquetError) -> LakeError {
    LakeError::internal("writing Parquet")(error.into())
}

fn properties(kind: TableKind, effort: Effort) -> WriterProperties {
    static LEVELS: LazyLock<[ZstdLevel; 2]> =
        LazyLock::new(|| [3, 9].map(|level| ZstdLevel::try_new(level).unwrap_or_default()));
    let [quick, small] = *LEVELS;
    let level = match effort {
        Effort::Quick => quick,
        Effort::Small => small,
    };
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("testlake ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_sorting_columns(Some(sorting(kind)));
    if kind == TableKind::Results {
        // In rows of one report they go up by one or hardly: what is told is the step.
        for column in ["ordinal", "line"] {
            let path = || ColumnPath::from(column);
            properties = properties
                .set_column_dictionary_enabled(path(), false)
                .set_column_encoding(path(), Encoding::DELTA_BINARY_PACKED);
        }
        // Long texts, each its own: bounds of theirs help nobody.
        for column in ["detail", "message"] {
            properties =
                properties.set_column_statistics_enabled(ColumnPath::from(column), EnabledStatistics::Chunk);
        }
        properties = properties.set_column_encoding(ColumnPath::from("name"), Encoding::DELTA_BYTE_ARRAY);
    }
    properties.build()
}

fn sorting(kind: TableKind) -> Vec<SortingColumn> {
    // The columns before these have one leaf each, so that the place among leaves is that among columns.
    let place = |name: &&str| kind.columns().iter().position(|column| column.name == *name);
    let places = kind.sorted_by().iter().filter_map(place).filter_map(|place| i32::try_from(place).ok());
    places.map(|column_idx| SortingColumn { column_idx, descending: false, nulls_first: true }).collect()
}

/// Makes the name of a new file. `owner` is the key of the attempt that all of its rows are of; without one it is mixed.
pub(crate) fn name_of(date: Option<&str>, owner: Option<&str>) -> String {
    let owner = owner.unwrap_or("mixed");
    let id = Uuid::new_v4().simple();
    match date {
        Some(date) => format!("date={date}/{owner}-{id}.parquet"),
        None => format!("{owner}-{id}.parquet"),
    }
}

/// Puts a file into the store. No reader sees it before a commit names it.
pub(crate) async fn put(
    table: &Table,
    path: String,
    date: Option<String>,
    written: Written,
) -> Result<Entry, LakeError> {
    let size = written.bytes.len() as u64;
    let location = Path::parse(&path).map_err(|error| table.store_error("write", &path, error.into()))?;
    let stored = table.store().put(&location, PutPayload::from(written.bytes)).await;
    stored.map_err(|error| table.store_error("write", &path, error))?;
    Ok(Entry {
        path,
        size,
        modified: crate::clock::unix_ms(),
        date,
        statistics: Told::Text(written.statistics.into()),
    })
}
