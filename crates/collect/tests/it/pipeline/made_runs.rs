//! Made runs against the slow model.

use testlake_collect::ledger::Verdict;
use testlake_testkit::run::{COLLECTIONS, MadeRun, OddRuns, RUN_ID, RunShape, compare};

use super::{collect, lines, plan, read_jobs};

#[test]
fn made_runs_come_out_as_the_model_says() {
    for shape in [
        RunShape { cases: 500, jobs: 5, files: 12, suite: 1, seed: 1 },
        RunShape { cases: 6_000, jobs: 15, files: 60, suite: 2, seed: 7 },
        RunShape { cases: 25_000, jobs: 10, files: 30, suite: 3, seed: 11 },
    ] {
        let made = MadeRun::make(shape).unwrap();
        let out = tempfile::tempdir().unwrap();
        let mut plan = plan(made.bucket(), RUN_ID, out.path());
        plan.job_names = Some(read_jobs(&made.jobs_file()));
        collect(&plan);
        let reference = made.reference().unwrap();
        for collection in COLLECTIONS {
            let (expected, actual) =
                (reference.lines(collection).unwrap(), lines(out.path(), collection, RUN_ID));
            compare(collection, &expected, &actual).unwrap_or_else(|told| panic!("{shape:?}: {told}"));
        }
    }
}

#[test]
fn odd_runs_come_out_as_the_model_says() {
    let seeds = 1..=25;
    let odd = OddRuns::make(seeds.clone()).unwrap();
    for seed in seeds {
        let out = tempfile::tempdir().unwrap();
        let mut plan = plan(&odd.bucket(seed), RUN_ID, out.path());
        plan.job_names = Some(read_jobs(&odd.jobs_file(seed)));
        let collected = collect(&plan);
        for collection in COLLECTIONS {
            let (expected, actual) =
                (odd.lines(seed, collection).unwrap(), lines(out.path(), collection, RUN_ID));
            compare(collection, &expected, &actual).unwrap_or_else(|told| panic!("seed {seed}: {told}"));
        }
        assert_ne!(collected.ledger.verdict, Verdict::Partial, "seed {seed}");
    }
}
