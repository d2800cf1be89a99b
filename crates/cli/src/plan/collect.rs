//! The plan of `testlake collect`.

use std::num::{NonZeroU64, NonZeroUsize};

use testlake_collect::ci_env::CiRun;
use testlake_collect::plan::{Full, Profile, RunRequest};
use testlake_collect::redact::OwnPattern;
use testlake_collect::run::RunFacts;
use testlake_collect::source::SourceSpec;

use super::asked::Asked;
use super::history::PastRuns;
use super::{Collecting, Common, PYTORCH, destination, lake, pick_switch};
use crate::args::{CollectArgs, CollectLakeArgs, FactArgs, FullWord, ProfileWord, RedactArgs, switch};
use crate::config::{Layers, table};
use crate::exit::{Exit, Failure, OrExit};

/// What `testlake collect` does.
#[derive(Debug)]
pub(crate) enum Collect {
    /// It takes in one run.
    Run(Box<Collecting>),
    /// It takes in each of many as that is; which one is left open there.
    History(Box<Collecting>, PastRuns),
}

/// Resolves `testlake collect`.
pub(crate) fn collect(args: CollectArgs, layers: &Layers, cores: NonZeroUsize) -> Result<Collect, Failure> {
    let CollectArgs { source, run, since, sources: taken, output, lake, common } = args;
    let since = layers.pick(since, &table::COLLECT_SINCE)?;
    let circleci_folder = pick_switch(layers, switch(taken.circleci, taken.no_circleci), &table::CIRCLECI)?;
    let sources = sources(source, circleci_folder, layers)?;
    let asked = Asked {
        repo: layers.pick(run.repo, &table::REPO)?,
        run_id: layers.pick(run.run_id, &table::RUN_ID)?,
        attempt: layers.pick(run.attempt, &table::ATTEMPT)?,
        facts: RunFacts {
            head_branch: layers.pick(run.head_branch, &table::HEAD_BRANCH)?,
            head_repository: layers.pick(run.head_repository, &table::HEAD_REPOSITORY)?,
            ..facts(run.facts, layers)?
        },
        project_slug: layers.pick(taken.project_slug, &table::PROJECT_SLUG)?,
    };
    let ci = CiRun::of(|name| layers.environment().get(name)).map(CiRun::with_event_file);
    let layout = layers.pick(taken.layout, &table::LAYOUT)?.unwrap_or_default();
    let (asked, past) = match since {
        Some(since) => {
            let (asked, past) = PastRuns::of(asked, since, &sources, circleci_folder, ci.as_ref())?;
            (asked, Some(past))
        }
        None => {
            let asked = asked.completed(&sources, circleci_folder, ci.as_ref())?;
            asked.check(&sources, &layout)?;
            (asked, None)
        }
    };
    let attempts = asked.attempts(&sources, &layout);
    let profile = profile(layers.pick(output.profile, &table::PROFILE)?, asked.repo.as_deref());
    let full_repository = layers.pick(output.full_repository, &table::FULL_REPOSITORY)?;
    let common = Common::resolve(common, layers, cores)?;
    let to = layers.pick(output.to, &table::TO)?.unwrap_or_else(|| lake::TO.to_owned());
    let to = destination::check("--to", to)?;
    let kept = kept(lake, &to, layers)?;
    if past.is_some() && kept.lake.is_none() {
        return Err(Failure::usage("`--since` needs a lake, which knows the runs that were taken in before")
            .hint("leave out `--no-lake`"));
    }
    let collecting = Box::new(Collecting {
        project_slug: asked.project_slug.or_else(|| asked.repo.as_ref().map(|repo| format!("gh/{repo}"))),
        run: RunRequest { repo: asked.repo, run_id: asked.run_id, attempts },
        sources,
        circleci_folder,
        layout,
        jobs_of_github: false,
        jobs_file: common.jobs_file,
        to,
        profile,
        full: match layers.pick(output.full, &table::FULL)?.unwrap_or_default() {
            // Nobody would read it.
            _ if !kept.collections => Full::Never,
            FullWord::Auto => Full::Auto,
            FullWord::Always => Full::Always,
            FullWord::Never => Full::Never,
        },
        full_branch: layers
            .pick(output.full_branch, &table::FULL_BRANCH)?
            .unwrap_or_else(|| "main".to_owned()),
        full_repository: match profile {
            Profile::Pytorch => full_repository.or_else(|| Some(PYTORCH.to_owned())),
            Profile::Plain => full_repository,
        },
        facts: asked.facts,
        redact: redact(output.redact, layers)?,
        artifact: layers.pick(taken.artifact, &table::ARTIFACT)?,
        limits: common.limits,
        require_complete: common.require_complete,
        expect_jobs: common.expect_jobs,
        dry_run: common.dry_run,
        lake: kept.lake,
        tags: kept.tags,
        collections: kept.collections,
    });
    Ok(match past {
        Some(past) => Collect::History(collecting, past),
        None => Collect::Run(collecting),
    })
}

