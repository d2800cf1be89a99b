//! The reports of a job, each read once, to whoever hears them.

use std::collections::HashSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use testlake_collect::loose::{self, LooseReport, ReadReport};
use testlake_collect::redact::{Masked, NameWatch, Redactor, Searched};
use testlake_lake::ingest::{Ingest, ReportKey, ReportRows};
use testlake_report::{Case, Finding, FindingCode, Fold, Limits, Options};

use super::identity::Identity;
use super::spool::Draft;
use super::told::Told;
use crate::exit::{Exit, Failure, OrExit};
use crate::render::for_terminal;

/// The files below the paths that were named.
#[derive(Debug)]
pub(super) struct Found {
    files: Vec<File>,
    /// Files and folders that could not be listed.
    unlisted: u64,
    /// Whether every file can be read again.
    pub(super) is_repeatable: bool,
}

#[derive(Debug)]
struct File {
    report: LooseReport,
    /// Whether it was named itself, and not found in a folder.
    is_named: bool,
}

/// Finds all files before any is read: a path that is not there is a usage error.
pub(super) fn find(paths: &[PathBuf]) -> Result<Found, Failure> {
    let mut found = Found { files: Vec::new(), unlisted: 0, is_repeatable: true };
    let mut seen = HashSet::new();
    for path in paths {
        let listed = loose::list(path).or_exit(Exit::Usage);
        let (files, unlisted) =
            listed.map_err(|failure| failure.context(format!("cannot read `{}`", path.display())))?;
        for folder in unlisted {
            found.unlisted += 1;
            cannot_read(&folder.name, &folder.error);
        }
        let is_folder = path.is_dir();
        for report in files {
            found.is_repeatable &= is_file(&report.file);
            // Named twice is named once, however it is spelled: a report has one place in the lake.
            if seen.insert(fs::canonicalize(&report.file).unwrap_or_else(|_| report.file.clone())) {
                found.files.push(File { report, is_named: !is_folder });
            }
        }
    }
    Ok(found)
}

fn is_file(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file())
}

fn cannot_read(name: &str, error: &io::Error) {
    let line = format!("error: cannot read `{name}`: {error}");
    // Where stderr is gone there is nobody to tell.
    writeln!(io::stderr(), "{}", for_terminal(&line)).ok();
}

/// Reads, and tells the lake, the spool and who asks what the tests did.
pub(super) struct Read<'upload> {
    pub(super) identity: &'upload Identity,
    pub(super) limits: Limits,
    pub(super) redactor: Option<&'upload Redactor>,
    pub(super) ingest: Option<&'upload Arc<Ingest>>,
    pub(super) draft: Option<&'upload mut Draft>,
    pub(super) told: Told,
    pub(super) masked: Masked,
}

impl Read<'_> {
    /// Reads every file.
    pub(super) fn all(mut self, found: &Found) -> Result<Told, Failure> {
        self.told.unread = found.unlisted;
        for file in &found.files {
            self.file(file)?;
        }
        if let Some(redactor) = self.redactor {
            let counts = redactor.counts(&self.masked);
            self.told.redacted = counts.map(|(rule, count)| (rule.to_owned(), count)).collect();
        }
        Ok(self.told)
    }

    fn file(&mut self, File { report, is_named }: &File) -> Result<(), Failure> {
        let key = self.identity.report(&report.name);
        let mut one = One {
            name: &report.name,
            key: &key,
            redactor: self.redactor,
            ingest: self.ingest,
            draft: self.draft.as_deref_mut(),
            rows: None,
            names: NameWatch::default(),
            secret_in_name: None,
            masked: Masked::default(),
            told: Told::default(),
            failed: None,
        };
        let options = Options { limits: self.limits, fold: Fold::NOTHING };
        let read = loose::read(report, options, &mut |case| one.case(case));
        if let Some(failure) = one.failed {
            return Err(failure);
        }
        let read = match read {
            Ok(read) => read,
            Err(error) => {
                // What was told of it does not count, and its rows are dropped.
                if let Some(draft) = one.draft {
                    draft.drop_report()?;
                }
                self.told.unread += 1;
                cannot_read(&report.name, &error);
                return Ok(());
            }
        };
        if read.reading.format.is_none() {
            self.no_report(report, &read, *is_named);
            return Ok(());
        }
        let (told, masked) = one.end(&read)?;
        self.told.add(told);
        self.masked.add(&masked);
        Ok(())
    }

    /// Of a folder, what no format claims is no report; what was named is one that cannot be read.
    fn no_report(&mut self, report: &LooseReport, read: &ReadReport, is_named: bool) {
        let is_empty = read.findings.iter().any(|placed| placed.finding.code == FindingCode::Empty);
        if is_named || (is_empty && report.name.ends_with(".xml")) {
            let findings: Vec<_> =
                read.findings.iter().map(|placed| (placed.finding, finding_text(placed))).collect();
            self.told.rejected(&report.name, &findings);
        } else {
            self.told.others += 1;
        }
    }
}

/// A report that is being read.
struct One<'read> {
    name: &'read str,
    key: &'read ReportKey,
    redactor: Option<&'read Redactor>,
    ingest: Option<&'read Arc<Ingest>>,
    draft: Option<&'read mut Draft>,
    rows: Option<ReportRows>,
    names: NameWatch,
    /// The first case whose name holds a secret.
    secret_in_name: Option<Finding>,
    masked: Masked,
    told: Told,
    failed: Option<Failure>,
}

impl One<'_> {
    fn case(&mut self, case: &Case<'_>) {
        let clean = self.redactor.and_then(|redactor| {
            if self.names.finds(redactor, case, Searched::default()) && self.secret_in_name.is_none() {
                self.secret_in_name = Some(Finding { code: FindingCode::SecretInName, offset: case.offset });
            }
            redactor.redact_case(case, Searched::default(), &mut self.masked)
        });
        let case = clean.as_ref().unwrap_or(case);
        self.told.case(self.name, case);
        if let Some(ingest) = self.ingest {
            self.rows.get_or_insert_with(|| ingest.report(self.key.clone())).push(case);
        }
        if let Some(draft) = &mut self.draft
            && self.failed.is_none()
        {
            self.failed = draft.case(self.key, case).err();
        }
    }

    /// It has been read to its end, or as far as it goes.
    fn end(mut self, read: &ReadReport) -> Result<(Told, Masked), Failure> {
        let mut findings = Vec::new();
        for placed in &read.findings {
            let text = finding_text(placed);
            let clean = self.redactor.map(|redactor| redactor.redact(&text, &mut self.masked).into_owned());
            findings.push((placed.finding, clean.unwrap_or(text)));
        }
        findings.extend(self.secret_in_name.map(|finding| (finding, finding.code.text().to_owned())));
        self.told.report(self.name, &findings, read.reading.findings_left_out);
        if let Some(ingest) = self.ingest {
            // One without a case, too: it replaces what an earlier one held.
            let mut rows = self.rows.unwrap_or_else(|| ingest.report(self.key.clone()));
            for (finding, text) in &findings {
                rows.finding(*finding, text);
            }
            rows.end();
        }
        if let Some(draft) = self.draft {
            draft.end_report(self.key, &findings)?;
        }
        Ok((self.told, self.masked))
    }
}

/// Says what a finding is, and what it is about.
fn finding_text(placed: &loose::PlacedFinding) -> String {
    let text = placed.finding.code.text();
    match &placed.about {
        Some(about) => format!("{text}: {about}"),
        None => text.to_owned(),
    }
}
