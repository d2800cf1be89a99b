//! The report log of pytest (<https://github.com/pytest-dev/pytest-reportlog>): a report a line, of a collector or of a
//! phase of a test.
//!
//! Set-up, call and tear-down of a test are one case; its seconds are those of all three, as in pytest's JUnit XML. Where the
//! outcome is `rerun`
//! (pytest-rerunfailures) the try has ended. A collector that fails, or is skipped, is a case, as pytest counts it.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::LineReader;
use super::lines::JsonLines;
use super::shelf::Shelf;
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::json::Json;
use crate::time::Instant;

/// Reads reports.
#[derive(Default)]
pub(super) struct PytestReader {
    lines: JsonLines,
    session: Session,
}

#[derive(Default)]
struct Session {
    shelf: Shelf,
    /// The tests of which no tear-down has come.
    open: BTreeSet<String>,
}

impl LineReader for PytestReader {
    fn line(&mut self, line: &str, at: u64, out: &mut Out<'_>) {
        let Self { lines, session } = self;
        lines.read(line, at, out, |report, out| session.report(report, out));
    }

    fn finish(&mut self, _: u64, out: &mut Out<'_>) {
        self.session.finish(out);
    }
}

impl Session {
    fn finish(&mut self, out: &mut Out<'_>) {
        for id in std::mem::take(&mut self.open) {
            // one whose call is known has ended, but for its tear-down
            if self
                .shelf
                .get(&id)
                .is_some_and(|entry| entry.verdict.is_some_and(|(outcome, _)| outcome != Outcome::Passed))
            {
                self.end(&id);
            }
        }
        self.shelf.finish(out);
    }

    fn report(&mut self, report: Json<'_>, out: &mut Out<'_>) {
        let kind = report.text_of("$report_type").or_else(|| report.text_of("_report_type"));
        match kind.as_deref() {
            // another session is no rerun
            Some("SessionStart") => self.finish(out),
            Some("TestReport") if report.get("context").is_some() => self.subtest(report, out),
            Some("TestReport") => self.phase(report, out),
            Some("SubTestReport" | "SubtestReport") => self.subtest(report, out),
            Some("CollectReport") => collected(report, out),
            _ => {}
        }
    }

    fn phase(&mut self, report: Json<'_>, out: &mut Out<'_>) {
        let Some(id) = report.text_of("nodeid") else { return };
        let when = report.text_of("when");
        let when = when.as_deref().unwrap_or("call");
        let is_xfail = report.get("wasxfail").is_some();
        let is_open = self.shelf.get(&id).is_some_and(|entry| entry.is_open());
        if !is_open && when == "teardown" && self.shelf.get(&id).is_some() {
            return self.late(&id, report);
        }
        if is_open && when == "setup" {
            self.end_or_never(&id, out);
        }
        self.open(&id, report, out);
        let is_rerun = report.text_of("outcome").as_deref() == Some("rerun");
        let outcome = match report.text_of("outcome").as_deref() {
            Some("passed") => Outcome::Passed,
            Some("skipped") => Outcome::Skipped,
            Some("failed" | "rerun") if when == "call" => Outcome::Failed,
            Some("failed" | "rerun") => Outcome::Errored,
            _ => {
                out.finding(FindingCode::UnknownStatus, report.offset());
                Outcome::Errored
            }
        };
        let mut detail = detail(report);
        let message = detail.message.as_deref().unwrap_or_default();
        let is_timeout = outcome == Outcome::Failed && message.starts_with("Failed: Timeout");
        let outcome = if is_timeout { Outcome::Errored } else { outcome };
        if is_xfail && outcome == Outcome::Skipped {
            let reason = report.filled("wasxfail").map(|reason| Cow::Owned(reason.into_owned()));
            detail.message = reason.or(detail.message);
        }
        if outcome != Outcome::Passed {
            self.shelf.fail(&id, detail, report.offset(), out);
        }
        let mut captured = captured(report);
        let bytes: usize = captured.iter().flatten().map(|text| text.len()).sum();
        if !self.shelf.grow(&id, bytes, report.offset(), out) {
            captured = [None, None];
        }
        let Some(entry) = self.shelf.get(&id) else { return };
        let (before, took) = entry.verdict.unzip();
        let took = total(took.flatten(), seconds(report));
        let outcome = match before {
            // the call is what counts, unless another phase went wrong, or it never came
            Some(before) if before.is_trouble() || (when != "call" && !outcome.is_trouble()) => before,
            _ => outcome,
        };
        entry.verdict = Some((outcome, took));
        // each phase repeats what those before it had
        let [stdout, stderr] = captured;
        entry.case.stdout = stdout.or(entry.case.stdout.take());
        entry.case.stderr = stderr.or(entry.case.stderr.take());
        let properties: Vec<_> = properties(report).collect();
        if !properties.is_empty() {
            entry.case.properties = properties;
        }
        if is_rerun || when == "teardown" || !matches!(when, "setup" | "call") {
            self.end(&id);
        }
    }

