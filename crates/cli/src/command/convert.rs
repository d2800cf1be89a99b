//! `testlake convert`.

use std::fs::File;
use std::io::{self, BufWriter, Read as _, Seek as _, SeekFrom, StdoutLock, Write as _};
use std::ops::Range;

use tempfile::SpooledTempFile;
use testlake_collect::loose::{LooseReport, ReadReport};
use testlake_report::form::ctrf::Ctrf;
use testlake_report::form::junit::{Junit, Piece};
use testlake_report::form::ndjson;
use testlake_report::identity::TestId;
use testlake_report::{Case, Fold};

use super::reports::{self, flush, put};
use crate::args::{ConvertArgs, FormWord};
use crate::config::Layers;
use crate::exit::{Exit, Failure, OrExit};
use crate::plan::{self, Converting, Talk};
use crate::render::findings;

/// 16 MiB: the rendered cases of most conversions to `JUnit` XML stay in memory.
const IN_MEMORY_BYTES: usize = 16 << 20;

/// Resolves the words and converts.
pub(crate) fn run(args: ConvertArgs, layers: &Layers) -> Result<Exit, Failure> {
    let (converting, talk) = plan::convert(args, layers)?;
    crate::log::start(talk);
    reports::or_closed(carry_out(&converting, talk))
}

fn carry_out(converting: &Converting, talk: Talk) -> Result<Exit, Failure> {
    let listed = reports::list(&converting.reading)?;
    if let Some(findings) = converting.findings.as_ref().filter(|findings| listed.has(findings)) {
        return Err(Failure::usage(format!("`{}` is one of the reports that are read", findings.display()))
            .hint("write the findings into another file"));
    }
    let mut to = Output::new(converting, talk)?;
    let totals =
        reports::read_all(&converting.reading, listed, &mut to, Output::case, Output::end_of_report)?;
    to.end()?;
    if let Some(file) = converting.findings.as_ref().filter(|_| totals.has_findings() && !talk.quiet) {
        let told = findings::sum(totals.files, totals.cases, totals.findings);
        // Where stderr is gone there is nobody to tell.
        writeln!(io::stderr(), "{told}; see {}", crate::render::for_terminal(&file.to_string_lossy())).ok();
    }
    Ok(if converting.reading.strict && totals.has_findings() {
        Exit::Gate
    } else if totals.has_losses() {
        Exit::Partial
    } else if totals.cases == 0 {
        Exit::Empty
    } else {
        Exit::Done
    })
}

/// Where cases and findings go.
struct Output<'converting> {
    stdout: BufWriter<StdoutLock<'static>>,
    form: Form,
    repo: &'converting str,
    fold: Fold,
    /// What is rendered and not yet written.
    text: String,
    findings: Findings,
}

enum Form {
    Ndjson,
    Ctrf(Ctrf),
    /// The document and its rendered cases.
    Junit(Box<Junit>, Box<SpooledTempFile>),
}

enum Findings {
    File(BufWriter<File>),
    Stderr,
    Nowhere,
}

impl<'converting> Output<'converting> {
    fn new(converting: &'converting Converting, talk: Talk) -> Result<Self, Failure> {
        let findings = match &converting.findings {
            Some(path) => {
                let file = File::create(path).or_exit(Exit::Usage);
                let cannot = || format!("cannot write `{}`", path.display());
                Findings::File(BufWriter::new(file.map_err(|failure| failure.context(cannot()))?))
            }
            None if talk.quiet => Findings::Nowhere,
            None => Findings::Stderr,
        };
        let mut text = String::new();
        let form = match converting.form {
            FormWord::Ndjson => Form::Ndjson,
            FormWord::Ctrf => Form::Ctrf(Ctrf::begin(&mut text)),
            FormWord::Junit => Form::Junit(Box::default(), Box::new(SpooledTempFile::new(IN_MEMORY_BYTES))),
        };
        let stdout = BufWriter::new(io::stdout().lock());
        let (repo, fold) = (converting.repo.as_str(), converting.reading.options.fold);
        Ok(Self { stdout, form, repo, fold, text, findings })
    }

