//! Cucumber messages (<https://github.com/cucumber/messages>): an envelope a line.
//!
//! A case is a pickle that was started as a test case; attempts that will be retried are tries. What a step or a hook of
//! any status but passed and skipped makes of it is a failure, as Cucumber's own JUnit formatter has it.

use std::borrow::Cow;
use std::collections::HashMap;

use super::LineReader;
use super::lines::JsonLines;
use super::shelf::Shelf;
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome};
use crate::out::Out;
use crate::scan::json::Json;
use crate::time::Instant;

/// Reads envelopes.
#[derive(Default)]
pub(super) struct CucumberReader {
    lines: JsonLines,
    run: Run,
}

#[derive(Default)]
struct Run {
    shelf: Shelf,
    /// What stands in documents, by the id of a scenario or of a row of examples.
    places: HashMap<String, Place>,
    pickles: HashMap<String, Pickle>,
    /// The pickles of test cases.
    cases: HashMap<String, String>,
    /// The attempts that are open.
    attempts: HashMap<String, Attempt>,
    bytes: usize,
}

/// Where a scenario, or a row of its examples, stands.
#[derive(Clone, Default)]
struct Place {
    suite: Vec<String>,
    line: Option<u64>,
    /// What tells a row from the others: the name of its examples and the numbers of both.
    row: Option<String>,
}

struct Pickle {
    name: String,
    uri: String,
    line: Option<u64>,
    nodes: Vec<String>,
    tags: Vec<String>,
}

struct Attempt {
    case: String,
    /// The worst of its steps.
    status: Status,
    /// Seconds and nanoseconds.
    began: Option<(i64, i64)>,
}

/// Statuses, the worst last.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Status {
    Passed,
    Skipped,
    Unknown,
    Pending,
    Undefined,
    Ambiguous,
    Failed,
}

impl LineReader for CucumberReader {
    fn line(&mut self, line: &str, at: u64, out: &mut Out<'_>) {
        let Self { lines, run } = self;
        lines.read(line, at, out, |envelope, out| {
            for (kind, message) in envelope.members() {
                run.message(&kind, message, out);
            }
        });
    }

    fn finish(&mut self, _: u64, out: &mut Out<'_>) {
        self.run.shelf.finish(out);
    }
}

impl Run {
    fn message(&mut self, kind: &str, message: Json<'_>, out: &mut Out<'_>) {
        match kind {
            // the ids of another run may begin anew
            "meta" => {
                self.shelf.finish(out);
                *self = Self::default();
            }
            "gherkinDocument" => self.document(message, out),
            "pickle" => self.pickle(message, out),
            "testCase" => {
                if let (Some(id), Some(pickle)) = (text(message, "id"), text(message, "pickleId")) {
                    self.hold(id.len() + pickle.len(), message, out);
                    self.cases.insert(id, pickle);
                }
            }
            "testCaseStarted" => self.started(message, out),
            "testStepFinished" => self.step(message, out),
            "attachment" => self.attachment(message, out),
            "testCaseFinished" => self.finished(message),
            "parseError" => out.failure_outside(message.offset(), message.text_of("message")),
            "testRunHookFinished" => {
                let of = |name| message.get("result").and_then(|result| result.text_of(name));
                if of("status").is_some_and(|status| status != "PASSED" && status != "SKIPPED") {
                    out.failure_outside(message.offset(), of("message"));
                }
            }
            "testRunFinished" => {
                if let Some(exception) = message.get("exception") {
                    out.failure_outside(message.offset(), exception.text_of("message"));
                }
            }
            _ => {}
        }
    }

    /// Counts what is held; where it is too much it is let go: attempts that are open never end.
    fn hold(&mut self, bytes: usize, message: Json<'_>, out: &mut Out<'_>) {
        self.bytes += bytes + 256;
        if self.bytes > out.limits.case_bytes {
            (self.places, self.pickles, self.cases, self.attempts) = Default::default();
            self.bytes = 0;
            out.finding(FindingCode::OutputCut, message.offset());
        }
    }

    fn document(&mut self, document: Json<'_>, out: &mut Out<'_>) {
        let Some(feature) = document.get("feature") else { return };
        let mut suite = Vec::new();
        suite.extend(filled(feature, "name"));
        for child in feature.list("children") {
            if let Some(scenario) = child.get("scenario") {
                self.scenario(scenario, &suite, out);
            }
            let Some(rule) = child.get("rule") else { continue };
            let mut suite = suite.clone();
            suite.extend(filled(rule, "name"));
            for child in rule.list("children") {
                if let Some(scenario) = child.get("scenario") {
                    self.scenario(scenario, &suite, out);
                }
            }
        }
    }

