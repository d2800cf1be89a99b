//! Google Cloud Storage, before a server that speaks as much of its XML API as is used.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::{Arc, Mutex};

use testlake_collect::bucket::{StoreSettings, StoreUrl};
use testlake_collect::output::{self, ObjectKind, OutputError};
use testlake_collect::run::RunKey;
use testlake_collect::source::{Content, Layout, Source, SourceErrorKind, Store};
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

use crate::output::{Kept, conforms, until};

const BUCKET: &str = "bucket";
const TOKEN: &str = "Bearer the-token";
/// Objects of one page, so that few make many.
const PAGE: usize = 5;

#[derive(Debug, Clone, Default)]
struct Object {
    bytes: Vec<u8>,
    content_type: String,
    content_encoding: String,
}

#[derive(Debug, Default)]
struct Bucket {
    objects: BTreeMap<String, Object>,
    uploads: BTreeMap<String, (Object, BTreeMap<u32, Vec<u8>>)>,
    requests: u64,
}

#[derive(Debug, Clone, Default)]
struct Gcs(Arc<Mutex<Bucket>>);

impl Respond for Gcs {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let mut bucket = self.0.lock().unwrap();
        bucket.requests += 1;
        if request.headers.get("authorization").is_none_or(|value| value != TOKEN) {
            return refusal(401, "AuthenticationRequired");
        }
        let path: String = percent_decoded(request.url.path());
        let Some(rest) = path.strip_prefix(&format!("/{BUCKET}")) else {
            return refusal(404, "NoSuchBucket");
        };
        let key = rest.trim_start_matches('/').to_owned();
        let query: BTreeMap<String, String> = request.url.query_pairs().into_owned().collect();
        match (request.method.as_str(), key.is_empty(), query.get("uploadId").cloned()) {
            ("GET", true, _) => bucket.list(&query),
            ("GET" | "HEAD", false, _) => bucket.get(&key, request),
            ("PUT", false, None) => bucket.put(key, object(request)),
            ("POST", false, None) => bucket.begin(request),
            ("PUT", false, Some(id)) => bucket.part(&id, &query, request),
            ("POST", false, Some(id)) => bucket.finish(key, &id),
            ("DELETE", false, Some(id)) => match bucket.uploads.remove(&id) {
                Some(_) => ResponseTemplate::new(204),
                None => refusal(404, "NoSuchUpload"),
            },
            ("DELETE", false, None) => match bucket.objects.remove(&key) {
                Some(_) => ResponseTemplate::new(204),
                None => refusal(404, "NoSuchKey"),
            },
            _ => refusal(400, "InvalidArgument"),
        }
    }
}

fn percent_decoded(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        match byte {
            b'%' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
            }
            byte => bytes.push(byte),
        }
    }
    String::from_utf8(bytes).unwrap()
}

fn refusal(status: u16, code: &str) -> ResponseTemplate {
    ResponseTemplate::new(status)
        .set_body_string(format!("<Error><Code>{code}</Code><Message>No.</Message></Error>"))
}

fn object(request: &Request) -> Object {
    let header =
        |name: &str| request.headers.get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
    Object {
        bytes: request.body.clone(),
        content_type: header("content-type"),
        content_encoding: header("content-encoding"),
    }
}

