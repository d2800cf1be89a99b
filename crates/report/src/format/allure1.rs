//! Allure 1 XML, a test suite a file (<https://github.com/allure-framework/allure1/blob/master/allure-model/src/main/resources/allure.xsd>).

use std::borrow::Cow;

use super::trouble::{child_word, tell, tell_if_empty, unknown};
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome};
use crate::out::Out;
use crate::scan::xml::tree::Element;
use crate::time::Instant;

/// Reads `test-cases/test-case`.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    let before = out.cases;
    let suite = child_word(root, "name");
    let list = root.child("test-cases");
    for test in list.iter().flat_map(Element::children).filter(|child| child.is("test-case")) {
        let mut case = case(test, out);
        case.suite.extend(suite.clone());
        tell(test, case, out);
    }
    tell_if_empty(root, before, out);
}

fn case<'xml>(test: Element<'xml>, out: &mut Out<'_>) -> Case<'xml> {
    let outcome = match test.attribute("status").as_deref() {
        Some("passed") => Outcome::Passed,
        Some("failed") => Outcome::Failed,
        Some("broken") => Outcome::Errored,
        Some("canceled" | "skipped" | "pending") => Outcome::Skipped,
        _ => unknown(test, out),
    };
    let mut case = Case::new(outcome, test.offset());
    case.name = child_word(test, "name");
    let instant = |name| test.attribute(name).and_then(|time| time.trim().parse::<i64>().ok());
    let (start, stop) = (instant("start").filter(|&start| start > 0), instant("stop"));
    case.started = start.map(Instant::utc);
    match start.zip(stop).map(|(start, stop)| u32::try_from(stop.saturating_sub(start))) {
        Some(Ok(milliseconds)) => case.seconds = Some(f64::from(milliseconds) / 1000.0),
        Some(Err(_)) => out.finding(FindingCode::BadTime, test.offset()),
        None => {}
    }
    if let Some(failure) = test.child("failure") {
        let (message, text) = (child_word(failure, "message"), child_word(failure, "stack-trace"));
        case.detail = Detail { kind: None, message, text };
    }
    case.properties.extend(child_word(test, "title").map(|title| (Cow::Borrowed("title"), title)));
    for list in test.children().filter(|child| child.is("labels") || child.is("parameters")) {
        let pairs = list.children().filter_map(|pair| Some((pair.filled("name")?, pair.attribute("value")?)));
        case.properties.extend(pairs);
    }
    case
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn a_suite_is_read_with_labels() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/allure1/suite.xml")),
            r#"sums.SumTest | adds | passed | 0.25s | @2026-11-23T02:40:40Z | {severity=minor, side=left}
sums.SumTest | subtracts | failed | expected 1 | "at sums" | {title=It subtracts}
sums.SumTest | divides | errored
sums.SumTest | asks | skipped
! unknown-status @720
sums.SumTest | odd | errored
"#
        );
    }
}
