//! One gzip member made of pieces that are compressed apart from each other.
//!
//! ```text
//! header │ piece │ piece │ ... │ final empty block │ CRC-32, length
//! ```
//!
//! A [`PieceCompressor`] on any thread makes a [`Piece`]; a [`Member`] takes them in order and knows what stands
//! before, and after, them. Readers that stop after the first member of a gzip file read everything, as there is
//! one member alone. The same pieces make the same bytes: the header has no time.
//!
//! Not here: where the bytes go.

mod member;
mod piece;

#[cfg(test)]
mod tests;

pub use member::Member;
pub use piece::{Level, Piece, PieceCompressor};
