//! Collects an attempt: one way, from the sources' lists to the ledger.
//!
//! ```text
//! listing ─ feed ──────────────── workers ───────────── fold ─────────────── objects
//!           fetches a few ahead,  inflate, pass once,   adds up in the       one gzip member
//!           opens in order        compress pieces       order of the run     each, ledger last
//! ```
//!
//! Units go to whichever worker is free; what comes of them is taken in their order, so that the output does not depend
//! on the number of workers. Each queue on the way is bounded, so memory is by workers, not by input.

mod additional;
mod exclusions;
mod failure;
mod feed;
mod finish;
mod first_sight;
mod fold;
mod listing;
mod lost;
mod missing;
mod objects;
mod pass;
mod report;
mod reread;
mod run;
mod summary;
mod typed;
mod unit;
mod work;

pub use run::collect;
