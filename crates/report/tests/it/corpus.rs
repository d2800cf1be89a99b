//! Real reports of public projects, where `TESTLAKE_CORPUS` points: how many cases they hold, and what the projects
//! themselves expect. A departure from either must stand, with its reason, in `docs/dialects.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use testlake_report::{Case, Finding, Limits, Outcome, Reading, Visitor, read};

/// What a report holds, added up.
#[derive(Debug, Default)]
struct Tally {
    cases: u64,
    passed: u64,
    failed: u64,
    errored: u64,
    skipped: u64,
    seconds: f64,
    codes: Vec<&'static str>,
}

impl Visitor for Tally {
    fn case(&mut self, case: &Case<'_>) {
        self.cases += 1;
        match case.outcome {
            Outcome::Passed => self.passed += 1,
            Outcome::Failed => self.failed += 1,
            Outcome::Errored => self.errored += 1,
            Outcome::Skipped => self.skipped += 1,
        }
        self.seconds += case.seconds.unwrap_or_default();
    }

    fn finding(&mut self, finding: Finding) {
        self.codes.push(finding.code.as_str());
    }
}

pub(crate) fn corpus() -> Option<PathBuf> {
    let root = std::env::var_os("TESTLAKE_CORPUS").map(PathBuf::from);
    let root = root.filter(|root| root.join("MANIFEST-DEV.tsv").is_file());
    if root.is_none() {
        eprintln!(
            "the corpus was not there: set TESTLAKE_CORPUS to its folder to compare with it; nothing was compared"
        );
    }
    root
}

/// The rows of a table of tab-separated values, by the names of its columns.
pub(crate) fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let columns: Vec<&str> = lines.next().unwrap().split('\t').collect();
    lines
        .map(|line| {
            let values = line.split('\t').map(str::to_owned);
            columns.iter().map(|&column| column.to_owned()).zip(values).collect()
        })
        .collect()
}

/// The departures that the documentation names, by path: what is read instead.
fn departures() -> BTreeMap<String, String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/dialects.md");
    let text = fs::read_to_string(page).unwrap_or_default();
    let rows = text.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.split(" | ");
        let path = cells.next()?.strip_suffix('`')?;
        Some((path.to_owned(), cells.next()?.to_owned()))
    });
    rows.collect()
}

/// Reports whether what is expected is a hint only: of a folder, or of a reader that stops at the first failure.
fn is_hint(root: &Path, row: &BTreeMap<String, String>) -> bool {
    root.join(&row["input"]).is_dir() || row["notes"].contains("bail=true")
}

fn read_file(root: &Path, path: &str) -> (Tally, Reading) {
    let raw = fs::read(root.join(path)).unwrap();
    let mut tally = Tally::default();
    let reading = read(&raw, Limits::default(), &mut tally);
    (tally, reading)
}

/// The number that notes give behind a word.
fn noted(notes: &str, word: &str) -> u64 {
    let number = notes.split_once(word).and_then(|(_, rest)| rest.split(' ').next());
    number.and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn shown(tally: &Tally) -> String {
    let Tally { cases, passed, failed, errored, skipped, .. } = tally;
    format!("{cases}: {passed} passed, {failed} failed, {errored} errored, {skipped} skipped")
}

#[test]
fn every_report_is_read_or_named_and_holds_the_cases_it_should() {
    let Some(root) = corpus() else { return };
    let departures = departures();
    // what a project itself expects wins
    let expected: BTreeSet<String> = rows(&root.join("EXPECTED-DEV.tsv"))
        .into_iter()
        .filter(|row| !is_hint(&root, row) && row["tests"].parse::<u64>().is_ok())
        .map(|mut row| row.remove("input").unwrap())
        .collect();
    let mut wrong = String::new();
    for row in rows(&root.join("MANIFEST-DEV.tsv")) {
        let path = &row["path"];
        let (tally, reading) = read_file(&root, path);
        let name = reading.format.map_or("none", testlake_report::Format::as_str);
        if tally.cases == 0
            && tally.codes.is_empty()
            && row["native_cases"] != "0"
            && !departures.contains_key(path)
        {
            writeln!(wrong, "{path}: {name} without a case and without a finding").unwrap();
        }
        let Ok(native) = row["native_cases"].parse::<u64>() else { continue };
        if tally.cases != native && !expected.contains(path) && departures.get(path) != Some(&shown(&tally)) {
            writeln!(
                wrong,
                "{path}\t{}\tis read as {name}, {} where {native} cases are",
                row["intended_format"],
                shown(&tally)
            )
            .unwrap();
        }
    }
    let count = wrong.lines().count();
    assert!(wrong.is_empty(), "{count} reports depart from the manifest:\n{wrong}");
}

#[test]
fn every_report_holds_what_its_project_expects() {
    let Some(root) = corpus() else { return };
    let departures = departures();
    let mut wrong = String::new();
    for row in rows(&root.join("EXPECTED-DEV.tsv")) {
        let path = &row["input"];
        let notes = &row["notes"];
        if is_hint(&root, &row) {
            continue;
        }
        let (tally, reading) = read_file(&root, path);
        let number = |column: &str| row[column].parse::<u64>().ok();
        let mut differs = Vec::new();
        let mut compare = |what: &str, expected: Option<u64>, found: u64| {
            if expected.is_some_and(|expected| expected != found) {
                differs.push(format!("{what} {found} not {}", expected.unwrap_or_default()));
            }
        };
        if notes.contains("tap counts") {
            // its counts have those to do and those skipped among the passed and the failed
            compare("tests", number("tests"), tally.cases);
        } else {
            compare("tests", number("tests"), tally.cases);
            compare("passed", number("passed"), tally.passed);
            match number("errors") {
                Some(errors) => {
                    compare("failed", number("failed"), tally.failed);
                    compare("errored", Some(errors), tally.errored);
                }
                // a test that ran out of time is counted apart there, and errored here
                None => {
                    let failed = number("failed").map(|failed| failed + noted(notes, "timedOut="));
                    compare("failed", failed, tally.failed + tally.errored);
                }
            }
        }
        if !differs.is_empty() && departures.get(path) != Some(&shown(&tally)) {
            let name = reading.format.map_or("none", testlake_report::Format::as_str);
            writeln!(wrong, "{path}\t{name}\t{}\t{notes}", differs.join(", ")).unwrap();
        }
    }
    let count = wrong.lines().count();
    assert!(wrong.is_empty(), "{count} reports depart from what is expected:\n{wrong}");
}
