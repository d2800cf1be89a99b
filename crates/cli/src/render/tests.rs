use testlake_collect::ledger::{
    ArtifactStatus, CaseCounts, DeclaredMismatch, Ledger, LedgerArtifact, LedgerFinding, LedgerJob,
    LedgerRun, LedgerSource, ReportCounts, VERSION, Verdict,
};

use testlake_collect::plan::{Collected, FailedCase, FailureGroup, RunSummary, WrittenObject};
use testlake_collect::run::RunFacts;

use super::table::line;
use super::*;

fn whole() -> Collected {
    let run = LedgerRun {
        repo: Some("o/r".to_owned()),
        run_id: "7".to_owned(),
        attempt: 2,
        head_branch: None,
        head_repository: None,
    };
    let read = |name: &str| LedgerArtifact {
        name: name.to_owned(),
        source: "s3://b".to_owned(),
        bytes: Some(1_234_567),
        status: ArtifactStatus::Read,
        reason: None,
    };
    Collected {
        ledger: Ledger {
            version: VERSION,
            verdict: Verdict::Complete,
            run,
            sources: vec![LedgerSource { name: "s3://b".to_owned(), artifacts: 2, error: None }],
            artifacts: vec![read("a_1.zip"), read("b_2.zip")],
            reports: ReportCounts { found: 12, read: 12, salvaged: 0, rejected: 0 },
            findings: Vec::new(),
            cases: CaseCounts {
                total: 12_345,
                passed: 12_000,
                failed: 0,
                errored: 0,
                skipped: 345,
                rerun: 0,
            },
            results: None,
            redacted: None,
            declared: Vec::new(),
            jobs_without_report: Vec::new(),
        },
        facts: RunFacts::default(),
        summary: RunSummary { jobs: 2, seconds: 4000.5, failures: Vec::new(), groups_left_out: 0 },
        written: vec![
            WrittenObject {
                collection: "test_run_summary".to_owned(),
                key: "test_run_summary/7/2".to_owned(),
                rows: 1,
                bytes: 999,
            },
            WrittenObject {
                collection: "ledger".to_owned(),
                key: "ledger/7/2".to_owned(),
                rows: 1,
                bytes: 2048,
            },
        ],
    }
}

fn broken() -> Collected {
    let mut collected = whole();
    let ledger = &mut collected.ledger;
    ledger.verdict = Verdict::Partial;
    ledger.reports = ReportCounts { found: 12, read: 10, salvaged: 1, rejected: 1 };
    ledger.cases = CaseCounts { total: 100, passed: 60, failed: 30, errored: 5, skipped: 5, rerun: 2 };
    ledger.sources.push(LedgerSource {
        name: "github".to_owned(),
        artifacts: 0,
        error: Some("the token is not valid".to_owned()),
    });
    ledger.artifacts[0].status = ArtifactStatus::Rejected;
    ledger.artifacts[0].reason = Some("it ends before its end".to_owned());
    ledger.artifacts.push(LedgerArtifact {
        name: "gone.zip".to_owned(),
        source: "github".to_owned(),
        bytes: None,
        status: ArtifactStatus::Expired,
        reason: None,
    });
    ledger.findings = (0..22)
        .map(|i| LedgerFinding {
            artifact: "b_2.zip".to_owned(),
            entry: (i > 0).then(|| format!("x/{i}.xml")),
            offset: (i > 0).then_some(i * 1000),
            code: "cut-off".to_owned(),
            text: "the report ends in a tag".to_owned(),
            cases_saved: (i > 1).then_some(i),
        })
        .collect();
    ledger.declared = vec![DeclaredMismatch {
        artifact: "b_2.zip".to_owned(),
        entry: "x/1.xml".to_owned(),
        suite: Some("pytest".to_owned()),
        declared: 5,
        held: 4,
    }];
    ledger.jobs_without_report =
        vec![LedgerJob { id: "99".to_owned(), name: "linux / test (default, 1)".to_owned() }];
    let case = |name: &str| FailedCase {
        file: Some("test_a.py".to_owned()),
        class: Some("TestA".to_owned()),
        name: Some(name.to_owned()),
        job_id: Some(2),
        artifact: "b_2.zip".to_owned(),
    };
    collected.summary.failures = vec![
        FailureGroup {
            message: "AssertionError: Tensor-likes are not close!\nmore".to_owned(),
            first_lines: vec!["Traceback (most recent call last):".to_owned(), "\tat \u{1b}[31mx".to_owned()],
            cases: 34,
            examples: ["test_1", "test_\u{202e}2", "test_3", "test_4"].map(case).to_vec(),
        },
        FailureGroup { cases: 1, examples: vec![FailedCase::default()], ..FailureGroup::default() },
    ];
    collected.summary.groups_left_out = 3;
    collected
}

