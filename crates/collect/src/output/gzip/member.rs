//! What stands before and after the pieces.

use super::Piece;

/// Joins pieces in order into one gzip member.
///
/// What is to be written: [`Member::header`], the bytes of each piece after [`Member::add`], [`Member::trailer`].
///
/// # Examples
/// ```
/// use testlake_collect::output::gzip::{Level, Member, PieceCompressor};
///
/// let mut compressor = PieceCompressor::new(Level::default());
/// let mut member = Member::new();
/// let mut file = member.header().to_vec();
/// for data in [b"{\"a\": 1}\n", b"{\"a\": 2}\n"] {
///     let piece = compressor.compress(data);
///     member.add(&piece);
///     file.extend_from_slice(&piece.bytes);
/// }
/// file.extend_from_slice(&member.trailer());
/// ```
#[derive(Debug, Default)]
pub struct Member {
    checksum: crc32fast::Hasher,
    len: u64,
}

impl Member {
    /// Begins a member.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns the bytes before the first piece.
    pub fn header(&self) -> &'static [u8] {
        // Magic, method deflate, no flags, no time, no word on the level, and an unknown system (255), so that
        // the bytes tell nothing of the machine.
        &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]
    }

    /// Takes account of the next piece.
    pub fn add(&mut self, piece: &Piece) {
        self.checksum.combine(&crc32fast::Hasher::new_with_initial_len(piece.crc32, piece.len));
        self.len = self.len.wrapping_add(piece.len);
    }

    /// Returns the bytes after the last piece.
    pub fn trailer(self) -> Vec<u8> {
        // A final block with the fixed code that holds nothing but its end: bits 1, 01, 0000000, then padding.
        let mut bytes = vec![0x03, 0x00];
        bytes.extend_from_slice(&self.checksum.finalize().to_le_bytes());
        // The format keeps the length modulo 2^32.
        bytes.extend_from_slice(self.len.to_le_bytes().first_chunk::<4>().unwrap_or(&[0; 4]));
        bytes
    }
}
