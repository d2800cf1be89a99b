//! Bytes → structure, without a tree and without a copy.
//!
//! - `block`: sixteen bytes at a time.
//! - [`xml`]: tags and texts of XML, as they stand.
//! - [`mod@reference`]: what a raw text or attribute value reads as: references, line ends, white space.
//! - [`json`]: JSON that may break off.
//! - [`encoding`]: bytes in any encoding → UTF-8.

mod block;
pub mod encoding;
pub mod json;
pub mod reference;
pub(crate) mod stream;
pub mod xml;
