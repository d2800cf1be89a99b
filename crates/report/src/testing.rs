//! What is read of a report, as lines that tests compare.

use std::fmt::Write as _;

use crate::finding::Finding;
use crate::limits::Limits;
use crate::model::{Case, Detail, Try};
use crate::out::Visitor;
use crate::reader::{ReportReader, read};

/// Reads a report and tells one line for each case and each finding, in their order; what is absent is left out.
///
/// ```text
/// suite > path | [class] | name | file:line | outcome | 1.5s | @start | kind: message | "text" | out "stdout"
///     | err "stderr" | {name=value} | tries (failed 0.1s kind: message | "text"), (passed) | #ordinal
/// ! code @offset what the report says of it
/// ```
///
/// The whole of a case stands on one line: line ends are written as `\n`.
pub(crate) fn told(report: &str) -> String {
    told_bytes(report.as_bytes())
}

/// As [`told`], for a report that is not in UTF-8.
pub(crate) fn told_bytes(report: &[u8]) -> String {
    let mut teller = Teller::default();
    let reading = read(report, Limits::default(), &mut teller);
    if reading.findings_left_out > 0 {
        writeln!(teller.lines, "! and {} more", reading.findings_left_out).unwrap();
    }
    teller.lines
}

/// Asserts that a report, repeated until it is larger than what is held to find its format, is read the same whole and in
/// chunks of many lengths.
pub(crate) fn chunks_agree(report: &str) {
    let bytes = report.as_bytes().repeat((600 << 10) / report.len().max(1) + 1);
    let limits = Limits { whole_bytes: 0, findings: usize::MAX, ..Limits::default() };
    let mut whole = Teller::default();
    read(&bytes, limits, &mut whole);
    for seed in 1..=3 {
        let mut random = 0x9E37_79B9_7F4A_7C15_u64.wrapping_mul(seed);
        let mut chunks = Teller::default();
        let mut reader = ReportReader::new(limits, &mut chunks);
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let most = [7, 300, 20_000][usize::try_from(random >> 32).unwrap() % 3];
            let (chunk, after) = rest.split_at(rest.len().min(usize::try_from(random % most).unwrap() + 1));
            reader.feed(chunk);
            rest = after;
        }
        reader.finish();
        assert!(whole.lines == chunks.lines, "chunks of seed {seed} are read differently");
    }
}

#[derive(Default)]
struct Teller {
    lines: String,
}

impl Visitor for Teller {
    fn case(&mut self, case: &Case<'_>) {
        self.lines += &line(case);
        self.lines.push('\n');
    }

    fn finding(&mut self, finding: Finding) {
        writeln!(self.lines, "! {} @{}", finding.code, finding.offset).unwrap();
    }

    fn about(&mut self, _finding: Finding, text: &str) {
        self.lines.pop();
        writeln!(self.lines, " {text}").unwrap();
    }
}

fn line(case: &Case<'_>) -> String {
    let mut parts = Vec::new();
    if !case.suite.is_empty() {
        parts.push(case.suite.join(" > "));
    }
    parts.extend(case.class.as_ref().map(|class| format!("[{class}]")));
    parts.push(case.name.as_deref().unwrap_or("(no name)").to_owned());
    match (&case.file, case.line) {
        (Some(file), Some(line)) => parts.push(format!("{file}:{line}")),
        (Some(file), None) => parts.push(file.to_string()),
        (None, Some(line)) => parts.push(format!(":{line}")),
        (None, None) => {}
    }
    parts.push(case.outcome.to_string());
    parts.extend(case.seconds.map(|seconds| format!("{seconds}s")));
    parts.extend(case.started.map(|started| format!("@{started}")));
    parts.extend(detail(&case.detail));
    parts.extend(case.stdout.as_ref().map(|text| format!("out {text:?}")));
    parts.extend(case.stderr.as_ref().map(|text| format!("err {text:?}")));
    if !case.properties.is_empty() {
        let pairs: Vec<_> = case.properties.iter().map(|(name, value)| format!("{name}={value}")).collect();
        parts.push(format!("{{{}}}", pairs.join(", ")));
    }
    if !case.tries.is_empty() {
        let tries: Vec<_> = case.tries.iter().map(one_try).collect();
        parts.push(format!("tries {}", tries.join(", ")));
    }
    if case.ordinal > 0 {
        parts.push(format!("#{}", case.ordinal));
    }
    parts.join(" | ").replace('\n', "\\n").replace('\r', "\\r")
}

fn one_try(one: &Try<'_>) -> String {
    let seconds = one.seconds.map(|seconds| format!(" {seconds}s")).unwrap_or_default();
    let detail = detail(&one.detail).map(|detail| format!(" {detail}")).unwrap_or_default();
    format!("({}{seconds}{detail})", one.outcome)
}

fn detail(detail: &Detail<'_>) -> Option<String> {
    let head = match (&detail.kind, &detail.message) {
        (Some(kind), Some(message)) => Some(format!("{kind}: {message}")),
        (Some(kind), None) => Some(format!("{kind}:")),
        (None, Some(message)) => Some(message.to_string()),
        (None, None) => None,
    };
    let text = detail.text.as_ref().map(|text| format!("{text:?}"));
    let parts: Vec<_> = head.into_iter().chain(text).collect();
    (!parts.is_empty()).then(|| parts.join(" | "))
}

#[test]
fn a_case_is_told_whole_and_on_one_line() {
    let report = r#"<testsuites><testsuite name="a"><testsuite name="b">
<testcase classname="C" name="one" file="c.rs" line="7" time="1.5" timestamp="2026-11-23T02:40:40Z">
<flakyFailure type="Kind" message="first">trace</flakyFailure>
<failure type="Kind" message="two&#10;lines">text</failure><system-out>o</system-out><system-err>e</system-err>
<properties><property name="k" value="v"/></properties></testcase>
<testcase name="two"/><testcase name="two"/><testcase name="cut">"#;
    assert_eq!(
        told(report),
        r#"a > b | [C] | one | c.rs:7 | failed | 1.5s | @2026-11-23T02:40:40Z | Kind: two\nlines | "text" | out "o" | err "e" | {k=v} | tries (failed Kind: first | "trace"), (failed 1.5s Kind: two\nlines | "text")
a > b | two | passed
! repeated-case @418
a > b | two | passed | #1
! cut-case @440
! cut-document @461
"#
    );
}
