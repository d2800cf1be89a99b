//! Which format a JSON document is of, by its members.

use super::Format;
use crate::scan::json::{Json, JsonTree};

/// Finds the format of a JSON document that begins a text and may go on behind it. Members of a value that is cut count
/// as far as they were read.
pub(super) fn claim(text: &str) -> Option<Format> {
    let mut tree = JsonTree::default();
    tree.read_on(text, 0, 256);
    let root = tree.root(text, 0)?;
    let name = if root.is_array() { named_list(root) } else { named_object(root) };
    let found = if root.is_array() { list(root) } else { object(root) };
    found.or_else(|| name.map(Format::Named))
}

fn object(root: Json<'_>) -> Option<Format> {
    let has = |name: &str| root.get(name).is_some();
    let has_in = |outer: &str, inner: &[&str]| {
        root.get(outer).is_some_and(|value| inner.iter().all(|name| value.get(name).is_some()))
    };
    if root.text_of("reportFormat").as_deref() == Some("CTRF")
        || has_in("results", &["tests", "tool"])
        || has_in("results", &["summary", "tool"])
        || has_in("results", &["tests", "summary"])
    {
        return Some(Format::Ctrf);
    }
    if has("testResults") && has("numTotalTests")
        || has("numTotalTestSuites")
        || has("numFailedTestSuites")
        || is_test_file(root)
    {
        return Some(jest_or_vitest(root));
    }
    if has_in("stats", &["suites", "tests", "passes"]) {
        let is_nested =
            has("results") || has_in("stats", &["testsRegistered"]) || has_in("stats", &["passPercent"]);
        return Some(if is_nested { Format::Mochawesome } else { Format::Mocha });
    }
    if root.list("results").next().is_some_and(|first| {
        first.get("beforeHooks").is_some()
            || first.get("rootEmpty").is_some()
            || first.get("fullFile").is_some()
    }) {
        return Some(Format::Mochawesome);
    }
    if has_in("config", &["rootDir"])
        && (has_in("config", &["projects"]) || has_in("config", &["configFile"]) || has("suites"))
    {
        return Some(Format::Playwright);
    }
    if root
        .list("suites")
        .next()
        .is_some_and(|first| first.get("specs").is_some() && first.get("file").is_some())
    {
        return Some(Format::Playwright);
    }
    let has_examples = root.get("examples").is_some_and(|examples| examples.is_array());
    if has_examples && (has("summary_line") || has("version"))
        || root.list("examples").next().is_some_and(|first| first.get("full_description").is_some())
    {
        return Some(Format::Rspec);
    }
    if has("browsers") && has("result") || is_karma(root) {
        return Some(Format::Karma);
    }
    if has("fixtures") && has("userAgents") || has("userAgents") && has("total") {
        return Some(Format::Testcafe);
    }
    is_feature(root).then_some(Format::Cucumber)
}

fn is_karma(root: Json<'_>) -> bool {
    let mut browsers = root.get("browsers").into_iter().flat_map(|browsers| browsers.members());
    browsers
        .next()
        .is_some_and(|(_, browser)| browser.get("lastResult").is_some() && browser.get("fullName").is_some())
}

fn list(root: Json<'_>) -> Option<Format> {
    let first = root.items().next()?;
    if first.get("SuitePath").is_some() && first.get("SuiteDescription").is_some() {
        return Some(Format::Ginkgo);
    }
    root.items().any(is_feature).then_some(Format::Cucumber)
}

/// Reports whether it is a feature of Cucumber's JSON, of which behave's have a `location` in place of `uri` and `line`.
fn is_feature(value: Json<'_>) -> bool {
    let has = |name: &str| value.get(name).is_some();
    let is_scenario = |element: Json<'_>| {
        element.get("steps").is_some() || element.get("keyword").is_some() || element.get("type").is_some()
    };
    has("elements")
        && (has("uri") || has("keyword") || value.list("elements").next().is_some_and(is_scenario))
        || has("keyword") && has("name") && (has("uri") || has("location"))
}

