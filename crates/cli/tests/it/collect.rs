//! `testlake collect` and its drop-in, from files to files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use insta::assert_snapshot;
use testlake_testkit::run::{COLLECTIONS, MadeRun, RUN_ID, RunShape, compare};
use testlake_testkit::zip::{Member, ZipBuilder};

use crate::program::{Program, tree};

/// Inflates what the program wrote.
pub(crate) fn inflated(bytes: &[u8]) -> Vec<u8> {
    let mut inflated = Vec::new();
    std::io::copy(&mut flate2::read::MultiGzDecoder::new(bytes), &mut inflated).unwrap();
    inflated
}

/// Returns the collections and the ledger, without the lake beside them.
fn collections(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = tree(root);
    files.retain(|name, _| !name.starts_with("lake/"));
    files
}

fn assert_equals_the_reference(made: &MadeRun, out: &Path) {
    let reference = made.reference().unwrap();
    for collection in COLLECTIONS {
        let lines = inflated(&fs::read(out.join(collection).join(RUN_ID).join("1")).unwrap());
        compare(collection, &reference.lines(collection).unwrap(), &lines).unwrap();
    }
}

const REPORT: &str = r#"<testsuite name="a" tests="4">
<testcase classname="A" name="ok" file="a.py" time="1.5"/>
<testcase classname="A" name="bad" file="a.py" time="0.25"><failure message="1 != 2">line 1
line 2</failure></testcase>
<testcase classname="A" name="worse" file="a.py" time="0.25"><error message="boom"/></testcase>
<testcase classname="A" name="not" file="a.py"><skipped/></testcase>
</testsuite>"#;

#[test]
fn a_made_run_is_taken_in_whole() {
    let made = MadeRun::make(RunShape::default()).unwrap();
    let program = Program::new();
    let source = format!("file://{}", made.bucket().display());
    let jobs = made.jobs_file().display().to_string();
    let words = [
        "collect",
        source.as_str(),
        "--repo=pytorch/pytorch",
        "--run-id=9871234567",
        "--attempt=1",
        "--jobs-file",
        jobs.as_str(),
        "--full=always",
        "--to=./out",
    ];
    assert_snapshot!(program.run(&words));
    assert_equals_the_reference(&made, &program.path().join("out"));

    // The same as data; and the same bytes, whatever the number of threads.
    let first = collections(&program.path().join("out"));
    let output = program.output(&[&words[..], &["--format=json", "--threads=1"]].concat());
    assert!(output.status.success() && output.stderr.is_empty());
    assert!(collections(&program.path().join("out")) == first);
    let lines: Vec<_> = output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).collect();
    let [line] = lines.as_slice() else { panic!("{} lines", lines.len()) };
    let line: serde_json::Value = serde_json::from_slice(line).unwrap();
    let ledger = fs::read(program.path().join("out/ledger/9871234567/1")).unwrap();
    assert_eq!(line["ledger"], serde_json::from_slice::<serde_json::Value>(&ledger).unwrap());
    assert_eq!(line["ledger"]["cases"]["total"], 1960);
    assert_eq!(line["written"].as_array().unwrap().len(), 7);
}

