//! GitHub's API, played by a server that answers from a script.

use std::sync::Arc;

use serde_json::{Value, json};
use testlake_collect::run::RunKey;
use testlake_collect::source::github::{ArtifactChoice, GitHub, GitHubSettings};
use testlake_collect::source::{
    Content, Listing, ListingState, Secret, Source, SourceError, SourceErrorKind,
};
use testlake_testkit::scripted::{ScriptedServer, Step};
use wiremock::matchers::{header, method, path, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::clock::{TestClock, settings};

mod facts;
mod history;

const RUN: &str = "/repos/o/r/actions/runs/9871234567";
const TOKEN: &str = "ghp_hush";

fn run(attempt: u32) -> RunKey {
    RunKey { repo: Some("o/r".to_owned()), run_id: "9871234567".to_owned(), attempt }
}

fn github(api: &str) -> (GitHub, Arc<TestClock>) {
    github_with(api, |_| {})
}

fn github_with(api: &str, change: impl FnOnce(&mut GitHubSettings)) -> (GitHub, Arc<TestClock>) {
    let clock = TestClock::new();
    let mut all = GitHubSettings {
        api_url: api.to_owned(),
        token: Secret::new(TOKEN),
        http: settings(&clock),
        artifacts: ArtifactChoice::All,
    };
    change(&mut all);
    (GitHub::new(all).unwrap(), clock)
}

fn artifact(server: &MockServer, id: u64, name: &str) -> Value {
    let url = format!("{}/repos/o/r/actions/artifacts/{id}/zip", server.uri());
    json!({"id": id, "name": name, "size_in_bytes": 100 + id, "archive_download_url": url, "expired": false, "node_id": "x"})
}

fn listing(server: &MockServer, id: u64) -> Listing {
    Listing {
        name: "a".to_owned(),
        bytes: None,
        state: ListingState::Available,
        locator: format!("{}/repos/o/r/actions/artifacts/{id}/zip", server.uri()),
    }
}

/// Answers what is asked for at a path.
async fn answers(server: &MockServer, at: &str, body: Value) {
    Mock::given(path(at)).respond_with(ResponseTemplate::new(200).set_body_json(body)).mount(server).await;
}

/// Answers with one page of artifacts that has no successor.
async fn one_page(server: &MockServer, artifacts: Vec<Value>) {
    let page = json!({"total_count": artifacts.len(), "artifacts": artifacts});
    Mock::given(method("GET"))
        .and(path(format!("{RUN}/artifacts")))
        .respond_with(ResponseTemplate::new(200).set_body_json(page))
        .mount(server)
        .await;
}

/// Answers each list of the run's artifacts so.
async fn answer_list(server: &MockServer, answer: ResponseTemplate) {
    Mock::given(method("GET")).and(path(format!("{RUN}/artifacts"))).respond_with(answer).mount(server).await;
}

async fn list_error(answer: ResponseTemplate) -> (SourceError, Arc<TestClock>, usize) {
    let server = MockServer::start().await;
    answer_list(&server, answer).await;
    let (github, clock) = github(&server.uri());
    let error = github.list(&run(1)).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains("hush"));
    (error, clock, server.received_requests().await.unwrap().len())
}

async fn fetched(github: &GitHub, listing: &Listing) -> Result<Vec<u8>, SourceError> {
    let Content::Bytes(body) = github.fetch(listing, &|_| {}).await? else { panic!("bytes") };
    let mut bytes = vec![0; usize::try_from(body.len()).unwrap()];
    assert_eq!(body.read_at(0, &mut bytes).unwrap(), bytes.len());
    Ok(bytes)
}

fn has(request: &Request, name: &str) -> bool {
    request.headers.contains_key(name)
}

