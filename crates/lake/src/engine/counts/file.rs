//! Counting the rows of one file.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, DictionaryArray, Int64Array, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::ParquetFileReaderFactory;
use datafusion::datasource::physical_plan::parquet::DefaultParquetFileReaderFactory;
use datafusion::error::{DataFusionError, Result};
use datafusion::physical_plan::metrics::ExecutionPlanMetricsSet;
use futures::TryStreamExt;
use object_store_lake::ObjectStore;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::arrow::async_reader::{AsyncFileReader, ParquetRecordBatchStreamBuilder};
use rustc_hash::FxHashMap;

use super::By;

/// Bytes at the end of a file that are read first: more than most footers have.
const FOOTER_BYTES: usize = 64 << 10;
/// Rows that are decoded at once.
const BATCH_ROWS: usize = 1 << 16;
/// Combinations of values' numbers that have a counter each; where there are more, each is looked up.
const MOST_COUNTERS: usize = 1 << 12;

/// The texts that rows are counted by.
type Key = Vec<Option<Arc<str>>>;

/// Counts the rows of a file.
pub(super) async fn count(
    store: Arc<dyn ObjectStore>,
    file: PartitionedFile,
    by: &[By],
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let texts: Vec<&str> = by
        .iter()
        .filter_map(|by| match by {
            By::Text(name) => Some(name.as_str()),
            By::Partition(_) => None,
        })
        .collect();
    let metrics = ExecutionPlanMetricsSet::new();
    let readers = DefaultParquetFileReaderFactory::new(store);
    let mut reader: Box<dyn AsyncFileReader> =
        readers.create_reader(0, file.clone(), Some(FOOTER_BYTES), &metrics)?;
    let options = ArrowReaderOptions::new().with_skip_arrow_metadata(true);
    let metadata = ArrowReaderMetadata::load_async(&mut reader, options.clone()).await?;
    let mut counts: FxHashMap<Key, i64> = FxHashMap::default();
    if texts.is_empty() {
        let rows = metadata.metadata().file_metadata().num_rows();
        // Of a day without a row there is no group.
        if rows > 0 {
            counts.insert(Vec::new(), rows);
        }
        return answer(&file, by, counts, schema);
    }
    let numbered = |field: &Arc<Field>| -> Field {
        let field = field.as_ref().clone();
        if !texts.contains(&field.name().as_str()) {
            return field;
        }
        field.with_data_type(DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8)))
    };
    let of_file: Vec<Field> = metadata.schema().fields().iter().map(numbered).collect();
    let options = options.with_schema(Arc::new(Schema::new(of_file)));
    let metadata = ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), options)?;
    let builder = ParquetRecordBatchStreamBuilder::new_with_metadata(reader, metadata);
    let mask = ProjectionMask::columns(builder.parquet_schema(), texts.iter().copied());
    let mut batches = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build()?;
    while let Some(batch) = batches.try_next().await? {
        add(&batch, &texts, &mut counts)?;
    }
    answer(&file, by, counts, schema)
}

/// The numbers of a batch's rows, and what they stand for.
struct Numbers<'a> {
    column: Option<&'a DictionaryArray<Int32Type>>,
    values: Option<&'a StringArray>,
}

impl<'a> Numbers<'a> {
    /// Takes them; of a column that an older file has not, each row has nothing.
    fn of(batch: &'a RecordBatch, name: &str) -> Result<Self> {
        let Some(column) = batch.column_by_name(name) else { return Ok(Self { column: None, values: None }) };
        let column: Option<&DictionaryArray<Int32Type>> = column.as_dictionary_opt();
        let values = column.and_then(|column| column.values().as_string_opt());
        if values.is_none() {
            return Err(DataFusionError::Internal(format!("`{name}` is no column of texts")));
        }
        Ok(Self { column, values })
    }

    /// Returns how many numbers there may be: one for each value, and one for nothing.
    fn many(&self) -> usize {
        self.values.map_or(0, Array::len) + 1
    }

    fn of_row(&self, row: usize) -> usize {
        let nothing = self.many() - 1;
        self.column.filter(|column| column.keys().is_valid(row)).map_or(nothing, |column| {
            let key = column.keys().values().get(row).copied();
            key.and_then(|key| usize::try_from(key).ok()).unwrap_or(nothing)
        })
    }

    fn text(&self, number: usize) -> Option<&'a str> {
        let values = self.values.filter(|values| number < values.len() && values.is_valid(number))?;
        Some(values.value(number))
    }
}

fn add(batch: &RecordBatch, texts: &[&str], counts: &mut FxHashMap<Key, i64>) -> Result<()> {
    let columns = texts.iter().map(|name| Numbers::of(batch, name)).collect::<Result<Vec<_>>>()?;
    let many: usize = columns.iter().fold(1, |many, column| many.saturating_mul(column.many()));
    // The number of a combination, in which the last column's goes up first.
    let number =
        |row| columns.iter().fold(0, |number: usize, column| number * column.many() + column.of_row(row));
    let mut add_to = |mut number: usize, count: i64| {
        let mut key: Key = Vec::with_capacity(columns.len());
        for column in columns.iter().rev() {
            key.push(column.text(number % column.many()).map(Into::into));
            number /= column.many();
        }
        key.reverse();
        *counts.entry(key).or_default() += count;
    };
    if many <= MOST_COUNTERS {
        let mut counters = vec![0; many];
        for row in 0..batch.num_rows() {
            if let Some(counter) = counters.get_mut(number(row)) {
                *counter += 1;
            }
        }
        counters
            .into_iter()
            .enumerate()
            .filter(|(_, count)| *count > 0)
            .for_each(|(at, count)| add_to(at, count));
    } else {
        let mut counters: FxHashMap<usize, i64> = FxHashMap::default();
        for row in 0..batch.num_rows() {
            *counters.entry(number(row)).or_default() += 1;
        }
        counters.into_iter().for_each(|(at, count)| add_to(at, count));
    }
    Ok(())
}

/// Makes the rows that go on.
fn answer(
    file: &PartitionedFile,
    by: &[By],
    counts: FxHashMap<Key, i64>,
    schema: &SchemaRef,
) -> Result<RecordBatch> {
    let (keys, counts): (Vec<Key>, Vec<i64>) = counts.into_iter().unzip();
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    let mut text = 0;
    for (by, field) in by.iter().zip(schema.fields()) {
        let column: ArrayRef = match by {
            By::Partition(place) => match file.partition_values.get(*place) {
                Some(value) => value.to_array_of_size(keys.len())?,
                None => return Err(DataFusionError::Internal("a file is under no day".to_owned())),
            },
            By::Text(_) => {
                let values = keys.iter().map(|key| key.get(text).and_then(Option::as_deref));
                let values: StringArray = values.collect();
                text += 1;
                Arc::new(values)
            }
        };
        columns.push(cast(&column, field.data_type())?);
    }
    let counts: ArrayRef = Arc::new(Int64Array::from(counts));
    columns.resize(schema.fields().len(), counts);
    Ok(RecordBatch::try_new(Arc::clone(schema), columns)?)
}
