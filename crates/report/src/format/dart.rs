//! The JSON reporter of Dart and Flutter (<https://github.com/dart-lang/test/blob/master/pkgs/test/doc/json_reporter.md>):
//! an event a line, or an array of them, as `flutter test --machine` writes.
//!
//! Tests that are hidden, as those that load a file or set up and did well, are no cases. The names of groups and tests
//! repeat those of the groups around them: that part is left out.

use std::borrow::Cow;
use std::collections::HashMap;

use super::LineReader;
use super::lines::JsonLines;
use super::shelf::Shelf;
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome};
use crate::out::Out;
use crate::scan::json::Json;

/// Reads events.
#[derive(Default)]
pub(super) struct DartReader {
    lines: JsonLines,
    run: Run,
}

#[derive(Default)]
struct Run {
    shelf: Shelf,
    /// The paths of suites.
    suites: HashMap<i64, String>,
    groups: HashMap<i64, Group>,
    is_troubled: bool,
    bytes: usize,
}

struct Group {
    name: String,
    parent: Option<i64>,
}

/// The most groups around a test: those that name each other would have no end.
const GROUPS: usize = 64;

impl LineReader for DartReader {
    fn line(&mut self, line: &str, at: u64, out: &mut Out<'_>) {
        let Self { lines, run } = self;
        lines.read(line, at, out, |event, out| run.event(event, out));
    }

    fn finish(&mut self, _: u64, out: &mut Out<'_>) {
        self.run.shelf.finish(out);
    }
}

impl Run {
    fn event(&mut self, event: Json<'_>, out: &mut Out<'_>) {
        let Some(kind) = event.text_of("type") else { return };
        match &*kind {
            // the ids of another run begin anew
            "start" => {
                self.shelf.finish(out);
                *self = Self::default();
            }
            "suite" | "group" => self.around(event, &kind, out),
            "testStart" => self.start(event, out),
            "testDone" => self.done(event, out),
            "error" => self.error(event, out),
            "print" => self.print(event, out),
            "done" if event.truth_of("success") == Some(false) && !self.is_troubled => {
                out.finding(FindingCode::FailureOutsideCase, event.offset());
            }
            _ => {}
        }
    }

    /// A suite or a group.
    fn around(&mut self, event: Json<'_>, kind: &str, out: &mut Out<'_>) {
        let Some(value) = event.get(kind) else { return };
        let Some(id) = value.whole_number_of("id") else { return };
        let name = value.text_of(if kind == "suite" { "path" } else { "name" }).unwrap_or_default();
        self.bytes += name.len() + 128;
        if self.bytes > out.limits.case_bytes {
            (self.suites, self.groups) = Default::default();
            self.bytes = 0;
            out.finding(FindingCode::OutputCut, event.offset());
        }
        if kind == "suite" {
            self.suites.insert(id, name.into_owned());
        } else {
            let parent = value.whole_number_of("parentID");
            self.groups.insert(id, Group { name: name.into_owned(), parent });
        }
    }

    fn start(&mut self, event: Json<'_>, out: &mut Out<'_>) {
        let Some(test) = event.get("test") else { return };
        let Some(id) = test.whole_number_of("id") else { return };
        let case = self.case(test);
        let entry = self.shelf.open(&id.to_string(), || case, out);
        entry.began = event.number_of("time");
    }

