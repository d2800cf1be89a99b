//! A lake from `collect` to `sql`, `runs` and `lake`, and what others see of it.

use std::path::Path;
use std::process::{Command, Stdio};

use insta::assert_snapshot;
use testlake_testkit::run::{MadeRun, RUN_ID, RunShape};
use testlake_testkit::tools::tools_dir;

use crate::program::{Program, tree};

const REPORT: &str = r#"<testsuite name="a" tests="4">
<testcase classname="A" name="ok" file="a.py" time="1.5"/>
<testcase classname="A" name="bad" file="a.py" time="0.25"><failure message="1 != 2, &quot;really&quot;">line 1
line 2</failure></testcase>
<testcase classname="A" name="worse" file="a.py" time="0.25"><error message="boom&#27;[2J"/></testcase>
<testcase classname="A" name="not" file="a.py"><skipped/></testcase>
</testsuite>"#;

/// Collects a run of one report.
pub(crate) fn collected() -> Program {
    let program = Program::new();
    program.write("artifacts/job_1/a.xml", REPORT);
    let output =
        program.output(&["collect", "./artifacts", "--repo=o/r", "--run-id=7", "--head-branch=main", "-q"]);
    assert!(output.status.success(), "{}", program.render(&output));
    program
}

/// Returns what a question prints, which must be answered.
pub(crate) fn asked(program: &Program, words: &[&str]) -> String {
    let output = program.output(&[&["sql"], words].concat());
    assert!(output.status.success(), "{}", program.render(&output));
    String::from_utf8(output.stdout).unwrap()
}

const OUTCOMES: &str = "select outcome, count(*) as n from results group by 1 order by 1";

#[test]
fn a_made_run_is_in_the_lake_as_its_ledger_counts_it() {
    let made = MadeRun::make(RunShape::default()).unwrap();
    let program = Program::new();
    let source = format!("file://{}", made.bucket().display());
    let words = [
        "collect",
        source.as_str(),
        "--repo",
        "pytorch/pytorch",
        "--run-id",
        RUN_ID,
        "--attempt",
        "1",
        "--to",
        "./testlake",
    ];
    assert!(program.output(&words).status.success());
    // The form of the issue that asks.
    let csv = asked(&program, &["--lake", "./testlake/lake", "--format", "csv", OUTCOMES]);
    let ledger = std::fs::read(program.path().join("testlake/ledger").join(RUN_ID).join("1")).unwrap();
    let ledger: serde_json::Value = serde_json::from_slice(&ledger).unwrap();
    let told = |outcome: &str| ledger["results"][outcome].as_u64().unwrap();
    let expected: String = ["errored", "failed", "passed", "skipped"]
        .iter()
        .filter(|outcome| told(outcome) > 0)
        .map(|outcome| format!("{outcome},{}\n", told(outcome)))
        .collect();
    assert_eq!(csv, format!("outcome,n\n{expected}"));

    // To take it in again is to take it in once.
    assert!(program.output(&words).status.success());
    assert_eq!(asked(&program, &["--format=csv", OUTCOMES]), csv);
    assert_eq!(asked(&program, &["--format=csv", "select count(*) as n from runs"]), "n\n1\n");
}

#[test]
fn what_is_kept_is_told() {
    let program = Program::new();
    program.write("artifacts/job_1/a.xml", REPORT);
    let run = |words: &[&str]| program.run(&[&["collect", "./artifacts"], words].concat());
    assert_snapshot!("told_as_table", run(&["--to=out", "--tags", "suite=unit"]));
    assert_snapshot!("told_on_a_dry_run", run(&["--to=out", "-n"]));
    let json =
        program.output(&["collect", "./artifacts", "--to=out", "--tags=suite=unit", "--format=json"]).stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(json["lake"], "out/lake");
    assert_eq!((&json["kept"]["cases"], &json["kept"]["replaced"]), (&4.into(), &4.into()));
    let lake = ["--lake=out/lake", "--format=csv"];
    assert_eq!(asked(&program, &[&lake[..], &["select tags['suite'] as s from runs"]].concat()), "s\nunit\n");
}

