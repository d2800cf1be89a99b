//! What makes which exit code, as docs/exit-codes.md has it.

use testlake_testkit::zip::{Member, ZipBuilder};

use crate::program::Program;

/// A report around a piece of XML, with a case of its own.
fn report(piece: &str) -> Vec<u8> {
    format!("<testsuite><testcase name='a'/>{piece}</testsuite>").into_bytes()
}

/// Collects files besides a report that is whole, and returns the exit code and the codes of the findings.
fn ending(files: &[(&str, &[u8])], words: &[&str]) -> (Option<i32>, Vec<String>) {
    let program = Program::new();
    program.write("in/whole_1/a.xml", report(""));
    for (path, bytes) in files {
        program.write(&format!("in/{path}"), bytes);
    }
    let output = program.output(&[&["collect", "in", "--no-lake", "--format=json"], words].concat());
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let findings = json["ledger"]["findings"].as_array().unwrap().iter();
    (output.status.code(), findings.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect())
}

#[test]
fn what_is_repaired_or_only_odd_leaves_0() {
    for (bytes, code) in [
        (report("<testcase name='b' name='c'/>"), "duplicate-attribute"),
        (report("<testcase name='b' id=1/>"), "malformed-attribute"),
        (report("<testcase name='&nosuch;'/>"), "unknown-entity"),
        (report("<testcase name='b & c'/>"), "bare-ampersand"),
        (report("<testcase name='b &lt; < c'/>"), "bare-less-than"),
        (report("<testcase name='b\u{1}'/>"), "forbidden-character"),
        ([&report("")[..], b"<!-- \xff -->"].concat(), "invalid-encoding"),
        ([b"<?xml version='1.0' encoding='nosuch'?>", &report("")[..]].concat(), "wrong-encoding"),
        ([b"text", &report("")[..]].concat(), "text-before-root"),
        ([&report("")[..], b"text"].concat(), "text-after-root"),
        ([b"<!DOCTYPE testsuite>", &report("")[..]].concat(), "document-type"),
        (b"<html/>".to_vec(), "not-a-report"),
    ] {
        let (exit, findings) = ending(&[("b_2/b.xml", &bytes)], &[]);
        assert_eq!((exit, findings.as_slice()), (Some(0), &[code.to_owned()][..]));
    }
    let member = |path| Member::deflated(path, &report(""));
    let duplicate = ZipBuilder::new().member(member("x/a.xml")).member(member("x/a.xml")).build();
    let upwards = ZipBuilder::new().member(member("../x/a.xml")).build();
    for (zip, code) in [(duplicate, "entry-duplicate"), (upwards, "entry-path")] {
        let (exit, findings) = ending(&[("b_2.zip", &zip.bytes)], &[]);
        assert_eq!((exit, findings.as_slice()), (Some(0), &[code.to_owned()][..]));
    }
    let miscount = b"<testsuite tests='7'><testcase name='b'/></testsuite>";
    assert_eq!(ending(&[("b_2/b.xml", miscount)], &[]), (Some(0), Vec::new()));
    assert_eq!(ending(&[("b_2/b.xml", miscount)], &["--require-complete"]), (Some(3), Vec::new()));
    assert_eq!(ending(&[("b_2/b.xml", b"<html/>")], &["--require-complete"]).0, Some(3));
    assert_eq!(ending(&[("b_2/b.xml", &report("<testcase><failure/></testcase>"))], &[]).0, Some(0));
}

#[cfg(feature = "lake")]
#[test]
fn what_is_known_to_be_no_report_leaves_0_with_a_lake_too() {
    for (name, bytes, codes) in [
        ("coverage.xml", "<coverage><packages/></coverage>", &["not-a-report", "other-format"] as &[_]),
        ("ctest.json", r#"{"kind": "ctestInfo", "tests": []}"#, &["other-format"]),
    ] {
        let program = Program::new();
        program.write("in/whole_1/a.xml", report(""));
        program.write(&format!("in/b_2/{name}"), bytes);
        let output = program.output(&["collect", "in", "--format=json"]);
        assert_eq!(output.status.code(), Some(0), "{}", program.render(&output));
        let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = json["ledger"]["findings"].as_array().unwrap().iter();
        assert_eq!(findings.map(|finding| finding["code"].as_str().unwrap()).collect::<Vec<_>>(), codes);
    }
}

#[test]
fn what_is_lost_makes_3() {
    for (bytes, code) in [
        (b"<testsuite><testcase name='a'".to_vec(), "cut-tag"),
        (b"<testsuite><testcase name='a'/>".to_vec(), "cut-document"),
        (report("<testcase></testsuite>"), "mismatched-tag"),
        (report("<![CDATA["), "unclosed-section"),
        (report("").repeat(2), "second-root"),
        (report(&"<x>".repeat(300)), "too-deep"),
        (b"".to_vec(), "empty-report"),
        (b"x".to_vec(), "no-root"),
    ] {
        let (exit, findings) = ending(&[("b_2/b.xml", &bytes)], &[]);
        assert!(exit == Some(3) && findings.contains(&code.to_owned()), "{code}: {exit:?} {findings:?}");
    }
    let long = report(&format!("<testcase name='{}'/>", "x".repeat(3000)));
    for (limit, code) in [
        // A tag that is longer than a case may be must not be waited for.
        ("--max-case-size=2000", "case-too-large"),
        ("--max-tag-size=2000", "tag-too-large"),
        ("--max-entry-size=2000", "entry-too-large"),
    ] {
        let zip = ZipBuilder::new().member(Member::deflated("x/a.xml", &long)).build();
        let (exit, findings) = ending(&[("b_2.zip", &zip.bytes)], &[limit]);
        assert!(exit == Some(3) && findings.contains(&code.to_owned()), "{code}: {exit:?} {findings:?}");
    }
    let zip = ZipBuilder::new().member(Member::deflated("x/a.xml", &long)).build().bytes;
    for (bytes, code) in [(&zip[..zip.len() - 9], "archive-cut-off"), (b"no zip", "not-an-archive")] {
        let (exit, findings) = ending(&[("b_2.zip", bytes)], &[]);
        assert!(exit == Some(3) && findings.contains(&code.to_owned()), "{code}: {exit:?} {findings:?}");
    }
    // A source of two.
    let words = ["file:///nowhere", "--repo=o/r", "--run-id=7", "--attempt=1"];
    assert_eq!(ending(&[], &words), (Some(3), Vec::new()));
}

#[test]
fn a_list_of_target_determination_that_is_wrong_makes_3() {
    let whole = report("");
    for (text, exit) in [
        (r#"{"excluded": [{"test_file": "a"}]}"#, 0),
        (r#"{"excluded": []}"#, 0),
        ("{", 3),
        ("{}", 3),
        (r#"{"excluded": [{}]}"#, 3),
    ] {
        let files: [(&str, &[u8]); 2] =
            [("test-reports_1/a.xml", &whole), ("test-jsons_1/td_exclusions-1.json", text.as_bytes())];
        let (code, findings) = ending(&files, &["--profile=pytorch"]);
        assert_eq!((code, findings.len()), (Some(exit), usize::from(exit == 3)), "{text}");
    }
}
