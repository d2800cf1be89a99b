//! SQL over the tables, in the process, within a limit of memory and one of time. It only reads.

mod answer;
mod counts;
mod error;
mod provider;
mod sorted;
mod statement;
mod test_id;

pub use answer::Answer;
pub use error::QueryError;
pub(crate) use sorted::sorted_rows;

use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::ParamValues;
use datafusion::common::metadata::ScalarAndMetadata;
use datafusion::execution::SessionStateBuilder;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::logical_expr::{LogicalPlan, ScalarUDF};
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::execute_stream;
use datafusion::prelude::{SQLOptions, SessionConfig, SessionContext};
use datafusion::scalar::ScalarValue;
use tokio::runtime::Runtime;

use crate::Lake;
use crate::schema::TableKind;
use counts::CountPages;
use provider::LakeTable;
use test_id::TestIdOf;

/// What a question may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryLimits {
    /// Bytes that sorting, grouping and joining may hold; what is more is put on the disk. Absent: no limit.
    pub memory_bytes: Option<usize>,
    /// How long a question may take, from its beginning to its last row. Absent: as long as it takes.
    pub time: Option<Duration>,
    /// How many threads work on it. Absent: as many as the machine has.
    pub threads: Option<NonZeroUsize>,
    /// Where what memory does not hold is put. Absent: the system's folder for such.
    pub spill: Option<PathBuf>,
}

impl Default for QueryLimits {
    /// 2 GiB, and no limit of time.
    fn default() -> Self {
        Self { memory_bytes: Some(2 << 30), time: None, threads: None, spill: None }
    }
}

/// The value of a parameter, `$name` in SQL.
#[derive(Debug, Clone, PartialEq)]
pub enum Parameter {
    /// A text. Where it is compared with a number, it is read as one.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A number.
    Double(f64),
    /// Yes or no.
    Boolean(bool),
    /// Nothing.
    Null,
}

/// Answers questions about one version of each table: what others write in the meantime is not seen.
pub struct Engine {
    context: SessionContext,
    work: Work,
    limits: QueryLimits,
    tables: Vec<(&'static str, SchemaRef)>,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Engine {
    /// Opens the latest version of each table of a lake.
    ///
    /// # Errors
    /// Where a table cannot be read.
    pub async fn open(lake: &Lake, limits: QueryLimits) -> Result<Self, QueryError> {
        let context = context(&limits)?;
        let mut tables = Vec::new();
        for kind in TableKind::ALL {
            let snapshot = lake.table(kind).snapshot().await?;
            let table = Arc::new(LakeTable::new(&snapshot, &context)?);
            let schema = match kind {
                TableKind::Results => {
                    let view = with_test_id(&context, table)?;
                    let schema = Arc::clone(view.schema().inner());
                    context.register_table(kind.name(), view.into_view()).map_err(QueryError::of_setup)?;
                    schema
                }
                TableKind::Runs | TableKind::Findings => {
                    let schema = datafusion::catalog::TableProvider::schema(&*table);
                    context.register_table(kind.name(), table).map_err(QueryError::of_setup)?;
                    schema
                }
            };
            tables.push((kind.name(), schema));
        }
        Ok(Self { context, work: Work::new(&limits)?, limits, tables })
    }

    /// Returns the tables by name, with their columns, as SQL sees them.
    pub fn tables(&self) -> &[(&'static str, SchemaRef)] {
        &self.tables
    }

    /// Asks. One statement that reads; its parameters, `$name`, by name. The answer comes as it is found; to drop it is
    /// to cancel.
    ///
    /// # Errors
    /// Where the SQL is wrong or would write. What goes wrong later comes with the answer.
    pub async fn query(&self, sql: &str, parameters: &[(String, Parameter)]) -> Result<Answer, QueryError> {
        let deadline = self.limits.time.map(|time| tokio::time::Instant::now() + time);
        let work = self.work.handle();
        let (context, limits) = (self.context.clone(), self.limits.clone());
        let (sql, parameters) = (sql.to_owned(), parameters.to_vec());
        let planned = async move {
            let plan = plan(&context, &limits, &sql, &parameters).await?;
            let physical = context.state().create_physical_plan(&plan).await;
            let physical = physical.map_err(|error| QueryError::of(&error, &limits))?;
            execute_stream(physical, context.task_ctx()).map_err(|error| QueryError::of(&error, &limits))
        };
        let planned = AbortOnDropHandle(work.spawn(planned));
        let planned = async { planned.await.map_err(|_| QueryError::broken_off())? };
        let stream = match deadline {
            None => planned.await?,
            Some(deadline) => {
                let planned = tokio::time::timeout_at(deadline, planned).await;
                planned.map_err(|_| QueryError::out_of_time(&self.limits))??
            }
        };
        Ok(Answer::new(stream, &work, deadline, self.limits.clone()))
    }
}

/// A task that ends when nobody waits for it any more.
struct AbortOnDropHandle<T>(tokio::task::JoinHandle<T>);

impl<T> Future for AbortOnDropHandle<T> {
    type Output = Result<T, tokio::task::JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        Pin::new(&mut self.0).poll(cx)
    }
}

impl<T> Drop for AbortOnDropHandle<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn plan(
    context: &SessionContext,
    limits: &QueryLimits,
    sql: &str,
    parameters: &[(String, Parameter)],
) -> Result<LogicalPlan, QueryError> {
    let statement = statement::parse(sql)?;
    let wrong = |error| QueryError::of(&error, limits);
    let plan = context.state().statement_to_plan(statement).await.map_err(wrong)?;
    let reads = SQLOptions::new().with_allow_ddl(false).with_allow_dml(false).with_allow_statements(false);
    reads.verify_plan(&plan).map_err(|_| QueryError::writes(sql))?;
    let used = plan.get_parameter_names().map_err(wrong)?;
    for name in &used {
        if !parameters.iter().any(|(given, _)| name.strip_prefix('$') == Some(given)) {
            return Err(QueryError::NoParameter { name: name.clone() });
        }
    }
    if let Some((unused, _)) = parameters.iter().find(|(given, _)| !used.contains(&format!("${given}"))) {
        return Err(QueryError::UnusedParameter { name: unused.clone() });
    }
    if used.is_empty() {
        return Ok(plan);
    }
    let value =
        |(name, value): &(String, Parameter)| (name.clone(), ScalarAndMetadata::new(value.to_scalar(), None));
    let values: HashMap<String, ScalarAndMetadata> = parameters.iter().map(value).collect();
    plan.with_param_values(ParamValues::Map(values)).map_err(wrong)
}

/// Threads of the engine's own: a step of it may take long, and those of the caller keep time and hear Ctrl-C.
struct Work(Option<Runtime>);

impl Work {
    fn new(limits: &QueryLimits) -> Result<Self, QueryError> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        if let Some(threads) = limits.threads {
            builder.worker_threads(threads.get());
        }
        let runtime = builder.thread_name("testlake-sql").enable_all().build();
        Ok(Self(Some(runtime.map_err(|error| QueryError::of_setup(error.into()))?)))
    }

