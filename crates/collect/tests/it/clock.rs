//! A clock that moves when somebody waits, and settings that use it.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;
use testlake_collect::source::http::{Clock, HttpSettings};

/// The time of day when each [`TestClock`] starts: 2023-11-14 22:13:20 UTC.
pub(crate) const START: u64 = 1_700_000_000;

/// Time that passes only in pauses. Each pause is as long as it can be.
#[derive(Debug)]
pub(crate) struct TestClock {
    start: Instant,
    pauses: Mutex<Vec<Duration>>,
}

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), pauses: Mutex::default() })
    }

    /// Returns the pauses so far, in seconds.
    pub(crate) fn pauses(&self) -> Vec<f64> {
        self.pauses.lock().unwrap().iter().map(Duration::as_secs_f64).collect()
    }

    fn passed(&self) -> Duration {
        self.pauses.lock().unwrap().iter().sum()
    }
}

#[async_trait]
impl Clock for TestClock {
    fn now(&self) -> Instant {
        self.start + self.passed()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(START) + self.passed()
    }

    fn chance(&self) -> f64 {
        1.0
    }

    async fn sleep(&self, pause: Duration) {
        self.pauses.lock().unwrap().push(pause);
    }
}

/// Returns the default settings on this clock.
pub(crate) fn settings(clock: &Arc<TestClock>) -> HttpSettings {
    HttpSettings { clock: clock.clone(), ..HttpSettings::default() }
}