    /// Opens a try of a test, if none is open.
    fn open(&mut self, id: &str, report: Json<'_>, out: &mut Out<'_>) {
        if !self.open.contains(id) {
            self.shelf.open(id, || case(id, report), out);
            if self.shelf.is_single() {
                self.open.clear();
            }
            self.open.insert(id.to_owned());
        }
    }

    /// Ends the open try of a test.
    fn end(&mut self, id: &str) {
        self.open.remove(id);
        let Some(entry) = self.shelf.get(id).filter(|entry| entry.is_open()) else { return };
        let (outcome, seconds) = entry.verdict.unwrap_or((Outcome::Errored, None));
        let detail = entry.take_failures();
        self.shelf.end(id, outcome, seconds, detail);
    }

    /// Ends a try of which a set-up begins another one.
    fn end_or_never(&mut self, id: &str, out: &mut Out<'_>) {
        if self.shelf.get(id).is_some_and(|entry| entry.verdict.is_some()) {
            self.end(id);
        } else {
            self.open.remove(id);
            self.shelf.never_ended(id, out);
        }
    }

    /// A tear-down of a try that has ended.
    fn late(&mut self, id: &str, report: Json<'_>) {
        if let Some(entry) = self.shelf.get(id).filter(|entry| entry.case.tries.is_empty()) {
            entry.case.seconds = total(entry.case.seconds, seconds(report));
        }
        if report.text_of("outcome").as_deref() != Some("failed") {
            return;
        }
        if let Some(entry) = self.shelf.get(id).filter(|entry| !entry.case.outcome.is_trouble()) {
            (entry.case.outcome, entry.case.detail) = (Outcome::Errored, detail(report));
        }
    }

    /// A subtest: where it fails its test does.
    fn subtest(&mut self, report: Json<'_>, out: &mut Out<'_>) {
        let Some(id) = report.text_of("nodeid") else { return };
        if report.text_of("outcome").as_deref() != Some("failed") {
            return;
        }
        let context = report.get("_subtest.context").or_else(|| report.get("context"));
        let mut name = context
            .and_then(|context| context.filled("msg"))
            .map(|name| format!("[{name}] "))
            .unwrap_or_default();
        if let Some(values) = context.and_then(|context| context.get("kwargs")) {
            let values: Vec<_> =
                values.members().map(|(name, value)| format!("{name}={}", value.shown())).collect();
            if !values.is_empty() {
                name = format!("{name}({}) ", values.join(", "));
            }
        }
        let mut detail = detail(report);
        let message = detail.message.as_deref().unwrap_or_default();
        detail.message = Some(Cow::Owned(format!("{name}{message}").trim_end().to_owned()));
        self.open(&id, report, out);
        self.shelf.fail(&id, detail, report.offset(), out);
        if let Some(entry) = self.shelf.get(&id) {
            let seconds = entry.verdict.and_then(|(_, seconds)| seconds);
            entry.verdict = Some((Outcome::Failed, seconds));
        }
    }
}

fn seconds(report: Json<'_>) -> Option<f64> {
    report.number_of("duration").filter(|&seconds| seconds >= 0.0)
}

/// Adds the seconds of phases; nothing where none is known.
fn total(before: Option<f64>, more: Option<f64>) -> Option<f64> {
    match (before, more) {
        (Some(before), Some(more)) => Some(before + more),
        (before, more) => before.or(more),
    }
}

/// A collector: a case where it went wrong, or was skipped.
fn collected(report: Json<'_>, out: &mut Out<'_>) {
    let outcome = match report.text_of("outcome").as_deref() {
        Some("failed") => Outcome::Errored,
        Some("skipped") => Outcome::Skipped,
        _ => return,
    };
    let id = report.text_of("nodeid").unwrap_or_default();
    let mut case = case(&id, report);
    case.outcome = outcome;
    case.name = case.name.or(Some(id).filter(|id| !id.is_empty()).map(|id| Cow::Owned(id.into_owned())));
    case.detail = detail(report);
    [case.stdout, case.stderr] = captured(report);
    out.case(case);
}

