//! Catch2 XML, of version 2 (`Catch`) and 3 (`Catch2TestRun`)
//! (<https://github.com/catchorg/Catch2/blob/devel/src/catch2/reporters/catch_reporter_xml.cpp>).

use std::borrow::Cow;

use super::trouble::{
    Sections, Troubles, child_word, joined, line_number, place, tell, tell_if_empty, unknown, word_of,
};
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::xml::tree::Element;
use crate::time::parse_seconds;

/// Reads every `TestCase`, with all its sections; in version 2 they stand in a `Group`.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    let before = out.cases;
    cases(root, out);
    for group in root.children_named("Group") {
        cases(group, out);
    }
    tell_if_empty(root, before, out);
}

fn cases(element: Element<'_>, out: &mut Out<'_>) {
    for child in element.children() {
        if child.is("TestCase") {
            let case = case(child, out);
            tell(child, case, out);
        } else if child.is("FatalErrorCondition") || child.is("Exception") {
            out.failure_outside(child.offset(), child.filled_text());
        }
    }
}

fn case<'xml>(element: Element<'xml>, out: &mut Out<'_>) -> Case<'xml> {
    let mut told = Told::default();
    assertions(element, &mut Sections::default(), &mut told);
    let mut case = Case::new(Outcome::Passed, element.offset());
    case.name = element.filled("name");
    case.class = element.filled("classname");
    case.file = element.filled("filename");
    case.line = line_number(element.attribute("line"));
    for name in ["tags", "description"] {
        case.properties.extend(element.filled(name).map(|value| (Cow::Borrowed(name), value)));
    }
    let Some(overall) = element.child("OverallResult") else {
        if element.is_whole() {
            case.outcome = unknown(element, out);
        }
        return case;
    };
    case.seconds = overall.attribute("durationInSeconds").and_then(|time| parse_seconds(&time));
    case.stdout = overall.child("StdOut").and_then(|printed| printed.filled_text());
    case.stderr = overall.child("StdErr").and_then(|printed| printed.filled_text());
    let has_skips = overall.attribute("skips").is_some_and(|skips| skips != "0");
    case.outcome = match overall.attribute("success").as_deref() {
        Some("false") if told.troubles.is_empty() => Outcome::Failed,
        Some("false") => told.troubles.outcome(),
        // where a check failed that may fail, Catch2 counts the case so, not as skipped
        Some("true") if has_skips && told.troubles.is_empty() => Outcome::Skipped,
        Some("true") => Outcome::Passed,
        _ => unknown(overall, out),
    };
    case.detail = if told.troubles.is_empty() && has_skips {
        Detail { message: joined(told.skips, "\n"), ..Detail::default() }
    } else {
        told.troubles.into_detail()
    };
    case
}

/// What a test case and its sections say.
#[derive(Default)]
struct Told<'xml> {
    troubles: Troubles<'xml>,
    skips: Vec<Text<'xml>>,
    /// Messages that the next assertion is told with.
    infos: Vec<Text<'xml>>,
}

fn assertions<'xml>(element: Element<'xml>, sections: &mut Sections<'xml>, told: &mut Told<'xml>) {
    for child in element.children() {
        match child.name() {
            b"Section" => {
                let depth = sections.enter(child);
                assertions(child, sections, told);
                sections.leave(depth);
            }
            b"Info" | b"Warning" => told.infos.extend(word_of(child)),
            b"Skip" => told.skips.extend(word_of(child)),
            b"Expression" => {
                let thrown = child.child("Exception").or_else(|| child.child("FatalErrorCondition"));
                if child.attribute("success").as_deref() == Some("true") {
                    told.infos.clear();
                } else if let Some(thrown) = thrown {
                    let detail = expression(child, Some(thrown), sections, told);
                    told.troubles.errored(detail);
                } else {
                    let detail = expression(child, None, sections, told);
                    told.troubles.failed(detail);
                }
            }
            b"Failure" => {
                let detail = other(child, None, sections, told);
                told.troubles.failed(detail);
            }
            b"Exception" | b"FatalErrorCondition" => {
                let kind = if child.is("Exception") { "Exception" } else { "FatalErrorCondition" };
                let detail = other(child, Some(Cow::Borrowed(kind)), sections, told);
                told.troubles.errored(detail);
            }
            _ => {}
        }
    }
}

