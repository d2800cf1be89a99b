//! Cases → reports of another form. No I/O: what is written is appended to a text.
//!
//! `docs/convert.md` says what each form holds, and what it cannot.

pub mod ctrf;
mod json;
pub mod junit;
pub mod ndjson;
#[cfg(test)]
mod tests;
mod xml;

/// The name and version of what writes.
const WRITER: (&str, &str) = (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"));
