//! Counting rows by columns of few values.
//!
//! The engine makes a text of each row's value and looks it up. Here rows are counted by the numbers that the pages of a
//! file have for the values, and only the counts go on: a partial aggregation over a bare scan is replaced, and what
//! adds up its results stays as it is.

mod file;
mod rule;

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::datasource::listing::PartitionedFile;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::object_store::ObjectStoreUrl;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, ReplaceChildrenOptions,
};
use futures::{StreamExt, TryStreamExt};

pub(super) use rule::CountPages;

/// What rows are counted by.
#[derive(Debug, Clone, PartialEq, Eq)]
enum By {
    /// A column that a file has one value of, by its place among those.
    Partition(usize),
    /// A text column of the file.
    Text(String),
}

/// Counts the rows of files.
#[derive(Debug)]
struct CountExec {
    by: Vec<By>,
    /// The columns that are counted by, and behind them so many columns with the count.
    schema: SchemaRef,
    store: ObjectStoreUrl,
    files: Vec<Vec<PartitionedFile>>,
    properties: Arc<PlanProperties>,
}

impl CountExec {
    fn new(by: Vec<By>, schema: SchemaRef, store: ObjectStoreUrl, files: Vec<Vec<PartitionedFile>>) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(files.len()),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        Self { by, schema, store, files, properties: Arc::new(properties) }
    }
}

impl DisplayAs for CountExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let files: usize = self.files.iter().map(Vec::len).sum();
        write!(f, "CountExec: by={:?}, files={files}", self.by)
    }
}

impl ExecutionPlan for CountExec {
    fn name(&self) -> &'static str {
        "CountExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(self: Arc<Self>, _: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let Some(files) = self.files.get(partition).cloned() else {
            return Err(DataFusionError::Internal(format!("there is no partition {partition}")));
        };
        let store = context.runtime_env().object_store(&self.store)?;
        let (by, schema) = (self.by.clone(), Arc::clone(&self.schema));
        let counted = futures::stream::iter(files).then(move |file| {
            let (store, by, schema) = (Arc::clone(&store), by.clone(), Arc::clone(&schema));
            async move { file::count(store, file, &by, &schema).await }
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), counted.map_ok(|batch| batch))))
    }
}
