//! A slow twin of the reader of JUnit XML: written from `docs/dialects.md`, on quick-xml, with a tree and no shortcuts.
//! Both must tell the same cases, of real reports and of reports made of pieces that nearly match.
//!
//! - `tree`: the document. `suites`: entries in their suites. `case`: an entry → a case.
//! - `reports`, `pieces`: what both are compared on.

mod case;
pub(crate) mod pieces;
mod reports;
mod suites;
mod tree;
