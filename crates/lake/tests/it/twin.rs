//! Whatever way a question is answered, the answer is that of an engine that knows nothing of logs, days and pages: the
//! files of the version, read whole into memory.

use std::fs::File;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use testlake_lake::Lake;
use testlake_lake::engine::{Engine, QueryLimits};
use testlake_lake::ingest::{AttemptFacts, Origin, ReportKey};
use testlake_lake::keep::OptimizeOptions;
use testlake_lake::schema::{Column, Kind, PARTITION, TableKind};

use crate::kit::{DAY, ask_engine, attempt, lake_in, report, tell};

/// Rows of the large run: more than a row group has, once they are in one file.
const MANY: usize = 280_000;

/// Returns the rows that the files of a table have, of all columns but tags.
async fn whole(lake: &Lake, kind: TableKind) -> MemTable {
    let stored = |column: &&Column| column.kind != Kind::Tags;
    let columns: Vec<Field> = kind.columns().iter().filter(stored).map(|column| column.to_arrow()).collect();
    let schema: SchemaRef = Arc::new(Schema::new(columns));
    let mut batches = Vec::new();
    for file in lake.files(kind).await.unwrap().files {
        let days = |rows: usize| -> ArrayRef {
            let day = StringArray::from(vec![file.date.clone(); rows]);
            cast(&day, &DataType::Date32).unwrap()
        };
        let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&file.place).unwrap()).unwrap();
        for batch in reader.with_batch_size(8192).build().unwrap() {
            let batch = batch.unwrap();
            let column = |field: &Arc<Field>| match batch.column_by_name(field.name()) {
                Some(column) => cast(column, field.data_type()).unwrap(),
                None => {
                    assert_eq!(field.name(), PARTITION);
                    days(batch.num_rows())
                }
            };
            let columns = schema.fields().iter().map(column).collect();
            batches.push(RecordBatch::try_new(Arc::clone(&schema), columns).unwrap());
        }
    }
    MemTable::try_new(schema, vec![batches]).unwrap()
}

/// The same tables, for an engine as it comes.
async fn twin(lake: &Lake) -> SessionContext {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(2));
    for kind in TableKind::ALL {
        context.register_table(kind.name(), Arc::new(whole(lake, kind).await)).unwrap();
    }
    context
}

async fn ask_twin(twin: &SessionContext, sql: &str) -> Result<Vec<String>, String> {
    let frame = twin.sql(sql).await.map_err(|error| error.to_string())?;
    let batches = frame.collect().await.map_err(|error| error.to_string())?;
    let options = FormatOptions::default().with_null("NULL");
    let mut rows = Vec::new();
    for batch in &batches {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| ArrayFormatter::try_new(column as &dyn Array, &options).unwrap())
            .collect();
        for row in 0..batch.num_rows() {
            let values = columns.iter().map(|column| column.value(row).to_string());
            rows.push(values.collect::<Vec<_>>().join("|"));
        }
    }
    Ok(rows)
}

async fn engine(lake: &Lake, threads: usize, memory_bytes: Option<usize>) -> Engine {
    let threads = Some(threads.try_into().unwrap());
    Engine::open(lake, QueryLimits { threads, memory_bytes, ..QueryLimits::default() }).await.unwrap()
}

/// Asks the lake, with one thread and with more, and the twin. Rows come in any order where none is asked for.
async fn are_alike(lake: &Lake, questions: &[String]) {
    let twin = twin(lake).await;
    let engines = [
        engine(lake, 1, None).await,
        // Little memory, so that what is grouped and sorted is put on the disk.
        engine(lake, 3, Some(24 << 20)).await,
    ];
    for sql in questions {
        let expected = ask_twin(&twin, sql).await;
        for (place, engine) in engines.iter().enumerate() {
            let found = ask_engine(engine, sql, &[]).await;
            match (&expected, found) {
                (Ok(expected), Ok(mut found)) => {
                    let mut expected = expected.clone();
                    if !sql.contains(" order by ") {
                        expected.sort();
                        found.sort();
                    }
                    assert_eq!(found, expected, "engine {place}: {sql}");
                }
                (Err(_), Err(_)) => {}
                (expected, found) => panic!("engine {place}: {sql}: {found:?}, and expected {expected:?}"),
            }
        }
    }
}

