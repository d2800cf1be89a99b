//! CTest's `Test.xml` (`cmCTestTestHandler.cxx`; <https://cmake.org/cmake/help/latest/manual/ctest.1.html>).

use std::borrow::Cow;
use std::io::{self, Read as _};

use flate2::read::ZlibDecoder;

use super::trouble::{child_word, joined, tell, tell_if_empty, unknown, word_of};
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::xml::tree::Element;
use crate::time::parse_seconds;

/// Reads `Site/Testing/Test`; those in the list of tests have no status.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    let before = out.cases;
    let mut left = out.limits.report_bytes;
    for testing in root.children_named("Testing") {
        for test in testing.children_named("Test") {
            let case = case(test, &mut left, out);
            tell(test, case, out);
        }
    }
    tell_if_empty(root, before, out);
}

/// The named measurements of a test that its outcome depends on.
#[derive(Default)]
struct Results<'xml> {
    exit_code: Option<Text<'xml>>,
    completion: Option<Text<'xml>>,
    reason: Option<Text<'xml>>,
}

fn case<'xml>(test: Element<'xml>, left: &mut usize, out: &mut Out<'_>) -> Case<'xml> {
    let mut case = Case::new(Outcome::Passed, test.offset());
    case.name = child_word(test, "Name");
    case.suite = folders(child_word(test, "Path"));
    let mut found = Results::default();
    let mut printed = Vec::new();
    let results = test.child("Results");
    for result in results.iter().flat_map(Element::children) {
        if result.is("Measurement") {
            printed.extend(result.child("Value").and_then(|value| output(value, left, out)));
        } else if result.is("NamedMeasurement") {
            measurement(result, &mut found, &mut case);
        }
    }
    case.stdout = joined(printed, "\n");
    let labels = test.child("Labels");
    for label in labels.iter().flat_map(Element::children).filter_map(word_of) {
        case.properties.push((Cow::Borrowed("label"), label));
    }
    case.outcome = match test.attribute("Status").as_deref() {
        Some("passed") => return case,
        Some("notrun") if found.completion.as_deref().is_some_and(is_broken_setup) => Outcome::Errored,
        Some("notrun") => Outcome::Skipped,
        // an exit code other than this says how the process ended: a signal, a time limit
        Some("failed") => match (found.exit_code.as_deref(), found.completion.as_deref()) {
            (None | Some("Failed" | "Completed"), None | Some("Failed" | "Completed")) => Outcome::Failed,
            _ => Outcome::Errored,
        },
        _ => unknown(test, out),
    };
    let completion = found.completion.filter(|completion| completion != "Completed");
    let kind = found.exit_code.filter(|code| !matches!(code.as_ref(), "Failed" | "Completed"));
    case.detail = Detail { kind, message: found.reason.or(completion), text: None };
    case
}

/// Reports whether CTest could not run a test that it should have run: it ends with an error then.
fn is_broken_setup(completion: &str) -> bool {
    ["Unable to find", "Required Files Missing", "Fixture dependency failed", "Failed to start"]
        .iter()
        .any(|begin| completion.starts_with(begin))
}

fn measurement<'xml>(result: Element<'xml>, found: &mut Results<'xml>, case: &mut Case<'xml>) {
    let kind = result.attribute("type").unwrap_or_default();
    // pictures and attached files are in code
    if kind.starts_with("image/") || kind == "file" {
        return;
    }
    let Some(value) = child_word(result, "Value") else { return };
    let Some(name) = result.filled("name") else { return };
    match name.as_ref() {
        "Execution Time" => case.seconds = parse_seconds(&value),
        "Exit Code" => found.exit_code = Some(value),
        "Completion Status" => found.completion = Some(value),
        "Fail Reason" => found.reason = Some(value),
        _ => case.properties.push((name, value)),
    }
}

/// The folder of the build tree that the test belongs to, each part a suite.
fn folders(path: Option<Text<'_>>) -> Vec<Text<'_>> {
    let parts = |part: &&str| !part.is_empty() && *part != ".";
    match path {
        None => Vec::new(),
        Some(Cow::Borrowed(path)) => path.split('/').filter(parts).map(Cow::Borrowed).collect(),
        Some(Cow::Owned(path)) => {
            path.split('/').filter(parts).map(|part| Cow::Owned(part.to_owned())).collect()
        }
    }
}

/// What the test printed: as it stands, or deflated and in base64. `left` is how much may yet be inflated.
fn output<'xml>(value: Element<'xml>, left: &mut usize, out: &mut Out<'_>) -> Option<Text<'xml>> {
    if value.attribute("compression").as_deref() != Some("gzip") {
        return value.filled_text();
    }
    if let Some(text) = inflated(&value.text(), out.limits.case_bytes, left) {
        return Some(text).filter(|text| !text.trim().is_empty()).map(Cow::Owned);
    }
    out.finding(FindingCode::BadOutput, value.offset());
    word_of(value)
}

/// Undoes base64 and zlib, up to a limit of bytes.
fn inflated(coded: &str, limit: usize, left: &mut usize) -> Option<String> {
    let deflated = from_base64(coded)?;
    let limit = limit.min(*left);
    let mut raw = Vec::new();
    let more = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    let inflating = io::copy(&mut ZlibDecoder::new(deflated.as_slice()).take(more), &mut raw);
    *left -= raw.len().min(limit);
    inflating.ok()?;
    if raw.len() > limit {
        return None;
    }
    Some(
        String::from_utf8(raw).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()),
    )
}

/// Undoes base64; padding may be too long, as CTest's is.
fn from_base64(coded: &str) -> Option<Vec<u8>> {
    let mut raw = Vec::with_capacity(coded.len() / 4 * 3);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in coded.bytes().filter(|byte| !byte.is_ascii_whitespace() && *byte != b'=') {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6 | u32::from(value)) & 0xFFFF;
        held += 6;
        if held >= 8 {
            held -= 8;
            raw.push(u8::try_from(bits >> held & 0xFF).unwrap_or_default());
        }
    }
    Some(raw)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::told;

    #[test]
    fn a_test_xml_is_read_with_what_ended_each_test() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/ctest/test.xml")),
            r#"libs > math | adds | passed | 0.25s | out "one\ntwo" | {Command Line=/b/adds, label=fast, label=unit}
libs > math | divides | failed | 0.5s | Required regular expression not found. | {Exit Value=1}
waits | errored | 30s | Timeout: Timeout
breaks | errored | SEGFAULT:
off | skipped | Disabled
asks | skipped | SKIP_RETURN_CODE=77
gone | errored | Unable to find executable | out "Unable to find executable: /b/gone"
packed | passed | out "packed output\n"
! bad-output @3241
broken | passed | out "!!!"
! unknown-status @3328
odd | errored
"#
        );
    }

    #[test]
    fn base64_is_undone_whatever_its_padding() {
        assert_eq!(from_base64("YWJj\nZA====").as_deref(), Some(&b"abcd"[..]));
        assert_eq!(from_base64("YW?"), None);
        assert_eq!(inflated("YWJj", 100, &mut 100), None);
    }

    #[test]
    fn no_more_is_inflated_than_the_limits_allow() {
        let coded = "eJwrSEzOTk1RyC8tKSgt4QIAKOoFRA==";
        let mut left = 30;
        assert_eq!(inflated(coded, 100, &mut left).as_deref(), Some("packed output\n"));
        assert_eq!(left, 16);
        assert_eq!(inflated(coded, 13, &mut left), None);
        assert_eq!(left, 3);
        assert_eq!(inflated(coded, 100, &mut left), None);
    }
}
