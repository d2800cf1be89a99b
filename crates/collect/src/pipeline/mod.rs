//! Collects an attempt: one way, from the sources' lists to the ledger.
//!
//! ```text
//! listing ─ feed ──────────────── workers ───────────── fold ─────────────── objects
//!           fetches a few ahead,  inflate, pass once,   adds up in the       one gzip member
//!           opens in order        compress pieces       order of the run     each, ledger last
//! ```
//!
//! These are no threads, but what each of the threads does in turn: whoever finds no unit feeds, and whoever has handed on what
//! came of one folds. What comes of units is folded in their order, so that the output does not depend on the number of
//! threads. Each queue on the way is bounded, so memory is by threads, not by input.

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
mod numbers;
mod objects;
mod pass;
mod report;
mod reread;
mod rows;
mod run;
mod steps;
mod summary;
mod typed;
mod unit;
mod work;

pub use run::collect;
