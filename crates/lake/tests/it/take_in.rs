//! What is taken in is there once, whatever is taken in again.

use testlake_lake::ingest::Origin;

use crate::kit::{OUTCOMES, ask, attempt, case, files_below, lake_in, outcomes, report, tell, upload};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_taken_in_is_told_again() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    let taken_in = upload(&lake, "1", "a", 0..100).await.unwrap();
    assert_eq!((taken_in.reports, taken_in.cases, taken_in.replaced, taken_in.files), (1, 100, 0, 1));
    assert_eq!(ask(&lake, OUTCOMES).await, outcomes(0..100));
    let all = "select ordinal, file, suite, class, name, outcome, flaky, tries, seconds, started, kind, message, detail, \
               line, date, repo, run_id, attempt, artifact, report, job, job_name, variant, \"commit\", branch, tags \
               from results where name in ('test_000003', 'test_000014', 'test_000000') order by ordinal";
    let expected = [
        "0|NULL|[all, suite 0]|Test0|test_000000|passed|false|1|NULL|2026-11-23T00:00:02Z|NULL|NULL|NULL|NULL|2026-11-23\
         |o/r|1|1|a|report.xml|17|linux|NULL|c0ffee|main|NULL",
        "3|test/test_3.py|[all, suite 0]|Test3|test_000003|failed|false|1|0.003|NULL|AssertionError|3 is odd\
         |Traceback: line 3|NULL|2026-11-23|o/r|1|1|a|report.xml|17|linux|NULL|c0ffee|main|NULL",
        "14|test/test_2.py|[all, suite 2]|Test2|test_000014|passed|true|2|0.014|2026-11-23T00:00:02.014Z|NULL|NULL|NULL|NULL\
         |2026-11-23|o/r|1|1|a|report.xml|17|linux|NULL|c0ffee|main|NULL",
    ];
    assert_eq!(ask(&lake, all).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_report_again_replaces_itself() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    upload(&lake, "1", "a", 0..100).await.unwrap();
    upload(&lake, "1", "b", 0..50).await.unwrap();
    upload(&lake, "2", "a", 0..10).await.unwrap();
    let again = upload(&lake, "1", "a", 0..90).await.unwrap();
    assert_eq!((again.replaced, again.cases), (100, 90));
    let counts = "select run_id, artifact, count(*) from results group by 1, 2 order by 1, 2";
    assert_eq!(ask(&lake, counts).await, ["1|a|90", "1|b|50", "2|a|10"]);
    assert_eq!(ask(&lake, "select run_id, attempt from runs order by 1").await, ["1|1", "2|1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_is_made_again_takes_nothing_away() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    let ingest = lake.ingest(attempt("1", 1));
    tell(&ingest, report("a", "x.xml"), 0..50);
    for _ in 0..2 {
        let taken_in = ingest.commit(&Origin::Uploaded, &[]).await.unwrap();
        assert_eq!((taken_in.cases, taken_in.version), (50, 1));
        assert_eq!(ask(&lake, OUTCOMES).await, outcomes(0..50));
    }
    // And one that is given up takes only its own away.
    let given_up = lake.ingest(attempt("1", 1));
    tell(&given_up, report("a", "x.xml"), 0..140_000);
    given_up.abandon().await;
    assert_eq!(ask(&lake, OUTCOMES).await, outcomes(0..50));
    assert_eq!(
        files_below(&folder.path().join("results")).iter().filter(|path| path.ends_with(".parquet")).count(),
        1
    );
}

/// Rows that could not be written are not left out the next time.
#[tokio::test(flavor = "multi_thread")]
async fn a_commit_after_one_that_failed_leaves_no_row_out() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    upload(&lake, "1", "a", 0..100).await.unwrap();
    let day = folder.path().join("results/date=2026-11-23");
    let aside = folder.path().join("aside");
    // Fewer than a file holds, and more.
    for cases in [50, 140_000] {
        let ingest = lake.ingest(attempt("1", 1));
        std::fs::rename(&day, &aside).unwrap();
        std::fs::write(&day, b"in the way").unwrap();
        tell(&ingest, report("a", "report.xml"), 0..cases);
        assert!(ingest.commit(&Origin::Uploaded, &[]).await.is_err());
        std::fs::remove_file(&day).unwrap();
        std::fs::rename(&aside, &day).unwrap();
        let again = ingest.commit(&Origin::Uploaded, &[]).await;
        assert!(again.is_err(), "{again:?}");
        assert_eq!(ask(&lake, OUTCOMES).await, outcomes(0..100));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_attempt_taken_in_in_parts_ends_as_if_taken_in_once() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    let take = |reports: &'static [(&'static str, usize)]| {
        let lake = lake.clone();
        async move {
            let ingest = lake.ingest(attempt("1", 1));
            for (path, cases) in reports {
                tell(&ingest, report("a", path), 0..*cases);
            }
            ingest.commit(&Origin::Uploaded, &[]).await.unwrap()
        }
    };
    take(&[("x.xml", 10), ("y.xml", 20), ("z.xml", 30)]).await;
    // Of a file that holds three reports' rows one report's are replaced.
    let again = take(&[("y.xml", 25)]).await;
    assert_eq!(again.replaced, 20);
    let counts = "select report, count(*) from results group by 1 order by 1";
    assert_eq!(ask(&lake, counts).await, ["x.xml|10", "y.xml|25", "z.xml|30"]);
    // A report that has no case any more has no rows any more.
    take(&[("x.xml", 0)]).await;
    assert_eq!(ask(&lake, counts).await, ["y.xml|25", "z.xml|30"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_does_not_end_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    let ingest = lake.ingest(attempt("1", 1));
    tell(&ingest, report("a", "before.xml"), 0..1000);
    let mut broken = ingest.report(report("a", "broken.xml"));
    // More than a file holds, so that some of it is written before the break.
    for number in 0..140_000 {
        broken.push(&case(number));
    }
    drop(broken);
    tell(&ingest, report("a", "after.xml"), 0..500);
    let taken_in = ingest.commit(&Origin::Uploaded, &[]).await.unwrap();
    assert_eq!((taken_in.reports, taken_in.cases), (2, 1500));
    let counts = "select report, count(*), min(ordinal), max(ordinal) from results group by 1 order by 1";
    assert_eq!(ask(&lake, counts).await, ["after.xml|500|0|499", "before.xml|1000|0|999"]);
    let stored = files_below(&folder.path().join("results"));
    let data = stored.iter().filter(|path| path.ends_with(".parquet")).count() as u64;
    assert_eq!(data, taken_in.files, "{stored:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn many_threads_tell_reports_of_any_size() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    let ingest = lake.ingest(attempt("1", 1));
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let ingest = &ingest;
            scope.spawn(move || {
                for number in 0..20 {
                    tell(ingest, report(&format!("a{thread}"), &format!("{number}.xml")), 0..1000);
                }
                tell(ingest, report(&format!("a{thread}"), "large.xml"), 0..150_000);
            });
        }
    });
    let taken_in = ingest.commit(&Origin::Uploaded, &[]).await.unwrap();
    assert_eq!((taken_in.reports, taken_in.cases), (84, 680_000));
    assert_eq!(ask(&lake, "select count(*), count(distinct ordinal) from results").await, ["680000|150000"]);
    let keys = "select count(*) from (select distinct artifact, report, ordinal from results)";
    assert_eq!(ask(&lake, keys).await, ["680000"]);
}
