//! Typed results, told while a run is read.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use serde_json::Value;
use testlake_collect::ledger::{Ledger, ResultCounts, Verdict};
use testlake_collect::plan::{CollectPlan, Profile};
use testlake_collect::results::{ReportOf, ReportResults, Results};
use testlake_collect::run::{RunFacts, RunKey};
use testlake_collect::source::{
    Content, Folder, JobNames, Layout, Listing, Paths, Source, SourceError, SourceErrorKind,
};
use testlake_report::{Case, Finding, Outcome};
use testlake_testkit::run::{MadeRun, RUN_ID, RunShape};
use testlake_testkit::zip::{Member, ZipBuilder};

use super::{Run, collect, lines, plan, read_jobs, tree};

/// What was told of one report: whose it is, its cases by name and outcome, its findings.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Heard {
    of: [Option<String>; 3],
    cases: Vec<(String, Outcome)>,
    texts: Vec<String>,
    findings: Vec<(&'static str, String)>,
}

/// Keeps all that ended, by artifact and path.
#[derive(Debug, Default)]
struct Kept {
    reports: Mutex<BTreeMap<(String, String), Heard>>,
    /// A case at which it breaks.
    breaks_at: Option<&'static str>,
}

struct Hearing<'kept> {
    kept: &'kept Kept,
    place: (String, String),
    heard: Heard,
}

impl Results for Kept {
    fn report(&self, report: ReportOf<'_>) -> Box<dyn ReportResults + '_> {
        let of = [report.job, report.job_name, report.variant].map(|text| text.map(str::to_owned));
        let heard = Heard { of, ..Heard::default() };
        let place = (report.artifact.to_owned(), report.path.to_owned());
        Box::new(Hearing { kept: self, place, heard })
    }
}

impl ReportResults for Hearing<'_> {
    fn case(&mut self, case: &Case<'_>) {
        let name = case.name.as_deref().unwrap_or_default();
        assert_ne!(Some(name), self.kept.breaks_at);
        self.heard.cases.push((name.to_owned(), case.outcome));
        let texts = [&case.detail.message, &case.detail.text];
        self.heard.texts.extend(texts.into_iter().flatten().map(|text| text.clone().into_owned()));
    }

    fn finding(&mut self, finding: Finding, text: &str) {
        self.heard.findings.push((finding.code.as_str(), text.to_owned()));
    }

    fn end(self: Box<Self>) {
        let Self { kept, place, heard } = *self;
        assert!(kept.reports.lock().unwrap().insert(place, heard).is_none());
    }
}

/// Collects with results told; returns them and the ledger.
fn told(plan: &mut CollectPlan, kept: Kept) -> (BTreeMap<(String, String), Heard>, Ledger) {
    let kept = Arc::new(kept);
    plan.results = Some(Arc::clone(&kept) as Arc<dyn Results>);
    let ledger = collect(plan).ledger;
    plan.results = None;
    let reports = std::mem::take(&mut *kept.reports.lock().unwrap());
    (reports, ledger)
}

fn told_of(run: &Run, profile: Profile) -> (BTreeMap<String, Heard>, Ledger) {
    let mut plan = run.plan();
    plan.profile = profile;
    let (reports, ledger) = told(&mut plan, Kept::default());
    (reports.into_iter().map(|((_, path), heard)| (path, heard)).collect(), ledger)
}

fn outcomes<'heard>(reports: impl IntoIterator<Item = &'heard Heard>) -> [u64; 4] {
    let mut counts = [0; 4];
    for (_, outcome) in reports.into_iter().flat_map(|heard| &heard.cases) {
        counts[Outcome::ALL.iter().position(|one| one == outcome).unwrap()] += 1;
    }
    counts
}

/// Counts the documents of `test_run` by outcome.
fn documents(lines: &[u8]) -> [u64; 4] {
    let mut counts = [0; 4];
    for line in lines.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let document: Value = serde_json::from_slice(line).unwrap();
        let has = |key| document.get(key).is_some();
        let place = ["failure", "error", "skipped"].iter().position(|key| has(*key)).map_or(0, |at| at + 1);
        counts[place] += 1;
    }
    counts
}

fn counted(results: &ResultCounts) -> [u64; 4] {
    [results.passed, results.failed, results.errored, results.skipped]
}

