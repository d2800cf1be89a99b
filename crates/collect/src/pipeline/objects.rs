//! The objects of an attempt under way: lines in, one gzip member each out.

use tokio::runtime::Handle;

use crate::output::gzip::{Level, Member, Piece, PieceCompressor};
use crate::output::{Destination, ObjectKind, ObjectWriter, OutputError};
use crate::plan::WrittenObject;

use super::work::PIECE_BYTES;

/// A collection under way. Dropped before it is committed, it leaves nothing.
#[derive(Debug)]
pub(crate) struct CollectionObject {
    collection: &'static str,
    key: String,
    writer: Option<Box<dyn ObjectWriter>>,
    member: Member,
    compressor: PieceCompressor,
    lines: Vec<u8>,
    rows: u64,
    bytes: u64,
    runtime: Handle,
}

impl CollectionObject {
    /// Begins a collection. Without a destination its bytes are counted and go nowhere.
    pub(crate) fn begin(
        runtime: &Handle,
        destination: Option<&dyn Destination>,
        collection: &'static str,
        key: String,
        level: Level,
    ) -> Result<Self, OutputError> {
        let writer = match destination {
            Some(destination) => Some(runtime.block_on(destination.create(&key, ObjectKind::GzipJson))?),
            None => None,
        };
        let mut object = Self {
            collection,
            key,
            writer,
            member: Member::new(),
            compressor: PieceCompressor::new(level),
            lines: Vec::new(),
            rows: 0,
            bytes: 0,
            runtime: runtime.clone(),
        };
        let header = object.member.header().to_vec();
        object.write(header)?;
        Ok(object)
    }

    fn write(&mut self, bytes: Vec<u8>) -> Result<(), OutputError> {
        self.bytes += bytes.len() as u64;
        match &mut self.writer {
            Some(writer) => self.runtime.block_on(writer.write(bytes.into())),
            None => Ok(()),
        }
    }

    /// Adds lines that a worker has compressed.
    pub(crate) fn add_piece(&mut self, piece: Piece, rows: u64) -> Result<(), OutputError> {
        self.member.add(&piece);
        self.rows += rows;
        self.write(piece.bytes)
    }

    /// Adds lines.
    pub(crate) fn add_lines(&mut self, lines: &[u8], rows: u64) -> Result<(), OutputError> {
        self.lines.extend_from_slice(lines);
        self.rows += rows;
        if self.lines.len() >= PIECE_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> Result<(), OutputError> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let piece = self.compressor.compress(&self.lines);
        self.lines.clear();
        self.add_piece(piece, 0)
    }

    /// Ends the bytes; nothing is visible before [`commit`](Self::commit).
    pub(crate) fn end(&mut self) -> Result<(), OutputError> {
        self.flush()?;
        let trailer = std::mem::take(&mut self.member).trailer();
        self.write(trailer)
    }

    /// Returns the name of the collection.
    pub(crate) fn collection(&self) -> &'static str {
        self.collection
    }

    /// Makes the object visible.
    pub(crate) fn commit(mut self) -> Result<WrittenObject, OutputError> {
        if let Some(writer) = self.writer.take() {
            self.runtime.block_on(writer.commit())?;
        }
        Ok(WrittenObject {
            collection: self.collection.to_owned(),
            key: std::mem::take(&mut self.key),
            rows: self.rows,
            bytes: self.bytes,
        })
    }
}

impl Drop for CollectionObject {
    /// Gives up what was not committed, however its collection ended.
    fn drop(&mut self) {
        if let Some(writer) = self.writer.take() {
            self.runtime.block_on(writer.abort());
        }
    }
}
