//! Object stores as sources and destinations share them: addresses, credentials, what errors mean.
//!
//! Not here: what is read from a store ([`crate::source`]) and what is written to one ([`crate::output`]).

mod url;

pub use url::{Provider, StoreUrl, StoreUrlError};
