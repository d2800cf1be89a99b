//! `testlake collect` from a provider that answers from a script.

use insta::assert_snapshot;
use serde_json::json;
use testlake_testkit::scripted::{ScriptedServer, Step};
use testlake_testkit::zip::{Member, ZipBuilder};
use wiremock::matchers::{header, method, path};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::program::Program;

const REPORT: &str = r#"<testsuite><testcase classname="A" name="ok" time="1"/></testsuite>"#;

/// Runs the program where it does not hold up the server.
async fn run(program: Program, words: &[&str]) -> String {
    let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
    let run = move || program.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    tokio::task::spawn_blocking(run).await.unwrap()
}

async fn answer(server: &MockServer, at: &str, answer: ResponseTemplate) {
    Mock::given(method("GET"))
        .and(path(format!("/api/v3/repos/o/r/actions{at}")))
        .and(header("authorization", "Bearer hunter2"))
        .respond_with(answer)
        .mount(server)
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_is_taken_in_by_its_web_address() {
    let server = MockServer::start().await;
    let json = |value| ResponseTemplate::new(200).set_body_json(value);
    let api = format!("{}/api/v3", server.uri());
    let artifact = json!({
        "id": 1,
        "name": "reports_5",
        "size_in_bytes": 200,
        "archive_download_url": format!("{api}/repos/o/r/actions/artifacts/1/zip"),
        "expired": false,
    });
    let gone =
        json!({"id": 2, "name": "gone_6", "archive_download_url": format!("{api}/x"), "expired": true});
    answer(&server, "/runs/7", json(json!({"run_attempt": 1}))).await;
    let artifacts = json!({"total_count": 2, "artifacts": [artifact, gone]});
    answer(&server, "/runs/7/artifacts", json(artifacts)).await;
    let jobs = json!({"total_count": 2, "jobs": [
        {"id": 5, "name": "linux / test (default, 1)"},
        {"id": 6, "name": "linux / test (default, 2)"},
    ]});
    answer(&server, "/runs/7/attempts/1/jobs", json(jobs)).await;
    let attempt = json!({"head_branch": "main", "head_repository": {"full_name": "o/r"}});
    answer(&server, "/runs/7/attempts/1", json(attempt)).await;
    let zip = ZipBuilder::new().member(Member::deflated("a/a.xml", REPORT.as_bytes())).build();
    answer(&server, "/artifacts/1/zip", ResponseTemplate::new(200).set_body_bytes(zip.bytes)).await;

    let program = Program::new().with("GITHUB_API_URL", &api).with("GITHUB_TOKEN", "hunter2");
    assert_snapshot!(run(program, &["collect", &format!("{}/o/r/actions/runs/7", server.uri())]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_of_circleci_is_taken_in_by_its_web_address() {
    const WORKFLOW: &str = "5034460f-c7c4-4c43-9457-de07e2029e7b";
    let server = MockServer::start().await;
    let answer = async |at: &str, body: ResponseTemplate| {
        Mock::given(method("GET"))
            .and(path(format!("/api/v2{at}")))
            .and(header("circle-token", "hunter2"))
            .respond_with(body)
            .mount(&server)
            .await;
    };
    let json = |value| ResponseTemplate::new(200).set_body_json(value);
    answer(&format!("/workflow/{WORKFLOW}"), json(json!({"id": WORKFLOW, "pipeline_id": "p"}))).await;
    answer("/pipeline/p", json(json!({"id": "p", "number": 17}))).await;
    let jobs = json!({"items": [{"name": "test", "job_number": 4, "type": "build", "status": "success"}]});
    answer(&format!("/workflow/{WORKFLOW}/job"), json(jobs)).await;
    let file = format!("{}/api/v2/file", server.uri());
    let artifacts = json!({"items": [{"path": "out/a.xml", "node_index": 0, "url": file}]});
    answer("/project/gh/o/r/4/artifacts", json(artifacts)).await;
    answer("/file", ResponseTemplate::new(200).set_body_string(REPORT)).await;

    let program = Program::new().with("CIRCLECI_CLI_HOST", &server.uri()).with("CIRCLE_TOKEN", "hunter2");
    let address = format!("{}/pipelines/github/o/r/17/workflows/{WORKFLOW}", server.uri());
    assert_snapshot!(run(program, &["collect", &address]).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_not_carried_to_another_host() {
    let program = Program::new().with("CIRCLE_TOKEN", "hunter2");
    assert_snapshot!(run(program, &["collect", "https://evil.example/pipelines/gh/o/r/7"]).await, @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: a run's web address is on another host than the API that is set
      hint: set CIRCLECI_CLI_HOST to `https://evil.example`, and CIRCLE_TOKEN to a token for it
    ");
    let program = Program::new().with("GITHUB_TOKEN", "hunter2");
    assert_snapshot!(run(program, &["collect", "https://evil.example/o/r/actions/runs/7"]).await, @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: a run's web address is on another host than the API that is set
      hint: set GITHUB_API_URL to `https://evil.example/api/v3`, and GITHUB_TOKEN to a token for it
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_says_no_is_a_matter_of_usage() {
    for (status, name) in [(401, "unauthorized"), (403, "forbidden"), (404, "not_found")] {
        let server = MockServer::start().await;
        let no = ResponseTemplate::new(status).set_body_json(json!({"message": "no"}));
        Mock::given(method("GET")).respond_with(no).mount(&server).await;
        let program = Program::new().with("GITHUB_API_URL", &server.uri()).with("GITHUB_TOKEN", "hunter2");
        let words = ["collect", "github", "--repo=o/r", "--run-id=7"];
        let said = run(program, &words).await;
        assert!(said.starts_with("exit code: 2\n") && !said.contains("hunter2"), "{said}");
        assert_snapshot!(name, said.replace(&server.uri(), "[SERVER]"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_down_may_be_up_later() {
    let server = MockServer::start().await;
    Mock::given(method("GET")).respond_with(ResponseTemplate::new(502)).mount(&server).await;
    let program = Program::new().with("GITHUB_API_URL", &server.uri());
    let words = ["collect", "github", "--repo=o/r", "--run-id=7", "--retry-for=0s"];
    assert_snapshot!(run(program, &words).await.replace(&server.uri(), "[SERVER]"));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_run_cleanly() {
    for (signal, code) in [("INT", 130), ("TERM", 143)] {
        let server =
            ScriptedServer::start([Step::stall("200 OK", &["content-length: 9"], b"")]).await.unwrap();
        let program = Program::new().with("GITHUB_API_URL", &server.url());
        let words = ["collect", "github", "--repo=o/r", "--run-id=7", "--attempt=1"];
        let child = program.command(&words).stderr(std::process::Stdio::piped()).spawn().unwrap();
        // The program listens for signals before it asks for anything.
        while server.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        let kill = format!("kill -{signal} {}", child.id());
        assert!(std::process::Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let output = tokio::task::spawn_blocking(|| child.wait_with_output().unwrap()).await.unwrap();
        assert_eq!(output.status.code(), Some(code));
        assert_snapshot!(format!("signal_{signal}"), program.render(&output));
        let left = crate::program::tree(&program.path().join("testlake"));
        assert!(left.is_empty(), "{:?}", left.keys());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn job_names_that_cannot_be_had_are_told_even_to_who_wants_to_hear_nothing() {
    let server = MockServer::start().await;
    let api = format!("{}/api/v3", server.uri());
    let jobs = "/api/v3/repos/o/r/actions/runs/7/attempts/1/jobs";
    Mock::given(path(jobs)).respond_with(ResponseTemplate::new(404)).mount(&server).await;
    let artifact = json!({
        "id": 1,
        "name": "test-reports_5",
        "size_in_bytes": 200,
        "archive_download_url": format!("{api}/repos/o/r/actions/artifacts/1/zip"),
        "expired": false,
    });
    let json = |value| ResponseTemplate::new(200).set_body_json(value);
    answer(&server, "/runs/7/artifacts", json(json!({"total_count": 1, "artifacts": [artifact]}))).await;
    let zip = ZipBuilder::new().member(Member::deflated("a/a.xml", REPORT.as_bytes())).build();
    answer(&server, "/artifacts/1/zip", ResponseTemplate::new(200).set_body_bytes(zip.bytes)).await;
    let program = Program::new().with("GITHUB_API_URL", &api).with("GITHUB_TOKEN", "hunter2");
    let words = ["collect", "github", "--repo=o/r", "--run-id=7", "--attempt=1", "--profile=pytorch", "-q"];
    let said = run(program, &[&words[..], &["--full=always"]].concat()).await;
    assert_snapshot!(said, @r"
    exit code: 3
    ----- stdout -----

    ----- stderr -----
    warning: the names of the run's jobs could not be had: all of `additional_info` stands under `NoBuildEnv` and `NoTestConfig`, and whether a job left no report is not known; take the run in again
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_cannot_be_had_is_told_even_to_who_wants_to_hear_nothing() {
    let server = MockServer::start().await;
    let api = format!("{}/api/v3", server.uri());
    let json = |value| ResponseTemplate::new(200).set_body_json(value);
    let artifact = json!({
        "id": 1,
        "name": "test-reports_5",
        "archive_download_url": format!("{api}/repos/o/r/actions/artifacts/1/zip"),
        "expired": false,
    });
    answer(&server, "/runs/7/artifacts", json(json!({"total_count": 1, "artifacts": [artifact]}))).await;
    let zip = ZipBuilder::new().member(Member::deflated("a/a.xml", REPORT.as_bytes())).build();
    answer(&server, "/artifacts/1/zip", ResponseTemplate::new(200).set_body_bytes(zip.bytes)).await;
    let jobs = json!({"total_count": 1, "jobs": [{"id": 5, "name": "linux / test (default, 1)"}]});
    answer(&server, "/runs/7/attempts/1/jobs", json(jobs)).await;
    let no = ResponseTemplate::new(403).set_body_json(json!({"message": "no"}));
    answer(&server, "/runs/7/attempts/1", no).await;
    let program = Program::new().with("GITHUB_API_URL", &api).with("GITHUB_TOKEN", "hunter2");
    let words = ["collect", "github", "--repo=o/r", "--run-id=7", "--attempt=1", "--profile=pytorch", "-q"];
    assert_snapshot!(run(program, &words).await.replace(&server.uri(), "[SERVER]"), @r#"
    exit code: 3
    ----- stdout -----

    ----- stderr -----
    warning: the run's head branch and head repository could not be had (github: `GET [SERVER]/api/v3/repos/o/r/actions/runs/7/attempts/1` answered 403 Forbidden ("no"): the token needs scope actions:read of the repository), so `--full auto` leaves out `test_run`; give `--head-branch` and `--head-repository`, or say with `--full` whether it is written
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_has_expired_leaves_what_was_collected() {
    let server = MockServer::start().await;
    let api = format!("{}/api/v3", server.uri());
    let artifact =
        |id| json!({"id": id, "name": format!("reports_{id}"), "archive_download_url": api, "expired": true});
    let artifacts = json!({"total_count": 2, "artifacts": [artifact(5), artifact(6)]});
    answer(&server, "/runs/7/artifacts", ResponseTemplate::new(200).set_body_json(artifacts)).await;
    let program = Program::new().with("GITHUB_API_URL", &api).with("GITHUB_TOKEN", "hunter2");
    program.write("testlake/ledger/7/1", "{}");
    let out = program.path().join("testlake");
    let words = ["collect", "github", "--repo=o/r", "--run-id=7", "--attempt=1"];
    let run = move || {
        let said = program.run(&words);
        assert_eq!(crate::program::tree(&out).len(), 1);
        said
    };
    assert_snapshot!(tokio::task::spawn_blocking(run).await.unwrap(), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: all 2 artifacts of o/r run 7 attempt 1 have expired; nothing is written or removed
      hint: name a source that keeps them longer; providers remove artifacts after a time
    ");
}
