//! CircleCI's API, played by a server that answers from a script.

use std::sync::Arc;

use serde_json::{Value, json};
use testlake_collect::run::{RunFacts, RunKey};
use testlake_collect::source::circleci::{CircleCi, CircleCiSettings};
use testlake_collect::source::{Content, Listing, Secret, Source, SourceErrorKind};
use wiremock::matchers::{header, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::clock::{TestClock, settings};

const PIPELINE: &str = "5034460f-c7c4-4c43-9457-de07e2029e7b";
const FIRST: &str = "aaaaaaaa-0000-4000-8000-000000000001";
const RERUN: &str = "aaaaaaaa-0000-4000-8000-000000000002";
const OTHER: &str = "bbbbbbbb-0000-4000-8000-000000000001";
const TOKEN: &str = "cci_hush";

fn run(run_id: &str, attempt: u32) -> RunKey {
    RunKey { repo: Some("o/r".to_owned()), run_id: run_id.to_owned(), attempt }
}

fn circleci(server: &MockServer) -> (CircleCi, Arc<TestClock>) {
    circleci_with(server, |_| {})
}

fn circleci_with(
    server: &MockServer,
    change: impl FnOnce(&mut CircleCiSettings),
) -> (CircleCi, Arc<TestClock>) {
    let clock = TestClock::new();
    let mut all = CircleCiSettings {
        api_url: format!("{}/api/v2", server.uri()),
        token: Secret::new(TOKEN),
        project_slug: Some("gh/o/r".to_owned()),
        token_origins: Vec::new(),
        http: settings(&clock),
    };
    change(&mut all);
    (CircleCi::new(all).unwrap(), clock)
}

/// Answers a call to the API that has the token and asks for the first page.
async fn answer(server: &MockServer, at: &str, body: Value) {
    Mock::given(path(format!("/api/v2{at}")))
        .and(header("circle-token", TOKEN))
        .and(query_param_is_missing("page-token"))
        .respond_with(ResponseTemplate::new(200).set_body_json(body))
        .mount(server)
        .await;
}

async fn answer_page(server: &MockServer, at: &str, token: &str, body: Value) {
    Mock::given(path(format!("/api/v2{at}")))
        .and(header("circle-token", TOKEN))
        .and(query_param("page-token", token))
        .respond_with(ResponseTemplate::new(200).set_body_json(body))
        .mount(server)
        .await;
}

/// A pipeline of two workflows, of which one was run again.
async fn pipeline(server: &MockServer) {
    let vcs =
        json!({"branch": "main", "origin_repository_url": "https://github.com/fork/r", "revision": "abc"});
    let pipeline = json!({"id": PIPELINE, "number": 17, "vcs": vcs});
    answer(server, &format!("/pipeline/{PIPELINE}"), pipeline.clone()).await;
    answer(server, "/project/gh/o/r/pipeline/17", pipeline).await;
    let workflow = |id, name, at| json!({"id": id, "name": name, "created_at": at, "status": "success"});
    let first_page = json!({
        "items": [workflow(RERUN, "build", "2026-01-02T00:00:00Z"), workflow(OTHER, "lint", "2026-01-01T00:00:01Z")],
        "next_page_token": "two",
    });
    answer(server, &format!("/pipeline/{PIPELINE}/workflow"), first_page).await;
    let second_page =
        json!({"items": [workflow(FIRST, "build", "2026-01-01T00:00:00Z")], "next_page_token": null});
    answer_page(server, &format!("/pipeline/{PIPELINE}/workflow"), "two", second_page).await;
    answer(server, &format!("/workflow/{FIRST}"), json!({"id": FIRST, "pipeline_id": PIPELINE})).await;

    let job = |number: u64, name| json!({"job_number": number, "name": name, "project_slug": "gh/o/r", "type": "build"});
    let one_page = |items: Value| json!({"items": items, "next_page_token": null});
    answer(
        server,
        &format!("/workflow/{FIRST}/job"),
        json!({"items": [job(101, "test")], "next_page_token": "2"}),
    )
    .await;
    let approval = json!({"name": "hold", "type": "approval"});
    answer_page(
        server,
        &format!("/workflow/{FIRST}/job"),
        "2",
        json!({"items": [approval], "next_page_token": "3"}),
    )
    .await;
    answer_page(server, &format!("/workflow/{FIRST}/job"), "3", one_page(json!([job(102, "gpu/test")])))
        .await;
    answer(server, &format!("/workflow/{OTHER}/job"), one_page(json!([job(103, "lint")]))).await;
    answer(server, &format!("/workflow/{RERUN}/job"), one_page(json!([job(201, "test")]))).await;

    let file = |name: &str, node: u64| json!({"path": name, "node_index": node, "url": format!("{}/files/{node}/{name}", server.uri())});
    let with_more =
        json!({"items": [file("test/test-reports/a/x.xml", 0), file("log.txt", 0)], "next_page_token": "m"});
    answer(server, "/project/gh/o/r/101/artifacts", with_more).await;
    answer_page(server, "/project/gh/o/r/101/artifacts", "m", one_page(json!([file("b.xml", 0)]))).await;
    let nodes = json!([file("junit.xml", 0), file("junit.xml", 1)]);
    answer(server, "/project/gh/o/r/102/artifacts", one_page(nodes)).await;
    answer(server, "/project/gh/o/r/103/artifacts", one_page(json!([file("lint.txt", 0)]))).await;
    answer(server, "/project/gh/o/r/201/artifacts", one_page(json!([file("b.xml", 0)]))).await;
}

fn names(listings: &[Listing]) -> Vec<&str> {
    listings.iter().map(|listing| listing.name.as_str()).collect()
}

#[tokio::test]
async fn a_pipeline_is_read_by_number_and_by_id() {
    let server = MockServer::start().await;
    pipeline(&server).await;
    let (circleci, clock) = circleci(&server);
    for id in ["17", PIPELINE] {
        assert_eq!(circleci.attempts(&run(id, 1)).await.unwrap(), [1, 2]);
        let listings = circleci.list(&run(id, 1)).await.unwrap();
        let all =
            ["test-reports-test_101", "test-reports-gpu-test-node0_102", "test-reports-gpu-test-node1_102"];
        assert_eq!(names(&listings), all);
        assert_eq!(names(&circleci.list(&run(id, 2)).await.unwrap()), ["test-reports-test_201"]);
        assert_eq!(circleci.list(&run(id, 3)).await.unwrap_err().kind(), SourceErrorKind::NotFound);

        let jobs = circleci.jobs(&run(id, 1)).await.unwrap().unwrap();
        let jobs: Vec<_> = jobs.iter().map(|(id, name)| (id.as_str(), name.as_str())).collect();
        assert_eq!(jobs, [("101", "test"), ("102", "gpu/test"), ("103", "lint")]);
    }
    assert!(clock.pauses().is_empty());
}

#[tokio::test]
async fn a_workflow_is_one_attempt() {
    let server = MockServer::start().await;
    pipeline(&server).await;
    let (circleci, _) = circleci_with(&server, |settings| settings.project_slug = None);
    assert_eq!(circleci.attempts(&run(FIRST, 1)).await.unwrap(), [1]);
    assert_eq!(circleci.list(&run(FIRST, 1)).await.unwrap().len(), 3);
    assert_eq!(circleci.list(&run(FIRST, 2)).await.unwrap_err().kind(), SourceErrorKind::NotFound);
    let facts = circleci.facts(&run(FIRST, 1)).await.unwrap();
    assert_eq!(
        (facts.head_branch.as_deref(), facts.head_repository.as_deref()),
        (Some("main"), Some("fork/r"))
    );
}

#[tokio::test]
async fn what_is_known_of_a_pipeline_comes_from_its_workflows() {
    let server = MockServer::start().await;
    let vcs = json!({"branch": "pull/12", "origin_repository_url": "https://github.com/fork/r", "revision": "c0ffee1"});
    let pipeline = json!({"id": PIPELINE, "vcs": vcs, "trigger": {"type": "webhook"}});
    answer(&server, &format!("/pipeline/{PIPELINE}"), pipeline).await;
    let at = |second: u32| format!("2026-11-23T02:40:{second:02}Z");
    let workflow = |id, name, from, to: Option<u32>| json!({"id": id, "name": name, "pipeline_id": PIPELINE, "created_at": at(from), "stopped_at": to.map(at)});
    let items = [
        workflow(RERUN, "build", 40, None),
        workflow(OTHER, "lint", 2, Some(20)),
        workflow(FIRST, "build", 1, Some(30)),
    ];
    answer(&server, &format!("/workflow/{FIRST}"), items[2].clone()).await;
    let page = json!({"items": items, "next_page_token": null});
    answer(&server, &format!("/pipeline/{PIPELINE}/workflow"), page).await;
    let (circleci, _) = circleci(&server);
    let known = |workflow: Option<&str>, started: i64, ended: Option<i64>| RunFacts {
        provider: Some("circleci".to_owned()),
        workflow: workflow.map(str::to_owned),
        event: Some("webhook".to_owned()),
        head_commit: Some("c0ffee1".to_owned()),
        pull_request: Some(12),
        started_unix_ms: Some(1_795_401_600_000 + started),
        ended_unix_ms: ended.map(|ended| 1_795_401_600_000 + ended),
        head_branch: Some("pull/12".to_owned()),
        head_repository: Some("fork/r".to_owned()),
        ..RunFacts::default()
    };
    for (id, attempt, expected) in [
        (FIRST, 1, known(Some("build"), 1_000, Some(30_000))),
        (PIPELINE, 1, known(None, 1_000, Some(30_000))),
        (PIPELINE, 2, known(Some("build"), 40_000, None)),
    ] {
        let facts = circleci.facts(&run(id, attempt)).await.unwrap();
        let more = circleci.ancestry(&run(id, attempt), &facts).await.unwrap();
        assert_eq!(facts.or(more), expected, "{id} {attempt}");
    }
}

#[tokio::test]
async fn files_of_a_job_come_in_one_body() {
    let (api, storage) = (MockServer::start().await, MockServer::start().await);
    let one_page = |items: Value| json!({"items": items, "next_page_token": null});
    answer(&api, &format!("/workflow/{FIRST}"), json!({"pipeline_id": PIPELINE})).await;
    let job = json!([{"job_number": 7, "name": "test"}]);
    answer(&api, &format!("/workflow/{FIRST}/job"), one_page(job)).await;
    let file = |number: u64| json!({"path": format!("d/{number}.xml"), "node_index": 0, "url": format!("{}/{number}?x=s3cret", storage.uri())});
    answer(&api, "/project/gh/o/r/7/artifacts", one_page((0..9).map(file).collect())).await;
    for number in 0..9 {
        let body = "x".repeat(number);
        let body = ResponseTemplate::new(200).set_body_bytes(body);
        Mock::given(path(format!("/{number}"))).respond_with(body).mount(&storage).await;
    }
    let (circleci, _) = circleci(&api);
    let listings = circleci.list(&run(FIRST, 1)).await.unwrap();
    assert_eq!(names(&listings), ["test-reports-test_7"]);
    let Content::Spooled(body, files) = circleci.fetch(&listings[0], &|_| {}).await.unwrap() else {
        panic!("files")
    };
    assert_eq!(body.len(), 36);
    let files: Vec<_> = files.iter().map(|file| (file.path.as_str(), file.end - file.start)).collect();
    assert_eq!((files[0], files[8], files.len()), (("d/0.xml", 0), ("d/8.xml", 8), 9));
    for request in storage.received_requests().await.unwrap() {
        assert!(!request.headers.contains_key("circle-token"), "the token stays with the API");
    }

    let (circleci, _) = circleci_with(&api, |settings| settings.http.artifact_bytes = 35);
    let error = circleci.fetch(&listings[0], &|_| {}).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::TooLarge);

    let (circleci, _) = circleci_with(&api, |settings| settings.token_origins = vec![storage.uri()]);
    storage.reset().await;
    let error = circleci.fetch(&listings[0], &|_| {}).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::NotFound);
    assert!(!format!("{error} {error:?}").contains("s3cret"));
    for request in storage.received_requests().await.unwrap() {
        assert_eq!(request.headers["circle-token"], TOKEN, "an origin that was named gets it");
    }
}

