//! TRX, the results of Visual Studio's test runners (`vstest.xsd` of Visual Studio; what is written today:
//! <https://github.com/microsoft/vstest/tree/main/src/Microsoft.TestPlatform.Extensions.TrxLogger>).
//!
//! Results stand apart from the definitions of their tests, which have the class. A result with results inside is
//! told by those: the rows of a data-driven test, the tests of an ordered one.

use std::borrow::Cow;
use std::collections::HashMap;

use super::naming::{assembly, exception, join, part, text_of, within};
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::xml::tree::Element;
use crate::time::{parse_clock, parse_instant};

type Definitions<'xml> = HashMap<Text<'xml>, Element<'xml>>;

/// Reads a `TestRun`.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    let lists = root.children_named("TestDefinitions").flat_map(|list| list.children());
    let definitions = lists.filter_map(|test| Some((test.attribute("id")?, test))).collect();
    let mut is_trouble = false;
    for list in root.children_named("Results") {
        is_trouble |= results(list, None, &mut Vec::new(), &definitions, out);
    }
    for summary in root.children_named("ResultSummary") {
        run_failures(summary, is_trouble, out);
    }
}

/// Tells the results in a list; says whether one of them is in trouble.
fn results<'xml>(
    list: Element<'xml>,
    parent: Option<&str>,
    path: &mut Vec<Text<'xml>>,
    definitions: &Definitions<'xml>,
    out: &mut Out<'_>,
) -> bool {
    let mut is_trouble = false;
    for result in list.children().filter(is_result) {
        let inner =
            result.child("InnerResults").filter(|inner| inner.children().any(|child| is_result(&child)));
        if let Some(inner) = inner {
            let depth = path.len();
            let name = result.filled("testName");
            let is_of_rows =
                result.attribute("resultType").is_some_and(|kind| kind.starts_with("DataDriven"));
            if !is_of_rows {
                path.extend(name.clone());
            }
            let is_within = results(inner, name.as_deref(), path, definitions, out);
            path.truncate(depth);
            is_trouble |= is_within;
            // in trouble of its own: what is done around the rows
            if is_within || !outcome(result).is_some_and(Outcome::is_trouble) {
                continue;
            }
        }
        if result.is_whole() {
            let case = case(result, parent, path, definitions, out);
            is_trouble |= case.outcome.is_trouble();
            out.case(case);
        } else {
            out.finding(FindingCode::CutCase, result.offset());
        }
    }
    is_trouble
}

/// `UnitTestResult`, `WebTestResult`, `ManualTestResult`, `TestResultAggregation`, ...
fn is_result(element: &Element<'_>) -> bool {
    element.name().ends_with(b"TestResult") || element.is("TestResultAggregation")
}

fn case<'xml>(
    result: Element<'xml>,
    parent: Option<&str>,
    path: &[Text<'xml>],
    definitions: &Definitions<'xml>,
    out: &mut Out<'_>,
) -> Case<'xml> {
    let outcome = outcome(result).unwrap_or_else(|| {
        out.finding(FindingCode::UnknownStatus, result.offset());
        Outcome::Errored
    });
    let mut case = Case::new(outcome, result.offset());
    let definition = result.attribute("testId").and_then(|id| definitions.get(&id).copied());
    if let Some(definition) = definition {
        let method = definition.child("TestMethod");
        let file =
            method.and_then(|method| method.filled("codeBase")).or_else(|| definition.filled("storage"));
        case.suite.extend(file.and_then(assembly));
        case.class = method
            .and_then(|method| method.filled("className"))
            .map(|class| part(class, |class| class.get(..class_length(class)).unwrap_or(class)));
        case.properties = properties(definition);
    }
    case.suite.extend_from_slice(path);
    let name = result.filled("testName").or_else(|| definition?.filled("name"));
    case.name = name.map(|name| {
        let name = within(name, case.class.as_deref());
        // rows of older runners all have the name of their test
        match result.filled("dataRowInfo") {
            Some(row) if parent.is_some_and(|parent| parent.ends_with(&*name)) => {
                Cow::Owned(format!("{name} (Data Row {})", row.trim()))
            }
            _ => name,
        }
    });
    case.seconds = result.filled("duration").and_then(|raw| {
        let seconds = parse_clock(&raw);
        if seconds.is_none() {
            out.finding(FindingCode::BadTime, result.offset());
        }
        seconds
    });
    case.started = result.attribute("startTime").and_then(|start| parse_instant(&start));
    for output in result.children_named("Output") {
        said(output, &mut case);
    }
    let files = result.children_named("ResultFiles").flat_map(|files| files.children());
    let files = files.filter_map(|file| file.filled("path"));
    case.properties.extend(files.map(|path| (Cow::Borrowed("attachment"), path)));
    case
}

