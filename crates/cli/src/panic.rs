//! What is said of a bug.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write as _;
use std::panic::PanicHookInfo;

use crate::render::for_terminal;

/// Replaces the standard message by one that says whose fault it is and what to do.
pub(crate) fn install_hook() {
    std::panic::set_hook(Box::new(|info| {
        // Where stderr is gone there is nobody to tell.
        writeln!(std::io::stderr(), "{}", message(info, &Backtrace::capture())).ok();
    }));
}

fn message(info: &PanicHookInfo<'_>, backtrace: &Backtrace) -> String {
    let text = info.payload_as_str().unwrap_or("something that is no text");
    let place = info.location().map(|place| format!(" at {place}")).unwrap_or_default();
    let version = env!("CARGO_PKG_VERSION");
    let mut message = format!(
        "internal error: this is a bug of testlake {version}, not of your reports\n  caused by: {}{place}",
        for_terminal(text)
    );
    if backtrace.status() == BacktraceStatus::Captured {
        message.push('\n');
        message.push_str(&backtrace.to_string());
    } else {
        message.push_str("\n  hint: run it again with RUST_BACKTRACE=1 and report what it prints");
    }
    message
}
