//! `--format json`: a line for each attempt, as `docs/output.md` says.

use std::fmt::Write as _;

use serde::Serialize;
use testlake_collect::ledger::Ledger;
use testlake_collect::plan::{Collected, FailureGroup, WrittenObject};

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
    to: &'collected str,
    written: &'collected [WrittenObject],
}

/// Renders one attempt, with a line feed at the end. `to` names the destination.
pub(crate) fn render(collected: &Collected, to: &str, is_dry_run: bool) -> Result<String, serde_json::Error> {
    let line = Line {
        version: VERSION,
        dry_run: is_dry_run,
        ledger: &collected.ledger,
        jobs: collected.summary.jobs,
        seconds: collected.summary.seconds,
        failures: &collected.summary.failures,
        failure_groups_left_out: collected.summary.groups_left_out,
        to,
        written: &collected.written,
    };
    let mut text = escaped(&serde_json::to_string(&line)?);
    text.push('\n');
    Ok(text)
}

/// Writes what could drive a terminal as `\uXXXX`, which reads as the same: such characters stand in strings alone.
pub(super) fn escaped(json: &str) -> String {
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
