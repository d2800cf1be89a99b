//! Azure Blob Storage, before azurite.

use futures::TryStreamExt;
use object_store::azure::{AzureAccessKey, AzureAuthorizer, AzureCredential, MicrosoftAzureBuilder};
use object_store::client::{HttpRequest, HttpRequestBody};
use object_store::path::Path;
use object_store::{Attribute, ClientOptions, ObjectStore, ObjectStoreExt};
use testlake_collect::bucket::{StoreSettings, StoreUrl};
use testlake_collect::output::{self, ObjectKind, OutputError};
use testlake_collect::run::RunKey;
use testlake_collect::source::{Content, Layout, Source, SourceErrorKind, Store};
use testlake_testkit::azurite::{ACCOUNT, Azurite, KEY};

use crate::output::{Kept, conforms};

/// Makes a container, which is no business of testlake.
async fn make_container(azurite: &Azurite, name: &str) {
    put_nothing(azurite, &format!("{name}?restype=container"), &[]).await;
}

/// Makes what has no bytes.
async fn put_nothing(azurite: &Azurite, at: &str, headers: &[(&'static str, &'static str)]) {
    let mut request = HttpRequest::new(HttpRequestBody::empty());
    *request.method_mut() = reqwest::Method::PUT;
    *request.uri_mut() = format!("{}/{at}", azurite.endpoint()).parse().unwrap();
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    let credential = AzureCredential::AccessKey(AzureAccessKey::try_new(KEY).unwrap());
    AzureAuthorizer::new(&credential, ACCOUNT).try_authorize(&mut request).unwrap();
    let put = reqwest::Client::new().put(request.uri().to_string()).headers(request.headers().clone());
    let response = put.send().await.unwrap();
    assert!(response.status().is_success(), "{}", response.text().await.unwrap());
}

/// Returns a client past testlake.
fn client(azurite: &Azurite, container: &str) -> impl ObjectStore {
    MicrosoftAzureBuilder::new()
        .with_account(ACCOUNT)
        .with_access_key(KEY)
        .with_endpoint(azurite.endpoint().to_owned())
        .with_container_name(container)
        .with_client_options(ClientOptions::new().with_allow_http(true))
        .build()
        .unwrap()
}

fn run() -> RunKey {
    RunKey { repo: Some("o/r".to_owned()), run_id: "7".to_owned(), attempt: 1 }
}

fn source(url: &str, settings: StoreSettings) -> Store {
    Store::new(StoreUrl::parse(url).unwrap().unwrap(), settings, Layout::default())
}

#[tokio::test]
async fn a_container_is_read_and_written() {
    let azurite = Azurite::start();
    make_container(&azurite, "artifacts").await;
    make_container(&azurite, "out").await;
    let environment = azurite.environment();
    let settings = StoreSettings::new(&environment);

    let artifacts = client(&azurite, "artifacts");
    for (key, bytes) in [("1/artifact/a b.zip", "bytes"), ("1/artifact/b.xml", ""), ("3/artifact/c.zip", "x")]
    {
        artifacts.put(&Path::from(format!("o/r/7/{key}")), bytes.into()).await.unwrap();
    }
    // what only marks a folder is no artifact
    for marker in ["1/artifact/", "1/artifact/folder/"] {
        let at = format!("artifacts/o/r/7/{marker}");
        put_nothing(&azurite, &at, &[("x-ms-blob-type", "BlockBlob"), ("content-length", "0")]).await;
    }
    let azure = source("az://artifacts", settings.clone());
    assert_eq!(azure.attempts(&run()).await.unwrap(), [1, 3]);
    let mut listings = azure.list(&run()).await.unwrap();
    listings.sort_by(|a, b| a.name.cmp(&b.name));
    let named: Vec<_> = listings.iter().map(|l| (l.name.as_str(), l.bytes)).collect();
    assert_eq!(named, [("a b.zip", Some(5)), ("b.xml", Some(0))]);
    let Content::Bytes(body) = azure.fetch(&listings[0], &|_| ()).await.unwrap() else { panic!("bytes") };
    let mut bytes = [0; 8];
    assert_eq!(body.read_at(0, &mut bytes).unwrap(), 5);
    assert_eq!(&bytes[..5], b"bytes");

    let out = client(&azurite, "out");
    let destination = output::open("az://out/deep", &settings).unwrap();
    conforms(&*destination, async || -> Kept {
        let mut kept = Vec::new();
        for meta in out.list(None).try_collect::<Vec<_>>().await.unwrap() {
            let bytes = out.get(&meta.location).await.unwrap().bytes().await.unwrap();
            kept.push((meta.location.as_ref().strip_prefix("deep/").unwrap().to_owned(), bytes.to_vec()));
        }
        kept
    })
    .await;

    for (key, size) in [("small", 10), ("large", 17 << 20)] {
        let mut writer = destination.create(key, ObjectKind::GzipJson).await.unwrap();
        writer.write(vec![7; size].into()).await.unwrap();
        writer.commit().await.unwrap();
        let got = out.get(&Path::from(format!("deep/{key}"))).await.unwrap();
        assert_eq!(got.attributes.get(&Attribute::ContentEncoding), Some(&"gzip".into()));
        assert_eq!(got.attributes.get(&Attribute::ContentType), Some(&"application/json".into()));
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_container_is_said() {
    let azurite = Azurite::start();
    make_container(&azurite, "out").await;
    let right = azurite.environment();
    let error = source("az://gone", StoreSettings::new(&right)).list(&run()).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::NotFound);
    assert!(error.to_string().contains("there is no bucket `gone`"), "{error}");
    let check = output::open("az://gone", &StoreSettings::new(&right)).unwrap().check().await;
    assert!(matches!(check, Err(OutputError::Refused { .. })), "{check:?}");

    let wrong =
        |name: &str| if name == "AZURE_STORAGE_KEY" { Some("d3Jvbmc=".to_owned()) } else { right(name) };
    let error = source("az://out", StoreSettings::new(&wrong)).list(&run()).await.unwrap_err();
    // Azure itself answers `AuthenticationFailed`, which is told as no credentials; azurite another code.
    assert_eq!(error.kind(), SourceErrorKind::Forbidden);

    let nameless = |name: &str| if name == "AZURE_STORAGE_ACCOUNT" { None } else { right(name) };
    let error = source("az://out", StoreSettings::new(&nameless)).list(&run()).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::BadSetting);
    assert!(error.to_string().contains("set AZURE_STORAGE_ACCOUNT"), "{error}");
}
