//! The log: on stderr, behind `--verbose`.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::plan::Talk;

/// Starts the log, if one is asked for.
pub(crate) fn start(talk: Talk) {
    let ours = match talk.verbose {
        _ if talk.quiet => return,
        0 => return,
        1 => LevelFilter::INFO,
        2 => LevelFilter::DEBUG,
        _ => LevelFilter::TRACE,
    };
    let others = if talk.verbose > 2 { LevelFilter::DEBUG } else { LevelFilter::WARN };
    let targets = Targets::new().with_default(others).with_targets(
        ["testlake", "testlake_collect", "testlake_lake", "testlake_report"].map(|target| (target, ours)),
    );
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_ansi(false);
    // Only a second call in one process could fail.
    tracing_subscriber::registry().with(lines).with(targets).try_init().ok();
}
