//! Progress on a terminal: one line on stderr, silent for the first quarter of a second.
//!
//! Workers touch counters alone. A thread of its own draws them, at most 30 times a second.

use std::io::IsTerminal as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use testlake_collect::plan::Observer;

use crate::render::number;

/// What is over in less is not worth a flicker.
const SILENCE: Duration = Duration::from_millis(250);
/// Between two drawings: smooth enough, and 10 a second at most.
const PAUSE: Duration = Duration::from_millis(100);

/// How far a collection is.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    artifacts: AtomicU64,
    artifacts_done: AtomicU64,
    bytes: AtomicU64,
    bytes_fetched: AtomicU64,
    cases: AtomicU64,
}

impl Observer for Counters {
    fn artifacts_known(&self, count: u64, bytes: Option<u64>) {
        self.artifacts.fetch_add(count, Ordering::Relaxed);
        self.bytes.fetch_add(bytes.unwrap_or(0), Ordering::Relaxed);
    }

    fn bytes_fetched(&self, count: u64) {
        self.bytes_fetched.fetch_add(count, Ordering::Relaxed);
    }

    fn artifact_done(&self) {
        self.artifacts_done.fetch_add(1, Ordering::Relaxed);
    }

    fn cases(&self, count: u64) {
        self.cases.fetch_add(count, Ordering::Relaxed);
    }
}

impl Counters {
    /// Renders them as one line.
    fn line(&self) -> String {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let (done, known) = (get(&self.artifacts_done), get(&self.artifacts));
        if known == 0 {
            return "looking for artifacts".to_owned();
        }
        let (fetched, all) = (get(&self.bytes_fetched), get(&self.bytes));
        // A source may not know the sizes, or know too small ones.
        let of_all = if all > fetched { format!(" of {}", number::bytes(all)) } else { String::new() };
        format!(
            "{} of {} artifacts, {}{of_all}, {} cases",
            number::count(done),
            number::count(known),
            number::bytes(fetched),
            number::count(get(&self.cases))
        )
    }
}

/// The line on the terminal, while it lives.
#[derive(Debug)]
pub(crate) struct Progress {
    drawer: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Shows the counters where stderr is a terminal and it `is_wanted`.
    pub(crate) fn show(counters: &Arc<Counters>, is_wanted: bool) -> Self {
        if !is_wanted || !std::io::stderr().is_terminal() {
            return Self { drawer: None };
        }
        let (stop, stopped) = channel();
        let counters = Arc::clone(counters);
        let draw = move || {
            if stopped.recv_timeout(SILENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(30));
            if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}, {elapsed}") {
                bar.set_style(style);
            }
            loop {
                bar.set_message(counters.line());
                bar.tick();
                if stopped.recv_timeout(PAUSE) != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
            bar.finish_and_clear();
        };
        // Without a thread there is no line, and nothing else is lost.
        let drawer = std::thread::Builder::new().name("progress".to_owned()).spawn(draw).ok();
        Self { drawer: drawer.map(|thread| (stop, thread)) }
    }
}

impl Drop for Progress {
    /// Takes the line off the terminal.
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.drawer.take() {
            drop(stop);
            thread.join().ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_what_is_known() {
        let counters = Counters::default();
        insta::assert_snapshot!(counters.line(), @"looking for artifacts");
        counters.artifacts_known(1200, Some(5_000_000));
        counters.bytes_fetched(1_200_000);
        counters.artifact_done();
        counters.cases(12_345);
        insta::assert_snapshot!(counters.line(), @"1 of 1,200 artifacts, 1.2 MB of 5.0 MB, 12,345 cases");
        counters.bytes_fetched(9_000_000);
        insta::assert_snapshot!(counters.line(), @"1 of 1,200 artifacts, 10 MB, 12,345 cases");
    }
}