    fn handle(&self) -> tokio::runtime::Handle {
        match &self.0 {
            Some(runtime) => runtime.handle().clone(),
            // Only while it is dropped.
            None => tokio::runtime::Handle::current(),
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            // What was cancelled may still be in the midst of a step.
            runtime.shutdown_background();
        }
    }
}

impl Parameter {
    fn to_scalar(&self) -> ScalarValue {
        match self {
            Self::Text(text) => ScalarValue::Utf8(Some(text.clone())),
            Self::Integer(number) => ScalarValue::Int64(Some(*number)),
            Self::Double(number) => ScalarValue::Float64(Some(*number)),
            Self::Boolean(value) => ScalarValue::Boolean(Some(*value)),
            Self::Null => ScalarValue::Null,
        }
    }
}

fn context(limits: &QueryLimits) -> Result<SessionContext, QueryError> {
    let mut runtime = RuntimeEnvBuilder::new();
    if let Some(bytes) = limits.memory_bytes {
        runtime = runtime.with_memory_pool(Arc::new(FairSpillPool::new(bytes)));
    }
    if let Some(folder) = &limits.spill {
        let mode = DiskManagerMode::Directories(vec![folder.clone()]);
        runtime = runtime.with_disk_manager_builder(DiskManagerBuilder::default().with_mode(mode));
    }
    let runtime = runtime.build_arc().map_err(QueryError::of_setup)?;
    let mut config = SessionConfig::new()
        .with_information_schema(true)
        .set_bool("datafusion.execution.parquet.pushdown_filters", true)
        .set_bool("datafusion.execution.parquet.reorder_filters", true)
        .set_bool("datafusion.sql_parser.enable_ident_normalization", true);
    if let Some(threads) = limits.threads {
        config = config.with_target_partitions(threads.get());
    }
    let mut rules = PhysicalOptimizer::new().rules;
    rules.push(Arc::new(CountPages));
    let state = SessionStateBuilder::new()
        .with_config(config)
        .with_runtime_env(runtime)
        .with_default_features()
        .with_physical_optimizer_rules(rules);
    Ok(SessionContext::new_with_state(state.build()))
}

/// Puts the test id before the columns of results. It costs nothing where it is not asked for.
fn with_test_id(
    context: &SessionContext,
    table: Arc<LakeTable>,
) -> Result<datafusion::dataframe::DataFrame, QueryError> {
    use datafusion::logical_expr::{Expr, col};
    let function = Arc::new(ScalarUDF::from(TestIdOf::new()));
    context.register_udf(function.as_ref().clone());
    // In quotes, as `file` and `commit` would be, were they told from keywords by their look.
    let parts = ["repo", "file", "suite", "class", "name"].map(|name| col(format!("\"{name}\"")));
    let id = function.call(parts.to_vec()).alias("test_id");
    let columns = TableKind::Results.columns().iter().map(|column| col(format!("\"{}\"", column.name)));
    let columns: Vec<Expr> = std::iter::once(id).chain(columns).collect();
    let frame = context.read_table(table).map_err(QueryError::of_setup)?;
    frame.select(columns).map_err(QueryError::of_setup)
}
