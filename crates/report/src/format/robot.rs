//! Robot Framework's `output.xml`, from the first schema to the fifth
//! (<https://github.com/robotframework/robotframework/tree/master/doc/schema>).

use std::borrow::Cow;

use super::detail::tried_before;
use super::trouble::{joined, line_number, tell, tell_if_empty, unknown, word, word_of};
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Text, Try};
use crate::out::Out;
use crate::scan::xml::tree::Element;
use crate::time::{Instant, parse_instant, parse_seconds};

/// Reads `robot/suite`, or a `suite` that is the root.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    let before = out.cases;
    if root.is("suite") {
        suite(root, &mut Suites::default(), out);
    } else {
        for child in root.children_named("suite") {
            suite(child, &mut Suites::default(), out);
        }
    }
    tell_if_empty(root, before, out);
}

/// Characters of a teardown's message that are told with each test. 1000: Robot's own are a line.
const TEARDOWN_CHARACTERS: usize = 1000;

/// The suites around a test.
#[derive(Default)]
struct Suites<'xml> {
    names: Vec<Text<'xml>>,
    source: Option<Text<'xml>>,
    /// What the teardown of a suite around failed with: Robot counts its tests as failed, though they stand as they ended.
    teardown: Option<Text<'xml>>,
}

fn suite<'xml>(element: Element<'xml>, suites: &mut Suites<'xml>, out: &mut Out<'_>) {
    let depth = suites.names.len();
    suites.names.extend(element.filled("name"));
    let source = suites.source.clone();
    let teardown = suites.teardown.clone();
    suites.source = element.filled("source").or_else(|| source.clone());
    if suites.teardown.is_none() {
        suites.teardown = failed_teardown(element, out);
    }
    for child in element.children() {
        if child.is("suite") {
            suite(child, suites, out);
        } else if child.is("test") {
            let case = test(child, suites, out);
            tell(child, case, out);
        }
    }
    suites.names.truncate(depth);
    suites.source = source;
    suites.teardown = teardown;
}

/// What the suite's teardown failed with.
fn failed_teardown<'xml>(suite: Element<'xml>, out: &mut Out<'_>) -> Option<Text<'xml>> {
    let is_teardown = |kw: &Element<'_>| {
        kw.attribute("type").is_some_and(|kind| kind.eq_ignore_ascii_case("teardown")) && is_failed(*kw)
    };
    let keyword = suite.children_named("kw").find(is_teardown)?;
    let message = keyword.child("status").and_then(word_of);
    let logged = || keyword.children_named("msg").filter(|msg| has_level(*msg, "FAIL")).find_map(word_of);
    let message = message.or_else(logged).unwrap_or_default();
    out.failure_outside(keyword.offset(), Some(&message));
    // it is told with each test of the suite
    Some(match message.char_indices().nth(TEARDOWN_CHARACTERS) {
        Some((end, _)) => Cow::Owned(format!("{}...", message.get(..end).unwrap_or_default())),
        None => message,
    })
}

fn is_failed(element: Element<'_>) -> bool {
    element.child("status").is_some_and(|status| status.attribute("status").as_deref() == Some("FAIL"))
}

fn has_level(msg: Element<'_>, level: &str) -> bool {
    msg.attribute("level").as_deref() == Some(level)
}

fn test<'xml>(element: Element<'xml>, suites: &Suites<'xml>, out: &mut Out<'_>) -> Case<'xml> {
    let mut case = Case::new(Outcome::Errored, element.offset());
    case.suite.clone_from(&suites.names);
    case.name = element.filled("name");
    case.file.clone_from(&suites.source);
    case.line = line_number(element.attribute("line"));
    // newer schemas have `tag` in the test, older ones in `tags`
    let listed = element.child("tags");
    let tags = element.children_named("tag").chain(listed.iter().flat_map(Element::children));
    case.properties = tags.filter_map(word_of).map(|tag| (Cow::Borrowed("tag"), tag)).collect();
    let Some(status) = element.child("status") else {
        if element.is_whole() {
            unknown(element, out);
        }
        return case;
    };
    (case.started, case.seconds) = times(status, out);
    let message = status.filled_text();
    let (message, before) = match message.as_deref().and_then(merged) {
        Some(merged) => merged,
        None => (message, Vec::new()),
    };
    case.outcome = match status.attribute("status").as_deref() {
        Some("PASS") => Outcome::Passed,
        Some("FAIL") if message.as_deref().is_some_and(is_not_of_the_test) => Outcome::Errored,
        Some("FAIL") => Outcome::Failed,
        Some("SKIP" | "NOT RUN" | "NOT_RUN") => Outcome::Skipped,
        _ => unknown(status, out),
    };
    let mut texts = Vec::new();
    if case.outcome.is_trouble() {
        logged(element, message.as_deref(), &mut texts);
    }
    case.detail = Detail { kind: None, message, text: joined(texts, "\n\n") };
    if let Some(teardown) = suites.teardown.as_deref().filter(|_| case.outcome != Outcome::Skipped) {
        if case.outcome == Outcome::Passed {
            case.outcome = Outcome::Errored;
        }
        case.detail.message = Some(Cow::Owned(match case.detail.message.take() {
            Some(message) => format!("{message}\n\nAlso parent suite teardown failed:\n{teardown}"),
            None => format!("Parent suite teardown failed:\n{teardown}"),
        }));
    }
    tried_before(&mut case, before);
    case
}

