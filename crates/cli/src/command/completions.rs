//! `testlake completions`.

use crate::args::{self, CompletionsArgs};
use crate::exit::{Exit, Failure, OrExit};
use crate::render;

/// Prints the completion script.
pub(crate) fn run(args: &CompletionsArgs) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::command(), "testlake", &mut script);
    render::print(&String::from_utf8_lossy(&script)).or_exit(Exit::Unavailable)?;
    Ok(Exit::Done)
}
