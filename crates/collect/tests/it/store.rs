//! Buckets as sources and destinations, before a real S3 server.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use testlake_collect::bucket::{StoreSettings, StoreUrl};
use testlake_collect::output::{self, Destination, ObjectKind, OutputError};
use testlake_collect::run::RunKey;
use testlake_collect::source::{
    Content, Layout, Listing, ListingState, Source, SourceError, SourceErrorKind, Store,
};
use testlake_testkit::proxy::{Act, Proxy};
use testlake_testkit::s3::{ACCESS_KEY, S3Server, SECRET_KEY, environment};
use testlake_testkit::scripted::{ScriptedServer, Step};
use wiremock::matchers::{method, query_param, query_param_is_missing};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::output::{Kept, conforms, until};

const ARTIFACTS: &str = "o/r/7/1/artifact/";

fn run() -> RunKey {
    RunKey { repo: Some("o/r".to_owned()), run_id: "7".to_owned(), attempt: 1 }
}

/// Settings that lose no time between retries.
fn settings(environment: &dyn Fn(&str) -> Option<String>) -> StoreSettings {
    let mut settings = StoreSettings::new(environment);
    settings.backoff = Duration::from_millis(1);
    settings.max_backoff = Duration::from_millis(2);
    settings.retries = 20;
    settings
}

fn source(url: &str, settings: StoreSettings) -> Store {
    Store::new(StoreUrl::parse(url).unwrap().unwrap(), settings, Layout::default())
}

fn artifact(name: &str) -> Listing {
    Listing {
        name: name.to_owned(),
        bytes: None,
        state: ListingState::Available,
        locator: format!("{ARTIFACTS}{name}"),
    }
}

async fn fetched(source: &Store, name: &str) -> Result<Vec<u8>, SourceError> {
    let heard = AtomicU64::new(0);
    let progress = |bytes| {
        heard.fetch_add(bytes, Ordering::Relaxed);
    };
    let Content::Bytes(body) = source.fetch(&artifact(name), &progress).await? else { panic!("bytes") };
    let mut bytes = vec![0; usize::try_from(body.len()).unwrap()];
    let mut at = 0;
    while at < bytes.len() {
        let got = body.read_at(at as u64, &mut bytes[at..]).unwrap();
        assert!(got > 0);
        at += got;
    }
    assert_eq!(heard.into_inner(), body.len(), "each byte is told once");
    Ok(bytes)
}

/// Bytes of which no two places are alike.
fn noise(len: u32) -> Vec<u8> {
    (0..len / 4).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

/// Shows an error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn a_listing_has_all_pages_and_attempts_are_folders() {
    let server = S3Server::start(&["artifacts"]);
    for n in 0..1200 {
        server.put("artifacts", &format!("{ARTIFACTS}test-reports_{n}.zip"), b"x");
    }
    server.put("artifacts", "o/r/7/12/artifact/a.zip", b"");
    server.put("artifacts", "o/r/7/old/artifact/a.zip", b"");
    server.put("artifacts", "o/r/77/3/artifact/a.zip", b"");
    server.put("artifacts", "o/r/7/5", b"no folder");
    let source = source("s3://artifacts", settings(&server.environment()));
    let mut names: Vec<_> =
        source.list(&run()).await.unwrap().into_iter().map(|l| (l.name, l.bytes)).collect();
    names.sort();
    let mut expected: Vec<_> = (0..1200).map(|n| (format!("test-reports_{n}.zip"), Some(1))).collect();
    expected.sort();
    assert_eq!(names, expected);
    assert_eq!(server.operations(), ["ListObjectsV2", "ListObjectsV2"]);
    assert_eq!(source.attempts(&run()).await.unwrap(), [1, 12]);
}

#[tokio::test]
async fn a_prefix_in_the_bucket_stands_before_the_layout() {
    let server = S3Server::start(&["bkt"]);
    server.put("bkt", &format!("deep/er/{ARTIFACTS}a b+c%20ü.zip"), b"bytes");
    let source = source("s3://bkt/deep/er/", settings(&server.environment()));
    assert_eq!(source.attempts(&run()).await.unwrap(), [1]);
    let listings = source.list(&run()).await.unwrap();
    assert_eq!(listings[0].name, "a b+c%20ü.zip");
    assert!(source.fetch(&listings[0], &|_| ()).await.is_ok());
}

