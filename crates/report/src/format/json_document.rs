//! Which format a JSON document is of, by its members.

use super::Format;
use crate::scan::json::{Json, JsonTree};

/// Finds the format of a JSON document that begins a text and may go on behind it. Members of a value that is cut count
/// as far as they were read.
pub(super) fn claim(text: &str) -> Option<Format> {
    let mut tree = JsonTree::default();
    tree.read(text, 0, 256);
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
}
