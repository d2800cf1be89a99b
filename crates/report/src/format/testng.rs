//! TestNG's `testng-results.xml`
//! (<https://github.com/testng-team/testng/blob/master/testng-core/src/main/java/org/testng/reporters/XMLSuiteResultWriter.java>).
//!
//! Methods that set up and tear down are cases, too, with the property `is-config`.

use std::borrow::Cow;
use std::collections::HashMap;

use super::naming::{join, text_of};
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Text, Try};
use crate::out::Out;
use crate::scan::xml::tree::Element;
use crate::time::{Instant, parse_instant, parse_seconds};

/// The groups of a method, by its class and name.
type Groups<'xml> = HashMap<(Text<'xml>, Text<'xml>), String>;
/// Methods that were tried again, by what tells them from others of their class.
type Retried<'xml> = HashMap<Text<'xml>, Vec<Element<'xml>>>;

/// Reads `testng-results`, or what of it stands in a file of its own: a `suite`, a `test`.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    let mut path = Vec::new();
    match root.name() {
        b"suite" => suite(root, &mut path, out),
        b"test" => test(root, &mut path, &Groups::new(), out),
        _ => {
            for child in root.children_named("suite") {
                suite(child, &mut path, out);
            }
        }
    }
}

fn suite<'xml>(element: Element<'xml>, path: &mut Vec<Text<'xml>>, out: &mut Out<'_>) {
    let depth = path.len();
    path.extend(element.filled("name"));
    let groups = groups(element);
    for child in element.children() {
        match child.name() {
            b"suite" => suite(child, path, out),
            b"test" => test(child, path, &groups, out),
            _ => {}
        }
    }
    path.truncate(depth);
}

fn groups<'xml>(suite: Element<'xml>) -> Groups<'xml> {
    let mut known = Groups::new();
    for group in suite.children_named("groups").flat_map(|groups| groups.children()) {
        let Some(name) = group.filled("name") else { continue };
        for method in group.children_named("method") {
            let key =
                (method.attribute("class").unwrap_or_default(), method.attribute("name").unwrap_or_default());
            let names = known.entry(key).or_default();
            if !names.is_empty() {
                names.push_str(", ");
            }
            names.push_str(&name);
        }
    }
    known
}

fn test<'xml>(element: Element<'xml>, path: &mut Vec<Text<'xml>>, groups: &Groups<'xml>, out: &mut Out<'_>) {
    let depth = path.len();
    path.extend(element.filled("name"));
    for group in element.children_named("class") {
        let class = class_name(group);
        let mut retried = Retried::new();
        for method in group.children_named("test-method") {
            if !method.is_whole() {
                out.finding(FindingCode::CutCase, method.offset());
            } else if method.attribute("retried").as_deref() == Some("true") {
                retried.entry(key(method)).or_default().push(method);
            } else {
                let before = if retried.is_empty() { None } else { retried.remove(&key(method)) };
                let mut case = case(method, path, class.clone(), groups, out);
                tries(&mut case, &before.unwrap_or_default());
                out.case(case);
            }
        }
        // the last try is missing
        let mut rest: Vec<_> = retried.into_values().filter(|tries| !tries.is_empty()).collect();
        rest.sort_by_key(|tries| tries.first().map(Element::offset));
        for mut before in rest {
            let Some(last) = before.pop() else { continue };
            let mut case = case(last, path, class.clone(), groups, out);
            let (outcome, detail) = retried_as(last);
            (case.outcome, case.detail) = (outcome, detail);
            tries(&mut case, &before);
            out.case(case);
        }
    }
    path.truncate(depth);
}