/// Mounts three pages of a list at `at`, which point at each other by `Link`.
async fn three_pages(server: &MockServer, at: &str, pages: [Value; 3]) {
    for (number, page) in (1..).zip(pages) {
        let link = |to: u32, rel| format!("<{}{at}?per_page=100&page={to}>; rel=\"{rel}\"", server.uri());
        let mut answer = ResponseTemplate::new(200).set_body_json(page);
        if number < 3 {
            answer =
                answer.insert_header("link", format!("{}, {}", link(number + 1, "next"), link(3, "last")));
        }
        let mock = Mock::given(method("GET")).and(path(at)).and(query_param("per_page", "100"));
        let mock = if number == 1 {
            mock.and(query_param_is_missing("page"))
        } else {
            mock.and(query_param("page", number.to_string()))
        };
        mock.and(header("authorization", format!("Bearer {TOKEN}")))
            .respond_with(answer)
            .expect(1)
            .mount(server)
            .await;
    }
}

#[tokio::test]
async fn all_pages_of_artifacts_are_listed() {
    let server = MockServer::start().await;
    let page = |ids: &[u64]| {
        let artifacts: Vec<_> =
            ids.iter().map(|id| artifact(&server, *id, &format!("test-reports-{id}"))).collect();
        json!({"total_count": 5, "artifacts": artifacts})
    };
    // One that moved to the second page while the first was read is listed once.
    three_pages(&server, &format!("{RUN}/artifacts"), [page(&[1, 2]), page(&[2, 3]), page(&[4, 5])]).await;
    let (github, clock) = github(&server.uri());
    let listings = github.list(&run(1)).await.unwrap();
    let names: Vec<_> = listings.iter().map(|listing| listing.name.as_str()).collect();
    assert_eq!(
        names,
        ["test-reports-1", "test-reports-2", "test-reports-3", "test-reports-4", "test-reports-5"]
    );
    assert_eq!(listings[4].bytes, Some(105));
    assert_eq!(listings[4].locator, format!("{}/repos/o/r/actions/artifacts/5/zip", server.uri()));
    assert!(clock.pauses().is_empty());
}

#[tokio::test]
async fn all_pages_of_jobs_are_read() {
    let server = MockServer::start().await;
    let page = |ids: &[u64]| {
        let jobs: Vec<_> = ids
            .iter()
            .map(|id| json!({"id": id, "name": format!("linux / test ({id})"), "steps": []}))
            .collect();
        json!({"total_count": 3, "jobs": jobs})
    };
    three_pages(&server, &format!("{RUN}/attempts/2/jobs"), [page(&[11]), page(&[12]), page(&[13])]).await;
    let (github, _) = github(&server.uri());
    let jobs = github.jobs(&run(2)).await.unwrap().unwrap();
    assert_eq!(jobs.len(), 3);
    assert_eq!(jobs["12"], "linux / test (12)");
}

#[tokio::test]
async fn artifacts_of_other_attempts_prefixes_and_the_past_are_told_apart() {
    let server = MockServer::start().await;
    let mut expired = artifact(&server, 5, "test-jsons-a");
    expired["expired"] = json!(true);
    let artifacts = vec![
        artifact(&server, 1, "test-reports-runattempt1-test_1.zip"),
        artifact(&server, 2, "test-reports-runattempt2-test_1.zip"),
        artifact(&server, 3, "test-reports-plain"),
        artifact(&server, 4, "logs"),
        expired,
    ];
    one_page(&server, artifacts).await;
    let prefixes = ArtifactChoice::Prefixes(vec!["test-report".to_owned(), "test-jsons".to_owned()]);
    let (github, _) = github_with(&server.uri(), |settings| settings.artifacts = prefixes);
    let listings = github.list(&run(2)).await.unwrap();
    let told: Vec<_> = listings.iter().map(|listing| (listing.name.as_str(), listing.state)).collect();
    assert_eq!(
        told,
        [
            ("test-reports-runattempt2-test_1.zip", ListingState::Available),
            ("test-reports-plain", ListingState::Available),
            ("test-jsons-a", ListingState::Expired),
        ]
    );
}

