//! The stored form: what the documentation says of it, and that old lakes stay readable.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use testlake_lake::Lake;
use testlake_lake::schema::{TableKind, VERSION};

use crate::kit::{ask, files_below, lake_in, no_settings, upload};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/lake-v{VERSION}"))
}

#[test]
fn the_documentation_has_every_column() {
    let documented =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/format.md")).unwrap();
    for kind in TableKind::ALL {
        let mut expected = format!("## `{}`\n", kind.name());
        let section = documented.split_once(&expected).unwrap_or_else(|| panic!("no section {expected}")).1;
        let section = section.split("\n## ").next().unwrap();
        expected.clear();
        expected.push_str("| field | type | null | since | |\n|---|---|---|---|---|\n");
        for column in kind.columns() {
            let null = if column.nullable { "yes" } else { "" };
            let (name, kind, since) = (column.name, column.kind.as_str(), column.since);
            writeln!(expected, "| `{name}` | {kind} | {null} | {since} | {} |", column.text).unwrap();
        }
        let start = section.find("| field").unwrap_or_else(|| panic!("no table of `{}`", kind.name()));
        let table: String = section
            .split_at(start)
            .1
            .lines()
            .take_while(|line| line.starts_with('|'))
            .map(|line| format!("{line}\n"))
            .collect();
        assert_eq!(table, expected, "docs/format.md, `{}`", kind.name());
    }
}

/// Makes the fixture of this version, where there is none. One that is there is never made anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_stored_lake_of_each_version_stays_readable() {
    if !fixture().is_dir() {
        assert!(
            std::env::var_os("TESTLAKE_MAKE_FIXTURE").is_some(),
            "no fixture; set TESTLAKE_MAKE_FIXTURE to make it"
        );
        let lake = lake_in(&fixture()).await;
        upload(&lake, "1", "job-1", 0..60).await.unwrap();
        upload(&lake, "1", "job-2", 0..30).await.unwrap();
        upload(&lake, "2", "job-1", 0..60).await.unwrap();
        lake.optimize(&testlake_lake::keep::OptimizeOptions::default()).await.unwrap();
        upload(&lake, "3", "job-1", 0..10).await.unwrap();
        lake.vacuum(testlake_lake::keep::VacuumOptions {
            retention: std::time::Duration::ZERO,
            dry_run: false,
        })
        .await
        .unwrap();
    }
    let before = files_below(&fixture());
    let lake = Lake::open(&fixture().display().to_string(), &no_settings()).await.unwrap();
    let counts =
        "select run_id, artifact, count(*), count(distinct test_id) from results group by 1, 2 order by 1, 2";
    let expected = ["1|job-1|60|60", "1|job-2|30|30", "2|job-1|60|60", "3|job-1|10|10"];
    assert_eq!(ask(&lake, counts).await, expected);
    assert_eq!(
        ask(&lake, "select run_id, \"commit\" from runs order by 1").await,
        ["1|c0ffee", "2|c0ffee", "3|c0ffee"]
    );
    assert_eq!(ask(&lake, "select count(*) from findings").await, ["0"]);
    assert_eq!(lake.check().await.unwrap().problems, []);
    assert_eq!(files_below(&fixture()), before);
    // And a copy of it is written on.
    let folder = tempfile::tempdir().unwrap();
    for path in before {
        let to = folder.path().join(&path);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(fixture().join(&path), to).unwrap();
    }
    let copy = lake_in(folder.path()).await;
    let again = upload(&copy, "1", "job-2", 0..20).await.unwrap();
    assert_eq!(again.replaced, 30);
    let expected = ["1|job-1|60|60", "1|job-2|20|20", "2|job-1|60|60", "3|job-1|10|10"];
    assert_eq!(ask(&copy, counts).await, expected);
}