    fn scenario(&mut self, scenario: Json<'_>, suite: &[String], out: &mut Out<'_>) {
        let place = |node: Json<'_>, row| Place { suite: suite.to_vec(), line: line(node), row };
        let bytes = suite.iter().map(String::len).sum::<usize>();
        if let Some(id) = text(scenario, "id") {
            self.hold(bytes + id.len(), scenario, out);
            self.places.insert(id, place(scenario, None));
        }
        for (index, examples) in scenario.list("examples").enumerate() {
            let name = filled(examples, "name").map(|name| format!("{name} - ")).unwrap_or_default();
            for (row, body) in examples.list("tableBody").enumerate() {
                let Some(id) = text(body, "id") else { continue };
                self.hold(bytes + id.len() + name.len(), body, out);
                let row = format!("{name}#{}.{}", index + 1, row + 1);
                self.places.insert(id, place(body, Some(row)));
            }
        }
    }

    fn pickle(&mut self, message: Json<'_>, out: &mut Out<'_>) {
        let Some(id) = text(message, "id") else { return };
        let texts = |name| message.list(name).filter_map(|item| item.text()).map(Cow::into_owned);
        let pickle = Pickle {
            name: text(message, "name").unwrap_or_default(),
            uri: text(message, "uri").unwrap_or_default(),
            line: line(message),
            nodes: texts("astNodeIds").collect(),
            tags: message.list("tags").filter_map(|tag| text(tag, "name")).collect(),
        };
        let lists = pickle.nodes.iter().chain(&pickle.tags).map(|text| text.len() + 32).sum::<usize>();
        self.hold(id.len() + pickle.name.len() + pickle.uri.len() + lists, message, out);
        self.pickles.insert(id, pickle);
    }

    fn started(&mut self, message: Json<'_>, out: &mut Out<'_>) {
        let (Some(id), Some(case)) = (text(message, "id"), text(message, "testCaseId")) else { return };
        let mut new = Case::new(Outcome::Errored, message.offset());
        let began = timestamp(message);
        // the first day is what those without a clock write
        let clock = began.filter(|&(seconds, _)| seconds >= 86_400);
        new.started = clock.and_then(|(seconds, nanos)| {
            Some(Instant::utc(seconds.checked_mul(1000)?.checked_add(nanos / 1_000_000)?))
        });
        if let Some(pickle) = self.cases.get(&case).and_then(|pickle| self.pickles.get(pickle)) {
            let places: Vec<_> = pickle.nodes.iter().filter_map(|node| self.places.get(node)).collect();
            let row = places.iter().find_map(|place| place.row.as_deref());
            let name = row.map_or_else(|| pickle.name.clone(), |row| format!("{} - {row}", pickle.name));
            new.name = Some(name).filter(|name| !name.trim().is_empty()).map(Cow::Owned);
            new.file = Some(&pickle.uri).filter(|uri| !uri.is_empty()).map(|uri| Cow::Owned(uri.clone()));
            new.line = pickle.line.or_else(|| places.last().and_then(|place| place.line));
            new.suite = places
                .first()
                .into_iter()
                .flat_map(|place| place.suite.iter().cloned().map(Cow::Owned))
                .collect();
            let tags = pickle.tags.iter().map(|tag| (Cow::Borrowed("tag"), Cow::Owned(tag.clone())));
            new.properties.extend(tags);
        }
        self.shelf.never_ended(&case, out);
        self.shelf.open(&case, || new, out);
        self.hold(id.len() + case.len(), message, out);
        self.attempts.insert(id, Attempt { case, status: Status::Passed, began });
    }