#[tokio::test]
async fn an_object_without_bytes_is_an_artifact_and_a_folders_marker_is_not() {
    let server = S3Server::start(&["artifacts"]);
    server.put("artifacts", &format!("{ARTIFACTS}empty"), b"");
    let listings = source("s3://artifacts", settings(&server.environment())).list(&run()).await.unwrap();
    assert_eq!(listings, [Listing { bytes: Some(0), ..artifact("empty") }]);

    // that server keeps no markers; consoles and others do
    let server = MockServer::start().await;
    let object = |name: &str| {
        format!(
            "<Contents><Key>{ARTIFACTS}{name}</Key><Size>0</Size><ETag>\"x\"</ETag>\
             <LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
        )
    };
    let folder = format!("<CommonPrefixes><Prefix>{ARTIFACTS}folder/</Prefix></CommonPrefixes>");
    let list = |rest: String| {
        let list = format!("<ListBucketResult>{}{}{rest}</ListBucketResult>", object(""), object("empty"));
        ResponseTemplate::new(200).set_body_string(list)
    };
    let flat = Mock::given(method("GET")).and(query_param_is_missing("delimiter"));
    flat.respond_with(list(object("folder/"))).mount(&server).await;
    let by_folder = Mock::given(method("GET")).and(query_param("delimiter", "/"));
    by_folder.respond_with(list(folder)).mount(&server).await;
    let source = source("s3://artifacts", settings(&environment(server.uri())));
    let listings = source.list(&run()).await.unwrap();
    assert_eq!(listings, [Listing { bytes: Some(0), ..artifact("empty") }]);
}

#[tokio::test]
async fn an_object_is_fetched_whole_in_memory_or_not() {
    let server = S3Server::start(&["artifacts"]);
    let large = noise(20 << 20);
    server.put("artifacts", &format!("{ARTIFACTS}large"), &large);
    server.put("artifacts", &format!("{ARTIFACTS}empty"), b"");
    let source = source("s3://artifacts", settings(&server.environment()));
    assert!(fetched(&source, "large").await.unwrap() == large);
    assert_eq!(fetched(&source, "empty").await.unwrap(), b"");
    assert_eq!(fetched(&source, "gone").await.unwrap_err().kind(), SourceErrorKind::NotFound);
}

#[tokio::test]
async fn a_server_that_fails_stalls_and_cuts_by_turns_gives_the_right_bytes() {
    let server = S3Server::start(&["artifacts"]);
    let large = noise(12 << 20);
    server.put("artifacts", &format!("{ARTIFACTS}large"), &large);
    let acts = [Act::Fail, Act::Cut(2 << 20), Act::Refuse, Act::Stall(3 << 20), Act::Cut(100), Act::Stall(0)];
    let proxy = Proxy::start(server.address(), &acts);
    let mut settings = settings(&environment(proxy.endpoint()));
    settings.stall = Duration::from_secs(1);
    let source = source("s3://artifacts", settings);
    let listings = source.list(&run()).await.unwrap();
    assert_eq!((listings.len(), listings[0].bytes), (1, Some(12 << 20)));
    assert!(fetched(&source, "large").await.unwrap() == large);
    assert!(proxy.connections() > 6, "{}", proxy.connections());
}

#[tokio::test]
async fn a_server_that_never_comes_round_is_unavailable() {
    let server = S3Server::start(&["artifacts"]);
    server.put("artifacts", &format!("{ARTIFACTS}a"), &noise(1 << 20));
    for act in [Act::Fail, Act::Refuse, Act::Cut(50)] {
        let proxy = Proxy::start(server.address(), &[act]);
        let mut settings = settings(&environment(proxy.endpoint()));
        settings.retries = 3;
        let source = source("s3://artifacts", settings);
        assert_eq!(source.list(&run()).await.unwrap_err().kind(), SourceErrorKind::Unavailable, "{act:?}");
        assert_eq!(fetched(&source, "a").await.unwrap_err().kind(), SourceErrorKind::Unavailable, "{act:?}");
        // Three requests of a kind, each tried four times in all.
        assert_eq!(proxy.connections(), 8, "{act:?}");
    }
}

