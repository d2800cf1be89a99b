//! Rust's libtest JSON (<https://doc.rust-lang.org/nightly/unstable-book/compiler-flags/report-time.html>, format of
//! `library/test/src/formatters/json.rs`) and what cargo-nextest writes in the same form: an event a line, with the
//! output of cargo between.
//!
//! libtest does not name the binary: cargo does, in the lines `Running` and `Doc-tests`. nextest writes `binary$test`, tells
//! the last try only, and puts `#2` behind the name of a test that was tried twice: the tries before it failed.

use std::borrow::Cow;

use super::LineReader;
use super::lines::JsonLines;
use super::shelf::Shelf;
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Text, Try};
use crate::out::Out;
use crate::scan::json::Json;
use crate::time::parse_seconds;

/// Reads events.
#[derive(Default)]
pub(super) struct LibtestReader {
    lines: JsonLines,
    run: Run,
}

#[derive(Default)]
struct Run {
    shelf: Shelf,
    /// The binary that runs.
    binary: Option<String>,
    /// How many tests have ended in the suite, and how many of them failed.
    ended: u64,
    failed: u64,
    /// Whether several suites may be open, as those of nextest.
    are_mixed: bool,
}

impl LineReader for LibtestReader {
    fn line(&mut self, line: &str, at: u64, out: &mut Out<'_>) {
        let Self { lines, run } = self;
        if let Some(binary) = binary(line.trim()) {
            run.shelf.finish(out);
            run.binary = Some(binary.to_owned());
            return;
        }
        lines.read(line, at, out, |event, out| run.event(event, out));
    }

    fn finish(&mut self, _: u64, out: &mut Out<'_>) {
        self.run.shelf.finish(out);
    }
}

/// Returns the binary that cargo says it runs now.
fn binary(line: &str) -> Option<&str> {
    if let Some(name) = line.strip_prefix("Doc-tests ") {
        return Some(name.trim());
    }
    let (_, path) = line.strip_prefix("Running ")?.strip_suffix(')')?.rsplit_once('(')?;
    let name = path.rsplit(['/', '\\']).next()?;
    // what cargo puts behind the name differs with its version
    let stem = name.strip_suffix(".exe").unwrap_or(name);
    let (name, hash) = stem.rsplit_once('-')?;
    hash.bytes().all(|byte| byte.is_ascii_hexdigit()).then_some(name)
}

impl Run {
    fn event(&mut self, event: Json<'_>, out: &mut Out<'_>) {
        let what = event.text_of("event");
        match (event.text_of("type").as_deref(), what.as_deref()) {
            (Some("suite"), Some("started")) => {
                self.are_mixed = event.get("nextest").is_some();
                if !self.are_mixed {
                    self.shelf.finish(out);
                }
                (self.ended, self.failed) = (0, 0);
            }
            (Some("suite"), Some("ok" | "failed")) => self.suite_ended(event, out),
            (Some("test"), Some("started")) => {
                if let Some(test) = Test::of(event, self.binary.as_deref()) {
                    self.shelf.open(&test.key(), || test.case(event), out);
                }
            }
            // a notice that a test takes long
            (Some("test"), Some("timeout" | "discovered") | None) => {}
            (Some("test"), Some(what)) => self.test_ended(event, what, out),
            (Some("bench"), _) => {
                let Some(test) = Test::of(event, self.binary.as_deref()) else { return };
                let entry = self.shelf.open(&test.key(), || test.case(event), out);
                for name in ["median", "deviation", "mib_per_second"] {
                    if let Some(value) = event.get(name) {
                        let value = Cow::Owned(value.shown().into_owned());
                        entry.case.properties.push((Cow::Borrowed(name), value));
                    }
                }
                self.shelf.end(&test.key(), Outcome::Passed, None, Detail::default());
                self.ended += 1;
            }
            _ => {}
        }
    }