/// Conditions on the day alone, on it and others, and on others: each kind of operator, with nothing in it or not.
const CONDITIONS: &[&str] = &[
    "true",
    "date = '2026-11-23'",
    "date <> '2026-11-23'",
    "not (date = '2026-11-23')",
    "date < '2026-11-24'",
    "date <= date '2026-11-24'",
    "'2026-11-24' <= date",
    "date between '2026-11-24' and '2026-11-30'",
    "date not between '2026-11-24' and '2026-11-30'",
    "date in ('2026-11-23', '2026-12-24')",
    "date not in ('2026-11-23', '2026-12-24')",
    "date not in ('2026-11-23', null)",
    "date is null",
    "date is not null",
    "(date > '2026-11-23') is not true",
    "(date > '2026-11-23') is unknown",
    "date is distinct from null",
    "date is not distinct from '2026-11-24'",
    "date = null",
    "nullif(date, '2026-11-23') is null",
    "coalesce(nullif(date, '2026-11-23'), '2030-01-01') > '2029-01-01'",
    "case when date > '2026-11-23' then true end",
    "case date when '2026-11-23' then null when '2026-11-24' then false else true end",
    "date > timestamp '2026-11-23 12:00:00'",
    "date >= timestamp '2026-11-24 00:00:00'",
    "date >= '2026-11-24T01:00:00+02:00'::timestamptz",
    "date::timestamp at time zone 'America/New_York' > '2026-11-24T04:00:00Z'::timestamptz",
    "date::varchar like '2026-11%'",
    "date::varchar not like '2026-11%'",
    "date + interval '1 day' > '2026-11-24'",
    "date - interval '1 month' < '2026-10-24'",
    "date_trunc('month', date) = '2026-11-01'",
    "extract(month from date) = 11",
    "date_part('dow', date) in (1, 2)",
    "to_char(date, '%d') = '24'",
    "arrow_cast(date, 'Date64') = '2026-11-24'",
    "date = (select max(date) from results)",
    "date < (select max(date) from results where branch is null)",
    "date in (select date from results where outcome = 'failed')",
    "date not in (select date from results where branch is null)",
    "date = '2026-11-24' or outcome = 'failed'",
    "date = '2026-11-24' and outcome = 'failed'",
    "not (date >= '2026-11-24' and outcome = 'failed')",
    "not (date >= '2026-11-24' or branch is null)",
    "date = '2026-11-23' or branch is null",
    "date = '2026-11-23' and null",
    "(date = '2026-11-23') = (branch = 'main')",
    "date::varchar || coalesce(outcome, '') = '2026-11-24passed'",
    "date = started::date",
    "started < '2026-11-23T00:00:03Z'",
    "started >= '2026-11-23T00:00:02.500Z' and date <= '2026-11-23'",
    "branch = 'main'",
    "branch = ''",
    "branch <> 'main'",
    "not (branch = 'main')",
    "branch is null",
    "branch is not null and branch not in ('main', 'x')",
    "branch like 'm%'",
    "branch like '%long%'",
    "branch > 'long'",
    "branch is not distinct from null",
    "repo is null",
    "repo = 'o/r' and variant is null",
    "variant = 'debug'",
    "coalesce(variant, 'none') = 'none'",
    "run_id = '1'",
    "run_id in ('2', '3', '9')",
    "run_id not in ('1', '2')",
    "run_id between '2' and '4'",
    "run_id = (select max(run_id) from runs)",
    "attempt = 2",
    "attempt <> 1 and date > '2026-11-01'",
    "file is null",
    "file = 'test/test_3.py'",
    "class >= 'Test4'",
    "name = 'test_000003'",
    "name in ('test_000003', 'test_270000', 'nothing')",
    "name is null",
    "name like 'test\\_00000%'",
    "message is not null and date < '2026-11-24'",
    "seconds > 0.01 and seconds is not null",
    "seconds is null",
    "flaky",
    "not flaky or date is null",
    "tries > 1",
    "ordinal % 7 = 3 and ordinal < 100",
    "outcome in ('failed', 'skipped')",
    "outcome > 'failed'",
    "outcome = 'nothing'",
    "array_has(suite, 'suite 1')",
    "length(job_name) > 1000",
    "exists (select 1 from runs where runs.run_id = results.run_id and runs.branch = 'main')",
];

/// What is asked for of the rows for which a condition holds.
const ASKED: [&str; 6] = [
    "select count(*) from results where {}",
    "select outcome, count(*) from results where {} group by outcome",
    "select branch, outcome, count(*), count(1) from results where {} group by branch, outcome",
    "select date, count(*) from results where {} group by date",
    "select min(date), max(date), min(run_id), max(branch), min(attempt), count(branch), count(distinct name) from results where {}",
    "select count(*) from (select * from results where {} limit 5)",
];