#[test]
fn a_made_run_is_told_as_its_documents_and_its_ledger_count_it() {
    let made = MadeRun::make(RunShape { cases: 6_000, jobs: 15, files: 60, suite: 2, seed: 7 }).unwrap();
    let (with, without) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let mut silent = plan(made.bucket(), RUN_ID, without.path());
    silent.job_names = Some(read_jobs(&made.jobs_file()));
    collect(&silent);
    let mut first = None;
    for threads in [1, 3] {
        let mut plan = plan(made.bucket(), RUN_ID, with.path());
        plan.job_names = silent.job_names.clone();
        plan.threads = std::num::NonZeroUsize::new(threads).unwrap();
        let (reports, ledger) = told(&mut plan, Kept::default());
        let (results, cases) = (ledger.results.unwrap(), ledger.cases);
        let by_outcome = outcomes(reports.values());
        assert_eq!(by_outcome, documents(&lines(with.path(), "test_run", RUN_ID)));
        assert_eq!(by_outcome, [cases.passed, cases.failed, cases.errored, cases.skipped]);
        assert_eq!(by_outcome, counted(&results));
        assert_eq!((results.total, results.reports), (cases.total, ledger.reports.found));
        assert_eq!(results.reports, reports.len() as u64);
        assert!(by_outcome.iter().all(|count| *count > 0), "{by_outcome:?}");
        for ((artifact, _), heard) in &reports {
            let [job, name, variant] = &heard.of;
            let (job, name) = (job.as_deref().unwrap(), name.as_deref().unwrap());
            assert!(artifact.contains(&format!("_{job}.")), "{artifact} {job}");
            let (build, _) = name.split_once(" / ").unwrap();
            assert!(variant.as_deref().unwrap().starts_with(&format!("{build} / ")), "{variant:?}");
        }
        assert!(reports == *first.get_or_insert_with(|| reports.clone()));
    }
    // what is asked for beside them changes nothing of the collections
    let collections = |out| {
        let mut all = tree(out);
        all.retain(|path, _| !path.starts_with("ledger"));
        all
    };
    assert!(collections(with.path()) == collections(without.path()));
}

#[test]
fn a_report_that_lies_twice_in_an_artifact_is_told_as_the_collections_take_it() {
    let run = Run::new();
    let report = |name: &str| format!("<testsuite><testcase name='{name}'/></testsuite>").into_bytes();
    let members = [("x/1.xml", report("a")), ("x/1.xml", report("b")), ("y/1.xml", report("b"))];
    run.zip("test-reports-a_1.zip", members);
    let (reports, ledger) = told_of(&run, Profile::Pytorch);
    let names = |path: &str| reports[path].cases.iter().map(|case| case.0.clone()).collect::<Vec<_>>();
    assert_eq!((names("x/1.xml"), names("y/1.xml")), (vec!["b".to_owned()], vec!["b".to_owned()]));
    assert_eq!((ledger.results.unwrap().total, ledger.cases.total), (2, 2));
}

const TRX: &[u8] = br#"<TestRun xmlns="http://microsoft.com/schemas/VisualStudio/TeamTest/2010"><Results>
<UnitTestResult testName="t1" outcome="Passed"/><UnitTestResult testName="t2" outcome="Failed"/>
</Results></TestRun>"#;
const TAP: &[u8] = b"TAP version 13\n1..2\nok 1 - one\nnot ok 2 - two\n";
const JUNIT: &[u8] = br#"<testsuite><testcase name="j"/></testsuite>"#;

#[test]
fn reports_of_every_format_are_told_whatever_their_names() {
    let run = Run::new();
    let mut binary = vec![0; 300 << 10];
    binary[..4].copy_from_slice(b"\x7fELF");
    run.zip(
        "test-reports-a_1.zip",
        [
            ("a/r.trx", TRX),
            ("b/results", TAP),
            ("c/output.txt", JUNIT),
            ("d/r.xml", TRX),
            ("e/build.log", b"all is well\n"),
            ("f/program", &binary),
            ("g/shot.png", TAP),
            ("h/pom.xml", b"<project/>"),
            ("i/empty", b""),
            ("j/package.json", b"{}"),
        ],
    );
    for profile in [Profile::Pytorch, Profile::Plain] {
        let (reports, ledger) = told_of(&run, profile);
        assert_eq!(reports.keys().collect::<Vec<_>>(), ["a/r.trx", "b/results", "c/output.txt", "d/r.xml"]);
        assert_eq!(outcomes(reports.values()), [4, 3, 0, 0]);
        assert_eq!(reports["b/results"].of[0].as_deref(), Some("1"));
        // they are told, and make no documents
        assert_eq!((ledger.verdict, ledger.cases.total), (Verdict::Complete, 0));
        assert_eq!((ledger.results.unwrap().total, ledger.reports.read), (7, 4));
        let mut told: Vec<_> =
            ledger.findings.iter().map(|one| (one.entry.as_deref().unwrap(), one.code.as_str())).collect();
        told.sort_unstable();
        let named = [("j/package.json", "other-format")];
        let expected = [
            ("a/r.trx", "other-format"),
            ("b/results", "other-format"),
            ("c/output.txt", "other-format"),
            ("d/r.xml", "other-format"),
            ("h/pom.xml", "not-a-report"),
        ];
        let named = if profile == Profile::Plain { &named[..] } else { &[] };
        assert_eq!(told, [&expected[..], named].concat());
    }
}

