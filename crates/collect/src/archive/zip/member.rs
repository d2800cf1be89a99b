//! Reads one member: whole and fast where all that is claimed of it holds, else piece by piece.

use libdeflater::crc32;

use super::{DEFLATE, LOCAL_HEADER_BYTES, LOCAL_SIGNATURE, Member, STORED, State, Zip, u16_at};
use crate::archive::decoder::{Decoder, Inflate, Stored};
use crate::archive::meter::Claim;
use crate::archive::opened::stranger;
use crate::archive::{ArchiveCode, Budget, Defect, Entry, IN_MEMORY_BYTES, Scratch};

/// Bytes that a local header's extra field may have for a member to be read by a single call to the system:
/// times and owners as Info-ZIP writes them take 28.
const EXTRA_GUESS_BYTES: usize = 36;

/// A member's data, found by its local header.
pub(super) struct Data {
    pub(super) start: u64,
    /// Where another member begins at the latest.
    pub(super) end: u64,
}

impl Zip {
    /// Inflates a member whole. `None` where anything is not as claimed, or the budget is short: then the
    /// slow way says what it is.
    pub(in crate::archive) fn read_fast(
        &self,
        entry: &Entry,
        scratch: &mut Scratch,
        into: &mut Vec<u8>,
        budget: &Budget,
    ) -> Option<()> {
        let member = self.members.get(entry.locator)?;
        if member.state != State::Readable || member.size.max(member.compressed) > IN_MEMORY_BYTES {
            return None;
        }
        let size = usize::try_from(member.size).ok()?;
        let compressed = usize::try_from(member.compressed).ok()?;
        let guess = LOCAL_HEADER_BYTES + usize::from(member.name_len) + EXTRA_GUESS_BYTES + compressed;
        let Scratch { input, inflater } = scratch;
        let mut bytes = self.body.slice_at(member.header, guess, input).ok()?;
        let start = data_start(bytes)?;
        let end = start + compressed;
        if member.header + end as u64 > member.end {
            return None;
        }
        if bytes.len() < end {
            bytes = self.body.slice_at(member.header, end, input).ok()?;
        }
        let data = bytes.get(start..end)?;
        match member.method {
            STORED => {
                into.clear();
                into.extend_from_slice(data);
            }
            DEFLATE => {
                // Only what the last entry did not reach is zeroed.
                into.resize(size, 0);
                let got = inflater.deflate_decompress(data, into).ok()?;
                into.truncate(got);
            }
            _ => return None,
        }
        if into.len() != size || Some(crc32(into)) != member.crc {
            return None;
        }
        let granted = budget.take(member.size);
        if granted < member.size {
            budget.give_back(granted);
            return None;
        }
        Some(())
    }

    /// Returns a decoder of a member, and what it must come to.
    pub(in crate::archive) fn decoder(
        &self,
        entry: &Entry,
    ) -> Result<(Box<dyn Decoder>, Option<Claim>), Defect> {
        let member = self.members.get(entry.locator).ok_or_else(|| stranger(entry))?;
        self.check_readable(member).map_err(|defect| defect.of(&entry.path))?;
        let data = self.locate(member).map_err(|defect| defect.of(&entry.path))?;
        let decoder: Box<dyn Decoder> = match (member.method, member.crc) {
            (STORED, Some(_)) => {
                let end = data.start.saturating_add(member.compressed).min(data.end);
                Box::new(Stored::new(self.body.reader(data.start, end), member.compressed))
            }
            (STORED, None) => {
                let end = data.start.saturating_add(member.compressed).min(data.end);
                Box::new(Stored::endless(self.body.reader(data.start, end)))
            }
            // Deflate knows its own end, so that a wrong length in the directory loses nothing.
            _ => Box::new(Inflate::bare(self.body.reader(data.start, data.end))),
        };
        let claim = member.crc.map(|crc| Claim { size: member.size, crc });
        Ok((decoder, claim))
    }

    fn check_readable(&self, member: &Member) -> Result<(), Defect> {
        let defect = |code, text: String| Err(Defect::new(code, member.header, text));
        match (member.state, member.method) {
            (State::Encrypted, _) => defect(
                ArchiveCode::EntryEncrypted,
                "is encrypted and cannot be read: store it without a password".to_owned(),
            ),
            (State::Overlaps(other), _) => defect(
                ArchiveCode::EntryOverlaps,
                format!("shares bytes with the entry at byte {other} and is not read, as zip bombs do that"),
            ),
            (State::Readable, STORED | DEFLATE) => Ok(()),
            (State::Readable, method) => defect(
                ArchiveCode::EntryMethod,
                format!(
                    "is compressed by method {method}{}; only stored (0) and deflate (8) are read",
                    method_name(method)
                ),
            ),
        }
    }

    /// Finds a member's data.
    pub(super) fn locate(&self, member: &Member) -> Result<Data, Defect> {
        let mut head = [0; LOCAL_HEADER_BYTES];
        let got =
            self.body.read_full_at(member.header, &mut head).map_err(|error| Defect::unreadable(&error))?;
        let start = data_start(head.get(..got).unwrap_or_default()).ok_or_else(|| {
            Defect::new(
                ArchiveCode::EntryBroken,
                member.header,
                "has no header of its own at the place that the directory names",
            )
        })?;
        let start = member.header + start as u64;
        Ok(Data { start, end: member.end.min(self.body.len()).max(start) })
    }
}

/// Returns where the data begins in bytes that begin with a local header.
fn data_start(bytes: &[u8]) -> Option<usize> {
    let lengths = || Some(usize::from(u16_at(bytes, 26)?) + usize::from(u16_at(bytes, 28)?));
    bytes.starts_with(LOCAL_SIGNATURE).then(lengths)?.map(|lengths| LOCAL_HEADER_BYTES + lengths)
}

/// Returns the name of a method that is not read, in parentheses, where it has one.
fn method_name(method: u16) -> &'static str {
    match method {
        1 => " (shrink)",
        2..=5 => " (reduce)",
        6 => " (implode)",
        9 => " (deflate64)",
        10 => " (DCL implode)",
        12 => " (bzip2)",
        14 => " (LZMA)",
        16 => " (CMPSC)",
        18 => " (TERSE)",
        19 => " (LZ77)",
        20 | 93 => " (zstd)",
        94 => " (MP3)",
        95 => " (xz)",
        96 => " (JPEG)",
        97 => " (WavPack)",
        98 => " (PPMd)",
        99 => " (AES encryption)",
        _ => "",
    }
}
