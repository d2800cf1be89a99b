//! A store of the collector's, as Delta and DataFusion take one.
//!
//! They are built on an earlier version of the crate `object_store`. With this there is one way to find credentials, one
//! HTTP client and one set of settings, whatever is kept where.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path as NewPath;
use object_store_lake::path::Path;
use object_store_lake::{
    Attributes, CopyMode, CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result, UploadPart,
};
use testlake_collect::bucket::{SharedStore, StoreSettings, StoreUrl};
use testlake_collect::source::{SourceError, SourceErrorKind};

/// A bucket.
#[derive(Debug, Clone)]
pub(crate) struct BucketStore(Arc<SharedStore>);

impl BucketStore {
    /// Makes it. Nothing is connected yet.
    pub(crate) fn new(url: StoreUrl, settings: StoreSettings) -> Self {
        Self(Arc::new(SharedStore::new(url, settings)))
    }

    async fn client(&self) -> Result<Arc<dyn object_store::ObjectStore>> {
        self.0.client().await.map_err(|error| failed("", error))
    }

    fn error(&self, error: &object_store::Error) -> Error {
        use object_store::Error as New;
        let source = Box::new(self.0.explain(error));
        let of = |path: &String| path.clone();
        match error {
            New::NotFound { path, .. } => Error::NotFound { path: of(path), source },
            New::AlreadyExists { path, .. } => Error::AlreadyExists { path: of(path), source },
            New::Precondition { path, .. } => Error::Precondition { path: of(path), source },
            New::NotModified { path, .. } => Error::NotModified { path: of(path), source },
            New::PermissionDenied { path, .. } => Error::PermissionDenied { path: of(path), source },
            New::Unauthenticated { path, .. } => Error::Unauthenticated { path: of(path), source },
            New::NotSupported { .. } => Error::NotSupported { source },
            _ => failed("", *source),
        }
    }
}

/// Makes an error of one that is told in the collector's words.
fn failed(path: &str, error: SourceError) -> Error {
    let path = path.to_owned();
    match error.kind() {
        SourceErrorKind::Unauthorized => Error::Unauthenticated { path, source: error.into() },
        SourceErrorKind::Forbidden => Error::PermissionDenied { path, source: error.into() },
        SourceErrorKind::BadSetting => Error::NotSupported { source: error.into() },
        SourceErrorKind::Unavailable => Error::Generic { store: "bucket", source: error.into() },
        // The bucket; an object is told by the client's own error.
        SourceErrorKind::NotFound => Error::NotSupported { source: error.into() },
        _ => Error::NotImplemented { operation: error.to_string(), implementer: path },
    }
}

impl fmt::Display for BucketStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.url())
    }
}

fn to_new(path: &Path) -> Result<NewPath> {
    NewPath::parse(path.as_ref()).map_err(|error| Error::Generic { store: "bucket", source: error.into() })
}

fn to_old(path: &NewPath) -> Result<Path> {
    Ok(Path::parse(path.as_ref())?)
}

fn old_meta(meta: &object_store::ObjectMeta) -> Result<ObjectMeta> {
    Ok(ObjectMeta {
        location: to_old(&meta.location)?,
        last_modified: meta.last_modified,
        size: meta.size,
        e_tag: meta.e_tag.clone(),
        version: meta.version.clone(),
    })
}

fn new_payload(payload: PutPayload) -> object_store::PutPayload {
    payload.into_iter().collect()
}

fn old_put(result: object_store::PutResult) -> PutResult {
    PutResult { e_tag: result.e_tag, version: result.version }
}

