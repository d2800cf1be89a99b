//! What `lint` and `convert` have in common: the files of the paths that were named, read one after the other.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

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
    Listed { files, mut totals }: Listed,
    to: &mut T,
    mut case: impl FnMut(&mut T, &LooseReport, &Case<'_>) -> Result<(), Failure>,
    mut end: impl FnMut(&mut T, &LooseReport, &ReadReport) -> Result<(), Failure>,
) -> Result<Totals, Failure> {
    for report in files {
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

/// The files of all paths, and what of them could not be listed.
pub(super) struct Listed {
    files: Vec<LooseReport>,
    totals: Totals,
}

impl Listed {
    /// Reports whether a path is one of the files, by whatever name.
    pub(super) fn has(&self, path: &Path) -> bool {
        let Some(wanted) = fs::metadata(path).ok().as_ref().and_then(same::file) else { return false };
        self.files.iter().any(|report| is_same(report, wanted))
    }
}

/// Lists all files before any is read or written: a path that is not there is a usage error. The file that stdout goes to is
/// left out: `testlake convert . > ./cases.ndjson`.
pub(super) fn list(reading: &Reading) -> Result<Listed, Failure> {
    let mut listed = Listed { files: Vec::new(), totals: Totals::default() };
    for path in &reading.paths {
        let found = loose::list(path).or_exit(Exit::Usage);
        let (files, unlisted) =
            found.map_err(|failure| failure.context(format!("cannot read `{}`", path.display())))?;
        listed.files.extend(files);
        for folder in unlisted {
            listed.totals.cannot_read(&folder.name, &folder.error);
        }
    }
    if let Some(stdout) = same::stdout() {
        listed.files.retain(|report| {
            let is_stdout = is_same(report, stdout);
            if is_stdout {
                let line = format!("warning: `{}` is not read: it is where the output goes", report.name);
                // Where stderr is gone there is nobody to tell.
                writeln!(io::stderr(), "{}", render::for_terminal(&line)).ok();
            }
            !is_stdout
        });
    }
    Ok(listed)
}

fn is_same(report: &LooseReport, wanted: same::File) -> bool {
    fs::metadata(&report.file).ok().as_ref().and_then(same::file) == Some(wanted)
}

/// What makes a file the same under all its names.
#[cfg(unix)]
mod same {
    use std::fs::Metadata;
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::MetadataExt as _;

    /// The device and the number on it.
    pub(super) type File = (u64, u64);

    /// Names a regular file.
    pub(super) fn file(metadata: &Metadata) -> Option<File> {
        metadata.is_file().then(|| (metadata.dev(), metadata.ino()))
    }

    /// Names the file that stdout goes to, where it is one.
    pub(super) fn stdout() -> Option<File> {
        let stdout = std::io::stdout().as_fd().try_clone_to_owned().ok()?;
        file(&std::fs::File::from(stdout).metadata().ok()?)
    }
}

/// What makes a file the same under all its names is not known.
#[cfg(not(unix))]
mod same {
    pub(super) type File = std::convert::Infallible;

    pub(super) fn file(_: &std::fs::Metadata) -> Option<File> {
        None
    }

    pub(super) fn stdout() -> Option<File> {
        None
    }
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
