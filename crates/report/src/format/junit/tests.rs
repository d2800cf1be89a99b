//! Each dialect has a fixture, `tests/fixtures/junit/NAME.xml`, beside what must come of it, `NAME.told`.

use std::fs;
use std::path::PathBuf;

use proptest::prelude::*;

use crate::testing::told_bytes;

fn fixtures() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/junit");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end != "told")).collect();
    files.sort();
    files
}

/// What must come is rewritten where `TESTLAKE_BLESS` is set.
#[test]
fn each_dialect_is_read_as_its_fixture_says() {
    let mut wrong = String::new();
    for path in fixtures() {
        let told = told_bytes(&fs::read(&path).unwrap());
        let expected = path.with_extension("told");
        if std::env::var_os("TESTLAKE_BLESS").is_some() {
            fs::write(&expected, &told).unwrap();
        }
        if fs::read_to_string(&expected).unwrap_or_default() != told {
            wrong += &[path.to_string_lossy().as_ref(), ":\n", &told].concat();
        }
    }
    assert!(wrong.is_empty(), "set TESTLAKE_BLESS=1 to rewrite what must come of\n{wrong}");
}

#[test]
fn each_fixture_has_its_row_in_the_page_of_dialects() {
    let page = include_str!("../../../../../docs/dialects.md");
    for path in fixtures() {
        let name = path.file_name().unwrap().to_string_lossy();
        assert!(page.contains(&format!("`junit/{name}`")), "{name} has no row in docs/dialects.md");
    }
}

#[test]
fn a_document_of_another_format_is_told_to_be_one() {
    let junit = "<testsuite name=\"s\"><testcase name=\"a\"/></testsuite>\n";
    let trx = "<TestRun id=\"1\" xmlns=\"http://microsoft.com/schemas/VisualStudio/TeamTest/2010\"><Results/></TestRun>\n";
    let codes = |report: String| {
        let told = told_bytes(report.as_bytes());
        told.lines().filter(|line| line.starts_with('!')).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(codes(format!("{junit}{trx}")), [format!("! foreign-document @{}", junit.len())]);
    assert_eq!(codes(format!("{trx}{junit}")), [format!("! foreign-document @{}", trx.len())]);
    assert_eq!(codes(format!("{junit}<testcase name=\"b\"/>")), [format!("! another-root @{}", junit.len())]);
    let ctrf = "{\"results\": {\"tool\": {\"name\": \"t\"}, \"tests\": [{\"name\": \"a\", \"status\": \"passed\", \"duration\": 1}]}}\n";
    let jest = "{\"numTotalTests\": 0, \"testResults\": []}\n";
    assert_eq!(codes(format!("{ctrf}{jest}")), [format!("! foreign-document @{}", ctrf.len())]);
}

#[test]
fn a_report_of_which_nothing_is_told_is_told_to_hold_no_case() {
    for report in ["<testsuites/>", "{\"results\": {\"tool\": {\"name\": \"t\"}, \"tests\": []}}"] {
        assert_eq!(told_bytes(report.as_bytes()), "! no-cases @0\n", "{report}");
    }
    // it says itself that there is none
    assert_eq!(told_bytes(b"1..0 # SKIP no till\n"), "");
}

#[test]
fn a_failure_of_a_suite_that_is_cut_says_what_it_can() {
    let report = "<testsuite name=\"s\"><error type=\"Kind\">\nno till, and no";
    assert_eq!(
        told_bytes(report.as_bytes()),
        "! failure-outside-case @20 no till, and no\n! cut-document @55\n"
    );
}

/// Attributes of cases, some of them wrong.
fn attribute() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "name=\"a\"",
        "name='b'",
        "name=\"\"",
        "classname=\"c.D\"",
        "class=\"e\"",
        "time=\"0.5\"",
        "time=\"1,5\"",
        "time=\"soon\"",
        "file=\"f.rs\"",
        "file=\"f.rs:12\"",
        "line=\"7\"",
        "line=\"x\"",
        "lineno=\" 8 \"",
        "timestamp=\"2026-11-23T02:40:40\"",
        "timestamp=\"then\"",
        "status=\"notrun\"",
        "status=\"well\"",
        "result=\"failed\"",
        "skipped=\"yes\"",
        "p:name=\"q\"",
        "x=\"1 &lt; 2\"",
        "x=\"1 < 2\"",
        "bare",
    ])
}

proptest! {
    #[test]
    fn an_empty_case_is_told_as_one_with_an_end_tag(
        cases in prop::collection::vec(prop::collection::vec(attribute(), 0..7), 0..12),
        repeated in 1_usize..4,
    ) {
        // the end of the tag takes as much room in both, so that offsets are the same
        let report = |end: &str| {
            let mut report = String::from("<testsuite name=\"s\" file=\"g.rs\">");
            for attributes in &cases {
                for _ in 0..repeated {
                    report += &["<testcase ", &attributes.join(" "), end].concat();
                }
            }
            report + "</testsuite>"
        };
        prop_assert_eq!(told_bytes(report(" />           ").as_bytes()), told_bytes(report("></testcase>  ").as_bytes()));
    }
}
