//! `testlake collect github --since`: the runs of a workflow, one after the other.

use std::process::Output;

use insta::assert_snapshot;
use serde_json::json;
use testlake_testkit::zip::{Member, ZipBuilder};
use wiremock::matchers::{method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::lake::asked;
use crate::program::Program;

const REPORT: &str = r#"<testsuite><testcase classname="A" name="ok" time="1"/><testcase classname="A" name="not"><failure/></testcase></testsuite>"#;

/// GitHub with runs of one workflow.
struct Workflow(MockServer);

impl Workflow {
    async fn start() -> Self {
        let server = MockServer::start().await;
        let runs = json!({"total_count": 4, "workflow_runs": [
            {"id": 14, "run_attempt": 1, "created_at": "2026-11-04T02:00:00Z"},
            {"id": 13, "run_attempt": 1, "created_at": "2026-11-03T02:00:00Z"},
            {"id": 12, "run_attempt": 2, "created_at": "2026-11-02T02:00:00Z"},
            {"id": 11, "run_attempt": 1, "created_at": "2026-11-01T02:00:00Z"},
        ]});
        let runs = ResponseTemplate::new(200).set_body_json(runs);
        let at = "/api/v3/repos/o/r/actions/workflows/ci.yml/runs";
        let listed = Mock::given(method("GET")).and(path(at)).and(query_param("status", "completed"));
        listed.respond_with(runs).mount(&server).await;
        let limit = json!({"resources": {"core": {"limit": 5000, "remaining": 4000, "reset": 0}}});
        let workflow = Self(server);
        workflow.answer("/rate_limit", ResponseTemplate::new(200).set_body_json(limit)).await;
        workflow
    }

    async fn answer(&self, at: &str, answer: ResponseTemplate) {
        let mock = Mock::given(method("GET")).and(path(format!("/api/v3{at}"))).respond_with(answer);
        mock.mount(&self.0).await;
    }

    /// Adds a run with one job and these artifacts.
    async fn run(&self, id: u64, attempt: u32, artifacts: serde_json::Value) {
        let json = |value| ResponseTemplate::new(200).set_body_json(value);
        let at = format!("/repos/o/r/actions/runs/{id}");
        self.answer(&at, json(json!({"run_attempt": attempt}))).await;
        let count = artifacts.as_array().map(Vec::len);
        let artifacts = json!({"total_count": count, "artifacts": artifacts});
        self.answer(&format!("{at}/artifacts"), json(artifacts)).await;
        let jobs = json!({"total_count": 1, "jobs": [{"id": id * 10, "name": "linux"}]});
        self.answer(&format!("{at}/attempts/{attempt}/jobs"), json(jobs)).await;
        let facts = json!({
            "head_branch": "main", "head_repository": {"full_name": "o/r"}, "name": "ci",
            "run_started_at": format!("2026-11-{:02}T02:00:01Z", id - 10), "head_sha": "30f8d7fee1d9e4d1b62b0f0b6a8a5b6ea2b9f1d3",
        });
        self.answer(&format!("{at}/attempts/{attempt}"), json(facts)).await;
    }

    fn artifact(&self, id: u64, is_expired: bool) -> serde_json::Value {
        let url = format!("{}/api/v3/repos/o/r/actions/artifacts/{id}/zip", self.0.uri());
        json!({"id": id, "name": "reports", "size_in_bytes": 200, "archive_download_url": url, "expired": is_expired})
    }

    async fn archive(&self, id: u64, answer: ResponseTemplate) {
        self.answer(&format!("/repos/o/r/actions/artifacts/{id}/zip"), answer).await;
    }

    /// Renders an end without the server's address, and how often it was asked in the time that there was.
    fn rendered(&self, program: &Program, output: &Output) -> String {
        let text = program.render(output).replace(&self.0.uri(), "[SERVER]");
        let tries = regex::Regex::new(r"after \d+ tr(y|ies)").unwrap();
        tries.replace_all(&text, "after [N] tries").into_owned()
    }

    /// How often an artifact was asked for.
    async fn downloads(&self, id: u64) -> usize {
        let end = format!("/artifacts/{id}/zip");
        let requests = self.0.received_requests().await.unwrap();
        requests.iter().filter(|request| request.url.path().ends_with(&end)).count()
    }
}

fn zip() -> ResponseTemplate {
    let zip = ZipBuilder::new().member(Member::deflated("a/a.xml", REPORT.as_bytes())).build();
    ResponseTemplate::new(200).set_body_bytes(zip.bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_is_taken_in_once_and_goes_on_where_it_stopped() {
    let workflow = Workflow::start().await;
    workflow.run(11, 1, json!([workflow.artifact(1, false)])).await;
    workflow.archive(1, zip()).await;
    workflow.run(12, 2, json!([])).await;
    workflow.run(13, 1, json!([workflow.artifact(3, true)])).await;
    workflow.run(14, 1, json!([workflow.artifact(4, false)])).await;

    let api = format!("{}/api/v3", workflow.0.uri());
    let program = std::sync::Arc::new(Program::new().with("GITHUB_API_URL", &api));
    let collect = async |words: &'static [&str]| -> Output {
        let program = std::sync::Arc::clone(&program);
        let run = move || {
            let history = ["collect", "github", "--repo=o/r", "--workflow=ci.yml", "--since=2026-11-01"];
            program.output(&[&history, words].concat())
        };
        tokio::task::spawn_blocking(run).await.unwrap()
    };

    // GitHub has the last run's artifact, and is in trouble.
    let broken = Mock::given(method("GET")).and(path("/api/v3/repos/o/r/actions/artifacts/4/zip"));
    let broken = broken.respond_with(ResponseTemplate::new(503)).mount_as_scoped(&workflow.0).await;
    let first = collect(&["--retry-for=2s"]).await;
    drop(broken);
    assert_snapshot!("a_history", workflow.rendered(&program, &first));

    workflow.archive(4, zip()).await;
    let second = collect(&[]).await;
    assert_snapshot!("a_history_again", workflow.rendered(&program, &second));
    assert_eq!(workflow.downloads(1).await, 1, "what is in the lake is asked for again");

    let program = std::sync::Arc::clone(&program);
    let rows = tokio::task::spawn_blocking(move || {
        asked(
            &program,
            &["--format=csv", "select run_id, attempt, workflow, verdict, cases from runs order by 1"],
        )
    });
    assert_eq!(
        rows.await.unwrap(),
        "run_id,attempt,workflow,verdict,cases\n11,1,ci,complete,2\n12,2,ci,empty,0\n14,1,ci,complete,2\n"
    );
}