#[async_trait]
impl ObjectStore for BucketStore {
    async fn put_opts(&self, location: &Path, payload: PutPayload, opts: PutOptions) -> Result<PutResult> {
        let mode = match opts.mode {
            PutMode::Overwrite => object_store::PutMode::Overwrite,
            PutMode::Create => object_store::PutMode::Create,
            PutMode::Update(version) => object_store::PutMode::Update(object_store::UpdateVersion {
                e_tag: version.e_tag,
                version: version.version,
            }),
        };
        let path = to_new(location)?;
        let put = self.client().await?;
        let put = put.put_opts(&path, new_payload(payload), mode.into()).await;
        put.map(old_put).map_err(|error| self.error(&error))
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        _: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        let path = to_new(location)?;
        let client = self.client().await?;
        let options = object_store::PutMultipartOptions::default();
        let upload = client.put_multipart_opts(&path, options).await;
        let upload = upload.map_err(|error| self.error(&error))?;
        Ok(Box::new(Upload { store: self.clone(), upload }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let path = to_new(location)?;
        let options = object_store::GetOptions {
            if_match: options.if_match,
            if_none_match: options.if_none_match,
            if_modified_since: options.if_modified_since,
            if_unmodified_since: options.if_unmodified_since,
            range: options.range.map(|range| match range {
                GetRange::Bounded(range) => object_store::GetRange::Bounded(range),
                GetRange::Offset(offset) => object_store::GetRange::Offset(offset),
                GetRange::Suffix(length) => object_store::GetRange::Suffix(length),
            }),
            version: options.version,
            head: options.head,
            ..object_store::GetOptions::default()
        };
        let got = self.client().await?.get_opts(&path, options).await;
        let got = got.map_err(|error| self.error(&error))?;
        let (meta, range) = (old_meta(&got.meta)?, got.range.clone());
        let store = self.clone();
        let bytes = got.into_stream().map_err(move |error| store.error(&error)).boxed();
        Ok(GetResult { payload: GetResultPayload::Stream(bytes), meta, range, attributes: Attributes::new() })
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let store = self.clone();
        let delete = move |location: Result<Path>| {
            let store = store.clone();
            async move {
                let location = location?;
                let path = to_new(&location)?;
                let deleted = object_store::ObjectStoreExt::delete(&store.client().await?, &path).await;
                deleted.map_err(|error| store.error(&error))?;
                Ok(location)
            }
        };
        locations.map(delete).buffered(8).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listed(prefix.cloned(), None)
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, Result<ObjectMeta>> {
        self.listed(prefix.cloned(), Some(offset.clone()))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        let prefix = prefix.map(to_new).transpose()?;
        let listed = self.client().await?.list_with_delimiter(prefix.as_ref()).await;
        let listed = listed.map_err(|error| self.error(&error))?;
        Ok(ListResult {
            common_prefixes: listed.common_prefixes.iter().map(to_old).collect::<Result<_>>()?,
            objects: listed.objects.iter().map(old_meta).collect::<Result<_>>()?,
        })
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        let mode = match options.mode {
            CopyMode::Overwrite => object_store::CopyMode::Overwrite,
            CopyMode::Create => object_store::CopyMode::Create,
        };
        let options = object_store::CopyOptions::new().with_mode(mode);
        let (from, to) = (to_new(from)?, to_new(to)?);
        let copied = self.client().await?.copy_opts(&from, &to, options).await;
        copied.map_err(|error| self.error(&error))
    }
}

impl BucketStore {
    fn listed(&self, prefix: Option<Path>, offset: Option<Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let store = self.clone();
        let listed = async move {
            let prefix = prefix.as_ref().map(to_new).transpose()?;
            let offset = offset.as_ref().map(to_new).transpose()?;
            let client = store.client().await?;
            let listed = match &offset {
                Some(offset) => client.list_with_offset(prefix.as_ref(), offset),
                None => client.list(prefix.as_ref()),
            };
            Ok::<_, Error>(listed.map(move |meta| match meta {
                Ok(meta) => old_meta(&meta),
                Err(error) => Err(store.error(&error)),
            }))
        };
        stream::once(listed).try_flatten().boxed()
    }
}

/// An upload in parts.
#[derive(Debug)]
struct Upload {
    store: BucketStore,
    upload: Box<dyn object_store::MultipartUpload>,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let store = self.store.clone();
        let part = self.upload.put_part(new_payload(data));
        Box::pin(async move { part.await.map_err(|error| store.error(&error)) })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.upload.complete().await.map(old_put).map_err(|error| self.store.error(&error))
    }

    async fn abort(&mut self) -> Result<()> {
        self.upload.abort().await.map_err(|error| self.store.error(&error))
    }
}
