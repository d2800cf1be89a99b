//! `testlake lint`.

use std::io::{self, BufWriter, StdoutLock, Write as _};

use super::reports::{self, Totals};
use crate::args::{Format, LintArgs};
use crate::config::Layers;
use crate::exit::{Exit, Failure};
use crate::plan::{self, Reading, Talk};
use crate::render::findings;

/// Resolves the words and reads.
pub(crate) fn run(args: LintArgs, layers: &Layers) -> Result<Exit, Failure> {
    let (reading, talk) = plan::lint(args, layers)?;
    crate::log::start(talk);
    reports::or_closed(carry_out(&reading, talk))
}

fn carry_out(reading: &Reading, talk: Talk) -> Result<Exit, Failure> {
    let format = if talk.quiet { talk.format } else { Some(talk.format.unwrap_or_default()) };
    let mut stdout = BufWriter::new(io::stdout().lock());
    let totals = reports::read_all(
        reading,
        reports::list(reading)?,
        &mut stdout,
        |_, _, _| Ok(()),
        |stdout: &mut BufWriter<StdoutLock<'_>>, report, read| {
            let lines = match format {
                Some(Format::Json) => findings::as_json(&report.name, read),
                Some(Format::Table) => findings::as_lines(&report.name, read),
                None => String::new(),
            };
            reports::put(stdout, lines.as_bytes())
        },
    )?;
    reports::flush(&mut stdout)?;
    drop(stdout);
    sum_up(&totals, talk);
    Ok(match totals {
        _ if reading.strict && totals.has_findings() => Exit::Gate,
        Totals { unread: 1.., .. } => Exit::Partial,
        Totals { files: 0, .. } => Exit::Empty,
        _ => Exit::Done,
    })
}

/// Says how many findings there were.
fn sum_up(totals: &Totals, talk: Talk) {
    if !talk.quiet {
        // Where stderr is gone there is nobody to tell.
        writeln!(io::stderr(), "{}", findings::sum(totals.files, totals.cases, totals.findings)).ok();
    }
}
