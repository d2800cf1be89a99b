//! Takes a folder of artifacts into a lake, and says how long that took and how large it is before and after `optimize`.
//!
//! ```text
//! cargo run --release -p testlake-lake --example take_in -- FOLDER LAKE
//! ```

#![expect(clippy::print_stdout, reason = "what it says is what it is for")]

use std::error::Error;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use testlake_collect::bucket::StoreSettings;
use testlake_collect::limits::{ArchiveLimits, ReportLimits};
use testlake_collect::output;
use testlake_collect::pipeline::collect;
use testlake_collect::plan::{Cancel, CollectPlan, Full, Observer, Profile, RunRequest, Unobserved};
use testlake_collect::results::Results;
use testlake_collect::run::{AttemptChoice, RunFacts};
use testlake_collect::source::{Folder, Layout};
use testlake_lake::Lake;
use testlake_lake::ingest::LakeResults;
use testlake_lake::keep::OptimizeOptions;

fn plan(artifacts: &Path, out: &Path, results: Arc<LakeResults>) -> CollectPlan {
    CollectPlan {
        run: RunRequest {
            repo: Some("pytorch/pytorch".to_owned()),
            run_id: Some("9871234567".to_owned()),
            attempts: AttemptChoice::Number(1),
        },
        sources: vec![Arc::new(Folder::new(artifacts, Layout::default()))],
        destination: Arc::new(output::Folder::new(out)),
        profile: Profile::Pytorch,
        full: Full::Never,
        full_branch: "main".to_owned(),
        full_repository: None,
        facts: RunFacts::default(),
        redactor: None,
        job_names: None,
        jobs_source: None,
        artifact_glob: None,
        threads: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
        max_concurrency: NonZeroUsize::MIN.saturating_add(3),
        archive_limits: ArchiveLimits::default(),
        report_limits: ReportLimits::default(),
        require_complete: false,
        expect_jobs: None,
        dry_run: false,
        results: Some(results as Arc<dyn Results>),
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(Into::into).collect();
    let [artifacts, place] = paths.as_slice() else { return Err("usage: take_in FOLDER LAKE".into()) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let _entered = runtime.enter();
    let settings = StoreSettings::new(&|_| None);
    let lake = runtime.block_on(Lake::open_or_create(&place.display().to_string(), &settings))?;
    let results = Arc::new(LakeResults::new(&lake, Vec::new()));
    let out = tempfile::tempdir()?;
    let began = Instant::now();
    let plan = plan(artifacts, out.path(), Arc::clone(&results));
    let observer: Arc<dyn Observer> = Arc::new(Unobserved);
    let collected = collect(&plan, &observer, &Cancel::default())?;
    let read = began.elapsed();
    for collected in &collected {
        let Some(taken_in) = runtime.block_on(results.commit(collected))? else { continue };
        println!("{taken_in:?}; read in {read:?}, all in {:?}", began.elapsed());
        println!("{} bytes for {} cases", taken_in.bytes, taken_in.cases);
    }
    let began = Instant::now();
    let optimized = runtime.block_on(lake.optimize(&OptimizeOptions::default()))?;
    println!("{optimized:?} in {:?}", began.elapsed());
    Ok(())
}
