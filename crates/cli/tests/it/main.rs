//! The program as its users see it: stdout, stderr and exit code together.
//!
//! Each module is marked as a test's, so that the lints for tests hold for its helpers too.

#[cfg(test)]
mod collect;
#[cfg(test)]
mod ending;
#[cfg(test)]
mod forgotten;
#[cfg(test)]
mod help;
#[cfg(all(feature = "lake", feature = "cloud"))]
#[cfg(test)]
mod history;
#[cfg(unix)]
#[cfg(test)]
mod killed;
#[cfg(feature = "lake")]
#[cfg(test)]
mod lake;
#[cfg(test)]
mod program;
#[cfg(test)]
mod readers;
#[cfg(test)]
mod reading;
#[cfg(feature = "cloud")]
#[cfg(test)]
mod remote;
#[cfg(test)]
mod settings;
#[cfg(feature = "lake")]
#[cfg(test)]
mod sql;
#[cfg(feature = "cloud")]
#[cfg(test)]
mod store;
#[cfg(all(unix, feature = "cloud"))]
#[cfg(test)]
mod terminal;
#[cfg(feature = "lake")]
#[cfg(test)]
mod upload;