#[tokio::test]
async fn an_object_that_is_replaced_while_it_is_read_is_an_error() {
    let server = S3Server::start(&["artifacts"]);
    server.put("artifacts", &format!("{ARTIFACTS}a"), &noise(8 << 20));
    let file = server.bucket("artifacts").join(format!("{ARTIFACTS}a"));
    let proxy = Proxy::with_script(server.address(), move |connection| {
        if connection == 0 {
            return Act::Cut(1 << 20);
        }
        let mut other = noise(8 << 20);
        other.reverse();
        std::fs::write(&file, other).unwrap();
        Act::Pass
    });
    let source = source("s3://artifacts", settings(&environment(proxy.endpoint())));
    let error = fetched(&source, "a").await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::BadAnswer);
    assert!(error.to_string().contains("was replaced while it was being read"), "{error}");
}

#[tokio::test]
async fn a_wrong_key_and_a_missing_bucket_say_what_to_do() {
    let server = S3Server::start(&["artifacts"]);
    let right = server.environment();
    let missing = source("s3://no-such", settings(&right)).list(&run()).await.unwrap_err();
    assert_eq!(missing.kind(), SourceErrorKind::NotFound);
    assert!(missing.to_string().contains("there is no bucket `no-such`"), "{missing}");

    let with = |name: &'static str, value: &'static str| {
        let right = right.clone();
        move |asked: &str| if asked == name { Some(value.to_owned()) } else { right(asked) }
    };
    for environment in [with("AWS_ACCESS_KEY_ID", "AKIANOBODY"), with("AWS_SECRET_ACCESS_KEY", "wrong")] {
        let error = source("s3://artifacts", settings(&environment)).list(&run()).await.unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::Unauthorized);
        let text = chain(&error);
        assert!(text.contains("check the credentials") && text.contains("403 "), "{text}");
        assert!(!text.contains("wrong"), "{text}");
    }
}

#[tokio::test]
async fn a_public_bucket_is_read_without_credentials_and_no_other() {
    let server = S3Server::start(&["public-artifacts", "private"]);
    server.put("public-artifacts", &format!("{ARTIFACTS}a"), b"bytes");
    let endpoint = server.endpoint();
    // Nobody answers for this machine's identity at the discard port.
    let nothing = move |name: &str| match name {
        "AWS_ENDPOINT_URL" => Some(endpoint.clone()),
        "AWS_EC2_METADATA_SERVICE_ENDPOINT" => Some("http://127.0.0.1:9".to_owned()),
        _ => None,
    };
    let public = source("s3://public-artifacts", settings(&nothing));
    assert_eq!(public.list(&run()).await.unwrap().len(), 1);
    assert_eq!(fetched(&public, "a").await.unwrap(), b"bytes");
    let error = source("s3://private", settings(&nothing)).list(&run()).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Forbidden);
    assert!(error.to_string().contains("no credentials were found: set AWS_ACCESS_KEY_ID"), "{error}");
}

#[tokio::test]
async fn a_profile_leads_to_its_endpoint_with_its_key() {
    let server = S3Server::start(&["artifacts"]);
    server.put("artifacts", &format!("{ARTIFACTS}a"), b"bytes");
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let environment = server.environment();
    let value = |name: &str| environment(name).unwrap();
    let credentials = format!(
        "[ci]\naws_access_key_id = {}\naws_secret_access_key = {}\n",
        value("AWS_ACCESS_KEY_ID"),
        value("AWS_SECRET_ACCESS_KEY")
    );
    std::fs::write(home.path().join(".aws/credentials"), credentials).unwrap();
    let config = format!("[profile ci]\nregion = eu-north-1\nendpoint_url = {}\n", server.endpoint());
    std::fs::write(home.path().join(".aws/config"), config).unwrap();
    let profile = |name: &'static str| {
        let home = home.path().display().to_string();
        move |asked: &str| match asked {
            "HOME" => Some(home.clone()),
            "AWS_PROFILE" => Some(name.to_owned()),
            _ => None,
        }
    };
    assert_eq!(source("s3://artifacts", settings(&profile("ci"))).list(&run()).await.unwrap().len(), 1);
    let error = source("s3://artifacts", settings(&profile("cd"))).list(&run()).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::BadSetting);
    assert!(chain(&error).contains("there is no profile `cd`"), "{}", chain(&error));
}