/// Where a run goes whose collections alone are kept.
fn to(name: &str, is_dry_run: bool) -> Places<'_> {
    Places { to: Some(name), lake: None, is_dry_run }
}

fn render(collected: &Collected, to: &Places<'_>) -> String {
    table::render(collected, None, to, Paint::default())
}

#[test]
fn a_whole_run_is_short() {
    insta::assert_snapshot!(render(&whole(), &to("s3://results", false)));
}

#[test]
fn a_broken_run_says_what_is_missing() {
    insta::assert_snapshot!(render(&broken(), &to("s3://results", false)));
}

#[test]
fn as_data_it_is_one_line() {
    let mut collected = broken();
    collected.ledger.findings.truncate(2);
    collected.summary.failures.truncate(1);
    let line = json::render(&collected, None, &to("s3://results", false)).unwrap();
    assert_eq!(line.find('\n'), Some(line.len() - 1));
    // One key a line is easier to read.
    insta::assert_snapshot!(line.replace(",\"", ",\n\"").replace("[{", "[\n{"));
}

#[test]
fn a_dry_run_lists_what_would_be_done() {
    let mut collected = whole();
    for artifact in &mut collected.ledger.artifacts {
        artifact.status = ArtifactStatus::Listed;
    }
    collected.ledger.artifacts[0].bytes = None;
    insta::assert_snapshot!(render(&collected, &to("s3://results", true)));
}

