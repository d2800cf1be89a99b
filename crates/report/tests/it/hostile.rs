//! Reports that are made to take long, or to hide cases: what takes time with the square of these sizes does not end.

use std::time::{Duration, Instant};

use testlake_report::{FindingCode, Limits, ReportReader, read};

use crate::told::Told;

fn in_time(what: &str, test: impl FnOnce()) {
    let begin = Instant::now();
    test();
    let taken = begin.elapsed();
    // some take a second here; with the square of their sizes it would be many minutes
    assert!(taken < Duration::from_secs(60), "{what} took {taken:?}");
}

fn told(report: &str, limits: Limits) -> Told {
    let mut told = Told::default();
    read(report.as_bytes(), limits, &mut told);
    told
}

fn codes(told: &Told) -> Vec<&'static str> {
    told.findings.iter().map(|finding| finding.code.as_str()).collect()
}

fn names(told: &Told) -> Vec<&str> {
    told.cases.iter().filter_map(|case| case.name.as_deref()).collect()
}

#[test]
fn document_types_without_an_end_are_not_looked_for_again_and_again() {
    let report = "<!DOCTYPE x [".repeat(200_000) + "<testsuite><testcase name='a'/></testsuite>";
    in_time("document types", || {
        assert_eq!(names(&told(&report, Limits::default())), ["a"]);
    });
}

#[test]
fn a_section_larger_than_a_window_may_end_it_inside_a_character() {
    let limits = Limits { window_bytes: 100, case_bytes: 1000, tag_bytes: 200, ..Limits::default() };
    for begin in ["<![CDATA[", "<!--", "<?x "] {
        let end = if begin == "<!--" { "-->" } else { "?>]]>" };
        for shift in 0..12 {
            let text = ["x".repeat(shift), "é€😀\r\n".repeat(1000)].concat();
            let report = format!("<testsuite>{begin}{text}{end}<testcase name='a'/></testsuite>");
            assert_eq!(names(&told(&report, limits)), ["a"], "{begin} {shift}");
        }
    }
}

#[test]
fn a_long_name_of_a_suite_is_not_read_whole_for_each_case() {
    let name = "x".repeat(4 << 20);
    let case = "<testcase name='a'/><testcase name='b'><failure/></testcase>";
    for suite in [format!("<testsuite name='{name}'>"), format!("<testsuite file='{name}' name='s'>")] {
        let report = [&suite, &*case.repeat(20_000), "</testsuite>"].concat();
        in_time("a long name", || {
            let mut told = Told::default();
            let mut counted = Counted(&mut told, 0);
            let reading = read(report.as_bytes(), Limits::default(), &mut counted);
            assert_eq!((reading.cases, counted.1), (40_000, 40_000 * (16 << 10)));
            assert_eq!(codes(&told)[0], "path-too-long");
        });
    }
}

