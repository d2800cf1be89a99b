//! `testlake man`.

use std::io;
use std::path::Path;

use clap_mangen::Man;

use crate::args::{self, ManArgs};
use crate::exit::{Exit, Failure, OrExit};
use crate::render;

/// Prints the program's page, or writes the pages of the program and all commands into a folder.
pub(crate) fn run(args: &ManArgs) -> Result<Exit, Failure> {
    let Some(folder) = &args.folder else {
        let (_, page) = pages().or_exit(Exit::Bug)?.swap_remove(0);
        render::print(&page).or_exit(Exit::Unavailable)?;
        return Ok(Exit::Done);
    };
    let cannot = |place: &Path| format!("cannot write to `{}`", place.display());
    std::fs::create_dir_all(folder).or_exit(Exit::Usage).map_err(|f| f.context(cannot(folder)))?;
    for (name, page) in pages().or_exit(Exit::Bug)? {
        let path = folder.join(name);
        std::fs::write(&path, page).or_exit(Exit::Usage).map_err(|f| f.context(cannot(&path)))?;
    }
    Ok(Exit::Done)
}

/// Renders the pages: file name and text, the program's first.
fn pages() -> io::Result<Vec<(String, String)>> {
    let mut command = args::command();
    command.build();
    let mut commands = vec![command.clone()];
    commands.extend(command.get_subcommands().cloned());
    commands.into_iter().map(page).collect()
}

fn page(command: clap::Command) -> io::Result<(String, String)> {
    let man = Man::new(command).source(concat!("testlake ", env!("CARGO_PKG_VERSION"))).manual("testlake");
    let mut page = Vec::new();
    man.render(&mut page)?;
    Ok((man.get_filename(), String::from_utf8_lossy(&page).into_owned()))
}
