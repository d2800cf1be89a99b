//! Turns the bytes of an entry as they lie in an archive into the bytes that they stand for, piece by piece.
//!
//! Decoders know no caps (that is [`super::meter`]) and give every byte before a break: where one comes to light
//! together with bytes, these are given first and the break at the next call.

use std::fs::File;
use std::io::{BufReader, Read as _};

use flate2::{Decompress, FlushDecompress, Status};

use super::kind::Codec;
use super::{ArchiveCode, Defect};
use crate::spool::{Body, BodyReader};

/// Compressed bytes that are read at once.
const INPUT_BYTES: usize = 64 << 10;

/// Gives the bytes of one entry.
pub(super) trait Decoder: Send {
    /// Fills up to `into.len()` bytes; 0 at the end or where there is no room.
    fn fill(&mut self, into: &mut [u8]) -> Result<usize, Defect>;

    /// Returns how many compressed bytes the bytes given so far took; for what is not compressed, as many.
    fn consumed(&self) -> u64;
}

/// Makes the decoder of a whole compressed file.
pub(super) fn squeezed(body: &Body, codec: Codec) -> Result<Box<dyn Decoder>, Defect> {
    let source = body.reader(0, body.len());
    Ok(match codec {
        Codec::Gzip => Box::new(Inflate::gzip(source)),
        Codec::Zstd => Box::new(Zstd::new(source)?),
    })
}

/// Bytes as they are.
pub(super) struct Stored {
    source: BodyReader,
    start: u64,
    /// How many there must be; absent where what would tell is lost.
    expected: Option<u64>,
}

impl Stored {
    /// Reads `expected` bytes, of which `source` may hold fewer.
    pub(super) fn new(source: BodyReader, expected: u64) -> Self {
        Self { start: source.position(), source, expected: Some(expected) }
    }

    /// Reads all that `source` holds of bytes whose end is lost.
    pub(super) fn endless(source: BodyReader) -> Self {
        Self { start: source.position(), source, expected: None }
    }
}

impl Decoder for Stored {
    fn fill(&mut self, into: &mut [u8]) -> Result<usize, Defect> {
        let got = self.source.read(into).map_err(|error| Defect::unreadable(&error))?;
        if got > 0 || into.is_empty() {
            return Ok(got);
        }
        let got = self.consumed();
        let text = match self.expected {
            Some(expected) if got >= expected => return Ok(0),
            Some(expected) => format!("ends after {got} of {expected} bytes"),
            None => format!("has an end that is not told: the {got} bytes before what follows were read"),
        };
        Err(Defect::new(ArchiveCode::EntryBroken, self.source.position(), text))
    }

    fn consumed(&self) -> u64 {
        self.source.position() - self.start
    }
}

/// Deflate, bare or as gzip with any number of members.
pub(super) struct Inflate {
    source: BodyReader,
    state: Decompress,
    framing: Framing,
    input: Vec<u8>,
    /// The bytes of `input` that are still to be inflated.
    rest: std::ops::Range<usize>,
    given: u64,
    consumed: u64,
    at_end: bool,
    broken: Option<Defect>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Bare,
    Gzip,
}

impl Inflate {
    pub(super) fn bare(source: BodyReader) -> Self {
        Self::new(source, Decompress::new(false), Framing::Bare)
    }

    pub(super) fn gzip(source: BodyReader) -> Self {
        Self::new(source, Decompress::new_gzip(15), Framing::Gzip)
    }

    fn new(source: BodyReader, state: Decompress, framing: Framing) -> Self {
        Self {
            source,
            state,
            framing,
            input: vec![0; INPUT_BYTES],
            rest: 0..0,
            given: 0,
            consumed: 0,
            at_end: false,
            broken: None,
        }
    }

    /// Reports whether the end of the compressed data was reached.
    pub(super) fn is_at_end(&self) -> bool {
        self.at_end
    }

    /// Reads on where all input is used up; reports whether there is any.
    fn refill(&mut self) -> Result<bool, Defect> {
        if self.rest.is_empty() {
            let got = self.source.read(&mut self.input).map_err(|error| Defect::unreadable(&error))?;
            self.rest = 0..got;
        }
        Ok(!self.rest.is_empty())
    }

