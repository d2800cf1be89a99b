//! Reads test reports: the bytes of one report in, cases and findings out.
//!
//! No I/O, no clock, no async, no notion of a run. Input is hostile: every function is total, and what is
//! wrong with a report but survivable is a [`Finding`] with a stable code and a byte offset.
//!
//! - [`read`], [`ReportReader`]: a report in memory, or in chunks, to a [`Visitor`].
//! - [`model`]: what is told of a case.
//! - [`format`](mod@format): the formats, found by content.
//! - [`identity`]: what makes a case the same test in every run.
//! - [`scan`]: bytes → tags, values and texts, and their offsets, without a copy.
//! - [`form`]: cases → reports of another form.
//! - [`fold`]: what of it may be left out.
//! - [`position`]: byte offsets → lines and columns.
//! - [`limits`]: the caps on what a report may ask of us.

mod advice;
pub mod finding;
pub mod fold;
pub mod form;
pub mod format;
pub mod identity;
pub mod limits;
pub mod model;
mod out;
pub mod position;
mod reader;
pub mod scan;
mod seen;
#[cfg(test)]
mod testing;
pub mod time;

pub use finding::{Finding, FindingCode};
pub use fold::Fold;
pub use format::Format;
pub use limits::Limits;
pub use model::{Case, Outcome};
pub use out::Visitor;
pub use reader::{Options, Reading, ReportReader, read};