/// A tag that changes with the bytes.
fn tag(bytes: &[u8]) -> String {
    let sum = bytes.iter().fold(7_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
    format!("\"{sum:x}-{}\"", bytes.len())
}

impl Bucket {
    fn list(&self, query: &BTreeMap<String, String>) -> ResponseTemplate {
        let prefix = query.get("prefix").map_or("", String::as_str);
        let after = query.get("continuation-token").map_or("", String::as_str);
        let mut found = BTreeMap::new();
        for (key, object) in &self.objects {
            let Some(rest) = key.strip_prefix(prefix) else { continue };
            let entry = match (query.get("delimiter"), rest.split_once('/')) {
                (Some(_), Some((folder, _))) => (format!("{prefix}{folder}/"), None),
                _ => (key.clone(), Some(object)),
            };
            if entry.0.as_str() > after {
                found.insert(entry.0, entry.1);
            }
        }
        let mut xml = String::from("<ListBucketResult>");
        let page: Vec<_> = found.iter().take(PAGE).collect();
        for (key, object) in &page {
            match object {
                Some(object) => write!(
                    xml,
                    "<Contents><Key>{key}</Key><Size>{}</Size><ETag>{}</ETag>\
                     <LastModified>2026-06-01T00:00:00Z</LastModified></Contents>",
                    object.bytes.len(),
                    tag(&object.bytes)
                ),
                None => write!(xml, "<CommonPrefixes><Prefix>{key}</Prefix></CommonPrefixes>"),
            }
            .unwrap();
        }
        if found.len() > PAGE {
            write!(xml, "<NextContinuationToken>{}</NextContinuationToken>", page.last().unwrap().0).unwrap();
        }
        ResponseTemplate::new(200).set_body_string(xml + "</ListBucketResult>")
    }

    fn get(&self, key: &str, request: &Request) -> ResponseTemplate {
        let Some(object) = self.objects.get(key) else { return refusal(404, "NoSuchKey") };
        let answer = match request.headers.get("range") {
            None => ResponseTemplate::new(200).set_body_bytes(object.bytes.clone()),
            Some(range) => {
                let (start, end) =
                    range.to_str().unwrap().strip_prefix("bytes=").unwrap().split_once('-').unwrap();
                let (start, end): (usize, usize) = (start.parse().unwrap(), end.parse().unwrap());
                ResponseTemplate::new(206)
                    .insert_header("content-range", format!("bytes {start}-{end}/{}", object.bytes.len()))
                    .set_body_bytes(object.bytes[start..=end].to_vec())
            }
        };
        answer
            .insert_header("etag", tag(&object.bytes))
            .insert_header("last-modified", "Mon, 01 Jun 2026 00:00:00 GMT")
            .insert_header("content-type", object.content_type.as_str())
            .insert_header("content-encoding", object.content_encoding.as_str())
    }

    fn put(&mut self, key: String, object: Object) -> ResponseTemplate {
        let etag = tag(&object.bytes);
        self.objects.insert(key, object);
        ResponseTemplate::new(200).insert_header("etag", etag).insert_header("x-goog-generation", "1")
    }

    fn begin(&mut self, request: &Request) -> ResponseTemplate {
        let id = format!("upload-{}", self.requests);
        self.uploads.insert(id.clone(), (object(request), BTreeMap::new()));
        let xml = format!(
            "<InitiateMultipartUploadResult><UploadId>{id}</UploadId></InitiateMultipartUploadResult>"
        );
        ResponseTemplate::new(200).set_body_string(xml)
    }

    fn part(&mut self, id: &str, query: &BTreeMap<String, String>, request: &Request) -> ResponseTemplate {
        let Some((_, parts)) = self.uploads.get_mut(id) else { return refusal(404, "NoSuchUpload") };
        parts.insert(query["partNumber"].parse().unwrap(), request.body.clone());
        ResponseTemplate::new(200).insert_header("etag", tag(&request.body))
    }

    fn finish(&mut self, key: String, id: &str) -> ResponseTemplate {
        let Some((mut object, parts)) = self.uploads.remove(id) else { return refusal(404, "NoSuchUpload") };
        object.bytes = parts.into_values().flatten().collect();
        let etag = tag(&object.bytes);
        self.objects.insert(key, object);
        let xml =
            format!("<CompleteMultipartUploadResult><ETag>{etag}</ETag></CompleteMultipartUploadResult>");
        ResponseTemplate::new(200).insert_header("x-goog-generation", "1").set_body_string(xml)
    }
}

async fn start() -> (MockServer, Gcs) {
    let (server, gcs) = (MockServer::start().await, Gcs::default());
    Mock::given(any()).respond_with(gcs.clone()).mount(&server).await;
    (server, gcs)
}

fn settings(server: &MockServer, token: &'static str) -> StoreSettings {
    let host = server.address().to_string();
    StoreSettings::new(&move |name| match name {
        "STORAGE_EMULATOR_HOST" => Some(host.clone()),
        "GOOGLE_BEARER_TOKEN" => Some(token.to_owned()),
        _ => None,
    })
}

fn run() -> RunKey {
    RunKey { repo: Some("o/r".to_owned()), run_id: "7".to_owned(), attempt: 1 }
}

fn source(bucket: &str, settings: StoreSettings) -> Store {
    Store::new(StoreUrl::parse(&format!("gs://{bucket}")).unwrap().unwrap(), settings, Layout::default())
}

#[tokio::test]
async fn a_bucket_is_read_page_by_page() {
    let (server, gcs) = start().await;
    for n in 10..22 {
        let object = Object { bytes: format!("{n}").into_bytes(), ..Object::default() };
        gcs.0.lock().unwrap().objects.insert(format!("o/r/7/1/artifact/a b_{n}.zip"), object.clone());
        gcs.0.lock().unwrap().objects.insert(format!("o/r/7/{n}/artifact/x.zip"), object);
    }
    let source = source(BUCKET, settings(&server, "the-token"));
    assert_eq!(source.attempts(&run()).await.unwrap(), [1, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21]);
    let listings = source.list(&run()).await.unwrap();
    assert_eq!(listings.len(), 12);
    for listing in listings {
        let Content::Bytes(body) = source.fetch(&listing, &|_| ()).await.unwrap() else { panic!("bytes") };
        let mut bytes = [0; 4];
        let got = body.read_at(0, &mut bytes).unwrap();
        assert_eq!(listing.name.as_bytes(), [b"a b_", &bytes[..got], b".zip"].concat());
    }
}

#[tokio::test]
async fn what_only_marks_a_folder_is_no_artifact() {
    let (server, gcs) = start().await;
    let objects = [
        ("", ""),
        ("a.zip", "zip"),
        ("both", ""),
        ("both/", ""),
        ("empty.zip", ""),
        ("folder/", ""),
        ("folder/deeper/", ""),
        ("folder/in.zip", ""),
        ("folder/sub/", ""),
        ("folder/sub/in.zip", "zip"),
        ("full", "zip"),
        ("full/", ""),
        ("test-", ""),
        ("test-/", ""),
    ];
    for (name, bytes) in objects {
        let object = Object { bytes: bytes.into(), ..Object::default() };
        gcs.0.lock().unwrap().objects.insert(format!("o/r/7/1/artifact/{name}"), object);
    }
    let names = async |layout: &str| -> Vec<_> {
        let url = StoreUrl::parse(&format!("gs://{BUCKET}")).unwrap().unwrap();
        let source = Store::new(url, settings(&server, "the-token"), Layout::parse(layout).unwrap());
        source.list(&run()).await.unwrap().into_iter().map(|l| (l.name, l.bytes.unwrap())).collect()
    };
    let expected = [
        ("a.zip", 3),
        ("both", 0),
        ("empty.zip", 0),
        ("folder/in.zip", 0),
        ("folder/sub/in.zip", 3),
        ("full", 3),
        ("test-", 0),
    ];
    let expected = expected.map(|(name, bytes)| (name.to_owned(), bytes));
    assert_eq!(names("{repo}/{run_id}/{attempt}/artifact/").await, expected);
    // a layout may end within a name
    assert_eq!(names("{repo}/{run_id}/{attempt}/artifact/em").await, [("pty.zip".to_owned(), 0)]);
    assert_eq!(names("{repo}/{run_id}/{attempt}/artifact/folder/d").await, []);
}

#[tokio::test]
async fn a_bucket_conforms_and_keeps_headers() {
    let (server, gcs) = start().await;
    let destination = output::open(&format!("gs://{BUCKET}/deep"), &settings(&server, "the-token")).unwrap();
    let kept = async || -> Kept {
        until("all uploads are given up", || gcs.0.lock().unwrap().uploads.is_empty()).await;
        let objects = gcs.0.lock().unwrap().objects.clone();
        objects.into_iter().map(|(key, o)| (key.strip_prefix("deep/").unwrap().to_owned(), o.bytes)).collect()
    };
    conforms(&*destination, kept).await;
    for (key, size) in [("small", 10), ("large", 17 << 20)] {
        let mut writer = destination.create(key, ObjectKind::GzipJson).await.unwrap();
        writer.write(vec![7; size].into()).await.unwrap();
        writer.commit().await.unwrap();
        let object = gcs.0.lock().unwrap().objects[&format!("deep/{key}")].clone();
        assert_eq!(
            (object.content_type.as_str(), object.content_encoding.as_str()),
            ("application/json", "gzip")
        );
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_bucket_is_said() {
    let (server, _gcs) = start().await;
    let error = source("gone", settings(&server, "the-token")).list(&run()).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::NotFound);
    let error = source(BUCKET, settings(&server, "another")).list(&run()).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::Unauthorized);
    let check = output::open("gs://gone", &settings(&server, "the-token")).unwrap().check().await;
    assert!(matches!(check, Err(OutputError::Refused { .. })), "{check:?}");
}
