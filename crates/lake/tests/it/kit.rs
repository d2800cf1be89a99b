//! Lakes and runs that the tests are made of.

use std::path::Path;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use futures::TryStreamExt;
use testlake_collect::bucket::StoreSettings;
use testlake_collect::run::{RunFacts, RunKey};
use testlake_lake::engine::{Engine, Parameter, QueryError, QueryLimits};
use testlake_lake::ingest::{AttemptFacts, Ingest, Origin, ReportKey, TakenIn};
use testlake_lake::{Lake, LakeError};
use testlake_report::model::Try;
use testlake_report::time::Instant;
use testlake_report::{Case, Outcome};

/// 2026-11-23T00:00:00Z.
pub(crate) const DAY: i64 = 1_795_392_000_000;

/// Returns settings that lead nowhere.
pub(crate) fn no_settings() -> StoreSettings {
    StoreSettings::new(&|_| None)
}

pub(crate) async fn lake_in(folder: &Path) -> Lake {
    Lake::open_or_create(&folder.display().to_string(), &no_settings()).await.unwrap()
}

pub(crate) fn attempt(run_id: &str, attempt: u32) -> AttemptFacts {
    let run = RunKey { repo: Some("o/r".to_owned()), run_id: run_id.to_owned(), attempt };
    let facts = RunFacts {
        provider: Some("github".to_owned()),
        head_branch: Some("main".to_owned()),
        head_commit: Some("c0ffee".to_owned()),
        started_unix_ms: Some(DAY + 1000),
        ..RunFacts::default()
    };
    AttemptFacts::new(run, facts)
}

pub(crate) fn report(artifact: &str, path: &str) -> ReportKey {
    ReportKey {
        artifact: artifact.to_owned(),
        path: path.to_owned(),
        job: Some("17".to_owned()),
        job_name: Some("linux".to_owned()),
        variant: None,
    }
}

/// Returns the `number`th case of a report: each seventh fails, each eleventh is skipped, each thirteenth is flaky.
pub(crate) fn case(number: usize) -> Case<'static> {
    let outcome = match number {
        n if n % 7 == 3 => Outcome::Failed,
        n if n % 11 == 5 => Outcome::Skipped,
        _ => Outcome::Passed,
    };
    let mut case = Case::new(outcome, 0);
    case.suite = vec!["all".into(), format!("suite {}", number % 3).into()];
    case.file = (!number.is_multiple_of(5)).then(|| format!("test/test_{}.py", number % 4).into());
    case.class = Some(format!("Test{}", number % 6).into());
    case.name = Some(format!("test_{number:06}").into());
    case.seconds = (!number.is_multiple_of(9)).then_some(number as f64 / 1000.0);
    case.started =
        number.is_multiple_of(2).then(|| Instant::utc(DAY + 2000 + i64::try_from(number).unwrap()));
    if outcome == Outcome::Failed {
        case.detail.kind = Some("AssertionError".into());
        case.detail.message = Some(format!("{number} is odd").into());
        case.detail.text = Some(format!("Traceback: line {number}").into());
    }
    if number % 13 == 1 && outcome == Outcome::Passed {
        let failed = Try { outcome: Outcome::Failed, seconds: None, detail: case.detail.clone() };
        let passed = Try { outcome, seconds: None, detail: case.detail.clone() };
        case.tries = vec![failed, passed];
    }
    case
}

/// Tells a report of so many cases.
pub(crate) fn tell(ingest: &Arc<Ingest>, key: ReportKey, cases: std::ops::Range<usize>) {
    let mut rows = ingest.report(key);
    for number in cases {
        rows.push(&case(number));
    }
    rows.end();
}

/// Takes in one report of a run.
pub(crate) async fn upload(
    lake: &Lake,
    run: &str,
    artifact: &str,
    cases: std::ops::Range<usize>,
) -> Result<TakenIn, LakeError> {
    let ingest = lake.ingest(attempt(run, 1));
    tell(&ingest, report(artifact, "report.xml"), cases);
    ingest.commit(&Origin::Uploaded, &[]).await
}

pub(crate) async fn engine(lake: &Lake) -> Engine {
    Engine::open(lake, QueryLimits::default()).await.unwrap()
}

/// Returns the rows of an answer, each as its values with `|` between.
pub(crate) async fn ask_engine(
    engine: &Engine,
    sql: &str,
    parameters: &[(String, Parameter)],
) -> Result<Vec<String>, QueryError> {
    let batches: Vec<_> = engine.query(sql, parameters).await?.try_collect().await?;
    let mut rows = Vec::new();
    for batch in batches {
        let options = FormatOptions::default().with_null("NULL");
        let columns: Vec<ArrayRef> = batch.columns().to_vec();
        let columns: Vec<_> =
            columns.iter().map(|c| ArrayFormatter::try_new(c as &dyn Array, &options).unwrap()).collect();
        for row in 0..batch.num_rows() {
            rows.push(
                columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join("|"),
            );
        }
    }
    Ok(rows)
}

pub(crate) async fn ask(lake: &Lake, sql: &str) -> Vec<String> {
    ask_engine(&engine(lake).await, sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"))
}

/// Returns how many of so many cases ended in each way, as [`ask`] tells it.
pub(crate) fn outcomes(cases: std::ops::Range<usize>) -> Vec<String> {
    let mut counts = std::collections::BTreeMap::new();
    for number in cases {
        *counts.entry(case(number).outcome.as_str()).or_insert(0) += 1;
    }
    counts.into_iter().map(|(outcome, count)| format!("{outcome}|{count}")).collect()
}

/// The question that [`outcomes`] is the answer of.
pub(crate) const OUTCOMES: &str = "select outcome, count(*) as n from results group by 1 order by 1";

/// Returns every file below a folder, by its path there.
pub(crate) fn files_below(folder: &Path) -> Vec<String> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else {
                files.push(path.strip_prefix(folder).unwrap().display().to_string());
            }
        }
    }
    files.sort();
    files
}
