//! Tests of the collector with real parts.
//!
//! Each module is marked as a test's, so that the lints for tests hold for its helpers too.

#[cfg(test)]
mod archive;
#[cfg(test)]
mod folder;
#[cfg(test)]
mod output;
