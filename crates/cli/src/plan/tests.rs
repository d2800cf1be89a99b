use std::path::Path;

use std::num::NonZeroUsize;

use super::*;
use crate::args::{Cli, Command};
use crate::config::Environment;
use crate::config::file::SettingsFile;
use crate::config::table::{AnySetting, Scope};

const CORES: NonZeroUsize = NonZeroUsize::MIN.saturating_add(1);

/// Resolves words under an environment and a file, and renders the plan or what is wrong.
fn resolve(words: &[&str], environment: &[(&str, &str)], file: &str) -> String {
    let environment = Environment::of(environment.iter().map(|(k, v)| ((*k).into(), (*v).into())));
    let file = SettingsFile::parsed(file, Path::new(""));
    let layers = Layers::of(environment, file);
    let words = ["testlake"].iter().chain(words);
    let (talk, resolved) = match Cli::try_from_words(words).expect("words that parse").command {
        Command::Collect(args) => (
            talk(&args.common.talk, &layers),
            collect(*args, &layers, CORES).map(|plan| match plan {
                Collect::Run(collecting) => format!("{collecting:#?}"),
                Collect::History(collecting, past) => format!("{past:#?}\n{collecting:#?}"),
            }),
        ),
        Command::UploadTestStats(args) => {
            let talk = talk(&args.common.talk, &layers);
            (talk, upload_test_stats(*args, &layers, CORES).map(|plan| format!("{plan:#?}")))
        }
        Command::Lint(args) => {
            lint(*args, &layers).map_or_else(told, |(plan, talk)| (Ok(talk), Ok(format!("{plan:#?}"))))
        }
        Command::Convert(args) => {
            convert(*args, &layers).map_or_else(told, |(plan, talk)| (Ok(talk), Ok(format!("{plan:#?}"))))
        }
        Command::Upload(args) => {
            upload(*args, &layers).map_or_else(told, |(plan, talk)| (Ok(talk), Ok(format!("{plan:#?}"))))
        }
        Command::Sql(args) => {
            sql(*args, &layers).map_or_else(told, |(plan, talk)| (Ok(talk), Ok(format!("{plan:#?}"))))
        }
        Command::Runs(args) => {
            runs(*args, &layers).map_or_else(told, |(plan, talk)| (Ok(talk), Ok(format!("{plan:#?}"))))
        }
        Command::Lake(args) => {
            lake(*args, &layers).map_or_else(told, |(plan, talk)| (Ok(talk), Ok(format!("{plan:#?}"))))
        }
        Command::Completions(_) | Command::Man(_) => panic!("no plan"),
    };
    match (talk, resolved) {
        (Ok(talk), Ok(resolved)) => format!("{resolved}\n{talk:#?}"),
        (Err(failure), _) | (_, Err(failure)) => failure.to_string(),
    }
}

fn told(failure: Failure) -> (Result<Talk, Failure>, Result<String, Failure>) {
    (Ok(Talk::default()), Err(failure))
}

/// Returns the lines that only one of two texts has.
fn lines_that_differ(before: &str, after: &str) -> String {
    let lines = after.lines().filter(|line| !before.lines().any(|other| other == *line));
    lines.map(str::trim).collect::<Vec<_>>().join("\n")
}

/// What makes each command's plan whole.
fn base(command: &str, setting: &str) -> &'static [(&'static str, &'static str)] {
    match command {
        "collect" if setting == "since" => &[("source", "github"), ("repo", "base/base")],
        "collect" => &[("source", "file:///d"), ("repo", "base/base"), ("run-id", "1")],
        "lint" | "upload" => &[("path", "base")],
        "sql" | "runs" | "lake" => &[],
        "convert" => &[("path", "base"), ("as", "ndjson")],
        _ => &[("workflow-run-id", "1"), ("workflow-run-attempt", "1")],
    }
}

fn flag_words(arg: &clap::Arg, value: &str) -> Vec<String> {
    match (arg.get_long(), arg.get_action()) {
        (None, _) => vec![value.to_owned()],
        // one that is on by itself
        (Some(long), clap::ArgAction::SetTrue) if value == "false" => vec![format!("--no-{long}")],
        (Some(long), clap::ArgAction::SetTrue) => vec![format!("--{long}")],
        (Some(long), clap::ArgAction::Count) => vec![format!("--{long}"); value.parse().expect("a count")],
        (Some(long), _) => vec![format!("--{long}"), value.to_owned()],
    }
}

