//! `testlake upload`: from inside a CI job into a lake, and what happens where the lake is not to be had.

use std::path::PathBuf;

use insta::assert_snapshot;

use crate::lake::asked;
use crate::program::{Program, tree};

const REPORT: &str = r#"<testsuite name="a" tests="4">
<testcase classname="A" name="ok" file="a.py" time="61.5"/>
<testcase classname="A" name="bad" file="a.py" time="0.25"><failure type="AssertionError" message="1 != 2">line 1
line 2</failure></testcase>
<testcase classname="A" name="worse&#x202e;" file="a.py" time="0.75"><error message="boom"/></testcase>
<testcase classname="A" name="not" file="a.py"><skipped/></testcase>
</testsuite>"#;

/// A job of GitHub Actions with a report.
fn job() -> Program {
    let variables = [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "o/r"),
        ("GITHUB_RUN_ID", "7"),
        ("GITHUB_RUN_ATTEMPT", "2"),
        ("GITHUB_JOB", "test"),
        ("GITHUB_SHA", "0123abcd0123abcd0123abcd0123abcd0123abcd"),
        ("GITHUB_REF_NAME", "main"),
        ("GITHUB_REF_TYPE", "branch"),
        ("GITHUB_EVENT_NAME", "push"),
        ("GITHUB_WORKFLOW", "ci"),
    ];
    let program =
        variables.into_iter().fold(Program::new(), |program, (name, value)| program.with(name, value));
    let cache = program.path().join("cache").display().to_string();
    let program = program.with("XDG_CACHE_HOME", &cache);
    program.write("reports/unit/a.xml", REPORT);
    program.write("reports/readme.txt", "These are no reports\n");
    program
}

fn csv(program: &Program, sql: &str) -> String {
    asked(program, &["--format=csv", "--lake=lake", sql])
}

/// The files that wait in the spool.
fn spooled(program: &Program) -> Vec<PathBuf> {
    let root = program.path().join("cache");
    tree(&root).into_keys().map(|name| root.join(name)).collect()
}

#[test]
fn a_job_s_results_are_kept_and_told() {
    let program = job();
    assert_snapshot!(program.run(&["upload", "reports/", "--lake=lake", "--tags", "suite=unit"]));
    assert_eq!(
        csv(
            &program,
            "select run_id, attempt, artifact, report, branch, \"commit\", tags['suite'] as s, name, outcome from results where outcome = 'failed'"
        ),
        "run_id,attempt,artifact,report,branch,commit,s,name,outcome\n\
         7,2,test suite=unit,reports/unit/a.xml,main,0123abcd0123abcd0123abcd0123abcd0123abcd,unit,bad,failed\n"
    );
    assert_eq!(
        csv(&program, "select provider, workflow, event, verdict, cases from runs"),
        "provider,workflow,event,verdict,cases\ngithub,ci,push,,\n"
    );
    // The figures of a run that no ledger tells are counted.
    let runs = program.output(&["runs", "--lake=lake", "--format=json"]).stdout;
    let runs: serde_json::Value = serde_json::from_slice(&runs).unwrap();
    assert_eq!((&runs[0]["cases"], &runs[0]["failed"]), (&4.into(), &1.into()));

    // The same again replaces itself; another suite of the same job is another report.
    let again = program.run(&["upload", "reports/", "--lake=lake", "--tags", "suite=unit"]);
    assert!(again.contains("in place of 4 of an earlier time"), "{again}");
    assert_eq!(csv(&program, "select count(*) as n from results"), "n\n4\n");
    assert!(program.output(&["upload", "reports", "--lake=lake", "--tags", "suite=other"]).status.success());
    assert_eq!(csv(&program, "select count(*) as n from results"), "n\n8\n");
    assert_eq!(csv(&program, "select count(*) as n from runs"), "n\n1\n");
}

