//! Reads again the cases that turned out, later, to have run more than once.
//!
//! A case that a second report repeats was read, and given up, with the first. Only its place was kept: its report is
//! read once more for its document. Runs with such cases have few.

use std::collections::BTreeMap;

use rustc_hash::{FxHashMap, FxHashSet};
use testlake_report::scan::encoding::Decoded;
use testlake_report::scan::xml::XmlScanner;
use tokio::runtime::Handle;

use super::additional::Additional;
use super::feed::KeptArtifacts;
use super::listing::WantedArtifact;
use super::pass;
use super::report::RepeatSink;
use super::run::interruptible;
use super::work::Shared;
use crate::archive::{self, Budget, Entry, ReadOutcome, Scratch};
use crate::plan::CollectError;
use crate::profile::case::CaseReader;
use crate::profile::document::Stamp;
use crate::profile::selection;

/// What a second reading works with.
pub(crate) struct Reread<'run> {
    pub(crate) shared: &'run Shared,
    pub(crate) artifacts: &'run [WantedArtifact],
    pub(crate) kept: Option<&'run KeptArtifacts>,
    /// Where each report is: the artifact's number and the path in it.
    pub(crate) places: &'run [(usize, Box<str>)],
    pub(crate) runtime: &'run Handle,
}

/// A report's number, the numbers of the cases asked for, and its path.
type Asked<'run> = (u32, Vec<u32>, &'run str);

/// A report that could not be read again.
#[derive(Debug)]
pub(crate) struct Lost {
    pub(crate) artifact: usize,
    pub(crate) path: String,
    pub(crate) cases: usize,
    pub(crate) why: String,
}

impl Reread<'_> {
    /// Reads what `additional` misses; returns what could not be read again.
    ///
    /// # Errors
    /// [`CollectError::Cancelled`]; [`CollectError::Spool`] where a document cannot be kept.
    pub(crate) fn run(&self, additional: &mut Additional) -> Result<Vec<Lost>, CollectError> {
        let mut by_artifact: BTreeMap<usize, Vec<Asked<'_>>> = BTreeMap::new();
        for (report, ordinals) in additional.missing() {
            if let Some((artifact, path)) = self.places.get(report as usize) {
                by_artifact.entry(*artifact).or_default().push((report, ordinals, path));
            }
        }
        let mut lost = Vec::new();
        for (artifact, reports) in by_artifact {
            let mut lose = |(_, ordinals, path): &Asked<'_>, found: usize, why: &str| {
                let cases = ordinals.len().saturating_sub(found);
                let (path, why) = ((*path).to_owned(), why.to_owned());
                lost.push(Lost { artifact, path, cases, why });
            };
            match self.artifact(artifact, &reports, additional)? {
                Err(why) => reports.iter().for_each(|report| lose(report, 0, &why)),
                Ok(found) => {
                    for (report, found) in reports.iter().zip(found) {
                        if found < report.1.len() {
                            lose(report, found, "the second reading did not give what the first had");
                        }
                    }
                }
            }
        }
        Ok(lost)
    }

    /// Reads reports of one artifact again; returns how many of the cases asked for each gave.
    fn artifact(
        &self,
        index: usize,
        reports: &[Asked<'_>],
        additional: &mut Additional,
    ) -> Result<Result<Vec<usize>, String>, CollectError> {
        let Some(artifact) = self.artifacts.get(index) else { return Ok(Ok(Vec::new())) };
        let listing = &artifact.listing;
        let content = match self.kept.and_then(|kept| kept.content(index)) {
            Some(content) => content,
            None => match interruptible(
                self.runtime,
                &self.shared.cancel,
                artifact.source.fetch(listing, &|_| ()),
            )? {
                Ok(content) => content,
                Err(error) => return Ok(Err(super::listing::chain(&error))),
            },
        };
        let paths: FxHashSet<&str> = reports.iter().map(|(_, _, path)| *path).collect();
        let wanted = |path: &str| paths.contains(path);
        // what was within the run's limit the first time is not counted against it again
        let limits = &self.shared.archive_limits;
        let budget = &Budget::new(limits.run_bytes).until(&self.shared.cancel);
        let opened = match archive::open(&listing.name, &content, &wanted, limits, budget) {
            Ok(opened) => opened,
            Err(defect) => return Ok(Err(defect.text)),
        };
        let entries: FxHashMap<&str, &Entry> =
            opened.entries.iter().map(|entry| (entry.path.as_str(), entry)).collect();
        let job = selection::job_id(&listing.name);
        let mut scratch = Scratch::default();
        let mut inflated = Vec::new();
        let mut found = Vec::new();
        for (report, ordinals, path) in reports {
            self.shared.go_on()?;
            let Some(&entry) = entries.get(*path) else {
                found.push(0);
                continue;
            };
            let run = &self.shared.run;
            let invoking_file = selection::invoking_file(&listing.name, path);
            let stamp = Stamp::new(&run.run_id, run.attempt, job, &invoking_file);
            let mut reader = CaseReader::new(
                RepeatSink::new(&stamp, self.shared.limits, ordinals, 0),
                &self.shared.limits,
            );
            let mut scanner = XmlScanner::new(self.shared.limits);
            // what is wrong with the report was told the first time
            let go_on = |_: &mut CaseReader<RepeatSink<'_>>| self.shared.go_on();
            let report_limits = &self.shared.limits;
            match opened.archive.read(entry, &mut scratch, &mut inflated, limits, budget) {
                Ok(ReadOutcome::TooLargeForMemory) => {
                    if let Ok(mut stream) = opened.archive.stream(entry, limits, budget) {
                        pass::stream(&mut *stream, &mut scanner, &mut reader, report_limits, go_on)?;
                    }
                }
                Ok(ReadOutcome::Whole) | Err(_) => {
                    let decoded = Decoded::new(&inflated, |_| ());
                    pass::whole(&decoded.text, &mut scanner, &mut reader, report_limits, go_on)?;
                }
            }
            for case in &reader.sink.found {
                additional.found(*report, case)?;
            }
            found.push(reader.sink.found.len());
        }
        Ok(Ok(found))
    }
}
