//! Compresses one piece so that another can follow: it ends with what zlib calls a sync flush, an empty stored block, and so
//! on a byte.

use flate2::{Compress, CompressError, Compression, FlushCompress, Status};

/// How hard to compress.
///
/// The default is 5, the fastest level whose pieces of 2 MiB are within 1.1 times the size of `gzip -9`
/// (`scripts/bench gzip`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level(u8);

impl Level {
    /// Makes a level from 1 (fast) to 9 (small); `None` for other numbers.
    pub fn new(level: u8) -> Option<Self> {
        (1..=9).contains(&level).then_some(Self(level))
    }
}

impl Default for Level {
    fn default() -> Self {
        Self(5)
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
#[derive(Debug)]
pub struct PieceCompressor {
    compressor: Compress,
    scratch: Vec<u8>,
}

impl PieceCompressor {
    /// Makes a compressor.
    pub fn new(level: Level) -> Self {
        let compressor = Compress::new(Compression::new(level.0.into()), false);
        Self { compressor, scratch: Vec::new() }
    }

    /// Compresses a piece.
    ///
    /// # Cost
    /// A buffer of about the size of the largest piece's compressed form stays.
    pub fn compress(&mut self, data: &[u8]) -> Piece {
        let bytes = if data.is_empty() {
            Vec::new()
        } else {
            self.deflate(data).unwrap_or_else(|error| {
                tracing::warn!(bytes = data.len(), %error, "a piece is stored, as it could not be deflated");
                store(data)
            })
        };
        Piece { bytes, crc32: crc32fast::hash(data), len: data.len() as u64 }
    }

    /// # Errors
    /// None that input could cause: zlib knows errors of its own state alone.
    pub(super) fn deflate(&mut self, data: &[u8]) -> Result<Vec<u8>, CompressError> {
        // of the documents about 1 byte in 15 is left
        const LEAST_ROOM: usize = 1 << 10;
        self.compressor.reset();
        self.scratch.clear();
        self.scratch.reserve(data.len() / 8 + LEAST_ROOM);
        let mut rest = data;
        loop {
            let before = self.compressor.total_in();
            let status = self.compressor.compress_vec(rest, &mut self.scratch, FlushCompress::Sync)?;
            let taken = usize::try_from(self.compressor.total_in() - before).unwrap_or(usize::MAX);
            rest = rest.get(taken..).unwrap_or_default();
            // room that is left is the sign that all has been flushed
            let is_flushed = status == Status::BufError || self.scratch.len() < self.scratch.capacity();
            if rest.is_empty() && is_flushed {
                return Ok(self.scratch.clone());
            }
            self.scratch.reserve(self.scratch.len() / 2 + LEAST_ROOM);
        }
    }
}

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
