//! The ledger: what was expected of a run and what came.

use regex::Regex;
use testlake_collect::ledger::{
    ArtifactStatus, CaseCounts, DeclaredMismatch, LedgerJob, ReportCounts, VERSION, Verdict,
};
use testlake_collect::plan::{CollectPlan, Profile};

use super::{Run, collect};

const ALL_OUTCOMES: &[u8] = br#"<testsuites>
<testsuite name="s" tests="7">
<testcase name="passes"/>
<testcase name="fails"><failure/><skipped/></testcase>
<testcase name="fails, and has an error"><error/><failure/></testcase>
<testcase name="errs"><skipped/><error/></testcase>
<testcase name="is left out"><skipped/></testcase>
<testcase name="is run again"><rerun/></testcase>
<testcase name="is run again and fails"><rerun/><failure/></testcase>
</testsuite></testsuites>"#;

const ONE: &[u8] = br#"<testsuite tests="1"><testcase name="a"/></testsuite>"#;

#[test]
fn cases_count_once_by_what_weighs_most() {
    let run = Run::new();
    run.zip("test-reports-a_1.zip", [("x/1.xml", ALL_OUTCOMES), ("x/2.xml", ONE)]);
    let collected = collect(&run.plan());
    let ledger = run.ledger();
    assert_eq!(ledger, collected.ledger);
    assert_eq!((ledger.version, ledger.verdict), (VERSION, Verdict::Complete));
    let cases = CaseCounts { total: 8, passed: 3, failed: 3, errored: 1, skipped: 1, rerun: 2 };
    assert_eq!(ledger.cases, cases);
    assert_eq!(ledger.reports, ReportCounts { found: 2, read: 2, salvaged: 0, rejected: 0 });
    assert_eq!(ledger.declared, []);
    assert_eq!(ledger.findings, []);
    let [artifact] = ledger.artifacts.as_slice() else { panic!("{:?}", ledger.artifacts) };
    assert_eq!((artifact.name.as_str(), artifact.status), ("test-reports-a_1.zip", ArtifactStatus::Read));
    assert_eq!(artifact.reason, None);
    let size = std::fs::metadata(run.artifacts().join("test-reports-a_1.zip")).unwrap().len();
    assert_eq!(artifact.bytes, Some(size));
}

#[test]
fn a_run_without_a_case_is_empty_and_all_collections_are_there() {
    let nothing = Run::new();
    let no_case = Run::new();
    no_case.zip("test-reports-a_1.zip", [("x/1.xml", b"<testsuites/>")]);
    let broken = Run::new();
    broken.put("test-reports-a_1.zip", b"no zip");
    for (run, found) in [(nothing, 0), (no_case, 1), (broken, 0)] {
        collect(&run.plan());
        let ledger = run.ledger();
        assert_eq!((ledger.verdict, ledger.reports.found), (Verdict::Empty, found));
        for collection in ["test_run", "failed_test_runs", "test_run_summary"] {
            assert_eq!(run.lines(collection), "", "{collection}");
        }
        for collection in ["reruns", "td_exclusions", "invoking_file_summary"] {
            assert_eq!(run.lines(&format!("additional_info/{collection}")), "{}\n", "{collection}");
        }
    }
}

/// A plan and whether it makes the verdict partial.
type Asked = (fn(&mut CollectPlan), Verdict);

fn assert_verdicts(run: &Run, all: &[Asked]) {
    for (number, (change, verdict)) in all.iter().enumerate() {
        let mut plan = run.plan();
        change(&mut plan);
        assert_eq!(collect(&plan).ledger.verdict, *verdict, "{number}");
    }
}

#[test]
fn a_suite_that_declares_another_count_is_told() {
    let run = Run::new();
    let report = br#"<testsuites tests="9"><testsuite name="in &amp; out" tests="2"><testcase name="a"/>
        </testsuite><testsuite tests="1"><testcase name="b"/></testsuite></testsuites>"#;
    run.zip("test-reports-a_1.zip", [("x/1.xml", report)]);
    collect(&run.plan());
    let mismatch = |suite: Option<&str>, declared, held| DeclaredMismatch {
        artifact: "test-reports-a_1.zip".to_owned(),
        entry: "x/1.xml".to_owned(),
        suite: suite.map(str::to_owned),
        declared,
        held,
    };
    assert_eq!(run.ledger().declared, [mismatch(Some("in & out"), 2, 1), mismatch(None, 9, 2)]);
    assert_verdicts(
        &run,
        &[(|_| (), Verdict::Complete), (|plan| plan.require_complete = true, Verdict::Partial)],
    );
}

