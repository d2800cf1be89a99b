//! The tables that keep every result of every run, in a folder or a bucket: taking in, keeping, asking.
//!
//! The tables are those of Delta Lake: Parquet files, and a log of which of them make up each version. What they hold
//! is in [`schema`].
//!
//! Not here: reading reports (`testlake-report`), where runs come from (`testlake-collect`), and printing.

#[cfg(feature = "cloud")]
mod bucket;
mod clock;
pub mod engine;
mod error;
mod file;
pub mod ingest;
pub mod keep;
mod lake;
mod place;
mod replace;
pub mod schema;
mod table;

pub use error::LakeError;
pub use lake::{Lake, PATIENCE};
pub use place::Place;