#[tokio::test]
async fn the_token_does_not_follow_a_redirect_to_another_host() {
    let (api, storage) = (MockServer::start().await, MockServer::start().await);
    let hop = |to: String| ResponseTemplate::new(302).insert_header("location", to);
    Mock::given(path("/repos/o/r/actions/artifacts/1/zip"))
        .respond_with(hop("/moved/here".to_owned()))
        .mount(&api)
        .await;
    Mock::given(path("/moved/here"))
        .respond_with(hop(format!("{}/blob?sig=s3cret", storage.uri())))
        .mount(&api)
        .await;
    Mock::given(path("/blob"))
        .and(query_param("sig", "s3cret"))
        .respond_with(ResponseTemplate::new(200).set_body_bytes("zip"))
        .mount(&storage)
        .await;
    let (github, _) = github(&api.uri());
    assert_eq!(fetched(&github, &listing(&api, 1)).await.unwrap(), b"zip");

    let at_api = api.received_requests().await.unwrap();
    assert_eq!(at_api.len(), 2);
    for request in &at_api {
        assert_eq!(request.headers["authorization"], format!("Bearer {TOKEN}"));
        assert_eq!(request.headers["x-github-api-version"], "2022-11-28");
    }
    let [at_storage] = storage.received_requests().await.unwrap().try_into().unwrap();
    assert!(
        !has(&at_storage, "authorization")
            && !has(&at_storage, "referer")
            && !has(&at_storage, "x-github-api-version")
    );
    assert!(!format!("{at_storage:?}").contains("hush"));
}

#[tokio::test]
async fn an_error_of_the_storage_shows_no_signature() {
    let (api, storage) = (MockServer::start().await, MockServer::start().await);
    let to = format!("{}/blob?sig=s3cret", storage.uri());
    Mock::given(path("/repos/o/r/actions/artifacts/1/zip"))
        .respond_with(ResponseTemplate::new(302).insert_header("location", to))
        .mount(&api)
        .await;
    Mock::given(path("/blob"))
        .respond_with(ResponseTemplate::new(403).set_body_json(json!({"message": "sig=s3cret is wrong"})))
        .mount(&storage)
        .await;
    let (github, _) = github(&api.uri());
    let error = fetched(&github, &listing(&api, 1)).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Forbidden);
    assert_eq!(error.to_string(), format!("`GET {}/blob` answered 403 Forbidden", storage.uri()));
    assert!(!format!("{error:?}").contains("s3cret"));
}

#[tokio::test]
async fn redirects_end() {
    let api = MockServer::start().await;
    Mock::given(path("/repos/o/r/actions/artifacts/1/zip"))
        .respond_with(
            ResponseTemplate::new(302).insert_header("location", "/repos/o/r/actions/artifacts/1/zip"),
        )
        .expect(6)
        .mount(&api)
        .await;
    let (github, clock) = github(&api.uri());
    let error = fetched(&github, &listing(&api, 1)).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::BadAnswer);
    assert!(error.to_string().ends_with("redirects more than 5 times"), "{error}");
    assert!(clock.pauses().is_empty());
}

#[tokio::test]
async fn a_redirect_to_a_file_is_refused() {
    let api = MockServer::start().await;
    Mock::given(path("/repos/o/r/actions/artifacts/1/zip"))
        .respond_with(ResponseTemplate::new(302).insert_header("location", "file:///etc/passwd"))
        .mount(&api)
        .await;
    let (github, _) = github(&api.uri());
    let error = fetched(&github, &listing(&api, 1)).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::BadAnswer);
}

