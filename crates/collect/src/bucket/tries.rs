//! How often and how long something is tried again.

use std::time::{Duration, Instant};

use super::StoreSettings;

/// Waits between retries: doubled each time up to a limit, with jitter, so that many clients that failed together do
/// not come back together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Backoff {
    first: Duration,
    limit: Duration,
}

impl Backoff {
    pub(crate) fn new(settings: &StoreSettings) -> Self {
        Self { first: settings.backoff, limit: settings.max_backoff }
    }

    /// Returns how long to wait after so many failures: between a half and the whole of the doubled time.
    pub(crate) fn wait(self, failures: usize) -> Duration {
        let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
        let whole = self.first.saturating_mul(1 << doublings).min(self.limit);
        whole / 2 + (whole / 2).mul_f64(fastrand::f64())
    }
}

/// How far a fetch must come for the deadline to count anew: less is no progress worth waiting for.
const STEP_BYTES: u64 = 1 << 20;

/// The tries of one operation.
#[derive(Debug)]
pub(crate) struct Tries {
    backoff: Backoff,
    retries: usize,
    deadline: Duration,
    since: Instant,
    bytes: u64,
    failures: usize,
}

impl Tries {
    pub(crate) fn new(settings: &StoreSettings) -> Self {
        Self {
            backoff: Backoff::new(settings),
            retries: settings.retries,
            deadline: settings.deadline,
            since: Instant::now(),
            bytes: 0,
            failures: 0,
        }
    }

    /// Hears that so many bytes came: failures count anew, and after a MiB so does the deadline.
    pub(crate) fn progress(&mut self, bytes: u64) {
        self.failures = 0;
        self.bytes += bytes;
        if self.bytes >= STEP_BYTES {
            self.bytes = 0;
            self.since = Instant::now();
        }
    }

    /// Hears that a part of the work is done for good.
    pub(crate) fn step_done(&mut self) {
        self.progress(STEP_BYTES);
    }

    /// Reports whether too little came in too long.
    pub(crate) fn is_overdue(&self) -> bool {
        self.since.elapsed() > self.deadline
    }

    /// Waits for the next try after a failure; false where there is none.
    pub(crate) async fn again(&mut self) -> bool {
        self.failures += 1;
        let wait = self.backoff.wait(self.failures);
        if self.failures > self.retries || self.since.elapsed() + wait > self.deadline {
            return false;
        }
        tokio::time::sleep(wait).await;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> StoreSettings {
        let mut settings = StoreSettings::new(&|_| None);
        settings.backoff = Duration::from_millis(100);
        settings.max_backoff = Duration::from_secs(1);
        settings
    }

    #[test]
    fn waits_double_up_to_the_limit() {
        let backoff = Backoff::new(&settings());
        for (failures, whole) in [(1, 100), (2, 200), (4, 800), (5, 1000), (60, 1000), (usize::MAX, 1000)] {
            for _ in 0..50 {
                let wait = backoff.wait(failures).as_millis();
                assert!((whole / 2..=whole).contains(&wait), "{failures}: {wait}");
            }
        }
    }

    #[tokio::test]
    async fn progress_begins_the_count_anew_and_the_deadline_ends_it() {
        let mut settings = settings();
        settings.backoff = Duration::ZERO;
        settings.retries = 2;
        let mut tries = Tries::new(&settings);
        assert!(tries.again().await && tries.again().await);
        tries.progress(1);
        assert!(tries.again().await && tries.again().await && !tries.again().await);

        settings.deadline = Duration::ZERO;
        let mut tries = Tries::new(&settings);
        tries.progress(STEP_BYTES - 1);
        assert!(tries.is_overdue() && !tries.again().await);
        settings.deadline = Duration::from_hours(1);
        let mut tries = Tries::new(&settings);
        tries.since = Instant::now().checked_sub(Duration::from_hours(2)).unwrap();
        assert!(tries.is_overdue() && !tries.again().await);
        tries.progress(STEP_BYTES);
        assert!(!tries.is_overdue() && tries.again().await);
    }
}