/// Groupings that may be counted by the pages, and those beside them that may not.
const GROUPINGS: &[&str] = &[
    "select variant, count(*) from results group by variant",
    "select job_name, count(*) from results group by job_name",
    "select job_name, variant, count(*) from results group by job_name, variant",
    "select repo, run_id, count(*) from results group by repo, run_id",
    "select run_id, repo, count(*) from results group by 1, 2 order by run_id, repo nulls first",
    "select date, run_id, branch, count(*) from results group by 1, 2, 3",
    "select date, run_id, branch, variant, count(*) from results group by 1, 2, 3, 4",
    "select outcome, branch, variant, count(*) from results group by 1, 2, 3",
    "select outcome a, outcome b, count(*) from results group by 1, 2",
    "select count(*), branch from results group by branch having count(*) > 100",
    "select branch, count(*) + 1, count(*) * 2 from results group by branch",
    "select count(*) from results group by branch",
    "select distinct outcome from results",
    "select distinct branch, variant from results",
    "select distinct date from results",
    "select distinct date, repo from results order by date, repo",
    "select count(distinct branch) from results",
    "select count(distinct branch), count(distinct run_id), count(*) from results",
    "select outcome, count(distinct branch) from results group by outcome",
    "select outcome, count(branch) from results group by outcome",
    "select branch, count(branch), count(*) from results group by branch",
    "select outcome, count(null) from results group by outcome",
    "select outcome, count(*) filter (where branch is null) from results group by outcome",
    "select outcome, count(*) filter (where date > '2026-11-23') from results group by outcome",
    "select outcome, count(*) filter (where true), count(*) filter (where false) from results group by outcome",
    "select outcome, count(*), min(branch), max(seconds) from results group by outcome",
    "select outcome, branch, count(*) from results group by rollup(outcome, branch)",
    "select outcome, branch, count(*), grouping(branch) from results group by grouping sets ((outcome), (branch), ())",
    "select outcome, branch, count(*) from results group by cube(outcome, branch)",
    "select upper(outcome), count(*) from results group by upper(outcome)",
    "select branch is null, count(*) from results group by branch is null",
    "select date_trunc('month', date) m, count(*) from results group by m",
    "select outcome, count(*) from (select outcome from results limit 1000000) group by outcome",
    "select sum(n) from (select outcome, count(*) n from (select outcome from results limit 777) group by outcome)",
    "select count(*) from (select distinct branch from results limit 2)",
    "select outcome, count(*) n from results group by outcome order by n desc, outcome limit 2",
    "select branch, count(*) n from results group by branch order by branch nulls first limit 3",
    "select branch, count(*) n from results group by branch order by branch desc nulls last limit 3",
    "select outcome, count(*) from (select outcome from results union all select outcome from results) group by outcome",
    "select a.outcome, count(*) from results a join runs b on a.run_id = b.run_id and a.attempt = b.attempt where b.branch = 'main' group by a.outcome",
    "select a.branch, a.n, b.n from (select branch, count(*) n from results group by branch) a full join (select branch, count(*) n from results where date > '2026-11-23' group by branch) b on a.branch is not distinct from b.branch",
    "select r.branch, n from runs r join (select run_id, count(*) n from results group by run_id) c on r.run_id = c.run_id where r.attempt = 1",
    "with c as (select outcome, count(*) n from results group by outcome) select sum(n), max(n), (select count(*) from results) from c",
    "select outcome, n, sum(n) over (order by outcome) from (select outcome, count(*) n from results group by outcome) order by outcome",
    "select branch, count(*) from runs group by branch",
    "select repo, branch, count(*) from runs group by repo, branch",
    "select outcome, count(*) from results where outcome = 'failed' group by outcome",
    "select branch, count(*) from results where branch is null group by branch",
    "select outcome, count(*) from results where date > '2026-11-23' and date is not null group by outcome",
    "select run_id, count(*) from results where date in ('2026-11-23') group by run_id",
    "select count(*) from (select * from (select * from results limit 7) where outcome = 'nothing')",
    "select name, ordinal from results where date = '2026-11-24' order by name, ordinal, artifact limit 10",
    "select name, ordinal, artifact from results order by name desc nulls last, ordinal, artifact, report limit 5 offset 3",
    "select date, name, ordinal from results where branch is null order by date desc, name, ordinal limit 4",
    "select artifact, report, count(*), count(distinct ordinal), sum(ordinal) from results where artifact like 'r%' group by 1, 2",
    "select file, class, count(*), sum(tries) from results where date = '2026-11-23' group by file, class",
    "select detail from results where name = 'test_000003' and date < '2026-11-24'",
    "select suite, line, kind, message from results where name in ('test_000003', 'test_000014')",
];

fn facts(run: &str, number: u32, day: i64) -> AttemptFacts {
    let mut facts = attempt(run, number);
    facts.facts.started_unix_ms = Some(DAY + day * 86_400_000);
    facts
}

