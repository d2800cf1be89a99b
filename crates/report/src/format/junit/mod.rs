//! JUnit XML in all its dialects (`docs/dialects.md` has a row for each).
//!
//! - `reader`: suites, and the tree of one case after the other, in windows of any size.
//! - `frame`: what a suite says of itself, and what was found in it.
//! - `case`: a `testcase` → a case; `field`: what its attributes say; `trouble`: its failures and tries.
//! - `held`: several entries of one case → a case.

mod case;
mod field;
mod frame;
mod held;
mod reader;
#[cfg(test)]
mod tests;
mod trouble;

pub(crate) use reader::{JunitReader, JunitState};
