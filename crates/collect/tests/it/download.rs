//! Downloads from servers that break, stall, lie and forget.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use testlake_collect::source::github::{ArtifactChoice, GitHub, GitHubSettings};
use testlake_collect::source::http::HttpSettings;
use testlake_collect::source::{Content, Listing, ListingState, Source, SourceError, SourceErrorKind};
use testlake_testkit::scripted::{ScriptedServer, Step};

use crate::clock::{TestClock, settings};

/// What came of a download.
struct Fetched {
    result: Result<Vec<u8>, SourceError>,
    /// The heads of the requests.
    requests: Vec<String>,
    pauses: Vec<f64>,
    heard: u64,
}

impl Fetched {
    fn text(&self) -> &str {
        std::str::from_utf8(self.result.as_ref().unwrap()).unwrap()
    }

    fn error(&self) -> (SourceErrorKind, String) {
        let error = self.result.as_ref().unwrap_err();
        (error.kind(), error.to_string())
    }
}

async fn fetch(steps: impl IntoIterator<Item = Step>) -> Fetched {
    fetch_with(steps, |_| {}).await
}

async fn fetch_with(
    steps: impl IntoIterator<Item = Step>,
    change: impl FnOnce(&mut HttpSettings),
) -> Fetched {
    let server = ScriptedServer::start(steps).await.unwrap();
    let clock: Arc<TestClock> = TestClock::new();
    let mut http = settings(&clock);
    change(&mut http);
    let settings =
        GitHubSettings { api_url: server.url(), token: None, http, artifacts: ArtifactChoice::All };
    let github = GitHub::new(settings).unwrap();
    let listing = Listing {
        name: "a".to_owned(),
        bytes: None,
        state: ListingState::Available,
        locator: format!("{}/a?sig=s3cret", server.url()),
    };
    let heard = AtomicU64::new(0);
    let hear = |bytes| {
        heard.fetch_add(bytes, Ordering::Relaxed);
    };
    let result = match github.fetch(&listing, &hear).await {
        Ok(Content::Bytes(body)) => {
            let mut bytes = vec![0; usize::try_from(body.len()).unwrap()];
            assert_eq!(body.read_at(0, &mut bytes).unwrap(), bytes.len());
            Ok(bytes)
        }
        Ok(other) => panic!("{other:?}"),
        Err(error) => {
            assert!(!format!("{error} {error:?}").contains("s3cret"));
            Err(error)
        }
    };
    Fetched { result, requests: server.requests(), pauses: clock.pauses(), heard: heard.into_inner() }
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
}

#[tokio::test]
async fn a_short_body_goes_on_where_it_broke() {
    let first = ["content-length: 10", "accept-ranges: bytes", "etag: \"e1\""];
    let rest = ["content-length: 6", "content-range: bytes 4-9/10", "etag: \"e1\""];
    let steps =
        [Step::answer("200 OK", &first, b"0123"), Step::answer("206 Partial Content", &rest, b"456789")];
    let fetched = fetch(steps).await;
    assert_eq!(fetched.text(), "0123456789");
    assert_eq!(header(&fetched.requests[0], "range"), None);
    assert_eq!(header(&fetched.requests[1], "range"), Some("bytes=4-"));
    assert_eq!(header(&fetched.requests[1], "if-range"), Some("\"e1\""));
    assert_eq!((fetched.pauses.as_slice(), fetched.heard), ([0.5].as_slice(), 10));
}

#[tokio::test]
async fn a_rest_that_breaks_goes_on_too() {
    let first =
        ["content-length: 10", "accept-ranges: bytes", "last-modified: Tue, 14 Nov 2023 22:00:00 GMT"];
    let steps = [
        Step::answer("200 OK", &first, b"0123"),
        Step::answer("206 Partial Content", &["content-length: 6", "content-range: bytes 4-9/10"], b"45"),
        Step::answer("503 Unavailable", &["content-length: 0"], b""),
        Step::answer("206 Partial Content", &["content-length: 4", "content-range: bytes 6-9/10"], b"6789"),
    ];
    let fetched = fetch(steps).await;
    assert_eq!(fetched.text(), "0123456789");
    let ranges: Vec<_> = fetched.requests.iter().map(|head| header(head, "range")).collect();
    assert_eq!(ranges, [None, Some("bytes=4-"), Some("bytes=6-"), Some("bytes=6-")]);
    assert_eq!(header(&fetched.requests[3], "if-range"), Some("tue, 14 nov 2023 22:00:00 gmt"));
}

