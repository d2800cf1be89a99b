//! NUnit 2 XML, and what writes it today: Pester, transforms of other reports
//! (<https://docs.nunit.org/2.6.4/files/Results.xsd>).

use std::borrow::Cow;

use super::naming::{behind, exception, part};
use super::nunit::{self, detail, properties, seconds};
use crate::model::{Case, Outcome, Text};
use crate::out::Out;
use crate::scan::xml::tree::Element;

/// Reads every `test-case`, at any depth of `test-suite` and `results`.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    nunit::suite(root, &mut Vec::new(), case, out);
}

fn case<'xml>(element: Element<'xml>, path: &[Text<'xml>], out: &mut Out<'_>) -> Case<'xml> {
    let outcome = match outcome(element) {
        Some(outcome) => outcome,
        None => nunit::unknown(element, out),
    };
    let mut case = Case::new(outcome, element.offset());
    case.suite = path.to_vec();
    if let Some(name) = element.filled("name") {
        let begin = method(&name, path);
        if begin > 0 {
            case.class = Some(part(name.clone(), |name| name.get(..begin - 1).unwrap_or(name)));
        }
        case.name = Some(part(name, |name| name.get(begin..).unwrap_or(name)));
    }
    case.seconds = seconds(element, out);
    case.detail = detail(element);
    if outcome == Outcome::Errored {
        case.detail.kind = case.detail.message.as_ref().and_then(|message| exception(message, " : "));
    }
    if let Some(description) = element.filled("description") {
        case.properties.push((Cow::Borrowed("Description"), description));
    }
    let categories = element.children_named("categories").flat_map(|categories| categories.children());
    let categories = categories.filter_map(|category| category.filled("name"));
    case.properties.extend(categories.map(|category| (Cow::Borrowed("Category"), category)));
    case.properties.extend(properties(element));
    case
}

/// Before version 2.5 there is no `result`.
fn outcome(element: Element<'_>) -> Option<Outcome> {
    let says = |name: &str, word: &str| {
        element.attribute(name).is_some_and(|value| value.trim().eq_ignore_ascii_case(word))
    };
    Some(match element.filled("result").as_deref() {
        Some("Success" | "Passed") => Outcome::Passed,
        Some("Failure" | "Failed") => Outcome::Failed,
        Some("Error" | "NotRunnable" | "Invalid" | "Cancelled") => Outcome::Errored,
        Some("Ignored" | "Skipped" | "Inconclusive" | "Explicit") => Outcome::Skipped,
        Some(_) => return None,
        None if says("executed", "false") => Outcome::Skipped,
        None if says("success", "false") || element.child("failure").is_some() => Outcome::Failed,
        None if says("success", "true") => Outcome::Passed,
        None if element.child("reason").is_some() => Outcome::Skipped,
        None if says("executed", "true") => Outcome::Passed,
        None => return None,
    })
}

/// Returns where the method begins in a case's full name. What is before it are names of suites, each a part of it or,
/// before version 2.4, the whole so far.
fn method(name: &str, path: &[Text<'_>]) -> usize {
    let mut begin = 0;
    for suite in path {
        let rest = name.get(begin..).unwrap_or_default();
        if let Some(rest) = behind(rest, suite).or_else(|| behind(name, suite)) {
            begin = begin.max(name.len() - rest.len());
        }
    }
    begin
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn nunit26() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/nunit2/nunit26.xml")),
            r#"Harbour.Tests.dll > Harbour > Ships > FerryTests | [Harbour.Ships.FerryTests] | Floats | passed | 0.125s | {Description=it does, Category=water, Category=fast, Owner=ann}
Harbour.Tests.dll > Harbour > Ships > FerryTests | [Harbour.Ships.FerryTests] | Turns | failed | 0.01s |   Expected: 90\n  But was:  0 | "at Harbour.Ships.FerryTests.Turns() in c:\\src\\FerryTests.cs:line 12"
Harbour.Tests.dll > Harbour > Ships > FerryTests | [Harbour.Ships.FerryTests] | Sinks | errored | 0.02s | System.IO.IOException: System.IO.IOException : too deep | "at X()"
Harbour.Tests.dll > Harbour > Ships > FerryTests | [Harbour.Ships.FerryTests] | Waits | skipped | fog
Harbour.Tests.dll > Harbour > Ships > FerryTests | [Harbour.Ships.FerryTests] | Drifts | skipped | 0.001s | no wind
Harbour.Tests.dll > Harbour > Ships > FerryTests | [Harbour.Ships.FerryTests] | Takes | errored | No arguments were provided
Harbour.Tests.dll > Harbour > Ships > FerryTests | [Harbour.Ships.FerryTests] | Waves | skipped | Only on Mars
Harbour.Tests.dll > Harbour > Ships > FerryTests > Loads | [Harbour.Ships.FerryTests] | Loads(1.5d) | passed | 0.002s
Harbour.Tests.dll > Harbour > Ships > BoatTests > BoatTests(42) | [Harbour.Ships.BoatTests(42)] | Rows | passed | 0.003s
! failure-outside-case @3748 TearDown : System.Exception : leak
"#
        );
    }

    #[test]
    fn nunit22() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/nunit2/nunit22.xml")),
            r#"quay.dll > Quay > Quay.Cranes > Quay.Cranes.CraneTests | [Quay.Cranes.CraneTests] | Lifts | passed | 0.02s
quay.dll > Quay > Quay.Cranes > Quay.Cranes.CraneTests | [Quay.Cranes.CraneTests] | Drops | failed | 0.01s | it holds
quay.dll > Quay > Quay.Cranes > Quay.Cranes.CraneTests | [Quay.Cranes.CraneTests] | Rusts | skipped | too slow
"#
        );
    }

    #[test]
    fn pester() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/nunit2/pester.xml")),
            r#"Pester > Get-Tide.Tests.ps1 > Get-Tide | [Get-Tide] | is high | passed | 0.1s | {Description=is high}
Pester > Get-Tide.Tests.ps1 > Get-Tide | [Get-Tide] | is low | failed | 0.2s | Expected 1, but got 2. | "at 2 | Should -Be 1, /src/Get-Tide.Tests.ps1:9" | {Description=is low}
"#
        );
    }
}