#[test]
fn an_xml_that_is_no_report_is_told() {
    let run = Run::new();
    run.zip("test-reports-a_1.zip", [("x/1.xml", ONE), ("x/pom.xml", &b"<project/>"[..])]);
    collect(&run.plan());
    let ledger = run.ledger();
    assert_eq!(ledger.reports, ReportCounts { found: 1, read: 1, salvaged: 0, rejected: 0 });
    let [finding] = ledger.findings.as_slice() else { panic!("{:?}", ledger.findings) };
    assert_eq!((finding.entry.as_deref(), finding.code.as_str()), (Some("x/pom.xml"), "not-a-report"));
    assert_eq!(finding.offset, Some(0));
    assert_verdicts(
        &run,
        &[(|_| (), Verdict::Complete), (|plan| plan.require_complete = true, Verdict::Partial)],
    );
}

#[test]
fn jobs_without_a_report_are_told_and_may_be_asked_for() {
    let run = Run::new();
    run.zip("test-reports-a_1.zip", [("x/1.xml", ONE)]);
    run.zip("test-reports-b_2.zip", [("x/1.xml", b"<project/>")]);
    run.zip("test-jsons-c_3.zip", [("td_exclusions-1.json", br#"{"excluded": []}"#)]);
    fn with_jobs(plan: &mut CollectPlan) {
        let names = [("1", "linux"), ("2", "win"), ("3", "mac"), ("4", "rocm")];
        let name = |name| format!("{name} / test (default, 1, 1, x)");
        let mut jobs: testlake_collect::source::JobNames =
            names.map(|(id, build)| (id.to_owned(), name(build))).into();
        jobs.insert("5".to_owned(), "lint".to_owned());
        plan.job_names = Some(jobs);
    }
    fn expect(plan: &mut CollectPlan, pattern: &str) {
        with_jobs(plan);
        plan.expect_jobs = Some(Regex::new(pattern).unwrap());
    }
    let mut plan = run.plan();
    with_jobs(&mut plan);
    collect(&plan);
    let missing = |ids: &[(&str, &str)]| {
        let job = |&(id, name): &(&str, &str)| LedgerJob { id: id.to_owned(), name: name.to_owned() };
        ids.iter().map(job).collect::<Vec<_>>()
    };
    let win = ("2", "win / test (default, 1, 1, x)");
    let mac = ("3", "mac / test (default, 1, 1, x)");
    let rocm = ("4", "rocm / test (default, 1, 1, x)");
    assert_eq!(run.ledger().jobs_without_report, missing(&[win, mac, rocm]));
    expect(&mut plan, "lint|linux");
    collect(&plan);
    assert_eq!(run.ledger().jobs_without_report, missing(&[("5", "lint")]));
    assert_verdicts(
        &run,
        &[
            (with_jobs, Verdict::Complete),
            (
                |plan| {
                    with_jobs(plan);
                    plan.require_complete = true;
                },
                Verdict::Partial,
            ),
            (|plan| expect(plan, "^linux"), Verdict::Complete),
            (|plan| expect(plan, "^rocm"), Verdict::Partial),
            (|plan| expect(plan, "no such job"), Verdict::Partial),
            // no name is no proof that the jobs were there
            (|plan| plan.expect_jobs = Some(Regex::new("linux").unwrap()), Verdict::Partial),
        ],
    );
}

#[test]
fn the_plain_profile_takes_every_artifact_and_writes_three_collections() {
    let run = Run::new();
    run.zip("anything_7.zip", [("x/1.XML", ONE), ("x/r.trx", &b"<TestRun/>"[..]), ("x/readme.txt", ONE)]);
    let mut plan = run.plan();
    plan.profile = Profile::Plain;
    let collected = collect(&plan);
    let written: Vec<_> = collected.written.iter().map(|object| object.collection.as_str()).collect();
    assert_eq!(written, ["test_run_summary", "failed_test_runs", "test_run", "ledger"]);
    let ledger = run.ledger();
    assert_eq!((ledger.verdict, ledger.cases.total), (Verdict::Complete, 1));
    let findings: Vec<_> =
        ledger.findings.iter().map(|finding| (finding.entry.as_deref(), finding.code.as_str())).collect();
    assert_eq!(findings, [(Some("x/r.trx"), "other-format")]);
}
