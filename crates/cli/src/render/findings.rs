//! Findings of reports: a line each for people, and as data.

use std::fmt::Write as _;

use serde::Serialize;
use testlake_collect::loose::ReadReport;
use testlake_report::finding::Weight;

use super::for_terminal;
use super::json::escaped;
use super::number::{count, counted};

/// A finding as data. The order of fields is that of the keys.
#[derive(Debug, Serialize)]
struct Line<'report> {
    report: &'report str,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u64>,
    offset: u64,
    code: &'static str,
    weight: &'static str,
    text: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<&'report str>,
    advice: &'static str,
}

/// What is beyond the limit, as data.
#[derive(Debug, Serialize)]
struct LeftOut<'report> {
    report: &'report str,
    code: &'static str,
    count: u64,
    text: &'static str,
    advice: &'static str,
}

const LEFT_OUT: (&str, &str, &str) = (
    "findings-left-out",
    "findings beyond the limit were counted and not told",
    "raise `--max-findings` to see them",
);

/// Renders a line for each finding: place, what is wrong, what to do, code.
pub(crate) fn as_lines(report: &str, read: &ReadReport) -> String {
    let mut lines = String::new();
    let report = for_terminal(report);
    for placed in &read.findings {
        let code = placed.finding.code;
        let place = placed.position.map_or_else(
            || format!(" at byte {}", placed.finding.offset),
            |position| format!("{}:{}", position.line, position.column),
        );
        let about =
            placed.about.as_deref().map(|about| format!(": {}", for_terminal(about))).unwrap_or_default();
        let (text, advice) = (code.text(), code.advice());
        // Writing to a string cannot fail.
        writeln!(lines, "{report}:{place}: {text}{about}; {advice} [{code}]").ok();
    }
    let more = read.reading.findings_left_out;
    if more > 0 {
        let (code, _, advice) = LEFT_OUT;
        writeln!(lines, "{report}: {more} more findings were counted and not told; {advice} [{code}]").ok();
    }
    lines
}

/// Renders a line of JSON for each finding.
pub(crate) fn as_json(report: &str, read: &ReadReport) -> String {
    let mut lines = String::new();
    for placed in &read.findings {
        let code = placed.finding.code;
        push(
            &mut lines,
            &Line {
                report,
                line: placed.position.map(|position| position.line),
                column: placed.position.map(|position| position.column),
                offset: placed.finding.offset,
                code: code.as_str(),
                weight: word(code.weight()),
                text: code.text(),
                about: placed.about.as_deref(),
                advice: code.advice(),
            },
        );
    }
    let count = read.reading.findings_left_out;
    if count > 0 {
        let (code, text, advice) = LEFT_OUT;
        push(&mut lines, &LeftOut { report, code, count, text, advice });
    }
    lines
}

fn push(lines: &mut String, line: &impl Serialize) {
    // Texts and numbers can always be written.
    lines.push_str(&escaped(&serde_json::to_string(line).unwrap_or_default()));
    lines.push('\n');
}

fn word(weight: Weight) -> &'static str {
    match weight {
        Weight::Repair => "repair",
        Weight::Loss => "loss",
        Weight::Stop => "stop",
    }
}

/// Says how many files, cases and findings there were.
pub(crate) fn sum(files: u64, cases: u64, [repairs, losses, stops]: [u64; 3]) -> String {
    let found = repairs + losses + stops;
    let mut sum = match found {
        0 => "no finding".to_owned(),
        found => counted(found, "finding"),
    };
    write!(sum, " in {} with {}", counted(files, "file"), counted(cases, "case")).ok();
    if found > 0 {
        write!(sum, ": {} repaired, {} lost, {} stopped", count(repairs), count(losses), count(stops)).ok();
    }
    sum
}
