//! NUnit 3 and 4 XML, as their runners, Unity's and the test platform's logger write it
//! (<https://docs.nunit.org/articles/nunit/technical-notes/usage/Test-Result-XML-Format.html>).

use std::borrow::Cow;

use super::naming::{exception, join_with, part, text_of};
use super::nunit::{self, State, detail, properties, seconds};
use crate::model::{Case, Outcome, Text};
use crate::out::Out;
use crate::scan::xml::tree::Element;
use crate::time::parse_instant;

/// Reads every `test-case`, at any depth of `test-suite`.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    nunit::read(root, case, out);
}

fn case<'xml>(element: Element<'xml>, path: &[Text<'xml>], out: &mut Out<'_>) -> Case<'xml> {
    let result = element.attribute("result");
    let label = element.filled("label");
    let site = element.attribute("site");
    let state = State::of(result.as_deref().unwrap_or_default());
    let state =
        State { label: label.as_deref().or(state.label), site: site.as_deref().or(state.site), ..state };
    let outcome = match outcome(&state) {
        Some(outcome) => outcome,
        // a list of what there is to run
        None if result.is_none() => Outcome::Skipped,
        None => nunit::unknown(element, out),
    };
    let mut case = Case::new(outcome, element.offset());
    case.suite = path.to_vec();
    case.name = element.filled("name");
    case.class = class(element);
    case.seconds = seconds(element, out);
    // the logger of the test platform puts a space behind the `T`
    case.started = element.attribute("start-time").and_then(|start| parse_instant(&start.replace("T ", "T")));
    case.detail = detail(element);
    assertions(element, &mut case);
    match state.label {
        Some("Error") => {
            case.detail.kind = case.detail.message.as_ref().and_then(|message| exception(message, " : "));
        }
        Some(label) if is_free(label) && case.detail.message.is_none() => {
            case.detail.message = Some(Cow::Owned(label.to_owned()));
        }
        _ => {}
    }
    case.stdout = text_of(element, "output");
    case.properties = properties(element);
    let attachments = element.children_named("attachments").flat_map(|attachments| attachments.children());
    let files = attachments.filter_map(|attachment| text_of(attachment, "filePath"));
    case.properties.extend(files.map(|file| (Cow::Borrowed("attachment"), file)));
    case
}

/// An exception that a test does not catch is `Failed` as is an assertion; its label tells them apart.
fn outcome(state: &State<'_>) -> Option<Outcome> {
    let is_timeout = |label: &str| label.starts_with("Test exceeded") || label == "Timeout";
    Some(match (state.status, state.label, state.site) {
        ("Passed" | "Warning", _, _) => Outcome::Passed,
        ("Failed", Some("Invalid" | "Cancelled"), _) => Outcome::Errored,
        ("Failed", _, Some("SetUp" | "TearDown" | "Parent")) => Outcome::Errored,
        ("Failed", Some(label), _) if is_timeout(label) => Outcome::Errored,
        ("Failed", _, _) => Outcome::Failed,
        ("Skipped" | "Inconclusive", _, _) => Outcome::Skipped,
        _ => return None,
    })
}

/// Reports whether a label is none of NUnit's own words.
fn is_free(label: &str) -> bool {
    !matches!(label, "Error" | "Invalid" | "Cancelled" | "Ignored" | "Explicit" | "Warning")
}

/// Older writers give the class in the full name alone, the logger of the test platform gives it without its namespace.
fn class(element: Element<'_>) -> Option<Text<'_>> {
    let class = element.filled("classname");
    let of_full_name = || {
        let (full, name) = (element.filled("fullname")?, element.filled("name")?);
        let length = full.strip_suffix(&*name)?.strip_suffix('.').filter(|class| !class.is_empty())?.len();
        Some(part(full, |full| full.get(..length).unwrap_or(full)))
    };
    match class {
        Some(class) if class.contains('.') => Some(class),
        Some(class) => of_full_name()
            .filter(|full| full.strip_suffix(&*class).is_some_and(|space| space.ends_with('.')))
            .or(Some(class)),
        None => of_full_name(),
    }
}

/// Adds the assertions beyond the one that the failure tells; where it tells all of them it says so.
fn assertions<'xml>(element: Element<'xml>, case: &mut Case<'xml>) {
    let mut all =
        element.children_named("assertions").flat_map(|assertions| assertions.children()).peekable();
    if all.peek().is_none() || says_all(case.detail.message.as_deref()) {
        return;
    }
    if case.detail.is_empty() {
        if let Some(first) = all.next() {
            case.detail.message = text_of(first, "message");
            case.detail.text = text_of(first, "stack-trace");
        }
    } else {
        all.next();
    }
    for more in all {
        join_with(&mut case.detail.text, text_of(more, "message"), "\n\n");
        join_with(&mut case.detail.text, text_of(more, "stack-trace"), "\n");
    }
}

