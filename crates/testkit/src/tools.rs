//! Programs that `scripts/test` installs and some tests run.

use std::io;
use std::path::{Path, PathBuf};

/// Returns a program of the test tools, by its path below them: `venv/bin/python`, `node_modules/.bin/azurite-blob`.
///
/// They lie in `target/test-tools` of the workspace.
///
/// # Errors
/// Where it is not there.
pub fn tool(path: &str) -> io::Result<PathBuf> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/test-tools").join(path);
    if program.try_exists()? {
        return Ok(program);
    }
    let told = format!("`{}` is not there; `scripts/test --install` installs it", program.display());
    Err(io::Error::new(io::ErrorKind::NotFound, told))
}
