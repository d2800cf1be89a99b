//! `go test -json` (<https://pkg.go.dev/cmd/test2json>): an event a line, the output of builds between.
//!
//! A case is a test of a package, a parent of subtests as well. The same test again, as of gotestsum's `--rerun-fails` or
//! `-count`, is another try. Events may be missing (<https://go.dev/issue/40771>), all of a test that never ended among them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::LineReader;
use super::lines::JsonLines;
use super::shelf::Shelf;
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome};
use crate::out::Out;
use crate::scan::json::Json;
use crate::time::parse_instant;

/// Reads events.
#[derive(Default)]
pub(super) struct GoTestReader {
    lines: JsonLines,
    tests: Tests,
}

#[derive(Default)]
struct Tests {
    shelf: Shelf,
    /// The open tests of each package.
    open: BTreeMap<String, BTreeSet<String>>,
    /// The packages with a test that is trouble.
    troubled: HashSet<String>,
    /// What packages and builds that have not ended say, in one line.
    said: HashMap<String, Said>,
}

/// What a package or a build says of its failure: the first line of a panic, else the first that is not the framework's.
#[derive(Default)]
struct Said {
    line: String,
    is_panic: bool,
}

impl Said {
    fn add(&mut self, output: &str) {
        for line in output.lines() {
            let is_panic = is_panic(line);
            let is_more = self.line.is_empty() && !is_package_frame(line);
            if !self.is_panic && (is_panic || is_more) {
                self.line = crate::out::about(line).to_owned();
                self.is_panic = is_panic;
            }
        }
    }
}

fn is_panic(line: &str) -> bool {
    line.starts_with("panic: ") || line.starts_with("fatal error: ")
}

/// Returns whether a line is how `go test` begins or ends a package or a build, or says nothing.
fn is_package_frame(line: &str) -> bool {
    let line = line.trim();
    let is_word = matches!(line, "" | "PASS" | "FAIL" | "testing: warning: no tests to run");
    let begins = [
        "# ",
        "FAIL\t",
        "ok  \t",
        "?   \t",
        "coverage: ",
        "goos: ",
        "goarch: ",
        "pkg: ",
        "cpu: ",
        "exit status ",
    ];
    is_word || begins.iter().any(|begin| line.starts_with(begin)) || frame(line).is_some()
}

impl LineReader for GoTestReader {
    fn line(&mut self, line: &str, at: u64, out: &mut Out<'_>) {
        let Self { lines, tests } = self;
        lines.read(line, at, out, |event, out| tests.event(event, out));
    }

    fn finish(&mut self, _: u64, out: &mut Out<'_>) {
        for (package, open) in std::mem::take(&mut self.tests.open) {
            self.tests.end_open(&package, open, false, out);
        }
        self.tests.shelf.finish(out);
    }
}

/// The most packages with trouble that have not ended: each is an open process.
const PACKAGES: usize = 1 << 16;

fn key(package: &str, test: &str) -> String {
    format!("{package}\0{test}")
}

impl Tests {
    fn event(&mut self, event: Json<'_>, out: &mut Out<'_>) {
        let Some(action) = event.text_of("Action") else { return };
        let package = event.text_of("Package").unwrap_or_default();
        let Some(test) = event.filled("Test") else {
            return self.package_event(event, &action, &package, out);
        };
        let key = key(&package, &test);
        let outcome = match &*action {
            "run" => {
                self.shelf.never_ended(&key, out);
                self.open(event, &key, &package, &test, out);
                return;
            }
            "output" => return self.output(event, &key, &package, &test, out),
            "attr" => {
                let (Some(name), Some(value)) = (event.text_of("Key"), event.text_of("Value")) else {
                    return;
                };
                if !self.shelf.grow(&key, name.len() + value.len() + 64, event.offset(), out) {
                    return;
                }
                if let Some(entry) = self.shelf.get(&key) {
                    let pair = (Cow::Owned(name.into_owned()), Cow::Owned(value.into_owned()));
                    entry.case.properties.push(pair);
                }
                return;
            }
            "pass" | "bench" => Outcome::Passed,
            "skip" => Outcome::Skipped,
            "fail" => Outcome::Failed,
            _ => return,
        };
        if !self.shelf.get(&key).is_some_and(|entry| entry.is_open()) {
            self.open(event, &key, &package, &test, out);
        }
        if let Some(open) = self.open.get_mut(&*package) {
            open.remove(&*test);
        }
        self.end(&key, &package, outcome, event.number_of("Elapsed").filter(|&seconds| seconds >= 0.0));
    }

    fn open(&mut self, event: Json<'_>, key: &str, package: &str, test: &str, out: &mut Out<'_>) {
        let case = || {
            let mut case = Case::new(Outcome::Errored, event.offset());
            case.suite.extend((!package.is_empty()).then(|| Cow::Owned(package.to_owned())));
            case.name = Some(Cow::Owned(test.to_owned()));
            // only an event `run` tells when it began
            let is_run = event.text_of("Action").as_deref() == Some("run");
            case.started =
                is_run.then(|| event.text_of("Time")).flatten().and_then(|time| parse_instant(&time));
            case
        };
        self.shelf.open(key, case, out);
        if self.shelf.is_single() {
            self.open.clear();
        }
        self.open.entry(package.to_owned()).or_default().insert(test.to_owned());
    }

