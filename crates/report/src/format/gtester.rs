//! The XML of GLib's gtester (<https://gitlab.gnome.org/GNOME/glib/-/blob/2.58.0/glib/gtester.c>).

use std::borrow::Cow;

use super::trouble::{Troubles, joined, tell, tell_if_empty, unknown, word_of};
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::xml::tree::Element;
use crate::time::parse_seconds;

/// Reads `testbinary/testcase`.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    let before = out.cases;
    for binary in root.children_named("testbinary") {
        let name = binary.filled("path").map(last_part);
        for test in binary.children_named("testcase") {
            let mut case = case(test, out);
            if let Some(path) = test.filled("path") {
                let mut parts: Vec<_> = path.split('/').filter(|part| !part.is_empty()).collect();
                case.name = parts.pop().map(|name| Cow::Owned(name.to_owned()));
                case.suite.extend(name.clone());
                case.suite.extend(parts.into_iter().map(|part| Cow::Owned(part.to_owned())));
            }
            tell(test, case, out);
        }
    }
    tell_if_empty(root, before, out);
}

/// The name of a binary: the folders differ on each machine.
fn last_part(path: Text<'_>) -> Text<'_> {
    match path.trim_end_matches('/').rsplit_once('/') {
        Some((_, last)) => Cow::Owned(last.to_owned()),
        None => path,
    }
}

fn case<'xml>(test: Element<'xml>, out: &mut Out<'_>) -> Case<'xml> {
    let mut troubles = Troubles::default();
    let (mut printed, mut seconds, mut result) = (Vec::new(), None, None);
    for entry in test.children() {
        match entry.name() {
            b"error" => {
                troubles.failed(Detail { message: word_of(entry), ..Detail::default() });
            }
            b"message" => printed.extend(word_of(entry)),
            b"duration" => seconds = word_of(entry).and_then(|time| parse_seconds(&time)),
            b"status" => result = entry.attribute("result"),
            _ => {}
        }
    }
    let outcome = match result.as_deref() {
        Some("success") => Outcome::Passed,
        Some("failed") => Outcome::Failed,
        Some("skipped" | "incomplete") => Outcome::Skipped,
        None if test.attribute("skipped").as_deref() == Some("1") => Outcome::Skipped,
        // the binary ended within the test
        None if !troubles.is_empty() => Outcome::Errored,
        _ if test.is_whole() => unknown(test, out),
        _ => Outcome::Errored,
    };
    let mut case = Case::new(outcome, test.offset());
    case.seconds = seconds;
    case.detail = troubles.into_detail();
    case.stdout = joined(printed, "\n");
    case
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn paths_of_tests_are_suites_and_a_name() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/gtester/log.xml")),
            "sums > big | adds | passed | 0.5s | out \"one\\ntwo\"\nsums | subtracts | failed | 0s | assertion failed\nsums | asks | skipped\n"
        );
    }
}
