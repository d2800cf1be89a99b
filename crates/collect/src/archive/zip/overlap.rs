//! Sees to it that no byte is read for two members.
//!
//! Of members that share bytes the one that begins first is read and the others are not, so that a zip bomb
//! of many members over one kernel inflates once. But a directory may lie: a member whose real end, by its own
//! data, lies before the next one's header shares nothing, whatever length the directory claims for it.

use super::{DEFLATE, Member, STORED, State, Zip};
use crate::archive::Entry;
use crate::archive::decoder::{Decoder, Inflate, Stored};

/// The bytes, in and out, that finding the real ends of one zip's members may take: a second or two.
const PROBED_BYTES: u64 = 1 << 30;

impl Zip {
    /// Marks the members of `entries` that share bytes with an earlier one, and tells each of the others where
    /// the next begins.
    pub(in crate::archive) fn keep_apart(&mut self, entries: &[Entry]) {
        let mut order: Vec<usize> = entries.iter().map(|entry| entry.locator).collect();
        // Of two with one header the first in the directory's order is read.
        order.sort_by_key(|&index| (self.members.get(index).map(|member| member.header), index));
        let mut left = PROBED_BYTES;
        let mut before: Option<usize> = None;
        for index in order {
            let Some(header) = self.members.get(index).map(|member| member.header) else { continue };
            if let Some(previous) = before.and_then(|before| self.members.get(before))
                && previous.least_end() > header
                && self.reaches(previous, header, &mut left)
            {
                let other = previous.header;
                if let Some(member) = self.members.get_mut(index) {
                    member.state = State::Overlaps(other);
                }
                continue;
            }
            if let Some(previous) = before.and_then(|before| self.members.get_mut(before)) {
                previous.end = header;
            }
            before = Some(index);
        }
    }

    /// Reports whether a member's data goes beyond the offset `limit`, as it claims to.
    fn reaches(&self, member: &Member, limit: u64, left: &mut u64) -> bool {
        if member.header == limit {
            return true;
        }
        // What is not read cannot be read twice.
        if member.state != State::Readable {
            return false;
        }
        let Ok(data) = self.locate(member) else { return false };
        let sink = &mut vec![0; 64 << 10];
        match member.method {
            STORED => {
                // Stored data does not know its end, but its checksum does.
                let end = data.start.saturating_add(member.compressed);
                let mut stored = Stored::new(self.body.reader(data.start, end), member.compressed);
                let mut crc = libdeflater::Crc::new();
                match exhaust(&mut stored, sink, left, |bytes| crc.update(bytes)) {
                    Some(whole) => whole && Some(crc.sum()) == member.crc,
                    None => true,
                }
            }
            DEFLATE => {
                let mut inflate = Inflate::bare(self.body.reader(data.start, limit.max(data.start)));
                match exhaust(&mut inflate, sink, left, |_| {}) {
                    Some(_) => !inflate.is_at_end(),
                    None => true,
                }
            }
            _ => false,
        }
    }
}

/// Reads to the end (true) or to a break (false); `None` where that takes more bytes than are left.
fn exhaust(
    decoder: &mut dyn Decoder,
    sink: &mut [u8],
    left: &mut u64,
    mut each: impl FnMut(&[u8]),
) -> Option<bool> {
    let outcome = loop {
        match decoder.fill(sink) {
            Ok(0) => break Some(true),
            Err(_) => break Some(false),
            Ok(got) => {
                each(sink.get(..got).unwrap_or_default());
                match left.checked_sub(got as u64) {
                    Some(rest) => *left = rest,
                    None => break None,
                }
            }
        }
    };
    *left = left.saturating_sub(decoder.consumed());
    outcome
}
