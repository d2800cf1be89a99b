//! Reports as they come, read as a user of the crate would.

mod corpus;