    fn step(&mut self, message: Json<'_>, out: &mut Out<'_>) {
        let attempt = text(message, "testCaseStartedId").and_then(|id| self.attempts.get_mut(&id));
        let (Some(Attempt { case, status: worst, .. }), Some(result)) =
            (attempt, message.get("testStepResult"))
        else {
            return;
        };
        let status = match result.text_of("status").as_deref() {
            Some("PASSED") => Status::Passed,
            Some("SKIPPED") => Status::Skipped,
            Some("PENDING") => Status::Pending,
            Some("UNDEFINED") => Status::Undefined,
            Some("AMBIGUOUS") => Status::Ambiguous,
            Some("FAILED") => Status::Failed,
            Some("UNKNOWN") => Status::Unknown,
            _ => {
                out.finding(FindingCode::UnknownStatus, result.offset());
                Status::Unknown
            }
        };
        *worst = status.max(*worst);
        let exception = result.get("exception");
        let said = exception.and_then(|exception| filled(exception, "message"));
        let trace = exception.and_then(|exception| filled(exception, "stackTrace"));
        let whole = filled(result, "message");
        if status == Status::Passed || (status == Status::Skipped && said.is_none() && whole.is_none()) {
            return;
        }
        let kind = exception.and_then(|exception| filled(exception, "type"));
        let word = (status != Status::Failed).then(|| result.text_of("status")).flatten();
        let first = |text: &String| text.lines().next().unwrap_or_default().to_owned();
        let detail = Detail {
            kind: kind.or(word.filter(|_| status != Status::Skipped).map(Cow::into_owned)).map(Cow::Owned),
            message: said.or_else(|| whole.as_ref().map(first)).map(Cow::Owned),
            text: trace.or(whole).map(Cow::Owned),
        };
        let case = case.clone();
        self.shelf.fail(&case, detail, message.offset(), out);
    }

    /// What a step logs.
    fn attachment(&mut self, message: Json<'_>, out: &mut Out<'_>) {
        let attempt = text(message, "testCaseStartedId").and_then(|id| self.attempts.get(&id));
        let is_log = message.text_of("mediaType").is_some_and(|kind| kind.starts_with("text/x.cucumber.log"));
        let is_plain = message.text_of("contentEncoding").as_deref() != Some("BASE64");
        if let (Some(Attempt { case, .. }), Some(body), true) =
            (attempt, message.text_of("body"), is_log && is_plain)
        {
            self.shelf.print(case, &format!("{body}\n"), message.offset(), out);
        }
    }

    fn finished(&mut self, message: Json<'_>) {
        let Some(id) = text(message, "testCaseStartedId") else { return };
        let Some(Attempt { case, status, began }) = self.attempts.remove(&id) else { return };
        self.bytes = self.bytes.saturating_sub(id.len() + case.len() + 256);
        let Some(entry) = self.shelf.get(&case) else { return };
        let outcome = match status {
            Status::Passed => Outcome::Passed,
            Status::Skipped => Outcome::Skipped,
            Status::Unknown => Outcome::Errored,
            Status::Pending | Status::Undefined | Status::Ambiguous | Status::Failed => Outcome::Failed,
        };
        let output = std::mem::take(&mut entry.output);
        let took = timestamp(message).zip(began).and_then(|(end, began)| seconds_between(began, end));
        let detail = entry.take_failures();
        entry.case.stdout = (!output.is_empty()).then_some(Cow::Owned(output));
        self.shelf.end(&case, outcome, took, detail);
    }
}

fn text(value: Json<'_>, name: &str) -> Option<String> {
    value.text_of(name).map(Cow::into_owned)
}

fn filled(value: Json<'_>, name: &str) -> Option<String> {
    value.filled(name).map(Cow::into_owned)
}

fn line(node: Json<'_>) -> Option<u64> {
    node.get("location")?.whole_number_of("line")?.try_into().ok()
}

/// Returns the parts of a timestamp: some writers put the seconds in quotes.
fn timestamp(message: Json<'_>) -> Option<(i64, i64)> {
    let timestamp = message.get("timestamp")?;
    let seconds = timestamp.get("seconds")?.shown().parse().ok()?;
    Some((seconds, timestamp.whole_number_of("nanos").unwrap_or(0)))
}

fn seconds_between(began: (i64, i64), end: (i64, i64)) -> Option<f64> {
    let seconds = u32::try_from(end.0.checked_sub(began.0)?).ok()?;
    let nanos = i32::try_from(end.1.checked_sub(began.1)?).ok()?;
    Some(f64::from(seconds) + f64::from(nanos) / 1e9).filter(|&took| took >= 0.0)
}

#[cfg(test)]
mod tests {
    use crate::testing::{chunks_agree, told};

    const RUN: &str = include_str!("../../tests/fixtures/cucumber-messages/run.ndjson");

    #[test]
    fn pickles_are_cases_and_attempts_tries() {
        insta::assert_snapshot!(told(RUN));
    }

    #[test]
    fn chunks_give_the_same() {
        chunks_agree(RUN);
    }
}
