//! SIGINT and SIGTERM: the first ends the collection cleanly, the second leaves at once.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use testlake_collect::plan::Cancel;

use crate::exit::Exit;

/// Which signal came, if any.
#[derive(Debug, Clone, Default)]
pub(super) struct Received(Arc<AtomicU8>);

impl Received {
    /// Returns the exit of the signal that came.
    pub(super) fn exit(&self) -> Option<Exit> {
        match self.0.load(Ordering::Relaxed) {
            0 => None,
            number => Some(Exit::Signal(number)),
        }
    }
}

/// Starts to listen. Must be called within the runtime.
pub(super) fn listen(cancel: Cancel, is_quiet: bool) -> io::Result<Received> {
    let received = Received::default();
    let mut signals = Signals::new()?;
    let heard = received.clone();
    tokio::spawn(async move {
        let number = signals.next().await;
        heard.0.store(number, Ordering::Relaxed);
        cancel.cancel();
        if !is_quiet {
            // Where stderr is gone there is nobody to tell.
            writeln!(io::stderr(), "\ninterrupted: nothing half is left behind; once more to leave at once")
                .ok();
        }
        leave(Exit::Signal(signals.next().await));
    });
    Ok(received)
}

#[expect(clippy::exit, clippy::disallowed_methods, reason = "the user asked twice: nothing is waited for")]
fn leave(exit: Exit) {
    std::process::exit(exit.code().into());
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    /// Waits for the next and returns its number.
    async fn next(&mut self) -> u8 {
        tokio::select! {
            _ = self.interrupt.recv() => 2,
            _ = self.terminate.recv() => 15,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// Waits for Ctrl-C and returns the number that SIGINT has elsewhere.
    async fn next(&mut self) -> u8 {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        2
    }
}
