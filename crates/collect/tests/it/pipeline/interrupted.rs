//! Ended early, by a signal or by a place that fails: nothing half is left, and nobody works on for nothing.

use std::fmt::Write as _;
use std::fs;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use testlake_collect::output::{self, Destination, ObjectKind, ObjectWriter, OutputError};
use testlake_collect::pipeline;
use testlake_collect::plan::{Cancel, CollectError, Observer, Unobserved};
use testlake_collect::run::{RunFacts, RunKey};
use testlake_collect::source::{Content, Folder, JobNames, Layout, Listing, Source, SourceError};

use super::{Run, collect, tree};

/// Decides before each step of an object, as `commit test_run`, whether it fails.
type Hook = Box<dyn Fn(&str) -> Result<(), OutputError> + Send + Sync>;

/// A folder that writes down what is done with it.
struct Watched {
    folder: output::Folder,
    watch: Arc<Watch>,
}

struct Watch {
    hook: Hook,
    steps: Mutex<Vec<String>>,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.steps.fmt(f)
    }
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.watch.fmt(f)
    }
}

impl Watch {
    fn new(hook: Hook) -> Arc<Self> {
        Arc::new(Self { hook, steps: Mutex::default() })
    }

    fn step(&self, what: &str, key: &str) -> Result<(), OutputError> {
        let collection = key.rsplitn(3, '/').last().unwrap();
        let step = format!("{what} {collection}");
        self.steps.lock().unwrap().push(step.clone());
        (self.hook)(&step)
    }

    /// Returns the steps of a kind, in order.
    fn steps(&self, what: &str) -> Vec<String> {
        let steps = self.steps.lock().unwrap();
        steps
            .iter()
            .filter_map(|step| step.strip_prefix(what)?.strip_prefix(' ').map(str::to_owned))
            .collect()
    }
}

#[async_trait]
impl Destination for Watched {
    fn name(&self) -> &str {
        self.folder.name()
    }

    async fn check(&self) -> Result<(), OutputError> {
        self.folder.check().await
    }

    async fn create(&self, key: &str, kind: ObjectKind) -> Result<Box<dyn ObjectWriter>, OutputError> {
        self.watch.step("create", key)?;
        let writer = Some(self.folder.create(key, kind).await?);
        Ok(Box::new(Object { writer, key: key.to_owned(), watch: Arc::clone(&self.watch) }))
    }

    async fn remove(&self, key: &str) -> Result<(), OutputError> {
        self.watch.step("remove", key)?;
        self.folder.remove(key).await
    }
}

#[derive(Debug)]
struct Object {
    writer: Option<Box<dyn ObjectWriter>>,
    key: String,
    watch: Arc<Watch>,
}

#[async_trait]
impl ObjectWriter for Object {
    async fn write(&mut self, bytes: Bytes) -> Result<(), OutputError> {
        self.watch.step("write", &self.key)?;
        self.writer.as_mut().unwrap().write(bytes).await
    }

    async fn commit(mut self: Box<Self>) -> Result<(), OutputError> {
        let writer = self.writer.take().unwrap();
        self.watch.step("commit", &self.key)?;
        writer.commit().await
    }

    async fn abort(mut self: Box<Self>) {
        self.watch.step("abort", &self.key).unwrap();
        self.writer.take().unwrap().abort().await;
    }
}

const CASES: &str = r#"<testsuite><testcase name="a"/><testcase name="a"/></testsuite>"#;

/// A small run, collected to a place that is watched.
fn watched(run: &Run, hook: Hook, cancel: &Cancel) -> (Result<(), CollectError>, Arc<Watch>) {
    let watch = Watch::new(hook);
    let mut plan = run.plan();
    plan.destination =
        Arc::new(Watched { folder: output::Folder::new(run.out()), watch: Arc::clone(&watch) });
    let observer: Arc<dyn Observer> = Arc::new(Unobserved);
    (pipeline::collect(&plan, &observer, cancel).map(drop), watch)
}

fn refused() -> OutputError {
    OutputError::Refused { place: "there".to_owned(), source: "it is on fire".into() }
}

#[test]
fn whatever_step_fails_every_object_that_was_begun_is_given_up() {
    let run = Run::new();
    run.zip("test-reports-a_1.zip", [("x/test_a/1.xml", CASES)]);
    let (ended, watch) = watched(&run, Box::new(|_| Ok(())), &Cancel::new());
    ended.unwrap();
    let all = watch.steps.lock().unwrap().clone();
    assert!(all.len() > 20, "{all:?}");
    for (number, failing) in all.iter().enumerate() {
        let (run, count) = (Run::new(), AtomicU64::new(0));
        run.zip("test-reports-a_1.zip", [("x/test_a/1.xml", CASES)]);
        let hook = move |_: &str| match count.fetch_add(1, Ordering::Relaxed) == number as u64 {
            true => Err(refused()),
            false => Ok(()),
        };
        let (ended, watch) = watched(&run, Box::new(hook), &Cancel::new());
        assert!(matches!(ended, Err(CollectError::Output(_))), "{failing}: {ended:?}");
        let mut begun = watch.steps("create");
        if failing.starts_with("create") {
            begun.pop();
        }
        let mut ended = [watch.steps("commit"), watch.steps("abort")].concat();
        begun.sort();
        ended.sort();
        assert_eq!(begun, ended, "{failing}");
        let left = tree(&run.out());
        assert!(left.keys().all(|path| !path.ends_with(".1.partial")), "{failing}: {:?}", left.keys());
    }
}

/// Asks to end at the first cases, and counts all.
#[derive(Debug, Default)]
struct EndsEarly {
    cancel: Cancel,
    cases: AtomicU64,
}

