//! Sources that say what a test has them say.

use std::fs;
use std::sync::Arc;

use async_trait::async_trait;
use testlake_collect::ledger::{ArtifactStatus, Verdict};
use testlake_collect::pipeline;
use testlake_collect::plan::{Cancel, CollectError, CollectPlan, Full, Observer, Profile, Unobserved};
use testlake_collect::run::{AttemptChoice, RunFacts, RunKey};
use testlake_collect::source::{
    Content, Folder, JobNames, Layout, Listing, ListingState, Source, SourceError, SourceErrorKind,
};

use super::{Run, collect, tree, try_collect};

const ONE: &[u8] = br#"<testsuite tests="1"><testcase name="a"/></testsuite>"#;

/// A folder of which some artifacts have expired.
#[derive(Debug)]
struct Said {
    folder: Folder,
    expired: &'static [&'static str],
    attempts: &'static [u32],
    jobs: Option<SourceErrorKind>,
    facts: Option<SourceErrorKind>,
    away: Option<SourceErrorKind>,
    gone: &'static [(&'static str, SourceErrorKind)],
}

impl Said {
    fn of(run: &Run) -> Self {
        let folder = Folder::new(run.bucket(), Layout::default());
        Self { folder, expired: &[], attempts: &[], jobs: None, facts: None, away: None, gone: &[] }
    }
}

#[async_trait]
impl Source for Said {
    fn name(&self) -> &str {
        "said"
    }

    async fn attempts(&self, _run: &RunKey) -> Result<Vec<u32>, SourceError> {
        Ok(self.attempts.to_vec())
    }

    async fn list(&self, run: &RunKey) -> Result<Vec<Listing>, SourceError> {
        if let Some(kind) = self.away {
            return Err(SourceError::new(kind, "it is away"));
        }
        let mut all = self.folder.list(run).await?;
        for listing in all.iter_mut().filter(|listing| self.expired.contains(&listing.name.as_str())) {
            listing.state = ListingState::Expired;
        }
        Ok(all)
    }

