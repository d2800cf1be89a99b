//! What the tests stand on. Never shipped.

pub mod scripted;
pub mod zip;
