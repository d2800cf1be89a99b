//! Makes lakes for `scripts/bench`, always the same ones.
//!
//!     make_lake days FOLDER DAYS RUNS CASES        so many runs of so many cases each over so many days, as `optimize` leaves them
//!     make_lake commits FOLDER COMMITS             so many uploads of ten cases, each a commit, and nothing optimised
//!
//! It prints, a line each, an attempt's id and day and a test's file, class and name, which are in the middle of the lake.

#![expect(
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::panic,
    clippy::print_stdout,
    reason = "what it makes is its own, and it prints what the bench asks for"
)]

mod days;

use std::error::Error;

use testlake_collect::bucket::StoreSettings;
use testlake_collect::run::{RunFacts, RunKey};
use testlake_lake::Lake;
use testlake_lake::ingest::{AttemptFacts, Origin, ReportKey};
use testlake_report::{Case, Outcome};

/// 2026-09-01T00:00:00Z, the first day.
const FIRST_DAY_MS: i64 = 1_788_220_800_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
const REPO: &str = "owner/name";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["days", folder, days, runs, cases] => {
            days::make(&made(folder).await?, days.parse()?, runs.parse()?, cases.parse()?).await
        }
        ["commits", folder, commits] => self::commits(&made(folder).await?, commits.parse()?).await,
        _ => Err("make_lake days FOLDER DAYS RUNS CASES | make_lake commits FOLDER COMMITS".into()),
    }
}

async fn made(folder: &str) -> Result<Lake, Box<dyn Error>> {
    Ok(Lake::open_or_create(folder, &StoreSettings::new(&|_| None)).await?)
}

fn attempt(run: usize, started_unix_ms: i64) -> AttemptFacts {
    let run_id = (9_871_000_000 + run * 7919).to_string();
    let branch = if run % 5 < 2 { "main".to_owned() } else { format!("someone/feature-{}", run / 7) };
    let facts = RunFacts {
        provider: Some("github".to_owned()),
        workflow: Some("trunk".to_owned()),
        event: Some(if branch == "main" { "push" } else { "pull_request" }.to_owned()),
        head_branch: Some(branch),
        head_commit: Some(
            (0_u64..3).map(|part| format!("{:016x}", days::mixed(run as u64 * 3 + part))).collect::<String>()
                [..40]
                .to_owned(),
        ),
        started_unix_ms: Some(started_unix_ms),
        ended_unix_ms: Some(started_unix_ms + 7_200_000),
        ..RunFacts::default()
    };
    AttemptFacts::new(RunKey { repo: Some(REPO.to_owned()), run_id, attempt: 1 }, facts)
}

async fn commits(lake: &Lake, commits: usize) -> Result<(), Box<dyn Error>> {
    for upload in 0..commits {
        // Twenty jobs a run.
        let (run, job) = (upload / 20, upload % 20);
        let started = FIRST_DAY_MS + i64::try_from(run)? * DAY_MS * 60 / i64::try_from(commits / 20 + 1)?;
        let ingest = lake.ingest(attempt(run, started));
        let key = ReportKey {
            artifact: format!("unit {job}"),
            path: "reports/junit.xml".to_owned(),
            job: Some(format!("{}", 27_000_000_000 + upload)),
            job_name: Some(format!("unit {job}")),
            variant: None,
        };
        let mut rows = ingest.report(key);
        for number in 0..10_u32 {
            let mut case = Case::new(Outcome::Passed, 0);
            case.suite = vec!["pytest".into()];
            case.class = Some(format!("tests.test_{job}.TestUnit").into());
            case.name = Some(format!("test_{number}").into());
            case.seconds = Some(f64::from(number) / 1000.0);
            rows.push(&case);
        }
        rows.end();
        ingest.commit(&Origin::Uploaded, &[]).await?;
    }
    Ok(())
}
