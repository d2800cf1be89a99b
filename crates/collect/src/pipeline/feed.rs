//! Fetches artifacts a few ahead, opens them in order, and hands their units to the workers and to the fold. A worker that finds
//! no unit feeds the next artifact itself.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use super::listing::{Listed, chain};
use super::lost::{SourceFailure, keep_failure};
use super::steps::{Step, Steps};
use super::unit::{EntryTask, OpenArtifact, Unit, split};
use super::work::Shared;
use crate::archive::{self, Defect, Entry};
use crate::ledger::{ArtifactStatus, LedgerArtifact};
use crate::plan::{CollectPlan, Observer, Profile};
use crate::profile::selection::{self, EntryKind, JobNamePattern, entry_kind};
use crate::source::{Content, ListingState, SourceError, SourceErrorKind};
use crate::spool::Body;

/// What the feed works with.
pub(crate) struct Feed<'run> {
    pub(crate) plan: &'run CollectPlan,
    pub(crate) shared: &'run Shared,
    pub(crate) listed: &'run Listed,
    pub(crate) observer: &'run Arc<dyn Observer>,
    pub(crate) runtime: &'run Handle,
    pub(crate) steps: &'run Steps<'run>,
    /// Units that wait for a worker.
    units: VecDeque<Unit<'run>>,
    /// Fetched artifacts, where they may be needed again and are not local.
    kept: Option<KeptArtifacts>,
    failure: Option<SourceFailure>,
    /// What reads jobs' names, where typed results are asked for.
    pattern: Option<JobNamePattern>,
    /// Artifacts that are on their way, in order, and the number of the first of them.
    under_way: VecDeque<Option<Fetch>>,
    first: usize,
    /// The number of the next report.
    report: u32,
}

/// What the feed leaves.
#[derive(Debug)]
pub(crate) struct Fed {
    pub(crate) kept: Option<KeptArtifacts>,
    /// Of the artifacts that could not be fetched the one that says most.
    pub(crate) failure: Option<SourceFailure>,
}

/// Fetched artifacts, one after the other in an unnamed temporary file.
#[derive(Debug, Default)]
pub(crate) struct KeptArtifacts {
    file: Option<Arc<File>>,
    length: u64,
    places: Vec<Option<(u64, u64)>>,
}

impl KeptArtifacts {
    fn keep(&mut self, index: usize, content: &Content) -> io::Result<()> {
        let Content::Bytes(body) = content else { return Ok(()) };
        let file = match &self.file {
            Some(file) => Arc::clone(file),
            None => Arc::clone(self.file.insert(Arc::new(tempfile::tempfile()?))),
        };
        let mut reader = body.reader(0, body.len());
        let mut chunk = vec![0; 1 << 16];
        let mut out = &*file;
        loop {
            match reader.read(&mut chunk)? {
                0 => break,
                length => out.write_all(chunk.get(..length).unwrap_or_default())?,
            }
        }
        if self.places.len() <= index {
            self.places.resize(index + 1, None);
        }
        if let Some(place) = self.places.get_mut(index) {
            *place = Some((self.length, body.len()));
        }
        self.length += body.len();
        Ok(())
    }

    /// Returns the bytes of an artifact that was kept.
    pub(crate) fn content(&self, index: usize) -> Option<Content> {
        let &(start, length) = self.places.get(index)?.as_ref()?;
        Some(Content::Bytes(Body::Part(Arc::clone(self.file.as_ref()?), start, length)))
    }
}

type Fetch = JoinHandle<Result<Content, SourceError>>;

impl<'run> Feed<'run> {
    pub(crate) fn new(
        (plan, shared, listed): (&'run CollectPlan, &'run Shared, &'run Listed),
        observer: &'run Arc<dyn Observer>,
        runtime: &'run Handle,
        steps: &'run Steps<'run>,
    ) -> Self {
        Self {
            plan,
            shared,
            listed,
            observer,
            runtime,
            steps,
            units: VecDeque::new(),
            kept: (plan.profile == Profile::Pytorch).then(KeptArtifacts::default),
            failure: None,
            pattern: plan.results.is_some().then(JobNamePattern::new),
            under_way: VecDeque::new(),
            first: 0,
            report: 0,
        }
    }

    /// Returns the next unit, for which artifacts are fed as need be; nothing where there is none, or nobody waits for more.
    pub(crate) fn next(&mut self) -> Option<Unit<'run>> {
        loop {
            if self.shared.is_over() {
                return None;
            }
            if let Some(unit) = self.units.pop_front() {
                return Some(unit);
            }
            if self.first >= self.listed.artifacts.len() {
                return None;
            }
            self.feed_one();
            // what holds no unit may be all that there is to fold
            self.steps.fold();
        }
    }

    /// Feeds the next artifact.
    fn feed_one(&mut self) {
        let mut next = self.first + self.under_way.len();
        while next < self.listed.artifacts.len() && self.under_way.len() < self.plan.max_concurrency.get() {
            self.under_way.push_back(self.fetch(next));
            next += 1;
        }
        let index = self.first;
        self.first += 1;
        match self.under_way.pop_front().flatten() {
            Some(fetch) => {
                if let Some(content) = self.wait(fetch) {
                    self.artifact(index, content);
                }
            }
            None => self.artifact(index, Err(expired())),
        }
        self.observer.artifact_done();
    }

