//! Where a lake is: a folder, or a prefix in an object store.

use std::fmt;
use std::path::{Path as FilePath, PathBuf};
use std::sync::Arc;

use deltalake_core::logstore::{LogStoreRef, StorageConfig, default_logstore};
use object_store_lake::local::LocalFileSystem;
use object_store_lake::path::Path;
use object_store_lake::prefix::PrefixStore;
use object_store_lake::{DynObjectStore, ObjectStore};
use testlake_collect::bucket::{StoreSettings, StoreUrl};
use url::Url;

use crate::error::LakeError;
use crate::schema::TableKind;

/// The address of a lake, resolved.
#[derive(Clone)]
pub struct Place {
    /// As it was given; without secrets.
    name: String,
    /// The address of the lake, with `/` at the end.
    url: Url,
    /// What stands before the keys of the lake's objects in the store.
    prefix: Path,
    /// The whole store.
    store: Arc<DynObjectStore>,
    folder: Option<PathBuf>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl Place {
    /// Resolves an address: a folder, `file://`, or a store's (`s3://bucket/prefix`, `gs://`, `az://`), which is
    /// reached with `settings`.
    ///
    /// # Errors
    /// Where it is no such address. Nothing is connected yet.
    pub fn resolve(lake: &str, settings: &StoreSettings) -> Result<Self, LakeError> {
        let bad = |why: String| LakeError::BadAddress { lake: lake.to_owned(), why };
        match StoreUrl::parse(lake) {
            Some(Ok(url)) => Self::bucket(&url, settings),
            // The text is not repeated: it may hold a secret.
            Some(Err(error)) => {
                let scheme = lake.split("://").next().unwrap_or_default();
                Err(LakeError::BadAddress { lake: format!("{scheme}://…"), why: error.to_string() })
            }
            None if lake.starts_with("file:") => {
                let url = Url::parse(lake).map_err(|error| bad(error.to_string()))?;
                let folder =
                    url.to_file_path().map_err(|()| bad("it names no folder of this machine".to_owned()))?;
                Self::folder(&folder, lake)
            }
            None if lake.contains("://") => {
                Err(bad("a lake is in a folder, or at `s3://`, `gs://` or `az://`".to_owned()))
            }
            None if lake.is_empty() => Err(bad("it is empty".to_owned())),
            None => Self::folder(FilePath::new(lake), lake),
        }
    }

    fn folder(folder: &FilePath, name: &str) -> Result<Self, LakeError> {
        let bad = |why: String| LakeError::BadAddress { lake: name.to_owned(), why };
        let folder = std::path::absolute(folder).map_err(|error| bad(error.to_string()))?;
        if folder.is_file() {
            return Err(bad("it is a file, not a folder".to_owned()));
        }
        let url =
            Url::from_directory_path(&folder).map_err(|()| bad("it is no path of a folder".to_owned()))?;
        let prefix = Path::from_absolute_path(&folder).map_err(|error| bad(error.to_string()))?;
        let store = Arc::new(LocalFileSystem::new());
        Ok(Self { name: name.to_owned(), url, prefix, store, folder: Some(folder) })
    }

    #[cfg(feature = "cloud")]
    fn bucket(url: &StoreUrl, settings: &StoreSettings) -> Result<Self, LakeError> {
        let name = url.to_string();
        let bad = |why: String| LakeError::BadAddress { lake: url.to_string(), why };
        let address = Url::parse(&format!("{name}/")).map_err(|error| bad(error.to_string()))?;
        let prefix = Path::parse(&url.prefix).map_err(|error| bad(error.to_string()))?;
        let store = Arc::new(crate::bucket::BucketStore::new(url.clone(), settings.clone()));
        Ok(Self { name, url: address, prefix, store, folder: None })
    }

    #[cfg(not(feature = "cloud"))]
    fn bucket(url: &StoreUrl, _: &StoreSettings) -> Result<Self, LakeError> {
        Err(LakeError::BadAddress {
            lake: url.to_string(),
            why: "this program was built without the feature `cloud`".to_owned(),
        })
    }

    /// Returns the folder that it is, where it is one.
    pub fn as_folder(&self) -> Option<&FilePath> {
        self.folder.as_deref()
    }

    /// Returns the address of a table's object, as other programs take it.
    pub(crate) fn object(&self, kind: TableKind, path: &str) -> String {
        match &self.folder {
            Some(folder) => folder.join(kind.name()).join(path).display().to_string(),
            None => format!("{}{}/{path}", self.url, kind.name()),
        }
    }

    /// Returns the store with the table as its root.
    pub(crate) fn table_store(&self, kind: TableKind) -> Arc<dyn ObjectStore> {
        let prefix = self.prefix.clone().join(kind.name());
        Arc::new(PrefixStore::new(Arc::clone(&self.store), prefix))
    }

    /// Returns the log of a table.
    pub(crate) fn log_store(&self, kind: TableKind) -> Result<LogStoreRef, LakeError> {
        let url = self.url.join(&format!("{}/", kind.name()));
        let url = url.map_err(|error| LakeError::internal("naming a table")(error.into()))?;
        let root: Arc<DynObjectStore> = Arc::clone(&self.store);
        Ok(default_logstore(self.table_store(kind), root, &url, &StorageConfig::default()))
    }
}
