//! Files of the user's: any mix of folders, globs, archives and single reports.
//!
//! An archive is an artifact of its own, named after its file. Of loose reports, the first folder below the path
//! given stands for the artifact; reports that lie directly in the path given, or are given by themselves, belong
//! to one that is named after their folder. For a glob, the part before its first wildcard is the path given.
//! Where two places would give one name, as much of the path as tells them apart goes before it.

use std::path::PathBuf;

use async_trait::async_trait;
use tokio::sync::OnceCell;
use tokio::task::spawn_blocking;

use crate::run::{RunFacts, RunKey};

use super::folder::{open, read_error};
use super::{Content, JobNames, Listing, ListingState, Source, SourceError, SourceErrorKind};

mod fingerprint;
mod inventory;
mod pattern;

use inventory::{Bytes, Inventory, Taken};

/// Paths and globs as the user gave them. What lies there is found at the first call, once.
#[derive(Debug)]
pub struct Paths {
    name: String,
    given: Given,
    taken: Taken,
    inventory: OnceCell<Inventory>,
}

/// What the user gave.
#[derive(Debug, Clone)]
enum Given {
    Words(Vec<String>),
    CircleCi(PathBuf),
}

impl Paths {
    /// Makes the source of paths and globs. Nothing is read yet. A word that is a path on the disk is one, whatever
    /// wildcards are in it.
    pub fn new(words: Vec<String>) -> Self {
        let name = match words.as_slice() {
            // A shell that expands wildcards gives thousands.
            [first, second, rest @ ..] if rest.len() > 1 => {
                format!("{first}, {second} and {} more", rest.len())
            }
            _ => words.join(", "),
        };
        Self { name, given: Given::Words(words), taken: Taken::Named, inventory: OnceCell::new() }
    }

    /// Also takes texts below folders (`.txt`, `.log`, `.out`, `.output`), of which the content says whether they hold a report:
    /// for who asks for typed results.
    #[must_use]
    pub fn with_texts(mut self) -> Self {
        self.taken = Taken::Texts;
        self
    }

    /// Makes the source of a CircleCI job's working folder: `**/test/test-reports/**/*.xml` below it.
    ///
    /// All reports are one artifact, `test-reports`: a name without a job's id, as there is none in the path.
    pub fn circleci(working_folder: impl Into<PathBuf>) -> Self {
        let folder = working_folder.into();
        let name = folder.display().to_string();
        Self { name, given: Given::CircleCi(folder), taken: Taken::Named, inventory: OnceCell::new() }
    }

    async fn inventory(&self) -> Result<&Inventory, SourceError> {
        let (given, taken) = (self.given.clone(), self.taken);
        let find = || {
            blocking(move || match given {
                Given::Words(words) => Inventory::find(&words, taken),
                Given::CircleCi(folder) => Inventory::find_circleci(&folder),
            })
        };
        self.inventory.get_or_try_init(find).await
    }
}

/// Runs what waits for a disk where it holds up nothing else.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    let stopped =
        |e| SourceError::new(SourceErrorKind::Unavailable, "reading of files was stopped").because(e);
    spawn_blocking(work).await.map_err(stopped)?
}

#[async_trait]
impl Source for Paths {
    fn name(&self) -> &str {
        &self.name
    }

    fn is_local(&self) -> bool {
        true
    }

    async fn attempts(&self, _run: &RunKey) -> Result<Vec<u32>, SourceError> {
        Ok(Vec::new())
    }

    async fn list(&self, _run: &RunKey) -> Result<Vec<Listing>, SourceError> {
        let artifacts = self.inventory().await?.artifacts.iter().enumerate();
        let listing = |(index, artifact): (usize, &inventory::Artifact)| Listing {
            name: artifact.name.clone(),
            bytes: artifact.size_bytes(),
            state: ListingState::Available,
            locator: index.to_string(),
        };
        Ok(artifacts.map(listing).collect())
    }

    async fn fetch(
        &self,
        listing: &Listing,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Content, SourceError> {
        let inventory = self.inventory().await?;
        let artifact = listing.locator.parse().ok().and_then(|index: usize| inventory.artifacts.get(index));
        let Some(artifact) = artifact else {
            let what = format!("no artifact `{}` was listed", listing.name);
            return Err(SourceError::new(SourceErrorKind::NotFound, what));
        };
        let content = match &artifact.bytes {
            Bytes::Whole { file, .. } => Content::Bytes(open(file)?),
            Bytes::Loose(files) => Content::Files(files.clone()),
            Bytes::Unreadable { folder, error } => return Err(read_error(folder, error.clone())),
        };
        progress(artifact.size_bytes().unwrap_or(0));
        Ok(content)
    }

    async fn jobs(&self, _run: &RunKey) -> Result<Option<JobNames>, SourceError> {
        Ok(None)
    }

    async fn facts(&self, _run: &RunKey) -> Result<RunFacts, SourceError> {
        Ok(RunFacts::default())
    }

    /// The same input in another folder has the same. A file that cannot be read is left to [`Source::fetch`] to
    /// tell.
    async fn fingerprint(&self) -> Result<Option<String>, SourceError> {
        let inventory = self.inventory().await?.clone();
        blocking(move || Ok(Some(fingerprint::of(&inventory)))).await
    }
}

#[cfg(test)]
mod tests;
