//! Compresses one piece so that another can follow.
//!
//! libdeflate makes whole streams only. So the last block of what it makes is found ([`super::walk`]), its mark
//! of being the last is cleared, and an empty stored block is put after it, which ends on a byte: what zlib calls
//! a sync flush.

use libdeflater::{CompressionLvl, Compressor};

use super::walk::{PADDING_BYTES, Walker};

/// How hard to compress.
///
/// The default is 6, the fastest level whose pieces of 2 MiB are within 1.1 times the size of `gzip -9`
/// (`scripts/bench gzip`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level(pub(super) CompressionLvl);

impl Level {
    /// Makes a level from 1 (fast) to 12 (small); `None` for other numbers.
    pub fn new(level: u8) -> Option<Self> {
        match level {
            1..=12 => CompressionLvl::new(i32::from(level)).ok().map(Self),
            _ => None,
        }
    }
}

impl Default for Level {
    fn default() -> Self {
        Self(CompressionLvl::new(6).unwrap_or_default())
    }
}

/// Deflated bytes that begin and end on a byte, and are not the last of their stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The deflated bytes.
    pub bytes: Vec<u8>,
    /// The CRC-32 of what went in.
    pub crc32: u32,
    /// The number of bytes that went in.
    pub len: u64,
}

/// Compresses pieces, one after another. Nothing of a piece stays for the next, but buffers.
pub struct PieceCompressor {
    compressor: Compressor,
    walker: Walker,
    scratch: Vec<u8>,
}

impl std::fmt::Debug for PieceCompressor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PieceCompressor").finish_non_exhaustive()
    }
}

impl PieceCompressor {
    /// Makes a compressor.
    pub fn new(level: Level) -> Self {
        Self { compressor: Compressor::new(level.0), walker: Walker::new(), scratch: Vec::new() }
    }

    /// Compresses a piece.
    ///
    /// # Cost
    /// Memory of about twice the piece while it works; a buffer of about the size of the largest piece stays.
    pub fn compress(&mut self, data: &[u8]) -> Piece {
        let bytes = if data.is_empty() {
            Vec::new()
        } else {
            self.deflate(data).unwrap_or_else(|| {
                tracing::warn!(
                    bytes = data.len(),
                    "a piece is stored, as its deflated form was not understood"
                );
                store(data)
            })
        };
        Piece { bytes, crc32: crc32fast::hash(data), len: data.len() as u64 }
    }

    /// Deflates; `None` where what came out is no stream that the walker understands, which would be a defect here.
    pub(super) fn deflate(&mut self, data: &[u8]) -> Option<Vec<u8>> {
        let room = self.compressor.deflate_compress_bound(data.len()) + PADDING_BYTES;
        if self.scratch.len() < room {
            self.scratch.resize(room, 0);
        }
        let len = self.compressor.deflate_compress(data, &mut self.scratch).ok()?;
        let padded = self.scratch.get_mut(..len + PADDING_BYTES)?;
        padded.get_mut(len..)?.fill(0);
        let last = self.walker.last_block(padded, len)?;

        let mut bytes = Vec::with_capacity(len + EMPTY_STORED_BLOCK.len() + 1);
        bytes.extend_from_slice(padded.get(..len)?);
        *bytes.get_mut(last.header_bit / 8)? &= !(1 << (last.header_bit % 8));
        // The three bits of the header of a stored block that is not the last are zeros, as is the padding after
        // the stream's end and after the header.
        bytes.resize((last.end_bit + 3).div_ceil(8), 0);
        bytes.extend_from_slice(EMPTY_STORED_BLOCK);
        Some(bytes)
    }
}

/// A stored block of nothing without its header of three bits: the length, and the length inverted.
const EMPTY_STORED_BLOCK: &[u8] = &[0x00, 0x00, 0xff, 0xff];

/// Makes stored blocks, none of them the last.
pub(super) fn store(data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(data.len() + data.len() / usize::from(u16::MAX) * 5 + 5);
    for block in data.chunks(usize::from(u16::MAX)) {
        let len = u16::try_from(block.len()).unwrap_or(u16::MAX);
        bytes.push(0);
        bytes.extend_from_slice(&len.to_le_bytes());
        bytes.extend_from_slice(&(!len).to_le_bytes());
        bytes.extend_from_slice(block);
    }
    bytes
}
