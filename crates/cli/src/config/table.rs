//! The list of settings.
//!
//! A setting has one name in three spellings: the flag `--max-entries`, the environment twin
//! `TESTLAKE_MAX_ENTRIES` and the key `max-entries` at the top of `testlake.toml`. Where a command gives a name a
//! meaning of its own, its name joins in: `TESTLAKE_UPLOAD_TEST_STATS_TO`, and `to` in the table `[upload-test-stats]`.

use std::fmt::Debug;
use std::num::{NonZeroU32, NonZeroU64, NonZeroUsize};
use std::time::Duration;

use globset::Glob;
use regex::Regex;
use testlake_collect::redact::OwnPattern;
use testlake_collect::run::AttemptChoice;
use testlake_collect::source::Layout;
use testlake_report::Fold;

use super::value::{self, Parser, Since};
use crate::args::{FormWord, Format, FullWord, ProfileWord, RowsFormat, TableWord, UploadFormat};

/// A setting with values of type `T`.
#[derive(Debug)]
pub(crate) struct Setting<T: 'static> {
    /// The flag without its dashes.
    pub(crate) name: &'static str,
    /// Whose it is.
    pub(crate) scope: Scope,
    /// What its value looks like in the file.
    pub(crate) shape: Shape,
    /// Turns a word into a value.
    pub(crate) parse: Parser<T>,
    /// A value that is not the default.
    pub(crate) example: &'static str,
}

/// Whose a setting is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// Every command's that has the flag.
    Shared,
    /// One command's.
    Of(&'static str),
}

/// What a setting's value looks like in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// `true` or `false`.
    Switch,
    /// A whole number.
    Number,
    /// A text.
    Text,
    /// A text or a whole number.
    TextOrNumber,
    /// A text; a path in it is relative to the file's folder.
    Place,
    /// Such a text, or a list of them. One a line in the environment.
    Places,
    /// A text that is no path, or a list of them. One a line in the environment.
    Texts,
}

impl Shape {
    /// Reports whether there may be several values.
    pub(crate) const fn is_list(self) -> bool {
        matches!(self, Self::Places | Self::Texts)
    }
}

/// A setting whatever its type.
pub(crate) trait AnySetting: Debug + Sync {
    /// The flag without its dashes.
    fn name(&self) -> &'static str;
    /// Whose it is.
    fn scope(&self) -> Scope;
    /// What its value looks like in the file.
    fn shape(&self) -> Shape;
    /// A value that is not the default.
    fn example(&self) -> &'static str;
    /// Says what is wrong with a word.
    fn check(&self, word: &str) -> Result<(), String>;

    /// Returns the name of the environment twin.
    fn variable(&self) -> String {
        let name = match self.scope() {
            Shared => self.name().to_owned(),
            Scope::Of(command) => format!("{command}_{}", self.name()),
        };
        format!("{PREFIX}{}", name.to_ascii_uppercase().replace('-', "_"))
    }

    /// Returns a line of the file that sets it to the example.
    fn example_line(&self) -> String {
        match self.shape() {
            Shape::Switch | Shape::Number => format!("{} = {}", self.name(), self.example()),
            Shape::Text | Shape::TextOrNumber | Shape::Place | Shape::Places | Shape::Texts => {
                format!("{} = \"{}\"", self.name(), self.example())
            }
        }
    }
}

impl<T: Debug + 'static> AnySetting for Setting<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn scope(&self) -> Scope {
        self.scope
    }

    fn shape(&self) -> Shape {
        self.shape
    }

    fn example(&self) -> &'static str {
        self.example
    }

    fn check(&self, word: &str) -> Result<(), String> {
        (self.parse)(word).map(drop)
    }
}

/// What the names of all environment twins begin with.
pub(crate) const PREFIX: &str = "TESTLAKE_";

/// Variables with that prefix that are no settings: the file itself, and where the project's own tests find their corpus.
pub(crate) const OTHER_VARIABLES: &[&str] = &[CONFIG_VARIABLE, "TESTLAKE_CORPUS"];

/// The twin of `--config`.
pub(crate) const CONFIG_VARIABLE: &str = "TESTLAKE_CONFIG";

/// The command of its own buckets.
pub(crate) const UPLOAD_TEST_STATS: &str = "upload-test-stats";

/// 1024: what large machines have; each worker has a stack and buffers of its own.
pub(crate) const MOST_THREADS: usize = 1024;

macro_rules! settings {
    ($($constant:ident: $type:ty = $name:literal, $scope:expr, $shape:ident, $parse:expr, $example:literal;)*) => {
        $(pub(crate) const $constant: Setting<$type> =
            Setting { name: $name, scope: $scope, shape: Shape::$shape, parse: $parse, example: $example };)*

        /// Every setting.
        pub(crate) static ALL: &[&dyn AnySetting] = &[$(&$constant),*];
    };
}

use Scope::Shared;

const DROP_IN: Scope = Scope::Of(UPLOAD_TEST_STATS);