    async fn fetch(
        &self,
        listing: &Listing,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Content, SourceError> {
        match self.gone.iter().find(|(name, _)| *name == listing.name) {
            Some((_, kind)) => Err(SourceError::new(*kind, "it is gone")),
            None => self.folder.fetch(listing, progress).await,
        }
    }

    async fn jobs(&self, _run: &RunKey) -> Result<Option<JobNames>, SourceError> {
        self.jobs.map_or(Ok(None), |kind| Err(SourceError::new(kind, "it does not say")))
    }

    async fn facts(&self, _run: &RunKey) -> Result<RunFacts, SourceError> {
        let head_repository = Some("pytorch/pytorch".to_owned());
        let facts = RunFacts { head_repository, ..RunFacts::default() };
        self.facts.map_or(Ok(facts), |kind| Err(SourceError::new(kind, "it does not say")))
    }
}

#[test]
fn a_run_of_which_nothing_is_there_replaces_nothing() {
    let run = Run::new();
    run.zip("test-reports-a_1.zip", [("x/1.xml", ONE)]);
    collect(&run.plan());
    let before = tree(&run.out());
    for attempts in [&[][..], &[2, 3]] {
        fs::remove_dir_all(run.artifacts()).unwrap();
        fs::create_dir_all(run.artifacts()).unwrap();
        let mut plan = run.plan();
        plan.sources = vec![Arc::new(Said { attempts, ..Said::of(&run) })];
        // names that the caller gives say nothing of what is there
        plan.job_names = Some(JobNames::from([("1".to_owned(), "linux / test (default, 1)".to_owned())]));
        for dry_run in [true, false] {
            plan.dry_run = dry_run;
            let ended = try_collect(&plan);
            assert!(matches!(ended, Err(CollectError::NothingOfRun { .. })), "{ended:?}");
            assert!(tree(&run.out()) == before);
        }
    }
    // a run that is there and left nothing has its ledger
    let mut plan = run.plan();
    plan.sources = vec![Arc::new(Said { attempts: &[1], ..Said::of(&run) })];
    assert_eq!(collect(&plan).ledger.verdict, Verdict::Empty);
    assert_eq!(run.lines("test_run"), "");
    // so has one whose artifacts are none that the profile wants
    run.zip("logs_1.zip", [("x/1.xml", ONE)]);
    plan.sources = vec![Arc::new(Said::of(&run))];
    assert_eq!(collect(&plan).ledger.verdict, Verdict::Empty);
}

#[test]
fn artifacts_that_have_all_expired_replace_nothing() {
    use SourceErrorKind::{Expired, Forbidden, NotFound, Unavailable};
    const A: &str = "test-reports-a_1.zip";
    const B: &str = "test-reports-b_2.zip";
    let run = Run::new();
    for name in [A, B, "logs_3.zip"] {
        run.zip(name, [("x/1.xml", ONE)]);
    }
    collect(&run.plan());
    let before = tree(&run.out());
    let ended = |sources: Vec<Said>, dry_run: bool| {
        let mut plan = run.plan();
        plan.sources = sources.into_iter().map(|source| Arc::new(source) as Arc<dyn Source>).collect();
        plan.dry_run = dry_run;
        let ended = try_collect(&plan);
        assert!(tree(&run.out()) == before, "{ended:?}");
        ended.unwrap_err()
    };
    let listed = || Said { expired: &[A, B], ..Said::of(&run) };
    // the list may not say so yet
    let fetched = || Said { gone: &[(A, Expired), (B, Expired)], ..Said::of(&run) };
    for error in [ended(vec![listed()], false), ended(vec![listed()], true), ended(vec![fetched()], false)] {
        assert!(matches!(error, CollectError::Expired { artifacts: 2, .. }), "{error:?}");
        let text = "all 2 artifacts of pytorch/pytorch run 9871234567 attempt 1 have expired; nothing is written or \
                    removed";
        assert_eq!(error.to_string(), text);
    }
    // another reason is told, and whether a later time may bring more
    let away = |kind| vec![listed(), Said { away: Some(kind), ..Said::of(&run) }];
    let failures = [
        (ended(vec![Said { expired: &[A], gone: &[(B, NotFound)], ..Said::of(&run) }], false), false),
        (ended(vec![Said { gone: &[(A, NotFound), (B, Unavailable)], ..Said::of(&run) }], false), true),
        (ended(away(Forbidden), false), false),
        (ended(away(Forbidden), true), false),
        (ended(away(Unavailable), false), true),
        (ended(away(Unavailable), true), true),
    ];
    for (error, may_pass) in failures {
        let CollectError::NoSource(failures) = &error else { panic!("{error:?}") };
        assert_eq!(failures.is_transient(), may_pass, "{error:?}");
        assert!(failures.failures.iter().any(|(_, error)| error.kind() != Expired), "{error:?}");
    }
    // what can be had is taken in
    let mut plan = run.plan();
    plan.sources = vec![Arc::new(Said { expired: &[A], ..Said::of(&run) })];
    assert_eq!(collect(&plan).ledger.verdict, Verdict::Partial);
}

#[test]
fn an_attempt_that_has_expired_does_not_hold_up_the_others() {
    const OLD: &str = "test-reports-old_1.zip";
    let run = Run::new();
    run.zip(OLD, [("x/1.xml", ONE)]);
    collect(&run.plan());
    let before = tree(&run.out());
    let second = run.artifacts().parent().unwrap().with_file_name("2").join("artifact");
    fs::create_dir_all(&second).unwrap();
    fs::copy(run.artifacts().join(OLD), second.join("test-reports-new_2.zip")).unwrap();
    let mut plan = run.plan();
    plan.run.attempts = AttemptChoice::All;
    plan.sources = vec![Arc::new(Said { expired: &[OLD], attempts: &[1, 2], ..Said::of(&run) })];
    let observer: Arc<dyn Observer> = Arc::new(Unobserved);
    let collect = |plan: &CollectPlan| pipeline::collect(plan, &observer, &Cancel::new());
    for dry_run in [true, false] {
        plan.dry_run = dry_run;
        let all = collect(&plan).unwrap();
        let told: Vec<_> = all.iter().map(|one| (one.ledger.verdict, one.written.len())).collect();
        assert_eq!(told, [(Verdict::Partial, 0), (Verdict::Complete, 7)]);
        assert_eq!(all[0].ledger.artifacts[0].status, ArtifactStatus::Expired);
    }
    let after = tree(&run.out());
    assert_eq!(after.len(), before.len() + 7);
    assert!(before.iter().all(|(path, bytes)| after[path] == *bytes));
    // where none is left there is nothing to do
    fs::rename(second.join("test-reports-new_2.zip"), second.join(OLD)).unwrap();
    let error = collect(&plan).unwrap_err();
    assert_eq!(
        error.to_string(),
        "all 2 artifacts of pytorch/pytorch run 9871234567 have expired; nothing is written or removed"
    );
    assert!(tree(&run.out()) == after);
}

#[test]
fn a_dry_run_says_what_the_run_would_as_far_as_it_is_known() {
    let run = Run::new();
    run.zip("test-reports-a_1.zip", [("x/1.xml", ONE)]);
    run.zip("test-reports-b_2.zip", [("x/1.xml", ONE)]);
    let (a, b) = ("test-reports-a_1.zip", "test-reports-b_2.zip");
    let said = [
        (Said::of(&run), Verdict::Complete),
        (Said { expired: &[], jobs: Some(SourceErrorKind::NotFound), ..Said::of(&run) }, Verdict::Partial),
        (Said { expired: &["test-reports-b_2.zip"], ..Said::of(&run) }, Verdict::Partial),
    ];
    for (source, verdict) in said {
        let expired = source.expired;
        let mut plan = run.plan();
        plan.sources = vec![Arc::new(source)];
        let real = collect(&plan).ledger;
        plan.dry_run = true;
        let dry = collect(&plan).ledger;
        assert_eq!((dry.verdict, real.verdict), (verdict, verdict), "{expired:?}");
        assert_eq!(dry.findings, real.findings);
        for (artifact, name) in dry.artifacts.iter().zip([a, b]) {
            let status =
                if expired.contains(&name) { ArtifactStatus::Expired } else { ArtifactStatus::Listed };
            assert_eq!((artifact.name.as_str(), artifact.status), (name, status));
            assert_eq!(artifact.reason.is_some(), status == ArtifactStatus::Expired);
        }
    }
}

#[test]
fn job_names_that_cannot_be_had_are_a_finding_where_collections_are_keyed_by_them() {
    let run = Run::new();
    run.zip("test-reports-a_1.zip", [("x/1.xml", ONE)]);
    for (profile, codes) in [(Profile::Pytorch, &["job-names-missing"][..]), (Profile::Plain, &[])] {
        let mut plan = run.plan();
        plan.profile = profile;
        plan.sources = vec![Arc::new(Said { jobs: Some(SourceErrorKind::Unavailable), ..Said::of(&run) })];
        let ledger = collect(&plan).ledger;
        assert_eq!(ledger.verdict, Verdict::Partial);
        let told: Vec<_> = ledger.findings.iter().map(|finding| finding.code.as_str()).collect();
        assert_eq!(told, codes);
    }
}

#[test]
fn a_head_that_cannot_be_had_is_told_and_costs_the_whole_verdict_only_where_it_decides() {
    let run = Run::new();
    run.zip("test-reports-a_1.zip", [("x/1.xml", ONE)]);
    let lost = || Arc::new(Said { facts: Some(SourceErrorKind::Forbidden), ..Said::of(&run) });
    let both = "the run's head branch and head repository could not be had (said: it does not say)";
    let repository = "the run's head repository could not be had (said: it does not say)";
    let free = "whether `test_run` is written does not hang on that";
    let auto = Full::Auto;
    let cases = [
        (
            auto,
            Profile::Pytorch,
            None,
            Verdict::Partial,
            format!(
                "{both}, so `--full auto` leaves out `test_run`; give `--head-branch` and `--head-repository`, or say with \
             `--full` whether it is written"
            ),
        ),
        (
            auto,
            Profile::Pytorch,
            Some("main"),
            Verdict::Partial,
            format!(
                "{repository}, so `--full auto` leaves out `test_run`; give `--head-repository`, or say with `--full` \
             whether it is written"
            ),
        ),
        (auto, Profile::Pytorch, Some("other"), Verdict::Complete, format!("{repository}; {free}")),
        (
            auto,
            Profile::Plain,
            None,
            Verdict::Complete,
            format!(
                "{both}, so `--full auto` writes `test_run` as for a run of one's own; where it is none, give \
             `--head-branch` and `--head-repository`, or `--full never`"
            ),
        ),
        (Full::Always, Profile::Pytorch, None, Verdict::Complete, format!("{both}; {free}")),
        (Full::Never, Profile::Plain, None, Verdict::Complete, format!("{both}; {free}")),
    ];
    for (full, profile, branch, verdict, text) in cases {
        let mut plan = run.plan();
        plan.full = full;
        plan.profile = profile;
        plan.facts.head_branch = branch.map(str::to_owned);
        plan.sources = vec![lost()];
        for dry_run in [true, false] {
            plan.dry_run = dry_run;
            let ledger = collect(&plan).ledger;
            let code = if verdict == Verdict::Partial { "run-facts-missing" } else { "run-facts-unknown" };
            let told: Vec<_> = ledger.findings.iter().map(|f| (f.code.as_str(), f.text.as_str())).collect();
            assert_eq!((told, ledger.verdict), (vec![(code, text.as_str())], verdict), "dry run: {dry_run}");
        }
        let is_written = full == Full::Always || (full, profile) == (auto, Profile::Plain);
        let object = run.out().join("test_run").join(run.id).join("1");
        assert_eq!(object.try_exists().unwrap(), is_written, "{text}");
    }
    // what another source knows is known
    let mut plan = run.plan();
    plan.full = auto;
    plan.facts.head_branch = Some("main".to_owned());
    plan.sources = vec![lost(), Arc::new(Said::of(&run))];
    let ledger = collect(&plan).ledger;
    assert_eq!((ledger.findings.len(), ledger.verdict), (0, Verdict::Complete));
    assert_ne!(run.lines("test_run"), "");
}

#[test]
fn what_this_run_does_not_write_does_not_stay_from_an_earlier_one() {
    let run = Run::new();
    run.zip("test-reports-a_1.zip", [("x/1.xml", ONE)]);
    let names = |run: &Run| -> Vec<_> {
        tree(&run.out()).into_keys().map(|path| path.display().to_string()).collect()
    };
    let others = run.out().join("test_run").join(run.id).join("2");
    let mut plan = run.plan();
    collect(&plan);
    fs::write(&others, "another attempt's").unwrap();
    assert_eq!(names(&run).len(), 8);
    plan.full = Full::Never;
    collect(&plan);
    assert_eq!(names(&run).len(), 7);
    assert!(!run.out().join("test_run").join(run.id).join("1").try_exists().unwrap());
    plan.profile = Profile::Plain;
    collect(&plan);
    assert!(others.try_exists().unwrap());
    let expected = ["failed_test_runs", "ledger", "test_run", "test_run_summary"];
    let left: Vec<_> = names(&run).iter().map(|name| name.split('/').next().unwrap().to_owned()).collect();
    assert_eq!(left, expected);
}
