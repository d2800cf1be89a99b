//! Questions in SQL, and those that are not taken.

use std::time::Duration;

use futures::TryStreamExt;
use testlake_lake::engine::{Engine, Parameter, QueryError, QueryLimits};
use testlake_lake::ingest::Origin;
use testlake_lake::schema::TableKind;
use testlake_report::Fold;
use testlake_report::identity::TestId;

use crate::kit::{DAY, ask, ask_engine, attempt, case, engine, files_below, lake_in, report, tell, upload};

fn text(name: &str, value: &str) -> (String, Parameter) {
    (name.to_owned(), Parameter::Text(value.to_owned()))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_test_id_of_each_row_is_that_of_its_case() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    upload(&lake, "1", "a", 0..60).await.unwrap();
    upload(&lake, "2", "a", 0..60).await.unwrap();
    let ids = ask(&lake, "select test_id from results where run_id = '2' order by ordinal").await;
    let expected: Vec<String> =
        (0..60).map(|n| TestId::of("o/r", &case(n), Fold::NOTHING).to_string()).collect();
    assert_eq!(ids, expected);
    let of_one = format!("select run_id, name from results where test_id = '{}' order by 1", expected[7]);
    assert_eq!(ask(&lake, &of_one).await, ["1|test_000007", "2|test_000007"]);
    // As docs/identity.md has it.
    let vector = "select test_id(null, null, make_array(), 'ab', 'c')";
    assert_eq!(ask(&lake, vector).await, ["9bdb5ee746d4ca8ed09cb95bf9a23724"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_stand_for_values() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    upload(&lake, "007", "a", 0..60).await.unwrap();
    let engine = engine(&lake).await;
    let sql = "select count(*) from results where name = $test and run_id = $run";
    let values = [text("test", "test_000003"), text("run", "007")];
    assert_eq!(ask_engine(&engine, sql, &values).await.unwrap(), ["1"]);
    // A text is read as a number where it is compared with one.
    let sql = "select count(*) from results where ordinal < $n and attempt = $a and date = $d";
    let values = [text("n", "9"), text("a", "1"), text("d", "2026-11-23")];
    assert_eq!(ask_engine(&engine, sql, &values).await.unwrap(), ["9"]);
    // A value is never SQL.
    let values = [text("test", "' or 1 = 1 --"), text("run", "007")];
    let sql = "select count(*) from results where name = $test and run_id = $run";
    assert_eq!(ask_engine(&engine, sql, &values).await.unwrap(), ["0"]);
    let missing = ask_engine(&engine, sql, &[text("test", "x")]).await.unwrap_err();
    assert!(matches!(&missing, QueryError::NoParameter { name } if name == "$run"), "{missing:?}");
    let unused = ask_engine(&engine, "select 1", &[text("test", "x")]).await.unwrap_err();
    assert!(matches!(&unused, QueryError::UnusedParameter { name } if name == "test"), "{unused:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_write_is_refused_and_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    upload(&lake, "1", "a", 0..10).await.unwrap();
    let before = files_below(folder.path());
    let engine = engine(&lake).await;
    let target = folder.path().join("out.csv").display().to_string();
    for sql in [
        "insert into runs select * from runs",
        "delete from results",
        "update results set name = 'x'",
        "create table t as select 1",
        "create view v as select 1",
        "drop table results",
        "truncate table results",
        "alter table results add column x int",
        "set datafusion.execution.batch_size = 1",
        "begin",
        "explain insert into runs select * from runs",
        "explain analyze delete from results",
        &format!("copy results to '{target}'"),
        &format!("copy (select 1) to '{target}'"),
        &format!("explain analyze copy results to '{target}'"),
        &format!("create external table t stored as csv location '{target}'"),
        "prepare p as select 1",
        "with x as (delete from results returning *) select * from x",
        "select 1 into t",
    ] {
        let error = ask_engine(&engine, sql, &[]).await.unwrap_err();
        assert!(matches!(error, QueryError::Writes { .. } | QueryError::Wrong { .. }), "{sql}: {error:?}");
    }
    let told =
        ask_engine(&engine, " insert into runs select * from runs", &[]).await.unwrap_err().to_string();
    assert_eq!(
        told,
        "`INSERT` is not taken: a lake is only read by SQL (SELECT, WITH, VALUES, SHOW, DESCRIBE, EXPLAIN)"
    );
    assert_eq!(files_below(folder.path()), before);
    assert_eq!(ask(&lake, "select count(*) from results").await, ["10"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_reads_is_taken() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    upload(&lake, "1", "a", 0..10).await.unwrap();
    let engine = engine(&lake).await;
    for (sql, rows) in [
        ("with x as (select 1 as n) select n from x union all values (2)", 2),
        ("show columns from runs", TableKind::Runs.columns().len()),
        ("describe results", TableKind::Results.columns().len() + 1),
        ("select name, row_number() over (partition by class order by name) from results", 10),
        ("select regexp_replace(name, '[0-9]+', 'N') from results", 10),
        ("select date_trunc('hour', started) from results where started is not null", 5),
        ("explain select count(*) from results", 2),
        ("select 1; ", 1),
    ] {
        let rows_found =
            ask_engine(&engine, sql, &[]).await.unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        assert_eq!(rows_found.len(), rows, "{sql}: {rows_found:?}");
    }
    let tables = ask_engine(&engine, "show tables", &[]).await.unwrap();
    for kind in TableKind::ALL {
        assert!(tables.iter().any(|row| row.contains(&format!("|{}|", kind.name()))), "{tables:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_sql_is_told_so() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    let engine = engine(&lake).await;
    for (sql, word) in [
        ("chose 1", "chose"),
        ("select colour from results", "colour"),
        ("select * from nowhere", "nowhere"),
        ("select unknown_function(1)", "unknown_function"),
        ("select (1", "expected"),
    ] {
        let error = ask_engine(&engine, sql, &[]).await.unwrap_err();
        assert!(matches!(error, QueryError::Wrong { .. }), "{sql}: {error:?}");
        assert!(error.to_string().to_lowercase().contains(word), "{sql}: {error}");
    }
    assert!(matches!(ask_engine(&engine, "select 1; select 2", &[]).await.unwrap_err(), QueryError::NotOne));
    assert!(matches!(ask_engine(&engine, "", &[]).await.unwrap_err(), QueryError::NotOne));
    let error = ask_engine(&engine, "select cast('x' as int)", &[]).await.unwrap_err();
    assert!(matches!(error, QueryError::Execution { .. } | QueryError::Wrong { .. }), "{error:?}");
    // Nested so deep that it would overflow a stack.
    let deep = format!("select {}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(matches!(ask_engine(&engine, &deep, &[]).await.unwrap_err(), QueryError::Wrong { .. }));
}

const LARGE: &str = "select count(place) from (select row_number() over (order by long) as place from \
                     (select repeat(cast(value as varchar), 20) as long from generate_series(1, 300000)))";

#[tokio::test(flavor = "multi_thread")]
async fn what_memory_does_not_hold_is_put_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    let spill = tempfile::tempdir().unwrap();
    let limits = QueryLimits {
        memory_bytes: Some(24 << 20),
        spill: Some(spill.path().to_owned()),
        threads: Some(1.try_into().unwrap()),
        ..QueryLimits::default()
    };
    let engine = Engine::open(&lake, limits.clone()).await.unwrap();
    assert_eq!(ask_engine(&engine, LARGE, &[]).await.unwrap(), ["300000"]);
    let few = Engine::open(&lake, QueryLimits { memory_bytes: Some(64 << 10), ..limits }).await.unwrap();
    let error = ask_engine(&few, LARGE, &[]).await.unwrap_err();
    assert!(matches!(error, QueryError::Memory { limit_bytes, .. } if limit_bytes == 64 << 10), "{error:?}");
    drop((engine, few));
    assert_eq!(files_below(spill.path()), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_long_ends() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    let limits = QueryLimits { time: Some(Duration::from_millis(300)), ..QueryLimits::default() };
    let engine = Engine::open(&lake, limits).await.unwrap();
    let began = std::time::Instant::now();
    // The second works on one batch for longer than the limit, without a pause.
    for endless in [
        "select count(*) from generate_series(1, 1000000000000) where value * value < 0",
        "select count(*) from generate_series(1, 30000) a, generate_series(1, 30000) b where a.value + b.value < 0",
    ] {
        let error = ask_engine(&engine, endless, &[]).await.unwrap_err();
        assert!(matches!(error, QueryError::Time { .. }), "{error:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(30));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_of_one_version_and_may_be_dropped() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    upload(&lake, "1", "a", 0..1000).await.unwrap();
    let engine = engine(&lake).await;
    let mut answer = engine.query("select a.name from results a, results b", &[]).await.unwrap();
    assert!(answer.try_next().await.unwrap().unwrap().num_rows() > 0);
    drop(answer);
    upload(&lake, "2", "a", 0..1000).await.unwrap();
    assert_eq!(ask_engine(&engine, "select count(*) from results", &[]).await.unwrap(), ["1000"]);
    assert_eq!(ask(&lake, "select count(*) from results").await, ["2000"]);
}

/// The same rows by another way: what is counted of a subquery that is no bare scan is counted by the engine.
#[tokio::test(flavor = "multi_thread")]
async fn counts_by_few_values_are_those_of_the_engine() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    for (run, day) in [("1", 0), ("2", 0), ("3", 1), ("4", 5)] {
        let mut facts = attempt(run, 1);
        facts.facts.started_unix_ms = Some(DAY + day * 86_400_000);
        facts.facts.head_branch = (run != "2").then(|| format!("branch {run}"));
        let ingest = lake.ingest(facts);
        tell(&ingest, report("a", "report.xml"), 0..60);
        ingest.commit(&Origin::Uploaded, &[]).await.unwrap();
    }
    let all = "results";
    let other_way = "(select * from results where ordinal >= 0)";
    for columns in
        ["outcome", "date", "date, outcome", "branch", "outcome, branch", "branch, date, variant", "name"]
    {
        for condition in [
            "true",
            "date > '2026-11-23'",
            "date in ('2026-11-24', '2026-11-28')",
            "date <> date",
            "run_id = '3'",
        ] {
            let sql = |from: &str| {
                format!(
                    "select {columns}, count(*), count(1), count(*) = 60 from {from} where {condition} group by {columns} order by {columns}"
                )
            };
            assert_eq!(
                ask(&lake, &sql(all)).await,
                ask(&lake, &sql(other_way)).await,
                "{columns} where {condition}"
            );
        }
    }
    let distinct = ask(&lake, "select distinct branch from results order by 1").await;
    assert_eq!(distinct, ["branch 1", "branch 3", "branch 4", "NULL"]);
    let plan =
        |sql: &str| format!("explain format indent select outcome, count(*) from results {sql} group by 1");
    assert!(ask(&lake, &plan("where date > '2026-11-23'")).await.concat().contains("CountExec"));
    assert!(!ask(&lake, &plan("where name = 'x'")).await.concat().contains("CountExec"));
}

#[tokio::test(flavor = "multi_thread")]
async fn files_without_a_row_are_left_out_and_none_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    for (run, day) in [("1", 0), ("2", 1), ("3", 2)] {
        let mut facts = attempt(run, 1);
        facts.facts.started_unix_ms = Some(DAY + day * 86_400_000);
        facts.facts.head_branch = (run == "3").then(|| "ä".repeat(70));
        let ingest = lake.ingest(facts);
        tell(&ingest, report("a", "report.xml"), 0..60);
        ingest.commit(&Origin::Uploaded, &[]).await.unwrap();
    }
    let count =
        async |condition: &str| ask(&lake, &format!("select count(*) from results where {condition}")).await;
    for (condition, rows) in [
        ("run_id = '2'", "60"),
        ("run_id in ('1', '3')", "120"),
        ("run_id > '2' or branch is null", "180"),
        ("branch is null", "120"),
        ("branch is not null", "60"),
        ("starts_with(branch, 'ää')", "60"),
        ("date = '2026-11-24'", "60"),
        ("date >= '2026-11-24' and run_id < '3'", "60"),
        ("date = '2026-11-24' or run_id = '1'", "120"),
        ("date is null", "0"),
        ("date = '2026-11-24' and name = 'test_000003'", "1"),
        ("name = 'test_000003'", "3"),
        ("outcome in ('failed', 'errored') and run_id = '1'", "9"),
        ("file is null", "36"),
        ("extract(day from date) = 25", "60"),
    ] {
        assert_eq!(count(condition).await, [rows], "{condition}");
    }
    let long = format!("branch = '{}'", "ä".repeat(70));
    assert_eq!(count(&long).await, ["60"]);
    assert_eq!(ask(&lake, "select run_id from results where date = '2026-11-25' limit 2").await, ["3", "3"]);
}
