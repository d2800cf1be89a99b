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
    seconds_of_tries: f64,
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
        let of_tries: f64 = case.tries.iter().filter_map(|one| one.seconds).sum();
        self.seconds_of_tries +=
            if case.tries.is_empty() { case.seconds.unwrap_or_default() } else { of_tries };
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

/// The departures that the documentation names, by path: what is read instead, and whether that came up.
struct Departures(BTreeMap<String, (String, bool)>);

impl Departures {
    fn documented() -> Self {
        let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/dialects.md");
        let text = fs::read_to_string(page).unwrap();
        let rows = text.lines().filter_map(|line| {
            let mut cells = line.strip_prefix("| `")?.split(" | ");
            let path = cells.next()?.strip_suffix('`')?;
            let told = cells.next()?.to_owned();
            told.starts_with(|first: char| first.is_ascii_digit()).then(|| (path.to_owned(), (told, false)))
        });
        Self(rows.collect())
    }

    /// Reports whether a report is documented to be read so.
    fn allow(&mut self, path: &str, told: &str) -> bool {
        let row = self.0.get_mut(path).filter(|(documented, _)| documented == told);
        row.map(|(_, came_up)| *came_up = true).is_some()
    }

    fn never_came_up(&self) -> Vec<&str> {
        let rows = self.0.iter().filter(|(_, (_, came_up))| !came_up);
        rows.map(|(path, _)| path.as_str()).collect()
    }
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

/// A time as a project gives it, and the half of its last digit.
struct Time {
    seconds: f64,
    half_digit: f64,
}

impl Time {
    /// Reports whether so many cases can take the time: each may have been rounded by itself.
    fn is_met(&self, found: f64, cases: u64) -> bool {
        (self.seconds - found).abs() <= self.half_digit + 0.0005 * cases as f64
    }
}

/// The time of a row; nothing where it has none.
fn expected_time(cell: &str) -> Option<Time> {
    let (number, unit) = match cell.strip_suffix("ms") {
        Some(number) => (number, 0.001),
        None => (cell.strip_suffix('s').unwrap_or(cell), 1.0),
    };
    let half_digit = if cell.ends_with('s') { unit / 2.0 } else { 0.0005 };
    Some(Time { seconds: number.parse::<f64>().ok()? * unit, half_digit })
}

fn shown(tally: &Tally) -> String {
    let Tally { cases, passed, failed, errored, skipped, .. } = tally;
    format!("{cases}: {passed} passed, {failed} failed, {errored} errored, {skipped} skipped")
}

/// Reports whether a time is that of the whole run, which no case has.
fn is_of_the_run(row: &BTreeMap<String, String>) -> bool {
    row["notes"].contains("tap counts") || row["notes"].contains("time rounded")
}

#[test]
fn every_report_holds_what_its_project_expects_and_the_manifest_counts() {
    let Some(root) = corpus() else { return };
    let mut departures = Departures::documented();
    let mut wrong = String::new();
    // what a project itself expects wins
    let mut expected = BTreeSet::new();
    for row in rows(&root.join("EXPECTED-DEV.tsv")).into_iter().filter(|row| !is_hint(&root, row)) {
        let path = &row["input"];
        let (tally, reading) = read_file(&root, path);
        let (differs, told) = against_project(&row, &tally);
        if !differs.is_empty() && !departures.allow(path, &told) {
            let name = reading.format.map_or("none", testlake_report::Format::as_str);
            writeln!(wrong, "{path}\t{name}\t{}\t{}", differs.join(", "), row["notes"]).unwrap();
        }
        expected.insert(path.clone());
    }
    for row in rows(&root.join("MANIFEST-DEV.tsv")) {
        let path = &row["path"];
        let (tally, reading) = read_file(&root, path);
        let name = reading.format.map_or("none", testlake_report::Format::as_str);
        let native = row["native_cases"].parse::<u64>().ok();
        let is_silent = tally.cases == 0 && tally.codes.is_empty() && native != Some(0);
        let differs = native.is_some_and(|native| native != tally.cases) && !expected.contains(path);
        if (is_silent || differs) && !departures.allow(path, &shown(&tally)) {
            let found = shown(&tally);
            writeln!(wrong, "{path}\t{}\tread as {name}\t{found} not {native:?}", row["intended_format"])
                .unwrap();
        }
    }
    for path in departures.never_came_up() {
        writeln!(wrong, "{path}\tis documented as a departure and is none").unwrap();
    }
    let count = wrong.lines().count();
    assert!(wrong.is_empty(), "{count} reports depart:\n{wrong}");
}

/// Compares what a report holds with a row of what its project expects: what differs, and the whole as a departure is
/// documented.
fn against_project(row: &BTreeMap<String, String>, tally: &Tally) -> (Vec<String>, String) {
    let notes = &row["notes"];
    let number = |column: &str| row[column].parse::<u64>().ok();
    let mut differs = Vec::new();
    let mut compare = |what: &str, expected: Option<u64>, found: u64| {
        if let Some(expected) = expected.filter(|&expected| expected != found) {
            differs.push(format!("{what} {found} not {expected}"));
        }
    };
    compare("tests", number("tests"), tally.cases);
    if notes.contains("tap counts") {
        // its counts have those to do and those skipped among the passed and the failed
        compare("skipped", number("skipped").map(|skipped| skipped + noted(notes, "todo=")), tally.skipped);
    } else {
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
    let mut told = shown(tally);
    if !is_of_the_run(row)
        && let Some(time) = expected_time(&row["time_s"])
    {
        let found = if notes.contains("sum of attempts") { tally.seconds_of_tries } else { tally.seconds };
        if !time.is_met(found, tally.cases) {
            differs.push(format!("{found:.3} s not {}", row["time_s"]));
            write!(told, ", {found:.3} s").unwrap();
        }
    }
    (differs, told)
}
