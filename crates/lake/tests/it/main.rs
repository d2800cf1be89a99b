//! The lake as its users see it.

mod ask;
mod collected;
mod format;
mod keep;
mod kit;
mod others;
mod race;
mod take_in;
