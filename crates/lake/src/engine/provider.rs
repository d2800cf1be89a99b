//! A version of a table as the engine scans it.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::{Array, BooleanArray};
use datafusion::arrow::compute::{and, cast, prep_null_mask_filter};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::cast::as_boolean_array;
use datafusion::common::pruning::PrunableStatistics;
use datafusion::common::stats::Precision;
use datafusion::common::{ColumnStatistics, DFSchema, Statistics};
use datafusion::datasource::TableType;
use datafusion::datasource::file_format::FileFormat;
use datafusion::datasource::file_format::parquet::ParquetFormat;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileGroup, FileScanConfigBuilder, ParquetSource};
use datafusion::datasource::table_schema::TableSchema;
use datafusion::error::Result;
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown};
use datafusion::physical_optimizer::pruning::PruningPredicateBuilder;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::empty::EmptyExec;
use datafusion::prelude::SessionContext;
use datafusion::scalar::ScalarValue;
use object_store_lake::path::Path;
use serde_json::Value;

use super::QueryError;
use crate::clock::parse_day;
use crate::schema::{Column, Kind, TableKind};
use crate::table::{Entry, Snapshot, Table};

/// A version of a table.
#[derive(Debug)]
pub(super) struct LakeTable {
    files: Vec<LakeFile>,
    statistics: Statistics,
    schema: TableSchema,
    store: ObjectStoreUrl,
}

/// A file, and what the log says of all of its columns, that of the partition too.
#[derive(Debug)]
struct LakeFile {
    file: PartitionedFile,
    told: Arc<Statistics>,
}

impl LakeTable {
    /// Makes the table of a version, and tells the engine where its files are.
    pub(super) fn new(
        snapshot: &Snapshot,
        context: &SessionContext,
    ) -> std::result::Result<Self, QueryError> {
        Self::of(snapshot.table(), snapshot.entries(), context)
    }

    /// Makes a table of some files of one.
    pub(super) fn of(
        table: &Table,
        entries: &[Entry],
        context: &SessionContext,
    ) -> std::result::Result<Self, QueryError> {
        let kind = table.kind;
        let store =
            ObjectStoreUrl::parse(format!("testlake://{}", kind.name())).map_err(QueryError::of_setup)?;
        context.runtime_env().register_object_store(store.as_ref(), table.store());
        let schema = schema_of(kind);
        let files = entries.iter().map(|entry| file_of(kind, entry)).collect::<Option<Vec<_>>>();
        let files = files.ok_or_else(|| crate::LakeError::Foreign {
            lake: table.place.to_string(),
            table: kind.name(),
            why: "the log names a file by a path or under a day that no testlake writes".to_owned(),
        })?;
        let mut statistics = Statistics::new_unknown(schema.table_schema());
        let rows = files.iter().map(|file| file.told.num_rows.get_value().copied());
        if let Some(rows) = rows.sum::<Option<usize>>() {
            statistics.num_rows = Precision::Exact(rows);
        }
        Ok(Self { files, statistics, schema, store })
    }
}

/// Returns the columns as the engine holds them: texts as views, which share the bytes of a page.
fn schema_of(kind: TableKind) -> TableSchema {
    let as_view = |field: &FieldRef| -> Field {
        let field = field.as_ref().clone();
        if field.data_type() == &DataType::Utf8 { field.with_data_type(DataType::Utf8View) } else { field }
    };
    let fields: Vec<Field> = kind.file_schema().fields().iter().map(as_view).collect();
    let of_partition = |column: &&Column| Some(column.name) == kind.partition();
    let partitions = kind.columns().iter().filter(of_partition).map(|column| Arc::new(column.to_arrow()));
    let partitions: Vec<FieldRef> = partitions.collect();
    TableSchema::builder(Arc::new(Schema::new(fields))).with_table_partition_cols(partitions).build()
}