#[test]
fn of_a_broken_report_what_is_whole_is_told_and_the_verdict_says_so() {
    let run = Run::new();
    let cut = br#"<testsuite><testcase name="a"/><testcase name="b"><failure message="m"#;
    let cut_trx = &TRX[..TRX.len() - 40];
    let long: String = (0..2_000).map(|i| format!("<testcase name='{i}'/>")).collect();
    let long = format!("<testsuite>{long}</testsuite>");
    let members = [
        Member::deflated("x/1.xml", cut),
        Member::deflated("x/2.xml", b""),
        Member::deflated("x/3.trx", cut_trx),
        Member::deflated("x/4.xml", long.as_bytes()).damaged(|bytes| {
            let half = bytes.len() / 2;
            bytes[half..].fill(0xff);
        }),
        Member::deflated("x/5.xml", JUNIT),
    ];
    run.put("test-reports-a_1.zip", &ZipBuilder::new().members(members).build().bytes);
    let (reports, ledger) = told_of(&run, Profile::Pytorch);
    let codes = |path: &str| reports[path].findings.iter().map(|told| told.0).collect::<Vec<_>>();
    assert_eq!(reports["x/1.xml"].cases, [("a".to_owned(), Outcome::Passed)]);
    assert_eq!(codes("x/1.xml"), ["cut-case", "cut-tag"]);
    assert!(reports["x/1.xml"].findings[1].1.contains("inside a tag"));
    assert_eq!(codes("x/2.xml"), ["empty-report"]);
    assert_eq!(reports["x/3.trx"].cases.len(), 1);
    assert!(codes("x/3.trx").contains(&"cut-tag"));
    let whole = reports["x/4.xml"].cases.len() as u64;
    assert!((1..2_000).contains(&whole), "{whole}");
    assert_eq!(ledger.verdict, Verdict::Partial);
    assert_eq!(ledger.results.unwrap().total, 3 + whole);
    assert_eq!((ledger.reports.read, ledger.reports.salvaged, ledger.reports.rejected), (1, 3, 1));
}

#[test]
fn a_report_at_which_the_hearer_breaks_is_no_report_that_counts() {
    let run = Run::new();
    run.zip("test-reports-a_1.zip", [("x/1.xml", JUNIT), ("x/2.tap", TAP), ("y/3.tap", TAP)]);
    let mut plan = run.plan();
    let (reports, ledger) = told(&mut plan, Kept { breaks_at: Some("j"), ..Kept::default() });
    let paths: Vec<_> = reports.keys().map(|(_, path)| path.as_str()).collect();
    assert_eq!(paths, ["x/2.tap", "y/3.tap"]);
    assert_eq!((ledger.verdict, ledger.reports.rejected), (Verdict::Partial, 1));
    assert!(ledger.findings.iter().any(|finding| finding.code == "internal"), "{:?}", ledger.findings);
}