fn file_text(setting: &dyn AnySetting) -> String {
    match setting.scope() {
        Scope::Shared => setting.example_line(),
        Scope::Of(table) => format!("[{table}]\n{}", setting.example_line()),
    }
}

#[test]
fn every_setting_counts_the_same_as_flag_environment_and_file() {
    let mut tried = 0;
    for sub in crate::args::command().get_subcommands() {
        let command = sub.get_name();
        for arg in sub.get_arguments().filter(|a| !crate::args::is_no_setting(command, a)) {
            let name = arg.get_long().unwrap_or(arg.get_id().as_str());
            let setting = table::of_flag(command, name).expect("in the table");
            // The base comes by the environment, save the setting that is tried.
            let base: Vec<_> = base(command, name)
                .iter()
                .filter(|(base, _)| *base != name)
                .map(|(base, value)| {
                    (table::of_flag(command, base).expect("in the table").variable(), *value)
                })
                .collect();
            let resolve = |words: &[String], variable: Option<(&str, &str)>, file: &str| {
                // What `lake` does is no setting.
                let action = (command == "lake").then_some("info");
                let words = [command].into_iter().chain(action).chain(words.iter().map(String::as_str));
                let words: Vec<_> = words.collect();
                let base = base.iter().map(|(k, v)| (k.as_str(), *v));
                resolve(&words, &base.chain(variable).collect::<Vec<_>>(), file)
            };
            let value = setting.example();
            let without = resolve(&[], None, "");
            let by_flag = resolve(&flag_words(arg, value), None, "");
            let by_environment = resolve(&[], Some((&setting.variable(), value)), "");
            let by_file = resolve(&[], None, &file_text(setting));
            assert_ne!(without, by_flag, "--{name} of {command} changes nothing");
            assert!(by_flag.contains("Talk"), "--{name} of {command}: {by_flag}");
            assert_eq!(by_flag, by_environment, "{} of {command}", setting.variable());
            assert_eq!(by_flag, by_file, "the key of --{name} of {command}");
            tried += 1;
        }
    }
    assert!(tried > 40, "{tried}");
}

#[test]
fn a_switch_can_be_taken_back() {
    let by_environment = resolve(&["collect", "x"], &[("TESTLAKE_DRY_RUN", "1")], "");
    let back = resolve(&["collect", "x", "--no-dry-run"], &[("TESTLAKE_DRY_RUN", "1")], "");
    assert_eq!(lines_that_differ(&back, &by_environment), "dry_run: true,");
    assert_eq!(back, resolve(&["collect", "x", "--dry-run", "--no-dry-run"], &[], ""));
}

#[test]
fn a_folder_of_reports_needs_nothing_else() {
    insta::assert_snapshot!(resolve(&["collect", "./artifacts"], &[], ""));
}

#[test]
fn the_drop_in_has_places_of_its_own() {
    let words = ["upload-test-stats", "--workflow-run-id", "7", "--workflow-run-attempt", "2"];
    insta::assert_snapshot!(resolve(&words, &[("TESTLAKE_TO", "./elsewhere")], "repo = 'o/r'"));
}

