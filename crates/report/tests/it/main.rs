//! Reports as they come, read as a user of the crate would.
//!
//! Each module is marked as a test's, so that the lints for tests hold for its helpers, too.

#[cfg(test)]
mod chunks;
#[cfg(test)]
mod corpus;
#[cfg(test)]
mod cuts;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod large;
#[cfg(test)]
mod told;
#[cfg(test)]
mod twin;