    /// Ends the feed, fed or not.
    pub(crate) fn end(self) -> Fed {
        for fetch in self.under_way.into_iter().flatten() {
            fetch.abort();
        }
        Fed { kept: self.kept, failure: self.failure }
    }

    fn fetch(&self, index: usize) -> Option<Fetch> {
        let artifact = self.listed.artifacts.get(index)?;
        if artifact.listing.state == ListingState::Expired {
            return None;
        }
        let (source, listing) = (Arc::clone(&artifact.source), artifact.listing.clone());
        let observer = Arc::clone(self.observer);
        Some(
            self.runtime.spawn(async move {
                source.fetch(&listing, &move |bytes| observer.bytes_fetched(bytes)).await
            }),
        )
    }

    /// Waits for an artifact; `None` where the run was cancelled.
    fn wait(&self, mut fetch: Fetch) -> Option<Result<Content, SourceError>> {
        let outcome = self.runtime.block_on(async {
            tokio::select! {
                outcome = &mut fetch => Some(outcome),
                () = self.shared.cancel.cancelled() => None,
            }
        });
        match outcome {
            Some(Ok(content)) => Some(content),
            Some(Err(error)) => {
                Some(Err(SourceError::new(SourceErrorKind::Unavailable, "the fetch ended unexpectedly")
                    .because(error)))
            }
            None => {
                fetch.abort();
                None
            }
        }
    }

    fn artifact(&mut self, index: usize, content: Result<Content, SourceError>) {
        let Some(artifact) = self.listed.artifacts.get(index) else { return };
        let name = &artifact.listing.name;
        let job = selection::job_id(name).map(str::to_owned);
        let mut ledger = LedgerArtifact {
            name: name.clone(),
            source: artifact.source.name().to_owned(),
            bytes: artifact.listing.bytes,
            status: ArtifactStatus::Read,
            reason: None,
        };
        let steps = self.steps;
        let begin = |ledger, defects| steps.add(Step::Begin { index, job: job.clone(), ledger, defects });
        let content = match content {
            Ok(content) => content,
            Err(error) => {
                ledger.status = if error.kind() == SourceErrorKind::Expired {
                    ArtifactStatus::Expired
                } else {
                    ArtifactStatus::Unavailable
                };
                ledger.reason = Some(chain(&error));
                keep_failure(&mut self.failure, &ledger.source, error);
                begin(ledger, Vec::new());
                return steps.add(Step::End);
            }
        };
        if let Content::Bytes(body) = &content {
            ledger.bytes = Some(body.len());
        }
        let profile = self.plan.profile;
        let tells = self.pattern.is_some();
        let kind_of = |path: &str| entry_kind(profile, artifact.kind, path, tells);
        let wanted = |path: &str| kind_of(path).is_some();
        let limits = &self.plan.archive_limits;
        let opened = match archive::open(name, &content, &wanted, limits, &self.shared.budget) {
            Ok(opened) => opened,
            Err(defect) => {
                ledger.status = ArtifactStatus::Rejected;
                ledger.reason = Some(defect.text.clone());
                begin(ledger, vec![defect]);
                return steps.add(Step::End);
            }
        };
        let mut defects = opened.defects;
        // nobody misses a part of what is not known to be a report
        let is_unnamed = |defect: &Defect| {
            defect.entry.as_deref().is_some_and(|path| kind_of(path) == Some(EntryKind::Unnamed))
        };
        defects.retain(|defect| !is_unnamed(defect));
        begin(ledger, defects);
        if let Some(kept) = &mut self.kept
            && !artifact.source.is_local()
            && let Err(error) = kept.keep(index, &content)
        {
            tracing::warn!(artifact = name, %error, "cannot keep the artifact for a second reading");
        }
        let owner = self.pattern.as_ref().map(|pattern| self.listed.owner(index, job.as_deref(), pattern));
        let open = Arc::new(OpenArtifact { name: name.clone(), job, archive: opened.archive, owner });
        let mut entries: Vec<_> =
            opened.entries.into_iter().filter_map(|entry| Some((kind_of(&entry.path)?, entry))).collect();
        // behind the others, in units of their own, so that the collections' bytes are those of who does not ask for them
        let unnamed = entries.extract_if(.., |(kind, _)| *kind == EntryKind::Unnamed).collect();
        for tasks in [entries, unnamed] {
            self.entries(&open, tasks);
        }
        steps.add(Step::End);
    }

    fn entries(&mut self, open: &Arc<OpenArtifact>, entries: Vec<(EntryKind, Entry)>) {
        let report = &mut self.report;
        let tasks = entries.into_iter().map(|(kind, entry)| {
            let number = *report;
            *report = report.saturating_add(1);
            EntryTask { report: number, entry, kind }
        });
        for (unit, parts) in split(open, tasks.collect(), self.steps) {
            self.steps.add(Step::Unit(parts));
            self.units.push_back(unit);
        }
    }
}

pub(crate) fn expired() -> SourceError {
    SourceError::new(SourceErrorKind::Expired, "the provider has removed it after its retention time")
}