#[tokio::test]
async fn the_role_of_an_instance_is_used() {
    let server = S3Server::start(&["artifacts"]);
    server.put("artifacts", &format!("{ARTIFACTS}a"), b"bytes");
    let text =
        |body: &str| Step::answer("200 OK", &[&format!("content-length: {}", body.len())], body.as_bytes());
    let credentials = format!(
        r#"{{"AccessKeyId":"{ACCESS_KEY}","SecretAccessKey":"{SECRET_KEY}","Token":"t","Expiration":"2099-01-01T00:00:00Z"}}"#
    );
    // Asked once quickly whether there is a role, then for its credentials.
    let steps = [text("token"), text("ci"), text("token"), text("ci"), text(&credentials)];
    let metadata = ScriptedServer::start(steps).await.unwrap();
    let (endpoint, metadata_url) = (server.endpoint(), metadata.url());
    let environment = move |name: &str| match name {
        "AWS_ENDPOINT_URL" => Some(endpoint.clone()),
        "AWS_EC2_METADATA_SERVICE_ENDPOINT" => Some(metadata_url.clone()),
        _ => None,
    };
    let source = source("s3://artifacts", settings(&environment));
    assert_eq!(source.list(&run()).await.unwrap().len(), 1);
    assert_eq!(fetched(&source, "a").await.unwrap(), b"bytes");
    assert_eq!(metadata.requests().len(), 5, "credentials are kept");
}

#[tokio::test]
async fn a_bucket_of_another_region_says_which_setting_is_wrong() {
    let moved = Step::answer("301 Moved Permanently", &["content-length: 0"], b"");
    let server = ScriptedServer::start([moved]).await.unwrap();
    let error =
        source("s3://artifacts", settings(&environment(server.url()))).list(&run()).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::BadSetting);
    assert!(error.to_string().contains("set AWS_REGION"), "{error}");
}

#[tokio::test]
async fn a_page_in_place_of_a_listing_is_a_bad_answer() {
    let page = Step::answer("200 OK", &["content-length: 18"], b"<html>Log in</html");
    let server = ScriptedServer::start([page]).await.unwrap();
    let error =
        source("s3://artifacts", settings(&environment(server.url()))).list(&run()).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::BadAnswer, "{error}");
}

#[tokio::test]
async fn an_object_that_trickles_is_given_up_at_the_deadline() {
    let server = S3Server::start(&["artifacts"]);
    server.put("artifacts", &format!("{ARTIFACTS}a"), &noise(2 << 20));
    // Enough for the head of the answer and a little more.
    let proxy = Proxy::start(server.address(), &[Act::Cut(1000)]);
    let mut settings = settings(&environment(proxy.endpoint()));
    settings.retries = usize::MAX;
    settings.deadline = Duration::from_millis(300);
    let error = fetched(&source("s3://artifacts", settings), "a").await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Unavailable);
}

fn destination(url: &str, settings: &StoreSettings) -> std::sync::Arc<dyn Destination> {
    output::open(url, settings).unwrap()
}

#[tokio::test]
async fn a_bucket_conforms() {
    let server = S3Server::start(&["out"]);
    let destination = destination("s3://out/deep/er", &settings(&server.environment()));
    let kept = async || -> Kept {
        // What was dropped is given up in the background.
        until("all uploads are given up", || server.open_uploads() == 0).await;
        let objects = server.objects("out").into_iter();
        objects.map(|(key, bytes)| (key.strip_prefix("deep/er/").unwrap().to_owned(), bytes)).collect()
    };
    conforms(&*destination, kept).await;
}

#[tokio::test]
async fn headers_are_kept_with_small_and_large_objects() {
    let server = S3Server::start(&["public-out"]);
    let destination = destination("s3://public-out", &settings(&server.environment()));
    for (key, kind, size) in [
        ("small", ObjectKind::GzipJson, 10),
        ("large", ObjectKind::GzipJson, 17 << 20),
        ("plain", ObjectKind::Json, 3),
    ] {
        let mut writer = destination.create(key, kind).await.unwrap();
        writer.write(Bytes::from(noise(size))).await.unwrap();
        writer.commit().await.unwrap();
        let response = reqwest::get(format!("{}/public-out/{key}", server.endpoint())).await.unwrap();
        let header =
            |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        assert_eq!(header("content-type").as_deref(), Some("application/json"));
        let encoding = (kind == ObjectKind::GzipJson).then_some("gzip");
        assert_eq!(header("content-encoding").as_deref(), encoding, "{key}");
    }
    let uploads = server.operations().iter().filter(|name| *name == "UploadPart").count();
    assert_eq!(uploads, 3, "17 MiB in parts of 8");
}

