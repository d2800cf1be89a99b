//! One of the parsers over all reports: `parse NAME FOLDER`.

use std::hint::black_box;
use std::path::Path;

use compare::{AnyError, Reports};
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use testlake_report::scan::xml::{StartTag, Text, XmlScanner, XmlVisitor};
use testlake_report::{Case, Finding, FindingCode, Limits, Visitor};

fn main() -> Result<(), AnyError> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [name, folder] = arguments.as_slice() else { return Err("usage: parse NAME FOLDER".into()) };
    let reports = Reports::read(Path::new(folder))?;
    match name.as_str() {
        "testlake-scanner" => {
            let mut scanner = XmlScanner::new(Limits::default());
            reports.measure(|report| scanned(&mut scanner, report))
        }
        "testlake-cases" => reports.measure(cases),
        "testlake-owned" => reports.measure(owned),
        "quick-xml" => reports.measure(events),
        "quick-junit" => reports.changed(with_zones).measure(quick_junit_cases),
        _ => Err(format!("no such parser: {name}").into()),
    }
}

/// Counts the tags of cases that the scanner tells of.
#[derive(Default)]
struct Tags {
    cases: u64,
    defects: u64,
}

impl XmlVisitor for Tags {
    fn tag(&mut self, _window: &[u8]) {}

    fn start(&mut self, tag: &StartTag<'_>) {
        black_box(tag.attributes);
        self.cases += u64::from(tag.name.of(tag.window) == b"testcase");
    }

    fn text(&mut self, text: &Text<'_>) {
        black_box(text);
    }

    fn end(&mut self, _window: &[u8], _end: u32) {}

    fn finding(&mut self, _code: FindingCode, _at: u32) {
        self.defects += 1;
    }

    fn settled(&self) -> bool {
        true
    }

    fn rollback(&mut self) {}
}

fn scanned(scanner: &mut XmlScanner, report: &[u8]) -> Result<u64, AnyError> {
    let mut tags = Tags::default();
    scanner.reset();
    let fed = scanner.feed(report, true, &mut tags);
    if fed.stop.is_some() || tags.defects > 0 {
        return Err("the scanner has findings".into());
    }
    Ok(tags.cases)
}

/// Looks at each case and finding, and keeps none. There are findings: some suites hold more cases than they declare.
struct Seen;

impl Visitor for Seen {
    fn case(&mut self, case: &Case<'_>) {
        black_box(case);
    }

    fn finding(&mut self, finding: Finding) {
        black_box(finding);
    }
}

fn cases(report: &[u8]) -> Result<u64, AnyError> {
    Ok(testlake_report::read(report, Limits::default(), &mut Seen).cases)
}

/// Keeps the cases of a report, as the parsers do that return them all.
#[derive(Default)]
struct Kept {
    cases: Vec<Case<'static>>,
    findings: Vec<Finding>,
}

impl Visitor for Kept {
    fn case(&mut self, case: &Case<'_>) {
        self.cases.push(case.clone().into_owned());
    }

    fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

fn owned(report: &[u8]) -> Result<u64, AnyError> {
    let mut kept = Kept::default();
    testlake_report::read(report, Limits::default(), &mut kept);
    black_box(&kept.findings);
    Ok(black_box(&kept.cases).len() as u64)
}

/// Reads the events, and the attributes of each start as they stand.
fn events(report: &[u8]) -> Result<u64, AnyError> {
    let attributes = |start: &BytesStart<'_>| -> Result<u64, AnyError> {
        for attribute in start.attributes() {
            black_box(attribute?);
        }
        Ok(u64::from(start.name().as_ref() == "testcase"))
    };
    let mut reader = Reader::from_reader(report);
    let mut cases = 0;
    loop {
        match reader.read_event()? {
            Event::Start(start) | Event::Empty(start) => cases += attributes(&start)?,
            Event::Eof => return Ok(cases),
            other => {
                black_box(other);
            }
        }
    }
}

/// Puts a zone behind each time, as quick-junit takes none without, and most writers of reports give none.
fn with_zones(report: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(report);
    let mut parts = text.split(" timestamp=\"");
    let mut changed = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (time, rest) = part.split_once('"').unwrap_or((part, ""));
        changed.extend([" timestamp=\"", time, "Z\"", rest]);
    }
    changed.into_bytes()
}

fn quick_junit_cases(report: &[u8]) -> Result<u64, AnyError> {
    let report = quick_junit::Report::deserialize(report)?;
    Ok(report.test_suites.iter().map(|suite| suite.test_cases.len() as u64).sum())
}