#[tokio::test]
async fn a_next_page_at_another_host_is_not_followed() {
    let (api, thief) = (MockServer::start().await, MockServer::start().await);
    let link = format!("<{}{RUN}/artifacts?page=2>; rel=\"next\"", thief.uri());
    let page = json!({"total_count": 1, "artifacts": [artifact(&api, 1, "a")]});
    answer_list(&api, ResponseTemplate::new(200).insert_header("link", link).set_body_json(page)).await;
    let (github, _) = github(&api.uri());
    let error = github.list(&run(1)).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::BadAnswer);
    assert!(error.to_string().contains("next page"), "{error}");
    assert!(thief.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_answer_of_the_api_is_not_taken_from_another_host() {
    let (api, thief) = (MockServer::start().await, MockServer::start().await);
    let to = format!("{}{RUN}/artifacts", thief.uri());
    answer_list(&api, ResponseTemplate::new(301).insert_header("location", to)).await;
    let (github, _) = github(&api.uri());
    assert_eq!(github.list(&run(1)).await.unwrap_err().kind(), SourceErrorKind::BadAnswer);
    assert!(thief.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_renamed_repository_is_followed() {
    let api = MockServer::start().await;
    let to = "/repositories/1/actions/runs/9871234567";
    Mock::given(path(RUN))
        .respond_with(ResponseTemplate::new(301).insert_header("location", to))
        .mount(&api)
        .await;
    Mock::given(path(to))
        .and(header("authorization", format!("Bearer {TOKEN}")))
        .respond_with(ResponseTemplate::new(200).set_body_json(json!({"run_attempt": 3})))
        .mount(&api)
        .await;
    let (github, _) = github(&api.uri());
    assert_eq!(github.attempts(&run(1)).await.unwrap(), [1, 2, 3]);
}

#[tokio::test]
async fn refusals_are_final_and_say_what_to_do() {
    use SourceErrorKind as K;
    for (status, kind, advice) in [
        (401, K::Unauthorized, "set GITHUB_TOKEN"),
        (403, K::Forbidden, "scope actions:read"),
        (404, K::NotFound, "there is no such run"),
        (410, K::Expired, "removed"),
    ] {
        let answer = ResponseTemplate::new(status)
            .insert_header("x-github-request-id", "ABCD:12")
            .set_body_json(json!({"message": format!("no, {TOKEN}")}));
        let (error, clock, requests) = list_error(answer).await;
        assert_eq!((error.kind(), requests), (kind, 1));
        let text = error.to_string();
        assert!(text.contains(advice) && text.contains("request id ABCD:12"), "{text}");
        assert!(clock.pauses().is_empty());
    }
}

#[tokio::test]
async fn an_artifact_that_is_gone_is_expired() {
    let server = MockServer::start().await;
    let gone = ResponseTemplate::new(410).set_body_json(json!({"message": "Artifact has expired"}));
    Mock::given(path("/repos/o/r/actions/artifacts/1/zip")).respond_with(gone).mount(&server).await;
    let (github, _) = github(&server.uri());
    let error = fetched(&github, &listing(&server, 1)).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Expired);
    assert!(error.to_string().contains("\"Artifact has expired\""), "{error}");
}

/// Answers the first list so and later ones well; returns the pauses.
async fn pauses_after(answer: ResponseTemplate) -> Vec<f64> {
    let server = MockServer::start().await;
    Mock::given(path(format!("{RUN}/artifacts")))
        .respond_with(answer)
        .up_to_n_times(1)
        .expect(1)
        .mount(&server)
        .await;
    one_page(&server, vec![artifact(&server, 1, "a")]).await;
    let (github, clock) = github(&server.uri());
    assert_eq!(github.list(&run(1)).await.unwrap().len(), 1);
    clock.pauses()
}

#[tokio::test]
async fn servers_are_asked_again_when_they_say() {
    let answer = ResponseTemplate::new(429).insert_header("retry-after", "7");
    assert_eq!(pauses_after(answer).await, [7.5]);
    let answer = ResponseTemplate::new(503).insert_header("retry-after", "Tue, 14 Nov 2023 22:14:20 GMT");
    assert_eq!(pauses_after(answer).await, [60.5]);
    let answer = ResponseTemplate::new(403)
        .insert_header("x-ratelimit-remaining", "0")
        .insert_header("x-ratelimit-reset", "1700000300");
    assert_eq!(pauses_after(answer).await, [301.5]);
    let answer = ResponseTemplate::new(403).set_body_json(
        json!({"message": "You have exceeded a secondary rate limit. Please wait a few minutes"}),
    );
    assert_eq!(pauses_after(answer).await, [60.5]);
}

#[tokio::test]
async fn failures_of_servers_and_error_pages_pass() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        assert_eq!(pauses_after(ResponseTemplate::new(status)).await, [0.5], "{status}");
    }
    let page = ResponseTemplate::new(200).set_body_raw("<html>Unicorn!</html>", "text/html");
    assert_eq!(pauses_after(page).await, [0.5]);
    let half = ResponseTemplate::new(200).set_body_raw("{\"total_count\": 1, \"arti", "application/json");
    assert_eq!(pauses_after(half).await, [0.5]);
}

