//! From a report's cases to the documents and keys of the collections.
//!
//! - `case`: the tree of one outermost case, as places in the bytes.
//! - `document`: that tree as JSON.
//! - `facts`: what the summaries need of a case.
//! - `known`: the names of a case's attributes, once looked at.
//! - `number`, `json`: values as Python reads and writes them.
//! - `selection`: which artifacts and entries a profile takes.

pub(crate) mod case;
pub(crate) mod document;
pub(crate) mod facts;
pub(crate) mod json;
pub(crate) mod known;
pub(crate) mod number;
pub(crate) mod selection;
