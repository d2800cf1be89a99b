//! A lake of many runs of the same tests. Rows are made in the order that `optimize` gives them, test by test, so that as few are in
//! memory as fill a batch.

use std::error::Error;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, BooleanArray, DictionaryArray, Float64Array, Int32Array, Int64Array, ListBuilder,
    StringArray, StringBuilder, TimestampMicrosecondArray, new_null_array,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use futures::{StreamExt, TryStreamExt};
use testlake_lake::Lake;
use testlake_lake::ingest::{AttemptFacts, Origin};
use testlake_lake::schema::TableKind;

use super::{DAY_MS, FIRST_DAY_MS, REPO, attempt};

const TESTS_OF_FILE: usize = 50;
const TESTS_OF_CLASS: usize = 10;
const SHARDS: usize = 5;
const VARIANTS: [&str; 2] = ["linux-focal-cuda12.1-py3.10-gcc9", "linux-focal-py3.8-gcc7"];
const BATCH_ROWS: usize = 1 << 15;
const WORDS: [&str; 24] = [
    "add",
    "autograd",
    "backward",
    "broadcast",
    "complex",
    "compile",
    "conv",
    "cross",
    "distributed",
    "dropout",
    "einsum",
    "foreach",
    "gather",
    "index",
    "linear",
    "masked",
    "norm",
    "pool",
    "quantized",
    "reduce",
    "scatter",
    "sparse",
    "stride",
    "transpose",
];
const TYPES: [&str; 5] = ["cpu_float32", "cpu_int64", "cuda_bfloat16", "cuda_complex64", "cuda_float32"];
const REASONS: [&str; 4] = [
    "Only runs on cuda",
    "test is slow; run with PYTORCH_TEST_WITH_SLOW",
    "requires multiple GPUs",
    "not supported on this device",
];

/// Stirs a number: the same in, the same out.
pub(super) fn mixed(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^= mixed >> 27;
    mixed = mixed.wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn picked<'a>(from: &[&'a str], seed: u64) -> &'a str {
    from[usize::try_from(mixed(seed) % from.len() as u64).unwrap_or(0)]
}

/// The tests, in their order.
struct Tests {
    files: Vec<String>,
    classes: Vec<String>,
    names: Vec<String>,
}

impl Tests {
    fn new(tests: usize) -> Self {
        let mut files: Vec<String> = (0..tests.div_ceil(TESTS_OF_FILE))
            .map(|file| {
                format!(
                    "test/{}/test_{}_{file:04}.py",
                    picked(&WORDS, file as u64 / 16),
                    picked(&WORDS, file as u64)
                )
            })
            .collect();
        files.sort();
        let mut classes = Vec::new();
        let mut names = Vec::new();
        for file in &files {
            let module = file.trim_end_matches(".py").replace('/', ".");
            for class in 0..TESTS_OF_FILE / TESTS_OF_CLASS {
                classes.push(format!("{module}.Test{}{class}", picked(&WORDS, classes.len() as u64)));
                let begin = names.len();
                let word = |name: usize| picked(&WORDS, mixed((begin + name) as u64));
                names.extend((0..TESTS_OF_CLASS).map(|name| {
                    format!("test_{}_{}_{name}_{}", word(name), word(name + 1000), TYPES[name % TYPES.len()])
                }));
                names[begin..].sort();
            }
            let begin = classes.len() - TESTS_OF_FILE / TESTS_OF_CLASS;
            classes[begin..].sort();
        }
        names.truncate(tests);
        Self { files, classes, names }
    }
}

