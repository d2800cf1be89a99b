use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use super::ctrf::Ctrf;
use super::junit::{Junit, Piece};
use super::ndjson;
use crate::finding::Finding;
use crate::fold::Fold;
use crate::identity::TestId;
use crate::limits::Limits;
use crate::model::{Case, Outcome};
use crate::out::Visitor;
use crate::reader::read;

#[derive(Default)]
struct Cases(Vec<Case<'static>>);

impl Visitor for Cases {
    fn case(&mut self, case: &Case<'_>) {
        self.0.push(case.clone().into_owned());
    }

    fn finding(&mut self, _finding: Finding) {}
}

fn cases(report: &[u8]) -> Vec<Case<'static>> {
    let mut cases = Cases::default();
    read(report, Limits::default(), &mut cases);
    cases.0
}

fn as_junit(cases: &[Case<'_>]) -> (String, u64) {
    let (mut junit, mut kept) = (Junit::default(), String::new());
    cases.iter().for_each(|case| junit.case(case, &mut kept));
    let mut document = String::new();
    let written: Result<(), ()> = junit.write(|piece| {
        document += &match piece {
            Piece::Text(text) => text,
            Piece::Cases(range) => {
                let [start, end] = [range.start, range.end].map(|place| usize::try_from(place).unwrap());
                kept.get(start..end).unwrap().to_owned()
            }
        };
        Ok(())
    });
    written.unwrap();
    (document, junit.tries_left_out())
}

fn as_ctrf(cases: &[Case<'_>]) -> String {
    let mut document = String::new();
    let mut ctrf = Ctrf::begin(&mut document);
    for case in cases {
        ctrf.case("a.xml", case, TestId::of("", case, Fold::NOTHING), &mut document);
    }
    ctrf.end(&mut document);
    document
}

fn fixtures() -> Vec<PathBuf> {
    fn below(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { below(&path, found) } else { found.push(path) }
        }
    }
    let mut found = Vec::new();
    below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures"), &mut found);
    found
}

const REPORT: &str = r#"<testsuites><testsuite name="a"><testcase name="one" classname="C" file="c.rs" line="7" time="1.5"
timestamp="2026-11-23T02:40:40Z"><flakyError message="&quot;first&quot;" type="K" time="0.25">at &lt;x&gt;</flakyError><properties>
<property name="p" value="1"/><property name="p" value="2"/></properties><system-out>o</system-out></testcase>
<testsuite name="b"><testcase name="two"><failure message="m">t</failure><rerunFailure message="n">u</rerunFailure></testcase>
<testcase name="three"><error type="E"/></testcase></testsuite></testsuite><testcase><skipped/></testcase></testsuites>"#;

#[test]
fn each_form_is_as_documented() {
    let cases = cases(REPORT.as_bytes());
    insta::assert_snapshot!("junit", as_junit(&cases).0);
    insta::assert_snapshot!("ctrf", as_ctrf(&cases));
    let mut lines = String::new();
    for case in &cases {
        ndjson::line("a.xml", case, TestId::of("", case, Fold::NOTHING), &mut lines);
    }
    insta::assert_snapshot!("ndjson", lines);
}

/// What the form cannot tell is made alike.
fn for_junit(mut case: Case<'static>) -> Case<'static> {
    let allowed = |text: &str| {
        let forbidden = |character: char| matches!(character, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}');
        // the reader leaves out blank lines around a text, too
        let text = text.trim_end();
        let begin = text.find(|character: char| !character.is_whitespace()).unwrap_or(0);
        let line = text.get(..begin).unwrap().rfind('\n').map_or(0, |end| end + 1);
        text.get(line..).unwrap().replace(forbidden, "\u{fffd}").into()
    };
    let texts = case.suite.iter_mut().chain(&mut case.name).chain(&mut case.class).chain(&mut case.file);
    let texts = texts.chain(&mut case.stdout).chain(&mut case.stderr);
    let texts = texts.chain(case.properties.iter_mut().map(|(_, value)| value));
    let details = std::iter::once(&mut case.detail).chain(case.tries.iter_mut().map(|one| &mut one.detail));
    let texts =
        texts.chain(details.flat_map(|one| one.kind.iter_mut().chain(&mut one.message).chain(&mut one.text)));
    for text in texts {
        *text = allowed(text);
    }
    // the time of the case is that of the try that its own elements tell
    for one in &mut case.tries {
        one.seconds = None;
    }
    (case.offset, case.ordinal) = (0, 0);
    case
}

#[test]
fn what_junit_can_tell_is_read_again() {
    let (mut compared, mut wrong) = (0, String::new());
    for path in fixtures() {
        let cases = cases(&fs::read(&path).unwrap());
        let (document, left_out) = as_junit(&cases);
        if left_out > 0 {
            continue;
        }
        compared += cases.len();
        let mut again: Vec<_> = self::cases(document.as_bytes()).into_iter().map(for_junit).collect();
        let mut cases: Vec<_> = cases.into_iter().map(for_junit).collect();
        // suites are told one behind the other
        again.sort_by(|one, other| one.suite.cmp(&other.suite));
        cases.sort_by(|one, other| one.suite.cmp(&other.suite));
        for pair in cases.iter().zip(&again).filter(|(one, other)| one != other).take(1) {
            writeln!(wrong, "{}\n  {:?}\n  {:?}", path.display(), pair.0, pair.1).unwrap();
        }
        if cases.len() != again.len() {
            writeln!(wrong, "{}: {} cases, then {}", path.display(), cases.len(), again.len()).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(compared > 400, "{compared}");
}

#[test]
fn what_ctrf_can_tell_is_read_again() {
    let mut compared = 0;
    for path in fixtures() {
        let cases = cases(&fs::read(&path).unwrap());
        let again = self::cases(as_ctrf(&cases).as_bytes());
        assert_eq!(cases.len(), again.len(), "{}", path.display());
        for (one, other) in cases.iter().zip(&again) {
            assert_eq!(
                (one.outcome, &one.suite, &one.file, one.line, &one.detail.message, one.tries.len()),
                (
                    other.outcome,
                    &other.suite,
                    &other.file,
                    other.line,
                    &other.detail.message,
                    other.tries.len()
                ),
                "{}",
                path.display()
            );
            assert_eq!(one.name.as_deref().unwrap_or("(no name)"), other.name.as_deref().unwrap_or_default());
            compared += 1;
        }
    }
    assert!(compared > 400, "{compared}");
}

#[test]
fn a_try_that_passed_before_one_that_failed_is_counted() {
    let mut case = cases(REPORT.as_bytes()).swap_remove(0);
    case.outcome = Outcome::Failed;
    for (one, outcome) in case.tries.iter_mut().zip([Outcome::Passed, Outcome::Failed]) {
        one.outcome = outcome;
    }
    assert_eq!(as_junit(&[case]).1, 1);
}
