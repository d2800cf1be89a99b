//! Zips: members found by the directory at the end, or, where that is lost, by a walk from the front.
//!
//! ```text
//! [local header, name, extra][data][descriptor] ... [directory: a record for each member][end record]
//!  ^ Member::header           ^ Member::compressed bytes
//! ```
//!
//! The directory's word counts: method, sizes, checksum. Each is held against the bytes when a member is read.
//! No byte is read for two members: see [`overlap`].

mod directory;
mod member;
mod overlap;
mod walk;

use super::collector::Collector;
use super::{ArchiveCode, Defect};
use crate::spool::Body;

/// A zip's body and its wanted members.
#[derive(Debug)]
pub(super) struct Zip {
    body: Body,
    members: Vec<Member>,
}

/// One member, as the directory (or its local header) describes it.
#[derive(Debug, Clone)]
struct Member {
    /// The offset of its local header.
    header: u64,
    /// The compressed bytes that it claims.
    compressed: u64,
    /// The inflated bytes that it claims.
    size: u64,
    /// The checksum that it claims; absent where only its own end, which is lost, would tell.
    crc: Option<u32>,
    /// Where the next member begins, or what follows the last: it owns no byte from here on.
    end: u64,
    method: u16,
    /// The length of its name: a guess for the length of its local header.
    name_len: u16,
    state: State,
}

/// Whether a member can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Readable,
    Encrypted,
    /// It shares bytes with the member whose local header is at this offset.
    Overlaps(u64),
}

const STORED: u16 = 0;
const DEFLATE: u16 = 8;

/// Local header: signature, 22 bytes of fields, lengths of name and extra field.
const LOCAL_HEADER_BYTES: usize = 30;
const LOCAL_SIGNATURE: &[u8] = b"PK\x03\x04";

impl Member {
    /// Returns the least offset at which its data can end.
    fn least_end(&self) -> u64 {
        (self.header + LOCAL_HEADER_BYTES as u64 + u64::from(self.name_len)).saturating_add(self.compressed)
    }
}

/// What but a directory says that bytes are a zip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hint {
    /// The first bytes are those of a zip.
    Magic,
    /// It is named so.
    Name,
    /// Nothing.
    None,
}

/// Reads the directory of a zip, and what it lost from the members' own headers. `None` where it is no zip.
pub(super) fn list(body: Body, hint: Hint, into: &mut Collector<'_>) -> Result<Option<Zip>, Defect> {
    let mut members = Vec::new();
    let found = directory::list(&body, &mut members, into)?;
    let members_end = match found {
        directory::Found::Whole { start } => start,
        directory::Found::Broken { offset, text } => {
            let listed = members.len();
            walk::list(&body, &mut members, into)?;
            into.note(Defect::new(
                ArchiveCode::ArchiveBroken,
                offset,
                with_found(&text, members.len() - listed),
            ));
            body.len()
        }
        directory::Found::Doubtful { start, offset, text } => {
            let listed = members.len();
            walk::list(&body, &mut members, into)?;
            if members.len() > listed {
                into.note(Defect::new(
                    ArchiveCode::ArchiveBroken,
                    offset,
                    with_found(&text, members.len() - listed),
                ));
            }
            start
        }
        directory::Found::None if hint == Hint::None => return Ok(None),
        directory::Found::None => {
            walk::list(&body, &mut members, into)?;
            if hint == Hint::Name && into.seen() == 0 {
                return Ok(None);
            }
            let (len, found) = (body.len(), into.seen());
            let text = format!(
                "ends after {len} bytes without its directory; {found} entries were found from its front"
            );
            into.note(Defect::new(ArchiveCode::ArchiveCutOff, len, text));
            len
        }
    };
    for member in &mut members {
        // A directory that does not stand behind the members bounds nothing.
        member.end = if member.header < members_end { members_end } else { body.len() };
    }
    Ok(Some(Zip { body, members }))
}

fn with_found(text: &str, found: usize) -> String {
    format!("{text}; {found} of the wanted entries were found from its front")
}

/// Reads a little-endian number of 2 bytes at `at`.
fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..)?.first_chunk().map(|raw| u16::from_le_bytes(*raw))
}

/// Reads a little-endian number of 4 bytes at `at`.
fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|raw| u32::from_le_bytes(*raw))
}

/// Reads a little-endian number of 8 bytes at `at`.
fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..)?.first_chunk().map(|raw| u64::from_le_bytes(*raw))
}