#[test]
fn what_is_said_wins_over_ci_s_variables() {
    let program = job();
    let words = [
        "upload",
        "reports/unit/a.xml",
        "--lake=lake",
        "--repo=o/other",
        "--run-id=nightly",
        "--attempt=3",
        "--job=linux",
        "--job-id=4711",
        "--variant=debug",
        "--commit=89abcdef",
        "--branch=feature",
        "--quiet",
    ];
    let output = program.output(&words);
    assert!(output.status.success() && output.stdout.is_empty(), "{}", program.render(&output));
    assert_eq!(
        csv(
            &program,
            "select distinct repo, run_id, attempt, artifact, job, job_name, variant, \"commit\", branch from results"
        ),
        "repo,run_id,attempt,artifact,job,job_name,variant,commit,branch\n\
         o/other,nightly,3,4711 debug,4711,linux,debug,89abcdef,feature\n"
    );
}

/// Uploads, and ends with success.
fn upload(program: &Program, words: &[&str], variables: &[(&str, &str)]) {
    let mut command = program.command(&[&["upload", "--lake=lake", "-q"], words].concat());
    let output = command.envs(variables.iter().copied()).output().unwrap();
    assert!(output.status.success(), "{}", program.render(&output));
}

#[test]
fn another_run_has_nothing_of_this_job_s_own() {
    let program = job();
    upload(&program, &["reports", "--run-id=123"], &[]);
    upload(&program, &["reports", "--run-id=7"], &[]);
    assert_eq!(
        csv(&program, "select run_id, attempt, branch, event, workflow from runs order by 1"),
        "run_id,attempt,branch,event,workflow\n123,1,,,\n7,2,main,push,ci\n"
    );
}

#[test]
fn a_name_for_the_job_keeps_what_tells_its_nodes_apart() {
    let program = Program::new();
    program.write("a.xml", REPORT);
    let node = |index| {
        [
            ("CIRCLECI", "true"),
            ("CIRCLE_WORKFLOW_ID", "f1c2"),
            ("CIRCLE_BUILD_NUM", "55"),
            ("CIRCLE_NODE_INDEX", index),
        ]
    };
    upload(&program, &["a.xml", "--job=unit"], &node("0"));
    upload(&program, &["a.xml", "--job=unit"], &node("1"));
    upload(&program, &["a.xml", "--job=unit"], &node("1"));
    assert_eq!(
        csv(&program, "select artifact, job_name, count(*) as n from results group by 1, 2 order by 1"),
        "artifact,job_name,n\n55-unit-0,unit,4\n55-unit-1,unit,4\n"
    );
}

#[test]
fn a_reporter_that_runs_again_replaces_what_it_left() {
    let program = job();
    let event =
        r#"{"workflow_run": {"id": 500, "run_attempt": 1, "name": "Build", "event": "pull_request"}}"#;
    program.write("event.json", event);
    let path = program.path().join("event.json").display().to_string();
    for (attempt, machine) in [("1", "GitHub Actions 1"), ("2", "GitHub Actions 2")] {
        let variables = [
            ("GITHUB_EVENT_NAME", "workflow_run"),
            ("GITHUB_EVENT_PATH", &*path),
            ("GITHUB_RUN_ATTEMPT", attempt),
            ("RUNNER_NAME", machine),
        ];
        upload(&program, &["reports"], &variables);
    }
    assert_eq!(
        csv(&program, "select run_id, attempt, artifact, count(*) as n from results group by 1, 2, 3"),
        "run_id,attempt,artifact,n\n500,1,test-ci,4\n"
    );
}

#[test]
fn legs_of_a_matrix_on_one_machine_of_one_s_own_stay_apart() {
    let program = job();
    for leg in ["github_1f3d9475", "github_6c9440ee"] {
        let machine = [("RUNNER_ENVIRONMENT", "self-hosted"), ("RUNNER_NAME", "mine")];
        let leg = [machine[0], machine[1], ("RUNNER_TRACKING_ID", leg)];
        upload(&program, &["reports"], &leg);
        upload(&program, &["reports"], &leg);
    }
    assert_eq!(csv(&program, "select count(*) as n from results"), "n\n8\n");
}