    fn case(&self, test: Json<'_>) -> Case<'static> {
        let mut case = Case::new(Outcome::Errored, test.offset());
        let mut groups = Vec::new();
        let mut next = test.list("groupIDs").last().and_then(|id| id.number()).map(|id| format!("{id}"));
        while let Some(group) = next.and_then(|id| id.parse().ok()).and_then(|id: i64| self.groups.get(&id)) {
            groups.push(&*group.name);
            next = group.parent.filter(|_| groups.len() < GROUPS).map(|id| id.to_string());
        }
        let mut around = "";
        for group in groups.into_iter().rev().filter(|name| !name.is_empty()) {
            case.suite.push(Cow::Owned(own(group, around).to_owned()));
            around = group;
        }
        let name = test.filled("name");
        case.name = name.map(|name| Cow::Owned(own(&name, around).to_owned()));
        let path = test.whole_number_of("suiteID").and_then(|id| self.suites.get(&id));
        case.file = path.filter(|path| !path.is_empty()).map(|path| Cow::Owned(path.clone()));
        // where a test is made by a function of another file, the root is in the suite's own
        let line = test.whole_number_of("root_line").or_else(|| test.whole_number_of("line"));
        case.line = line.and_then(|line| line.try_into().ok());
        let reason = test.get("metadata").and_then(|metadata| metadata.filled("skipReason"));
        case.detail.message = reason.map(|reason| Cow::Owned(reason.into_owned()));
        case
    }

    fn done(&mut self, event: Json<'_>, out: &mut Out<'_>) {
        let Some(key) = key(event) else { return };
        if event.truth_of("hidden") == Some(true) {
            return self.shelf.remove(&key);
        }
        let outcome = match event.text_of("result").as_deref() {
            Some("success") if event.truth_of("skipped") == Some(true) => Outcome::Skipped,
            Some("success") => Outcome::Passed,
            Some("failure") => Outcome::Failed,
            Some("error") => Outcome::Errored,
            _ => {
                out.finding(FindingCode::UnknownStatus, event.offset());
                Outcome::Errored
            }
        };
        self.is_troubled |= outcome.is_trouble();
        let Some(entry) = self.shelf.get(&key).filter(|entry| entry.is_open()) else { return };
        let seconds = event.number_of("time").zip(entry.began).map(|(end, began)| (end - began) / 1000.0);
        let output = std::mem::take(&mut entry.output);
        let mut detail = entry.take_failures();
        if outcome == Outcome::Skipped {
            detail.message = detail.message.or_else(|| entry.case.detail.message.take());
        }
        entry.case.stdout = (!output.is_empty()).then_some(Cow::Owned(output));
        self.shelf.end(
            &key,
            outcome,
            seconds.filter(|&seconds| seconds >= 0.0 && seconds.is_finite()),
            detail,
        );
    }

    fn error(&mut self, event: Json<'_>, out: &mut Out<'_>) {
        let Some(key) = key(event) else { return };
        let owned = |name| event.filled(name).map(|text| Cow::Owned(text.trim_end().to_owned()));
        let detail = Detail { kind: None, message: owned("error"), text: owned("stackTrace") };
        match self.shelf.get(&key) {
            Some(entry) if !entry.is_open() => {
                self.shelf.fail_late(&key, &detail, event.offset(), out);
                self.is_troubled = true;
            }
            Some(_) => self.shelf.fail(&key, detail, event.offset(), out),
            None => out.failure_outside(event.offset(), event.text_of("error")),
        }
    }

    fn print(&mut self, event: Json<'_>, out: &mut Out<'_>) {
        let (Some(key), Some(message)) = (key(event), event.text_of("message")) else { return };
        if event.text_of("messageType").as_deref() != Some("skip") {
            self.shelf.print(&key, &format!("{message}\n"), event.offset(), out);
        }
    }
}

fn key(event: Json<'_>) -> Option<String> {
    event.whole_number_of("testID").map(|id| id.to_string())
}

/// Returns what of a name is not that of the group around it.
fn own<'name>(name: &'name str, around: &str) -> &'name str {
    let rest = name.strip_prefix(around).and_then(|rest| rest.strip_prefix(' '));
    rest.filter(|rest| !rest.is_empty()).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use crate::testing::{chunks_agree, told};

    const RUN: &str = include_str!("../../tests/fixtures/dart/run.jsonl");
    const BROKEN: &str = include_str!("../../tests/fixtures/dart/broken.jsonl");

    #[test]
    fn groups_are_suites_and_hidden_tests_are_no_cases() {
        insta::assert_snapshot!(told(RUN));
    }

    #[test]
    fn a_file_that_does_not_load_and_a_run_that_breaks_off() {
        insta::assert_snapshot!(told(BROKEN));
    }

    #[test]
    fn chunks_give_the_same() {
        chunks_agree(RUN);
        chunks_agree(BROKEN);
    }

    #[test]
    fn an_error_behind_the_end_of_a_test_is_one_of_its_last_try() {
        let start = r#"{"test":{"id":1,"name":"a"},"type":"testStart","time":-1e308}"#;
        let done = r#"{"testID":1,"result":"success","type":"testDone","time":1e308}"#;
        let late = |error: &str| format!(r#"{{"testID":1,"error":"{error}","type":"error","time":0}}"#);
        let lines = [start, done, start, done, &late("late"), &late("later")];
        assert_eq!(
            told(&lines.join("\n")),
            "a | errored | late | \"late\\n\\nlater\" | tries (passed), (errored late | \"late\\n\\nlater\")\n"
        );
    }
}