settings! {
    // The run
    SOURCE: String = "source", Shared, Places, value::text, "./artifacts";
    REPO: String = "repo", Shared, Text, value::repo, "owner/name";
    RUN_ID: String = "run-id", Shared, TextOrNumber, value::run_id, "9871234567";
    ATTEMPT: AttemptChoice = "attempt", Shared, TextOrNumber, value::attempts, "2";
    HEAD_BRANCH: String = "head-branch", Shared, Text, value::text, "feature";
    HEAD_REPOSITORY: String = "head-repository", Shared, Text, value::repo, "fork/name";
    COMMIT: String = "commit", Shared, Text, value::commit, "30f8d7fee1d9e4d1b62b0f0b6a8a5b6ea2b9f1d3";
    MERGE_BASE: String = "merge-base", Shared, Text, value::commit, "a6b3bb8";
    PULL_REQUEST: NonZeroU64 = "pull-request", Shared, Number, value::pull_request, "12";
    EVENT: String = "event", Shared, Text, value::text, "schedule";
    WORKFLOW: String = "workflow", Shared, Text, value::text, "nightly";
    STARTED: i64 = "started", Shared, Text, value::time, "2026-11-23T02:40:40Z";
    JOBS_FILE: String = "jobs-file", Shared, Place, value::text, "jobs.json";
    // The sources
    ARTIFACT: Glob = "artifact", Shared, Text, value::glob, "test-*";
    CIRCLECI: bool = "circleci", Shared, Switch, value::switch, "true";
    PROJECT_SLUG: String = "project-slug", Shared, Text, value::project_slug, "gh/owner/name";
    LAYOUT: Layout = "layout", Shared, Text, value::layout, "{repo}/{run_id}/";
    // What is written
    TO: String = "to", Shared, Place, value::text, "s3://bucket";
    PROFILE: ProfileWord = "profile", Shared, Text, value::word, "pytorch";
    FULL: FullWord = "full", Shared, Text, value::word, "always";
    FULL_BRANCH: String = "full-branch", Shared, Text, value::text, "trunk";
    FULL_REPOSITORY: String = "full-repository", Shared, Text, value::repo, "owner/other";
    REDACT: bool = "redact", Shared, Switch, value::switch, "false";
    REDACT_PATTERN: OwnPattern = "redact-pattern", Shared, Texts, value::own_pattern, "ticket=TKT-[0-9]{6}";
    NO_COLLECTIONS: bool = "no-collections", Shared, Switch, value::switch, "true";
    // Many runs
    COLLECT_SINCE: Since = "since", Scope::Of("collect"), Text, value::since, "30d";
    // The lake
    LAKE: String = "lake", Shared, Place, value::text, "s3://bucket/lake";
    NO_LAKE: bool = "no-lake", Shared, Switch, value::switch, "true";
    TAGS: (String, String) = "tags", Shared, Texts, value::tag, "suite=unit";
    TABLE: TableWord = "table", Shared, Text, value::word, "results";
    RETENTION: Duration = "retention", Shared, Text, value::span, "30d";
    // Questions
    MEMORY_LIMIT: NonZeroU64 = "memory-limit", Shared, TextOrNumber, value::size, "4GiB";
    TIMEOUT: Duration = "timeout", Shared, Text, value::time_limit, "1min";
    RUNS_BRANCH: String = "branch", Scope::Of("runs"), Text, value::text, "main";
    SINCE: Since = "since", Shared, Text, value::since, "7d";
    LIMIT: NonZeroU64 = "limit", Shared, Number, value::cap, "100";
    SQL_FORMAT: RowsFormat = "format", Scope::Of("sql"), Text, value::word, "csv";
    RUNS_FORMAT: RowsFormat = "format", Scope::Of("runs"), Text, value::word, "ndjson";
    // The job of an upload
    FAIL_OPEN: bool = "fail-open", Shared, Switch, value::switch, "true";
    SPOOL: String = "spool", Shared, Place, value::text, "./spool";
    JOB: String = "job", Shared, TextOrNumber, value::text, "linux";
    JOB_ID: String = "job-id", Shared, TextOrNumber, value::text, "4711";
    VARIANT: String = "variant", Shared, Text, value::text, "debug";
    UPLOAD_ATTEMPT: NonZeroU32 = "attempt", Scope::Of("upload"), Number, value::attempt_number, "2";
    UPLOAD_ARTIFACT: String = "artifact", Scope::Of("upload"), Text, value::text, "unit-tests";
    UPLOAD_FORMAT: UploadFormat = "format", Scope::Of("upload"), Text, value::word, "json";
    // The verdict
    REQUIRE_COMPLETE: bool = "require-complete", Shared, Switch, value::switch, "true";
    EXPECT_JOBS: Regex = "expect-jobs", Shared, Text, value::regex, "^linux";
    // Limits. They are bounded themselves: each open element takes of a worker's stack, attributes take time with their
    // square, and places in a case are held in 32 bits.
    THREADS: NonZeroUsize = "threads", Shared, Number, value::count::<MOST_THREADS>, "3";
    MAX_CONCURRENCY: NonZeroUsize = "max-concurrency", Shared, Number, value::count::<1024>, "5";
    RETRY_FOR: Duration = "retry-for", Shared, Text, value::duration, "45s";
    MAX_ENTRIES: NonZeroU64 = "max-entries", Shared, Number, value::cap, "1000";
    MAX_ENTRY_SIZE: NonZeroU64 = "max-entry-size", Shared, TextOrNumber, value::size, "1GiB";
    MAX_RUN_SIZE: NonZeroU64 = "max-run-size", Shared, TextOrNumber, value::size, "64GiB";
    MAX_RATIO: NonZeroU64 = "max-ratio", Shared, Number, value::cap, "200";
    MAX_DEPTH: NonZeroUsize = "max-depth", Shared, Number, value::count::<1000>, "64";
    MAX_ATTRIBUTES: NonZeroUsize = "max-attributes", Shared, Number, value::count::<10_000>, "32";
    MAX_TAG_SIZE: NonZeroU64 = "max-tag-size", Shared, TextOrNumber, value::size_to::<1>, "1MiB";
    MAX_CASE_SIZE: NonZeroU64 = "max-case-size", Shared, TextOrNumber, value::size_to::<1>, "8MiB";
    MAX_FINDINGS: NonZeroUsize = "max-findings", Shared, Number, value::count::<1_000_000>, "10";
    MAX_REPORT_SIZE: NonZeroU64 = "max-report-size", Shared, TextOrNumber, value::size_to::<16>, "1GiB";
    // Reports as they lie
    PATH: String = "path", Shared, Places, value::text, "./reports";
    STRICT: bool = "strict", Shared, Switch, value::switch, "true";
    FOLD: Fold = "fold", Shared, Text, value::fold, "addresses,uuids";
    FORM: FormWord = "as", Scope::Of("convert"), Text, value::word, "ctrf";
    FINDINGS: String = "findings", Scope::Of("convert"), Place, value::text, "findings.ndjson";
    // The talk
    FORMAT: Format = "format", Shared, Text, value::word, "json";
    DRY_RUN: bool = "dry-run", Shared, Switch, value::switch, "true";
    QUIET: bool = "quiet", Shared, Switch, value::switch, "true";
    VERBOSE: u8 = "verbose", Shared, Number, value::verbosity, "2";
    // The drop-in, whose words have meanings of their own
    WORKFLOW_RUN_ID: String = "workflow-run-id", DROP_IN, TextOrNumber, value::run_id, "9871234567";
    WORKFLOW_RUN_ATTEMPT: NonZeroU32 = "workflow-run-attempt", DROP_IN, Number, value::attempt_number, "2";
    DROP_IN_HEAD_BRANCH: String = "head-branch", DROP_IN, Text, value::text, "feature";
    DROP_IN_HEAD_REPOSITORY: String = "head-repository", DROP_IN, Text, value::repo, "fork/name";
    DROP_IN_REPO: String = "repo", DROP_IN, Text, value::repo, "owner/name";
    DROP_IN_CIRCLECI: bool = "circleci", DROP_IN, Switch, value::switch, "true";
    DROP_IN_GITHUB: bool = "github", DROP_IN, Switch, value::switch, "true";
    DROP_IN_FROM: String = "from", DROP_IN, Place, value::text, "s3://other-artifacts";
    DROP_IN_TO: String = "to", DROP_IN, Place, value::text, "./out";
}