#[test]
fn a_file_is_read_once_however_it_is_spelled() {
    let program = job();
    let whole = program.path().join("reports/unit/a.xml").display().to_string();
    let words = ["reports//unit/a.xml", "./reports/./unit/a.xml", "reports/../reports/unit/a.xml", &*whole];
    upload(&program, &words, &[]);
    assert_eq!(
        csv(&program, "select report, count(*) as n from results group by 1"),
        "report,n\nreports/unit/a.xml,4\n"
    );
}

#[cfg(target_os = "linux")]
#[test]
fn a_name_of_bytes_is_told_from_one_that_spells_them() {
    use std::os::unix::ffi::OsStrExt as _;
    let program = job();
    program.write("r/\\xff.xml", REPORT);
    let bytes = std::ffi::OsStr::from_bytes(b"\xff.xml");
    std::fs::write(program.path().join("r").join(bytes), REPORT).unwrap();
    upload(&program, &["r"], &[]);
    upload(&program, &["r"], &[]);
    assert_eq!(
        csv(&program, "select report, count(*) as n from results group by 1 order by 1"),
        "report,n\nr/\\x5cxff.xml,4\nr/\\xff.xml,4\n"
    );
}

#[test]
fn the_same_as_data() {
    let program = job();
    let json = program.output(&["upload", "reports", "--lake=lake", "--format=json"]).stdout;
    let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
    assert_eq!(
        (&json["version"], &json["cases"], &json["failed"], &json["errored"]),
        (&1.into(), &4.into(), &1.into(), &1.into())
    );
    assert_eq!(json["failures"][0]["message"], "1 != 2");
    assert_eq!(json["slowest"][0]["seconds"], 61.5);
    assert_eq!(json["taken_in"]["cases"], 4);
    let lines = program.output(&["upload", "reports", "--lake=lake", "--format=ndjson", "-q"]).stdout;
    let lines = String::from_utf8(lines).unwrap();
    assert!(!lines.contains('\u{202e}'), "{lines}");
    let of = |line: &str| {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["of"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        lines.lines().map(of).collect::<Vec<_>>(),
        ["upload", "failure", "failure", "slow", "slow", "slow"]
    );
}

#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_kept() {
    let program = job();
    program.write("reports/cut.xml", REPORT.split_at(REPORT.find("worse").unwrap()).0);
    assert_snapshot!(program.run(&["upload", "reports", "--lake=lake"]));
    assert_eq!(csv(&program, "select count(*) as n from results"), "n\n6\n");
    assert_eq!(csv(&program, "select report, code from findings"), "report,code\nreports/cut.xml,cut-tag\n");

    // A report that is named must be one.
    let output = program.output(&["upload", "reports/readme.txt", "--lake=lake"]);
    assert_eq!(output.status.code(), Some(4), "{}", program.render(&output));
    program.write("empty/x.txt", "nothing");
    let output = program.output(&["upload", "empty", "--lake=lake"]);
    assert_eq!(output.status.code(), Some(4), "{}", program.render(&output));
}

