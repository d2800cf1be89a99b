//! `--format json`: a line for each attempt, as `docs/output.md` says.

use std::fmt::Write as _;

use serde::Serialize;
use testlake_collect::ledger::Ledger;
use testlake_collect::plan::{Collected, FailureGroup, WrittenObject};

use super::{Kept, Places};

/// The version of the form.
const VERSION: u32 = 1;

/// A line of the output. The order of fields is that of the keys.
#[derive(Debug, Serialize)]
struct Line<'collected> {
    version: u32,
    dry_run: bool,
    ledger: &'collected Ledger,
    jobs: u64,
    seconds: f64,
    failures: &'collected [FailureGroup],
    failure_groups_left_out: u64,
    to: Option<&'collected str>,
    written: &'collected [WrittenObject],
    lake: Option<&'collected str>,
    kept: Option<Kept>,
}

/// Renders one attempt, with a line feed at the end.
pub(crate) fn render(
    collected: &Collected,
    kept: Option<Kept>,
    to: &Places<'_>,
) -> Result<String, serde_json::Error> {
    let line = Line {
        version: VERSION,
        dry_run: to.is_dry_run,
        ledger: &collected.ledger,
        jobs: collected.summary.jobs,
        seconds: collected.summary.seconds,
        failures: &collected.summary.failures,
        failure_groups_left_out: collected.summary.groups_left_out,
        to: to.to,
        written: if to.to.is_some() { &collected.written } else { &[] },
        lake: to.lake,
        kept,
    };
    let mut text = escaped(&serde_json::to_string(&line)?);
    text.push('\n');
    Ok(text)
}

/// Writes what could drive a terminal as `\uXXXX`, which reads as the same: such characters stand in strings alone.
pub(crate) fn escaped(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len() + 1);
    for c in json.chars() {
        if super::is_unsafe(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                write!(escaped, "\\u{unit:04x}").ok();
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}