impl Observer for EndsEarly {
    fn artifacts_known(&self, _count: u64, _bytes: Option<u64>) {}
    fn bytes_fetched(&self, _count: u64) {}
    fn artifact_done(&self) {}
    fn cases(&self, count: u64) {
        self.cases.fetch_add(count, Ordering::Relaxed);
        self.cancel.cancel();
    }
}

/// A report of many cases.
fn long_report(cases: usize) -> String {
    let mut xml = String::from("<testsuite>");
    for number in 0..cases {
        write!(xml, r#"<testcase name="{number}"/>"#).unwrap();
    }
    xml + "</testsuite>"
}

#[test]
fn a_signal_is_heard_within_one_large_report() {
    let run = Run::new();
    run.zip("test-reports-a_1.zip", [("x/test_a/1.xml", long_report(400_000))]);
    for threads in [1, 2] {
        let mut plan = run.plan();
        plan.threads = NonZeroUsize::new(threads).unwrap();
        let ends = Arc::new(EndsEarly::default());
        let observer: Arc<dyn Observer> = Arc::clone(&ends) as _;
        let ended = pipeline::collect(&plan, &observer, &ends.cancel);
        assert!(matches!(ended, Err(CollectError::Cancelled)), "{ended:?}");
        let cases = ends.cases.load(Ordering::Relaxed);
        assert!(cases < 100_000, "{cases} cases were read on {threads} threads");
        let left = tree(&run.out());
        assert!(left.is_empty(), "{:?}", left.keys());
    }
}

/// Asks to end when an artifact is fetched for the second time.
#[derive(Debug)]
struct EndsAtSecondFetch(Folder, Cancel, Mutex<Vec<String>>);

#[async_trait]
impl Source for EndsAtSecondFetch {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn attempts(&self, run: &RunKey) -> Result<Vec<u32>, SourceError> {
        self.0.attempts(run).await
    }

    /// So that nothing is kept for a second reading.
    fn is_local(&self) -> bool {
        true
    }

    async fn list(&self, run: &RunKey) -> Result<Vec<Listing>, SourceError> {
        self.0.list(run).await
    }

    async fn fetch(
        &self,
        listing: &Listing,
        progress: &(dyn Fn(u64) + Send + Sync),
    ) -> Result<Content, SourceError> {
        let is_second = {
            let mut fetched = self.2.lock().unwrap();
            fetched.push(listing.name.clone());
            fetched.iter().filter(|name| **name == listing.name).count() > 1
        };
        if is_second {
            self.1.cancel();
        }
        self.0.fetch(listing, progress).await
    }

    async fn jobs(&self, _run: &RunKey) -> Result<Option<JobNames>, SourceError> {
        Ok(None)
    }

    async fn facts(&self, _run: &RunKey) -> Result<RunFacts, SourceError> {
        Ok(RunFacts::default())
    }
}

#[test]
fn a_signal_is_heard_within_the_second_reading() {
    let run = Run::new();
    for artifact in ["test-reports-a_1.zip", "test-reports-b_2.zip", "test-reports-c_3.zip"] {
        run.zip(artifact, [("x/test_a/1.xml", r#"<testsuite><testcase name="a"/></testsuite>"#)]);
    }
    let cancel = Cancel::new();
    let source = Folder::new(run.bucket(), Layout::default());
    let source = Arc::new(EndsAtSecondFetch(source, cancel.clone(), Mutex::default()));
    let mut plan = run.plan();
    plan.sources = vec![Arc::clone(&source) as _];
    let observer: Arc<dyn Observer> = Arc::new(Unobserved);
    let ended = pipeline::collect(&plan, &observer, &cancel);
    assert!(matches!(ended, Err(CollectError::Cancelled)), "{ended:?}");
    assert_eq!(source.2.lock().unwrap().len(), 4, "{:?}", source.2);
    assert!(tree(&run.out()).is_empty());
}

#[test]
fn a_signal_before_the_ledger_is_removed_leaves_the_earlier_run_as_it_was() {
    let run = Run::new();
    run.zip("test-reports-a_1.zip", [("x/test_a/1.xml", CASES)]);
    collect(&run.plan());
    let before = tree(&run.out());
    fs::remove_file(run.artifacts().join("test-reports-a_1.zip")).unwrap();
    run.zip("test-reports-b_2.zip", [("x/test_b/1.xml", CASES)]);
    // the last object that is begun, and the last bytes before the ledger goes
    for (at, created) in [("create test_run_summary", 3), ("write test_run", 3)] {
        let (cancel, at) = (Cancel::new(), at.to_owned());
        let asked = cancel.clone();
        let hook = move |step: &str| {
            if step == at {
                asked.cancel();
            }
            Ok(())
        };
        let (ended, watch) = watched(&run, Box::new(hook), &cancel);
        assert!(matches!(ended, Err(CollectError::Cancelled)), "{ended:?}");
        assert!(watch.steps("create").len() <= created, "{watch:?}");
        assert_eq!((watch.steps("remove"), watch.steps("commit")), (Vec::new(), Vec::new()));
        assert!(tree(&run.out()) == before);
    }
    // once the ledger is away, a whole run is there soonest if it goes on
    let cancel = Cancel::new();
    let asked = cancel.clone();
    let hook = move |step: &str| {
        if step == "remove ledger" {
            asked.cancel();
        }
        Ok(())
    };
    let (ended, _) = watched(&run, Box::new(hook), &cancel);
    ended.unwrap();
    assert!(run.lines("test_run").contains(r#""job_id": 2"#));
}