fn says_all(message: Option<&str>) -> bool {
    message.is_some_and(|message| message.contains("Multiple failures or warnings in test:"))
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn a_suite_by_itself() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/nunit3/suite.xml")),
            r"! unknown-entity @116
! bare-ampersand @123
Fence.dll > Post | [Fence.Post] | Stands | passed
! failure-outside-case @95 no &wood; &
"
        );
    }

    #[test]
    fn console() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/nunit3/console.xml")),
            r#"Orchard.Tests.dll > Orchard > AppleTests | [Orchard.AppleTests] | Ripens | passed | 0.125s | @2026-03-02T09:00:00.250Z | out "green\nred" | {Category=fruit, Category=slow, attachment=/build/apple.png}
Orchard.Tests.dll > Orchard > AppleTests | [Orchard.AppleTests] | Falls | failed | 0.01s |   Expected: 3\n  But was:  2 | "   at Orchard.AppleTests.Falls() in /src/AppleTests.cs:line 21"
Orchard.Tests.dll > Orchard > AppleTests | [Orchard.AppleTests] | Rots | failed | 0.002s | System.InvalidOperationException: System.InvalidOperationException : no worm | "   at Orchard.Apple.Rot()"
Orchard.Tests.dll > Orchard > AppleTests | [Orchard.AppleTests] | IsWeighed | failed | 0.003s |   Multiple failures or warnings in test:\n  1) weight\n  2) size | "1)   at A()\n2)   at B()"
Orchard.Tests.dll > Orchard > AppleTests | [Orchard.AppleTests] | Grows | errored | 0.05s | Test exceeded Timeout value 50ms.
Orchard.Tests.dll > Orchard > AppleTests | [Orchard.AppleTests] | IsCancelled | errored | 0.05s | Cancelled by user
Orchard.Tests.dll > Orchard > AppleTests | [Orchard.AppleTests] | IsSweet | passed | 0.001s | a little sour
Orchard.Tests.dll > Orchard > AppleTests | [Orchard.AppleTests] | IsBlue | skipped | 0s | not in season | {_SKIPREASON=not in season}
Orchard.Tests.dll > Orchard > AppleTests | [Orchard.AppleTests] | IsAnywhere | skipped | 0.001s | no tree
Orchard.Tests.dll > Orchard > AppleTests | [Orchard.AppleTests] | IsByHand | skipped | 0s
Orchard.Tests.dll > Orchard > AppleTests | [Orchard.AppleTests] | TakesTwo | errored | 0s | Wrong number of arguments
Orchard.Tests.dll > Orchard > AppleTests > Weighs | [Orchard.AppleTests] | Weighs(1,"g") | passed | 0.001s
Orchard.Tests.dll > Orchard > AppleTests > Weighs | [Orchard.AppleTests] | Weighs(2,"kg") | passed | 0.001s
Orchard.Tests.dll > Orchard > AppleTests > IsRound | [Orchard.AppleTests] | IsRound(1.0d) | passed | 0.001s
Orchard.Tests.dll > Orchard > PearTests | [Orchard.PearTests] | IsPicked | errored | 0s | OneTimeSetUp: System.IO.IOException : no ladder
Orchard.Tests.dll > Orchard > TreeTests > TreeTests("oak") | [Orchard.TreeTests] | Stands | passed | 0.5s
! failure-outside-case @7147 TearDown : System.Exception : it fell
! failure-outside-case @7580 OneTimeSetUp: no fence
! failure-outside-case @7976 Could not load file
"#
        );
    }

    #[test]
    fn logger() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/nunit3/logger.xml")),
            r#"Garden.Tests.dll > Garden > RoseTests | [Garden.RoseTests] | Blooms | passed | 0.0123s | @2026-03-02T09:00:00Z
Garden.Tests.dll > Garden > RoseTests | [Garden.RoseTests] | Stings | failed | 0.001s | no thorn | "   at Garden.RoseTests.Stings()"
"#
        );
    }

    #[test]
    fn unity() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/nunit3/unity.xml")),
            r#"Meadow > Play.dll > SheepTests | [SheepTests] | Bleats | errored | 0.7s | SetUp : Unhandled log message: '[Error] no grass'
Meadow > Play.dll > SheepTests | [SheepTests] | Sleeps | passed | 0.2s
"#
        );
    }

    #[test]
    fn list() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/nunit3/list.xml")),
            r#"Barn.dll > CowTests | [Barn.CowTests] | Moos | skipped
"#
        );
    }

    #[test]
    fn every_assertion_is_told_where_the_failure_tells_one() {
        let assertion = |name: &str| {
            format!(
                "<assertion result='Failed'><message>{name}</message><stack-trace>at {name}</stack-trace></assertion>"
            )
        };
        let three = [assertion("one"), assertion("two"), assertion("three")].concat();
        let report = |failure: &str| {
            format!(
                "<test-run><test-case name='a' result='Failed'>{failure}<assertions>{three}</assertions></test-case></test-run>"
            )
        };
        let failure = "<failure><message>one</message><stack-trace>at one</stack-trace></failure>";
        let all = "a | failed | one | \"at one\\n\\ntwo\\nat two\\n\\nthree\\nat three\"\n";
        assert_eq!(told(&report(failure)), all);
        assert_eq!(told(&report("")), all);
    }
}
