//! The pipeline from plan to ledger: files in, files out.

mod broken;
mod interrupted;
mod ledger;
mod made_runs;
mod quirks;
mod read_again;
mod said;
mod same_bytes;
mod typed;

use std::collections::BTreeMap;
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;
use testlake_collect::ledger::Ledger;
use testlake_collect::limits::{ArchiveLimits, ReportLimits};
use testlake_collect::output;
use testlake_collect::pipeline;
use testlake_collect::plan::{
    Cancel, CollectError, CollectPlan, Collected, Full, Observer, Profile, RunRequest, Unobserved,
};
use testlake_collect::run::{AttemptChoice, RunFacts};
use testlake_collect::source::{Folder, JobNames, Layout};
use testlake_testkit::run::{REPO, RUN_ID};
use testlake_testkit::zip::{Member, ZipBuilder};

/// Plans to take in attempt 1 of a run of [`REPO`] that lies in a folder laid out as the bucket, everything written.
fn plan(bucket: &Path, run_id: &str, out: &Path) -> CollectPlan {
    CollectPlan {
        run: RunRequest {
            repo: Some(REPO.to_owned()),
            run_id: Some(run_id.to_owned()),
            attempts: AttemptChoice::Number(1),
        },
        sources: vec![Arc::new(Folder::new(bucket, Layout::default()))],
        destination: Arc::new(output::Folder::new(out)),
        profile: Profile::Pytorch,
        full: Full::Always,
        full_branch: "main".to_owned(),
        full_repository: None,
        facts: RunFacts::default(),
        job_names: None,
        jobs_source: None,
        artifact_glob: None,
        threads: NonZeroUsize::new(2).unwrap(),
        max_concurrency: NonZeroUsize::new(4).unwrap(),
        archive_limits: ArchiveLimits::default(),
        report_limits: ReportLimits::default(),
        require_complete: false,
        expect_jobs: None,
        dry_run: false,
        results: None,
        redactor: None,
    }
}

fn read_jobs(file: &Path) -> JobNames {
    serde_json::from_slice(&fs::read(file).unwrap()).unwrap()
}

/// Collects the one attempt that is planned.
fn try_collect(plan: &CollectPlan) -> Result<Collected, CollectError> {
    let observer: Arc<dyn Observer> = Arc::new(Unobserved);
    pipeline::collect(plan, &observer, &Cancel::new()).map(|mut all| {
        assert_eq!(all.len(), 1);
        all.remove(0)
    })
}

fn collect(plan: &CollectPlan) -> Collected {
    try_collect(plan).unwrap()
}

/// What lies below a folder, with its bytes.
fn tree(root: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                files.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    files
}

/// Returns the lines of a collection: one gzip member, and nothing behind it.
fn lines(out: &Path, collection: &str, run_id: &str) -> Vec<u8> {
    let bytes = fs::read(out.join(collection).join(run_id).join("1")).unwrap();
    let mut lines = Vec::new();
    let mut decoder = flate2::bufread::GzDecoder::new(bytes.as_slice());
    std::io::copy(&mut decoder, &mut lines).unwrap();
    assert!(decoder.into_inner().is_empty(), "{collection}: more than one member");
    lines
}

/// A run that a test makes by hand, with the place for what comes of it.
struct Run {
    folder: TempDir,
    id: &'static str,
}

impl Run {
    fn new() -> Self {
        Self::of(RUN_ID)
    }

    fn of(id: &'static str) -> Self {
        let run = Self { folder: tempfile::tempdir().unwrap(), id };
        fs::create_dir_all(run.artifacts()).unwrap();
        run
    }

    fn bucket(&self) -> PathBuf {
        self.folder.path().join("bucket")
    }

    fn artifacts(&self) -> PathBuf {
        self.bucket().join(REPO).join(self.id).join("1/artifact")
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn put(&self, artifact: &str, bytes: &[u8]) {
        fs::write(self.artifacts().join(artifact), bytes).unwrap();
    }

    /// Puts a zip of entries, each a path and its bytes.
    fn zip<B: AsRef<[u8]>, const N: usize>(&self, artifact: &str, entries: [(&str, B); N]) {
        let members = entries.map(|(path, bytes)| Member::deflated(path, bytes.as_ref()));
        self.put(artifact, &ZipBuilder::new().members(members).build().bytes);
    }

    fn plan(&self) -> CollectPlan {
        plan(&self.bucket(), self.id, &self.out())
    }

    fn lines(&self, collection: &str) -> String {
        String::from_utf8(lines(&self.out(), collection, self.id)).unwrap()
    }

    /// Returns the ledger as it was written.
    fn ledger(&self) -> Ledger {
        let bytes = fs::read(self.out().join("ledger").join(self.id).join("1")).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    }
}
