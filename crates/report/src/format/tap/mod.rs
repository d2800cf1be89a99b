//! The Test Anything Protocol, versions 12 to 14 (<https://testanything.org/tap-version-14-specification.html>).
//!
//! A case is a test point of the outermost level. What subtests say of failures stands in its text: their points have no
//! plan and no name of their own that would hold across producers.
//!
//! - [`line`]: what a line is.
//! - [`yaml`]: what of a diagnostic block is read.
//! - [`reader`]: lines → cases.

mod line;
mod reader;
mod yaml;

pub(super) use line::{is_plan, is_point, is_version};
pub(super) use reader::TapReader;