#[test]
fn the_drop_in_writes_the_same() {
    let made = MadeRun::make(RunShape::default()).unwrap();
    let program = Program::new();
    let (source, jobs) = (made.bucket().display().to_string(), made.jobs_file().display().to_string());
    let words = [
        "upload-test-stats",
        "--workflow-run-id=9871234567",
        "--workflow-run-attempt=1",
        "--head-branch=main",
        "--head-repository=pytorch/pytorch",
        "--from",
        source.as_str(),
        "--to=out",
        "--jobs-file",
        jobs.as_str(),
        "--quiet",
    ];
    assert_snapshot!(program.run(&words), @r"
    exit code: 0
    ----- stdout -----

    ----- stderr -----
    ");
    assert_equals_the_reference(&made, &program.path().join("out"));

    // A pull request's documents are not written in full.
    let words = words.map(|word| if word == "--head-branch=main" { "--head-branch=feature" } else { word });
    let words = words.map(|word| if word == "--to=out" { "--to=pull" } else { word });
    assert!(program.output(&words).status.success());
    assert!(!program.path().join("pull/test_run").try_exists().unwrap());
    assert!(program.path().join("pull/ledger/9871234567/1").try_exists().unwrap());
}

#[test]
fn a_folder_of_reports_is_a_local_run() {
    let program = Program::new();
    program.write("artifacts/job_1/a.xml", REPORT);
    program.write("artifacts/job_2/b.xml", REPORT.replace("a.py", "b.py"));
    assert_snapshot!(program.run(&["collect", "./artifacts", "--to", "./testlake"]));
    // Where it lies makes no difference to what is collected.
    let documents = || {
        let mut files = collections(&program.path().join("testlake"));
        files.retain(|name, _| !name.starts_with("ledger/"));
        files
    };
    let first = documents();
    assert_eq!(first.len(), 3);
    fs::rename(program.path().join("artifacts"), program.path().join("moved")).unwrap();
    assert!(program.output(&["collect", "moved", "--quiet"]).status.success());
    assert!(documents() == first);
}

#[test]
fn quiet_silences_talk_and_not_the_data_that_was_asked_for() {
    let program = Program::new();
    program.write("artifacts/a_1/a.xml", REPORT);
    let said = |words: &[&str]| {
        let output = program.output(&[&["collect", "artifacts", "--no-lake"], words].concat());
        assert!(output.status.success() && output.stderr.is_empty());
        String::from_utf8(output.stdout).unwrap()
    };
    assert_eq!(said(&["-q"]), "");
    let json = said(&["--format=json"]);
    assert!(json.starts_with('{') && json.ends_with("}\n"), "{json}");
    assert_eq!(said(&["-q", "--format=json"]), json);
    assert_eq!(said(&["-q", "--format=table"]), said(&[]));
    assert_eq!(said(&["-q", "--dry-run"]), "");
    assert!(said(&["-q", "--dry-run", "--format=json"]).starts_with('{'));
}

#[test]
fn what_is_broken_is_told_and_the_rest_is_taken_in() {
    let program = Program::new();
    program.write("artifacts/whole_1/a.xml", REPORT);
    program.write("artifacts/cut_2/b.xml", REPORT.split_at(REPORT.find("worse").unwrap()).0);
    program.write(
        "artifacts/rough_3/c.xml",
        REPORT.replace("boom", "boom\u{1} & &nosuch;").replace("bad", "\u{202e}bad"),
    );
    program.write("artifacts/other_4/d.xml", "<html><body>Bad gateway</body></html>");
    program.write("artifacts/count_5/e.xml", REPORT.replace("tests=\"4\"", "tests=\"5\""));
    program.write("artifacts/none.zip", "<html>an error page</html>");
    let zip = ZipBuilder::new().member(Member::deflated("x/f.xml", REPORT.as_bytes())).build();
    program.write("artifacts/cut.zip", &zip.bytes[..zip.bytes.len() - 30]);
    let bomb = ZipBuilder::new().member(Member::bomb("x/g.xml", b' ', 2 << 20)).build();
    program.write("artifacts/bomb.zip", &bomb.bytes);
    assert_snapshot!(program.run(&["collect", "artifacts", "--to=out", "--max-entry-size=1MiB"]));
    let ledger = fs::read_dir(program.path().join("out/ledger")).unwrap().count();
    assert_eq!(ledger, 1);
}

#[test]
fn what_is_not_whole_can_be_asked_for() {
    let program = Program::new();
    program.write("artifacts/count_5/e.xml", REPORT.replace("tests=\"4\"", "tests=\"5\""));
    program.write("jobs.json", r#"{"5": "linux / test (default, 1)", "6": "linux / test (default, 2)"}"#);
    let code = |words: &[&str]| {
        let common = ["collect", "artifacts", "--quiet", "--jobs-file=jobs.json"];
        program.output(&[&common[..], words].concat()).status.code()
    };
    assert_eq!(code(&[]), Some(0));
    assert_eq!(code(&["--require-complete"]), Some(3));
    assert_eq!(code(&["--expect-jobs=default, 2"]), Some(3));
    assert_eq!(code(&["--expect-jobs=default, 1"]), Some(0));
}

#[test]
fn where_there_is_no_test_the_code_says_so() {
    let program = Program::new();
    program.write("empty/a.xml", "<testsuites/>");
    assert_snapshot!(program.run(&["collect", "empty"]));
}

#[test]
fn what_leads_to_nothing_is_a_matter_of_usage() {
    let program = Program::new();
    fs::create_dir(program.path().join("nothing")).unwrap();
    assert_snapshot!(program.run(&["collect", "nothing", "no*where.xml"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: no report and no archive is at `nothing, no*where.xml`
      hint: check the path or the pattern
    ");
    program.write("bucket/o/r/7/1/artifact/reports_5.xml", REPORT);
    let url = format!("file://{}", program.path().join("bucket").display());
    let collect = |run_id| ["collect", url.as_str(), "--repo", "o/r", "--run-id", run_id, "--attempt", "1"];
    assert_eq!(program.output(&collect("7")).status.code(), Some(0));
    let before = tree(&program.path().join("testlake"));
    let wrong = program.run(&collect("8"));
    assert_snapshot!(wrong, @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: no artifact and no job of o/r run 8 attempt 1 is in `file://[FOLDER]/bucket`
      hint: check `--repo`, `--run-id` and `--attempt`
    ");
    assert!(tree(&program.path().join("testlake")) == before);
}

#[test]
fn what_is_not_there_is_a_matter_of_usage() {
    let program = Program::new();
    assert_snapshot!(program.run(&["collect", "nowhere"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: no source answered
      caused by: cannot read `nowhere`
      caused by: No such file or directory (os error 2)
      hint: check the source, `--repo`, `--run-id` and `--attempt`
    ");
    assert_snapshot!(program.run(&["collect", "file:///nowhere", "--repo=o/r", "--run-id=7", "--attempt=1"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: no source answered
      caused by: cannot read `/nowhere`
      caused by: No such file or directory (os error 2)
      hint: check the source, `--repo`, `--run-id` and `--attempt`
    ");
    assert!(tree(&program.path().join("testlake")).is_empty());
}

#[test]
fn an_output_that_cannot_be_written_is_told_before_any_work() {
    let program = Program::new();
    program.write("artifacts/a_1/a.xml", REPORT);
    program.write("file", "");
    assert_snapshot!(program.run(&["collect", "artifacts", "--to=file"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: cannot write to `file`
      caused by: File exists (os error 17)
      hint: choose another place with `--to`
    ");
    assert_snapshot!(program.run(&["collect", "artifacts", "--to=http://foo"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: `--to` names no place to write to
      caused by: a web address is no bucket
      hint: it reads like `./out`, `file:///folder`, `s3://bucket/prefix`, `gs://bucket` or `az://container`
      hint: the address of a store that speaks S3 goes into AWS_ENDPOINT_URL, and its bucket into `--to s3://bucket`
    ");
    assert_snapshot!(program.run(&["collect", "artifacts", "--to=s3://"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: `--to` names no place to write to
      caused by: the address names no bucket
      hint: it reads like `./out`, `file:///folder`, `s3://bucket/prefix`, `gs://bucket` or `az://container`
    ");
    assert_snapshot!(program.run(&["collect", "artifacts", "--to=file://host/x"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: cannot write to `file://host/x`
      caused by: it reads `file:///folder`
      hint: choose another place with `--to`
    ");
    assert_snapshot!(program.run(&["collect", "artifacts", "--to=ftp://x"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: `--to` names no place to write to
      caused by: `ftp://` is no kind of destination
      hint: it reads like `./out`, `file:///folder`, `s3://bucket/prefix`, `gs://bucket` or `az://container`
    ");
}

#[test]
fn a_dry_run_writes_nothing() {
    let program = Program::new();
    program.write("artifacts/a_1/a.xml", REPORT);
    program.write("artifacts/b_2.zip", ZipBuilder::new().build().bytes);
    assert_snapshot!(program.run(&["collect", "artifacts", "--dry-run"]));
    assert!(!program.path().join("testlake").try_exists().unwrap());
}

#[test]
fn the_settings_file_above_is_found() {
    let program = Program::new();
    program.write("repo/.git/HEAD", "");
    program.write("repo/testlake.toml", "source = './artifacts'\nto = 'kept'\nquiet = true\n");
    program.write("repo/artifacts/a_1/a.xml", REPORT);
    program.write("repo/inner/x", "");
    let mut command = program.command(&["collect"]);
    let output = command.current_dir(program.path().join("repo/inner")).output().unwrap();
    assert_snapshot!(program.render(&output), @r"
    exit code: 0
    ----- stdout -----

    ----- stderr -----
    ");
    assert!(program.path().join("repo/kept/ledger").is_dir());
}

#[test]
fn a_pipe_that_is_closed_is_no_failure() {
    let program = Program::new();
    program.write("artifacts/a_1/a.xml", REPORT);
    for words in [&["collect", "artifacts"][..], &["--help"], &["man"], &["completions", "bash"]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let output = program.command(words).stdout(writer).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{words:?}");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_output_that_is_full_is_told() {
    let program = Program::new();
    program.write("artifacts/a_1/a.xml", REPORT);
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = program.command(&["collect", "artifacts"]).stdout(full).output().unwrap();
    assert_snapshot!(program.render(&output), @r"
    exit code: 75
    ----- stdout -----

    ----- stderr -----
    error: cannot write to the standard output
      caused by: No space left on device (os error 28)
    ");
}

#[test]
fn the_log_goes_to_stderr() {
    let program = Program::new();
    program.write("artifacts/a_1/a.xml", REPORT);
    let quiet = program.output(&["collect", "artifacts", "--no-lake"]);
    let loud = program.output(&["collect", "artifacts", "--no-lake", "-vvv"]);
    assert_eq!(quiet.stdout, loud.stdout);
    assert!(quiet.stderr.is_empty());
    let log = String::from_utf8(loud.stderr).unwrap();
    assert!(log.contains(r#"sources=["artifacts"]"#), "{log}");
    assert!(program.output(&["collect", "artifacts", "-vvv", "--quiet"]).stderr.is_empty());
}

#[test]
fn all_attempts_are_taken_in_one_after_the_other() {
    let program = Program::new();
    for attempt in [1, 2, 10] {
        let name = if attempt == 2 { "test-jsons_5/x.json" } else { "reports_5.zip" };
        let zip = ZipBuilder::new().member(Member::deflated("x/f.xml", REPORT.as_bytes())).build();
        program.write(&format!("bucket/o/r/7/{attempt}/artifact/{name}"), &zip.bytes);
    }
    let source = format!("file://{}", program.path().join("bucket").display());
    let words = ["collect", &source, "--repo=o/r", "--run-id=7", "--to=out", "--format=json"];
    let attempts = |extra: &[&str]| {
        let output = program.output(&[&words[..], extra].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        lines.map(|line| line["ledger"]["run"]["attempt"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(attempts(&["--attempt=all"]), [1, 2, 10]);
    assert_eq!(attempts(&["--attempt=2"]), [2]);
    assert_eq!(attempts(&[]), [10]);
}
