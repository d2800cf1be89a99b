//! Many writers at once, in a folder and on an S3 server: each result once, none lost, none failed.

use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use testlake_collect::bucket::StoreSettings;
use testlake_lake::Lake;
use testlake_lake::keep::OptimizeOptions;
use testlake_testkit::s3::{S3Server, environment};

use crate::kit::{ask, lake_in, no_settings, upload};

const CASES: usize = 40;

/// How many processes write at once.
const WRITERS: usize = 50;

/// What tells the test [`a_child_uploads`] what to do: the lake, the S3 server's address or `-`, the number of the job.
const CHILD: &str = "TESTLAKE_TEST_CHILD";

fn settings(endpoint: &str) -> StoreSettings {
    if endpoint == "-" { no_settings() } else { StoreSettings::new(&environment(endpoint.to_owned())) }
}

/// One job of a run, in a process of its own. Without the variable it is nobody's child and does nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_child_uploads() {
    let Some(told) = std::env::var_os(CHILD) else { return };
    let told = told.into_string().unwrap();
    let [lake, endpoint, number] = told.split('|').collect::<Vec<_>>().try_into().unwrap();
    let lake = Lake::open_or_create(lake, &settings(endpoint)).await.unwrap();
    upload(&lake, "1", &format!("job-{number}"), 0..CASES).await.unwrap();
}

fn child(lake: &str, endpoint: &str, number: usize) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "race::a_child_uploads", "--nocapture"])
        .env(CHILD, format!("{lake}|{endpoint}|{number}"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap()
}

/// Asks until told to stop, and fails where a report is there in part, or twice.
async fn watch(lake: &Lake, stop: &AtomicBool) -> usize {
    let mut times = 0;
    while !stop.load(Ordering::Relaxed) {
        for row in
            ask(lake, "select artifact, count(*), count(distinct ordinal) from results group by 1").await
        {
            assert!(row.ends_with(&format!("|{CASES}|{CASES}")), "half a report is seen: {row}");
        }
        times += 1;
    }
    times
}

async fn all_are_there(lake: &Lake, writers: usize) {
    let sql = "select count(*), count(distinct artifact), (select count(*) from runs) as runs from results";
    assert_eq!(ask(lake, sql).await, [format!("{}|{writers}|1", CASES * writers)]);
    let checked = lake.check().await.unwrap();
    assert_eq!(checked.problems, []);
}

/// Starts so many processes, kills one in five of them at some time, starts those again, and waits for all.
fn upload_from_processes(lake: &str, endpoint: &str, writers: usize) {
    let mut children: Vec<Child> = (0..writers).map(|number| child(lake, endpoint, number)).collect();
    for (number, killed) in children.iter_mut().enumerate().step_by(5) {
        // Some before they began, some in the midst of it, some after.
        std::thread::sleep(Duration::from_millis(fastrand::u64(0..150)));
        killed.kill().unwrap();
        killed.wait().unwrap();
        *killed = child(lake, endpoint, number);
    }
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_race_in_a_folder_and_are_killed_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    let place = folder.path().display().to_string();
    let stop = AtomicBool::new(false);
    let uploads = async {
        tokio::task::spawn_blocking(move || upload_from_processes(&place, "-", WRITERS)).await.unwrap();
        stop.store(true, Ordering::Relaxed);
    };
    let ((), asked) = tokio::join!(uploads, watch(&lake, &stop));
    assert!(asked > 0);
    all_are_there(&lake, WRITERS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_writers_of_a_lake_make_it_together() {
    for _ in 0..8 {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("lake").display().to_string();
        let children: Vec<Child> = (0..6).map(|number| child(&place, "-", number)).collect();
        for mut child in children {
            assert!(child.wait().unwrap().success());
        }
        all_are_there(&lake_in(&folder.path().join("lake")).await, 6).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_race_on_s3_and_are_killed_lose_nothing() {
    let server = S3Server::start(&["bucket"]);
    let endpoint = server.endpoint();
    let lake = Lake::open_or_create("s3://bucket/a/lake", &settings(&endpoint)).await.unwrap();
    let stop = AtomicBool::new(false);
    let uploads = async {
        let uploads = move || upload_from_processes("s3://bucket/a/lake", &endpoint, WRITERS);
        tokio::task::spawn_blocking(uploads).await.unwrap();
        stop.store(true, Ordering::Relaxed);
    };
    let ((), asked) = tokio::join!(uploads, watch(&lake, &stop));
    assert!(asked > 0);
    all_are_there(&lake, WRITERS).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_beside_a_compaction_and_a_reader_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    let stop = AtomicBool::new(false);
    let uploads = async {
        let place = folder.path().display().to_string();
        let uploads = (0..24).map(|number| {
            let place = place.clone();
            tokio::spawn(async move {
                // Each opens the lake for itself, and takes its report in twice.
                let lake = Lake::open_or_create(&place, &no_settings()).await.unwrap();
                for _ in 0..2 {
                    upload(&lake, "1", &format!("job-{number}"), 0..CASES).await.unwrap();
                }
            })
        });
        for upload in uploads.collect::<Vec<_>>() {
            upload.await.unwrap();
        }
        stop.store(true, Ordering::Relaxed);
    };
    let compaction = async {
        let mut times = 0;
        while !stop.load(Ordering::Relaxed) {
            lake.optimize(&OptimizeOptions::default()).await.unwrap();
            times += 1;
        }
        times
    };
    let ((), compacted, asked) = tokio::join!(uploads, compaction, watch(&lake, &stop));
    assert!(compacted > 0 && asked > 0);
    all_are_there(&lake, 24).await;
    lake.optimize(&OptimizeOptions::default()).await.unwrap();
    all_are_there(&lake, 24).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_log_is_opened_by_its_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    // As CI names the folder of a branch.
    let folder = folder.path().join("feature-ä b#?%");
    let lake = lake_in(&folder).await;
    for number in 0..60 {
        upload(&lake, "1", &format!("job-{number}"), 0..3).await.unwrap();
    }
    let log = folder.join("results/_delta_log");
    assert!(log.join("_last_checkpoint").is_file());
    // What the checkpoint holds is not needed in pieces.
    for version in 0..50 {
        std::fs::remove_file(log.join(format!("{version:020}.json"))).unwrap();
    }
    let lake = lake_in(&folder).await;
    assert_eq!(ask(&lake, "select count(*), count(distinct artifact) from results").await, ["180|60"]);
    assert_eq!(lake.check().await.unwrap().problems, []);
}