#[tokio::test]
async fn what_is_no_run_of_circleci_is_refused() {
    let server = MockServer::start().await;
    let (circleci, _) = circleci(&server);
    let kind = |run: RunKey| {
        let circleci = &circleci;
        async move { circleci.list(&run).await.unwrap_err().kind() }
    };
    assert_eq!(kind(run("../x", 1)).await, SourceErrorKind::BadSetting);
    assert_eq!(kind(run("", 1)).await, SourceErrorKind::BadSetting);
    assert!(server.received_requests().await.unwrap().is_empty());
    assert_eq!(kind(run(PIPELINE, 1)).await, SourceErrorKind::NotFound);
    assert_eq!(kind(run("17", 1)).await, SourceErrorKind::NotFound);
    let (circleci, _) = circleci_with(&server, |settings| settings.project_slug = None);
    assert_eq!(circleci.list(&run("17", 1)).await.unwrap_err().kind(), SourceErrorKind::BadSetting);
}

#[tokio::test]
async fn refusals_and_limits_are_those_of_any_api() {
    for (status, kind, advice) in [
        (401, SourceErrorKind::Unauthorized, "CIRCLE_TOKEN"),
        (403, SourceErrorKind::Forbidden, "may not see"),
        (404, SourceErrorKind::NotFound, "no such pipeline"),
    ] {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(status).insert_header("x-request-id", "R1");
        Mock::given(header("circle-token", TOKEN)).respond_with(answer).mount(&server).await;
        let (circleci, _) = circleci(&server);
        let error = circleci.list(&run("17", 1)).await.unwrap_err();
        assert_eq!(error.kind(), kind);
        assert!(error.to_string().contains(advice) && error.to_string().contains("request id R1"), "{error}");
    }
    let server = MockServer::start().await;
    let limited = ResponseTemplate::new(429).insert_header("retry-after", "9");
    Mock::given(path("/api/v2/project/gh/o/r/pipeline/17"))
        .respond_with(limited)
        .up_to_n_times(1)
        .mount(&server)
        .await;
    pipeline(&server).await;
    let (circleci, clock) = circleci(&server);
    assert_eq!(circleci.attempts(&run("17", 1)).await.unwrap(), [1, 2]);
    assert_eq!(clock.pauses(), [9.5]);
}

