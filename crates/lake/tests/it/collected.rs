//! A run that is collected is taken in by the way.

use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use testlake_collect::limits::{ArchiveLimits, ReportLimits};
use testlake_collect::output;
use testlake_collect::pipeline;
use testlake_collect::plan::{
    Cancel, CollectPlan, Collected, Full, Observer, Profile, RunRequest, Unobserved,
};
use testlake_collect::results::Results;
use testlake_collect::run::{AttemptChoice, RunFacts};
use testlake_collect::source::{Folder, Layout};
use testlake_lake::Lake;
use testlake_lake::ingest::{LakeResults, TakenIn};
use testlake_testkit::run::{MadeRun, REPO, RUN_ID, RunShape};

use crate::kit::{OUTCOMES, ask, lake_in};

fn plan(bucket: &Path, out: &Path, results: Arc<LakeResults>) -> CollectPlan {
    CollectPlan {
        run: RunRequest {
            repo: Some(REPO.to_owned()),
            run_id: Some(RUN_ID.to_owned()),
            attempts: AttemptChoice::Number(1),
        },
        sources: vec![Arc::new(Folder::new(bucket, Layout::default()))],
        destination: Arc::new(output::Folder::new(out)),
        profile: Profile::Pytorch,
        full: Full::Always,
        full_branch: "main".to_owned(),
        full_repository: None,
        facts: RunFacts::default(),
        redactor: None,
        job_names: None,
        jobs_source: None,
        artifact_glob: None,
        threads: NonZeroUsize::new(2).unwrap(),
        max_concurrency: NonZeroUsize::new(4).unwrap(),
        archive_limits: ArchiveLimits::default(),
        report_limits: ReportLimits::default(),
        require_complete: false,
        expect_jobs: None,
        dry_run: false,
        results: Some(results as Arc<dyn Results>),
    }
}

async fn take_in(lake: &Lake, made: &Arc<MadeRun>) -> (Collected, TakenIn) {
    let results = Arc::new(LakeResults::new(lake, vec![("suite".to_owned(), "unit".to_owned())]));
    let (told, made) = (Arc::clone(&results), Arc::clone(made));
    let collect = move || {
        let out = tempfile::tempdir().unwrap();
        let plan = plan(made.bucket(), out.path(), told);
        let observer: Arc<dyn Observer> = Arc::new(Unobserved);
        pipeline::collect(&plan, &observer, &Cancel::default()).unwrap().remove(0)
    };
    let collected = tokio::task::spawn_blocking(collect).await.unwrap();
    let taken_in = results.commit(&collected).await.unwrap().unwrap();
    (collected, taken_in)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_made_run_is_there_once_as_its_ledger_counts_it() {
    let made = Arc::new(MadeRun::make(RunShape { cases: 6000, ..RunShape::default() }).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    let (collected, taken_in) = take_in(&lake, &made).await;
    let told = collected.ledger.results.unwrap();
    assert_eq!((taken_in.cases, taken_in.reports, taken_in.replaced), (told.total, told.reports, 0));
    let counts = [
        ("errored", told.errored),
        ("failed", told.failed),
        ("passed", told.passed),
        ("skipped", told.skipped),
    ];
    let counts: Vec<String> =
        counts.iter().filter(|(_, n)| *n > 0).map(|(outcome, n)| format!("{outcome}|{n}")).collect();
    assert_eq!(ask(&lake, OUTCOMES).await, counts);
    let of_run = "select repo, run_id, attempt, cases, passed, failed, errored, skipped, flaky, verdict, tags['suite'] from runs";
    let figures = format!(
        "{REPO}|{RUN_ID}|1|{}|{}|{}|{}|{}|{}|{}|unit",
        told.total,
        told.passed,
        told.failed,
        told.errored,
        told.skipped,
        told.flaky,
        collected.ledger.verdict.as_str()
    );
    assert_eq!(ask(&lake, of_run).await, std::slice::from_ref(&figures));
    let rows = "select * from results order by artifact, report, ordinal";
    let before = ask(&lake, rows).await;
    // Again, whole: as if taken in once.
    let (_, again) = take_in(&lake, &made).await;
    assert_eq!((again.cases, again.replaced), (told.total, told.total));
    assert_eq!(ask(&lake, rows).await.len(), before.len());
    assert_eq!(ask(&lake, OUTCOMES).await, counts);
    assert_eq!(ask(&lake, of_run).await, [figures]);
    assert_eq!(lake.check().await.unwrap().problems, []);
}