fn file_of(kind: TableKind, entry: &Entry) -> Option<LakeFile> {
    let mut file = PartitionedFile::new(String::new(), entry.size);
    file.object_meta.location = Path::parse(&entry.path).ok()?;
    let mut of_partition = None;
    if kind.partition().is_some() {
        let day = ScalarValue::Date32(Some(parse_day(entry.date.as_deref()?)?));
        file = file.with_partition_values(vec![day.clone()]);
        of_partition = Some(ColumnStatistics {
            null_count: Precision::Exact(0),
            min_value: Precision::Exact(day.clone()),
            max_value: Precision::Exact(day),
            ..ColumnStatistics::new_unknown()
        });
    }
    let known = entry.parsed_statistics();
    let stored = kind.columns().iter().filter(|column| Some(column.name) != kind.partition());
    let mut statistics = Statistics {
        num_rows: count(known.as_ref().and_then(|known| known.get("numRecords"))),
        total_byte_size: Precision::Absent,
        column_statistics: stored
            .map(|column| match &known {
                Some(known) => column_statistics(column, known),
                None => ColumnStatistics::new_unknown(),
            })
            .collect(),
    };
    if known.is_some() {
        file = file.with_statistics(Arc::new(statistics.clone()));
    }
    statistics.column_statistics.extend(of_partition);
    Some(LakeFile { file, told: Arc::new(statistics) })
}

fn count(number: Option<&Value>) -> Precision<usize> {
    let number = number.and_then(Value::as_u64).and_then(|number| usize::try_from(number).ok());
    number.map_or(Precision::Absent, Precision::Exact)
}

fn column_statistics(column: &Column, known: &Value) -> ColumnStatistics {
    let bound = |which: &str| {
        let value = known.get(which)?.get(column.name)?;
        let value = match column.kind {
            Kind::Text => ScalarValue::Utf8View(Some(value.as_str()?.to_owned())),
            Kind::Int => ScalarValue::Int32(Some(i32::try_from(value.as_i64()?).ok()?)),
            Kind::Long => ScalarValue::Int64(Some(value.as_i64()?)),
            // A time is kept there to the millisecond, which is no exact value of the column.
            Kind::Double | Kind::Boolean | Kind::Date | Kind::Time | Kind::Texts | Kind::Tags => return None,
        };
        // Wider than the values at times, and so never told of the whole table, of which `min` would be answered by them.
        Some(Precision::Exact(value))
    };
    ColumnStatistics {
        null_count: count(known.get("nullCount").and_then(|counts| counts.get(column.name))),
        min_value: bound("minValues").unwrap_or(Precision::Absent),
        max_value: bound("maxValues").unwrap_or(Precision::Absent),
        ..ColumnStatistics::new_unknown()
    }
}

impl LakeTable {
    /// Reports whether a filter holds for all rows of a file, or for none: it is of no column but the partition's, or of none
    /// at all. Of what is promised to hold the engine may make the latter later: `date <> null` becomes `null`.
    fn is_of_whole_files(&self, filter: &Expr) -> bool {
        let is_partition =
            |name: &str| self.schema.table_partition_cols().iter().any(|partition| partition.name() == name);
        !filter.is_volatile() && filter.column_refs().iter().all(|column| is_partition(column.name()))
    }

    /// Says of each file whether filters of whole files hold.
    fn holds(&self, state: &dyn Session, filters: &[&Expr]) -> Result<BooleanArray> {
        let schema = Arc::new(Schema::new(self.schema.table_partition_cols().clone()));
        let names = DFSchema::try_from(Arc::clone(&schema))?;
        let values = (0..schema.fields().len()).map(|place| {
            let values = self.files.iter().filter_map(|file| file.file.partition_values.get(place).cloned());
            ScalarValue::iter_to_array(values)
        });
        let rows = RecordBatchOptions::new().with_row_count(Some(self.files.len()));
        let values = RecordBatch::try_new_with_options(schema, values.collect::<Result<_>>()?, &rows)?;
        let mut holds = BooleanArray::from(vec![true; self.files.len()]);
        for filter in filters {
            let filter = state.create_physical_expr((*filter).clone(), &names)?;
            let found = filter.evaluate(&values)?.into_array(values.num_rows())?;
            // What is neither true nor false is no row.
            let found = cast(&found, &DataType::Boolean)?;
            let found = as_boolean_array(&found)?;
            holds = match found.null_count() {
                0 => and(&holds, found)?,
                _ => and(&holds, &prep_null_mask_filter(found))?,
            };
        }
        Ok(holds)
    }