#[test]
fn a_long_name_that_tests_in_json_have_in_common_is_not_read_for_each() {
    // with an escape it cannot be borrowed
    let name = format!("\\n{}", "x".repeat(4 << 20));
    let many = |one: &str| vec![one; 40_000].join(",");
    let (status, state) =
        (r#"{"title":"a","status":"passed"}"#, r#"{"title":"a","state":"passed","pass":true}"#);
    let playwright = r#"{"projectName":"p","results":[{"status":"passed"}]}"#;
    let ginkgo = r#"{"LeafNodeType":"It","LeafNodeText":"a","State":"passed"}"#;
    let scenario = r#"{"type":"scenario","name":"a","steps":[]}"#;
    let reports = [
        format!(
            r#"{{"numTotalTests":40000,"testResults":[{{"name":"{name}","assertionResults":[{}]}}]}}"#,
            many(status)
        ),
        format!(
            r#"{{"stats":{{"suites":1}},"results":[{{"title":"{name}","fullFile":"f","tests":[{}],"suites":[]}}],"meta":{{"mochawesome":{{}}}}}}"#,
            many(state)
        ),
        format!(
            r#"{{"config":{{}},"suites":[{{"title":"s","file":"f","specs":[{{"title":"{name}","tests":[{}]}}]}}],"errors":[]}}"#,
            many(playwright)
        ),
        format!(r#"[{{"SuitePath":"/s","SuiteDescription":"{name}","SpecReports":[{}]}}]"#, many(ginkgo)),
        format!(r#"[{{"uri":"f","keyword":"Feature","name":"{name}","elements":[{}]}}]"#, many(scenario)),
        format!(
            r#"{{"startTime":"","endTime":"","userAgents":[],"passed":1,"fixtures":[{{"name":"s","path":"p","meta":{{"k":"{name}"}},"tests":[{}]}}]}}"#,
            many(r#"{"name":"a","durationMs":1,"errs":[]}"#)
        ),
        format!(
            r#"{{"browsers":{{"1":{{"id":"1","name":"{name}"}}}},"result":{{"1":[{}]}},"summary":{{}}}}"#,
            many(r#"{"description":"a","suite":["s"],"success":true}"#)
        ),
    ];
    for report in reports {
        in_time("a long name in JSON", || {
            let mut told = Told::default();
            let mut counted = Counted(&mut told, 0);
            let reading = read(report.as_bytes(), Limits::default(), &mut counted);
            assert_eq!(reading.cases, 40_000, "{:?} {:?}", reading.format, told.findings);
            assert_eq!(codes(&told)[0], "path-too-long", "{:?}", reading.format);
        });
    }
}

#[test]
fn suites_behind_a_path_that_is_cut_are_left_out() {
    let limits = Limits { path_bytes: 3, ..Limits::default() };
    let told = told(
        "<testsuite name='abcdef'><testsuite name='b'><testcase name='c'/></testsuite></testsuite>",
        limits,
    );
    assert_eq!(told.cases[0].suite, ["abc"]);
    assert_eq!(codes(&told), ["path-too-long"]);
}

/// Keeps findings, and how long the paths of the cases are.
struct Counted<'told>(&'told mut Told, usize);

impl testlake_report::Visitor for Counted<'_> {
    fn case(&mut self, case: &testlake_report::Case<'_>) {
        self.1 += case.suite.iter().chain(&case.file).map(|text| text.len()).sum::<usize>();
    }

    fn finding(&mut self, finding: testlake_report::Finding) {
        self.0.findings.push(finding);
    }
}

#[test]
fn properties_of_a_failed_teardown_are_compared_in_time() {
    let properties: String =
        (0..200_000).map(|number| ["<p name='", &number.to_string(), "' value=''/>"].concat()).collect();
    let entry = |message: &str| {
        [
            "<testcase name='a'><properties>",
            &properties,
            "</properties><error message='",
            message,
            "'/></testcase>",
        ]
        .concat()
    };
    let report =
        ["<testsuite>", &entry("m"), &entry("failed on teardown with \"x\""), "</testsuite>"].concat();
    in_time("properties", || {
        let told = told(&report, Limits::default());
        assert_eq!((told.cases.len(), told.cases[0].properties.len()), (1, 200_000));
    });
}

#[test]
fn a_property_that_a_failed_teardown_repeats_is_told_once() {
    let property = "<property name='p' value='v'/>";
    let report = [
        "<testsuite><testcase name='a'><failure/></testcase><testcase name='a'><properties>",
        property,
        property,
        "</properties><error message='failed on teardown with \"x\"'/></testcase></testsuite>",
    ];
    let told = told(&report.concat(), Limits::default());
    assert_eq!((told.cases.len(), told.cases[0].properties.len()), (1, 1));
}

#[test]
fn teardowns_without_end_are_cases_of_their_own() {
    let entry = "<testcase name='a'><error message='failed on teardown with \"x\"'/></testcase>";
    let report = ["<testsuite>", &entry.repeat(100), "</testsuite>"].concat();
    assert_eq!(told(&report, Limits::default()).cases.len(), 6);
}

#[test]
fn a_line_in_tiny_chunks_is_looked_through_once() {
    let line = ["ok 1 - ", &"x".repeat(8 << 20)].concat();
    in_time("a line", || {
        let mut told = Told::default();
        let limits = Limits { whole_bytes: 0, ..Limits::default() };
        let mut reader = ReportReader::new(limits, &mut told);
        reader.feed(b"TAP version 13\n1..1\n");
        for chunk in line.as_bytes().chunks(5) {
            reader.feed(chunk);
        }
        reader.finish();
        assert_eq!(told.cases[0].name.as_ref().unwrap().len(), 8 << 20);
    });
}

#[test]
fn what_is_beyond_the_limits_is_passed_over_with_its_case() {
    let large = "x".repeat(200);
    let many = " a='' b='' c='' d='' e=''";
    let deep = "<a>".repeat(20) + &"</a>".repeat(20);
    let limits = Limits { tag_bytes: 100, attributes: 4, depth: 8, ..Limits::default() };
    for (code, inside) in [
        ("large-tag", format!("<testcase name='{large}'/>")),
        ("large-tag", format!("<testcase name='{large}'><failure>t</failure></testcase>")),
        (
            "large-tag",
            format!("<testcase name='x' m='/>{large}'><failure message='m'>t</failure></testcase>"),
        ),
        ("large-tag", format!("<testcase name='x'><failure message='{large}'/></testcase>")),
        ("large-tag", format!("<testcase name='x'><failure message='{large}'>t</failure></testcase>")),
        ("large-tag", format!("<testcase name='x'><failure message='{large}</testcase>")),
        ("large-tag", format!("<testcase name='x'><failure{many}/></testcase>")),
        ("large-tag", format!("<testcase{many}/>")),
        ("deep-element", format!("<testcase name='x'>{deep}</testcase>")),
        ("deep-element", "<a>".repeat(7) + "<testcase name='x'/>" + &"</a>".repeat(7)),
    ] {
        let report =
            ["<testsuite name='s'><testcase name='a'/>", &inside, "<testcase name='b'/></testsuite>"]
                .concat();
        let told = told(&report, limits);
        assert_eq!(names(&told), ["a", "b"], "{report}");
        assert_eq!(codes(&told), [code], "{report}");
        assert!(told.cases.iter().all(|case| case.suite == ["s"]), "{report}");
    }
    // cases of a suite whose own tag is too large are in a suite without a name
    let report = format!(
        "<testsuites><testsuite name='{large}'><testcase name='a'/></testsuite><testcase name='b'/></testsuites>"
    );
    let told = told(&report, limits);
    assert_eq!((names(&told), codes(&told)), (vec!["a", "b"], vec!["large-tag"]));
}

/// A folder of reports has pictures and logs in it, too.
#[test]
fn of_what_is_no_report_it_is_told_once_that_it_is_none() {
    let picture: Vec<u8> =
        (0..9000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8 | 0x80).collect();
    for whole_bytes in [usize::MAX, 0] {
        let limits = Limits { whole_bytes, ..Limits::default() };
        let mut told = Told::default();
        let mut reader = ReportReader::new(limits, &mut told);
        reader.feed(&picture.repeat(40));
        reader.finish();
        let codes: Vec<_> = told.findings.iter().map(|finding| finding.code).collect();
        assert_eq!(codes, [FindingCode::UnknownFormat], "{whole_bytes}");
    }
}
