//! Small reports whose every line is known.

use serde::Deserialize;

use super::{Run, collect};

/// A row of the testkit's `quirks.json`.
#[derive(Deserialize)]
struct Quirk {
    title: String,
    xml: String,
    test_run: Vec<String>,
    test_run_summary: Vec<String>,
}

fn quirks() -> Vec<Quirk> {
    serde_json::from_str(include_str!("../../../../testkit/spec/quirks.json")).unwrap()
}

fn joined(lines: &[String]) -> String {
    lines.iter().map(|line| format!("{line}\n")).collect()
}

#[test]
fn each_quirk_becomes_its_lines() {
    let quirks = quirks();
    assert_eq!(quirks.len(), 43);
    let mut wrong = Vec::new();
    for quirk in &quirks {
        let run = Run::of("9876543210");
        let entry = ("test/test-reports/python-pytest/test_foo/x.xml", quirk.xml.as_bytes());
        run.zip("test-reports-x_25074563711.zip", [entry]);
        collect(&run.plan());
        for (collection, expected) in
            [("test_run", &quirk.test_run), ("test_run_summary", &quirk.test_run_summary)]
        {
            let (expected, actual) = (joined(expected), run.lines(collection));
            if expected != actual {
                wrong.push(format!("{}: {collection}\nexpected: {expected}actual:   {actual}", quirk.title));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