#[tokio::test]
async fn a_body_that_breaks_without_ranges_begins_anew() {
    let head = ["content-length: 10", "etag: \"e1\""];
    let steps = [Step::answer("200 OK", &head, b"012345"), Step::answer("200 OK", &head, b"0123456789")];
    let fetched = fetch(steps).await;
    assert_eq!(fetched.text(), "0123456789");
    assert_eq!(header(&fetched.requests[1], "range"), None);
    assert_eq!(fetched.heard, 10, "bytes that come twice are heard once");
}

#[tokio::test]
async fn a_broken_chunked_body_begins_anew() {
    let head = ["transfer-encoding: chunked"];
    let steps = [
        Step::answer("200 OK", &head, b"5\r\n01234\r\n"),
        Step::answer("200 OK", &head, b"5\r\n01234\r\n5\r\n56789\r\n0\r\n\r\n"),
    ];
    assert_eq!(fetch(steps).await.text(), "0123456789");
}

#[tokio::test]
async fn what_was_replaced_meanwhile_begins_anew() {
    let first = ["content-length: 10", "accept-ranges: bytes", "etag: \"e1\""];
    let second = ["content-length: 4", "accept-ranges: bytes", "etag: \"e2\""];
    // The server keeps to `If-Range`: another thing comes whole.
    let steps = [Step::answer("200 OK", &first, b"0123"), Step::answer("200 OK", &second, b"abcd")];
    assert_eq!(fetch(steps).await.text(), "abcd");

    // The server does not, and says so.
    for lie in [
        ["content-length: 6", "content-range: bytes 4-9/10", "etag: \"e2\""],
        ["content-length: 6", "content-range: bytes 4-9/11", "etag: \"e1\""],
        ["content-length: 6", "content-range: bytes 3-8/10", "etag: \"e1\""],
        ["content-length: 6", "content-range: nonsense", "etag: \"e1\""],
    ] {
        let steps = [
            Step::answer("200 OK", &first, b"0123"),
            Step::answer("206 Partial Content", &lie, b"xxxxxx"),
            Step::answer("200 OK", &second, b"abcd"),
        ];
        let fetched = fetch(steps).await;
        assert_eq!(fetched.text(), "abcd");
        assert_eq!(header(&fetched.requests[2], "range"), None);
    }
}

#[tokio::test]
async fn a_range_that_is_refused_begins_anew() {
    let first = ["content-length: 10", "accept-ranges: bytes", "etag: \"e1\""];
    let steps = [
        Step::answer("200 OK", &first, b"0123"),
        Step::answer("416 Range Not Satisfiable", &["content-length: 0"], b""),
        Step::answer("200 OK", &["content-length: 2"], b"ab"),
    ];
    assert_eq!(fetch(steps).await.text(), "ab");
}

#[tokio::test]
async fn each_try_begins_at_the_api_for_a_fresh_address() {
    let storage_head = ["content-length: 10", "accept-ranges: bytes", "etag: \"e1\""];
    let rest = ["content-length: 6", "content-range: bytes 4-9/10"];
    let steps = [
        Step::answer("200 OK", &storage_head, b"0123"),
        Step::answer("206 Partial Content", &rest, b"456789"),
    ];
    let storage = ScriptedServer::start(steps).await.unwrap();
    let hop = |sig| {
        let location = format!("location: {}/blob?sig={sig}", storage.url());
        Step::answer("302 Found", &[&location, "content-length: 0", "connection: close"], b"")
    };
    let fetched = fetch([hop(1), hop(2)]).await;
    assert_eq!(fetched.text(), "0123456789");
    let asked = storage.requests();
    assert!(asked[0].starts_with("get /blob?sig=1 ") && asked[1].starts_with("get /blob?sig=2 "));
    assert_eq!(header(&asked[1], "range"), Some("bytes=4-"));
}

#[tokio::test]
async fn a_stalled_body_goes_on() {
    let first = ["content-length: 10", "accept-ranges: bytes", "etag: \"e1\""];
    let rest = ["content-length: 6", "content-range: bytes 4-9/10"];
    let steps = [
        Step::stall("200 OK", &first, b"0123"),
        Step::Stall(Vec::new()),
        Step::answer("206 Partial Content", &rest, b"456789"),
    ];
    let fetched = fetch_with(steps, |http| http.idle_timeout = Duration::from_millis(50)).await;
    assert_eq!(fetched.text(), "0123456789");
    assert_eq!(fetched.pauses, [0.5, 1.0]);
}

