//! xUnit.net XML, of versions 1 to 3 and of go2xunit (<https://xunit.net/docs/format-xml-v2>,
//! <https://xunit.net/docs/format-xml-v1>).

use std::borrow::Cow;

use super::naming::{assembly, join, text_of, within};
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::xml::tree::Element;
use crate::time::{parse_clock, parse_instant, parse_seconds};

/// Exceptions that xUnit.net itself throws where no test could run, or not to its end.
const NOT_OF_TESTS: [&str; 3] = ["TestTimeoutException", "TestClassException", "TestPipelineException"];

/// Reads `assemblies`, or one `assembly`.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    if root.is("assembly") {
        tests_of(root, out);
    }
    for assembly in root.children_named("assembly") {
        tests_of(assembly, out);
    }
}

fn tests_of(element: Element<'_>, out: &mut Out<'_>) {
    let mut path: Vec<_> = element.filled("name").and_then(assembly).into_iter().collect();
    let depth = path.len();
    for group in element.children() {
        match group.name() {
            // version 2 and later
            b"collection" => {
                path.extend(group.filled("name").and_then(collection));
                tests(group, &path, None, out);
                path.truncate(depth);
            }
            // version 1
            b"class" => tests(group, &path, group.filled("name").as_ref(), out),
            b"errors" => {
                for error in group.children_named("error") {
                    out.failure_outside(
                        error.offset(),
                        error.child("failure").and_then(|failure| text_of(failure, "message")),
                    );
                }
            }
            _ => {}
        }
    }
}

/// Returns the name that a collection was given. Without one it is made of that of a class, or an assembly's path,
/// and an id of this machine.
fn collection(name: Text<'_>) -> Option<Text<'_>> {
    if name.starts_with("Test collection for ") {
        return None;
    }
    Some(super::naming::part(name, |name| name.split_once(" (id: ").map_or(name, |(name, _)| name)))
}

fn tests<'xml>(group: Element<'xml>, path: &[Text<'xml>], class: Option<&Text<'xml>>, out: &mut Out<'_>) {
    for child in group.children() {
        match child.name() {
            b"test" if child.is_whole() => {
                let case = case(child, path, class.cloned(), out);
                out.case(case);
            }
            b"test" => out.finding(FindingCode::CutCase, child.offset()),
            // of a fixture of the class, in version 1
            b"failure" => out.failure_outside(child.offset(), text_of(child, "message")),
            _ => {}
        }
    }
}

fn case<'xml>(
    test: Element<'xml>,
    path: &[Text<'xml>],
    class: Option<Text<'xml>>,
    out: &mut Out<'_>,
) -> Case<'xml> {
    let detail = detail(test);
    let mut case = Case::new(outcome(test, &detail, out), test.offset());
    case.detail = detail;
    case.suite = path.to_vec();
    // go2xunit writes one and the same type everywhere
    case.class = class.or_else(|| test.filled("type"));
    case.name = test.filled("name").map(|name| within(name, case.class.as_deref()));
    if case.name.is_none() {
        case.name = test.filled("method");
    }
    case.seconds = seconds(test, out);
    case.started = test.attribute("start-rtf").and_then(|start| parse_instant(&start));
    case.file = test.filled("source-file").or_else(|| text_of(test, "source-file"));
    let line = test.filled("source-line").or_else(|| text_of(test, "source-line"));
    case.line = line.and_then(|line| line.trim().parse().ok());
    case.stdout = text_of(test, "output");
    for warning in within_list(test, "warnings") {
        join(&mut case.stderr, warning.filled_text());
    }
    let traits = within_list(test, "traits");
    case.properties.extend(traits.filter_map(|one| Some((one.attribute("name")?, one.attribute("value")?))));
    let attachments = within_list(test, "attachments");
    case.properties
        .extend(attachments.filter_map(|one| Some((Cow::Borrowed("attachment"), one.filled("name")?))));
    case
}

fn within_list<'xml>(test: Element<'xml>, name: &'static str) -> impl Iterator<Item = Element<'xml>> {
    test.children_named(name).flat_map(|list| list.children())
}

