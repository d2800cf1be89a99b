//! The Parquet files that tables are made of: how they are laid out, written and read.

mod numbered;
mod read;
mod statistics;
mod write;

pub(crate) use read::{conformed, read};
pub(crate) use statistics::{Statistics, bounds_hold};
pub(crate) use write::{Effort, FileWriter, name_of, put, write_whole};