/// Makes the lake.
pub(super) async fn make(lake: &Lake, days: usize, runs: usize, cases: usize) -> Result<(), Box<dyn Error>> {
    let tests = Arc::new(Tests::new(cases / VARIANTS.len()));
    let attempts: Vec<Vec<(usize, AttemptFacts)>> = (0..days)
        .map(|day| {
            let of_day = day * runs / days..(day + 1) * runs / days;
            let step = DAY_MS / i64::try_from(of_day.len().max(1)).unwrap_or(1);
            let began = FIRST_DAY_MS + i64::try_from(day).unwrap_or(0) * DAY_MS;
            of_day.zip(0_i64..).map(|(run, nth)| (run, attempt(run, began + nth * step))).collect()
        })
        .collect();
    for (_, attempt) in attempts.iter().flatten() {
        lake.ingest(attempt.clone()).commit(&Origin::Uploaded, &[]).await?;
    }
    let middle = &attempts[days / 2];
    let test = tests.names.len() / 2;
    println!("{}\n{}", middle[middle.len() / 2].1.run.run_id, day_text(days / 2));
    println!(
        "{}\n{}\n{}",
        tests.files[test / TESTS_OF_FILE],
        tests.classes[test / TESTS_OF_CLASS],
        tests.names[test]
    );
    let written = futures::stream::iter(attempts.into_iter().enumerate()).map(|(day, runs)| {
        let (lake, tests) = (lake.clone(), Arc::clone(&tests));
        tokio::spawn(async move {
            let rows = Rows::new(tests, runs);
            lake.lay_down(&day_text(day), rows.schema(), rows).await
        })
    });
    let written: Vec<_> = written.buffer_unordered(2).try_collect().await?;
    println!("{}", written.into_iter().sum::<Result<u64, _>>()?);
    // The rows of the runs.
    lake.optimize(&testlake_lake::keep::OptimizeOptions::default()).await?;
    Ok(())
}

/// From 2026-09-01 on.
fn day_text(day: usize) -> String {
    let mut day = day;
    for (month, days) in [("09", 30), ("10", 31), ("11", 30), ("12", 31)] {
        if day < days {
            return format!("2026-{month}-{:02}", day + 1);
        }
        day -= days;
    }
    format!("2027-01-{:02}", day + 1)
}

/// The rows of a day.
struct Rows {
    tests: Arc<Tests>,
    runs: Vec<(usize, AttemptFacts)>,
    schema: SchemaRef,
    columns: Columns,
    /// The next test and variant.
    next: usize,
}

/// What many rows share.
struct Columns {
    repo: ArrayRef,
    run_id: ArrayRef,
    artifact: ArrayRef,
    report: ArrayRef,
    job: ArrayRef,
    job_name: ArrayRef,
    variant: ArrayRef,
    commit: ArrayRef,
    branch: ArrayRef,
    file: ArrayRef,
    class: ArrayRef,
    name: ArrayRef,
    outcome: ArrayRef,
    kind: ArrayRef,
}

fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> ArrayRef {
    Arc::new(texts.into_iter().map(|text| Some(text.as_ref().to_owned())).collect::<StringArray>())
}

fn suites(rows: usize) -> ArrayRef {
    let mut suites =
        ListBuilder::new(StringBuilder::new()).with_field(Field::new("element", DataType::Utf8, false));
    for _ in 0..rows {
        suites.values().append_value("pytest");
        suites.append(true);
    }
    Arc::new(suites.finish())
}

fn shard_of(file: usize) -> usize {
    usize::try_from(mixed(file as u64) % SHARDS as u64).unwrap_or(0)
}