/// Takes in reports of an attempt, each of so many cases.
async fn take_in(lake: &Lake, facts: AttemptFacts, reports: &[(ReportKey, usize)]) {
    let ingest = lake.ingest(facts);
    for (key, cases) in reports {
        tell(&ingest, key.clone(), 0..*cases);
    }
    ingest.commit(&Origin::Uploaded, &[]).await.unwrap();
}

fn variants(artifact: &str) -> Vec<(ReportKey, usize)> {
    [("x.xml", None), ("y.xml", Some("debug")), ("z.xml", Some(""))]
        .map(|(path, variant)| {
            (ReportKey { variant: variant.map(str::to_owned), ..report(artifact, path) }, 60)
        })
        .to_vec()
}

/// Days, branches and repositories that are absent, or empty, or long; reports that were replaced; a second attempt.
async fn of_many_kinds(lake: &Lake) {
    take_in(lake, facts("1", 1, 0), &variants("a")).await;
    let mut of_none = facts("2", 1, 0);
    of_none.facts.head_branch = None;
    take_in(lake, of_none.clone(), &variants("a")).await;
    let mut empty = facts("3", 1, 1);
    (empty.facts.head_branch, empty.run.repo) = (Some(String::new()), None);
    take_in(lake, empty, &variants("b")).await;
    let mut long = facts("4", 1, 31);
    long.facts.head_branch = Some(format!("long {}", "ä".repeat(100)));
    take_in(lake, long, &variants("r")).await;
    take_in(lake, facts("1", 2, 1), &variants("a")).await;
    // Again, and with other cases.
    of_none.facts.head_branch = Some("again".to_owned());
    take_in(lake, of_none, &[(report("a", "y.xml"), 25), (report("r", "new.xml"), 7)]).await;
}

/// More names of jobs than a dictionary takes, so that most pages of the column have the texts themselves.
async fn of_many_jobs(lake: &Lake) {
    let key = |number: usize| {
        let job_name = Some(format!("{number} {}", "job ".repeat(500)));
        ReportKey {
            job_name: job_name.filter(|_| !number.is_multiple_of(10)),
            ..report("jobs", &format!("{number}.xml"))
        }
    };
    take_in(lake, facts("5", 1, 0), &(0..2600).map(|number| (key(number), 2)).collect::<Vec<_>>()).await;
}

fn groupings() -> impl Iterator<Item = String> {
    GROUPINGS.iter().map(|sql| (*sql).to_owned())
}

/// Each thing asked of each condition.
fn all_questions() -> Vec<String> {
    let asked = |condition: &&'static str| ASKED.map(|asked| asked.replace("{}", condition));
    CONDITIONS.iter().flat_map(asked).chain(groupings()).collect()
}

/// One thing asked of each condition, each thing in its turn.
fn fewer_questions() -> Vec<String> {
    let asked = ASKED.iter().cycle();
    CONDITIONS
        .iter()
        .zip(asked)
        .map(|(condition, asked)| asked.replace("{}", condition))
        .chain(groupings())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_way_to_answer_gives_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    are_alike(&lake, &fewer_questions()).await;
    of_many_kinds(&lake).await;
    are_alike(&lake, &all_questions()).await;
    // Files of several attempts, of which one report is replaced.
    lake.optimize(&OptimizeOptions::default()).await.unwrap();
    are_alike(&lake, &fewer_questions()).await;
    take_in(&lake, facts("1", 1, 0), &[(report("a", "y.xml"), 13)]).await;
    are_alike(&lake, &fewer_questions()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn several_row_groups_and_full_dictionaries_give_the_same_rows() {
    let folder = tempfile::tempdir().unwrap();
    let lake = lake_in(folder.path()).await;
    of_many_kinds(&lake).await;
    of_many_jobs(&lake).await;
    take_in(&lake, facts("6", 1, 0), &[(report("large", "r.xml"), MANY)]).await;
    lake.optimize(&OptimizeOptions::default()).await.unwrap();
    let most =
        lake.files(TableKind::Results).await.unwrap().files.into_iter().max_by_key(|file| file.rows).unwrap();
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(&most.place).unwrap()).unwrap();
    assert!(reader.metadata().num_row_groups() > 1);
    let conditions =
        ["true", "date = '2026-11-23'", "branch is null", "name = 'test_270000'", "length(job_name) > 1000"];
    let asked = |condition| ASKED.map(|asked| asked.replace("{}", condition));
    let questions: Vec<String> = conditions.into_iter().flat_map(asked).chain(groupings()).collect();
    are_alike(&lake, &questions).await;
}