#[tokio::test]
async fn a_download_larger_than_the_limit_is_refused() {
    for head in [&["content-length: 11"][..], &[]] {
        let steps = [Step::answer("200 OK", head, b"0123456789x")];
        let (kind, text) = fetch_with(steps, |http| http.artifact_bytes = 10).await.error();
        assert_eq!(kind, SourceErrorKind::TooLarge);
        assert!(text.contains("limit of 10 bytes"), "{text}");
    }
    let steps = [Step::answer("200 OK", &["content-length: 10"], b"0123456789")];
    assert_eq!(fetch_with(steps, |http| http.artifact_bytes = 10).await.text(), "0123456789");
}

#[tokio::test]
async fn what_is_stored_as_gzip_is_inflated_under_the_same_limit() {
    // `printf 0123456789 | gzip -n`
    let gzip =
        b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x0330426153\xb7\xb0\x04\x00\xc6\xc7\x84\xa6\x0a\x00\x00\x00";
    let head = ["content-encoding: gzip"];
    assert_eq!(fetch([Step::answer("200 OK", &head, gzip)]).await.text(), "0123456789");
    let fetched =
        fetch_with([Step::answer("200 OK", &head, gzip)], |http| http.artifact_bytes = gzip.len() as u64)
            .await;
    assert_eq!(fetched.text(), "0123456789");

    let mut zeros = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut zeros, &[0; 1000]).unwrap();
    let bomb = zeros.finish().unwrap();
    let (kind, _) =
        fetch_with([Step::answer("200 OK", &head, &bomb)], |http| http.artifact_bytes = 999).await.error();
    assert_eq!(kind, SourceErrorKind::TooLarge);
    let (kind, _) = fetch([Step::answer("200 OK", &head, b"no gzip")]).await.error();
    assert_eq!(kind, SourceErrorKind::BadAnswer);
    let (kind, _) = fetch([Step::answer("200 OK", &["content-encoding: br"], b"x")]).await.error();
    assert_eq!(kind, SourceErrorKind::BadAnswer);
}

#[tokio::test]
async fn a_large_download_goes_through_a_file() {
    let body: Vec<u8> = (0..18_u32 << 20).map(|at| at.to_le_bytes()[2]).collect();
    let (length, half) = (body.len(), 17 << 20);
    let whole = format!("content-length: {length}");
    let first = [whole.as_str(), "accept-ranges: bytes", "etag: \"e1\""];
    let range = format!("content-range: bytes {half}-{}/{length}", length - 1);
    let rest_length = format!("content-length: {}", length - half);
    let steps = [
        Step::answer("200 OK", &first, &body[..half]),
        Step::answer("206 Partial Content", &[&range, &rest_length], &body[half..]),
    ];
    let fetched = fetch(steps).await;
    assert!(fetched.result.unwrap() == body);
    assert_eq!(fetched.heard, length as u64);
}

#[tokio::test]
async fn a_download_that_never_ends_well_is_given_up() {
    let broken = || Step::answer("200 OK", &["content-length: 10"], b"0123");
    let fetched = fetch(std::iter::repeat_with(broken).take(50)).await;
    let (kind, text) = fetched.error();
    assert_eq!(kind, SourceErrorKind::Unavailable);
    assert!(text.contains("gave up after"), "{text}");
    assert!(fetched.pauses.iter().sum::<f64>() < 600.0);
    assert_eq!(fetched.heard, 4);
}

#[tokio::test]
async fn the_deadline_counts_from_the_last_step_forward() {
    // Each try brings a MiB and breaks: 60 of them take more pauses than one deadline holds.
    let step = 1 << 20;
    let count = 60_usize;
    let length = step * count;
    let steps = (0..count).map(|number| {
        let start = number * step;
        let range = format!("content-range: bytes {start}-{}/{length}", length - 1);
        let rest = format!("content-length: {}", length - start);
        let status = if number == 0 { "200 OK" } else { "206 Partial Content" };
        Step::answer(status, &[&range, &rest, "accept-ranges: bytes", "etag: \"e\""], &vec![7; step])
    });
    let fetched = fetch_with(steps, |http| http.deadline = Duration::from_secs(2)).await;
    assert_eq!(fetched.result.unwrap().len(), length);
    assert!(fetched.pauses.iter().sum::<f64>() > 20.0);
}