    fn test_ended(&mut self, event: Json<'_>, what: &str, out: &mut Out<'_>) {
        let Some(test) = Test::of(event, self.binary.as_deref()) else { return };
        let reason = event.text_of("reason").or_else(|| event.text_of("message"));
        let outcome = match what {
            "ok" => Outcome::Passed,
            "ignored" => Outcome::Skipped,
            "failed" if reason.as_deref() == Some("time limit exceeded") => Outcome::Errored,
            "failed" => Outcome::Failed,
            _ => {
                out.finding(FindingCode::UnknownStatus, event.offset());
                Outcome::Errored
            }
        };
        self.ended += 1;
        self.failed += u64::from(outcome.is_trouble());
        let stdout = event.filled("stdout").map(|text| Cow::Owned(text.into_owned()));
        let mut detail =
            Detail { message: reason.map(|text| Cow::Owned(text.into_owned())), ..Detail::default() };
        let key = test.key();
        if !self.shelf.get(&key).is_some_and(|entry| entry.is_open()) {
            self.shelf.open(&key, || test.case(event), out);
        }
        let bytes = stdout.as_deref().map_or(0, str::len);
        let stdout = stdout.filter(|_| self.shelf.grow(&key, bytes, event.offset(), out));
        let Some(entry) = self.shelf.get(&key) else { return };
        entry.case.stdout = None;
        if outcome.is_trouble() {
            let said = stdout.as_deref().and_then(panic_message).map(|said| Cow::Owned(said.to_owned()));
            detail.message = detail.message.or(said);
            detail.text = stdout;
        } else {
            entry.case.stdout = stdout;
        }
        // older versions write a text: `0.001s`
        let seconds = event.get("exec_time").and_then(|time| parse_seconds(&time.shown()));
        if let Some(entry) = self.shelf.end(&key, outcome, seconds, detail) {
            let case = &mut entry.case;
            if test.tries > 1 && case.tries.is_empty() {
                let before = Try { outcome: Outcome::Failed, seconds: None, detail: Detail::default() };
                case.tries = vec![before; test.tries - 1];
                case.tries.push(Try { outcome, seconds: case.seconds, detail: case.detail.clone() });
            }
        }
    }

    /// A suite has ended, and says how many tests it had.
    fn suite_ended(&mut self, event: Json<'_>, out: &mut Out<'_>) {
        let count = |name| event.whole_number_of(name).and_then(|count| u64::try_from(count).ok());
        let ended: Option<u64> = ["passed", "failed", "ignored"].into_iter().map(count).sum::<Option<u64>>();
        let ended = ended.map(|ended| ended.saturating_add(count("measured").unwrap_or(0)));
        if self.are_mixed {
            return;
        }
        if ended.is_some_and(|ended| ended != self.ended) {
            out.finding(FindingCode::CountMismatch, event.offset());
        }
        if event.text_of("event").as_deref() == Some("failed") && self.failed == 0 {
            out.finding(FindingCode::FailureOutsideCase, event.offset());
        }
    }
}

/// The name of a test.
struct Test<'event> {
    binary: Option<Text<'event>>,
    name: Text<'event>,
    tries: usize,
}

/// The most tries that are made of a number behind a name.
const TRIES: usize = 100;

impl<'event> Test<'event> {
    fn of(event: Json<'event>, binary: Option<&'event str>) -> Option<Self> {
        let name = event.filled("name")?;
        let of_nextest = name.split_once('$').filter(|(own, _)| own.contains("::") && !own.contains(' '));
        let Some((own, test)) = of_nextest else {
            return Some(Self { binary: binary.map(Cow::Borrowed), name, tries: 1 });
        };
        let numbered = test.rsplit_once('#').and_then(|(test, number)| Some((test, number.parse().ok()?)));
        let (test, tries) = numbered.unwrap_or((test, 1_usize));
        // a stress run's number
        let own = own.split_once("@stress-").map_or(own, |(own, _)| own);
        let (binary, name) = (Cow::Owned(own.to_owned()), Cow::Owned(test.to_owned()));
        Some(Self { binary: Some(binary), name, tries: tries.min(TRIES) })
    }

    fn key(&self) -> String {
        format!("{}\0{}", self.binary.as_deref().unwrap_or_default(), self.name)
    }

    fn case(&self, event: Json<'_>) -> Case<'static> {
        let mut case = Case::new(Outcome::Errored, event.offset());
        case.suite.extend(self.binary.as_deref().map(|binary| Cow::Owned(binary.to_owned())));
        case.name = Some(Cow::Owned(self.name.clone().into_owned()));
        case
    }
}

/// Returns what a panic says: behind the place since Rust 1.73, before it in quotes in older versions.
fn panic_message(output: &str) -> Option<&str> {
    let (_, panic) = output.split_once("panicked at ")?;
    if let Some(quoted) = panic.strip_prefix('\'') {
        return quoted.split_once("', ").map(|(message, _)| message);
    }
    panic.lines().nth(1).map(str::trim).filter(|message| !message.is_empty())
}

#[cfg(test)]
mod tests {
    use crate::testing::{chunks_agree, told};

    const CARGO: &str = include_str!("../../tests/fixtures/libtest/cargo.jsonl");
    const NEXTEST: &str = include_str!("../../tests/fixtures/libtest/nextest.jsonl");

    #[test]
    fn binaries_are_those_that_cargo_names() {
        insta::assert_snapshot!(told(CARGO));
    }

    #[test]
    fn tries_of_nextest_are_tries() {
        insta::assert_snapshot!(told(NEXTEST));
    }

    #[test]
    fn chunks_give_the_same() {
        chunks_agree(CARGO);
        chunks_agree(NEXTEST);
    }
}
