//! What `lint` and `convert` have in common: the files of the paths that were named, read one after the other.

use std::io::{self, Write as _};

use testlake_collect::loose::{self, LooseReport, ReadReport};
use testlake_report::Case;
use testlake_report::finding::Weight;

use crate::exit::{Exit, Failure, OrExit};
use crate::plan::Reading;
use crate::render;

/// What came of all files.
#[derive(Debug, Default)]
pub(super) struct Totals {
    pub(super) files: u64,
    pub(super) cases: u64,
    /// Findings by what they cost: repairs, losses, stops.
    pub(super) findings: [u64; 3],
    /// Files and folders that could not be read.
    pub(super) unread: u64,
}

impl Totals {
    /// Whether there is any finding.
    pub(super) fn has_findings(&self) -> bool {
        self.findings != [0; 3]
    }

    /// Whether anything of the input is missing in what was read.
    pub(super) fn has_losses(&self) -> bool {
        let [_, losses, stops] = self.findings;
        losses > 0 || stops > 0 || self.unread > 0
    }

    fn add(&mut self, read: &ReadReport) {
        self.cases += read.reading.cases;
        for placed in &read.findings {
            let [repairs, losses, stops] = &mut self.findings;
            *match placed.finding.code.weight() {
                Weight::Repair => repairs,
                Weight::Loss => losses,
                Weight::Stop => stops,
            } += 1;
        }
        // what is beyond the limit is a repair at the least
        let [repairs, ..] = &mut self.findings;
        *repairs += read.reading.findings_left_out;
    }
}

/// Reads every file. `case` gets its cases and `end` what came of it. Both may fail, which ends all.
pub(super) fn read_all<T>(
    reading: &Reading,
    to: &mut T,
    mut case: impl FnMut(&mut T, &LooseReport, &Case<'_>) -> Result<(), Failure>,
    mut end: impl FnMut(&mut T, &LooseReport, &ReadReport) -> Result<(), Failure>,
) -> Result<Totals, Failure> {
    let mut totals = Totals::default();
    for report in list(reading, &mut totals)? {
        let mut failed = None;
        let read = loose::read(&report, reading.options, &mut |one| {
            if failed.is_none() {
                failed = case(to, &report, one).err();
            }
        });
        if let Some(failure) = failed {
            return Err(failure);
        }
        totals.files += 1;
        match read {
            Ok(read) => {
                totals.add(&read);
                end(to, &report, &read)?;
            }
            Err(error) => totals.cannot_read(&report.name, &error),
        }
    }
    Ok(totals)
}

impl Totals {
    fn cannot_read(&mut self, name: &str, error: &io::Error) {
        self.unread += 1;
        let line = render::for_terminal(&format!("error: cannot read `{name}`: {error}")).into_owned();
        // Where stderr is gone there is nobody to tell.
        writeln!(io::stderr(), "{line}").ok();
    }
}

/// Lists all files before any is read: a path that is not there is a usage error.
fn list(reading: &Reading, totals: &mut Totals) -> Result<Vec<LooseReport>, Failure> {
    let mut all = Vec::new();
    for path in &reading.paths {
        let listed = loose::list(path).or_exit(Exit::Usage);
        let (files, unlisted) =
            listed.map_err(|failure| failure.context(format!("cannot read `{}`", path.display())))?;
        all.extend(files);
        for folder in unlisted {
            totals.cannot_read(&folder.name, &folder.error);
        }
    }
    Ok(all)
}

/// Writes to stdout. Where nobody reads any more, that ends all, as what ended well.
pub(super) fn put(stdout: &mut impl io::Write, bytes: &[u8]) -> Result<(), Failure> {
    written(stdout.write_all(bytes))
}

/// Writes what is held back.
pub(super) fn flush(stdout: &mut impl io::Write) -> Result<(), Failure> {
    written(stdout.flush())
}

fn written(result: io::Result<()>) -> Result<(), Failure> {
    let exit = match &result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Done,
        _ => Exit::Unavailable,
    };
    result.or_exit(exit).map_err(|failure| failure.context("cannot write to the standard output"))
}

/// Takes a reader that has read enough for an end.
pub(super) fn or_closed(ended: Result<Exit, Failure>) -> Result<Exit, Failure> {
    match ended {
        Err(Failure { exit: Exit::Done, .. }) => Ok(Exit::Done),
        other => other,
    }
}