#[tokio::test]
async fn a_rate_limit_beyond_the_deadline_is_named() {
    let answer = ResponseTemplate::new(403)
        .insert_header("x-ratelimit-remaining", "0")
        .insert_header("x-ratelimit-reset", "1700003599");
    let (error, clock, requests) = list_error(answer).await;
    assert_eq!((error.kind(), requests), (SourceErrorKind::Unavailable, 1));
    assert!(error.to_string().contains("until Tue, 14 Nov 2023 23:13:20 GMT"), "{error}");
    assert!(clock.pauses().is_empty());
}

#[tokio::test]
async fn who_hears_of_a_rate_limit_spares_the_others_from_asking() {
    let server = MockServer::start().await;
    let limited = ResponseTemplate::new(429).insert_header("retry-after", "100");
    answer_list(&server, limited).await;
    let artifact = Mock::given(path("/repos/o/r/actions/artifacts/1/zip"));
    artifact.respond_with(ResponseTemplate::new(200).set_body_bytes("zip")).mount(&server).await;
    let (github, clock) = github_with(&server.uri(), |settings| {
        settings.http.deadline = std::time::Duration::from_millis(100_200);
    });
    github.list(&run(1)).await.unwrap_err();
    assert!(clock.pauses().is_empty());
    assert_eq!(fetched(&github, &listing(&server, 1)).await.unwrap(), b"zip");
    assert_eq!(clock.pauses(), [100.0]);
}

#[tokio::test]
async fn a_server_that_keeps_failing_is_given_up_at_the_deadline() {
    let (error, clock, requests) = list_error(ResponseTemplate::new(500)).await;
    assert_eq!(error.kind(), SourceErrorKind::Unavailable);
    let pauses = clock.pauses();
    assert_eq!(pauses[..8], [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0]);
    assert_eq!(pauses.len() + 1, requests);
    let total: f64 = pauses.iter().sum();
    assert!((560.0..600.0).contains(&total), "{total}");
    assert!(
        error.to_string().ends_with(&format!("gave up after {requests} tries, deadline 600s")),
        "{error}"
    );
}

#[tokio::test]
async fn an_error_page_that_stays_is_a_bad_answer() {
    let answer = ResponseTemplate::new(200).set_body_raw("<html>Log in</html>", "text/html");
    let (error, clock, requests) = list_error(answer).await;
    assert_eq!((error.kind(), requests), (SourceErrorKind::BadAnswer, 5));
    assert!(error.to_string().contains("no JSON"), "{error}");
    assert_eq!(clock.pauses(), [0.5, 1.0, 2.0, 4.0]);
}

#[tokio::test]
async fn an_error_page_for_a_zip_is_handed_over_for_its_reader_to_tell() {
    let server = MockServer::start().await;
    let page = ResponseTemplate::new(200).set_body_raw("<html>Oh no</html>", "text/html");
    Mock::given(path("/repos/o/r/actions/artifacts/1/zip")).respond_with(page).mount(&server).await;
    let (github, _) = github(&server.uri());
    assert_eq!(fetched(&github, &listing(&server, 1)).await.unwrap(), b"<html>Oh no</html>");
}

#[tokio::test]
async fn a_missing_field_is_named() {
    for (page, field) in [
        (json!({"total_count": 1}), "artifacts"),
        (json!({"artifacts": [{"id": 1, "archive_download_url": "x"}]}), "name"),
        (json!({"artifacts": [{"id": 1, "name": "x"}]}), "archive_download_url"),
        (json!({"artifacts": [{"name": "x", "archive_download_url": "x"}]}), "id"),
    ] {
        let (error, _, requests) = list_error(ResponseTemplate::new(200).set_body_json(page)).await;
        assert_eq!((error.kind(), requests), (SourceErrorKind::BadAnswer, 1));
        assert!(error.to_string().contains(&format!("missing field `{field}`")), "{error}");
    }
}

#[tokio::test]
async fn a_list_that_stays_shorter_than_it_says_is_an_error() {
    let answer = ResponseTemplate::new(200).set_body_json(json!({"total_count": 2, "artifacts": []}));
    let (error, _, requests) = list_error(answer).await;
    assert_eq!((error.kind(), requests), (SourceErrorKind::BadAnswer, 3));
    assert!(error.to_string().ends_with("lists 0 of the 2 that it counts"), "{error}");
}