#[test]
fn a_report_beyond_memory_is_told_while_it_streams() {
    let run = Run::new();
    let filler = "x".repeat(64 << 10);
    let case = |i: u32| format!("<testcase name='{i}'><system-out>{filler}</system-out></testcase>");
    let cases: String = (0..530).map(case).collect();
    run.zip(
        "test-reports-a_1.zip",
        [
            ("x/1.xml", format!("<testsuite>{cases}</testsuite>")),
            // documents end at the break, results do not
            ("x/2.xml", format!("<testsuite><testcase name='a'/></b>{cases}</testsuite>")),
            ("x/3.tap", format!("TAP version 13\n1..1\nok 1\n{}", format!("# {filler}\n").repeat(530))),
            ("x/4.log", format!("{filler}\n").repeat(530)),
        ],
    );
    let (reports, ledger) = told_of(&run, Profile::Pytorch);
    let counts: Vec<_> = reports.iter().map(|(path, heard)| (path.as_str(), heard.cases.len())).collect();
    assert_eq!(counts, [("x/1.xml", 530), ("x/2.xml", 531), ("x/3.tap", 1)]);
    assert_eq!((ledger.cases.total, ledger.results.unwrap().total), (531, 1062));
}

#[test]
fn where_nobody_asks_the_ledger_tells_of_no_results() {
    let run = Run::new();
    run.zip("test-reports-a_1.zip", [("x/1.xml", JUNIT), ("x/2.tap", TAP)]);
    let ledger = collect(&run.plan()).ledger;
    assert_eq!(ledger.results, None);
    assert!(!serde_json::to_string(&ledger).unwrap().contains("results"));
    assert_eq!((ledger.reports.found, ledger.findings.len()), (1, 0));
}

/// A folder that also knows the run, or fails to.
#[derive(Debug)]
struct Knowing {
    folder: Folder,
    facts: Option<RunFacts>,
    ancestry: Option<RunFacts>,
    /// How often it lists each artifact.
    lists: usize,
}

#[async_trait]
impl Source for Knowing {
    fn name(&self) -> &str {
        "knowing"
    }

    async fn attempts(&self, _run: &RunKey) -> Result<Vec<u32>, SourceError> {
        Ok(vec![1])
    }

    async fn list(&self, run: &RunKey) -> Result<Vec<Listing>, SourceError> {
        let listings = self.folder.list(run).await?;
        Ok(listings.into_iter().flat_map(|listing| std::iter::repeat_n(listing, self.lists)).collect())
    }

