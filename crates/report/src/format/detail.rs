//! What runners say of a failure, in the parts that a case has for it.

use std::borrow::Cow;

use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Text, Try};
use crate::out::{Out, cut};
use crate::scan::json::Json;

/// More earlier tries than this are taken for no number of tries.
const TRIES: i64 = 1000;

/// Reads the duration that a member holds, of whose units `per_second` make a second. Tells of one that is no number, or is
/// negative.
pub(super) fn seconds(value: Json<'_>, name: &str, per_second: f64, out: &mut Out<'_>) -> Option<f64> {
    let time = value.get(name)?;
    let number = time.number().or_else(|| time.text()?.trim().parse().ok());
    let seconds =
        number.filter(|units| units.is_finite() && *units >= 0.0).map(|units| units / per_second + 0.0);
    if seconds.is_none() && time.shown().trim() != "" {
        out.finding(FindingCode::BadTime, time.offset());
    }
    seconds
}

/// Returns the text that a member holds and that any number of cases have in common: once it is cut to what the path of
/// one may be, a copy for each of them costs no more than that.
pub(super) fn shared<'json>(value: Json<'json>, name: &str, out: &mut Out<'_>) -> Option<Text<'json>> {
    let mut text = value.filled(name)?;
    if text.len() > out.limits.path_bytes {
        cut(&mut text, out.limits.path_bytes);
        out.finding(FindingCode::PathTooLong, value.offset());
    }
    Some(text).filter(|text| !text.is_empty())
}

/// Joins texts; one alone stays as it is.
pub(super) fn joined<'report>(
    texts: impl IntoIterator<Item = Text<'report>>,
    between: &str,
) -> Option<Text<'report>> {
    let mut texts = texts.into_iter().filter(|text| !text.trim().is_empty());
    let mut all = texts.next()?;
    for text in texts {
        let all = all.to_mut();
        all.push_str(between);
        all.push_str(&text);
    }
    Some(all)
}

/// Splits what a runner gives in one text: `TypeError: x is no function\n    at f (a.js:1:2)`.
///
/// The message is the first line, behind the class of the failure where it begins with one. The text is all of it, unless
/// the message says it all.
pub(super) fn of_stack(text: Text<'_>) -> Detail<'_> {
    let blank = text.len() - text.trim_start().len();
    let line_end = text.get(blank..).and_then(|rest| rest.find('\n')).map_or(text.len(), |end| blank + end);
    let line = text.get(blank..line_end).unwrap_or_default();
    let (kind, behind) = kind_of(line).unwrap_or(("", 0));
    let kind_end = blank + kind.len();
    let kind = (!kind.is_empty()).then(|| part(&text, blank, kind_end));
    let message = Some(part(&text, blank + behind, line_end)).filter(|message| !message.is_empty());
    let is_all = text.get(line_end..).is_none_or(|rest| rest.trim().is_empty());
    let text = Some(text).filter(|text| !is_all && !text.trim().is_empty());
    Detail { kind, message, text }
}

/// Finds the class that a line begins with, and where what it says of the failure begins.
fn kind_of(line: &str) -> Option<(&str, usize)> {
    let in_name = |character: char| character.is_alphanumeric() || matches!(character, '.' | '_' | '$' | ':');
    let end = line.find(|character| !in_name(character)).unwrap_or(line.len());
    let name = line.get(..end)?.trim_end_matches(':');
    let end = name.len();
    if !["Error", "Exception", "Failure", "Failed"].iter().any(|word| name.ends_with(word)) {
        return None;
    }
    let rest = line.get(end..)?;
    // node puts a code between: `AssertionError [ERR_ASSERTION]: no`
    let rest = match rest.strip_prefix(" [").and_then(|code| code.split_once(']')) {
        Some((_, rest)) => rest,
        None => rest,
    };
    let said = match rest.strip_prefix(':') {
        Some(said) => said.trim_start(),
        None if rest.trim().is_empty() => "",
        None => return None,
    };
    Some((name, line.len() - said.len()))
}

/// Cuts a part out of a text, borrowed where the text is.
pub(super) fn part<'report>(text: &Text<'report>, start: usize, end: usize) -> Text<'report> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.get(start..end).unwrap_or_default().trim_end()),
        Cow::Owned(text) => Cow::Owned(text.get(start..end).unwrap_or_default().trim_end().to_owned()),
    }
}