    /// Returns the files that may have rows for which all of this holds, by what the log says of them: so that what is left
    /// is shared out evenly.
    fn files_for(&self, state: &dyn Session, filters: &[Expr]) -> Result<Vec<PartitionedFile>> {
        let (of_files, others): (Vec<&Expr>, Vec<&Expr>) =
            filters.iter().partition(|filter| self.is_of_whole_files(filter));
        let may_match = self.may_match(state, &others)?;
        let holds = if of_files.is_empty() || self.files.is_empty() {
            None
        } else {
            Some(self.holds(state, &of_files)?)
        };
        let is_wanted = |place: usize| {
            holds.as_ref().is_none_or(|holds| holds.value(place))
                && may_match.as_ref().and_then(|may_match| may_match.get(place)).copied().unwrap_or(true)
        };
        let files = self.files.iter().enumerate().filter(|(place, _)| is_wanted(*place));
        Ok(files.map(|(_, file)| file.file.clone()).collect())
    }

    /// Says of each file whether the log leaves it open that filters hold for a row. Nothing where it cannot tell.
    fn may_match(&self, state: &dyn Session, filters: &[&Expr]) -> Result<Option<Vec<bool>>> {
        let filters = filters.iter().map(|filter| (*filter).clone());
        let Some(filter) = conjunction(filters) else { return Ok(None) };
        let schema = self.schema.table_schema();
        let names = DFSchema::try_from(Arc::clone(schema))?;
        let filter = state.create_physical_expr(filter, &names)?;
        let predicate = PruningPredicateBuilder::new().with_file_schema(Arc::clone(schema)).build(filter);
        let told = self.files.iter().map(|file| Arc::clone(&file.told)).collect();
        let told = PrunableStatistics::new(told, Arc::clone(schema));
        Ok(predicate.and_then(|predicate| predicate.prune(&told).ok()))
    }
}

#[async_trait]
impl TableProvider for LakeTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.schema.table_schema())
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    fn statistics(&self) -> Option<Statistics> {
        Some(self.statistics.clone())
    }

    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let pushdown = |filter: &&Expr| match self.is_of_whole_files(filter) {
            true => TableProviderFilterPushDown::Exact,
            false => TableProviderFilterPushDown::Inexact,
        };
        Ok(filters.iter().map(pushdown).collect())
    }

    async fn scan(
        &self,
        state: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let files = self.files_for(state, filters)?;
        if files.is_empty() {
            let schema = datafusion::common::project_schema(self.schema.table_schema(), projection)?;
            return Ok(Arc::new(EmptyExec::new(schema)));
        }
        let statistics = if files.len() == self.files.len() {
            self.statistics.clone()
        } else {
            self.statistics.clone().to_inexact()
        };
        let groups = FileGroup::new(files).split_files(state.config().target_partitions());
        let source = Arc::new(ParquetSource::new(self.schema.clone()));
        let scan = FileScanConfigBuilder::new(self.store.clone(), source)
            .with_file_groups(groups)
            .with_statistics(statistics)
            .with_projection_indices(projection.cloned())?
            // A filter is applied later, and needs more rows than are asked for.
            .with_limit(limit.filter(|_| filters.iter().all(|filter| self.is_of_whole_files(filter))))
            .build();
        let options = state.table_options().parquet.clone();
        let format = ParquetFormat::default().with_options(options);
        format.create_physical_plan(state, scan).await
    }
}