    fn output(&mut self, event: Json<'_>, key: &str, package: &str, test: &str, out: &mut Out<'_>) {
        let Some(text) = event.text_of("Output") else { return };
        match self.shelf.get(key) {
            None => self.open(event, key, package, test, out),
            // what comes late stands with what came
            Some(entry) if !entry.is_open() => {
                if frame(&text).is_some() || !self.shelf.grow(key, text.len(), event.offset(), out) {
                    return;
                }
                let Some(entry) = self.shelf.get(key) else { return };
                let place = match entry.case.outcome {
                    Outcome::Passed => &mut entry.case.stdout,
                    _ => &mut entry.case.detail.text,
                };
                return place.get_or_insert_default().to_mut().push_str(&text);
            }
            Some(_) => {}
        }
        match frame(&text) {
            None => self.shelf.print(key, &text, event.offset(), out),
            Some(verdict) => {
                if let (Some(entry), Some(verdict)) = (self.shelf.get(key), verdict) {
                    entry.verdict = Some(verdict);
                }
            }
        }
    }

    /// The open try of a test has ended.
    fn end(&mut self, key: &str, package: &str, outcome: Outcome, seconds: Option<f64>) {
        let Some(entry) = self.shelf.get(key) else { return };
        let output = std::mem::take(&mut entry.output);
        let (outcome, detail) = said(outcome, &output);
        let entry = self.shelf.end(key, outcome, seconds, detail);
        if let Some(entry) = entry {
            let is_quiet = outcome != Outcome::Passed || output.is_empty();
            entry.case.stdout = (!is_quiet).then_some(Cow::Owned(output));
        }
        if outcome.is_trouble() && !self.troubled.contains(package) && self.troubled.len() < PACKAGES {
            self.troubled.insert(package.to_owned());
        }
    }

    fn package_event(&mut self, event: Json<'_>, action: &str, package: &str, out: &mut Out<'_>) {
        match action {
            "output" => self.say(package, event),
            "build-output" => self.say(&event.text_of("ImportPath").unwrap_or_default(), event),
            "pass" | "skip" | "fail" => {
                let said = self.said.remove(package);
                let open = self.open.remove(package).unwrap_or_default();
                self.end_open(package, open, action != "fail", out);
                let is_told = self.troubled.remove(package) || event.get("FailedBuild").is_some();
                if action == "fail" && !is_told {
                    out.failure_outside(event.offset(), said.map(|said| said.line));
                }
            }
            "build-fail" => {
                let said = self.said.remove(&*event.text_of("ImportPath").unwrap_or_default());
                out.failure_outside(event.offset(), said.map(|said| said.line));
            }
            _ => {}
        }
    }

    /// A package or a build says something.
    fn say(&mut self, of: &str, event: Json<'_>) {
        let Some(text) = event.text_of("Output") else { return };
        if let Some(said) = self.said.get_mut(of) {
            said.add(&text);
        } else if self.said.len() < PACKAGES {
            self.said.entry(of.to_owned()).or_default().add(&text);
        }
    }

    /// Ends the tests of a package that are open when it ends.
    fn end_open(&mut self, package: &str, open: BTreeSet<String>, has_passed: bool, out: &mut Out<'_>) {
        for test in open {
            let key = key(package, &test);
            let root = test.split_once('/').map(|(root, _)| self::key(package, root));
            let root_passed = root
                .and_then(|root| self.shelf.get(&root))
                .is_some_and(|root| !root.is_open() && root.case.outcome == Outcome::Passed);
            let Some(entry) = self.shelf.get(&key).filter(|entry| entry.is_open()) else { continue };
            let place = entry.case.offset;
            let is_benchmark =
                test.starts_with("Benchmark") && (has_passed || entry.output.contains("ns/op"));
            let verdict = match entry.verdict {
                // benchmarks have no event of their end
                None if is_benchmark => {
                    self.end(&key, package, Outcome::Passed, None);
                    continue;
                }
                // a test whose root passed did not fail
                None if root_passed => (Outcome::Passed, None),
                None => (Outcome::Errored, None),
                Some(verdict) => verdict,
            };
            out.finding(FindingCode::NeverEnded, place);
            self.end(&key, package, verdict.0, verdict.1);
        }
    }
}

/// Returns whether a line of output is the framework's own, and how it says that the test ended.
fn frame(line: &str) -> Option<Option<(Outcome, Option<f64>)>> {
    const FRAMES: [&str; 5] = ["=== RUN ", "=== PAUSE ", "=== CONT ", "=== NAME ", "=== ATTR "];
    if FRAMES.iter().any(|frame| line.starts_with(frame)) {
        return Some(None);
    }
    let verdict = line.trim_start_matches(' ').strip_prefix("--- ")?;
    let (word, rest) = verdict.split_once(": ")?;
    let outcome = match word {
        "PASS" | "BENCH" => Outcome::Passed,
        "FAIL" => Outcome::Failed,
        "SKIP" => Outcome::Skipped,
        _ => return None,
    };
    let seconds = rest.trim_end().strip_suffix("s)").and_then(|rest| rest.rsplit_once('('));
    Some(Some((outcome, seconds.and_then(|(_, seconds)| crate::time::parse_seconds(seconds)))))
}

