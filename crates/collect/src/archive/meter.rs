//! Holds what comes out of a decoder against the caps and against what the archive claims of it.

use std::io::{self, Read};

use libdeflater::Crc;

use super::decoder::Decoder;
use super::{ArchiveCode, Budget, Defect, IN_MEMORY_BYTES, ReadOutcome};
use crate::limits::ArchiveLimits;

/// Inflated bytes from which on the ratio counts: smaller entries harm nobody.
const RATIO_FROM_BYTES: u64 = 64 << 20;
/// Inflated bytes by which a buffer in memory grows.
const STEP_BYTES: usize = 256 << 10;

/// What an archive claims of an entry, to be checked at its end.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub(super) size: u64,
    pub(super) crc: u32,
}

/// The caps that hold for one stream of bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Caps {
    /// Bytes that may come out; beyond, it is too large.
    pub(super) bytes: u64,
    /// Bytes that may come out for each that goes in.
    pub(super) ratio: u64,
}

impl Caps {
    /// The caps of one entry.
    pub(super) fn of_entry(limits: &ArchiveLimits) -> Self {
        Self { bytes: limits.entry_bytes, ratio: limits.ratio }
    }
}

/// Reads an entry to its end, to a break or to a cap, whichever comes first.
pub(super) struct Meter<'a> {
    decoder: Box<dyn Decoder + 'a>,
    caps: Caps,
    budget: Option<&'a Budget>,
    claim: Option<(Claim, Crc)>,
    /// The entry, for defects.
    path: Option<&'a str>,
    given: u64,
    charged: u64,
    end: Option<End>,
}

/// How it ended: what every further read answers.
#[derive(Clone)]
enum End {
    Whole,
    Broken(Defect),
}

impl<'a> Meter<'a> {
    pub(super) fn new(decoder: Box<dyn Decoder + 'a>, caps: Caps) -> Self {
        Self { decoder, caps, budget: None, claim: None, path: None, given: 0, charged: 0, end: None }
    }

    /// Charges all that comes out to the run.
    pub(super) fn charge(mut self, budget: &'a Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Checks what came out against a claim.
    pub(super) fn check(mut self, claim: Claim) -> Self {
        self.claim = Some((claim, Crc::new()));
        self
    }

    /// Names the entry in defects.
    pub(super) fn name(mut self, path: &'a str) -> Self {
        self.path = Some(path);
        self
    }

    /// Fills up to `into.len()` bytes; 0 at the end.
    pub(super) fn fill(&mut self, into: &mut [u8]) -> Result<usize, Defect> {
        match &self.end {
            Some(End::Whole) => return Ok(0),
            Some(End::Broken(defect)) => return Err(defect.clone()),
            None if into.is_empty() => return Ok(0),
            None => {}
        }
        if self.budget.is_some_and(Budget::is_cancelled) {
            // nobody reads this: what comes of a cancelled run is dropped
            let text = "is not read further, as the run was cancelled";
            return Err(self.stop(Defect::new(ArchiveCode::Unreadable, None, text)));
        }
        let room = usize::try_from(self.caps.bytes - self.given).unwrap_or(usize::MAX).min(into.len());
        let mut beyond = [0];
        let room_now = if room == 0 { &mut beyond[..] } else { into.get_mut(..room).unwrap_or_default() };
        let got = match self.decoder.fill(room_now) {
            Ok(got) => got,
            Err(defect) => return Err(self.stop(defect)),
        };
        if got == 0 {
            return self.finish().map(|()| 0);
        }
        if room == 0 {
            return Err(self.end_too_large());
        }
        let given = self.grant(got);
        if let Some((_, crc)) = &mut self.claim {
            crc.update(into.get(..given).unwrap_or_default());
        }
        self.given += given as u64;
        // Bytes in hand are still given; the next call says why there are no more.
        if given < got {
            let defect = self.end_run_too_large();
            return if given == 0 { Err(defect) } else { Ok(given) };
        }
        if self.given > RATIO_FROM_BYTES
            && self.given > self.caps.ratio.saturating_mul(self.decoder.consumed())
        {
            self.end_ratio();
        }
        Ok(given)
    }

    /// Reads all into memory, as far as it fits there.
    pub(super) fn read_whole(mut self, into: &mut Vec<u8>) -> Result<ReadOutcome, Defect> {
        into.clear();
        loop {
            let filled = into.len();
            into.resize(filled + STEP_BYTES, 0);
            let got = self.fill(into.get_mut(filled..).unwrap_or_default());
            into.truncate(filled + *got.as_ref().unwrap_or(&0));
            if into.len() as u64 > IN_MEMORY_BYTES {
                into.clear();
                if let Some(budget) = self.budget {
                    budget.give_back(self.charged);
                }
                return Ok(ReadOutcome::TooLargeForMemory);
            }
            if got? == 0 {
                return Ok(ReadOutcome::Whole);
            }
        }
    }

    /// Takes `got` bytes from the run's budget and returns how many of them it covers.
    fn grant(&mut self, got: usize) -> usize {
        let Some(budget) = self.budget else { return got };
        let granted = budget.take(got as u64);
        self.charged += granted;
        usize::try_from(granted).unwrap_or(got)
    }

    fn end_too_large(&mut self) -> Defect {
        let limit = self.caps.bytes;
        self.cap(
            ArchiveCode::EntryTooLarge,
            &format!("is larger than the {limit}-byte limit"),
            "--max-entry-size",
        )
    }

    fn end_run_too_large(&mut self) -> Defect {
        let limit = self.budget.map_or(0, Budget::limit);
        let what = format!("brings the run over its limit of {limit} inflated bytes");
        self.cap(ArchiveCode::RunTooLarge, &what, "--max-run-size")
    }

    fn end_ratio(&mut self) -> Defect {
        let ratio = self.caps.ratio;
        let what = format!("inflates to more than {ratio} times its size");
        self.cap(ArchiveCode::EntryRatio, &what, "--max-ratio")
    }

    /// Ends at a cap, which `setting` raises.
    fn cap(&mut self, code: ArchiveCode, what: &str, setting: &str) -> Defect {
        let given = self.given;
        let text = format!("{what}; only its first {given} bytes are read: raise it with `{setting}`");
        self.stop(Defect::new(code, given, text))
    }

    /// Ends with a defect, and names the entry in it.
    fn stop(&mut self, mut defect: Defect) -> Defect {
        defect.entry = self.path.map(str::to_owned);
        self.end = Some(End::Broken(defect.clone()));
        defect
    }

    /// Ends at the end of the bytes, where the claim must hold.
    fn finish(&mut self) -> Result<(), Defect> {
        let given = self.given;
        let wrong = match &self.claim {
            Some((claim, crc)) if crc.sum() != claim.crc => Some(format!(
                "does not match its checksum: {given} bytes came out, of {} that the archive says",
                claim.size
            )),
            Some((claim, _)) if claim.size != given => Some(format!(
                "is {given} bytes long, where the archive says {}; its checksum holds, all of it was read",
                claim.size
            )),
            _ => None,
        };
        match wrong {
            Some(text) => Err(self.stop(Defect::new(ArchiveCode::EntryBroken, given, text))),
            None => {
                self.end = Some(End::Whole);
                Ok(())
            }
        }
    }
}

impl Read for Meter<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.fill(into).map_err(Defect::into_io)
    }
}