    async fn fetch(
        &self,
        listing: &Listing,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Content, SourceError> {
        self.folder.fetch(listing, progress).await
    }

    async fn jobs(&self, _run: &RunKey) -> Result<Option<JobNames>, SourceError> {
        Ok(None)
    }

    async fn facts(&self, _run: &RunKey) -> Result<RunFacts, SourceError> {
        self.facts.clone().ok_or_else(|| SourceError::new(SourceErrorKind::Forbidden, "it does not say"))
    }

    async fn ancestry(&self, _run: &RunKey, known: &RunFacts) -> Result<RunFacts, SourceError> {
        assert!(known.head_commit.is_some());
        self.ancestry.clone().ok_or_else(|| SourceError::new(SourceErrorKind::Forbidden, "it does not say"))
    }
}

#[test]
fn what_is_known_of_a_run_is_asked_for_where_results_are_told_and_stops_nothing() {
    let run = Run::new();
    run.zip("test-reports-a_1.zip", [("x/1.xml", JUNIT)]);
    let text = |text: &str| Some(text.to_owned());
    let said = RunFacts {
        head_commit: text("c0ffee1"),
        head_branch: text("b"),
        event: text("push"),
        ..RunFacts::default()
    };
    let base = RunFacts { merge_base: text("ba5e123"), ..RunFacts::default() };
    let flags = RunFacts { head_commit: text("beef123"), ..RunFacts::default() };
    for (facts, ancestry, commit, merge_base) in [
        (Some(&said), Some(&base), Some("beef123"), Some("ba5e123")),
        (Some(&said), None, Some("beef123"), None),
        (None, Some(&base), Some("beef123"), None),
    ] {
        let mut plan = run.plan();
        let folder = Folder::new(run.bucket(), Layout::default());
        plan.sources =
            vec![Arc::new(Knowing { folder, facts: facts.cloned(), ancestry: ancestry.cloned(), lists: 1 })];
        plan.facts = flags.clone();
        plan.results = Some(Arc::new(Kept::default()));
        let collected = collect(&plan);
        assert_eq!(collected.facts.head_commit.as_deref(), commit);
        assert_eq!(collected.facts.merge_base.as_deref(), merge_base);
        assert_eq!(collected.facts.event.is_some(), facts.is_some());
        assert_eq!(collected.ledger.cases.total, 1);
        // who asks for no results asks for no more than the collections hang on
        plan.results = None;
        assert_eq!(collect(&plan).facts.merge_base, None);
    }
}

#[test]
fn secrets_are_masked_before_they_are_told_and_the_ledger_counts_them() {
    let run = Run::new();
    // put together here so that none stands in the source
    let token = format!("gl{}-{}", "pat", "a1B2c3D4e5".repeat(2));
    let junit = format!(
        "<testsuite><testcase name='a'><failure message='{token}'>x {token} TKT-1</failure></testcase>\
         <testcase name='b[{token}]'/><testcase name='b[{token}]'/></testsuite>"
    );
    run.zip("test-reports-a_1.zip", [("x/1.xml", junit.as_bytes()), ("y/2.xml", JUNIT)]);
    let mut plan = run.plan();
    let own = testlake_collect::redact::OwnPattern::parse("ticket=TKT-[0-9]+").unwrap();
    plan.redactor = Some(Arc::new(testlake_collect::redact::Redactor::new(vec![own]).unwrap()));
    let (reports, ledger) = told(&mut plan, Kept::default());
    let place = |path: &str| ("test-reports-a_1.zip".to_owned(), path.to_owned());
    let heard = &reports[&place("x/1.xml")];
    let masked = "[redacted: gitlab-token]";
    assert_eq!(heard.texts, [masked.to_owned(), format!("x {masked} [redacted: ticket]")]);
    assert_eq!(heard.findings.iter().filter(|told| told.0 == "secret-in-name").count(), 1);
    assert_eq!(heard.cases[1].0, format!("b[{token}]"));
    let counts = ledger.redacted.unwrap();
    assert_eq!(
        counts.into_iter().collect::<Vec<_>>(),
        [("gitlab-token".to_owned(), 2), ("ticket".to_owned(), 1)]
    );
    let told_of: Vec<_> =
        ledger.findings.iter().map(|one| (one.code.as_str(), one.entry.as_deref())).collect();
    assert_eq!(told_of, [("secret-in-name", Some("x/1.xml"))]);
    assert_eq!(ledger.verdict, Verdict::Complete);
    // the collections are as they were
    assert!(run.lines("test_run").contains(&token));

    plan.redactor = None;
    let (reports, ledger) = told(&mut plan, Kept::default());
    assert_eq!(reports[&place("x/1.xml")].texts[0], token);
    assert_eq!((ledger.redacted, ledger.findings.len()), (None, 0));
}

#[test]
fn two_artifacts_of_one_name_are_told_apart() {
    let run = Run::new();
    run.zip("test-reports-a_1.zip", [("x/1.xml", JUNIT)]);
    let mut plan = run.plan();
    let folder = Folder::new(run.bucket(), Layout::default());
    plan.sources = vec![Arc::new(Knowing { folder, facts: None, ancestry: None, lists: 3 })];
    let (reports, ledger) = told(&mut plan, Kept::default());
    let names: Vec<_> = reports.keys().map(|(artifact, _)| artifact.as_str()).collect();
    assert_eq!(names, ["test-reports-a_1.zip", "test-reports-a_1.zip#2", "test-reports-a_1.zip#3"]);
    assert_eq!((ledger.cases.total, ledger.results.unwrap().total), (3, 3));
}

/// A tree of the corpus of the reports' own tests: what is told is what the ledger counts, and of reports that make documents as
/// many cases as there are documents.
#[test]
fn reports_of_every_dialect_are_told_as_they_are_counted() {
    let fixtures = concat!(env!("CARGO_MANIFEST_DIR"), "/../report/tests/fixtures");
    let out = tempfile::tempdir().unwrap();
    let mut plan = plan(out.path(), RUN_ID, out.path());
    plan.profile = Profile::Plain;
    plan.run.run_id = None;
    plan.sources = vec![Arc::new(Paths::new(vec![fixtures.to_owned()]).with_texts())];
    let (reports, ledger) = told(&mut plan, Kept::default());
    let results = ledger.results.unwrap();
    assert_eq!(outcomes(reports.values()), counted(&results));
    assert_eq!(results.reports, reports.len() as u64);
    // some forty formats
    let formats: std::collections::BTreeSet<_> = reports.keys().map(|(artifact, _)| artifact).collect();
    assert!(formats.len() > 35, "{formats:?}");
    assert!(results.total > ledger.cases.total && ledger.cases.total > 0);
    assert_eq!(ledger.results.unwrap().total, outcomes(reports.values()).iter().sum::<u64>());
}