/// A check: its source, what stood there, and what was thrown.
fn expression<'xml>(
    element: Element<'xml>,
    thrown: Option<Element<'xml>>,
    sections: &mut Sections<'xml>,
    told: &mut Told<'xml>,
) -> Detail<'xml> {
    let mut lines = around(element, sections, told);
    let thrown = thrown.and_then(word_of);
    let original = child_word(element, "Original");
    // what was thrown between checks is told of one without a source
    let Some(kind) = element.filled("type") else {
        let kind = Some(Cow::Borrowed("Exception"));
        return Detail { kind, message: thrown.or(original), text: joined(lines, "\n") };
    };
    lines.extend(child_word(element, "Expanded").map(|found| Cow::Owned(format!("with: {found}"))));
    lines.extend(thrown.map(|text| Cow::Owned(format!("thrown: {text}"))));
    Detail { kind: Some(kind), message: original, text: joined(lines, "\n") }
}

fn other<'xml>(
    element: Element<'xml>,
    kind: Option<Text<'xml>>,
    sections: &mut Sections<'xml>,
    told: &mut Told<'xml>,
) -> Detail<'xml> {
    let lines = around(element, sections, told);
    Detail { kind, message: word_of(element), text: joined(lines, "\n") }
}

/// The place of an assertion: file and line, sections, and the messages told before it.
fn around<'xml>(
    element: Element<'xml>,
    sections: &mut Sections<'xml>,
    told: &mut Told<'xml>,
) -> Vec<Text<'xml>> {
    let at = place(element.filled("filename"), line_number(element.attribute("line")));
    let mut lines: Vec<_> = at.into_iter().collect();
    lines.extend(sections.named());
    lines.append(&mut told.infos);
    lines
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn version_3_is_read_with_sections_and_skips() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/catch2/run3.xml")),
            r#"adds | sum.cpp:8 | passed | 0.002s | {tags=[fast]}
adds wrongly | sum.cpp:20 | failed | 0.5s | CHECK: a + b == 3 | "sum.cpp:26\nin big > odd\na is 1\nwith: 4 == 3\n\ngave up\nsum.cpp:28" | out "      printed"
throws | sum.cpp:40 | errored | REQUIRE: f() == 1 | "sum.cpp:41\nwith: f() == 1\nthrown: bad luck"
crashes | sum.cpp:50 | errored | FatalErrorCondition: SIGSEGV - Segmentation violation signal | "sum.cpp:51"
not here | sum.cpp:60 | skipped | needs a network
may fail | sum.cpp:70 | passed | CHECK: false | "sum.cpp:71\nwith: false"
empty | sum.cpp:80 | failed
"#
        );
    }

    #[test]
    fn version_2_has_its_cases_in_a_group() {
        let report = "<Catch name='t'><Group name='t'><TestCase name='a' filename='a.cpp' line='3'>\
                      <OverallResult success='true' durationInSeconds='1.5'/></TestCase>\
                      <TestCase name='b'></TestCase></Group></Catch>";
        assert_eq!(told(report), "a | a.cpp:3 | passed | 1.5s\n! unknown-status @143\nb | errored\n");
        let thrown = "<Catch name='t'><Group name='t'><TestCase name='a'><Expression success='false' filename='a.cpp' line='3'>\
                      <Original>{Unknown expression after the reported line}</Original><Exception>bad</Exception></Expression>\
                      <OverallResult success='false'/></TestCase></Group></Catch>";
        assert_eq!(told(thrown), "a | errored | Exception: bad | \"a.cpp:3\"\n");
        assert_eq!(told("<Catch2TestRun name='t'></Catch2TestRun>"), "! no-cases @0\n");
    }
}