#[tokio::test]
async fn a_check_finds_a_missing_bucket_and_a_lack_of_permission() {
    let server = S3Server::start(&["public-out"]);
    let check = async |url: &str, environment: &dyn Fn(&str) -> Option<String>| {
        let error = destination(url, &settings(environment)).check().await.unwrap_err();
        assert!(matches!(error, OutputError::Refused { .. }), "{error:?}");
        chain(&error)
    };
    let right = server.environment();
    let text = check("s3://gone", &right).await;
    assert!(text.starts_with("cannot write to `s3://gone`: there is no bucket `gone`"), "{text}");
    let anonymous = |name: &str| match name {
        "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" => None,
        "AWS_EC2_METADATA_DISABLED" => Some("true".to_owned()),
        _ => right(name),
    };
    let text = check("s3://public-out", &anonymous).await;
    assert!(text.contains("no credentials were found"), "{text}");
    let wrong =
        |name: &str| if name == "AWS_SECRET_ACCESS_KEY" { Some("no".to_owned()) } else { right(name) };
    let text = check("s3://public-out", &wrong).await;
    assert!(text.contains("check the credentials"), "{text}");
    assert_eq!(server.objects("public-out"), []);
}

#[tokio::test]
async fn an_upload_through_a_server_that_fails_and_cuts_is_whole() {
    let server = S3Server::start(&["out"]);
    let acts = [
        Act::Fail,
        Act::CutRequest(3 << 20),
        Act::Refuse,
        Act::Cut(20),
        Act::CutRequest(12 << 20),
        Act::Stall(0),
    ];
    let proxy = Proxy::start(server.address(), &acts);
    let mut settings = settings(&environment(proxy.endpoint()));
    settings.part_timeout = Duration::from_secs(2);
    let destination = destination("s3://out", &settings);
    destination.check().await.unwrap();
    let bytes = Bytes::from(noise(30 << 20));
    for (key, bytes) in [("large", bytes.clone()), ("small", bytes.slice(..1000))] {
        let mut writer = destination.create(key, ObjectKind::GzipJson).await.unwrap();
        for piece in bytes.chunks(1 << 20) {
            writer.write(Bytes::copy_from_slice(piece)).await.unwrap();
        }
        writer.commit().await.unwrap();
    }
    let objects = server.objects("out");
    assert_eq!(objects.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), ["large", "small"]);
    assert!(objects[0].1 == bytes && objects[1].1 == bytes[..1000]);
    assert!(proxy.connections() > 6, "{}", proxy.connections());
}

#[tokio::test]
async fn an_upload_to_a_server_that_never_comes_round_is_unavailable() {
    let server = S3Server::start(&["out"]);
    let proxy = Proxy::start(server.address(), &[Act::Fail]);
    let mut settings = settings(&environment(proxy.endpoint()));
    settings.retries = 2;
    let destination = destination("s3://out", &settings);
    assert!(matches!(destination.check().await, Err(OutputError::Unavailable { .. })));
    for size in [10, 10 << 20] {
        let result = async {
            let mut writer = destination.create("x", ObjectKind::Json).await?;
            writer.write(Bytes::from(noise(size))).await?;
            writer.commit().await
        };
        assert!(matches!(result.await, Err(OutputError::Unavailable { .. })), "{size}");
    }
}

#[tokio::test]
async fn an_address_that_is_no_destination_is_refused() {
    let settings = settings(&|_| None);
    for address in ["", "s3://", "s3://k:secret@b", "ftp://x", "file://host/x"] {
        let error = output::open(address, &settings).unwrap_err();
        assert!(matches!(error, OutputError::Refused { .. }), "{address}");
        assert!(!chain(&error).contains("secret"));
    }
    assert_eq!(output::open("file:///data/out", &settings).unwrap().name(), "/data/out");
    assert_eq!(output::open("gs://b/p", &settings).unwrap().name(), "gs://b/p");
}
