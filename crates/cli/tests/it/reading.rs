//! `testlake lint` and `testlake convert`.

use insta::assert_snapshot;

use crate::program::Program;

const WHOLE: &str = r#"<testsuite name="s"><testcase name="one" classname="C" time="0.5"/>
<testcase name="two"><failure message="1 is not 2">a.rs:3</failure></testcase></testsuite>"#;
const REPAIRED: &str =
    "<testsuite><error message='no \u{1b}database'/>\n<testcase name=\"a & b\" time=\"soon\"/>\n</testsuite>";
const CUT: &str = "<testsuite>\n<testcase name=\"whole\"/>\n<testcase name=\"cut\"><fail";
const LINES: &str = "TAP version 14\n1..2\nok 1 - adds\nnot ok 2 - removes\n";

fn reports() -> Program {
    let program = Program::new();
    for (path, content) in [
        ("reports/whole.xml", WHOLE),
        ("reports/b/repaired.xml", REPAIRED),
        ("reports/b/cut.xml", CUT),
        ("reports/lines.tap", LINES),
        ("reports/notes.txt", "nothing that is a report"),
    ] {
        program.write(path, content);
    }
    program
}

#[test]
fn lint_tells_each_finding_by_its_place() {
    assert_snapshot!(reports().run(&["lint", "reports"]));
    assert_snapshot!(reports().run(&["lint", "--format", "json", "./reports/b"]));
}

#[test]
fn lint_fails_only_where_it_is_strict() {
    let program = reports();
    for (words, code) in [
        (&["lint", "reports", "-q"][..], 0),
        (&["lint", "reports", "-q", "--strict"], 1),
        (&["lint", "reports/whole.xml", "reports/lines.tap", "-q", "--strict"], 0),
        (&["convert", "--as", "ndjson", "reports/whole.xml", "--strict"], 0),
        (&["convert", "--as", "ndjson", "reports/b/repaired.xml"], 0),
        (&["convert", "--as", "ndjson", "reports/b/repaired.xml", "--strict"], 1),
        (&["convert", "--as", "ndjson", "reports/b/cut.xml"], 3),
        (&["convert", "--as", "ndjson", "reports/b/cut.xml", "--strict"], 1),
    ] {
        assert_eq!(program.output(words).status.code(), Some(code), "{words:?}");
    }
}

#[test]
fn what_is_not_there_ends_all_before_any_work() {
    assert_snapshot!(reports().run(&["lint", "reports/whole.xml", "nowhere"]));
    assert_snapshot!(reports().run(&["convert", "--as", "ctrf", "nowhere"]));
    assert_snapshot!(reports().run(&["convert", "reports"]));
    assert_snapshot!(reports().run(&["convert", "--as", "yaml", "reports"]));
}

#[test]
fn where_there_is_no_test_it_is_told() {
    let program = Program::new();
    std::fs::create_dir(program.path().join("empty")).unwrap();
    assert_snapshot!(program.run(&["lint", "empty"]));
    assert_eq!(program.output(&["convert", "--as", "ctrf", "empty"]).status.code(), Some(4));
}

#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_read_stops_no_other() {
    let program = reports();
    std::os::unix::fs::symlink("nowhere", program.path().join("reports/linked.xml")).unwrap();
    assert_snapshot!(program.run(&["lint", "reports/linked.xml", "reports/whole.xml"]));
    let all = program.output(&["convert", "--as", "ndjson", "reports"]);
    assert_eq!(all.status.code(), Some(3));
    assert_eq!(String::from_utf8(all.stdout).unwrap().lines().count(), 6);
    assert!(String::from_utf8(all.stderr).unwrap().contains("reports/linked.xml"));
}

#[test]
fn any_format_becomes_one_form() {
    for form in ["ndjson", "junit", "ctrf"] {
        let words = ["convert", "--as", form, "reports", "--repo", "o/r"];
        assert_snapshot!(format!("as_{form}"), reports().run(&words));
    }
}

#[test]
fn findings_go_to_a_file_where_one_is_named() {
    let program = reports();
    assert_snapshot!(program.run(&["convert", "--as", "ctrf", "reports/b", "--findings", "found.ndjson"]));
    assert_snapshot!(std::fs::read_to_string(program.path().join("found.ndjson")).unwrap());
}

