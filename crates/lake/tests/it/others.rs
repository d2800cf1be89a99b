//! What other programs make of the tables: `DuckDB` of the files that `files` names, `ClickHouse` of the Delta log.

use std::path::Path;
use std::process::Command;

use testlake_lake::Lake;
use testlake_lake::keep::OptimizeOptions;
use testlake_lake::schema::TableKind;
use testlake_testkit::tools::tools_dir;

use crate::kit::{ask, lake_in, upload};

async fn seen_by(reader: &str, lake: &Lake, folder: &Path) -> Vec<String> {
    let files = lake.files(TableKind::Results).await.unwrap();
    let output = Command::new(tools_dir().join("venv/bin/python"))
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/others.py"))
        .arg(reader)
        .arg(folder.join("results"))
        .args(files.files.iter().map(|file| &file.place))
        // Here, as chdb reads what lies below the folder that it runs in, and nothing else.
        .current_dir(folder)
        .output()
        .unwrap();
    assert!(output.status.success(), "{reader}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

async fn is_seen_alike(reader: &str) {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    for number in 0..4 {
        upload(&lake, "1", &format!("job-{number}"), 0..1000).await.unwrap();
    }
    upload(&lake, "1", "job-0", 0..900).await.unwrap();
    let ours = "select outcome, count(*), count(distinct name), sum(array_length(suite)) from results group by 1 order by 1";
    assert_eq!(seen_by(reader, &lake, folder.path()).await, ask(&lake, ours).await);
    lake.optimize(&OptimizeOptions::default()).await.unwrap();
    assert_eq!(seen_by(reader, &lake, folder.path()).await, ask(&lake, ours).await);
    // Past a checkpoint.
    for number in 0..50 {
        upload(&lake, "2", &format!("job-{number}"), 0..3).await.unwrap();
    }
    assert_eq!(seen_by(reader, &lake, folder.path()).await, ask(&lake, ours).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn duckdb_counts_as_we_do() {
    is_seen_alike("duckdb").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn clickhouse_counts_as_we_do() {
    is_seen_alike("clickhouse").await;
}
