//! Reads test reports: the bytes of one report in, cases and findings out.
//!
//! No I/O, no clock, no async, no notion of a run. Input is hostile: every function is total, and what is
//! wrong with a report but survivable is a [`Finding`] with a stable code and a byte offset.
//!
//! - [`scan`]: bytes → tags, texts and their offsets, without a tree and without a copy.
//! - [`limits`]: the caps on what a report may ask of us.

pub mod finding;
pub mod limits;
pub mod scan;

pub use finding::{Finding, FindingCode};
pub use limits::Limits;