fn said<'xml>(output: Element<'xml>, case: &mut Case<'xml>) {
    for child in output.children() {
        match child.name() {
            b"StdOut" | b"DebugTrace" => join(&mut case.stdout, child.filled_text()),
            b"StdErr" => join(&mut case.stderr, child.filled_text()),
            b"TextMessages" => {
                child.children().for_each(|message| join(&mut case.stdout, message.filled_text()));
            }
            b"ErrorInfo" if case.detail.is_empty() => {
                let message = text_of(child, "Message");
                case.detail = Detail {
                    kind: message.as_ref().and_then(kind),
                    message,
                    text: text_of(child, "StackTrace"),
                };
            }
            _ => {}
        }
    }
}

/// The class of an exception, in the words of the adapters of xUnit.net and NUnit or in those of MSTest.
fn kind<'xml>(message: &Text<'xml>) -> Option<Text<'xml>> {
    let of_mstest = || {
        let (_, thrown) = message.split_once(" threw exception:")?;
        let begin = message.len() - thrown.trim_start().len();
        exception(&part(message.clone(), |message| message.get(begin..).unwrap_or_default()), ": ")
    };
    exception(message, " : ").or_else(of_mstest)
}

/// Nothing where it is unknown. The runner leaves out the first of its outcomes, which is `Error`; in version 15 and
/// later it has the name `Min`, too.
fn outcome(result: Element<'_>) -> Option<Outcome> {
    Some(match result.attribute("outcome").as_deref() {
        Some("Passed" | "PassedButRunAborted" | "Warning" | "Completed") => Outcome::Passed,
        Some("Failed") => Outcome::Failed,
        None | Some("Error" | "Min" | "Timeout" | "Aborted" | "Disconnected" | "InProgress") => {
            Outcome::Errored
        }
        // MSTest says so of a test that is wrong, with the error, and xUnit.net of one that was not to run
        Some("NotRunnable") if has_error(result) => Outcome::Errored,
        Some("NotExecuted" | "Inconclusive" | "Pending" | "NotRunnable") => Outcome::Skipped,
        Some(_) => return None,
    })
}

fn has_error(result: Element<'_>) -> bool {
    result.child("Output").is_some_and(|output| output.child("ErrorInfo").is_some())
}

/// Returns how much of a class is its name; an assembly may follow: `Space.Class, Tests, Version=1.0.0.0`. Commas in
/// brackets are of type parameters and arguments.
fn class_length(class: &str) -> usize {
    let mut depth = 0_usize;
    for (at, byte) in class.bytes().enumerate() {
        match byte {
            b'[' | b'(' | b'<' => depth += 1,
            b']' | b')' | b'>' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => return at,
            _ => {}
        }
    }
    class.len()
}

fn properties<'xml>(definition: Element<'xml>) -> Vec<(Text<'xml>, Text<'xml>)> {
    let mut properties = Vec::new();
    for child in definition.children() {
        match child.name() {
            b"TestCategory" => {
                let categories = child.children().filter_map(|item| item.filled("TestCategory"));
                properties.extend(categories.map(|category| (Cow::Borrowed("Category"), category)));
            }
            b"Owners" => {
                let owners = child.children().filter_map(|owner| owner.filled("name"));
                properties.extend(owners.map(|owner| (Cow::Borrowed("Owner"), owner)));
            }
            b"Description" => {
                properties.extend(child.filled_text().map(|text| (Cow::Borrowed("Description"), text)));
            }
            b"Properties" => {
                // one version of the test platform wrote attributes
                let of = |pair: Element<'xml>, name: &str| text_of(pair, name).or_else(|| pair.filled(name));
                let pairs = child.children().filter_map(|pair| Some((of(pair, "Key")?, of(pair, "Value")?)));
                properties.extend(pairs);
            }
            _ => {}
        }
    }
    properties
}

/// Tells what failed in the run itself. Adapters repeat there what tests failed.
fn run_failures(summary: Element<'_>, is_trouble: bool, out: &mut Out<'_>) {
    let mut is_told = false;
    for info in summary.children_named("RunInfos").flat_map(|infos| infos.children()) {
        let is_failure =
            info.attribute("outcome").is_some_and(|outcome| outcome == "Failed" || is_abort(&outcome));
        let is_repeated = || {
            // the second: the code that says that a test failed
            let is_of_test =
                |text: &str| text.contains("[FAIL]") || text.starts_with("Exit code indicates failure: '2'");
            is_trouble && text_of(info, "Text").is_some_and(|text| is_of_test(text.trim_start()))
        };
        if is_failure && !is_repeated() {
            out.failure_outside(info.offset(), text_of(info, "Text"));
            is_told = true;
        }
    }
    let outcome = summary.attribute("outcome").unwrap_or_default();
    if !is_told && (is_abort(&outcome) || outcome == "Failed" && !is_trouble) {
        out.failure_outside(summary.offset(), Some(outcome));
    }
}