fn class_name(group: Element<'_>) -> Option<Text<'_>> {
    let name = group.filled("name")?;
    match group.filled("package") {
        Some(package) if package != "[default]" => Some(Cow::Owned(format!("{package}.{name}"))),
        _ => Some(name),
    }
}

/// What is the same in every try of a method with these parameters.
fn key(method: Element<'_>) -> Text<'_> {
    let mut key =
        method.attribute("signature").or_else(|| method.attribute("name")).unwrap_or_default().into_owned();
    for part in method.attribute("test-instance-name").into_iter().chain(params(method)) {
        key.push('\0');
        key.push_str(&part);
    }
    Cow::Owned(key)
}

fn params(method: Element<'_>) -> impl Iterator<Item = Text<'_>> {
    let params = method.children_named("params").flat_map(|params| params.children());
    params.map(|param| match param.child("value") {
        Some(value) if value.attribute("is-null").as_deref() == Some("true") => Cow::Borrowed("null"),
        Some(value) => trimmed(value.text()),
        None => Cow::Borrowed(""),
    })
}

/// A try that was followed by another is `SKIP`, whatever it threw.
fn retried_as(method: Element<'_>) -> (Outcome, Detail<'_>) {
    let detail = detail(method);
    (if detail.is_empty() { Outcome::Skipped } else { failed(&detail, false) }, detail)
}

fn tries<'xml>(case: &mut Case<'xml>, before: &[Element<'xml>]) {
    if before.is_empty() {
        return;
    }
    case.tries = before
        .iter()
        .map(|&method| {
            let (outcome, detail) = retried_as(method);
            Try { outcome, seconds: seconds(method), detail }
        })
        .collect();
    case.tries.push(Try { outcome: case.outcome, seconds: case.seconds, detail: case.detail.clone() });
}

fn case<'xml>(
    method: Element<'xml>,
    path: &[Text<'xml>],
    class: Option<Text<'xml>>,
    groups: &'xml Groups<'_>,
    out: &mut Out<'_>,
) -> Case<'xml> {
    let is_config = method.attribute("is-config").as_deref() == Some("true");
    let detail = detail(method);
    let outcome = match method.attribute("status").as_deref() {
        Some("PASS") => Outcome::Passed,
        Some("FAIL") => failed(&detail, is_config),
        // the second: so many of the invocations may fail
        Some("SKIP" | "SUCCESS_PERCENTAGE_FAILURE") => Outcome::Skipped,
        _ => {
            out.finding(FindingCode::UnknownStatus, method.offset());
            Outcome::Errored
        }
    };
    let mut case = Case::new(outcome, method.offset());
    case.suite = path.to_vec();
    case.class = class;
    case.detail = detail;
    case.seconds = seconds(method);
    if case.seconds.is_none() && method.filled("duration-ms").is_some() {
        out.finding(FindingCode::BadTime, method.offset());
    }
    case.started = method.attribute("started-at").and_then(|start| started(&start));
    for line in method.children_named("reporter-output").flat_map(|output| output.children()) {
        join(&mut case.stdout, line.filled_text().map(trimmed));
    }
    if is_config {
        case.properties.push((Cow::Borrowed("is-config"), Cow::Borrowed("true")));
    }
    for name in ["test-instance-name", "description", "data-provider"] {
        case.properties.extend(method.filled(name).map(|value| (Cow::Borrowed(name), value)));
    }
    let name = method.filled("name");
    let listed = || {
        let key = (case.class.clone().unwrap_or_default(), name.clone().unwrap_or_default());
        groups.get(&key).map(|names| Cow::Borrowed(names.as_str()))
    };
    let groups = method.filled("groups").or_else(listed);
    case.properties.extend(groups.map(|groups| (Cow::Borrowed("groups"), groups)));
    let attributes = method.children_named("attributes").flat_map(|attributes| attributes.children());
    case.properties.extend(
        attributes.filter_map(|one| Some((one.filled("name")?, one.filled_text().unwrap_or_default()))),
    );
    case.name = name.map(|name| named(name, method));
    case
}

/// Parameters, and the name of an instance, tell the invocations of a method apart.
fn named<'xml>(name: Text<'xml>, method: Element<'xml>) -> Text<'xml> {
    let params: Vec<_> = params(method).collect();
    let instance = method.filled("test-instance-name").filter(|instance| *instance != name);
    if params.is_empty() && instance.is_none() {
        return name;
    }
    let mut name = name.into_owned();
    if !params.is_empty() {
        name = format!("{name}({})", params.join(", "));
    }
    if let Some(instance) = instance {
        name = format!("{name} [{instance}]");
    }
    Cow::Owned(name)
}

fn failed(detail: &Detail<'_>, is_config: bool) -> Outcome {
    let is_timeout = detail.kind.as_deref().is_some_and(|kind| kind.ends_with("ThreadTimeoutException"));
    if is_config || is_timeout { Outcome::Errored } else { Outcome::Failed }
}

fn detail(method: Element<'_>) -> Detail<'_> {
    let Some(exception) = method.child("exception") else { return Detail::default() };
    Detail {
        kind: exception.filled("class"),
        message: text_of(exception, "message").map(trimmed),
        text: text_of(exception, "full-stacktrace")
            .or_else(|| text_of(exception, "short-stacktrace"))
            .map(trimmed),
    }
}

/// Texts stand in sections, each on lines of its own: what is around them is the document's indentation.
fn trimmed(text: Text<'_>) -> Text<'_> {
    super::naming::part(text, str::trim)
}

fn seconds(method: Element<'_>) -> Option<f64> {
    parse_seconds(&method.filled("duration-ms")?).map(|milliseconds| milliseconds / 1000.0)
}

/// The writer's default is local time, with a `Z` that says nothing; newer ones write a zone's name.
fn started(raw: &str) -> Option<Instant> {
    let raw = raw.trim();
    if let Some(local) = raw.strip_suffix('Z') {
        return parse_instant(local);
    }
    let known = parse_instant(raw);
    known.or_else(|| parse_instant(raw.rsplit_once(' ').filter(|(_, zone)| !zone.contains(':'))?.0))
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn results() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/testng/results.xml")),
            r#"Bakery > Morning | [org.bakery.BreadTest] | heat | passed | 0.007s | @2026-03-02T09:00:00Z | {is-config=true}
Bakery > Morning | [org.bakery.BreadTest] | rises | passed | 0.015s | @2026-03-02T09:00:00Z | out "warm\nwarmer" | {description=of yeast, groups=bread, fast, oven=2}
Bakery > Morning | [org.bakery.BreadTest] | bakes(rye, null) | passed | 0.02s | @2026-03-02T09:00:01 | {data-provider=loaves}
Bakery > Morning | [org.bakery.BreadTest] | bakes(oat, 2) | failed | 0.021s | @2026-03-02T09:00:01 | java.lang.AssertionError: expected [2] but found [1] | "java.lang.AssertionError: expected [2] but found [1]\n\tat org.bakery.BreadTest.bakes(BreadTest.java:12)" | {data-provider=loaves}
Bakery > Morning | [org.bakery.BreadTest] | cools | passed | 0.003s | tries (failed 0.001s java.io.IOException: hot | "java.io.IOException: hot"), (errored 0.002s org.testng.internal.thread.ThreadTimeoutException: late), (passed 0.003s)
Bakery > Morning | [org.bakery.BreadTest] | crumbles | skipped | 0.003s | java.lang.AssertionError:
Bakery > Morning | [org.bakery.BreadTest] | slices | failed | 0.001s | java.io.IOException: blunt
Bakery > Morning | [org.bakery.CakeTest] | whip | errored | 0.002s | java.lang.IllegalStateException: no cream | {is-config=true}
Bakery > Morning | [org.bakery.CakeTest] | stands [sponge] | skipped | 0s | {test-instance-name=sponge}
! unknown-status @3962
! bad-time @3962
Bakery > Morning | [org.bakery.CakeTest] | stands [tart] | errored | {test-instance-name=tart}
! cut-case @4145
! cut-document @4208
"#
        );
    }

    #[test]
    fn fragment() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/testng/fragment.xml")),
            r#"Bakery > Evening | [org.bakery.BunTest] | sticks | passed | 0.02s | @2026-03-02T09:00:00
"#
        );
    }
}