fn profile(asked: Option<ProfileWord>, repo: Option<&str>) -> Profile {
    match asked {
        Some(ProfileWord::Pytorch) => Profile::Pytorch,
        Some(ProfileWord::Plain) => Profile::Plain,
        None if repo == Some(PYTORCH) => Profile::Pytorch,
        None => Profile::Plain,
    }
}

/// Resolves the sources: there must be one, if only the folder of a CircleCI job.
fn sources(words: Vec<String>, circleci_folder: bool, layers: &Layers) -> Result<Vec<SourceSpec>, Failure> {
    let words = layers.pick_all(words, &table::SOURCE)?;
    let sources = words
        .iter()
        .map(|word| SourceSpec::parse(word))
        .collect::<Result<Vec<_>, _>>()
        .or_exit(Exit::Usage)?;
    if sources.is_empty() && !circleci_folder {
        return Err(Failure::usage("no source is given").hint(
            "give a path, a bucket, `github` or a run's web address, as in `testlake collect ./artifacts`",
        ));
    }
    Ok(sources)
}

/// What is kept of a run.
struct Kept {
    lake: Option<String>,
    tags: Vec<(String, String)>,
    collections: bool,
}

fn kept(args: CollectLakeArgs, to: &str, layers: &Layers) -> Result<Kept, Failure> {
    let no_lake = pick_switch(layers, switch(args.no_lake, args.with_lake), &table::NO_LAKE)?;
    let no_collections = switch(args.no_collections, args.with_collections);
    let no_collections = pick_switch(layers, no_collections, &table::NO_COLLECTIONS)?;
    if no_lake && no_collections {
        return Err(Failure::usage("nothing would be kept: neither a lake nor collections")
            .hint("leave out `--no-lake` or `--no-collections`"));
    }
    if no_lake && args.lake.is_some() {
        return Err(Failure::usage("a lake is named with `--lake`, and `--no-lake` is said")
            .hint("leave one of them out"));
    }
    let is_named = args.lake.is_some() || layers.pick(None, &table::LAKE)?.is_some();
    let lake = lake::address(args.lake, to, layers)?;
    Ok(Kept {
        // A program that was built without lakes fills one only where it is asked to, which it then refuses.
        lake: (!no_lake && (cfg!(feature = "lake") || is_named || no_collections)).then_some(lake),
        tags: super::tags(args.tags.tags, layers)?,
        collections: !no_collections,
    })
}

/// Resolves what is masked: the patterns of the user's own, or nothing at all.
pub(super) fn redact(args: RedactArgs, layers: &Layers) -> Result<Option<Vec<OwnPattern>>, Failure> {
    let patterns = layers.pick_all(args.redact_pattern, &table::REDACT_PATTERN)?;
    let is_on = layers.pick(switch(args.redact, args.no_redact), &table::REDACT)?.unwrap_or(true);
    Ok(is_on.then_some(patterns))
}

/// Resolves what is said of the run; its head is told apart.
pub(super) fn facts(args: FactArgs, layers: &Layers) -> Result<RunFacts, Failure> {
    let FactArgs { commit, merge_base, pull_request, event, workflow, started } = args;
    Ok(RunFacts {
        workflow: layers.pick(workflow, &table::WORKFLOW)?,
        event: layers.pick(event, &table::EVENT)?,
        head_commit: layers.pick(commit, &table::COMMIT)?,
        merge_base: layers.pick(merge_base, &table::MERGE_BASE)?,
        pull_request: layers.pick(pull_request, &table::PULL_REQUEST)?.map(NonZeroU64::get),
        started_unix_ms: layers.pick(started, &table::STARTED)?,
        ..RunFacts::default()
    })
}
