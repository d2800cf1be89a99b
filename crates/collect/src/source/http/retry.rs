//! When a call is repeated, and how long is waited before that.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use async_trait::async_trait;

use crate::source::SourceError;

/// How calls are made and how patient they are.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// How long a call is repeated. For a download it counts from the last time that it moved on by a MiB.
    pub deadline: Duration,
    /// The upper bound of the first pause; that of each later one is twice as long.
    pub first_pause: Duration,
    /// The upper bound of any pause that no server asked for.
    pub longest_pause: Duration,
    /// How long to wait for a connection.
    pub connect_timeout: Duration,
    /// How long to wait for the next bytes.
    pub idle_timeout: Duration,
    /// The most bytes of one artifact.
    pub artifact_bytes: u64,
    /// Time and chance; another than [`SystemClock`] is for tests.
    pub clock: Arc<dyn Clock>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            // 10 minutes: outages of the providers' storage mostly end sooner, and a job should not hang for longer.
            deadline: Duration::from_mins(10),
            first_pause: Duration::from_millis(500),
            longest_pause: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(30),
            // 8 GiB: GitHub's own limit of an artifact is 10 GB, test reports are a thousandth of that.
            artifact_bytes: 8 << 30,
            clock: Arc::new(SystemClock),
        }
    }
}

/// Time and chance, as far as calls depend on them.
#[async_trait]
pub trait Clock: Debug + Send + Sync {
    /// Returns a time that never goes back.
    fn now(&self) -> Instant;

    /// Returns the time of day, which servers name in `Retry-After` and `X-RateLimit-Reset`.
    fn wall(&self) -> SystemTime;

    /// Returns a random number of `0.0..1.0`.
    fn chance(&self) -> f64;

    /// Waits. To drop the future ends it.
    async fn sleep(&self, pause: Duration);
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[async_trait]
impl Clock for SystemClock {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn chance(&self) -> f64 {
        fastrand::f64()
    }

    async fn sleep(&self, pause: Duration) {
        tokio::time::sleep(pause).await;
    }
}

/// How often an answer that is not what was asked for is asked for again: an error page with status 200 is mostly
/// gone at the second try, and where it is not (a login page in the way), no deadline helps.
const GARBAGE_TRIES: u32 = 5;

/// A try that did not succeed.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) error: SourceError,
    pub(super) next: Next,
}

/// What to do after a [`Failure`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The same again would fail the same way.
    Stop,
    /// Again, after a pause.
    Again,
    /// Again, [`GARBAGE_TRIES`] times at most.
    AgainFewTimes,
    /// Again, not before this has passed: the server said so.
    After(Duration),
}

impl Failure {
    pub(super) fn stop(error: SourceError) -> Self {
        Self { error, next: Next::Stop }
    }

    pub(super) fn again(error: SourceError) -> Self {
        Self { error, next: Next::Again }
    }
}

/// One call: its tries and its deadline.
#[derive(Debug)]
pub(super) struct Call<'a> {
    settings: &'a HttpSettings,
    started: Instant,
    tries: u32,
    backoffs: u32,
}

impl<'a> Call<'a> {
    pub(super) fn begin(settings: &'a HttpSettings) -> Self {
        Self { settings, started: settings.clock.now(), tries: 0, backoffs: 0 }
    }

    /// Counts the deadline from now on: the call has moved on.
    pub(super) fn moved_on(&mut self) {
        self.started = self.settings.clock.now();
        self.backoffs = 0;
    }

    /// Returns how long is left until the deadline.
    pub(super) fn left(&self) -> Duration {
        let passed = self.settings.clock.now().saturating_duration_since(self.started);
        self.settings.deadline.saturating_sub(passed)
    }

    /// Waits until `at`, where that lies before the deadline.
    pub(super) async fn wait_until(&self, at: Instant) {
        let pause = at.saturating_duration_since(self.settings.clock.now());
        if !pause.is_zero() && pause < self.left() {
            self.settings.clock.sleep(pause).await;
        }
    }

    /// Waits until the next try, or returns the error where there is none.
    pub(super) async fn pause_after(&mut self, failure: Failure) -> Result<(), SourceError> {
        self.tries += 1;
        let pause = match failure.next {
            Next::Stop => return Err(failure.error),
            Next::AgainFewTimes if self.tries >= GARBAGE_TRIES => return Err(self.give_up(failure.error)),
            Next::Again | Next::AgainFewTimes => self.backoff(),
            // A little more than asked for, so that those who wait for the same moment do not come all at once.
            Next::After(pause) => pause.saturating_add(self.backoff()),
        };
        if pause >= self.left() {
            return Err(self.give_up(failure.error));
        }
        tracing::warn!(tries = self.tries, ?pause, error = %failure.error, "repeating a call");
        self.settings.clock.sleep(pause).await;
        Ok(())
    }

    fn backoff(&mut self) -> Duration {
        let doubled = 2_u32.saturating_pow(self.backoffs);
        self.backoffs = self.backoffs.saturating_add(1);
        let bound = self.settings.first_pause.saturating_mul(doubled).min(self.settings.longest_pause);
        let chance = self.settings.clock.chance();
        // `clamp` keeps `mul_f64` from its only panics: a negative or too large product.
        bound.mul_f64(if chance.is_nan() { 0.0 } else { chance.clamp(0.0, 1.0) })
    }

    fn give_up(&self, error: SourceError) -> SourceError {
        let (tries, deadline) = (self.tries, self.settings.deadline);
        let word = if tries == 1 { "try" } else { "tries" };
        error.and(&format!("; gave up after {tries} {word}, deadline {deadline:?}"))
    }
}
