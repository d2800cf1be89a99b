//! JUnit XML in all its dialects (`docs/dialects.md` has a row for each).
//!
//! - `reader`: suites, and the tree of one case after the other, in windows of any size.
//! - `case`: the tree of a case → a case.

mod case;
mod reader;

pub(crate) use reader::{JunitReader, JunitState};
