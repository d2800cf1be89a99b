//! JUnit XML in all its dialects (`docs/dialects.md` has a row for each).
//!
//! - `reader`: suites, and the tree of one case after the other, in windows of any size.
//! - `frame`: what a suite says of itself, and what was found in it.
//! - `case`: the tree of a case → a case; `trouble`: its failures and tries.
//! - `held`: several entries of one case → a case.

mod case;
mod frame;
mod held;
mod reader;
#[cfg(test)]
mod tests;
mod trouble;

pub(crate) use reader::{JunitReader, JunitState};