/// Makes a case of a node: `file.py::Class::test[parameters]`.
fn case(id: &str, report: Json<'_>) -> Case<'static> {
    let mut case = Case::new(Outcome::Errored, report.offset());
    let (path, parameters) = id.find('[').and_then(|at| id.split_at_checked(at)).unwrap_or((id, ""));
    let mut parts = path.split("::");
    case.file = parts.next().filter(|file| !file.is_empty()).map(|file| Cow::Owned(file.to_owned()));
    let mut parts: Vec<_> = parts.collect();
    case.name = parts.pop().map(|name| Cow::Owned(format!("{name}{parameters}")));
    case.class = (!parts.is_empty()).then(|| Cow::Owned(parts.join(".")));
    // counted from 0
    let line = report.list("location").nth(1).and_then(|line| line.number());
    case.line =
        line.and_then(|line| format!("{line}").parse::<u64>().ok()).map(|line| line.saturating_add(1));
    let start = report.number_of("start").filter(|&start| start > 0.0);
    case.started = start.and_then(|start| format!("{:.0}", start * 1000.0).parse().ok()).map(Instant::utc);
    case
}

fn detail(report: Json<'_>) -> Detail<'static> {
    let Some(said) = report.get("longrepr") else { return Detail::default() };
    let owned = |text: Text<'_>| Cow::Owned(text.into_owned());
    if let Some(text) = said.text() {
        let message = text
            .lines()
            .map(str::trim)
            .rfind(|line| !line.is_empty())
            .map(|line| Cow::Owned(line.to_owned()));
        let text = (!text.trim().is_empty()).then(|| owned(text));
        return Detail { kind: None, message, text };
    }
    if said.is_array() {
        // path, line and reason of a skip
        let reason = said.items().nth(2).and_then(|reason| reason.text());
        let reason =
            reason.as_deref().map(|reason| reason.strip_prefix("Skipped: ").unwrap_or(reason).to_owned());
        return Detail { message: reason.map(Cow::Owned), ..Detail::default() };
    }
    let crash = said.get("reprcrash");
    let entries = said.get("reprtraceback").into_iter().flat_map(|trace| trace.list("reprentries"));
    let place = entries.filter_map(|entry| entry.get("data")?.get("reprfileloc")).last();
    // where a check fails its message names no class
    let kind = place.and_then(|place| place.filled("message"));
    let kind = kind.filter(|kind| {
        kind.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | '.'))
    });
    let mut texts = Vec::new();
    let chain: Vec<_> = said.list("chain").collect();
    for link in &chain {
        let mut parts = link.items();
        texts.extend(parts.next().map(trace));
        texts.extend(parts.nth(1).and_then(|between| between.text()).map(Cow::into_owned));
    }
    if chain.is_empty() {
        texts.extend(said.get("reprtraceback").map(trace));
    }
    let text = texts.join("\n\n");
    Detail {
        kind: kind.map(owned),
        message: crash.and_then(|crash| crash.filled("message")).map(owned),
        text: (!text.trim().is_empty()).then_some(Cow::Owned(text)),
    }
}

/// Writes a trace as pytest shows it.
fn trace(trace: Json<'_>) -> String {
    let mut lines = Vec::new();
    for data in trace.list("reprentries").filter_map(|entry| entry.get("data")) {
        lines.extend(data.list("lines").filter_map(|line| line.text()));
        if let Some(place) = data.get("reprfileloc") {
            let part = |name| place.get(name).map(|part| part.shown()).unwrap_or_default();
            lines.push(Cow::Owned(format!("{}:{}: {}", part("path"), part("lineno"), part("message"))));
        }
    }
    lines.extend(trace.text_of("extraline"));
    lines.join("\n")
}

/// Returns what was captured: the sections of standard output, and those of the error stream and of logs.
fn captured(report: Json<'_>) -> [Option<Text<'static>>; 2] {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    for section in report.list("sections") {
        let mut parts = section.items().filter_map(|part| part.text());
        let (Some(name), Some(text)) = (parts.next(), parts.next()) else { continue };
        if name.contains("stdout") { stdout.push(text) } else { stderr.push(text) }
    }
    [stdout, stderr].map(|texts| (!texts.is_empty()).then(|| Cow::Owned(texts.concat())))
}

fn properties<'json>(
    report: Json<'json>,
) -> impl Iterator<Item = (Text<'static>, Text<'static>)> + use<'json> {
    report.list("user_properties").filter_map(|pair| {
        let mut parts = pair.items().map(|part| Cow::Owned(part.shown().into_owned()));
        Some((parts.next()?, parts.next()?))
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::{chunks_agree, told};

    const SESSION: &str = include_str!("../../tests/fixtures/pytest-reportlog/session.jsonl");

    #[test]
    fn phases_are_one_case_and_reruns_tries() {
        insta::assert_snapshot!(told(SESSION));
    }

    #[test]
    fn chunks_give_the_same() {
        chunks_agree(SESSION);
    }
}