impl Rows {
    fn new(tests: Arc<Tests>, runs: Vec<(usize, AttemptFacts)>) -> Self {
        let jobs: Vec<(usize, usize, usize)> = runs
            .iter()
            .flat_map(|(run, _)| (0..VARIANTS.len() * SHARDS).map(|job| (*run, job / SHARDS, job % SHARDS)))
            .collect();
        let job_id =
            |run: usize, variant: usize, shard: usize| 27_000_000_000 + run * 1000 + variant * 10 + shard;
        let stem = |file: &str| file.trim_end_matches(".py").trim_start_matches("test/").replace('/', ".");
        let files = &tests.files;
        let reports = runs.iter().flat_map(move |(run, _)| {
            (0..VARIANTS.len()).flat_map(move |variant| {
                files.iter().enumerate().map(move |(file, name)| {
                    let stem = stem(name);
                    let made = mixed(((run * 2 + variant) << 20 | file) as u64);
                    format!("test/test-reports/python-pytest/{stem}/{stem}-{made:016x}.xml")
                })
            })
        });
        let name = |variant: usize, shard: usize| {
            format!("{} / test (default, {}, {SHARDS}, linux.2xlarge)", VARIANTS[variant], shard + 1)
        };
        let columns = Columns {
            repo: texts([REPO]),
            run_id: texts(runs.iter().map(|(_, attempt)| &attempt.run.run_id)),
            artifact: texts(jobs.iter().map(|(run, variant, shard)| {
                format!(
                    "test-reports-test-default-{}-{SHARDS}-linux.2xlarge_{}.zip",
                    shard + 1,
                    job_id(*run, *variant, *shard)
                )
            })),
            report: texts(reports),
            job: texts(jobs.iter().map(|(run, variant, shard)| job_id(*run, *variant, *shard).to_string())),
            job_name: texts((0..VARIANTS.len() * SHARDS).map(|job| name(job / SHARDS, job % SHARDS))),
            variant: texts(VARIANTS),
            commit: texts(runs.iter().filter_map(|(_, attempt)| attempt.facts.head_commit.as_ref())),
            branch: texts(runs.iter().filter_map(|(_, attempt)| attempt.facts.head_branch.as_ref())),
            file: texts(&tests.files),
            class: texts(&tests.classes),
            name: texts(&tests.names),
            outcome: texts(["passed", "skipped", "failed", "errored"]),
            kind: texts(["AssertionError", "RuntimeError"]),
        };
        let mut rows = Self { tests, runs, schema: Arc::new(Schema::empty()), columns, next: 0 };
        rows.schema = rows.batch(0, 0).schema();
        rows
    }

    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// Makes the rows of so many tests and variants.
    fn batch(&self, begin: usize, pairs: usize) -> RecordBatch {
        let runs = self.runs.len();
        let cells: Vec<Cell> = (begin..begin + pairs)
            .flat_map(|pair| (0..runs).map(move |run| (pair / VARIANTS.len(), pair % VARIANTS.len(), run)))
            .map(|(test, variant, run)| Cell::new(test, variant, run, self.runs[run].0))
            .collect();
        let shared = |values: &ArrayRef, key: &dyn Fn(&Cell) -> Option<usize>| -> ArrayRef {
            let keys: Int32Array =
                cells.iter().map(|cell| key(cell).and_then(|key| i32::try_from(key).ok())).collect();
            Arc::new(DictionaryArray::new(keys, Arc::clone(values)))
        };
        let columns = &self.columns;
        let files = self.tests.files.len();
        let job = |cell: &Cell| (cell.run * VARIANTS.len() + cell.variant) * SHARDS + shard_of(cell.file());
        let of_table = TableKind::Results.file_schema();
        let nothing = |name: &str| {
            let field = of_table.field_with_name(name).map(|field| field.data_type().clone());
            new_null_array(&field.unwrap_or(DataType::Null), cells.len())
        };
        let began = |cell: &Cell| {
            let run = self.runs[cell.run].1.facts.started_unix_ms.unwrap_or(0);
            run * 1000
                + i64::try_from(
                    mixed((cell.number * 2 + cell.variant) as u64 * 4096 + cell.file() as u64) % 7_200_000,
                )
                .unwrap_or(0)
                    * 1000
        };
        let each = |text: &dyn Fn(&Cell) -> Option<String>| -> ArrayRef {
            Arc::new(cells.iter().map(text).collect::<StringArray>())
        };
        let made: Vec<ArrayRef> = vec![
            shared(&columns.repo, &|_| Some(0)),
            shared(&columns.run_id, &|cell| Some(cell.run)),
            Arc::new(Int32Array::from(vec![1; cells.len()])),
            shared(&columns.artifact, &|cell| Some(job(cell))),
            shared(&columns.report, &|cell| {
                Some((cell.run * VARIANTS.len() + cell.variant) * files + cell.file())
            }),
            Arc::new(
                cells
                    .iter()
                    .map(|cell| i64::try_from(cell.test % TESTS_OF_FILE).ok())
                    .collect::<Int64Array>(),
            ),
            shared(&columns.job, &|cell| Some(job(cell))),
            shared(&columns.job_name, &|cell| Some(cell.variant * SHARDS + shard_of(cell.file()))),
            shared(&columns.variant, &|cell| Some(cell.variant)),
            shared(&columns.commit, &|cell| Some(cell.run)),
            shared(&columns.branch, &|cell| Some(cell.run)),
            shared(&columns.file, &|cell| Some(cell.file())),
            suites(cells.len()),
            shared(&columns.class, &|cell| Some(cell.test / TESTS_OF_CLASS)),
            shared(&columns.name, &|cell| Some(cell.test)),
            nothing("line"),
            shared(&columns.outcome, &|cell| Some(cell.outcome)),
            Arc::new(cells.iter().map(|cell| Some(cell.is_flaky())).collect::<BooleanArray>()),
            Arc::new(cells.iter().map(|cell| Some(1 + i32::from(cell.is_flaky()))).collect::<Int32Array>()),
            Arc::new(cells.iter().map(|cell| Some(cell.seconds())).collect::<Float64Array>()),
            Arc::new(
                cells
                    .iter()
                    .map(|cell| Some(began(cell)))
                    .collect::<TimestampMicrosecondArray>()
                    .with_timezone("UTC"),
            ),
            shared(&columns.kind, &|cell| cell.outcome.checked_sub(2)),
            each(&|cell| cell.message()),
            each(&|cell| cell.detail(&self.tests)),
            nothing("tags"),
        ];
        let fields = of_table.fields().iter().zip(&made);
        let fields: Vec<Field> = fields
            .map(|(field, made)| field.as_ref().clone().with_data_type(made.data_type().clone()))
            .collect();
        RecordBatch::try_new(Arc::new(Schema::new(fields)), made).unwrap_or_else(|error| panic!("{error}"))
    }
}

