//! The lake as its users see it.

mod ask;
mod kit;
mod others;
mod race;
mod take_in;