#[test]
fn more_findings_than_the_limit_are_counted() {
    let program = Program::new();
    program.write("a.xml", format!("<testsuite>{}</testsuite>", "<testcase name=\"&\"/>".repeat(9)));
    assert_snapshot!(program.run(&["lint", "a.xml", "--max-findings", "2"]));
}

#[test]
fn names_do_not_drive_the_terminal() {
    let program = Program::new();
    program.write("a\u{202e}b.xml", "<testsuite><testcase name='\u{9b}2J&'/></testsuite>");
    for words in [&["lint", "."][..], &["lint", ".", "--format", "json"], &["convert", "--as", "ndjson", "."]]
    {
        let output = program.output(words);
        for said in [output.stdout, output.stderr] {
            let said = String::from_utf8(said).unwrap();
            assert!(!said.contains(['\u{202e}', '\u{9b}']), "{said}");
        }
    }
}

#[test]
fn folded_names_have_one_id() {
    let program = Program::new();
    let case = |address| format!("<testcase name='t[0x{address}]'/>");
    program
        .write("a.xml", format!("<testsuite>{}{}</testsuite>", case("7f3c2a1b9d30"), case("7f3c2a1b9d90")));
    let ids = |words: &[&str]| {
        let output = program.output(&[&["convert", "--as", "ndjson", "a.xml"], words].concat());
        let lines = String::from_utf8(output.stdout).unwrap();
        let value = |line: &str, name: &str| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()[name].to_string()
        };
        lines.lines().map(|line| (value(line, "test_id"), value(line, "ordinal"))).collect::<Vec<_>>()
    };
    let [one, other] = &ids(&[])[..] else { panic!("two cases") };
    assert!(one.0 != other.0 && one.1 == "0" && other.1 == "0");
    let [one, other] = &ids(&["--fold", "addresses"])[..] else { panic!("two cases") };
    assert!(one.0 == other.0 && one.1 == "0" && other.1 == "1");
}

#[cfg(unix)]
#[test]
fn who_reads_no_further_ends_it_well() {
    use std::process::Stdio;
    let program = Program::new();
    let cases = "<testcase name=\"one of many\"/>".repeat(100_000);
    program.write("a.xml", format!("<testsuite>{cases}</testsuite>"));
    for form in ["ndjson", "junit", "ctrf"] {
        let mut command = program.command(&["convert", "--as", form, "a.xml", "-q"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        assert_eq!(
            (output.status.code(), String::from_utf8(output.stderr).unwrap()),
            (Some(0), String::new())
        );
    }
}

#[test]
fn findings_are_not_written_over_a_report() {
    let program = Program::new();
    program.write("reports/a.xml", WHOLE);
    let words = ["convert", "--as", "ndjson", "reports", "--findings", "reports/../reports/a.xml"];
    let output = program.output(&words);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("is one of the reports that are read"));
    assert_eq!(std::fs::read_to_string(program.path().join("reports/a.xml")).unwrap(), WHOLE);
}

#[cfg(unix)]
#[test]
fn the_file_that_the_output_goes_to_is_no_report() {
    let program = Program::new();
    program.write("a.xml", WHOLE);
    let cases = std::fs::File::create(program.path().join("cases.ndjson")).unwrap();
    let output = program.command(&["convert", "--as", "ndjson", "."]).stdout(cases).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(said, "warning: `cases.ndjson` is not read: it is where the output goes\n");
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(program.path().join("cases.ndjson")).unwrap().lines().count(), 2);
}

#[cfg(unix)]
#[test]
fn a_dash_is_the_standard_input() {
    let program = Program::new();
    program.write("a.xml", WHOLE);
    let report = std::fs::File::open(program.path().join("a.xml")).unwrap();
    let output = program.command(&["convert", "--as", "ndjson", "-"]).stdin(report).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let lines = String::from_utf8(output.stdout).unwrap();
    assert!(lines.starts_with("{\"report\":\"-\",") && lines.lines().count() == 2, "{lines}");
}