impl Iterator for Rows {
    type Item = RecordBatch;

    fn next(&mut self) -> Option<RecordBatch> {
        let left = self.tests.names.len() * VARIANTS.len() - self.next;
        let pairs = (BATCH_ROWS / self.runs.len().max(1)).clamp(1, left.max(1));
        if left == 0 {
            return None;
        }
        let batch = self.batch(self.next, pairs);
        self.next += pairs;
        Some(batch)
    }
}

/// A case.
struct Cell {
    test: usize,
    variant: usize,
    /// The run's place in its day, and its number among all.
    run: usize,
    number: usize,
    seed: u64,
    outcome: usize,
}

impl Cell {
    fn new(test: usize, variant: usize, run: usize, number: usize) -> Self {
        let seed = mixed(((number * VARIANTS.len() + variant) as u64) << 32 | test as u64);
        let is_skipped = mixed((test * VARIANTS.len() + variant) as u64) % 100 < 5;
        let outcome = match seed % 5000 {
            _ if is_skipped => 1,
            0..8 => 2,
            8..10 => 3,
            _ => 0,
        };
        Self { test, variant, run, number, seed, outcome }
    }

    fn file(&self) -> usize {
        self.test / TESTS_OF_FILE
    }

    fn is_flaky(&self) -> bool {
        self.outcome == 0 && (self.seed >> 20).is_multiple_of(2000)
    }

    /// About as long as the test takes each time, to the millisecond.
    fn seconds(&self) -> f64 {
        if self.outcome == 1 {
            return 0.0;
        }
        let usual = 2_f64.powf((mixed(self.test as u64) % 1000) as f64 / 80.0 - 9.0);
        let share = 0.8 + ((self.seed >> 32) % 1000) as f64 / 2500.0;
        (usual * share * 1000.0).round() / 1000.0
    }

    fn message(&self) -> Option<String> {
        match self.outcome {
            0 => None,
            1 => Some(REASONS[self.test % REASONS.len()].to_owned()),
            2 => Some(format!(
                "AssertionError: Tensor-likes are not close! Mismatched elements: {} / 1000",
                1 + self.seed % 997
            )),
            _ => Some(format!(
                "RuntimeError: CUDA error: an illegal memory access was encountered at 0x{:012x}",
                self.seed >> 16
            )),
        }
    }

    fn detail(&self, tests: &Tests) -> Option<String> {
        let (file, name) = (&tests.files[self.file()], &tests.names[self.test]);
        let message = self.message().filter(|_| self.outcome > 1)?;
        let frame = |line: u64| {
            format!(
                "  File \"/var/lib/jenkins/workspace/{file}\", line {line}, in {name}\n    self.assertEqual(actual, expected, atol=1e-5, rtol=1.3e-6)\n"
            )
        };
        Some(format!(
            "Traceback (most recent call last):\n{}{}{}{message}\nTo execute this test, run the following from the base repo dir:\n    python {file} -k {name}\n",
            frame(self.seed % 3000),
            frame(self.seed % 877),
            frame(self.seed % 91),
        ))
    }
}
