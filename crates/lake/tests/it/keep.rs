//! Fewer files, none that nobody needs, and proof that all is there.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use testlake_lake::engine::QueryError;
use testlake_lake::keep::{OptimizeOptions, VacuumOptions};
use testlake_lake::schema::TableKind;
use testlake_lake::{Lake, LakeError};

use crate::kit::{OUTCOMES, ask, ask_engine, engine, files_below, lake_in, no_settings, outcomes, upload};

const ALL: &str = "select artifact, report, ordinal, test_id, outcome, seconds, message, detail, suite, started from results order by 1, 2, 3";

async fn lake_of_ten(folder: &Path) -> Lake {
    let lake = lake_in(folder).await;
    for number in 0..10 {
        upload(&lake, &format!("{}", number % 3), &format!("job-{number}"), 0..100).await.unwrap();
    }
    lake
}

fn data_file(folder: &Path) -> PathBuf {
    let results = folder.join("results");
    let path = files_below(&results).into_iter().find(|path| path.ends_with(".parquet")).unwrap();
    results.join(path)
}

#[tokio::test(flavor = "multi_thread")]
async fn optimising_changes_files_and_no_rows() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_of_ten(folder.path()).await;
    let before = ask(&lake, ALL).await;
    let runs = ask(&lake, "select * from runs order by run_id").await;
    let done = lake.optimize(&OptimizeOptions::default()).await.unwrap();
    assert_eq!((done.files_before, done.files_after, done.rows, done.left), (13, 2, 1003, 0));
    assert!(done.bytes_after < done.bytes_before / 2, "{done:?}");
    assert_eq!(ask(&lake, ALL).await, before);
    assert_eq!(ask(&lake, "select * from runs order by run_id").await, runs);
    let info = lake.info().await.unwrap();
    let files: Vec<_> = info.tables.iter().map(|table| (table.files, table.files_to_optimize)).collect();
    assert_eq!(files, [(1, 0), (1, 0), (0, 0)]);
    // What is done is done.
    let again = lake.optimize(&OptimizeOptions::default()).await.unwrap();
    assert_eq!(again.files_before, 0);
    // Of a file with rows of three runs, one report's are replaced.
    let replaced = upload(&lake, "0", "job-3", 0..90).await.unwrap();
    assert_eq!(replaced.replaced, 100);
    let counts = "select count(*), sum(case when artifact = 'job-3' then 1 end) from results";
    assert_eq!(ask(&lake, counts).await, ["990|90"]);
    assert_eq!(lake.check().await.unwrap().problems, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_version_needs_goes_after_its_time() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_of_ten(folder.path()).await;
    lake.optimize(&OptimizeOptions::default()).await.unwrap();
    let half = folder.path().join("results/date=2026-11-23/broken.parquet#1");
    fs::write(&half, b"half").unwrap();
    let kept = lake.vacuum(VacuumOptions::default()).await.unwrap();
    assert_eq!(kept.places, Vec::<String>::new());
    let stored = files_below(folder.path());
    let now = VacuumOptions { retention: Duration::ZERO, dry_run: true };
    let would = lake.vacuum(now).await.unwrap();
    assert_eq!(would.places.len(), 14, "{:?}", would.places);
    assert_eq!(files_below(folder.path()), stored);
    let gone = lake.vacuum(VacuumOptions { dry_run: false, ..now }).await.unwrap();
    assert_eq!(gone, would);
    assert_eq!(files_below(folder.path()).len(), stored.len() - 14);
    assert_eq!(ask(&lake, "select count(*) from results").await, ["1000"]);
    assert_eq!(lake.check().await.unwrap().problems, []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_counts_and_names_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    upload(&lake, "1", "a", 0..500).await.unwrap();
    let checked = lake.check().await.unwrap();
    assert_eq!((checked.files, checked.rows, checked.problems.len()), (2, 501, 0));
    let file = data_file(folder.path());
    let whole = fs::read(&file).unwrap();
    let problem = async |text: &str| {
        let problems = lake.check().await.unwrap().problems;
        assert_eq!(problems.len(), 1, "{problems:?}");
        assert_eq!(problems[0].place, file.display().to_string());
        assert!(problems[0].text.contains(text), "{}", problems[0].text);
    };
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    problem("the log says").await;
    let error = upload(&lake, "1", "a", 0..10).await.unwrap_err();
    assert!(
        matches!(&error, LakeError::Damaged { place, .. } if *place == file.display().to_string()),
        "{error:?}"
    );
    // Of the same size, with bytes of a page that are others.
    let mut other = whole.clone();
    for byte in &mut other[100..160] {
        *byte = !*byte;
    }
    fs::write(&file, &other).unwrap();
    problem("cannot be read").await;
    fs::remove_file(&file).unwrap();
    problem("not found").await;
    fs::write(&file, &whole).unwrap();
    assert_eq!(lake.check().await.unwrap().problems, []);
    // That the log says another number of rows.
    let entry = folder.path().join("results/_delta_log/00000000000000000001.json");
    let log = fs::read_to_string(&entry).unwrap();
    fs::write(&entry, log.replace(r#"\"numRecords\":500"#, r#"\"numRecords\":501"#)).unwrap();
    problem("it has 500 rows, and the log says 501").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_question_of_a_damaged_file_says_that_it_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    upload(&lake, "1", "a", 0..500).await.unwrap();
    let file = data_file(folder.path());
    let whole = fs::read(&file).unwrap();
    let mut damaged = 0;
    for begin in (4..whole.len() - 10).step_by(whole.len() / 100) {
        let mut other = whole.clone();
        other[begin..begin + 10].fill(0xff);
        fs::write(&file, &other).unwrap();
        // Where it makes another value, nothing is told.
        let Err(error) = ask_engine(&engine(&lake).await, "select * from results", &[]).await else {
            continue;
        };
        damaged += 1;
        // The latter where the engine's own reader fails at it.
        let is_of_file = matches!(error, QueryError::Unreadable { is_transient: false, .. });
        assert!(is_of_file || matches!(error, QueryError::Internal { .. }), "at {begin}: {error:?}");
        assert_eq!(lake.check().await.unwrap().problems.len(), 1, "at {begin}");
    }
    assert!(damaged > 10, "{damaged}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hole_in_the_log_is_told() {
    let folder = tempfile::tempdir().unwrap();
    lake_of_ten(folder.path()).await;
    let lake = Lake::open(&folder.path().display().to_string(), &no_settings()).await.unwrap();
    let hole = folder.path().join("results/_delta_log/00000000000000000004.json");
    fs::remove_file(&hole).unwrap();
    let before = files_below(folder.path());
    let problems = lake.check().await.unwrap().problems;
    assert_eq!(problems[0].place, hole.display().to_string());
    assert_eq!(problems[0].text, "the log has a hole: version 4 is missing, and version 5 is there");
    let place = folder.path().display().to_string();
    for error in [
        Lake::open(&place, &no_settings()).await.unwrap_err(),
        Lake::open_or_create(&place, &no_settings()).await.unwrap_err(),
    ] {
        assert!(matches!(error, LakeError::Log { table: "results", .. }), "{error:?}");
    }
    assert_eq!(files_below(folder.path()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lake_of_a_later_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    upload(&lake, "1", "a", 0..10).await.unwrap();
    let entry = folder.path().join("results/_delta_log/00000000000000000000.json");
    let log = fs::read_to_string(&entry).unwrap();
    fs::write(&entry, log.replace(r#""testlake.version":"1""#, r#""testlake.version":"2""#)).unwrap();
    let before = files_below(folder.path());
    let place = folder.path().display().to_string();
    for error in [
        Lake::open(&place, &no_settings()).await.unwrap_err(),
        Lake::open_or_create(&place, &no_settings()).await.unwrap_err(),
    ] {
        assert!(
            matches!(&error, LakeError::Newer { stored, known: 1, table: "results", .. } if stored == "2"),
            "{error:?}"
        );
    }
    assert_eq!(files_below(folder.path()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_lake_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let open = async |place: &str| Lake::open(place, &no_settings()).await.unwrap_err();
    let nothing = folder.path().join("nothing").display().to_string();
    let error = open(&nothing).await;
    assert!(matches!(error, LakeError::NoLake { .. }), "{error:?}");
    assert_eq!(
        error.to_string(),
        format!("there is no lake at `{nothing}`; `testlake collect` and `testlake upload` make one")
    );
    assert_eq!(files_below(folder.path()), Vec::<String>::new());
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    for place in [&*file.display().to_string(), "", "http://host/lake", "s3://", "s3://user@bucket/x"] {
        let error = open(place).await;
        assert!(matches!(error, LakeError::BadAddress { .. }), "{place}: {error:?}");
    }
    let lake = lake_in(&folder.path().join("lake")).await;
    fs::remove_dir_all(folder.path().join("lake/findings")).unwrap();
    let error = open(&lake.place().to_string()).await;
    assert!(matches!(error, LakeError::NoTable { table: "findings", .. }), "{error:?}");
    // Where nothing can be made.
    let error = Lake::open_or_create("/proc/lake", &no_settings()).await.unwrap_err();
    assert!(matches!(&error, LakeError::Store { place, .. } if place.starts_with("/proc/lake")), "{error:?}");
    assert!(!error.is_transient());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_files_of_a_version_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_of_ten(folder.path()).await;
    let files = lake.files(TableKind::Results).await.unwrap();
    assert_eq!((files.version, files.files.len()), (10, 10));
    for file in &files.files {
        assert_eq!(fs::metadata(&file.place).unwrap().len(), file.bytes);
        assert_eq!((file.rows, file.date.as_deref()), (Some(100), Some("2026-11-23")));
    }
    assert_eq!(ask(&lake, OUTCOMES).await.len(), outcomes(0..100).len());
}
