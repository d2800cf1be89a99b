//! Formats of XML that are found by a root element of their own: those that are read, and those that are known by name.

use super::Format;

/// Finds the format by the root's name. `text` is the head of the report from that name on.
pub(super) fn claim(root: &str, text: &str) -> Option<Format> {
    let tag = text.split('>').next().unwrap_or_default();
    let has = |mark: &str| text.contains(mark);
    Some(match root {
        "Site" if has("<Testing") => Format::Ctest,
        "Catch" | "Catch2TestRun" => Format::Catch2,
        "doctest" => Format::Doctest,
        "TestLog" => Format::Boost,
        // an old one of Android's is of another kind
        "TestResult" if !has("<TestPackage") => Format::Boost,
        "robot" => Format::Robot,
        "suite" if tag.contains(" id=\"s1") => Format::Robot,
        "TestCase" if has("<TestFunction") || has("<QtVersion") => Format::Qtest,
        // -lightxml has no root
        "Environment" | "TestFunction" if has("<QtVersion") || has("<Incident") => Format::Qtest,
        // TRX would say so in the tag
        "TestRun" if has(">") => Format::CppUnit,
        "CUNIT_TEST_RUN_REPORT" => Format::CUnit,
        "testExecutions" => Format::Sonar,
        "unitTest" if has("<file") => Format::Sonar,
        "result" if has("<suites") => Format::Jenkins,
        "gtester" => Format::Gtester,
        "unittest-results" => Format::UnitTestPp,
        "TestResults" if has("<TestListing") => Format::FpcUnit,
        "report-result" => Format::MbUnit,
        "ResultsSession" => Format::CppTest,
        "Result" if has("<Module") || tag.contains("suite_plan=") => Format::AndroidCts,
        "test-suite" if has("qatools") || has("<test-cases") => Format::Allure1,
        _ => return named(root, tag, text).map(Format::Named),
    })
}

/// Finds the name of a format that is not read.
fn named(root: &str, tag: &str, text: &str) -> Option<&'static str> {
    let has = |mark: &str| text.contains(mark);
    NAMED
        .iter()
        .find(|(name, mark, _)| *name == root && (mark.is_empty() || tag.contains(mark) || has(mark)))
        .map(|(_, _, format)| *format)
}