#[tokio::test]
async fn pages_without_end_end() {
    let server = MockServer::start().await;
    let next = std::sync::atomic::AtomicU64::new(2);
    let base = server.uri();
    let endless = move |_: &Request| {
        let page = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        ResponseTemplate::new(200)
            .insert_header("link", format!("<{base}{RUN}/artifacts?page={page}>; rel=\"next\""))
            .set_body_json(json!({"artifacts": []}))
    };
    Mock::given(path(format!("{RUN}/artifacts"))).respond_with(endless).expect(1_000).mount(&server).await;
    let (github, _) = github(&server.uri());
    let error = github.list(&run(1)).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::TooLarge);
    assert!(error.to_string().contains("1000 pages"), "{error}");
}

#[tokio::test]
async fn a_run_that_cannot_be_is_not_asked_for() {
    let server = MockServer::start().await;
    let (github, _) = github(&server.uri());
    for (repo, run_id) in [
        (None, "1"),
        (Some("o"), "1"),
        (Some("o/r/x"), "1"),
        (Some("../r"), "1"),
        (Some("o/r"), "x"),
        (Some("o/r"), ""),
    ] {
        let run = RunKey { repo: repo.map(str::to_owned), run_id: run_id.to_owned(), attempt: 1 };
        assert_eq!(github.list(&run).await.unwrap_err().kind(), SourceErrorKind::BadSetting, "{run:?}");
    }
    assert!(server.received_requests().await.unwrap().is_empty());
}

#[tokio::test]
async fn an_enterprise_server_is_asked_below_its_path() {
    let server = MockServer::start().await;
    let answer = ResponseTemplate::new(200).set_body_json(json!({"run_attempt": 1}));
    Mock::given(path(format!("/api/v3{RUN}"))).respond_with(answer).mount(&server).await;
    for slash in ["", "/"] {
        let (github, _) = github(&format!("{}/api/v3{slash}", server.uri()));
        assert_eq!(github.attempts(&run(1)).await.unwrap(), [1]);
    }
}

#[test]
fn settings_that_cannot_be_are_refused() {
    for api_url in ["", "api.github.com", "ftp://h", "https://user:pass@h", "https://h?x", "https://h#x"] {
        let settings = GitHubSettings { api_url: api_url.to_owned(), ..GitHubSettings::default() };
        let error = GitHub::new(settings).unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::BadSetting, "{api_url}");
        assert!(!error.to_string().contains("pass@"));
    }
    let settings = GitHubSettings { token: Secret::new("hu\nsh"), ..GitHubSettings::default() };
    assert!(!format!("{settings:?}").contains("sh\""));
    assert_eq!(GitHub::new(settings).unwrap_err().kind(), SourceErrorKind::BadSetting);
}

#[tokio::test]
async fn without_a_token_none_is_sent() {
    let server = MockServer::start().await;
    answer_list(&server, ResponseTemplate::new(401)).await;
    let (github, _) = github_with(&server.uri(), |settings| settings.token = None);
    let error = github.list(&run(1)).await.unwrap_err();
    assert!(error.to_string().ends_with("answered 401 Unauthorized: set GITHUB_TOKEN"), "{error}");
    assert!(!has(&server.received_requests().await.unwrap()[0], "authorization"));
}

#[tokio::test]
async fn a_list_that_breaks_off_is_read_again() {
    let body = b"{\"artifacts\": []}";
    let whole = format!("content-length: {}", body.len());
    let steps = [
        Step::answer("200 OK", &[&whole], &body[..5]),
        Step::Send(Vec::new()),
        Step::answer("200 OK", &[&whole], body),
    ];
    let server = ScriptedServer::start(steps).await.unwrap();
    let (github, clock) = github(&server.url());
    assert!(github.list(&run(1)).await.unwrap().is_empty());
    assert_eq!(clock.pauses(), [0.5, 1.0]);
}

#[tokio::test]
async fn nobody_there_is_unavailable() {
    let server = ScriptedServer::start([]).await.unwrap();
    let url = server.url();
    drop(server);
    let (github, clock) = github(&url);
    let error = github.list(&run(1)).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Unavailable);
    assert!(clock.pauses().len() > 20);
}
