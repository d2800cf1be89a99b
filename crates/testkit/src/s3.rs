//! A real S3 server in the test's own process, over HTTP, with its objects in a temporary folder.
//!
//! What it lacks beside Amazon's, and what is added here: it makes a missing bucket at the first write (here that is
//! `NoSuchBucket`), it does not look at `If-Match` on reading, and its listings have no tags. It looks whether an object
//! is there and then writes it, without a lock: here one conditional request waits for the other, as if each were one step.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::SimpleAuth;
use s3s::path::S3Path;
use s3s::service::S3ServiceBuilder;
use s3s::{S3Result, s3_error};
use s3s_fs::FileSystem;
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::background::{Background, listen};

/// The key that is let in.
pub const ACCESS_KEY: &str = "AKIATESTLAKE";
/// Its secret.
pub const SECRET_KEY: &str = "the-secret-of-the-testkit";

/// The server. It ends, and its objects go, when it is dropped.
#[derive(Debug)]
pub struct S3Server {
    address: SocketAddr,
    counts: Arc<Counts>,
    // Before the folder, so that nothing writes there any more when it goes.
    _background: Background,
    root: TempDir,
}

#[derive(Debug, Default)]
struct Counts {
    requests: AtomicU64,
    operations: Mutex<Vec<String>>,
}

/// Lets anyone read the buckets whose name starts with `public`, and the holder of the key do anything.
struct Access {
    root: PathBuf,
    counts: Arc<Counts>,
}

#[async_trait::async_trait]
impl S3Access for Access {
    async fn check(&self, cx: &mut S3AccessContext<'_>) -> S3Result<()> {
        let operation = cx.s3_op().name();
        self.counts.requests.fetch_add(1, Ordering::Relaxed);
        let mut operations = self.counts.operations.lock().unwrap_or_else(PoisonError::into_inner);
        operations.push(operation.to_owned());
        drop(operations);
        let (S3Path::Bucket { bucket } | S3Path::Object { bucket, .. }) = cx.s3_path() else { return Ok(()) };
        let reads = ["GetObject", "HeadObject", "ListObjectsV2"].contains(&operation);
        if cx.credentials().is_none() && !(reads && bucket.starts_with("public")) {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        if !self.root.join(&**bucket).is_dir() {
            return Err(s3_error!(NoSuchBucket, "The specified bucket does not exist"));
        }
        Ok(())
    }
}

impl S3Server {
    /// Starts a server with these buckets.
    pub fn start(buckets: &[&str]) -> Self {
        let root = tempfile::tempdir().unwrap_or_else(|error| panic!("no folder: {error}"));
        for bucket in buckets {
            fs::create_dir(root.path().join(bucket)).unwrap_or_else(|error| panic!("no bucket: {error}"));
        }
        let files = FileSystem::new(root.path()).unwrap_or_else(|error| panic!("no server: {error:?}"));
        let counts = Arc::new(Counts::default());
        let mut service = S3ServiceBuilder::new(files);
        service.set_auth(SimpleAuth::from_single(ACCESS_KEY, SECRET_KEY));
        service.set_access(Access { root: root.path().to_owned(), counts: counts.clone() });
        let service = service.build();
        let conditional = Arc::new(tokio::sync::Mutex::new(()));
        let (listener, address) = listen();
        let background = Background::spawn(move || async move {
            let listener =
                TcpListener::from_std(listener).unwrap_or_else(|error| panic!("no socket: {error}"));
            while let Ok((socket, _)) = listener.accept().await {
                let (service, conditional) = (service.clone(), conditional.clone());
                let service = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                    let (service, conditional) = (service.clone(), conditional.clone());
                    async move {
                        let is_conditional = ["if-none-match", "if-match"]
                            .iter()
                            .any(|name| request.headers().contains_key(*name));
                        let _one_at_a_time = match is_conditional {
                            true => Some(conditional.lock().await),
                            false => None,
                        };
                        Service::call(&service, request).await
                    }
                });
                tokio::spawn(async move {
                    // A client that hangs up is none of the server's errors.
                    drop(
                        Builder::new(TokioExecutor::new())
                            .serve_connection(TokioIo::new(socket), service)
                            .await,
                    );
                });
            }
        });
        Self { address, counts, _background: background, root }
    }

    /// Returns where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns its address as `AWS_ENDPOINT_URL` takes it.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the environment that leads here with the right key.
    pub fn environment(&self) -> impl Fn(&str) -> Option<String> + Clone + use<> {
        environment(self.endpoint())
    }

    /// Returns the folder that holds a bucket's objects as files, each at its key.
    pub fn bucket(&self, bucket: &str) -> PathBuf {
        self.root.path().join(bucket)
    }

    /// Puts an object there, past the server.
    pub fn put(&self, bucket: &str, key: &str, bytes: &[u8]) {
        let file = self.bucket(bucket).join(key);
        let put = || {
            fs::create_dir_all(file.parent().unwrap_or(Path::new("/")))?;
            fs::write(&file, bytes)
        };
        put().unwrap_or_else(|error| panic!("cannot put `{key}`: {error}"));
    }

    /// Returns all objects of a bucket by key, past the server.
    pub fn objects(&self, bucket: &str) -> Vec<(String, Vec<u8>)> {
        let root = self.bucket(bucket);
        let mut objects = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let path = entry.path();
                if path.is_dir() {
                    folders.push(path);
                } else if let (Ok(key), Ok(bytes)) = (path.strip_prefix(&root), fs::read(&path)) {
                    objects.push((key.display().to_string(), bytes));
                }
            }
        }
        objects.sort();
        objects
    }

    /// Returns how many uploads in parts were begun and neither finished nor given up.
    pub fn open_uploads(&self) -> usize {
        let entries = fs::read_dir(self.root.path()).into_iter().flatten().flatten();
        let is_upload = |name: &str| name.starts_with(".upload-") || name.starts_with(".upload_id-");
        entries.filter(|entry| entry.file_name().to_str().is_some_and(is_upload)).count()
    }

    /// Returns the names of the operations asked for so far (`ListObjectsV2`), in order.
    pub fn operations(&self) -> Vec<String> {
        self.counts.operations.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Returns the environment that leads to an S3 server with the key of the testkit.
pub fn environment(endpoint: String) -> impl Fn(&str) -> Option<String> + Clone {
    move |name| match name {
        "AWS_ENDPOINT_URL" => Some(endpoint.clone()),
        "AWS_ACCESS_KEY_ID" => Some(ACCESS_KEY.to_owned()),
        "AWS_SECRET_ACCESS_KEY" => Some(SECRET_KEY.to_owned()),
        "AWS_REGION" => Some("us-east-1".to_owned()),
        _ => None,
    }
}