    /// Goes on to the next member of a gzip, past zero bytes that fill up a block of a tape.
    fn next_member(&mut self) -> Result<(), Defect> {
        while self.refill()? {
            match self.input.get(self.rest.clone()).unwrap_or_default() {
                [0, ..] => {
                    self.rest.start += 1;
                    self.consumed += 1;
                }
                [0x1f, ..] => {
                    self.state = Decompress::new_gzip(15);
                    return Ok(());
                }
                _ => {
                    self.broken = Some(self.defect("is followed by bytes that are no gzip"));
                    return Ok(());
                }
            }
        }
        self.at_end = true;
        Ok(())
    }

    fn defect(&self, what: &str) -> Defect {
        let offset = self.source.position() - self.rest.len() as u64;
        let given = self.given;
        Defect::new(ArchiveCode::EntryBroken, offset, format!("{what}, after {given} bytes inflated"))
    }
}

impl Decoder for Inflate {
    fn fill(&mut self, into: &mut [u8]) -> Result<usize, Defect> {
        while !self.at_end && !into.is_empty() {
            if let Some(broken) = &self.broken {
                return Err(broken.clone());
            }
            let has_input = self.refill()?;
            let input = self.input.get(self.rest.clone()).unwrap_or_default();
            let (in_before, out_before) = (self.state.total_in(), self.state.total_out());
            let status = self.state.decompress(input, into, FlushDecompress::None);
            let (taken, got) = (self.state.total_in() - in_before, self.state.total_out() - out_before);
            let got = usize::try_from(got).unwrap_or(usize::MAX).min(into.len());
            self.rest.start += usize::try_from(taken).unwrap_or(usize::MAX).min(self.rest.len());
            self.consumed += taken;
            self.given += got as u64;
            match status {
                Ok(Status::StreamEnd) => match self.framing {
                    Framing::Bare => self.at_end = true,
                    Framing::Gzip => self.next_member()?,
                },
                Ok(Status::Ok | Status::BufError) => {
                    if got == 0 && taken == 0 {
                        let what = if has_input { "cannot be inflated" } else { "ends before its end" };
                        self.broken = Some(self.defect(what));
                    }
                }
                Err(error) => {
                    self.broken = Some(match error.message() {
                        Some(what) => self.defect(&format!("cannot be inflated ({what})")),
                        None => self.defect("cannot be inflated"),
                    });
                }
            }
            if got > 0 {
                return Ok(got);
            }
        }
        Ok(0)
    }

    fn consumed(&self) -> u64 {
        self.consumed
    }
}

/// Zstandard, with any number of frames.
pub(super) struct Zstd {
    inner: zstd::stream::read::Decoder<'static, BufReader<BodyReader>>,
}

impl Zstd {
    fn new(source: BodyReader) -> Result<Self, Defect> {
        let inner = zstd::stream::read::Decoder::new(source).map_err(|error| Defect::unreadable(&error))?;
        Ok(Self { inner })
    }
}

impl Decoder for Zstd {
    fn fill(&mut self, into: &mut [u8]) -> Result<usize, Defect> {
        self.inner.read(into).map_err(|error| {
            let text = match error.kind() {
                std::io::ErrorKind::UnexpectedEof => "ends before its end".to_owned(),
                _ => format!("cannot be inflated ({error})"),
            };
            Defect::new(ArchiveCode::EntryBroken, self.consumed(), text)
        })
    }

    fn consumed(&self) -> u64 {
        let buffered = self.inner.get_ref();
        buffered.get_ref().position() - buffered.buffer().len() as u64
    }
}

/// A file of the user's.
pub(super) struct Disk {
    file: File,
    consumed: u64,
}

impl Disk {
    pub(super) fn new(file: File) -> Self {
        Self { file, consumed: 0 }
    }
}

impl Decoder for Disk {
    fn fill(&mut self, into: &mut [u8]) -> Result<usize, Defect> {
        loop {
            match self.file.read(into) {
                Ok(got) => {
                    self.consumed += got as u64;
                    return Ok(got);
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(Defect::unreadable(&error)),
            }
        }
    }

    fn consumed(&self) -> u64 {
        self.consumed
    }
}
