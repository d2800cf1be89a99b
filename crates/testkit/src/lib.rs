//! What the tests stand on. Never shipped.

#![expect(clippy::missing_panics_doc, reason = "what cannot be set up fails the test that asked for it")]

pub mod run;
pub mod scripted;
pub mod tools;
pub mod zip;
