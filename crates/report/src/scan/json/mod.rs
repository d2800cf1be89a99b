//! Reads JSON that may break off.
//!
//! A value becomes a tree of places in the text; strings and numbers are decoded when they are asked for. Where the
//! text is wrong or ends, the containers that are open stay as far as they were read and are marked as not whole.
//! Grammar: <https://www.rfc-editor.org/rfc/rfc8259>.

mod tree;
mod value;

#[cfg(test)]
mod tests;

pub use tree::{JsonBreak, JsonEnd, JsonTree};
pub use value::Json;
