//! SIGINT and SIGTERM: the first ends the collection cleanly, the second leaves at once.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use testlake_collect::plan::Cancel;
use tokio::runtime::{Builder, Runtime};

use crate::exit::Exit;

/// Listens while it lives.
#[derive(Debug)]
pub(super) struct Signals {
    received: Arc<AtomicU8>,
    /// One thread that waits for signals, and nothing else.
    _runtime: Runtime,
}

impl Signals {
    /// Starts to listen, and cancels at the first.
    pub(super) fn listen(cancel: &Cancel, is_quiet: bool) -> io::Result<Self> {
        let runtime =
            Builder::new_multi_thread().worker_threads(1).thread_name("signals").enable_all().build()?;
        let mut incoming = {
            let _guard = runtime.enter();
            Incoming::new()?
        };
        let received = Arc::new(AtomicU8::new(0));
        let heard = Arc::clone(&received);
        let cancel = cancel.clone();
        runtime.spawn(async move {
            heard.store(incoming.next().await, Ordering::Relaxed);
            cancel.cancel();
            if !is_quiet {
                // Where stderr is gone there is nobody to tell.
                writeln!(io::stderr(), "\ninterrupted: ending cleanly; once more to leave at once").ok();
            }
            leave(Exit::Signal(incoming.next().await));
        });
        Ok(Self { received, _runtime: runtime })
    }

    /// Returns the exit of the signal that came, if any.
    pub(super) fn exit(&self) -> Option<Exit> {
        match self.received.load(Ordering::Relaxed) {
            0 => None,
            number => Some(Exit::Signal(number)),
        }
    }
}

#[expect(clippy::exit, clippy::disallowed_methods, reason = "the user asked twice: nothing is waited for")]
fn leave(exit: Exit) {
    std::process::exit(exit.code().into());
}

#[cfg(unix)]
struct Incoming {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Incoming {
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
struct Incoming;

#[cfg(not(unix))]
impl Incoming {
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