/// Reports whether the first of `testResults` is a test file of Jest's.
fn is_test_file(root: Json<'_>) -> bool {
    root.list("testResults")
        .next()
        .is_some_and(|file| file.get("assertionResults").is_some() || file.get("testFilePath").is_some())
}

/// Tells Vitest, which writes Jest's format, from Jest: by what one of them alone writes.
fn jest_or_vitest(root: Json<'_>) -> Format {
    let of_jest = ["numRuntimeErrorTestSuites", "openHandles", "wasInterrupted"];
    if of_jest.iter().any(|name| root.get(name).is_some()) {
        return Format::Jest;
    }
    let mut files = root.list("testResults").take(20);
    let is_jest = files.any(|file| {
        let test = file.list("assertionResults").chain(file.list("testResults")).next();
        file.get("summary").is_some()
            || file.get("testFilePath").is_some()
            || test.is_some_and(|test| {
                test.get("numPassingAsserts").is_some() || test.get("invocations").is_some()
            })
    });
    if is_jest { Format::Jest } else { Format::Vitest }
}

/// Names documents that are not read.
fn named_object(root: Json<'_>) -> Option<&'static str> {
    let has = |names: &[&str]| names.iter().all(|name| root.get(name).is_some());
    let schema = root.text_of("$schema").unwrap_or_default();
    let is_allure = has(&["uuid"])
        || has(&["historyId"])
        || has(&["stage"])
        || has(&["statusDetails"])
        || has(&["labels"]);
    let names = [
        ("sarif", schema.contains("sarif") || has(&["runs", "version"]) && !has(&["tests"])),
        ("stryker", has(&["schemaVersion", "thresholds", "files"])),
        ("rwx-results", schema.contains("test-results-schema")),
        ("allure-result", is_allure && has(&["name", "status"])),
        ("allure-container", has(&["uuid", "children"]) || has(&["children", "befores"])),
        (
            "pytest-json-report",
            has(&["exitcode", "summary", "tests"])
                || has(&["exitcode", "collectors"])
                || has(&["exitcode", "root", "created"]),
        ),
        ("pytest-json", root.get("report").is_some_and(|report| report.get("tests").is_some())),
        ("gtest-json", has(&["testsuites", "tests", "failures"])),
        ("catch2-json", has(&["test-run"])),
        ("newman", has(&["collection", "run"])),
        ("k6-summary", has(&["metrics", "root_group"])),
        ("cypress-run", has(&["runs", "totalTests"]) || has(&["cypressVersion", "runs"])),
        ("wdio-json", has(&["capabilities", "suites"])),
        ("robot-json", has(&["generator", "suite"]) || has(&["suite", "statistics"])),
        ("nightwatch-json", has(&["modules", "passed", "failed", "assertions"])),
        ("xcresult-json", has(&["testNodes"]) || has(&["_type", "actions"])),
        ("serenity", has(&["testSteps", "result"])),
        ("jasmine-json", has(&["overallStatus"]) && has(&["totalTime"])),
        ("ctest-json", root.text_of("kind").as_deref() == Some("ctestInfo")),
    ];
    names.iter().find(|(_, is)| *is).map(|(name, _)| *name)
}

/// Names lists that are not read.
fn named_list(root: Json<'_>) -> Option<&'static str> {
    let first = root.items().next()?;
    let has = |names: &[&str]| names.iter().all(|name| first.get(name).is_some());
    let names = [
        (
            "mocha-json-stream",
            first.text().as_deref() == Some("start")
                && root.items().nth(1).is_some_and(|item| item.get("total").is_some()),
        ),
        ("allure-result", has(&["uuid", "name", "status"])),
        ("wdio-json", has(&["capabilities", "suites"])),
        ("buildkite-json", has(&["scope", "name", "history"])),
        ("eslint", has(&["filePath", "messages"])),
    ];
    names.iter().find(|(_, is)| *is).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands first in a document may be all that is seen of it.
    #[test]
    fn a_head_is_enough() {
        let cases = [
            (r#"{"numFailedTestSuites":1,"numFailedTests":2,"numRuntimeErrorTestSuites":0,"#, "jest"),
            (r#"{"numTotalTestSuites":1,"numPassedTestSuites":1,"numTotalTests":"#, "vitest"),
            (r#"{"testResults":[{"assertionResults":[{"ancestorTitles":[],"invocations":1,"#, "jest"),
            (r#"{"testResults":[{"assertionResults":[{"ancestorTitles":[],"meta":{}"#, "vitest"),
            (r#"{"stats":{"suites":1,"tests":2,"passes":2},"tests":[{"#, "mocha"),
            (r#"{"stats":{"suites":1,"tests":2,"passes":2,"testsRegistered":2},"#, "mochawesome"),
            (r#"{"results":[{"uuid":"x","fullFile":"","#, "mochawesome"),
            (r#"{"config":{"configFile":"a","rootDir":"b","metadata":{"#, "playwright"),
            (r#"{"results":{"tool":{"name":"x"},"summary":{"#, "ctrf"),
            (r#"{"reportFormat":"CTRF","#, "ctrf"),
            (r#"{"version":"3","examples":[{"#, "rspec"),
            (r#"{"version":"3","seed":1,"examples":["#, "rspec"),
            (r#"[{"SuitePath":"/a","SuiteDescription":"b","#, "ginkgo"),
            (r#"[{"id":"a","uri":"b","keyword":"Feature","name":"c","#, "cucumber"),
            (
                r#"[{"line":1,"elements":[{"start_timestamp":"x","before":[{}],"line":3,"type":"scenario","#,
                "cucumber",
            ),
            (r#"[{"keyword":"Feature","location":"a:1","name":"c","status":"passed","#, "cucumber"),
            (r#"{"browsers":{"1":{"id":"1","fullName":"x","lastResult":{"#, "karma"),
            (r#"{"startTime":"x","endTime":"y","userAgents":[],"passed":0,"total":1,"#, "testcafe"),
            (r#"{"uuid":"a","name":"b","status":"passed","#, "allure-result"),
            (r#"{"created":1.5,"duration":1,"exitcode":1,"root":"/a","#, "pytest-json-report"),
            (r#"["start",{"total":3}]"#, "mocha-json-stream"),
        ];
        for (text, name) in cases {
            assert_eq!(claim(text).map(Format::as_str), Some(name), "{text}");
        }
        for text in
            ["{}", "[]", r#"{"name":"a","version":"1","scripts":{"test":"x"}}"#, r#"{"events": []}"#, "[1]"]
        {
            assert_eq!(claim(text), None, "{text}");
        }
    }

    /// What is told of a report, without the places of the findings.
    fn shown(report: &str) -> String {
        let told = crate::testing::told(report);
        let lines =
            told.lines().map(|line| if line.starts_with('!') { line.split(" @").next() } else { Some(line) });
        lines.flatten().collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_document_is_found_behind_and_before_other_output() {
        let report = include_str!("../../tests/fixtures/testcafe/report.json");
        let alone = shown(report);
        let before = "\n> shop@1.0.0 test\n> testcafe --reporter json\n\n[12:00:01] Starting\n{ not json }\n";
        assert_eq!(shown(&format!("{before}{report}")), format!("! other-output\n{alone}"));
        // what a logger writes is JSON, too
        let before = "{\"level\":\"info\",\"message\":\"Starting\"}\n[]\n";
        assert_eq!(shown(&format!("{before}{report}")), format!("! other-output\n{alone}"));
        assert_eq!(shown(&format!("{report}npm notice\n{{}}\n")), format!("{alone}\n! other-output"));
    }

    #[test]
    fn documents_one_behind_the_other_are_read() {
        let one = r#"{"fixtures":[{"name":"A","tests":[{"name":"one","errs":[]}]}],"userAgents":[]}"#;
        let two = r#"{"userAgents":[],"fixtures":[{"name":"B","tests":[{"name":"two","errs":[]}]}]}"#;
        let cases = "A | one | passed\nB | two | passed";
        assert_eq!(shown(&format!("{one}{two}\n")), cases);
        assert_eq!(shown(&format!("{one}\n{two}")), cases);
        assert_eq!(
            shown(&format!("{one}\nlerna: next\n{{\"a\":1}}\n{two}\nend")),
            "A | one | passed\n! other-output\nB | two | passed\n! other-output"
        );
    }

    #[test]
    fn what_tells_the_format_may_come_late() {
        let long = "x".repeat(100_000);
        let report = format!(
            r#"{{"metadata":"{long}","fixtures":[{{"name":"A","tests":[{{"name":"one","errs":[]}}]}}],"userAgents":[]}}"#
        );
        assert_eq!(shown(&report), "A | one | passed");
        assert_eq!(shown(&format!("npm\n{report}")), "! other-output\nA | one | passed");
        let chatty = format!("{}\n{report}", "a line of a build\n".repeat(1500) + &long);
        assert_eq!(shown(&chatty), "! other-output\nA | one | passed");
        assert_eq!(shown(&format!(r#"{{"metadata":"{long}"}}"#)), "! unknown-format");
    }

    /// Reports that are indented, one value a line.
    const INDENTED: [&str; 6] = [
        include_str!("../../tests/fixtures/mocha/report.json"),
        include_str!("../../tests/fixtures/playwright/report.json"),
        include_str!("../../tests/fixtures/cucumber/report.json"),
        include_str!("../../tests/fixtures/cucumber/behave.json"),
        include_str!("../../tests/fixtures/ginkgo/report.json"),
        include_str!("../../tests/fixtures/testcafe/report.json"),
    ];

    #[test]
    fn cut_anywhere_nothing_is_lost_silently() {
        for report in INDENTED {
            let end = report.trim_end().len();
            for end in (0..end).filter(|&end| report.is_char_boundary(end)).step_by(13) {
                let told = shown(report.split_at(end).0);
                let tells = ["! malformed-json", "! empty-report", "! unknown-format"];
                assert!(tells.iter().any(|code| told.contains(code)), "{end}: {told}");
            }
        }
    }

    #[test]
    fn a_line_of_other_output_between_costs_no_case() {
        for report in INDENTED {
            let whole = shown(report);
            let lines: Vec<_> = report.lines().collect();
            // the first two lines tell that it is JSON
            for at in 2..lines.len() {
                let (before, after) = (lines[..at].join("\n"), lines[at..].join("\n"));
                let told = shown(&format!("{before}\nnpm notice: a new version is there\n{after}"));
                let left: Vec<_> = told.lines().filter(|line| *line != "! malformed-line").collect();
                assert_eq!(left.join("\n"), whole, "behind {before}");
                assert!(left.len() < told.lines().count());
            }
        }
    }

    #[test]
    fn behind_a_case_that_is_broken_the_others_are_found() {
        for report in INDENTED {
            let cases = shown(report).lines().filter(|line| !line.starts_with('!')).count();
            let lines: Vec<_> = report.lines().collect();
            for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.contains("\": \"")) {
                // a quote that lost its escape
                let broken = line.replacen("\": \"", "\": \"a \" b", 1);
                let text = [&lines[..at], &[&*broken], &lines[at + 1..]].concat().join("\n");
                let told = shown(&text);
                let left = told.lines().filter(|line| !line.starts_with('!')).count();
                assert!(left + 1 >= cases || told.contains("! unknown-format"), "{broken}: {told}");
                assert!(
                    told.contains("! malformed-line") || told.contains("! unknown-format"),
                    "{broken}: {told}"
                );
            }
        }
    }

    #[test]
    fn in_a_report_of_one_line_as_well() {
        let report = include_str!("../../tests/fixtures/jest/report.json");
        let whole = shown(report);
        let told = shown(&report.replacen("\"removes\"", "\"rem\"oves\"", 1));
        let lost: Vec<_> = whole.lines().filter(|line| !told.contains(line)).collect();
        assert_eq!(lost.len(), 1, "{told}");
        assert!(lost[0].contains("removes"), "{told}");
        assert!(told.contains("! malformed-line") && told.contains("! cut-case"), "{told}");
    }
}
