//! Programs that are not built with the workspace: `scripts/test` installs them.

use std::path::PathBuf;

/// Returns the folder that holds `node_modules`: that of `TESTLAKE_TEST_TOOLS`, else `target/test-tools` of the
/// workspace.
pub fn tools_dir() -> PathBuf {
    let given = std::env::var_os("TESTLAKE_TEST_TOOLS").map(PathBuf::from);
    let own = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/test-tools"));
    let folder = given.unwrap_or_else(own);
    assert!(
        folder.join("node_modules").is_dir(),
        "no tools in `{}`: run scripts/test, which installs them with npm, or set TESTLAKE_TEST_TOOLS",
        folder.display()
    );
    folder
}
