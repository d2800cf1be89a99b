//! The lake as its users see it.
//!
//! Each module is marked as a test's, so that the lints for tests hold for its helpers too.

#[cfg(test)]
mod ask;
#[cfg(test)]
mod collected;
#[cfg(test)]
mod format;
#[cfg(test)]
mod keep;
#[cfg(test)]
mod kit;
#[cfg(test)]
mod others;
#[cfg(test)]
mod race;
#[cfg(test)]
mod take_in;
#[cfg(test)]
mod twin;