/// Returns what a test that did not pass says, and whether it ended by a panic.
fn said(outcome: Outcome, output: &str) -> (Outcome, Detail<'static>) {
    if outcome == Outcome::Passed {
        return (outcome, Detail::default());
    }
    let panic = output.lines().find(|line| is_panic(line));
    let is_crash = panic.is_some() && outcome != Outcome::Skipped;
    let message = panic.filter(|_| is_crash).or_else(|| sentence(output)).map(str::trim);
    let detail = Detail {
        kind: None,
        message: message.filter(|message| !message.is_empty()).map(|message| Cow::Owned(message.to_owned())),
        text: (!output.trim().is_empty()).then(|| Cow::Owned(output.to_owned())),
    };
    (if is_crash { Outcome::Errored } else { outcome }, detail)
}

/// Returns what stands behind the first `file.go:12: `; of a block of testify's the line of its error.
fn sentence(output: &str) -> Option<&str> {
    let mut lines = output.lines();
    while let Some(line) = lines.next() {
        let Some((_, rest)) = line.split_once(".go:") else { continue };
        let Some((number, message)) = rest.split_once(':') else { continue };
        if number.is_empty() || !number.bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        if !message.trim().is_empty() {
            return Some(message);
        }
        return lines.clone().find_map(|line| line.trim_start().strip_prefix("Error:"));
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::testing::{chunks_agree, told, told_bytes};

    const RUN: &str = include_str!("../../tests/fixtures/go-test/run.jsonl");
    const RERUN: &str = include_str!("../../tests/fixtures/go-test/rerun.jsonl");
    const CRASH: &str = include_str!("../../tests/fixtures/go-test/crash.jsonl");

    #[test]
    fn a_run_with_build_output_between() {
        insta::assert_snapshot!(told(RUN));
    }

    #[test]
    fn reruns_are_tries() {
        insta::assert_snapshot!(told(RERUN));
    }

    #[test]
    fn a_package_or_a_build_that_fails_beside_its_tests_says_why() {
        let report = concat!(
            r##"{"ImportPath":"p/broken","Action":"build-output","Output":"# p/broken\n"}"##,
            "\n",
            r#"{"ImportPath":"p/broken","Action":"build-output","Output":"broken/a.go:3:9: undefined: till\n"}"#,
            "\n",
            r#"{"ImportPath":"p/broken","Action":"build-fail"}"#,
            "\n",
            r#"{"Action":"output","Package":"p/exits","Output":"=== RUN   \n"}"#,
            "\n",
            r#"{"Action":"output","Package":"p/exits","Output":"opening the till\n"}"#,
            "\n",
            r#"{"Action":"output","Package":"p/exits","Output":"panic: no till\n"}"#,
            "\n",
            r#"{"Action":"output","Package":"p/exits","Output":"FAIL\tp/exits\t0.01s\n"}"#,
            "\n",
            r#"{"Action":"fail","Package":"p/exits","Elapsed":0.01}"#,
        );
        let told = told(report);
        let says: Vec<_> =
            told.lines().filter_map(|line| line.strip_prefix("! failure-outside-case @")).collect();
        let says: Vec<_> =
            says.iter().filter_map(|line| line.split_once(' ')).map(|(_, says)| says).collect();
        assert_eq!(says, ["broken/a.go:3:9: undefined: till", "panic: no till"], "{told}");
    }

    #[test]
    fn tests_that_never_ended_are_told() {
        insta::assert_snapshot!(told(CRASH));
    }

    /// As `go test -json > file` of Windows PowerShell writes it. Places of tests that never ended lie far back.
    #[test]
    fn places_in_utf_16_are_those_of_the_bytes() {
        let packages =
            (0..200).map(|package| CRASH.replace("example.org/shop", &format!("p{package}")) + "\n");
        let report: String = packages.collect();
        let units = report.encode_utf16().flat_map(u16::to_le_bytes);
        let utf16: Vec<u8> = [0xFF, 0xFE].into_iter().chain(units).collect();
        let moved = told(&report).lines().fold(String::new(), |all, line| match line.rsplit_once(" @") {
            Some((code, place)) if line.starts_with('!') => {
                let place: usize = place.parse().unwrap();
                format!("{all}{code} @{}\n", place * 2 + 2)
            }
            _ => format!("{all}{line}\n"),
        });
        assert!(report.len() > 300 << 10 && moved.contains("never-ended"));
        assert_eq!(told_bytes(&utf16), moved);
    }

    #[test]
    fn chunks_give_the_same() {
        for report in [RUN, RERUN, CRASH] {
            chunks_agree(report);
        }
    }
}
