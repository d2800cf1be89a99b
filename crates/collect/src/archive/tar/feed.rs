//! The bytes of a tar in its own order: where they lie, or as they are inflated.

use std::io::Write as _;

use super::header::BLOCK_BYTES;
use crate::archive::Defect;
use crate::archive::meter::Meter;
use crate::spool::{Body, Spool};

/// Gives blocks, and passes over data or keeps it.
pub(super) struct Feed<'a> {
    from: From<'a>,
    at: u64,
}

enum From<'a> {
    Plain(&'a Body),
    Inflated {
        meter: Box<Meter<'a>>,
        spool: Spool,
        /// The bytes of one entry that are kept.
        entry_bytes: u64,
        buffer: Vec<u8>,
        /// Why nothing more comes.
        stopped: Option<Defect>,
    },
}

/// Data that was passed over.
#[derive(Debug, Clone, Copy)]
pub(super) struct Passed {
    /// Where it can be read later; of use only where it was kept.
    pub(super) start: u64,
    /// How much of it can be.
    pub(super) held: u64,
    /// How much of it there was.
    pub(super) there: u64,
}

/// Whether data is wanted later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    Yes,
    No,
}

impl<'a> Feed<'a> {
    pub(super) fn plain(body: &'a Body) -> Self {
        Self { from: From::Plain(body), at: 0 }
    }

    pub(super) fn inflated(meter: Meter<'a>, spool: Spool, entry_bytes: u64) -> Self {
        let buffer = vec![0; 64 << 10];
        Self {
            from: From::Inflated { meter: Box::new(meter), spool, entry_bytes, buffer, stopped: None },
            at: 0,
        }
    }

    /// Returns the offset in the tar of the byte that comes next.
    pub(super) fn position(&self) -> u64 {
        self.at
    }

    /// Returns why the bytes stopped before their end.
    pub(super) fn stopped(&self) -> Option<&Defect> {
        match &self.from {
            From::Plain(_) => None,
            From::Inflated { stopped, .. } => stopped.as_ref(),
        }
    }

    /// Fills `into` from the bytes that come next and returns how many there were.
    pub(super) fn read(&mut self, into: &mut [u8]) -> Result<usize, Defect> {
        let got = match &mut self.from {
            From::Plain(body) => {
                body.read_full_at(self.at, into).map_err(|error| Defect::unreadable(&error))?
            }
            From::Inflated { meter, stopped, .. } => {
                let mut filled = 0;
                while let Some(rest) = into.get_mut(filled..).filter(|rest| !rest.is_empty()) {
                    match meter.fill(rest) {
                        Ok(0) => break,
                        Ok(got) => filled += got,
                        Err(defect) => {
                            *stopped = Some(defect);
                            break;
                        }
                    }
                }
                filled
            }
        };
        self.at += got as u64;
        Ok(got)
    }

    /// Goes over `len` bytes of data, and over what fills up its last block.
    pub(super) fn pass(&mut self, len: u64, keep: Keep) -> Result<Passed, Defect> {
        let passed = match &mut self.from {
            From::Plain(body) => {
                let there = len.min(body.len().saturating_sub(self.at));
                let start = self.at;
                self.at += there;
                Passed { start, held: there, there }
            }
            From::Inflated { meter, spool, entry_bytes, buffer, stopped } => {
                let start = spool.len();
                let mut there = 0;
                while there < len {
                    let room = usize::try_from(len - there).unwrap_or(usize::MAX).min(buffer.len());
                    let piece = match meter.fill(buffer.get_mut(..room).unwrap_or_default()) {
                        Ok(0) => break,
                        Ok(got) => buffer.get(..got).unwrap_or_default(),
                        Err(defect) => {
                            *stopped = Some(defect);
                            break;
                        }
                    };
                    if keep == Keep::Yes {
                        let room = usize::try_from(entry_bytes.saturating_sub(there)).unwrap_or(usize::MAX);
                        let kept = piece.get(..room.min(piece.len())).unwrap_or_default();
                        spool.write_all(kept).map_err(|error| Defect::unreadable(&error))?;
                    }
                    there += piece.len() as u64;
                }
                self.at += there;
                Passed { start, held: spool.len() - start, there }
            }
        };
        if passed.there == len {
            self.pass_fill(len)?;
        }
        Ok(passed)
    }

    /// Goes over what fills up the last block of `len` bytes of data.
    pub(super) fn pass_fill(&mut self, len: u64) -> Result<(), Defect> {
        let mut rest = [0; BLOCK_BYTES];
        let used = usize::try_from(len % BLOCK_BYTES as u64).unwrap_or(0);
        if used > 0 {
            self.read(rest.get_mut(used..).unwrap_or_default())?;
        }
        Ok(())
    }

    /// Returns what was kept.
    pub(super) fn into_body(self) -> Result<Body, Defect> {
        match self.from {
            From::Plain(body) => Ok(body.clone()),
            From::Inflated { spool, .. } => spool.finish().map_err(|error| Defect::unreadable(&error)),
        }
    }
}
