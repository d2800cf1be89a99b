//! Many runs, a line each.

use std::fmt::Write as _;

use testlake_collect::ledger::{Ledger, Verdict};
use testlake_report::time::Instant;

use super::number::{count, counted};
use super::{Paint, Tone, for_terminal};

/// Renders an attempt that was taken in, with when its run was made.
pub(crate) fn run(created_unix_ms: i64, ledger: &Ledger, paint: Paint) -> String {
    let cases = &ledger.cases;
    let tone = match ledger.verdict {
        Verdict::Complete => Tone::Good,
        Verdict::Partial => Tone::Warning,
        Verdict::Empty => Tone::Plain,
    };
    let verdict = paint.text(tone, ledger.verdict.as_str()).into_owned();
    let run = for_terminal(&ledger.run.run_id).into_owned();
    let made = Instant::utc(created_unix_ms);
    let mut line = format!(
        "{made}  run {run} attempt {}: {verdict}, {}",
        ledger.run.attempt,
        counted(cases.total, "case")
    );
    for (name, number) in [("failed", cases.failed), ("errored", cases.errored)] {
        if number > 0 {
            let text = format!("{} {name}", count(number));
            // Writing to a string cannot fail.
            write!(line, ", {}", paint.text(Tone::Bad, &text)).ok();
        }
    }
    line.push('\n');
    line
}

/// Renders how many runs were taken in, and what is to be said of some of them.
pub(crate) fn sum(taken_in: u64, others: &[(&str, u64)]) -> String {
    let mut line = format!("{} taken in", counted(taken_in, "run"));
    for (what, number) in others.iter().filter(|(_, number)| *number > 0) {
        write!(line, "; {} {what}", count(*number)).ok();
    }
    line.push('\n');
    line
}
