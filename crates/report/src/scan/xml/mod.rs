//! Finds tags and texts in XML.
//!
//! Input is bytes in UTF-8 (see [`super::encoding`]), given as windows: [`XmlScanner::feed`] reads as far as it can
//! and says how much need not be shown again. A report that is in memory is one window and the last. What is found
//! goes to an [`XmlVisitor`] as places in the window; nothing is copied or decoded ([`super::reference`] does that,
//! for the texts that are kept).
//!
//! Real reports break XML's rules. What can be read in one way only is read, with a finding; reading stops at a cut
//! or mismatched tag, an unclosed section or a second root, since what follows could belong anywhere;
//! [`XmlScanner::going_on`] makes a scanner that passes over what breaks and reads on.
//!
//! - `visitor`: what is told, and to whom.
//! - `scanner`: windows; `text`, `tag`, `section`: what stands in them; `lost`: what is passed over.
//! - `attribute`: the inside of a start tag.
//! - `shape`: the fast way through a tag like one before; `only`: that through an element with one other in it.
//! - [`tree`]: elements with all that is in them, for readers that want a whole one at once.

mod attribute;
mod lost;
mod only;
mod scanner;
mod section;
mod shape;
mod tag;
mod text;
pub mod tree;
mod visitor;

pub use scanner::{AfterBreak, Fed, XmlScanner};
pub(crate) use section::document_type_end;
pub use visitor::{Attribute, ShapeId, Span, StartTag, Text, TextKind, XmlVisitor};

#[cfg(test)]
mod tests;