fn outcome(test: Element<'_>, detail: &Detail<'_>, out: &mut Out<'_>) -> Outcome {
    let is_broken = |kind: &str| NOT_OF_TESTS.iter().any(|name| kind.ends_with(name));
    match test.attribute("result").as_deref() {
        Some("Pass") => Outcome::Passed,
        Some("Fail") if detail.kind.as_deref().is_some_and(is_broken) => Outcome::Errored,
        Some("Fail") => Outcome::Failed,
        Some("Skip" | "NotRun") => Outcome::Skipped,
        _ => {
            out.finding(FindingCode::UnknownStatus, test.offset());
            Outcome::Errored
        }
    }
}

fn detail(test: Element<'_>) -> Detail<'_> {
    if let Some(failure) = test.child("failure") {
        return Detail {
            kind: failure.filled("exception-type"),
            message: text_of(failure, "message"),
            text: text_of(failure, "stack-trace"),
        };
    }
    // version 1 has a message inside
    let reason = test.child("reason");
    let message = reason.and_then(|reason| text_of(reason, "message").or_else(|| reason.filled_text()));
    Detail { message, ..Detail::default() }
}

fn seconds(test: Element<'_>, out: &mut Out<'_>) -> Option<f64> {
    let seconds = match (test.filled("time"), test.filled("time-rtf")) {
        (Some(time), _) => parse_seconds(&time),
        (None, Some(time)) => parse_clock(&time),
        (None, None) => return None,
    };
    if seconds.is_none() {
        out.finding(FindingCode::BadTime, test.offset());
    }
    seconds
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn v1() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/xunit-net/v1.xml")),
            r#"! failure-outside-case @398 System.Exception : the fixture leaks
Mill.Tests.dll | [Mill.WheelTests] | Turns | passed | 0.012s | out "creak" | {speed=slow}
Mill.Tests.dll | [Mill.WheelTests] | Grinds(grain: "rye") | failed | 0.1s | Xunit.Sdk.EqualException: Assert.Equal() Failure\nExpected: 2\nActual:   1 | "   at Mill.WheelTests.Grinds(String grain)"
Mill.Tests.dll | [Mill.WheelTests] | Rests | skipped | never on Mondays
"#
        );
    }

    #[test]
    fn v2() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/xunit-net/v2.xml")),
            r#"! failure-outside-case @353 dust
Mill.Tests.dll | [Mill.StoneTests] | Rolls | passed | 0.0063709s | out "rumble" | {Category=heavy}
Mill.Tests.dll | [Mill.StoneTests] | Cracks | failed | 0.01s | System.DivideByZeroException: System.DivideByZeroException : Attempted to divide by zero. | "   at Mill.StoneTests.Cracks() in /src/StoneTests.cs:line 9"
Mill.Tests.dll | [Mill.StoneTests] | Waits | errored | 0.05s | Xunit.Sdk.TestTimeoutException: Test execution timed out after 50 milliseconds
Mill.Tests.dll | [Mill.StoneTests] | Floats | skipped | 0s | stones do not
Mill.Tests.dll > the river | [Mill.WaterTests] | the water runs | /src/WaterTests.cs:15 | passed | 0.003s
! unknown-status @1940
! bad-time @1940
Mill.Tests.dll > the river | [Mill.WaterTests] | Freezes | errored
"#
        );
    }

    #[test]
    fn v3() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/xunit-net/v3.xml")),
            r#"[Mill.SackTests] | Fills(kg: 5) | /src/SackTests.cs:27 | passed | 0.015s | @2026-03-02T09:00:00.250Z | out "five" | err "it is damp\nit is old" | {Category=grain, attachment=scale.png}
[Mill.SackTests] | Holds | errored | 1.5s | Xunit.Sdk.TestPipelineException: Class fixture type 'Mill.Rope' threw in its constructor | "   at Mill.Rope..ctor()"
[Mill.SackTests] | ByHand | skipped | 0s
carts | [Mill.CartTests] | Rolls | skipped | 0s | no wheels
"#
        );
    }

    #[test]
    fn go2xunit() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/xunit-net/go2xunit.xml")),
            r#"[_/home/ann/src/sum] | TestAdd | passed | 0s
[_/home/ann/src/sum] | TestSub | failed | 0.01s | go.error: sum_test.go:9: no
"#
        );
    }

    #[test]
    fn the_manifest_of_an_assembly_is_no_report() {
        assert_eq!(told(r#"<assembly xmlns="urn:schemas-microsoft-com:asm.v1"/>"#), "! unknown-format @0\n");
    }
}
