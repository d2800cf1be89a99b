//! The objects of an attempt under way: lines in, one gzip member each out.

use std::collections::VecDeque;
use std::num::NonZeroUsize;

use tokio::runtime::Handle;
use tokio::task::JoinHandle;

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
    level: Level,
    lines: Vec<u8>,
    /// Pieces that are compressed on other threads, in order.
    under_way: VecDeque<JoinHandle<Piece>>,
    /// How many there may be at once; none where this thread compresses.
    most_under_way: usize,
    compressor: Option<PieceCompressor>,
    rows: u64,
    bytes: u64,
    runtime: Handle,
}

impl CollectionObject {
    /// Begins a collection. Without a destination its bytes are counted and go nowhere. Lines that are added are compressed on
    /// up to `threads` others, or on this one where it is to be the only one.
    pub(crate) fn begin(
        runtime: &Handle,
        destination: Option<&dyn Destination>,
        collection: &'static str,
        key: String,
        (level, threads): (Level, NonZeroUsize),
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
            level,
            lines: Vec::new(),
            under_way: VecDeque::new(),
            // one thread does it itself
            most_under_way: if threads.get() == 1 { 0 } else { threads.get() },
            compressor: None,
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
        if self.most_under_way == 0 {
            let mut lines = std::mem::take(&mut self.lines);
            let compressor = self.compressor.get_or_insert_with(|| PieceCompressor::new(self.level));
            let piece = compressor.compress(&lines);
            lines.clear();
            self.lines = lines;
            return self.add_piece(piece, 0);
        }
        while self.under_way.len() >= self.most_under_way {
            self.take_piece()?;
        }
        let (lines, level) = (std::mem::take(&mut self.lines), self.level);
        let compress = move || PieceCompressor::new(level).compress(&lines);
        self.under_way.push_back(self.runtime.spawn_blocking(compress));
        Ok(())
    }

    /// Waits for the piece that is compressed longest.
    fn take_piece(&mut self) -> Result<(), OutputError> {
        let Some(piece) = self.under_way.pop_front() else { return Ok(()) };
        match self.runtime.block_on(piece) {
            Ok(piece) => self.add_piece(piece, 0),
            Err(error) => match error.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(ended) => {
                    Err(OutputError::Unavailable { place: self.key.clone(), source: Box::new(ended) })
                }
            },
        }
    }

    /// Ends the bytes; nothing is visible before [`commit`](Self::commit).
    pub(crate) fn end(&mut self) -> Result<(), OutputError> {
        self.flush()?;
        while !self.under_way.is_empty() {
            self.take_piece()?;
        }
        let trailer = std::mem::take(&mut self.member).trailer();
        self.write(trailer)
    }

    /// Returns the name of the collection.
    pub(crate) fn collection(&self) -> &'static str {
        self.collection
    }

    /// Makes the object visible.
    pub(crate) async fn commit(mut self) -> Result<WrittenObject, OutputError> {
        // taken first: what is dropped with a writer waits for it to be given up, which must not be done in here
        if let Some(writer) = self.writer.take() {
            writer.commit().await?;
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
