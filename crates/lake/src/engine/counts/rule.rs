//! Where rows are counted so.

use std::sync::Arc;

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::datasource::listing::PartitionedFile;
use datafusion::datasource::physical_plan::{FileScanConfig, ParquetSource};
use datafusion::datasource::source::DataSourceExec;
use datafusion::error::Result;
use datafusion::physical_expr::expressions::{Column, Literal};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};

use super::{By, CountExec};

/// Columns of which a day has few values, so that a file has few combinations of two of them.
const OF_FEW_VALUES: &[&str] = &["outcome", "branch", "variant", "job_name", "repo", "run_id"];
const MOST_TEXTS: usize = 2;

/// Replaces a partial aggregation that only counts, over a scan that only reads.
#[derive(Debug)]
pub(in crate::engine) struct CountPages;

impl PhysicalOptimizerRule for CountPages {
    fn optimize(&self, plan: Arc<dyn ExecutionPlan>, _: &ConfigOptions) -> Result<Arc<dyn ExecutionPlan>> {
        let replaced = plan.transform_up(|node| {
            let counting = node.downcast_ref::<AggregateExec>().and_then(counting);
            Ok(match counting {
                Some(counting) => Transformed::yes(Arc::new(counting) as Arc<dyn ExecutionPlan>),
                None => Transformed::no(node),
            })
        })?;
        Ok(replaced.data)
    }

    fn name(&self) -> &'static str {
        "count_pages"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

fn counting(aggregate: &AggregateExec) -> Option<CountExec> {
    let groups = aggregate.group_expr();
    let is_plain = *aggregate.mode() == AggregateMode::Partial
        && !groups.has_grouping_set()
        && !groups.expr().is_empty()
        && aggregate.limit_options().is_none()
        && aggregate.filter_expr().iter().all(Option::is_none);
    // `count(*)`, which is that of a constant.
    let only_counts = aggregate.aggr_expr().iter().all(|function| {
        let constant = |value: &Literal| !value.value().is_null();
        function.fun().name() == "count"
            && !function.is_distinct()
            && function.expressions().iter().all(|of| of.downcast_ref::<Literal>().is_some_and(constant))
    });
    if !is_plain || !only_counts {
        return None;
    }
    let scan = aggregate.input().downcast_ref::<DataSourceExec>()?;
    let (config, source) = scan.downcast_to_file_source::<ParquetSource>()?;
    let source: &dyn datafusion::datasource::physical_plan::FileSource = source;
    if source.filter().is_some() || config.limit.is_some() {
        return None;
    }
    let by: Vec<By> = groups
        .expr()
        .iter()
        .map(|(column, _)| by(config, source, column.downcast_ref::<Column>()?))
        .collect::<Option<_>>()?;
    let texts = by.iter().filter(|by| matches!(by, By::Text(_))).count();
    if texts > MOST_TEXTS {
        return None;
    }
    Some(CountExec::new(by, aggregate.schema(), config.object_store_url.clone(), shared_out(config)))
}

/// Returns what a column of a scan is in its files.
fn by(
    config: &FileScanConfig,
    source: &dyn datafusion::datasource::physical_plan::FileSource,
    column: &Column,
) -> Option<By> {
    let table = source.table_schema();
    let place = match source.projection() {
        Some(columns) => columns.iter().nth(column.index())?.expr.downcast_ref::<Column>()?.index(),
        None => column.index(),
    };
    let name = table.table_schema().fields().get(place)?.name();
    let partitions = config.file_source().table_schema().table_partition_cols();
    if let Some(place) = partitions.iter().position(|partition| partition.name() == name) {
        return Some(By::Partition(place));
    }
    OF_FEW_VALUES.contains(&name.as_str()).then(|| By::Text(name.clone()))
}

/// Shares whole files out, which were cut into ranges perhaps.
fn shared_out(config: &FileScanConfig) -> Vec<Vec<PartitionedFile>> {
    let mut files: Vec<PartitionedFile> = Vec::new();
    let mut seen = rustc_hash::FxHashSet::default();
    for file in config.file_groups.iter().flat_map(|group| group.iter()) {
        if seen.insert(file.object_meta.location.clone()) {
            let mut file = file.clone();
            file.range = None;
            files.push(file);
        }
    }
    let mut shares = vec![Vec::new(); config.file_groups.len().max(1)];
    let many = shares.len();
    for (place, file) in files.into_iter().enumerate() {
        if let Some(share) = shares.get_mut(place % many) {
            share.push(file);
        }
    }
    shares
}
