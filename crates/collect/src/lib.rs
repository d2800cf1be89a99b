//! Takes in one attempt of one CI run and writes its collections and its ledger.
//!
//! Data goes one way: [`source`] lists and fetches artifacts, [`archive`] opens them and inflates their
//! entries, [`pipeline`] passes each report once through a `profile`, and [`output`] keeps what came of it.
//! The [`ledger`] says what was expected and what came. [`loose`] reads reports as they lie, without a run.
//!
//! Not here: printing, arguments, settings files (the program `testlake`), and the meaning of a test report's
//! bytes (`testlake-report`).

pub mod archive;
pub mod bucket;
pub mod ci_env;
pub mod ledger;
pub mod limits;
pub mod loose;
pub mod output;
pub mod pipeline;
pub mod plan;
mod profile;
pub mod redact;
pub mod results;
pub mod run;
pub mod source;
pub mod spool;