/// Returns the setting that a command's flag of that name is.
pub(crate) fn of_flag(command: &str, name: &str) -> Option<&'static dyn AnySetting> {
    let named = |scope: Scope| ALL.iter().copied().find(|s| s.name() == name && s.scope() == scope);
    ALL.iter()
        .copied()
        .find(|s| s.name() == name && matches!(s.scope(), Scope::Of(of) if of == command))
        .or_else(|| named(Shared))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use clap::CommandFactory;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn no_two_settings_share_a_name() {
        let variables: BTreeSet<_> = ALL.iter().map(|s| s.variable()).collect();
        assert_eq!(variables.len(), ALL.len());
        for other in OTHER_VARIABLES {
            assert!(!variables.contains(*other), "{other}");
        }
    }

    #[test]
    fn every_example_is_a_value() {
        for setting in ALL {
            assert_eq!(setting.check(setting.example()), Ok(()), "{}", setting.name());
        }
    }

    #[test]
    fn every_flag_is_a_setting_and_every_setting_a_flag() {
        let mut flags = BTreeSet::new();
        for command in Cli::command().get_subcommands().filter(|c| c.get_name() != "help") {
            for arg in command.get_arguments().filter(|a| !crate::args::is_no_setting(command.get_name(), a))
            {
                let name = arg.get_long().unwrap_or(arg.get_id().as_str());
                let setting = of_flag(command.get_name(), name);
                let setting =
                    setting.unwrap_or_else(|| panic!("--{name} of {} is in no table", command.get_name()));
                flags.insert(setting.variable());
            }
        }
        let settings: BTreeSet<_> = ALL.iter().map(|s| s.variable()).collect();
        assert_eq!(flags, settings);
    }
}
