//! The page of dialects and the fixtures: each row's fixture is there, is read by a test, and is taken for what the row
//! says it is, and no fixture stands there that no row names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use testlake_report::{Case, Finding, Limits, Visitor, read};

const PAGE: &str = include_str!("../../../../docs/dialects.md");

fn crate_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The fixtures that the rows of the first two tables name, each with its format.
fn named() -> BTreeMap<String, String> {
    let mut named = BTreeMap::new();
    let mut format = String::new();
    let mut is_of_formats = false;
    let tables = PAGE.split_once("\n## Formats known by name").unwrap().0;
    for line in tables.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            is_of_formats = title == "Formats";
            format = "junit".to_owned();
        }
        let Some(row) = line.strip_prefix("| ").and_then(|row| row.strip_suffix(" |")) else { continue };
        let cells: Vec<&str> = row.split(" | ").map(str::trim).collect();
        if is_of_formats && let Some(code) = cells[0].strip_prefix('`') {
            format = code.trim_end_matches('`').to_owned();
        }
        for fixture in cells.last().unwrap().split(", ").filter(|cell| cell.contains('/')) {
            let path = fixture.trim_matches('`').to_owned();
            assert!(fixture.len() == path.len() + 2, "{fixture} stands in no code");
            named.insert(path, format.clone());
        }
    }
    named
}

/// All files below a folder, as paths from it.
fn files(folder: &Path, suffix: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() {
            found.extend(files(&path, suffix).into_iter().map(|file| format!("{name}/{file}")));
        } else if name.ends_with(suffix) {
            found.insert(name.to_owned());
        }
    }
    found
}

fn fixtures() -> BTreeSet<String> {
    let found = files(&crate_folder().join("tests/fixtures"), "");
    found.into_iter().filter(|path| !path.ends_with(".told")).collect()
}

#[test]
fn every_fixture_is_named_by_a_row_and_every_row_has_its_fixture() {
    let named: BTreeSet<String> = named().into_keys().collect();
    let found = fixtures();
    let difference: Vec<_> = named.symmetric_difference(&found).collect();
    assert!(difference.is_empty(), "in one of the two alone: {difference:?}");
    assert!(found.len() > 100);
}

#[test]
fn every_fixture_is_read_by_a_test_that_says_what_is_in_it() {
    let mut sources = String::new();
    for folder in ["src", "tests/it"] {
        let folder = crate_folder().join(folder);
        for file in files(&folder, ".rs") {
            sources += &fs::read_to_string(folder.join(file)).unwrap();
        }
    }
    let is_read = |path: &String| {
        let told = crate_folder().join("tests/fixtures").join(path).with_extension("told");
        told.is_file() || sources.contains(&format!("fixtures/{path}\""))
    };
    let unread: Vec<_> = fixtures().into_iter().filter(|path| !is_read(path)).collect();
    assert!(unread.is_empty(), "{unread:?}");
}

struct Nothing;

impl Visitor for Nothing {
    fn case(&mut self, _case: &Case<'_>) {}
    fn finding(&mut self, _finding: Finding) {}
}

/// The format that a report is taken for.
fn taken_for(raw: &[u8]) -> &'static str {
    read(raw, Limits::default(), &mut Nothing).format.map_or("none", testlake_report::Format::as_str)
}

#[test]
fn no_format_is_taken_for_another() {
    for (path, format) in named() {
        let raw = fs::read(crate_folder().join("tests/fixtures").join(&path)).unwrap();
        assert_eq!(taken_for(&raw), format, "{path}");
    }
}

/// The fixtures in UTF-8, without a mark.
fn texts() -> Vec<(String, String, String)> {
    let read = |(path, format): (String, String)| {
        let raw = fs::read(crate_folder().join("tests/fixtures").join(&path)).unwrap();
        let text =
            String::from_utf8(raw).ok().filter(|text| !text.starts_with('\u{FEFF}') && !text.contains('\0'));
        text.map(|text| (path, format, text))
    };
    named().into_iter().filter_map(read).collect()
}

#[test]
fn what_stands_before_a_report_does_not_hide_it() {
    let any = [
        "\u{FEFF}",
        "\n\n \t\r\n",
        "make[1]: Entering directory '/build'\n",
        "\u{1b}[32m[INFO]\u{1b}[0m running\n[INFO] tests\n",
        "[1/3] compiling\n{not json}\n<5>kernel: up\n< HTTP/1.1 200 OK\n",
        "2026-03-02T08:00:00Z started\n\n",
        "\0\0",
        "[]\n{}\n",
        "ok then\n1..2 of them\n",
    ];
    let of_xml = [
        "<!-- a comment with <testsuite> in it -->\n",
        "<?xml-stylesheet type=\"text/xsl\" href=\"test-results.xsl\"?>\n",
        "<!DOCTYPE anything>\n",
        "<!DOCTYPE a [ <!ENTITY b \"<test-run>\"> ]>\n",
        "\n<?xml version=\"1.0\"?>\n",
        "a line, and then <",
    ];
    let mut wrong = Vec::new();
    for (path, format, text) in texts() {
        let is_xml = text.trim_start().starts_with('<');
        let also = if is_xml { &of_xml[..] } else { &[] };
        for before in any.iter().chain(also) {
            let before = before.strip_suffix(" <").unwrap_or(before);
            let found = taken_for(format!("{before}{text}").as_bytes());
            if found != format {
                wrong.push(format!("{path} behind {before:?}: {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What a head of a format may be taken for where what tells the two apart stands behind it.
const KIN: [(&str, &str); 4] =
    [("check", "junit"), ("ctest", "ctest-other"), ("jest", "vitest"), ("mochawesome", "mocha")];

#[test]
fn a_head_that_is_cut_is_of_its_format_or_of_none() {
    let mut wrong = Vec::new();
    for (path, format, text) in texts() {
        for end in (1..text.len().min(4000)).step_by(7).filter(|&end| text.is_char_boundary(end)) {
            let found = taken_for(&text.as_bytes()[..end]);
            if found != format && found != "none" && !KIN.contains(&(&format, found)) {
                wrong.push(format!("{path} cut at {end}: {found}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn reports_in_utf_16_are_of_the_same_format() {
    let mut wrong = Vec::new();
    for (path, format, text) in texts() {
        for mark in ["", "\u{FEFF}"] {
            let units: Vec<u16> = mark.encode_utf16().chain(text.encode_utf16()).collect();
            let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
            let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            for (order, raw) in [("little", little), ("big", big)] {
                let found = taken_for(&raw);
                if found != format {
                    wrong.push(format!("{path} in {order} endian behind {mark:?}: {found}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