#[test]
fn either_of_lake_and_collections_can_be_left_out() {
    let program = Program::new();
    program.write("artifacts/job_1/a.xml", REPORT);
    let collect = |words: &[&str]| program.output(&[&["collect", "./artifacts"], words].concat());
    let names = |folder: &str| -> Vec<String> {
        let names = tree(&program.path().join(folder)).into_keys();
        names.map(|name| name.split('/').next().unwrap().to_owned()).collect()
    };
    assert!(collect(&["--to=one", "--no-lake", "-q"]).status.success());
    assert_eq!(names("one"), ["failed_test_runs", "ledger", "test_run", "test_run_summary"]);
    let output = collect(&["--to=two", "--no-collections"]);
    assert!(output.status.success());
    assert_snapshot!("no_collections", program.render(&output));
    assert!(names("two").iter().all(|name| name == "lake"));
    assert!(collect(&["--to=three", "--lake=elsewhere", "-q"]).status.success());
    assert_eq!(names("three"), ["failed_test_runs", "ledger", "test_run", "test_run_summary"]);
    assert!(!names("elsewhere").is_empty());
    assert_snapshot!(program.run(&["collect", "./artifacts", "--no-lake", "--no-collections"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: nothing would be kept: neither a lake nor collections
      hint: leave out `--no-lake` or `--no-collections`
    ");
    assert_snapshot!(program.run(&["collect", "./artifacts", "--no-lake", "--lake=x"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: a lake is named with `--lake`, and `--no-lake` is said
      hint: leave one of them out
    ");
}

#[test]
fn the_default_is_below_where_results_go() {
    let program = Program::new();
    program.write("artifacts/job_1/a.xml", REPORT);
    program.write("testlake.toml", "to = \"./kept\"\n");
    assert!(program.output(&["collect", "./artifacts", "-q"]).status.success());
    assert!(program.path().join("kept/lake/results").is_dir());
    assert_eq!(asked(&program, &["--format=csv", "select count(*) as n from results"]), "n\n4\n");
    program.write("testlake.toml", "to = \"./kept\"\nlake = \"./other\"\n");
    assert_eq!(program.output(&["sql", "select 1"]).status.code(), Some(2));
}

#[test]
fn runs_are_listed_with_their_figures() {
    let program = collected();
    program.write("more/job_1/b.xml", REPORT);
    let words = ["collect", "./more", "--repo=o/other", "--run-id=8", "--head-branch=feature", "-q"];
    assert!(program.output(&words).status.success());
    let listed = |words: &[&str]| {
        let output = program.output(&[&["runs", "--format=ndjson"], words].concat());
        assert!(output.status.success(), "{}", program.render(&output));
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()).collect::<Vec<_>>()
    };
    let ids = |words: &[&str]| {
        listed(words).iter().map(|run| run["run_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&[]), ["8", "7"]);
    assert_eq!(ids(&["--repo=o/r"]), ["7"]);
    assert_eq!(ids(&["--branch=feature"]), ["8"]);
    assert_eq!(ids(&["--limit=1"]), ["8"]);
    assert_eq!(ids(&["--since=1h"]), ["8", "7"]);
    assert!(ids(&["--since=0s"]).is_empty() && ids(&["--since=2100-01-01"]).is_empty());
    assert_eq!(ids(&["--since=2020-01-01"]), ["8", "7"]);
    let run = &listed(&["--repo=o/r"])[0];
    for (figure, number) in [("cases", 4), ("passed", 1), ("failed", 1), ("errored", 1), ("skipped", 1)] {
        assert_eq!(run[figure], number, "{figure}");
    }
    assert_eq!((&run["verdict"], &run["branch"]), (&"complete".into(), &"main".into()));
    let table = program.run(&["runs"]);
    assert!(table.contains("run_id") && table.contains("o/other"), "{table}");
    assert_snapshot!(program.run(&["runs", "--since=yesterday"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: bad value of `--since`: `yesterday` is neither a length of time, as `7d` or `12h`, nor a day, as `2026-11-01`
      hint: see `testlake runs --help`
    ");
}

#[test]
fn a_lake_is_looked_after() {
    let program = collected();
    for run in ["8", "9", "10"] {
        let words = ["collect", "./artifacts", "--repo=o/r", "--run-id", run, "--head-branch=main", "-q"];
        assert!(program.output(&words).status.success());
    }
    let json = |words: &[&str]| -> Vec<serde_json::Value> {
        let output = program.output(&[&["lake"], words, &["--format=json"]].concat());
        assert!(output.status.success(), "{}", program.render(&output));
        let lines = String::from_utf8(output.stdout).unwrap();
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let info = json(&["info"]);
    let of = |table: &str| info.iter().find(|line| line["table"] == table).unwrap();
    assert_eq!((&of("runs")["rows"], &of("results")["rows"]), (&4.into(), &16.into()));
    let info = program.run(&["lake", "info"]);
    assert!(info.contains("testlake/lake, format 1") && info.contains("`testlake lake optimize`"), "{info}");

    let files = String::from_utf8(program.output(&["lake", "files", "--table=results"]).stdout).unwrap();
    assert_eq!(files.lines().count(), 4);
    assert!(files.lines().all(|file| Path::new(file).is_file()), "{files}");

    let checked = json(&["check"]);
    assert_eq!(checked[0]["problems"].as_array().unwrap().len(), 0);
    let before = asked(&program, &["--format=csv", "select * from results order by run_id, ordinal"]);
    let optimized = json(&["optimize"]);
    assert!(optimized[0]["files_before"].as_u64() > optimized[0]["files_after"].as_u64(), "{optimized:?}");
    assert_eq!(asked(&program, &["--format=csv", "select * from results order by run_id, ordinal"]), before);
    assert_eq!(program.run(&["lake", "optimize"]).lines().nth(2), Some("nothing to optimise"));

    let dry = json(&["vacuum", "--retention=0s", "-n"]);
    let would = dry[0]["files"].as_array().unwrap().len();
    assert!(would >= 4 && dry[0]["dry_run"] == true, "{dry:?}");
    assert_eq!(json(&["vacuum"])[0]["files"].as_array().unwrap().len(), 0);
    assert_eq!(json(&["vacuum", "--retention=0s"])[0]["files"].as_array().unwrap().len(), would);
    assert_eq!(asked(&program, &["--format=csv", "select * from results order by run_id, ordinal"]), before);

    // A file that the log names is cut off: the proof fails, by name.
    let file = String::from_utf8(program.output(&["lake", "files", "--table=results"]).stdout).unwrap();
    let file = file.trim_end();
    let bytes = std::fs::read(file).unwrap();
    std::fs::write(file, &bytes[..bytes.len() / 2]).unwrap();
    let output = program.output(&["lake", "check"]);
    let said = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("1 problem") && said.contains(file), "{said}");
    let output = program.output(&["sql", "select max(message) from results"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("`testlake lake check`"), "{said}");
}

#[test]
fn a_check_tells_a_broken_log_as_what_is_wrong() {
    // Where errors say where in the program they were made, too.
    let program = collected().with("RUST_BACKTRACE", "1");
    let log = program.path().join("testlake/lake/results/_delta_log/00000000000000000000.json");
    let whole = std::fs::read(&log).unwrap();
    std::fs::write(&log, &whole[..whole.len() / 2]).unwrap();
    let output = program.output(&["lake", "check"]);
    let said = program.render(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("1 problem: 2 files read"), "{said}");
    assert!(said.contains("results/_delta_log: the log of table `results`"), "{said}");
    assert!(!said.contains("lake check`") && said.lines().count() < 10, "{said}");
    let output = program.output(&["sql", "select 1"]);
    let said = program.render(&output);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("caused by: ") && said.lines().count() < 10, "{said}");
    assert!(said.contains("hint: `testlake lake check` names all that is damaged"), "{said}");
    // A table that is gone.
    std::fs::remove_dir_all(program.path().join("testlake/lake/results")).unwrap();
    let output = program.output(&["lake", "check"]);
    let said = program.render(&output);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("has no table `results`"), "{said}");
}

#[test]
fn what_is_no_lake_is_told() {
    let program = Program::new();
    for words in [&["sql", "select 1"][..], &["runs"], &["lake", "info"], &["lake", "check"]] {
        let said = program.run(words);
        assert!(
            said.starts_with("exit code: 2") && said.contains("there is no lake at `./testlake/lake`"),
            "{said}"
        );
    }
    assert!(!program.path().join("testlake").try_exists().unwrap(), "a question makes nothing");
    assert_snapshot!(program.run(&["sql", "select 1", "--lake=ftp://x"]));
    assert_snapshot!(program.run(&["lake", "info", "--lake=s3://key:secret@b"]));
    program.write("file", "");
    assert_snapshot!(program.run(&["runs", "--lake=file"]));
    assert_snapshot!(program.run(&["lake", "mend"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: bad value of `<ACTION>`: `mend` is none of: `info`, `files`, `optimize`, `vacuum`, `check`
      hint: see `testlake lake --help`
    ");
}

#[test]
fn a_lake_of_a_later_version_is_refused_and_nothing_is_changed() {
    let program = collected();
    let log = program.path().join("testlake/lake/results/_delta_log/00000000000000000000.json");
    let text = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, text.replace("\"testlake.version\":\"1\"", "\"testlake.version\":\"99\"")).unwrap();
    let before = tree(&program.path().join("testlake/lake"));
    for words in [&["sql", "select 1"][..], &["collect", "./artifacts", "--repo=o/r", "--run-id=7"]] {
        let output = program.output(words);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains("version 99") && said.contains("take a newer testlake"), "{said}");
    }
    assert!(tree(&program.path().join("testlake/lake")) == before);
}

#[test]
fn duckdb_reads_the_files_that_are_listed() {
    let program = collected();
    let script = "
import sys, duckdb
files = sys.stdin.read().split('\\n')[:-1]
for row in duckdb.sql(f'select outcome, count(*) as n from read_parquet({files!r}) group by 1 order by 1').fetchall():
    print(*row, sep=',')
";
    let files = program.output(&["lake", "files", "--table=results"]).stdout;
    let path = program.path().join("files");
    std::fs::write(&path, files).unwrap();
    let output = Command::new(tools_dir().join("venv/bin/python"))
        .args(["-c", script])
        .stdin(std::fs::File::open(path).unwrap())
        .stderr(Stdio::inherit())
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert_eq!(format!("outcome,n\n{told}"), asked(&program, &["--format=csv", OUTCOMES]));
}

#[test]
fn what_is_shown_of_a_failure_is_masked_too() {
    let program = Program::new();
    let token = format!("ghp_{}", "a1B2c3D4e5".repeat(4).get(..36).unwrap());
    let report =
        REPORT.replace("1 != 2", &token).replace("line 2", &format!("Authorization: Bearer {token}"));
    assert!(report.matches(&token).count() == 2);
    program.write("in/a.xml", report);
    for format in ["--format=json", "--format=table"] {
        let output = program.output(&["collect", "in", format]);
        let said = program.render(&output);
        assert!(output.status.success() && !said.contains("ghp_"), "{said}");
        assert!(said.contains("[redacted: github-token]"), "{said}");
        assert!(said.contains("Authorization: Bearer [redacted: "), "{said}");
    }
}

#[cfg(feature = "cloud")]
#[test]
fn the_collections_do_without_a_lake_that_is_down() {
    // Nobody listens on a port that was just given back.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let program = Program::new()
        .with("AWS_ENDPOINT_URL", &format!("http://{free}"))
        .with("AWS_ACCESS_KEY_ID", "id")
        .with("AWS_SECRET_ACCESS_KEY", "hunter2")
        .with("AWS_REGION", "us-east-1");
    program.write("in/a.xml", REPORT);
    let words =
        ["collect", "in", "--run-id=7", "--to=out", "--lake=s3://bucket/lake", "--retry-for=0s", "-q"];
    let output = program.output(&words);
    assert_eq!(output.status.code(), Some(75), "{}", program.render(&output));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("run 7 attempt 1 is collected, and not in the lake"), "{said}");
    for collection in ["ledger", "test_run_summary", "failed_test_runs"] {
        assert!(program.path().join(format!("out/{collection}/7/1")).is_file(), "{collection}");
    }
}

#[test]
fn a_run_is_counted_with_what_its_jobs_uploaded() {
    let program = collected();
    let words = [
        "upload",
        "artifacts/job_1/a.xml",
        "--lake=testlake/lake",
        "--repo=o/r",
        "--run-id=7",
        "--job=other",
        "-q",
    ];
    let output = program.output(&words);
    assert!(output.status.success(), "{}", program.render(&output));
    let listed = program.output(&["runs", "--format=ndjson"]);
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    let counts = ["cases", "passed", "failed", "errored", "skipped"].map(|name| listed[name].as_u64());
    assert_eq!(counts, [8, 2, 2, 2, 2].map(Some));
}
