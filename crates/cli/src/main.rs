//! `testlake` on the command line: words in, a plan, one library call, a table or JSON out.
//!
//! [`args`] is what was typed, [`config`] the settings beneath it, [`plan`] what comes of both. [`command`] carries it
//! out, [`render`] and [`progress`] show it, and [`exit`] says how it ended. What a user of the libraries would miss is not
//! here.

use std::io::Write as _;
use std::num::NonZeroUsize;
use std::process::ExitCode;

#[expect(clippy::doc_markdown, reason = "the docs of options are what a terminal shows, not Markdown")]
mod args;
mod command;
mod config;
mod exit;
mod log;
mod panic;
mod plan;
mod progress;
mod render;

use args::{Cli, Command, NoCommand, VoiceArgs};
use config::{Environment, Layers};
use exit::{Exit, Failure, OrExit};

fn main() -> ExitCode {
    panic::install_hook();
    let exit = panic::guarded(run).unwrap_or_else(|failure| {
        // Where stderr is gone there is nobody to tell.
        writeln!(std::io::stderr(), "{failure}").ok();
        failure.exit
    });
    exit.into()
}

fn run() -> Result<Exit, Failure> {
    let cli = match Cli::try_from_words(std::env::args_os()) {
        Ok(cli) => cli,
        Err(NoCommand::Shown(text)) => {
            // A closed pipe is success; and where stderr is gone there is nobody to tell.
            text.print().ok();
            return Ok(if text.use_stderr() { Exit::Usage } else { Exit::Done });
        }
        Err(NoCommand::Wrong(failure)) => return Err(failure),
    };
    let cores = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    match cli.command {
        Command::Collect(args) => {
            let layers = layers(&args.common.talk.voice)?;
            command::collect::run(*args, &layers, cores)
        }
        Command::Upload(args) => {
            let layers = layers(&args.voice)?;
            command::lake::upload::run(*args, &layers)
        }
        Command::Runs(args) => {
            let layers = layers(&args.voice)?;
            command::lake::runs::run(*args, &layers)
        }
        Command::Sql(args) => {
            let layers = layers(&args.voice)?;
            command::lake::sql::run(*args, &layers)
        }
        Command::Lake(args) => {
            let layers = layers(&args.voice)?;
            command::lake::tend::run(*args, &layers)
        }
        Command::UploadTestStats(args) => {
            let layers = layers(&args.common.talk.voice)?;
            command::upload_test_stats::run(*args, &layers, cores)
        }
        Command::Lint(args) => {
            let layers = layers(&args.voice)?;
            command::lint::run(*args, &layers)
        }
        Command::Convert(args) => {
            let layers = layers(&args.voice)?;
            command::convert::run(*args, &layers)
        }
        Command::Completions(args) => command::completions::run(&args),
        Command::Man(args) => command::man::run(&args),
    }
}

fn layers(voice: &VoiceArgs) -> Result<Layers, Failure> {
    let working_folder = std::env::current_dir().or_exit(Exit::Usage);
    let working_folder = working_folder.map_err(|f| f.context("there is no working folder"))?;
    Layers::load(Environment::read(), voice.config.as_deref(), &working_folder)
}
