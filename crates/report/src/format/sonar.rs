//! Sonar's generic test executions
//! (<https://docs.sonarsource.com/sonarqube-server/latest/analyzing-source-code/test-coverage/generic-test-data/>).

use super::trouble::{Troubles, tell, tell_if_empty, word_of};
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome};
use crate::out::Out;
use crate::scan::xml::tree::Element;

/// Reads `file/testCase`. The root of an older version is `unitTest`.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    let before = out.cases;
    for file in root.children_named("file") {
        for test in file.children_named("testCase") {
            let mut case = case(test, out);
            case.file = file.filled("path");
            tell(test, case, out);
        }
    }
    tell_if_empty(root, before, out);
}

fn case<'xml>(test: Element<'xml>, out: &mut Out<'_>) -> Case<'xml> {
    let mut troubles = Troubles::default();
    let mut skipped = None;
    for child in test.children() {
        let detail = Detail { kind: None, message: child.filled("message"), text: word_of(child) };
        match child.name() {
            b"failure" => troubles.failed(detail),
            b"error" => troubles.errored(detail),
            b"skipped" => skipped = Some(detail),
            _ => {}
        }
    }
    let mut case = Case::new(troubles.outcome(), test.offset());
    case.name = test.filled("name");
    if let Some(duration) = test.filled("duration") {
        // a whole number of milliseconds
        case.seconds =
            duration.trim().parse::<u32>().ok().map(|milliseconds| f64::from(milliseconds) / 1000.0);
        if case.seconds.is_none() {
            out.finding(FindingCode::BadTime, test.offset());
        }
    }
    match skipped.filter(|_| troubles.is_empty()) {
        Some(detail) => (case.outcome, case.detail) = (Outcome::Skipped, detail),
        None => case.detail = troubles.into_detail(),
    }
    case
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn cases_are_read_with_their_files() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/sonar/executions.xml")),
            r#"adds | src/sum.test.ts | passed | 0.25s
subtracts | src/sum.test.ts | failed | 1s | expected 1 | "at sum.test.ts:3"
divides | src/sum.test.ts | errored | by zero
asks | src/sum.test.ts | skipped | 0s | no network
! bad-time @389
waits | src/wait.test.ts | passed
"#
        );
    }
}
