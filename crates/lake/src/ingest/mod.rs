//! Taking in: from cases that come from many threads, through sorted files, to one commit a table.
//!
//! Rows are held until there are enough for a file; what is held at once depends on the number of threads, not on the
//! size of the run. No reader sees any of it before the commit.

mod attempt;
mod intern;
mod report;
mod results;
mod rows;
mod small;
mod take_in;

pub use attempt::{AttemptFacts, Figures, Origin, ReportKey};
pub use report::ReportRows;
pub use results::LakeResults;
pub use rows::telling;
pub use take_in::{Ingest, TakenIn};