    fn case(&mut self, report: &LooseReport, case: &Case<'_>) -> Result<(), Failure> {
        let id = || TestId::of(self.repo, case, self.fold);
        match &mut self.form {
            Form::Ndjson => ndjson::line(&report.name, case, id(), &mut self.text),
            Form::Ctrf(document) => document.case(&report.name, case, id(), &mut self.text),
            Form::Junit(document, spool) => {
                document.case(case, &mut self.text);
                spool.write_all(self.text.as_bytes()).or_exit(Exit::Unavailable).map_err(cannot_spool)?;
                self.text.clear();
            }
        }
        self.write()
    }

    fn write(&mut self) -> Result<(), Failure> {
        put(&mut self.stdout, self.text.as_bytes())?;
        self.text.clear();
        Ok(())
    }

    fn end_of_report(&mut self, report: &LooseReport, read: &ReadReport) -> Result<(), Failure> {
        if let Form::Junit(document, _) = &mut self.form {
            document.next_report();
        }
        match &mut self.findings {
            Findings::File(file) => {
                let written = file.write_all(findings::as_json(&report.name, read).as_bytes());
                written.or_exit(Exit::Unavailable).map_err(cannot_write_findings)
            }
            Findings::Stderr => {
                // Where stderr is gone there is nobody to tell.
                io::stderr().write_all(findings::as_lines(&report.name, read).as_bytes()).ok();
                Ok(())
            }
            Findings::Nowhere => Ok(()),
        }
    }

    fn end(mut self) -> Result<(), Failure> {
        match self.form {
            Form::Ndjson => {}
            Form::Ctrf(document) => document.end(&mut self.text),
            Form::Junit(document, mut spool) => {
                let stdout = &mut self.stdout;
                document.write(|piece| match piece {
                    Piece::Text(text) => put(stdout, text.as_bytes()),
                    Piece::Cases(range) => copy(&mut spool, range, stdout),
                })?;
                tell_tries(document.tries_left_out());
            }
        }
        put(&mut self.stdout, self.text.as_bytes())?;
        flush(&mut self.stdout)?;
        if let Findings::File(file) = &mut self.findings {
            file.flush().or_exit(Exit::Unavailable).map_err(cannot_write_findings)?;
        }
        Ok(())
    }
}

/// Says what the form could not, even to who wants to hear nothing.
fn tell_tries(left_out: u64) {
    if left_out > 0 {
        let tries = if left_out == 1 { "try" } else { "tries" };
        // Where stderr is gone there is nobody to tell.
        writeln!(
            io::stderr(),
            "warning: {left_out} {tries} left out: JUnit XML cannot tell one that passed, or was skipped, before the last"
        )
        .ok();
    }
}

fn copy(
    spool: &mut SpooledTempFile,
    range: Range<u64>,
    stdout: &mut BufWriter<StdoutLock<'static>>,
) -> Result<(), Failure> {
    spool.seek(SeekFrom::Start(range.start)).or_exit(Exit::Unavailable).map_err(cannot_spool)?;
    let mut rest = spool.take(range.end - range.start);
    let mut buffer = vec![0; 64 << 10];
    loop {
        let length = rest.read(&mut buffer).or_exit(Exit::Unavailable).map_err(cannot_spool)?;
        if length == 0 {
            return Ok(());
        }
        put(stdout, buffer.get(..length).unwrap_or_default())?;
    }
}

fn cannot_spool(failure: Failure) -> Failure {
    failure
        .context("cannot keep the cases in a temporary file")
        .hint("set `TMPDIR` to a folder with room for all of them")
}

fn cannot_write_findings(failure: Failure) -> Failure {
    failure.context("cannot write the findings")
}
