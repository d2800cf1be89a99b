//! Where a lake is: a folder, or a prefix in an object store.

use std::fmt;
use std::io;
use std::path::{Component, Path as FilePath, PathBuf};
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
        let folder = resolved(folder).map_err(|error| bad(error.to_string()))?;
        // Delta's reader decodes each twice, and looks elsewhere.
        if let Some(escape) = escape_in(&folder.display().to_string()) {
            return Err(bad(format!(
                "the path of a lake must not have `{escape}` or the like, which stands for another character in an address; \
                 take another folder"
            )));
        }
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

/// Finds what an address would take for an encoded character: `%` and two hexadecimal digits.
fn escape_in(path: &str) -> Option<&str> {
    let at = |(at, _)| path.get(at..at + 3);
    let is_digit = |byte: &u8| byte.is_ascii_hexdigit();
    path.match_indices('%').filter_map(at).find(|escape| escape.as_bytes().iter().skip(1).all(is_digit))
}

/// Makes the path of a folder absolute, as the system would go it: `..` leads out of what a link leads to. It need not be
/// there.
fn resolved(folder: &FilePath) -> io::Result<PathBuf> {
    let mut resolved = PathBuf::new();
    for component in std::path::absolute(folder)?.components() {
        if component == Component::ParentDir {
            resolved = resolved.canonicalize().unwrap_or(resolved);
            resolved.pop();
        } else {
            resolved.push(component);
        }
    }
    Ok(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_whose_name_reads_as_encoded_is_refused() {
        let resolved = |path: &str| Place::resolve(path, &StoreSettings::new(&|_| None));
        for path in ["/a/feature%2Fb/lake", "/a/%C3%A4"] {
            let error = resolved(path).unwrap_err().to_string();
            assert!(error.contains("must not have `%"), "{error}");
        }
        assert!(["/a/100%", "/a/50%ä", "/a/%2", "/a/ä b#?"].iter().all(|path| resolved(path).is_ok()));
    }

    #[test]
    fn a_folder_may_be_named_by_way_of_its_parents() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let folder = |path: &str| {
            let place =
                Place::resolve(&root.join(path).display().to_string(), &StoreSettings::new(&|_| None));
            place.unwrap().as_folder().unwrap().to_owned()
        };
        std::fs::create_dir_all(root.join("a/b")).unwrap();
        assert_eq!(folder("a/b/../lake/./"), root.join("a/lake"));
        assert_eq!(folder("a/none/../../lake"), root.join("lake"));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(root.join("a/b"), root.join("link")).unwrap();
            assert_eq!(folder("link/../lake"), root.join("a/lake"));
        }
    }
}
