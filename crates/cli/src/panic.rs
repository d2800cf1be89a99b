//! What is said of a bug, and its exit code.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::borrow::Cow;
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::exit::{Exit, Failure};
use crate::render::for_terminal;

/// Replaces the standard message by one that says whose fault it is and what to do.
pub(crate) fn install_hook() {
    std::panic::set_hook(Box::new(|info| {
        let text = info.payload_as_str().unwrap_or("something that is no text");
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        // Where stderr is gone there is nobody to tell.
        writeln!(std::io::stderr(), "{}", message(text, &place, &Backtrace::capture())).ok();
    }));
}

/// Runs the program; a panic, of which the hook has told, ends as a bug.
pub(crate) fn guarded(run: impl FnOnce() -> Result<Exit, Failure>) -> Result<Exit, Failure> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or(Ok(Exit::Bug))
}

fn message(text: &str, place: &str, backtrace: &Backtrace) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let place = without_build_path(place);
    let mut message = format!(
        "internal error: this is a bug of testlake {version}, not of your reports\n  caused by: {} ({place})\n",
        for_terminal(text)
    );
    if backtrace.status() == BacktraceStatus::Captured {
        for line in backtrace.to_string().lines() {
            message.push_str(&frame(line));
            message.push('\n');
        }
        message.push_str("  hint: please report it to the maintainers, with all that is printed here");
    } else {
        message.push_str(
            "  hint: please report it to the maintainers, with what a run under RUST_BACKTRACE=1 prints",
        );
    }
    message
}

/// Cleans a line of a backtrace: `    at PATH:LINE:COLUMN` below the name of a function.
fn frame(line: &str) -> Cow<'_, str> {
    let trimmed = line.trim_start();
    match trimmed.strip_prefix("at ") {
        Some(path) => {
            let (indent, _) = line.split_at(line.len() - trimmed.len());
            Cow::Owned(format!("{indent}at {}", without_build_path(path)))
        }
        None => Cow::Borrowed(line),
    }
}

/// Cuts off where the program was built: `crates/report/src/lib.rs:1:2` of our own, `memchr-2.7.4/src/lib.rs:1:2` of
/// another's crate, `library/core/src/option.rs:1:2` of the standard library.
fn without_build_path(path: &str) -> &str {
    let unix = |mark: &str| path.find(mark).and_then(|at| path.get(at + mark.len()..));
    let dependency = unix("/registry/src/").or_else(|| unix("\\registry\\src\\"));
    if let Some(rest) = dependency {
        // Behind the registry's own name.
        return rest.split_once(['/', '\\']).map_or(rest, |(_, rest)| rest);
    }
    let roots = ["/crates/", "\\crates\\", "/library/", "\\library\\"];
    let root = roots.iter().filter_map(|root| path.rfind(root)).max();
    root.and_then(|at| path.get(at + 1..)).unwrap_or_else(|| path.trim_start_matches("./"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_says_whose_it_is_and_what_to_do() {
        let said = message("index 3\u{1b}[2J", "crates/x/src/x.rs:1:2", &Backtrace::disabled());
        let said = said.replace(env!("CARGO_PKG_VERSION"), "[VERSION]");
        insta::assert_snapshot!(said, @r"
        internal error: this is a bug of testlake [VERSION], not of your reports
          caused by: index 3\u{1b}[2J (crates/x/src/x.rs:1:2)
          hint: please report it to the maintainers, with what a run under RUST_BACKTRACE=1 prints
        ");
    }

    #[test]
    fn a_backtrace_does_not_tell_where_the_program_was_built() {
        let place = format!("{}/src/panic.rs:1:2", env!("CARGO_MANIFEST_DIR"));
        let said = message("x", &place, &Backtrace::force_capture());
        assert!(said.contains("(crates/cli/src/panic.rs:1:2)"), "{said}");
        // The crate's folder is the working folder of its tests.
        assert!(said.contains(" at src/panic.rs:"), "{said}");
        assert!(said.contains("  hint: please report it"), "{said}");
        for root in [env!("CARGO_MANIFEST_DIR"), "/registry/", "/rustc/"] {
            assert!(!said.contains(root), "{said}");
        }
    }

    #[test]
    fn a_path_is_told_from_its_crate_on() {
        for (path, told) in [
            ("/home/me/testlake/crates/report/src/lib.rs:1:2", "crates/report/src/lib.rs:1:2"),
            ("./crates/report/src/lib.rs:1:2", "crates/report/src/lib.rs:1:2"),
            ("crates/report/src/lib.rs:1:2", "crates/report/src/lib.rs:1:2"),
            ("/home/crates/me/crates/cli/src/main.rs:1", "crates/cli/src/main.rs:1"),
            ("C:\\x\\testlake\\crates\\cli\\src\\main.rs:1", "crates\\cli\\src\\main.rs:1"),
            (
                "/root/.cargo/registry/src/index.crates.io-1949/memchr-2.7.4/src/lib.rs:3:4",
                "memchr-2.7.4/src/lib.rs:3:4",
            ),
            ("/rustc/5980/library/core/src/option.rs:5:6", "library/core/src/option.rs:5:6"),
            ("src/x.rs", "src/x.rs"),
        ] {
            assert_eq!(without_build_path(path), told);
        }
    }

    #[test]
    fn a_panic_ends_with_the_code_of_a_bug() {
        assert_eq!(guarded(|| panic!("on purpose")).unwrap().code(), 70);
    }
}
