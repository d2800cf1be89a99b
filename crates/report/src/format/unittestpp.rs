//! UnitTest++ XML (<https://github.com/unittest-cpp/unittest-cpp>, `XmlTestReporter.cpp`).

use super::trouble::{Troubles, tell, tell_if_empty};
use crate::model::{Case, Detail};
use crate::out::Out;
use crate::scan::xml::tree::Element;
use crate::time::parse_seconds;

/// Reads every `test`.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    let before = out.cases;
    for test in root.children_named("test") {
        let mut troubles = Troubles::default();
        for failure in test.children_named("failure") {
            troubles.failed(Detail { message: failure.filled("message"), ..Detail::default() });
        }
        let mut case = Case::new(troubles.outcome(), test.offset());
        case.suite.extend(test.filled("suite"));
        case.name = test.filled("name");
        case.seconds = test.attribute("time").and_then(|time| parse_seconds(&time));
        case.detail = troubles.into_detail();
        tell(test, case, out);
    }
    tell_if_empty(root, before, out);
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn tests_are_read_with_all_their_failures() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/unittestpp/results.xml")),
            "Sums | adds | passed | 1.5s\nSums | subtracts | failed | sum.cpp(14) : 1 == 2 | \"sum.cpp(15) : 3 == 4\"\n"
        );
    }
}
