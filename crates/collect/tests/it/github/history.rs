//! The runs of a time, asked for in spans.

use serde_json::json;
use testlake_collect::source::github::HistoryRequest;
use testlake_collect::source::{Source, SourceErrorKind};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use super::{RUN, answers, github, run};

fn history(workflow: Option<&str>, since: i64) -> HistoryRequest {
    HistoryRequest {
        repo: "o/r".to_owned(),
        workflow: workflow.map(str::to_owned),
        since_unix_ms: since * 1000,
        until_unix_ms: None,
    }
}

/// Answers as GitHub does about runs of which one was made every second from 1,699,990,000 on: newest first, by the span that is
/// asked for, and never more than the first thousand.
fn runs(request: &Request) -> ResponseTemplate {
    let pairs: std::collections::HashMap<_, _> = request.url.query_pairs().into_owned().collect();
    let seconds = |text: &str| testlake_report::time::parse_instant(text).unwrap().unix_ms / 1000;
    let (from, to) = pairs["created"].split_once("..").unwrap();
    assert_eq!(pairs["status"], "completed");
    let all: Vec<i64> = (seconds(from).max(1_699_990_000)..=seconds(to).min(1_699_992_999)).rev().collect();
    let per_page: usize = pairs["per_page"].parse().unwrap();
    let page: usize = pairs.get("page").map_or(1, |page| page.parse().unwrap());
    let here = all.iter().take(1000).skip((page - 1) * per_page).take(per_page);
    let run = |at: &i64| json!({"id": at, "run_attempt": 2, "created_at": testlake_report::time::Instant::utc(at * 1000).to_string()});
    let body = json!({"total_count": all.len(), "workflow_runs": here.map(run).collect::<Vec<_>>()});
    let mut next = request.url.clone();
    let others: Vec<_> = request.url.query_pairs().into_owned().filter(|(name, _)| name != "page").collect();
    next.query_pairs_mut().clear().extend_pairs(others).append_pair("page", &(page + 1).to_string());
    let answer = ResponseTemplate::new(200).set_body_json(body);
    let host = request.headers["host"].to_str().unwrap();
    let next = format!("http://{host}{}?{}", next.path(), next.query().unwrap());
    if all.len().min(1000) > page * per_page {
        answer.insert_header("link", format!("<{next}>; rel=\"next\""))
    } else {
        answer
    }
}

#[tokio::test]
async fn a_history_is_asked_for_in_spans_that_are_answered_whole_and_told_oldest_first() {
    let server = MockServer::start().await;
    Mock::given(path("/repos/o/r/actions/workflows/ci.yml/runs")).respond_with(runs).mount(&server).await;
    let (github, _) = github(&server.uri());
    for workflow in ["ci.yml", ".github/workflows/ci.yml"] {
        let all = github.history(&history(Some(workflow), 1_699_990_500)).await.unwrap();
        let ids: Vec<i64> = all.iter().map(|run| run.run_id.parse().unwrap()).collect();
        assert!(ids.iter().copied().eq(1_699_990_500..=1_699_992_999), "{} {:?}", ids.len(), ids.first());
        assert_eq!((all[0].attempts, all[0].created_unix_ms), (2, 1_699_990_500_000));
    }
    let none =
        HistoryRequest { until_unix_ms: Some(1_699_980_000_000), ..history(Some("ci.yml"), 1_699_970_000) };
    assert_eq!(github.history(&none).await.unwrap(), []);
    let backwards = HistoryRequest { until_unix_ms: Some(1), ..history(Some("ci.yml"), 1_699_970_000) };
    assert_eq!(github.history(&backwards).await.unwrap(), []);
}

#[tokio::test]
async fn a_workflow_is_found_by_its_name() {
    let server = MockServer::start().await;
    let workflows = json!([{"id": 5, "name": "CI"}, {"id": 6, "name": "two"}, {"id": 7, "name": "two"}]);
    answers(&server, "/repos/o/r/actions/workflows", json!({"total_count": 3, "workflows": workflows})).await;
    for place in ["workflows/5/runs", "runs"] {
        let at = format!("/repos/o/r/actions/{place}");
        Mock::given(path(at)).respond_with(runs).expect(2).mount(&server).await;
    }
    let (github, _) = github(&server.uri());
    for workflow in [Some("CI"), None] {
        assert_eq!(github.history(&history(workflow, 1_699_992_990)).await.unwrap().len(), 10);
    }
    for (workflow, kind, says) in [
        ("ci", SourceErrorKind::NotFound, "no workflow named `ci`"),
        ("two", SourceErrorKind::BadSetting, "several workflows named `two`"),
    ] {
        let error = github.history(&history(Some(workflow), 0)).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(says), "{error}");
    }
}

#[tokio::test]
async fn who_makes_many_calls_waits_for_the_rate_limit_before() {
    for (remaining, calls, pauses) in
        [(40, 40, vec![]), (39, 40, vec![901.0]), (60, 100, vec![]), (59, 100, vec![901.0])]
    {
        let server = MockServer::start().await;
        let core = json!({"limit": 60, "remaining": remaining, "reset": crate::clock::START + 900});
        answers(&server, "/rate_limit", json!({"resources": {"core": core}})).await;
        let (github, clock) = github(&server.uri());
        github.wait_for_calls(calls).await.unwrap();
        assert_eq!(clock.pauses(), pauses, "{remaining} {calls}");
    }
    // a server that has no limits
    let server = MockServer::start().await;
    let (github, clock) = github(&server.uri());
    github.wait_for_calls(40).await.unwrap();
    assert!(clock.pauses().is_empty());
}

#[tokio::test]
async fn a_run_with_absurd_attempts_is_a_bad_answer() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_json(json!({"run_attempt": 4_294_967_295_u32}));
    Mock::given(path(RUN)).respond_with(answer).mount(&server).await;
    let (github, _) = github(&server.uri());
    assert_eq!(github.attempts(&run(1)).await.unwrap_err().kind(), SourceErrorKind::BadAnswer);
}
