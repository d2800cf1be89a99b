//! A question, from its text to its rows on stdout.

use std::future::Future;
use std::io::{self, BufWriter, Stdout};

use futures::StreamExt as _;
use testlake_collect::plan::Cancel;
use testlake_lake::engine::{Engine, Parameter, QueryLimits};
use tokio::runtime::Runtime;

use super::{ending, open};
use crate::args::RowsFormat;
use crate::command::signal::Signals;
use crate::config::Environment;
use crate::config::value::ParameterValue;
use crate::exit::{Exit, Failure, OrExit};
use crate::plan::{self, LakePlace};
use crate::render::rows::{RowsWriter, Screen};

/// A question.
#[derive(Debug)]
pub(super) struct Ask {
    pub(super) sql: String,
    pub(super) parameters: Vec<(String, Parameter)>,
    pub(super) limits: QueryLimits,
    pub(super) format: RowsFormat,
}

/// Makes limits as the engine takes them.
pub(super) fn limits(limits: &plan::QueryLimits) -> QueryLimits {
    let default = QueryLimits::default();
    QueryLimits {
        memory_bytes: match limits.memory_bytes {
            // More than can be addressed is no limit.
            Some(bytes) => usize::try_from(bytes).ok(),
            None => default.memory_bytes,
        },
        time: limits.time,
        ..default
    }
}

/// Makes parameters as the engine takes them.
pub(super) fn parameters(given: Vec<(String, ParameterValue)>) -> Vec<(String, Parameter)> {
    let value = |value| match value {
        ParameterValue::Text(text) => Parameter::Text(text),
        ParameterValue::Integer(number) => Parameter::Integer(number),
        ParameterValue::Double(number) => Parameter::Double(number),
        ParameterValue::Boolean(is) => Parameter::Boolean(is),
    };
    given.into_iter().map(|(name, given)| (name, value(given))).collect()
}

/// Opens the lake and answers, and returns how many rows there were. A reader that has read enough is no failure.
pub(super) async fn answer(
    place: LakePlace,
    environment: Environment,
    ask: Ask,
    screen: Screen,
) -> Result<u64, Failure> {
    let lake = open(&place, &environment).await?;
    let engine = Engine::open(&lake, ask.limits.clone()).await.map_err(ending::query_failure)?;
    show(&engine, &ask, screen).await
}

/// Answers, and returns how many rows there were.
async fn show(engine: &Engine, ask: &Ask, screen: Screen) -> Result<u64, Failure> {
    let mut rows = engine.query(&ask.sql, &ask.parameters).await.map_err(ending::query_failure)?;
    let stdout: BufWriter<Stdout> = BufWriter::new(io::stdout());
    let mut writer = written(RowsWriter::new(ask.format, stdout, &rows.schema(), screen))?;
    let mut failed = None;
    while let Some(batch) = rows.next().await {
        match batch {
            Ok(batch) => written(writer.write(&batch))?,
            Err(error) => {
                failed = Some(ending::query_failure(error));
                break;
            }
        }
    }
    // What was found before is shown, too.
    let count = written(writer.end())?;
    failed.map_or(Ok(count), Err)
}

fn written<T>(result: io::Result<T>) -> Result<T, Failure> {
    const CANNOT: &str = "cannot write to the standard output";
    let (exit, cannot) = match &result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => (Exit::Done, CANNOT),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            (Exit::Usage, "the answer cannot be written in the form of `--format`")
        }
        _ => (Exit::Unavailable, CANNOT),
    };
    result.or_exit(exit).map_err(|failure| failure.context(cannot))
}

/// Works until it is done or a signal comes. What is under way then is dropped.
pub(super) fn until_signal<T: Send + 'static>(
    runtime: Runtime,
    is_quiet: bool,
    work: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    let cancel = Cancel::new();
    let signals = Signals::listen(&cancel, is_quiet).or_exit(Exit::Unavailable)?;
    let task = runtime.spawn(work);
    let done = runtime.block_on(async {
        tokio::select! {
            done = task => Some(done),
            () = cancel.cancelled() => None,
        }
    });
    // A thread that waits for a disk or for who reads the output is not waited for.
    runtime.shutdown_background();
    match done {
        Some(Ok(done)) => done,
        Some(Err(panic)) => match panic.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => Err(error).or_exit(Exit::Bug),
        },
        None => Err(ending::signalled(signals.exit().unwrap_or(Exit::Bug))),
    }
}
