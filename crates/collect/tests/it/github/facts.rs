//! What GitHub says of a run and its attempts.

use serde_json::{Value, json};
use testlake_collect::run::RunFacts;
use testlake_collect::source::Source;
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

use super::{RUN, answers, github, run};

#[tokio::test]
async fn attempts_and_facts_are_read() {
    let server = MockServer::start().await;
    let ok = |body: Value| ResponseTemplate::new(200).set_body_json(body);
    Mock::given(path(RUN)).respond_with(ok(json!({"id": 1, "run_attempt": 2}))).mount(&server).await;
    let facts = json!({"head_branch": "main", "head_repository": {"full_name": "fork/r"}});
    Mock::given(path(format!("{RUN}/attempts/1"))).respond_with(ok(facts)).mount(&server).await;
    let removed = json!({"head_branch": null, "head_repository": null});
    Mock::given(path(format!("{RUN}/attempts/2"))).respond_with(ok(removed)).mount(&server).await;
    let (github, _) = github(&server.uri());
    assert_eq!(github.attempts(&run(1)).await.unwrap(), [1, 2]);
    let facts = github.facts(&run(1)).await.unwrap();
    assert_eq!(
        (facts.head_branch.as_deref(), facts.head_repository.as_deref()),
        (Some("main"), Some("fork/r"))
    );
    let provider = Some("github".to_owned());
    assert_eq!(github.facts(&run(2)).await.unwrap(), RunFacts { provider, ..RunFacts::default() });
}

/// What GitHub says of an attempt.
fn said(event: &str, pulls: &Value) -> Value {
    json!({
        "name": "CI", "path": ".github/workflows/ci.yml", "event": event, "status": "completed",
        "head_sha": "beef123", "head_branch": "feature", "head_repository": {"id": 2, "full_name": "fork/r"},
        "repository": {"id": 1, "full_name": "o/r"}, "pull_requests": pulls,
        "run_started_at": "2026-11-23T02:40:40Z", "updated_at": "2026-11-23T03:00:00Z",
    })
}

fn pull(number: u64, head: &str, base: &str, repository: u64) -> Value {
    json!({"number": number, "head": {"sha": head, "ref": "feature"}, "base": {"sha": base, "ref": "main", "repo": {"id": repository}}})
}

/// Asks for all that GitHub says of an attempt; returns it and the paths that were asked for.
async fn all_facts(server: &MockServer) -> (RunFacts, Vec<String>) {
    let (github, _) = github(&server.uri());
    let facts = github.facts(&run(1)).await.unwrap();
    let more = github.ancestry(&run(1), &facts).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let asked = requests.iter().map(|request| {
        let query = request.url.query().map(|query| format!("?{query}"));
        format!("{}{}", request.url.path(), query.unwrap_or_default())
    });
    (facts.or(more), asked.collect())
}

#[tokio::test]
async fn a_run_is_told_with_the_last_commit_in_common_with_its_pull_request_s_base() {
    let server = MockServer::start().await;
    // a pull request of another repository has the same commit
    let pulls = json!([pull(3, "beef123", "ffff", 9), pull(12, "beef123", "ba5e", 1)]);
    answers(&server, &format!("{RUN}/attempts/1"), said("pull_request", &pulls)).await;
    answers(&server, "/repos/o/r/compare/ba5e...beef123", json!({"merge_base_commit": {"sha": "c0ffee1"}}))
        .await;
    let (facts, asked) = all_facts(&server).await;
    let expected = RunFacts {
        provider: Some("github".to_owned()),
        workflow: Some("CI".to_owned()),
        event: Some("pull_request".to_owned()),
        head_commit: Some("beef123".to_owned()),
        merge_base: Some("c0ffee1".to_owned()),
        pull_request: Some(12),
        started_unix_ms: Some(1_795_401_640_000),
        ended_unix_ms: Some(1_795_402_800_000),
        head_branch: Some("feature".to_owned()),
        head_repository: Some("fork/r".to_owned()),
    };
    assert_eq!(facts, expected);
    assert_eq!(
        asked,
        [format!("{RUN}/attempts/1"), "/repos/o/r/compare/ba5e...beef123?per_page=1&page=2".to_owned()]
    );
}

#[tokio::test]
async fn a_pull_request_from_a_fork_is_looked_for() {
    for (pulls, number) in [
        (json!([pull(11, "01d", "ffff", 1), pull(12, "beef123", "ba5e", 1)]), Some(12)),
        // it has moved on, and is the only one
        (json!([pull(12, "01d", "ba5e", 1)]), Some(12)),
        (json!([pull(11, "01d", "ffff", 1), pull(12, "01d", "ba5e", 1)]), None),
    ] {
        let server = MockServer::start().await;
        answers(&server, &format!("{RUN}/attempts/1"), said("pull_request", &json!([]))).await;
        answers(&server, "/repos/o/r/pulls", pulls).await;
        answers(&server, "/repos/o/r", json!({"default_branch": "main"})).await;
        answers(
            &server,
            "/repos/o/r/compare/ba5e...beef123",
            json!({"merge_base_commit": {"sha": "c0ffee1"}}),
        )
        .await;
        answers(
            &server,
            "/repos/o/r/compare/main...beef123",
            json!({"merge_base_commit": {"sha": "c0ffee2"}}),
        )
        .await;
        let (facts, asked) = all_facts(&server).await;
        assert_eq!(facts.pull_request, number);
        assert_eq!(facts.merge_base.as_deref(), Some(if number.is_some() { "c0ffee1" } else { "c0ffee2" }));
        assert_eq!(asked[1], "/repos/o/r/pulls?head=fork%3Afeature&state=all");
    }
}

#[tokio::test]
async fn a_push_is_compared_with_the_default_branch_which_is_asked_for_once() {
    let server = MockServer::start().await;
    for attempt in [1, 2] {
        let mut said = said("push", &json!([]));
        said["status"] = json!("in_progress");
        said["name"] = json!(null);
        answers(&server, &format!("{RUN}/attempts/{attempt}"), said).await;
    }
    answers(&server, "/repos/o/r", json!({"default_branch": "main"})).await;
    answers(&server, "/repos/o/r/compare/main...beef123", json!({"merge_base_commit": {"sha": "c0ffee1"}}))
        .await;
    let (github, _) = github(&server.uri());
    for attempt in [1, 2] {
        let facts = github.facts(&run(attempt)).await.unwrap();
        let more = github.ancestry(&run(attempt), &facts).await.unwrap();
        assert_eq!(more.merge_base.as_deref(), Some("c0ffee1"));
        assert_eq!((facts.pull_request, facts.ended_unix_ms), (None, None));
        assert_eq!(facts.workflow.as_deref(), Some(".github/workflows/ci.yml"));
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 5);
    // what is no commit is compared with nothing
    let odd = RunFacts { head_commit: Some("../x".to_owned()), ..RunFacts::default() };
    assert_eq!(github.ancestry(&run(1), &odd).await.unwrap(), RunFacts::default());
    assert_eq!(server.received_requests().await.unwrap().len(), 5);
}