#[test]
fn what_is_wrong_with_words_is_told() {
    let program = job();
    assert_snapshot!(program.run(&["upload"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: no report is given
      hint: give a file or a folder, as in `testlake upload ./reports`
    ");
    assert_snapshot!(program.run(&["upload", "nowhere"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: cannot read `nowhere`
      caused by: No such file or directory (os error 2)
    ");
    assert_snapshot!(program.run(&["upload", "reports", "--tags", "unit"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: bad value of `--tags`: `unit` is no tag; one reads `suite=unit`
      hint: see `testlake upload --help`
    ");
    let elsewhere = Program::new();
    elsewhere.write("a.xml", REPORT);
    assert_snapshot!(elsewhere.run(&["upload", "a.xml"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: no run is known: these are not the variables of a CI job that testlake knows
      hint: name the run with `--run-id`, and the job with `--job`; docs/ci.md lists the variables
    ");
}

#[cfg(feature = "cloud")]
mod down {
    use testlake_testkit::s3::S3Server;

    use super::*;

    /// Leads a job to a server that may not be there.
    fn job_with(endpoint: &str) -> Program {
        [
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_ACCESS_KEY_ID", "id"),
            ("AWS_SECRET_ACCESS_KEY", "hunter2"),
            ("AWS_REGION", "us-east-1"),
        ]
        .into_iter()
        .fold(job(), |program, (name, value)| program.with(name, value))
    }

    /// Nobody listens on a port that was just given back.
    fn nowhere() -> String {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        format!("http://{free}")
    }

    fn filtered(program: &Program, words: &[&str], endpoint: &str) -> String {
        let said = program
            .run(words)
            .replace(endpoint, "[SERVER]")
            .replace(&endpoint.replace("http://", ""), "[SERVER]");
        let name = regex::Regex::new(r"spool/[0-9a-f]{16}/\d{13}-\S+\.ndjson").unwrap();
        let said = name.replace_all(&said, "spool/[LAKE]/[TIME].ndjson");
        // All are opened at once; which fails first is chance.
        let table = regex::Regex::new(r"lake/(runs|results|findings)/").unwrap();
        table.replace_all(&said, "lake/[TABLE]/").into_owned()
    }

    #[test]
    fn a_store_that_is_down_spools_and_the_next_call_sends_first() {
        let endpoint = nowhere();
        let program = job_with(&endpoint);
        let words = ["upload", "reports", "--lake=s3://bucket/lake", "--retry-for=0s", "--tags=suite=unit"];
        let said = filtered(&program, &words, &endpoint);
        assert!(!said.contains("hunter2"));
        assert!(said.starts_with("exit code: 75"), "{said}");
        assert_snapshot!("down", said);
        assert_eq!(spooled(&program).len(), 1);
        // With `--fail-open` it is a warning. Another attempt is another upload.
        let open = [&words[..], &["--attempt=3", "--fail-open"]].concat();
        let said = filtered(&program, &open, &endpoint);
        assert!(said.starts_with("exit code: 0"), "{said}");
        assert!(said.contains("warning: the results are not in the lake yet"), "{said}");
        assert_eq!(spooled(&program).len(), 2);

        // The store is up again: what waits is sent first, by a call that has other reports.
        let server = S3Server::start(&["bucket"]);
        let environment = server.environment();
        let up = environment("AWS_ENDPOINT_URL").unwrap();
        program.write("more/b.xml", REPORT.replace("a.py", "b.py"));
        let words = ["upload", "more", "--lake=s3://bucket/lake", "--attempt=4"];
        let mut command = program.command(&words);
        for name in ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"] {
            command.env(name, environment(name).unwrap());
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", program.render(&output));
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said, "sent from the spool: 2 uploads, 8 cases\n");
        assert!(spooled(&program).is_empty());
        let sql = "select attempt, tags['suite'] as s, count(*) as n, count(*) filter (where flaky) as f, max(message) as m, \
                   sum(seconds) as t from results group by 1, 2 order by 1";
        let mut command = program.command(&["sql", "--lake=s3://bucket/lake", "--format=csv", sql]);
        for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"] {
            command.env(name, environment(name).unwrap());
        }
        let output = command.env("AWS_ENDPOINT_URL", up).output().unwrap();
        assert_eq!(
            String::from_utf8(output.stdout).unwrap(),
            "attempt,s,n,f,m,t\n2,unit,4,0,boom,62.5\n3,unit,4,0,boom,62.5\n4,,4,0,boom,62.5\n"
        );
    }

    #[test]
    fn a_spooled_file_that_is_broken_is_told_and_stays() {
        let endpoint = nowhere();
        let program = job_with(&endpoint);
        let down = ["upload", "reports", "--lake=s3://bucket/lake", "--retry-for=0s", "--fail-open", "-q"];
        assert!(program.output(&down).status.success());
        let file = spooled(&program).remove(0);
        let text = std::fs::read_to_string(&file).unwrap();
        let cut = text.lines().take(3).map(|line| format!("{line}\n")).collect::<String>();
        std::fs::write(&file, cut).unwrap();
        let server = S3Server::start(&["bucket"]);
        let environment = server.environment();
        let mut command = program.command(&["upload", "reports", "--lake=s3://bucket/lake", "-q"]);
        for name in ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"] {
            command.env(name, environment(name).unwrap());
        }
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", program.render(&output));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("warning: the spooled file `") && said.contains("it is cut off"), "{said}");
        assert_eq!(spooled(&program), [file]);
    }

    #[test]
    fn a_spooled_file_of_a_run_that_is_damaged_keeps_back_no_other() {
        let server = S3Server::start(&["bucket"]);
        let upload = |program: &Program, words: &[&str]| {
            let mut command =
                program.command(&[&["upload", "reports", "--lake=s3://bucket/lake", "-q"], words].concat());
            let environment = server.environment();
            for name in ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"] {
                command.env(name, environment(name).unwrap());
            }
            command.output().unwrap()
        };
        let endpoint = nowhere();
        let program = job_with(&endpoint);
        assert!(upload(&program, &[]).status.success());
        for (key, bytes) in server.objects("bucket") {
            if key.starts_with("lake/results/date=") {
                server.put("bucket", &key, &bytes[..bytes.len() / 2]);
            }
        }
        let down = ["upload", "reports", "--lake=s3://bucket/lake", "--retry-for=0s", "--fail-open", "-q"];
        assert!(program.output(&down).status.success());
        let output = upload(&program, &["--attempt=7"]);
        assert!(output.status.success(), "{}", program.render(&output));
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.starts_with("warning: the spooled file `") && said.contains("is damaged"), "{said}");
        assert_eq!(spooled(&program).len(), 1);
    }

    #[test]
    fn what_cannot_be_spooled_either_is_told_and_fails_open() {
        let endpoint = nowhere();
        let program = job_with(&endpoint);
        program.write("file", "no folder");
        let down = ["upload", "reports", "--lake=s3://bucket/lake", "--retry-for=0s", "--spool=file/spool"];
        let said = program.run(&down);
        assert!(said.starts_with("exit code: 75"), "{said}");
        assert!(said.contains("the results cannot be kept in `file/spool"), "{said}");
        let said = program.run(&[&down[..], &["--fail-open"]].concat());
        assert!(said.starts_with("exit code: 0"), "{said}");
        assert!(
            said.contains("warning: ") && said.contains("Not in s3://bucket/lake, and not spooled"),
            "{said}"
        );
    }

    #[test]
    fn a_bucket_that_is_not_there_is_a_matter_of_usage_even_with_fail_open() {
        let server = S3Server::start(&["bucket"]);
        let environment = server.environment();
        let program = job();
        let mut command = program.command(&["upload", "reports", "--lake=s3://other/lake", "--fail-open"]);
        for name in ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"] {
            command.env(name, environment(name).unwrap());
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{}", program.render(&output));
        assert!(spooled(&program).is_empty());
    }
}

#[cfg(unix)]
#[test]
fn a_report_that_can_be_read_once_is_uploaded_from_a_pipe() {
    use std::io::Write as _;
    use std::process::Stdio;
    let program = job();
    let mut child = program
        .command(&["upload", "-", "--lake=lake", "-q"])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(REPORT.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(csv(&program, "select report, count(*) as n from results group by 1"), "report,n\n-,4\n");
    assert!(spooled(&program).is_empty());
    // A lake that is up needs no spool.
    program.write("file", "no folder");
    let mut command = program.command(&["upload", "-", "--lake=lake", "--attempt=9", "--spool=file/spool"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(REPORT.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}
