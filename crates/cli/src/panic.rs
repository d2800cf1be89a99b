//! What is said of a bug, and its exit code.

use std::backtrace::{Backtrace, BacktraceStatus};
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
    let mut message = format!(
        "internal error: this is a bug of testlake {version}, not of your reports\n  caused by: {} ({place})\n",
        for_terminal(text)
    );
    if backtrace.status() == BacktraceStatus::Captured {
        message.push_str(&backtrace.to_string());
    } else {
        message.push_str("  hint: run it again with RUST_BACKTRACE=1, and report what it prints");
    }
    message
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bug_says_whose_it_is_and_what_to_do() {
        let said = message("index 3\u{1b}[2J", "src/x.rs:1:2", &Backtrace::disabled());
        let said = said.replace(env!("CARGO_PKG_VERSION"), "[VERSION]");
        insta::assert_snapshot!(said, @r"
        internal error: this is a bug of testlake [VERSION], not of your reports
          caused by: index 3\u{1b}[2J (src/x.rs:1:2)
          hint: run it again with RUST_BACKTRACE=1, and report what it prints
        ");
    }

    #[test]
    fn a_panic_ends_with_the_code_of_a_bug() {
        assert_eq!(guarded(|| panic!("on purpose")).unwrap().code(), 70);
    }
}
