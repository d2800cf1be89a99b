//! The command line as it is typed: options are `Option`s, nothing is defaulted or resolved here.
//!
//! Every option is a setting of [`crate::config::table`], whose parser it shares. [`crate::plan`] resolves.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Arg, CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::config::table::{self, CONFIG_VARIABLE};
use crate::exit::Failure;

mod collect;
mod convert;
mod lake;
mod lint;
mod reading;
mod runs;
mod shared;
mod sql;
mod upload;
mod upload_test_stats;
mod wrong;

pub(crate) use collect::{CollectArgs, CollectLakeArgs, FactArgs, RedactArgs};
pub(crate) use convert::{ConvertArgs, FormWord};
pub(crate) use lake::{LakeAction, LakeArgs, LakePlaceArgs, TableWord, TagArgs};
pub(crate) use lint::LintArgs;
pub(crate) use reading::ReadingArgs;
pub(crate) use runs::RunsArgs;
pub(crate) use shared::{
    CommonArgs, Format, FullWord, LimitArgs, ProfileWord, ReportLimitArgs, TalkArgs, VoiceArgs, switch,
};
pub(crate) use sql::{QueryLimitArgs, RowsFormat, SqlArgs};
pub(crate) use upload::{UploadArgs, UploadFormat, UploadRunArgs};
pub(crate) use upload_test_stats::UploadTestStatsArgs;

/// Collect the test reports of CI runs and keep every result
///
/// testlake takes in what the jobs of a finished CI run left (test reports, in archives or loose), or what one job leaves, from
/// inside it. It turns every test case into a row and keeps the rows in a folder or a bucket of yours, to be asked in SQL. It
/// sends nothing anywhere but where it was told to.
#[derive(Debug, Parser)]
#[command(
    name = "testlake",
    version,
    max_term_width = 110,
    disable_help_subcommand = true,
    after_help = "\
Examples:
  testlake collect ./artifacts
  testlake collect https://github.com/owner/name/actions/runs/9871234567 --to ./out
  testlake upload reports/ --lake s3://bucket/lake
  testlake sql \"select outcome, count(*) from results group by 1\"
  testlake lint ./reports

See `testlake COMMAND --help` for a command's options and examples."
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Collect(Box<CollectArgs>),
    Upload(Box<UploadArgs>),
    Runs(Box<RunsArgs>),
    Sql(Box<SqlArgs>),
    Lake(Box<LakeArgs>),
    Lint(Box<LintArgs>),
    Convert(Box<ConvertArgs>),
    UploadTestStats(Box<UploadTestStatsArgs>),
    Completions(CompletionsArgs),
    Man(ManArgs),
}

/// Print a completion script for a shell
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  testlake completions bash > ~/.local/share/bash-completion/completions/testlake
  testlake completions zsh > \"${fpath[1]}/_testlake\"
  testlake completions fish > ~/.config/fish/completions/testlake.fish")]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

/// Print the man page, or write those of all commands into a folder
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  testlake man | man -l -
  testlake man ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// The folder; made where it is not there
    #[arg(value_name = "DIR")]
    pub(crate) folder: Option<std::path::PathBuf>,
}

/// Why words are no command.
#[derive(Debug)]
pub(crate) enum NoCommand {
    /// A help text or the version was asked for, or there are no words at all.
    Shown(clap::Error),
    /// They are wrong.
    Wrong(Failure),
}

impl Cli {
    /// Parses words, the program's name first.
    pub(crate) fn try_from_words<I, T>(words: I) -> Result<Self, NoCommand>
    where
        I: IntoIterator<Item = T>,
        T: Into<OsString>,
    {
        let words: Vec<OsString> = words.into_iter().map(Into::into).collect();
        let matches = command().try_get_matches_from(&words);
        matches.and_then(|matches| Self::from_arg_matches(&matches)).map_err(|error| match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => NoCommand::Shown(error),
            _ => NoCommand::Wrong(wrong::failure(&error, &command_of(&words))),
        })
    }
}

/// Returns the words that name the command.
fn command_of(words: &[OsString]) -> String {
    let named = words.get(1).and_then(|word| word.to_str());
    match named.filter(|word| Cli::command().find_subcommand(word).is_some()) {
        Some(word) => format!("testlake {word}"),
        None => "testlake".to_owned(),
    }
}

/// Returns the commands and options, with each option's environment twin in its long help.
pub(crate) fn command() -> clap::Command {
    let mut command = Cli::command();
    let names: Vec<_> = command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    for name in names {
        command = command.mut_subcommand(&name, |sub| sub.mut_args(|arg| with_variable(&name, arg)));
    }
    command
}

fn with_variable(command: &str, arg: Arg) -> Arg {
    let name = arg.get_long().unwrap_or(arg.get_id().as_str()).to_owned();
    let variable = match table::of_flag(command, &name) {
        _ if arg.is_hide_set() => return arg,
        _ if name == "config" => CONFIG_VARIABLE.to_owned(),
        Some(setting) => setting.variable(),
        None => return arg,
    };
    let help = arg.get_long_help().or_else(|| arg.get_help()).map(ToString::to_string).unwrap_or_default();
    arg.long_help(format!("{help}\n[env: {variable}]"))
}

/// Reports whether an argument has no twin in environment and file.
#[cfg(test)]
pub(crate) fn is_no_setting(command: &str, arg: &Arg) -> bool {
    let own = match command {
        "completions" | "man" => true,
        "sql" => matches!(arg.get_id().as_str(), "query" | "file" | "param"),
        "lake" => arg.get_id().as_str() == "action",
        _ => false,
    };
    own || arg.is_hide_set() || matches!(arg.get_id().as_str(), "help" | "version" | "config")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        command().debug_assert();
    }

    #[test]
    fn every_option_has_a_heading_and_every_switch_a_way_back() {
        for sub in command().get_subcommands() {
            for arg in sub.get_arguments().filter(|a| !is_no_setting(sub.get_name(), a)) {
                let id = arg.get_id().as_str();
                assert!(arg.is_positional() || arg.get_help_heading().is_some(), "{id}");
                if matches!(arg.get_action(), clap::ArgAction::SetTrue) {
                    let long = arg.get_long().unwrap();
                    let back = match long.strip_prefix("no-") {
                        Some(what) => format!("with-{what}"),
                        None => format!("no-{long}"),
                    };
                    assert!(sub.get_arguments().any(|a| a.get_long() == Some(&back)), "--{back}");
                }
            }
        }
    }

    #[test]
    fn the_short_help_of_an_option_is_one_line() {
        for sub in command().get_subcommands() {
            for arg in sub.get_arguments() {
                let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(!help.contains('\n') && !help.ends_with('.'), "{}: {help}", arg.get_id());
            }
        }
    }
}
