//! HTTP as the providers need it: calls that are repeated while that may help, redirects that never carry the
//! token to another origin, downloads that go on where they broke.
//!
//! What is repeated, with exponential backoff and full jitter, until [`HttpSettings::deadline`]: connections that
//! fail or stall, 408, 425, 429, 5xx, a body that breaks off. An answer that is no JSON where JSON is expected is
//! repeated a few times. `Retry-After` and the rate limit's reset time are waited for where they lie before the
//! deadline, and named where they do not. All else is final at once.
//!
//! Addresses are shown without query and user information, and answers' bodies only by their JSON `message`.

mod answer;
mod api;
mod client;
mod download;
mod link;
mod retry;

/// The bytes of a download that are kept in memory; test reports of a job are mostly fewer.
pub(super) const MEMORY_BYTES: usize = 16 << 20;

pub(super) use api::{Api, ApiWords, BEARER};
pub(super) use client::{Http, shown};
pub use retry::{Clock, HttpSettings, SystemClock};
