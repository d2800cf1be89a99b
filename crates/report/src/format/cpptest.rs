//! Parasoft C++test XML, of version 7 and later (<https://docs.parasoft.com/>, `ResultsSession`).

use std::borrow::Cow;
use std::collections::HashMap;

use super::trouble::{Troubles, joined, line_number, place, tell, tell_if_empty};
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::xml::tree::Element;
use crate::time::parse_clock;

/// Reads the tests that were executed, with what each violated; an older report lists what was observed alone.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    let before = out.cases;
    let executions = root.children_named("Exec").flat_map(|exec| exec.children_named("ExecViols"));
    let violations: Vec<_> = executions.flat_map(|list| list.children_named("ExecViol")).collect();
    let executed: Vec<_> = root.children_named("ExecutedTestsDetails").collect();
    if executed.is_empty() {
        observed(&violations, out);
    } else {
        let mut by_test: HashMap<Text<'_>, Vec<Element<'_>>> = HashMap::new();
        for violation in &violations {
            let test = violation.filled("testId").or_else(|| violation.filled("testName"));
            by_test.entry(test.unwrap_or_default()).or_default().push(*violation);
        }
        for details in executed {
            suite(details, &mut Vec::new(), &mut by_test, out);
        }
    }
    tell_if_empty(root, before, out);
}

fn suite<'xml>(
    element: Element<'xml>,
    path: &mut Vec<Text<'xml>>,
    by_test: &mut HashMap<Text<'xml>, Vec<Element<'xml>>>,
    out: &mut Out<'_>,
) {
    for child in element.children() {
        match child.name() {
            b"Total" => suite(child, path, by_test, out),
            b"Project" | b"TestSuite" => {
                let depth = path.len();
                path.extend(child.filled("name"));
                suite(child, path, by_test, out);
                path.truncate(depth);
            }
            b"Test" => {
                let case = executed_case(child, path, by_test);
                tell(child, case, out);
            }
            _ => {}
        }
    }
}

fn executed_case<'xml>(
    test: Element<'xml>,
    path: &[Text<'xml>],
    by_test: &mut HashMap<Text<'xml>, Vec<Element<'xml>>>,
) -> Case<'xml> {
    let counts = |name| test.attribute(name).is_some_and(|count| count.trim() != "0");
    let outcome = match (counts("fail"), counts("pass")) {
        (true, _) => Outcome::Failed,
        (false, true) => Outcome::Passed,
        (false, false) => Outcome::Skipped,
    };
    let mut case = Case::new(outcome, test.offset());
    case.suite = path.to_vec();
    case.name = test.filled("name").map(|name| match (name.split_once("::"), path.last()) {
        (Some((class, name)), Some(suite)) if class == suite => Cow::Owned(name.to_owned()),
        _ => name,
    });
    case.seconds = test.attribute("time").and_then(|time| parse_clock(&time));
    if outcome == Outcome::Failed {
        let keys = [test.filled("id"), test.filled("name")];
        let found = keys.into_iter().flatten().find_map(|key| by_test.remove(&key));
        let mut troubles = Troubles::default();
        for violation in found.into_iter().flatten() {
            troubles.failed(detail(violation));
        }
        case.detail = troubles.into_detail();
    }
    case
}

/// The tests that something was observed of: those with an outcome alone passed.
fn observed<'xml>(violations: &[Element<'xml>], out: &mut Out<'_>) {
    let mut places: HashMap<Text<'xml>, usize> = HashMap::new();
    let mut tests: Vec<(Element<'xml>, Text<'xml>, Troubles<'xml>)> = Vec::new();
    for violation in violations {
        let name = violation.filled("testName").unwrap_or_default();
        let place = *places.entry(name.clone()).or_insert(tests.len());
        if place == tests.len() {
            tests.push((*violation, name, Troubles::default()));
        }
        let detail = detail(*violation);
        if let Some((_, _, troubles)) =
            tests.get_mut(place).filter(|_| detail.kind.as_deref() != Some("Outcome"))
        {
            troubles.failed(detail);
        }
    }
    for (first, name, troubles) in tests {
        let mut case = Case::new(troubles.outcome(), first.offset());
        (case.class, case.name) = match name.split_once("::") {
            Some((class, name)) => (Some(Cow::Owned(class.to_owned())), Some(Cow::Owned(name.to_owned()))),
            None => (None, Some(name).filter(|name| !name.is_empty())),
        };
        case.detail = troubles.into_detail();
        tell(first, case, out);
    }
}

/// What was observed, and the places that led to it.
fn detail<'xml>(violation: Element<'xml>) -> Detail<'xml> {
    let mut detail = Detail::default();
    let mut places = Vec::new();
    let parts = violation.children_named("Thr").flat_map(|thrown| thrown.children_named("ThrPart"));
    for part in parts {
        if detail.kind.is_none() && detail.message.is_none() {
            (detail.kind, detail.message) = (part.filled("clName"), part.filled("detMsg"));
        }
        let traces = part.children_named("Trace");
        places.extend(
            traces.filter_map(|trace| place(trace.filled("fileName"), line_number(trace.attribute("ln")))),
        );
    }
    detail.text = joined(places, "\n");
    detail
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn executed_tests_are_read_with_what_they_violated() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/cpptest/session.xml")),
            r#"Sums > tests > Sum_1a | adds | passed | 0.002s
Sums > tests > Sum_1a | subtracts | failed | 1s | Assertion failed: Assertion failed: 0==1 | "/Sums/sum.cpp:57\n/Sums/sum.cpp:9\n\nOutcome: Outcome: int=1\n/Sums/sum.cpp:60"
"#
        );
    }

    #[test]
    fn without_a_list_of_tests_those_observed_are_read() {
        let report = "<ResultsSession toolName='C++test'><Exec><ExecViols>\
            <ExecViol testName='S::a'><Thr><ThrPart clName='Outcome' detMsg='Outcome: 0'/></Thr></ExecViol>\
            <ExecViol testName='S::b'><Thr><ThrPart clName='Assertion failed' detMsg='0==1'/></Thr></ExecViol>\
            <ExecViol testName='S::a'><Thr><ThrPart clName='Outcome' detMsg='Outcome: 1'/></Thr></ExecViol>\
            </ExecViols></Exec></ResultsSession>";
        assert_eq!(told(report), "[S] | a | passed\n[S] | b | failed | Assertion failed: 0==1\n");
    }
}