#[test]
fn the_drop_in_knows_its_sources() {
    let words = ["upload-test-stats", "--workflow-run-id", "7", "--workflow-run-attempt", "2"];
    let plain = resolve(&words, &[], "");
    let with = |flags: &[&str]| {
        let words: Vec<_> = words.iter().chain(flags).copied().collect();
        lines_that_differ(&plain, &resolve(&words, &[], ""))
    };
    insta::assert_snapshot!(with(&["--github"]), @r"
    GitHub,
    jobs_of_github: false,
    ");
    insta::assert_snapshot!(with(&["--circleci"]), @r"
    sources: [],
    circleci_folder: true,
    jobs_of_github: false,
    ");
    insta::assert_snapshot!(with(&["--from", "./folder"]), @r#"
    Folder(
    "./folder",
    "#);
    insta::assert_snapshot!(with(&["--from", "github"]), @r"
    usage error: `--from` is neither a bucket nor a folder
    hint: `--github` takes from GitHub what is not in the bucket
    ");
}

#[test]
fn what_is_missing_is_told_before_any_work() {
    let wrong = |words: &[&str]| resolve(words, &[], "");
    insta::assert_snapshot!(wrong(&["collect"]), @r"
    usage error: no source is given
      hint: give a path, a bucket, `github` or a run's web address, as in `testlake collect ./artifacts`
    ");
    insta::assert_snapshot!(wrong(&["collect", "s3://b"]), @r"
    usage error: `s3://b` holds many runs, and none is named
      hint: name one with `--run-id`, or give its web address as the source
    ");
    insta::assert_snapshot!(wrong(&["collect", "s3://b", "--run-id", "7"]), @"usage error: the layout `{repo}/{run_id}/{attempt}/artifact/` needs a repository; give one with `--repo`");
    insta::assert_snapshot!(wrong(&["collect", "github", "--run-id", "7"]), @r"
    usage error: `github` needs a repository
      hint: name one with `--repo owner/name`
    ");
    insta::assert_snapshot!(wrong(&["collect", "ftp://b"]), @"usage error: `ftp://` is no kind of source; known are s3://, gs://, az://, file:/// and a run's https:// address");
    insta::assert_snapshot!(wrong(&["lint"]), @r"
    usage error: no report is given
      hint: give a file or a folder, as in `testlake lint ./reports`
    ");
    insta::assert_snapshot!(wrong(&["convert", "--as", "ctrf"]), @r"
    usage error: no report is given
      hint: give a file or a folder, as in `testlake convert --as ndjson ./reports`
    ");
    insta::assert_snapshot!(wrong(&["convert", "a.xml"]), @r"
    usage error: no form is given
      hint: name one: `--as junit`, `--as ctrf` or `--as ndjson`
    ");
    insta::assert_snapshot!(wrong(&["upload-test-stats"]), @"usage error: `--workflow-run-id` is not given");
    insta::assert_snapshot!(wrong(&["upload-test-stats", "--workflow-run-id", "7"]), @"usage error: `--workflow-run-attempt` is not given");
}

const GITHUB: &[(&str, &str)] = &[
    ("GITHUB_ACTIONS", "true"),
    ("GITHUB_REPOSITORY", "o/r"),
    ("GITHUB_RUN_ID", "7"),
    ("GITHUB_RUN_ATTEMPT", "2"),
    ("GITHUB_REF_NAME", "main"),
    ("GITHUB_REF_TYPE", "branch"),
];

#[test]
fn the_ci_job_tells_its_own_run() {
    let told = |words: &[&str]| {
        let before = resolve(&["collect", "file:///d", "--repo", "x/x", "--run-id", "0"], &[], "");
        lines_that_differ(&before, &resolve(words, GITHUB, ""))
    };
    insta::assert_snapshot!(told(&["collect", "github"]), @r#"
    "o/r",
    "7",
    attempts: Number(
    2,
    GitHub,
    "gh/o/r",
    provider: Some(
    "github",
    head_branch: Some(
    "main",
    head_repository: Some(
    "o/r",
    "#);
    insta::assert_snapshot!(told(&["collect", "s3://b"]), @r#"
    "o/r",
    "7",
    attempts: Number(
    2,
    Store(
    StoreUrl {
    provider: S3,
    bucket: "b",
    prefix: "",
    },
    "gh/o/r",
    provider: Some(
    "github",
    head_branch: Some(
    "main",
    head_repository: Some(
    "o/r",
    "#);
    // Another run of the same repository: nothing but the repository is known of it.
    insta::assert_snapshot!(told(&["collect", "github", "--run-id", "8"]), @r#"
    "o/r",
    "8",
    GitHub,
    "gh/o/r",
    "#);
    // Another repository's run has another id.
    insta::assert_snapshot!(told(&["collect", "github", "--repo", "o/other"]), @r"
    usage error: `github` holds many runs, and none is named
    hint: name one with `--run-id`, or give its web address as the source
    ");
}

#[test]
fn a_path_is_no_part_of_the_ci_jobs_run() {
    assert_eq!(resolve(&["collect", "./x"], GITHUB, ""), resolve(&["collect", "./x"], &[], ""));
}

#[test]
fn the_pytorch_profile_is_for_that_repository() {
    let by_repo = resolve(&["collect", "./x", "--repo", "pytorch/pytorch"], &[], "");
    assert!(by_repo.contains("profile: Pytorch"), "{by_repo}");
    let asked = resolve(&["collect", "./x", "--repo", "pytorch/pytorch", "--profile", "plain"], &[], "");
    assert!(asked.contains("profile: Plain"), "{asked}");
}

#[cfg(feature = "cloud")]
#[test]
fn a_runs_web_address_names_the_run() {
    let url = "https://github.com/o/r/actions/runs/7/attempts/3";
    let told = resolve(&["collect", url], &[], "");
    for line in ["\"o/r\"", "\"7\"", "Number(\n            3,"] {
        assert!(told.contains(line), "{told}");
    }
    let other = resolve(&["collect", url, "--attempt", "all"], GITHUB, "");
    assert!(other.contains("attempts: All"), "{other}");
    insta::assert_snapshot!(resolve(&["collect", url, "--run-id", "8"], &[], ""), @"usage error: a run's web address names the run `7`, and `8` is asked for");
    insta::assert_snapshot!(resolve(&["collect", url, "--repo", "o/s"], &[], ""), @"usage error: a run's web address names the repository `o/r`, and `o/s` is asked for");
}

#[cfg(feature = "cloud")]
#[test]
fn a_web_address_of_circleci_names_project_and_run() {
    const ID: &str = "5034460f-c7c4-4c43-9457-de07e2029e7b";
    let before = resolve(&["collect", "file:///d", "--repo", "x/x", "--run-id", "0"], &[], "");
    let told = |words: &[&str]| lines_that_differ(&before, &resolve(words, &[], ""));
    let workflow = format!("https://app.circleci.com/pipelines/bitbucket/o/r/17/workflows/{ID}/jobs/3");
    insta::assert_snapshot!(told(&["collect", &workflow]), @r#"
    "o/r",
    "5034460f-c7c4-4c43-9457-de07e2029e7b",
    CircleCiUrl(
    "https://app.circleci.com/pipelines/bitbucket/o/r/17/workflows/5034460f-c7c4-4c43-9457-de07e2029e7b/jobs/3",
    "bb/o/r",
    "#);
    let pipeline = "https://app.circleci.com/pipelines/circleci/Org/Proj/17";
    insta::assert_snapshot!(told(&["collect", pipeline]), @r#"
    repo: None,
    "17",
    CircleCiUrl(
    "https://app.circleci.com/pipelines/circleci/Org/Proj/17",
    "circleci/Org/Proj",
    "#);
    let wrong = |words: &[&str]| resolve(&[&["collect", pipeline], words].concat(), &[], "");
    insta::assert_snapshot!(wrong(&["--run-id", "18"]), @"usage error: a run's web address names the run `17`, and `18` is asked for");
    insta::assert_snapshot!(wrong(&["--project-slug", "gh/o/r"]), @"usage error: a run's web address names the project `circleci/Org/Proj`, and `gh/o/r` is asked for");
    insta::assert_snapshot!(resolve(&["collect", "https://app.circleci.com/pipelines/gh/o/r"], &[], ""), @r"
    usage error: an address that is no run's
      hint: one reads `https://app.circleci.com/pipelines/gh/owner/name/1/workflows/ID`
    ");
}

#[test]
fn where_no_source_knows_of_attempts_there_is_one() {
    let attempts = |words: &[&str]| {
        let told = resolve(words, &[], "");
        let (_, rest) = told.split_once("attempts: ").expect("a plan");
        rest.split_whitespace().take(2).collect::<String>().trim_end_matches("},").to_owned()
    };
    let run = ["--repo", "o/r", "--run-id", "7"];
    let with = |words: &[&'static str]| attempts(&[&["collect"], words, &run].concat());
    assert_eq!(with(&["./x"]), "Number(1,");
    assert_eq!(with(&["./x", "--attempt", "all"]), "Number(1,");
    assert_eq!(with(&["s3://b", "--layout", "{run_id}"]), "Number(1,");
    assert_eq!(with(&["s3://b"]), "Latest,");
    assert_eq!(with(&["./x", "github", "--attempt", "all"]), "All,");
}

#[test]
fn many_runs_are_asked_of_github_and_of_nobody_else() {
    let since = |words: &[&str]| resolve(&[&["collect", "--since=30d"], words].concat(), &[], "");
    let told = since(&["github", "--repo=o/r", "--workflow=ci.yml"]);
    for part in
        ["workflow: Some(\n        \"ci.yml\"", "repo: \"o/r\"", "run_id: None", "Ago(\n        2592000s"]
    {
        assert!(told.contains(part), "{part} is not in {told}");
    }
    for words in [
        &["./reports", "--repo=o/r"] as &[_],
        &["s3://bucket", "--repo=o/r"],
        &["github"],
        &["github", "--repo=o/r", "--run-id=7"],
        &["github", "--repo=o/r", "--attempt=2"],
        &["github", "--repo=o/r", "--branch=main"],
        &["github", "--repo=o/r", "--no-lake"],
    ] {
        let told = since(words);
        assert!(told.starts_with("usage error: "), "{words:?}: {told}");
        assert!(told.contains("since") || told.contains("--repo"), "{words:?}: {told}");
    }
}
