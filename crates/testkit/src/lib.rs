//! What the tests stand on. Never shipped.

pub mod run;
pub mod scripted;
pub mod tools;
pub mod zip;