fn is_abort(outcome: &str) -> bool {
    matches!(outcome, "Error" | "Timeout" | "Aborted" | "Disconnected")
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn mstest() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/trx/mstest.trx")),
            r#"House.Tests.dll | [House.DoorTests] | Opens | passed | 0.015s | @2026-03-02T08:00:01.500Z | out "creak\nopen\none\ntwo" | err "dust" | {Description=of doors, Owner=ann, Category=wood, Category=fast, floor=1, side=left, attachment=BUILDER\door.png}
House.Tests.dll | [House.DoorTests] | Shuts | failed | 130.5s | Assert.AreEqual failed. Expected:<2>. Actual:<1>. | "   at House.DoorTests.Shuts() in C:\\src\\DoorTests.cs:line 25"
House.Tests.dll | [House.DoorTests] | Swings (1) | passed | 0.1s
House.Tests.dll | [House.DoorTests] | Swings (2) | failed | 0.2s | too far
House.Tests.dll | [House.LockTests`1[[System.Int32, mscorlib]]] | Locks (Data Row 1) | passed | 0.1s
House.Tests.dll | [House.LockTests`1[[System.Int32, mscorlib]]] | Locks (Data Row 2) | passed | 0.1s
House.Tests.dll | [House.LockTests`1[[System.Int32, mscorlib]]] | Locks | errored | 0.3s | the key broke after the last row
House.Tests.dll > Morning | [House.DoorTests] | Opens | passed | 0.1s | {Description=of doors, Owner=ann, Category=wood, Category=fast, floor=1, side=left}
House.Tests.dll > Morning | [House.DoorTests] | Shuts | errored | 0.1s | it took too long
house.tests.dll | [House.OutcomeTests(1, 2)] | IsAborted | errored | System.IO.IOException: Test method House.OutcomeTests.IsAborted threw exception: \nSystem.IO.IOException: gone
house.tests.dll | [House.OutcomeTests(1, 2)] | IsInProgress | errored
house.tests.dll | [House.OutcomeTests(1, 2)] | IsDisconnected | errored
house.tests.dll | [House.OutcomeTests(1, 2)] | IsNotRunnable | skipped
house.tests.dll | [House.OutcomeTests(1, 2)] | IsWrong | errored | it takes two
house.tests.dll | [House.OutcomeTests(1, 2)] | IsWithoutOutcome | errored
house.tests.dll | [House.OutcomeTests(1, 2)] | IsNotExecuted | skipped | not on Sundays
house.tests.dll | [House.OutcomeTests(1, 2)] | IsInconclusive | skipped
house.tests.dll | [House.OutcomeTests(1, 2)] | IsPending | skipped
house.tests.dll | [House.OutcomeTests(1, 2)] | IsWarning | passed
house.tests.dll | [House.OutcomeTests(1, 2)] | IsCompleted | passed
house.tests.dll | [House.OutcomeTests(1, 2)] | IsPassedButRunAborted | passed
! unknown-status @4553
! bad-time @4553
IsElsewhere | errored
! failure-outside-case @6303 The active test run was aborted. Reason: Test host process crashed
"#
        );
    }

    #[test]
    fn visual_studio_2008() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/trx/visual-studio-2008.trx")),
            r#"Bell.dll | [Bell.BellTests] | Rings | passed | 0.0157226s
Page | failed | 1s | 404
"#
        );
    }

    #[test]
    fn xunit() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/trx/xunit.trx")),
            r#"Roof.Tests.dll | [Roof.TileTests] | Holds(count: 3) | failed | 0.001s | System.DivideByZeroException: System.DivideByZeroException : Attempted to divide by zero.
Roof.Tests.dll | [Roof.TileTests] | rain runs off | passed | 0.001s
"#
        );
    }

    #[test]
    fn aborted() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/trx/aborted.trx")),
            r#"Stands | passed | 0.001s
! failure-outside-case @292 Aborted
"#
        );
    }

    #[test]
    fn a_run_of_another_framework_is_not_claimed() {
        let report =
            "<TestRun><SuccessfulTests><Test id='1'><Name>a</Name></Test></SuccessfulTests></TestRun>";
        assert!(!matches!(crate::format::detect::detect(report).format, Some(crate::Format::Trx)));
    }
}