#[test]
fn what_the_lake_keeps_is_told() {
    let to = Places { lake: Some("s3://results/lake"), ..to("s3://results", false) };
    let kept = Kept {
        reports: 12,
        cases: 12_345,
        findings: 1,
        replaced: 1000,
        files: 1,
        bytes: 123_456,
        version: 7,
    };
    let text = table::render(&whole(), Some(kept), &to, Paint::default());
    let (_, end) = text.split_once("Kept in").unwrap();
    insta::assert_snapshot!(end, @r"
     s3://results/lake
      12,345 results of 12 reports, 1 finding, in place of 1,000 of an earlier time (123 kB)
    ");
    let alone = Places { to: None, ..to };
    assert!(!table::render(&whole(), Some(kept), &alone, Paint::default()).contains("Written"));
    let line: serde_json::Value =
        serde_json::from_str(&json::render(&whole(), Some(kept), &alone).unwrap()).unwrap();
    assert_eq!((&line["to"], &line["kept"]["cases"]), (&serde_json::Value::Null, &12_345.into()));
    assert_eq!(line["written"].as_array().unwrap().len(), 0);
}

#[test]
fn an_attempt_that_is_left_as_it_was_says_so() {
    let mut collected = whole();
    collected.written.clear();
    let text = render(&collected, &to("s3://results", false));
    assert!(
        text.ends_with("\n\nEvery artifact has expired: nothing of this attempt is written or removed\n"),
        "{text}"
    );
    assert!(!text.contains("Written to"), "{text}");
}

#[test]
fn nothing_of_a_report_drives_the_terminal() {
    let hostile = "\u{1b}[2J\u{7}\u{9b}\u{202e}";
    let mut collected = broken();
    let run = &mut collected.ledger.run;
    run.repo = Some(hostile.to_owned());
    run.run_id = hostile.to_owned();
    for artifact in &mut collected.ledger.artifacts {
        artifact.name = hostile.to_owned();
        artifact.source = hostile.to_owned();
        artifact.reason = Some(hostile.to_owned());
    }
    for source in &mut collected.ledger.sources {
        source.name = hostile.to_owned();
        source.error = Some(hostile.to_owned());
    }
    for finding in &mut collected.ledger.findings {
        finding.artifact = hostile.to_owned();
        finding.entry = Some(hostile.to_owned());
        finding.code = hostile.to_owned();
        finding.text = hostile.to_owned();
    }
    for suite in &mut collected.ledger.declared {
        suite.artifact = hostile.to_owned();
        suite.entry = hostile.to_owned();
        suite.suite = Some(hostile.to_owned());
    }
    for job in &mut collected.ledger.jobs_without_report {
        job.id = hostile.to_owned();
        job.name = hostile.to_owned();
    }
    for group in &mut collected.summary.failures {
        group.message = hostile.to_owned();
        group.first_lines = vec![format!("{hostile}{hostile}")];
        for case in &mut group.examples {
            *case = FailedCase {
                file: Some(hostile.to_owned()),
                class: Some(hostile.to_owned()),
                name: Some(hostile.to_owned()),
                job_id: None,
                artifact: hostile.to_owned(),
            };
        }
    }
    for object in &mut collected.written {
        object.key = hostile.to_owned();
    }
    for is_dry_run in [false, true] {
        let to = Places { lake: Some(hostile), ..to(hostile, is_dry_run) };
        let kept = (!is_dry_run).then(Kept::default);
        let table = table::render(&collected, kept, &to, Paint::default());
        let json = json::render(&collected, kept, &to).unwrap();
        assert_eq!(json.trim_end_matches('\n').find(is_unsafe), None, "{json}");
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read["to"], hostile);
        let driving = table.chars().find(|c| *c != '\n' && is_unsafe(*c));
        assert_eq!(driving, None, "{table}");
    }
}

#[test]
fn a_long_line_is_cut_and_says_so() {
    assert_eq!(line(&"x".repeat(160)), "x".repeat(160));
    assert_eq!(line(&"ö".repeat(161)), format!("{}…", "ö".repeat(160)));
    assert_eq!(line("\n\n  a\tb  \nc"), "  a    b");
}

#[test]
fn what_drives_a_terminal_is_escaped_and_the_rest_is_as_it_is() {
    assert!(matches!(for_terminal("test_größe[α-✓-🦀]"), Cow::Borrowed(_)));
    assert_eq!(for_terminal("a\u{1b}[2J\nb\tc\u{9b}"), r"a\u{1b}[2J\nb\tc\u{9b}");
    assert_eq!(for_terminal("user\u{202e}gpj.exe\u{200b}\u{2066}"), r"user\u{202e}gpj.exe\u{200b}\u{2066}");
    assert_eq!(for_terminal("a\u{2028}b\u{e0041}"), r"a\u{2028}b\u{e0041}");
}

#[test]
fn without_colours_there_is_no_escape_sequence() {
    assert_eq!(Paint::default().text(Tone::Bad, "x"), "x");
    assert_eq!(Paint { is_on: true }.text(Tone::Bad, "x"), "\u{1b}[31mx\u{1b}[0m");
}

#[test]
fn a_closed_pipe_is_success() {
    assert!(tolerate_closed_pipe(Err(io::ErrorKind::BrokenPipe.into())).is_ok());
    assert!(tolerate_closed_pipe(Err(io::ErrorKind::StorageFull.into())).is_err());
}
