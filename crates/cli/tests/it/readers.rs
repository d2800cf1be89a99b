//! The collections as those read them who are not us: Python, `zcat`, `DuckDB`, `ClickHouse`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use testlake_testkit::run::{COLLECTIONS, MadeRun, RUN_ID, Reference, RunShape, compare};
use testlake_testkit::tools::tools_dir;

use crate::program::Program;

/// A run that was collected, and what must be in its collections.
struct Collected {
    program: Program,
    expected: Reference,
}

impl Collected {
    fn new() -> Self {
        // So many that `test_run` is more than two pieces, whatever reads it must join.
        let made = MadeRun::make(RunShape { cases: 16_000, ..RunShape::default() }).unwrap();
        let program = Program::new();
        let output = program
            .command(&[
                "collect",
                "--repo=pytorch/pytorch",
                "--attempt=1",
                "--full=always",
                "--to=out",
                "--no-lake",
            ])
            .args(["--run-id", RUN_ID])
            .arg("--jobs-file")
            .arg(made.jobs_file())
            .arg(format!("file://{}", made.bucket().display()))
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", program.render(&output));
        Self { program, expected: made.reference().unwrap() }
    }

    fn out(&self) -> PathBuf {
        self.program.path().join("out")
    }

    /// Runs `readers.py`, which compares what a reader sees with what must be there.
    fn is_read_by(&self, reader: &str, python: &Path) {
        let output = Command::new(python)
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/readers.py"))
            .arg(reader)
            .args([&self.out(), self.expected.folder()])
            .arg(RUN_ID)
            // Here, as chdb leaves files in the folder that it runs in.
            .current_dir(self.program.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(output.status.success(), "{reader}: {}", String::from_utf8_lossy(&output.stderr));
        let told = String::from_utf8(output.stdout).unwrap();
        assert_eq!(told.lines().count(), COLLECTIONS.len(), "{told}");
    }
}

#[test]
fn python_reads_them() {
    Collected::new().is_read_by("python", Path::new("python3"));
}

#[test]
fn zcat_reads_them() {
    let collected = Collected::new();
    for collection in COLLECTIONS {
        let file = std::fs::File::open(collected.out().join(collection).join(RUN_ID).join("1")).unwrap();
        let output = Command::new("zcat").stdin(file).output().unwrap();
        assert!(output.status.success(), "{collection}: {}", String::from_utf8_lossy(&output.stderr));
        compare(collection, &collected.expected.lines(collection).unwrap(), &output.stdout).unwrap();
    }
}

#[test]
fn duckdb_reads_them() {
    Collected::new().is_read_by("duckdb", &tools_dir().join("venv/bin/python"));
}

#[test]
fn clickhouse_reads_them() {
    Collected::new().is_read_by("clickhouse", &tools_dir().join("venv/bin/python"));
}