#[tokio::test]
async fn pages_without_end_end() {
    let server = MockServer::start().await;
    let page = ResponseTemplate::new(200).set_body_json(json!({"items": [], "next_page_token": "again"}));
    answer(&server, "/project/gh/o/r/pipeline/17", json!({"id": PIPELINE})).await;
    Mock::given(path(format!("/api/v2/pipeline/{PIPELINE}/workflow")))
        .respond_with(page)
        .expect(1_000)
        .mount(&server)
        .await;
    let (circleci, _) = circleci(&server);
    assert_eq!(circleci.list(&run("17", 1)).await.unwrap_err().kind(), SourceErrorKind::TooLarge);
}

#[test]
fn settings_that_cannot_be_are_refused() {
    let with = |change: fn(&mut CircleCiSettings)| {
        let mut settings = CircleCiSettings::default();
        change(&mut settings);
        CircleCi::new(settings).map(|_| ()).map_err(|error| error.kind())
    };
    assert_eq!(with(|_| {}), Ok(()));
    assert_eq!(with(|all| all.project_slug = Some("o/r".to_owned())), Err(SourceErrorKind::BadSetting));
    assert_eq!(with(|all| all.project_slug = Some("gh//r".to_owned())), Err(SourceErrorKind::BadSetting));
    assert_eq!(with(|all| all.api_url = "circleci.com".to_owned()), Err(SourceErrorKind::BadSetting));
    assert_eq!(with(|all| all.token_origins = vec!["http://h".to_owned()]), Err(SourceErrorKind::BadSetting));
    assert_eq!(with(|all| all.token_origins = vec!["https://h".to_owned()]), Ok(()));
}
