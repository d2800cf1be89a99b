//! A line of JSON for each case.

use super::json::Members;
use crate::identity::TestId;
use crate::model::{Case, Detail};

/// Appends the line of a case of `report`, with a line feed at its end. What is absent is left out; output is not told.
///
/// # Examples
/// ```
/// use testlake_report::form::ndjson;
/// use testlake_report::identity::TestId;
/// use testlake_report::{Case, Fold, Outcome};
///
/// let mut case = Case::new(Outcome::Passed, 0);
/// case.name = Some("one".into());
/// let mut lines = String::new();
/// ndjson::line("a.xml", &case, TestId::of("", &case, Fold::NOTHING), &mut lines);
/// assert!(lines.starts_with(r#"{"report":"a.xml","name":"one","outcome":"passed","#));
/// ```
pub fn line(report: &str, case: &Case<'_>, id: TestId, into: &mut String) {
    let mut line = Members::object(into);
    line.text("report", Some(report));
    line.texts("suite", case.suite.iter().map(AsRef::as_ref));
    line.text("class", case.class.as_deref());
    line.text("name", case.name.as_deref());
    line.text("file", case.file.as_deref());
    line.plain("line", case.line);
    line.text("outcome", Some(case.outcome.as_str()));
    line.plain("seconds", case.seconds);
    if let Some(started) = case.started {
        line.text("started", Some(&started.to_string()));
    }
    detail(&case.detail, &mut line);
    if !case.tries.is_empty() {
        let mut tries = Members::list(line.value("tries"));
        for one in &case.tries {
            let mut members = Members::object(tries.item());
            members.text("outcome", Some(one.outcome.as_str()));
            members.plain("seconds", one.seconds);
            detail(&one.detail, &mut members);
            members.end();
        }
        tries.end();
    }
    properties("properties", case, &mut line);
    // 16 bytes in hexadecimal digits need no escape.
    line.text("test_id", Some(&id.to_string()));
    line.plain("ordinal", Some(case.ordinal));
    line.end();
    into.push('\n');
}

fn detail(detail: &Detail<'_>, into: &mut Members<'_>) {
    into.text("kind", detail.kind.as_deref());
    into.text("message", detail.message.as_deref());
    into.text("text", detail.text.as_deref());
}

/// Writes the properties as a member that is an object, where there are any. Of a name that comes several times the value is a list.
pub(super) fn properties(member: &str, case: &Case<'_>, into: &mut Members<'_>) {
    if case.properties.is_empty() {
        return;
    }
    // in the order in which the names first come
    let mut by_name: Vec<(&str, Vec<&str>)> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for (name, value) in &case.properties {
        let place = *places.entry(name.as_ref()).or_insert_with(|| {
            by_name.push((name, Vec::new()));
            by_name.len() - 1
        });
        if let Some((_, values)) = by_name.get_mut(place) {
            values.push(value);
        }
    }
    let mut members = Members::object(into.value(member));
    for (name, values) in by_name {
        match values[..] {
            [value] => members.text(name, Some(value)),
            _ => members.texts(name, values),
        }
    }
    members.end();
}
