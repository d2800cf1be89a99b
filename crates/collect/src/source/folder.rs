//! A bucket's layout on a local disk: `file:///data/run`.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;

use crate::run::{RunFacts, RunKey};
use crate::spool::Body;

use super::walk::{Wanted, name_text, walk};
use super::{Content, JobNames, Layout, Listing, ListingState, Source, SourceError, SourceErrorKind};

/// A folder that is laid out as a bucket is.
#[derive(Debug)]
pub struct Folder {
    name: String,
    root: PathBuf,
    layout: Layout,
}

impl Folder {
    /// Makes the source. Nothing is read yet.
    pub fn new(root: impl Into<PathBuf>, layout: Layout) -> Self {
        let root = root.into();
        Self { name: format!("file://{}", root.display()), root, layout }
    }

    fn check_root(&self) -> Result<(), SourceError> {
        let place = self.root.display();
        match std::fs::metadata(&self.root) {
            Ok(metadata) if metadata.is_dir() => Ok(()),
            Ok(_) => Err(SourceError::new(SourceErrorKind::BadSetting, format!("`{place}` is not a folder"))),
            Err(error) => Err(read_error(&self.root, error)),
        }
    }

    fn list_now(&self, prefix: &str) -> Result<Vec<Listing>, SourceError> {
        self.check_root()?;
        // A template may end in the middle of a name (`.../artifact/test-`).
        let (folder, start) = prefix.split_at(prefix.rfind('/').map_or(0, |slash| slash + 1));
        let root = self.root.join(folder);
        let out = walk(&root, &StartsWith(start));
        let mut listings: Vec<_> = out
            .files
            .into_iter()
            .filter_map(|found| {
                Some(Listing {
                    name: found.path.strip_prefix(start)?.to_owned(),
                    bytes: Some(found.size_bytes),
                    state: ListingState::Available,
                    locator: format!("{folder}{}", found.path),
                })
            })
            .collect();
        for unreadable in out.unreadable {
            if unreadable.path.is_empty() {
                // No folder is a run without artifacts, as it is in a bucket.
                if unreadable.error.kind() == io::ErrorKind::NotFound {
                    return Ok(Vec::new());
                }
                return Err(read_error(&root, unreadable.error));
            }
            tracing::warn!(path = unreadable.path, error = %unreadable.error, "folder cannot be read");
            listings.push(Listing {
                name: unreadable.path.strip_prefix(start).unwrap_or(&unreadable.path).to_owned(),
                bytes: None,
                state: ListingState::Available,
                // Fetching it tells why it cannot be read.
                locator: format!("{folder}{}", unreadable.path),
            });
        }
        Ok(listings)
    }

    fn attempts_now(&self, run: &RunKey) -> Result<Vec<u32>, SourceError> {
        self.check_root()?;
        let Some(folders) = self.layout.attempt_folders(run)? else { return Ok(Vec::new()) };
        let parent = self.root.join(&folders.parent);
        let entries = match std::fs::read_dir(&parent) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(read_error(&parent, error)),
        };
        let mut attempts = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|e| read_error(&parent, e))?;
            if let Some(number) = folders.number(&name_text(&entry.file_name()))
                && entry.path().is_dir()
            {
                attempts.push(number);
            }
        }
        attempts.sort_unstable();
        Ok(attempts)
    }
}

struct StartsWith<'a>(&'a str);

impl Wanted for StartsWith<'_> {
    fn enters(&self, folder: &str) -> bool {
        // Deeper folders begin as the first one does.
        folder.starts_with(self.0)
    }
    fn takes(&self, file: &str) -> bool {
        file.len() > self.0.len() && file.starts_with(self.0)
    }
}

#[async_trait]
impl Source for Folder {
    fn name(&self) -> &str {
        &self.name
    }

    fn is_store(&self) -> bool {
        true
    }

    fn is_local(&self) -> bool {
        true
    }

    async fn attempts(&self, run: &RunKey) -> Result<Vec<u32>, SourceError> {
        self.attempts_now(run)
    }

    async fn list(&self, run: &RunKey) -> Result<Vec<Listing>, SourceError> {
        self.list_now(&self.layout.prefix(run)?)
    }

    async fn fetch(
        &self,
        listing: &Listing,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Content, SourceError> {
        let body = open(&self.root.join(&listing.locator))?;
        progress(body.len());
        Ok(Content::Bytes(body))
    }

    async fn jobs(&self, _run: &RunKey) -> Result<Option<JobNames>, SourceError> {
        Ok(None)
    }

    async fn facts(&self, _run: &RunKey) -> Result<RunFacts, SourceError> {
        Ok(RunFacts::default())
    }
}

/// Opens a file; a folder is an error that says why it was not listed.
pub(super) fn open(path: &Path) -> Result<Body, SourceError> {
    let metadata = std::fs::metadata(path).map_err(|e| read_error(path, e))?;
    if metadata.is_file() {
        return Body::open(path).map_err(|e| read_error(path, e));
    }
    match std::fs::read_dir(path) {
        Err(error) => Err(read_error(path, error)),
        Ok(_) => Err(read_error(path, io::Error::from(io::ErrorKind::IsADirectory))),
    }
}

/// Says that a file or folder cannot be read.
pub(super) fn read_error(path: &Path, error: impl Into<Arc<io::Error>>) -> SourceError {
    let error = error.into();
    let kind = match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => SourceErrorKind::NotFound,
        io::ErrorKind::PermissionDenied => SourceErrorKind::Forbidden,
        io::ErrorKind::IsADirectory => SourceErrorKind::BadSetting,
        _ => SourceErrorKind::Unavailable,
    };
    SourceError::new(kind, format!("cannot read `{}`", path.display())).because(error)
}
