//! Settings: each is a flag, an environment twin and a key of `testlake.toml`, of one meaning and one parser.
//!
//! [`table`] is the list of them, [`environment`] what the process was started with, [`mod@file`] the settings
//! file, and [`Layers`] puts flags over environment over file. All of environment and file is checked before
//! any work begins, also what the command at hand does not use.

pub(crate) mod environment;
pub(crate) mod file;
mod layers;
#[cfg(test)]
mod manual;
pub(crate) mod table;
pub(crate) mod value;

pub(crate) use environment::Environment;
pub(crate) use layers::Layers;
