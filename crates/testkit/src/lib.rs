//! What the tests stand on. Never shipped.

#![expect(
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "what cannot be set up fails the test that asked for it"
)]

pub mod azurite;
mod background;
pub mod proxy;
pub mod run;
pub mod s3;
pub mod scripted;
pub mod tools;
pub mod zip;