/// Reports whether a message says that a setup failed or that time ran out.
fn is_not_of_the_test(message: &str) -> bool {
    let begins = ["Parent suite setup failed", "Setup failed", "Test timeout ", "Task timeout "];
    begins.iter().any(|begin| message.starts_with(begin))
}

/// Texts that failed keywords logged: failures other than the test's message, and stack traces.
fn logged<'xml>(element: Element<'xml>, message: Option<&str>, texts: &mut Vec<Text<'xml>>) {
    for child in element.children() {
        if child.is("msg") {
            let is_failure = has_level(child, "FAIL");
            let is_trace = || has_level(child, "DEBUG") || has_level(child, "TRACE");
            let Some(text) = word_of(child) else { continue };
            if is_failure && Some(text.as_ref()) != message || is_trace() && text.starts_with("Traceback") {
                texts.push(text);
            }
        } else if is_failed(child) {
            logged(child, message, texts);
        }
    }
}

/// When a test began and how many seconds it took: `start` and `elapsed`, or `starttime` and `endtime`.
fn times(status: Element<'_>, out: &mut Out<'_>) -> (Option<Instant>, Option<f64>) {
    if let Some(start) = status.attribute("start") {
        let elapsed = status.attribute("elapsed");
        let seconds = elapsed.as_deref().and_then(parse_seconds);
        if elapsed.is_some() && seconds.is_none() {
            out.finding(FindingCode::BadTime, status.offset());
        }
        return (parse_instant(&start), seconds);
    }
    let instant = |name| status.attribute(name).and_then(|time| old_instant(&time));
    let (start, end) = (instant("starttime"), instant("endtime"));
    let seconds = start.zip(end).and_then(|(start, end)| {
        let milliseconds = u32::try_from(end.unix_ms.checked_sub(start.unix_ms)?).ok()?;
        Some(f64::from(milliseconds) / 1000.0)
    });
    (start, seconds)
}

/// Parses `20261123 02:40:40.123`, which has no zone; `N/A` is none.
fn old_instant(raw: &str) -> Option<Instant> {
    let (year, month, rest) = (raw.get(..4)?, raw.get(4..6)?, raw.get(6..)?);
    parse_instant(&format!("{year}-{month}-{rest}"))
}

/// Splits the message that `rebot --merge` makes of a test that was executed again: the message of the last execution, and
/// those before it in their order.
fn merged(message: &str) -> Option<(Option<Text<'static>>, Vec<Try<'static>>)> {
    if !message.contains("re-executed and results merged")
        && !message.contains("Re-executed test has been merged")
    {
        return None;
    }
    let mut parts = message.split("<hr>").filter(|part| part.contains("status:"));
    let (_, last) = execution(parts.next()?)?;
    let mut before: Vec<_> = parts
        .filter_map(execution)
        .map(|(outcome, message)| Try {
            outcome,
            seconds: None,
            detail: Detail { message, ..Detail::default() },
        })
        .collect();
    before.reverse();
    Some((last, before))
}

/// The status and the message of an execution, as HTML.
fn execution(part: &str) -> Option<(Outcome, Option<Text<'static>>)> {
    let (head, text) = match part.split_once("message:") {
        Some((head, text)) => (head, text.strip_prefix("</span>").unwrap_or(text)),
        None => (part, ""),
    };
    let outcome = if head.contains("PASS") {
        Outcome::Passed
    } else if head.contains("SKIP") {
        Outcome::Skipped
    } else if head.contains("FAIL") {
        Outcome::Failed
    } else {
        return None;
    };
    let text = text.trim();
    let text = text.strip_suffix("<br>").unwrap_or(text).replace("<br>", "\n");
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
    Some((outcome, word(Cow::Owned(text))))
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn the_newest_schema_is_read() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/robot/schema5.xml")),
            r#"All > Sums | adds | /r/sums.robot:5 | passed | 0.004s | @2026-11-23T02:40:40 | {tag=fast, tag=unit}
All > Sums | adds wrongly | /r/sums.robot:9 | failed | 0.5s | @2026-11-23T02:40:41 | 3 != 4 | "Traceback (most recent call last):\n  in add"
All > Sums | waits | /r/sums.robot:14 | errored | 1s | @2026-11-23T02:40:42 | Test timeout 1 second exceeded.
All > Sums | asks | /r/sums.robot:20 | skipped | 0s | @2026-11-23T02:40:43 | no network
"#
        );
    }

    #[test]
    fn older_schemas_have_times_of_another_form_and_no_elapsed_time() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/robot/schema1.xml")),
            r#"! failure-outside-case @477 no way down
Sums | adds | /r/sums.txt | errored | 1.5s | @2011-06-03T11:15:42.500 | Parent suite teardown failed:\nno way down | {tag=fast}
Sums | adds wrongly | /r/sums.txt | failed | 3 != 4\n\nAlso parent suite teardown failed:\nno way down
"#
        );
    }

    #[test]
    fn a_merged_report_tells_the_executions_before() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/robot/merged.xml")),
            "S | a | passed | tries (failed first & worst), (failed second), (passed)\n"
        );
    }

    #[test]
    fn the_last_execution_of_a_merged_report_is_the_test_itself() {
        let merged = include_str!("../../tests/fixtures/robot/merged.xml");
        let below = "<kw type=\"teardown\"><status status=\"FAIL\">no way down</status></kw></suite>";
        let told = told(&merged.replace("</suite>", below));
        let (_, tries) = told.split_once("tries ").unwrap();
        assert!(tries.contains("(errored Parent suite teardown failed"), "{told}");
    }
}