/// Puts several failures of one case together: kind and message of the first, the texts of all with their messages.
pub(super) fn several<'report>(details: impl IntoIterator<Item = Detail<'report>>) -> Detail<'report> {
    let mut details = details.into_iter();
    let Some(mut first) = details.next() else { return Detail::default() };
    let others: Vec<_> = details.filter_map(in_full).collect();
    if !others.is_empty() {
        let own = first.text.take().or_else(|| first.message.clone());
        first.text = joined(own.into_iter().chain(others), "\n\n");
    }
    first
}

/// Returns a failure as one text, its message before the text unless that has it.
fn in_full(detail: Detail<'_>) -> Option<Text<'_>> {
    let Detail { kind, message, text } = detail;
    let head = match (kind, message) {
        (Some(kind), Some(message)) => Some(Cow::Owned(format!("{kind}: {message}"))),
        (kind, message) => kind.or(message),
    };
    let head = head.filter(|head| !text.as_deref().is_some_and(|text| text.contains(&**head)));
    joined(head.into_iter().chain(text), "\n")
}

/// Returns the tries before the last of which only their number is told: each failed, or there had been no other.
pub(super) fn failed_before<'report>(count: Option<i64>) -> Vec<Try<'report>> {
    let count = count.filter(|count| (1..=TRIES).contains(count)).unwrap_or_default();
    (0..count).map(|_| Try { outcome: Outcome::Failed, seconds: None, detail: Detail::default() }).collect()
}

/// Puts the tries before the last to a case, and the last behind them, which is the case itself.
pub(super) fn tried_before<'report>(case: &mut Case<'report>, mut earlier: Vec<Try<'report>>) {
    if !earlier.is_empty() {
        earlier.push(Try { outcome: case.outcome, seconds: case.seconds, detail: case.detail.clone() });
        case.tries = earlier;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_is_split_into_class_message_and_text() {
        let cases = [
            (
                "TypeError: no function\n    at f",
                "Some(\"TypeError\") Some(\"no function\") Some(\"TypeError: no function\\n    at f\")",
            ),
            (
                "AssertionError [ERR_ASSERTION]: no == yes",
                "Some(\"AssertionError\") Some(\"no == yes\") None",
            ),
            (
                "\norg.x.AssertionFailedError: a: b\n",
                "Some(\"org.x.AssertionFailedError\") Some(\"a: b\") None",
            ),
            ("KeyError", "Some(\"KeyError\") None None"),
            ("Errors: two", "None Some(\"Errors: two\") None"),
            ("Errors happen", "None Some(\"Errors happen\") None"),
            ("A::B::SomeError: x", "Some(\"A::B::SomeError\") Some(\"x\") None"),
            ("plain\nmore", "None Some(\"plain\") Some(\"plain\\nmore\")"),
            ("", "None None None"),
            ("é", "None Some(\"é\") None"),
        ];
        for (text, told) in cases {
            let Detail { kind, message, text: rest } = of_stack(text.into());
            assert_eq!(format!("{kind:?} {message:?} {rest:?}"), told, "{text:?}");
        }
    }

    #[test]
    fn of_several_failures_none_is_lost() {
        let detail = several([of_stack("AError: one\n at a".into()), of_stack("BError: two".into())]);
        assert_eq!(detail.message.as_deref(), Some("one"));
        assert_eq!(detail.text.as_deref(), Some("AError: one\n at a\n\nBError: two"));
        assert!(failed_before(Some(i64::MAX)).is_empty());
        assert!(failed_before(Some(-1)).is_empty());
    }
}
