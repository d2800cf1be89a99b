//! The results of Android's Compatibility Test Suite and of Tradefed's suites
//! (<https://source.android.com/docs/compatibility/cts/interpret>).

use std::borrow::Cow;

use super::trouble::{child_word, tell, tell_if_empty, unknown};
use crate::model::{Case, Detail, Outcome};
use crate::out::Out;
use crate::scan::xml::tree::Element;

/// Reads `Module/TestCase/Test`. A module runs once for each ABI.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    let before = out.cases;
    for module in root.children_named("Module") {
        if let Some(reason) = module.child("Reason") {
            out.failure_outside(module.offset(), reason.filled("message"));
        }
        let suite: Vec<_> = module.filled("name").into_iter().chain(module.filled("abi")).collect();
        for class in module.children_named("TestCase") {
            for test in class.children_named("Test") {
                let mut case = case(test, out);
                case.suite.clone_from(&suite);
                case.class = class.filled("name");
                tell(test, case, out);
            }
        }
    }
    tell_if_empty(root, before, out);
}

fn case<'xml>(test: Element<'xml>, out: &mut Out<'_>) -> Case<'xml> {
    let outcome = match test.attribute("result").as_deref() {
        Some("pass") => Outcome::Passed,
        Some("fail") => Outcome::Failed,
        Some(
            "not_executed" | "IGNORED" | "ASSUMPTION_FAILURE" | "skipped" | "ignored" | "assumption_failure",
        ) => Outcome::Skipped,
        _ => unknown(test, out),
    };
    let mut case = Case::new(outcome, test.offset());
    case.name = test.filled("name");
    if let Some(failure) = test.child("Failure") {
        case.detail = Detail {
            kind: None,
            message: failure.filled("message"),
            text: child_word(failure, "StackTrace"),
        };
    }
    if test.attribute("skipped").as_deref() == Some("true") {
        case.properties.push((Cow::Borrowed("skipped"), Cow::Borrowed("true")));
    }
    case
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn modules_are_read_for_each_abi() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/android_cts/test_result.xml")),
            r#"CtsSums > arm64-v8a | [sums.SumTest] | adds | passed
CtsSums > arm64-v8a | [sums.SumTest] | subtracts | failed | expected 1 | "AssertionError: expected 1\n\tat sums.SumTest"
! failure-outside-case @434 device went away
CtsSums > x86 | [sums.SumTest] | adds | skipped
"#
        );
    }
}