/// Root element, what the head must hold beside it, and the name. The first that fits is taken.
const NAMED: &[(&str, &str, &str)] = &[
    // parts of a CTest submission
    ("Site", "<DynamicAnalysis", "ctest-dynamic-analysis"),
    ("Site", "<Coverage", "ctest-coverage"),
    ("Site", "<Configure", "ctest-configure"),
    ("Site", "<Build", "ctest-build"),
    ("Site", "<Upload", "ctest-upload"),
    ("Site", "<Notes", "ctest-notes"),
    ("Site", "BuildStamp", "ctest-other"),
    ("Update", "<Site", "ctest-update"),
    // lists of tests and configurations, without results
    ("MatchingTests", "", "catch2-list"),
    ("CUNIT_TEST_LIST_REPORT", "", "cunit-list"),
    ("suite", "<classes", "testng-suite"),
    ("suite", "<packages", "testng-suite"),
    ("suite", "testng", "testng-suite"),
    ("TestDefinitions", "", "mstest-definitions"),
    ("TestSettings", "", "mstest-settings"),
    ("RunSettings", "", "mstest-settings"),
    // results of tests
    ("TestResult", "<TestPackage", "android-cts-1"),
    ("tusar", "", "tusar"),
    ("surefire-report", "", "surefire-report"),
    ("failsafe-summary", "", "failsafe-summary"),
    ("SquishReport", "", "squish"),
    ("report", "gallio.org", "gallio"),
    ("report", "ranorex", "ranorex"),
    ("report", "<activity", "ranorex"),
    ("phpunit", "<tests", "phpunit-xml"),
    ("testdox", "", "phpunit-testdox"),
    ("tests", "underTestCaseResultSummary", "phpunit-testdox"),
    ("LogData", "", "testcomplete"),
    ("testresults", "", "fpcunit-plain"),
    ("stories", "", "jbehave"),
    ("story", "<scenario", "jbehave"),
    ("specifications", "", "mspec"),
    ("MSpec", "", "mspec"),
    ("plist", "", "apple-property-list"),
    ("testrun", "<count", "intellij-test-run"),
    ("events", "opentest4j", "open-test-reporting"),
    ("execution", "opentest4j", "open-test-reporting"),
    ("Results", "<ReportNode", "uft"),
    ("session", "<case", "concordion"),
    ("TestCaseResults", "", "tessy"),
    ("suiteResults", "", "fitnesse"),
    ("testResults", "FitNesse", "fitnesse"),
    // loads and performance
    ("testResults", "", "jmeter"),
    ("FinalStatus", "", "taurus"),
    ("iagoReport", "", "iago"),
    ("report", "<perfs", "perfpublisher"),
    // memory and coverage
    ("valgrindoutput", "", "valgrind"),
    ("coverage", "<packages", "cobertura"),
    ("coverage", "clover=", "clover"),
    ("coverage", "<project", "clover"),
    ("coverage", "<file path", "sonar-coverage"),
    ("coverage", "", "coverage"),
    ("report", "JACOCO", "jacoco"),
    ("report", "<sessioninfo", "jacoco"),
    ("report", "<counter", "jacoco"),
    ("report", "EMMA", "emma"),
    ("CoverageSession", "", "opencover"),
    ("CoverageDSPriv", "", "visual-studio-coverage"),
    ("results", "<modules", "visual-studio-coverage"),
    ("mutations", "", "pitest"),
    // static checks
    ("checkstyle", "", "checkstyle"),
    ("pmd", "", "pmd"),
    ("pmd-cpd", "", "pmd-cpd"),
    ("BugCollection", "", "spotbugs"),
    ("results", "cppcheck", "cppcheck"),
    ("issues", "<issue", "android-lint"),
    ("lint", "", "lint"),
    ("jslint", "", "jslint"),
    ("jshint", "", "jshint"),
    ("StyleCopViolations", "", "stylecop"),
    ("FxCopReport", "", "fxcop"),
    ("Report", "<IssueTypes", "resharper"),
    // pages that name themselves reports
    ("html", "", "html"),
    ("HTML", "", "html"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_apart_by_what_stands_in_the_head() {
        let cases = [
            ("Site", "Site BuildName='b'><Testing><Test/>", "ctest"),
            ("Site", "Site BuildName='b' BuildStamp='s'><Build>", "ctest-build"),
            ("TestResult", "TestResult><TestSuite name='s'/>", "boost-test"),
            ("TestResult", "TestResult starttime='t'><TestPackage/>", "android-cts-1"),
            ("suite", "suite id=\"s1\" name='a'><test/>", "robot"),
            ("suite", "suite name='a' parallel='classes'><test><packages/>", "testng-suite"),
            ("report", "report name='a'><sessioninfo/>", "jacoco"),
            ("coverage", "coverage line-rate='1'><packages/>", "cobertura"),
            ("testResults", "testResults version='1.2'><httpSample/>", "jmeter"),
            ("testResults", "testResults><FitNesseVersion>v", "fitnesse"),
        ];
        for (root, text, name) in cases {
            assert_eq!(claim(root, text).map(Format::as_str), Some(name), "{text}");
        }
        for (root, text) in
            [("catalog", "catalog><book/>"), ("suite", "suite name='a'/>"), ("report", "report/>")]
        {
            assert_eq!(claim(root, text), None, "{text}");
        }
    }

    /// The table of the documentation is rewritten by hand; this says what is missing.
    #[test]
    fn the_page_of_dialects_names_every_format() {
        let page = include_str!("../../../../docs/dialects.md");
        for (root, _, name) in NAMED {
            assert!(
                page.contains(&format!("`{name}`")) && page.contains(&format!("`{root}`")),
                "{name} by {root}"
            );
        }
    }
}
