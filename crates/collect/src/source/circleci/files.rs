//! The XML files of a job as one artifact.

use std::collections::BTreeMap;
use std::io;

use futures::stream::{self, StreamExt};
use serde::{Deserialize, Serialize};
use url::Url;

use super::AT_ONCE;
use super::answer::Artifact;
use crate::source::http::{Http, MEMORY_BYTES};
use crate::source::{Content, Listing, ListingState, SourceError, SourceErrorKind, SpooledFile};
use crate::spool::Spool;

/// The bytes of one file under way that are kept in memory, of which [`AT_ONCE`] are.
const FILE_MEMORY_BYTES: usize = MEMORY_BYTES / AT_ONCE;

/// Where a file lies; a listing's locator is a list of them as JSON.
#[derive(Debug, Serialize, Deserialize)]
struct File {
    path: String,
    url: String,
}

/// Returns the artifacts that a job's files make: one, or one for each node that stored XML.
pub(super) fn listings(number: u64, job: &str, files: Vec<Artifact>) -> Result<Vec<Listing>, SourceError> {
    let parallel = files.iter().any(|file| file.node_index > 0);
    let mut nodes: BTreeMap<u64, Vec<File>> = BTreeMap::new();
    for Artifact { path, node_index, url } in files.into_iter().filter(|file| is_xml(&file.path)) {
        nodes.entry(node_index).or_default().push(File { path, url });
    }
    let job = job.replace(['/', '\\'], "-");
    let listing = |(node, files): (u64, Vec<File>)| {
        let node = if parallel { format!("-node{node}") } else { String::new() };
        let locator = serde_json::to_string(&files).map_err(unreadable)?;
        let name = format!("test-reports-{job}{node}_{number}");
        Ok(Listing { name, bytes: None, state: ListingState::Available, locator })
    };
    nodes.into_iter().map(listing).collect()
}

fn is_xml(path: &str) -> bool {
    path.len()
        .checked_sub(4)
        .and_then(|at| path.get(at..))
        .is_some_and(|end| end.eq_ignore_ascii_case(".xml"))
}

/// Downloads the files of an artifact into one body.
pub(super) async fn fetch(
    http: &Http,
    listing: &Listing,
    progress: &(dyn Fn(u64) + Send + Sync),
) -> Result<Content, SourceError> {
    let files: Vec<File> = serde_json::from_str(&listing.locator).map_err(unreadable)?;
    let downloads: Vec<_> = files.iter().map(|file| download(http, file, progress)).collect();
    let mut bodies = stream::iter(downloads).buffered(AT_ONCE);
    let mut spool = Spool::new(MEMORY_BYTES);
    let mut spooled = Vec::with_capacity(files.len());
    let most_bytes = http.settings().artifact_bytes;
    for file in &files {
        let Some(body) = bodies.next().await.transpose()? else { break };
        let start = spool.len();
        if start.saturating_add(body.len()) > most_bytes {
            let what = format!(
                "the files of `{}` are larger than the limit of {most_bytes} bytes for an artifact",
                listing.name
            );
            return Err(SourceError::new(SourceErrorKind::TooLarge, what));
        }
        io::copy(&mut body.reader(0, body.len()), &mut spool).map_err(disk)?;
        spooled.push(SpooledFile { path: file.path.clone(), start, end: spool.len() });
    }
    drop(bodies);
    Ok(Content::Spooled(spool.finish().map_err(disk)?, spooled))
}

async fn download(
    http: &Http,
    file: &File,
    progress: &(dyn Fn(u64) + Send + Sync),
) -> Result<crate::spool::Body, SourceError> {
    let url = Url::parse(&file.url).map_err(|error| {
        let what = format!("the `url` of `{}` is no address ({error})", file.path);
        SourceError::new(SourceErrorKind::BadAnswer, what)
    })?;
    http.download(&url, FILE_MEMORY_BYTES, progress).await
}

fn unreadable(error: serde_json::Error) -> SourceError {
    SourceError::new(SourceErrorKind::BadSetting, "the artifact was listed by another source").because(error)
}

fn disk(error: io::Error) -> SourceError {
    let what = "the temporary file for a download cannot be written";
    SourceError::new(SourceErrorKind::Unavailable, what).because(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(path: &str, node_index: u64) -> Artifact {
        Artifact { path: path.to_owned(), node_index, url: format!("https://h/{node_index}/{path}") }
    }

    fn names(files: Vec<Artifact>) -> Vec<String> {
        listings(7, "node/test", files).unwrap().into_iter().map(|listing| listing.name).collect()
    }

    #[test]
    fn a_job_with_xml_is_one_artifact() {
        let files = vec![stored("a/b.xml", 0), stored("log.txt", 0), stored("C.XML", 0)];
        let listings = listings(7, "test", files).unwrap();
        assert_eq!(listings.len(), 1);
        assert_eq!(listings[0].name, "test-reports-test_7");
        let files: Vec<File> = serde_json::from_str(&listings[0].locator).unwrap();
        assert_eq!(files.iter().map(|file| file.path.as_str()).collect::<Vec<_>>(), ["a/b.xml", "C.XML"]);
    }

    #[test]
    fn each_node_of_a_parallel_job_is_one() {
        let files = vec![stored("junit.xml", 1), stored("junit.xml", 0), stored("log.txt", 2)];
        assert_eq!(names(files), ["test-reports-node-test-node0_7", "test-reports-node-test-node1_7"]);
        // The same name as if every node had stored some: it does not hang on what the others left.
        assert_eq!(names(vec![stored("junit.xml", 1)]), ["test-reports-node-test-node1_7"]);
    }

    #[test]
    fn a_job_without_xml_is_none() {
        assert_eq!(
            names(vec![stored("xml", 0), stored(".xml.gz", 0), stored("äxml", 0)]),
            Vec::<String>::new()
        );
    }
}
