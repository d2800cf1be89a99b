//! Finds members by their own headers, from a zip's front: for one that was cut off or has a broken directory.
//!
//! A member's header often tells where its data ends. Where it does not (a writer to a pipe tells it only in a
//! descriptor after the data), or where that is beyond the end or no signature stands there, deflate is inflated
//! to find its end; for all else the next header's signature is looked for.

use std::collections::HashSet;

use memchr::memmem;

use super::{DEFLATE, LOCAL_HEADER_BYTES, LOCAL_SIGNATURE, Member, STORED, State, u16_at, u32_at, u64_at};
use crate::archive::collector::{Collector, Offer};
use crate::archive::decoder::{Decoder as _, Inflate};
use crate::archive::{Defect, name};
use crate::spool::Body;

const ENCRYPTED: u16 = 1 << 0;
const DESCRIPTOR: u16 = 1 << 3;
const UTF8: u16 = 1 << 11;
const DESCRIPTOR_SIGNATURE: &[u8] = b"PK\x07\x08";
/// What begins each record of the directory.
const RECORD_SIGNATURE: &[u8] = b"PK\x01\x02";
/// What may follow a member: the next one, its descriptor, the directory or what stands before that.
const FOLLOWERS: [&[u8]; 6] =
    [LOCAL_SIGNATURE, DESCRIPTOR_SIGNATURE, RECORD_SIGNATURE, b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x08"];
/// The bytes that are searched at once for a signature.
const SEARCH_BYTES: usize = 64 << 10;
/// The bytes, in and out, that finding the ends of members may take beyond 16 for each byte of the archive.
const PROBED_BYTES: u64 = 1 << 30;

/// Adds the wanted members that lie in `body` and are not among `members`.
pub(super) fn list(body: &Body, members: &mut Vec<Member>, into: &mut Collector<'_>) -> Result<(), Defect> {
    let known: HashSet<u64> = members.iter().map(|member| member.header).collect();
    let left = PROBED_BYTES.saturating_add(body.len().saturating_mul(16));
    let mut walk = Walk { body, buffer: Vec::new(), left };
    let mut at = 0;
    while let Some(header) = walk.next_header(at)? {
        let Some(local) = walk.local(header)? else {
            at = header + 1;
            continue;
        };
        let tail = walk.tail(&local)?;
        at = tail.next;
        if known.contains(&header) {
            continue;
        }
        let path = name::of_zip(&local.name, local.flags & UTF8 != 0);
        let offer = into.offer(path, tail.size, header, members.len());
        if offer == Offer::Full {
            break;
        }
        if offer == Offer::Kept {
            members.push(Member {
                header,
                compressed: tail.compressed,
                size: tail.size,
                crc: tail.crc,
                end: u64::MAX,
                method: local.method,
                name_len: u16::try_from(local.name.len()).unwrap_or(u16::MAX),
                state: if local.flags & ENCRYPTED != 0 { State::Encrypted } else { State::Readable },
            });
        }
    }
    Ok(())
}

/// A local header.
struct Local {
    name: Vec<u8>,
    flags: u16,
    method: u16,
    crc: u32,
    compressed: u64,
    size: u64,
    data: u64,
}

/// What is known of a member's end.
struct Tail {
    compressed: u64,
    size: u64,
    crc: Option<u32>,
    /// Where to look for the next member.
    next: u64,
}

struct Walk<'a> {
    body: &'a Body,
    buffer: Vec<u8>,
    /// The bytes that inflating may still take.
    left: u64,
}

impl Walk<'_> {
    fn bytes(&mut self, at: u64, len: usize) -> Result<&[u8], Defect> {
        self.body.slice_at(at, len, &mut self.buffer).map_err(|error| Defect::unreadable(&error))
    }

    /// Returns the offset of the next local header's signature, from `at` on.
    fn next_header(&mut self, at: u64) -> Result<Option<u64>, Defect> {
        self.find(LOCAL_SIGNATURE, at)
    }

    /// Returns the offset of a signature, from `at` on.
    fn find(&mut self, signature: &[u8], at: u64) -> Result<Option<u64>, Defect> {
        let finder = memmem::Finder::new(signature);
        let mut at = at;
        loop {
            let bytes = self.bytes(at, SEARCH_BYTES)?;
            if let Some(found) = finder.find(bytes) {
                return Ok(Some(at + found as u64));
            }
            if bytes.len() < SEARCH_BYTES {
                return Ok(None);
            }
            // The signature may lie across the border.
            at += (SEARCH_BYTES + 1 - signature.len()) as u64;
        }
    }

    /// Reads a local header; `None` where the bytes make none, as by chance in compressed data.
    fn local(&mut self, header: u64) -> Result<Option<Local>, Defect> {
        let fixed = self.bytes(header, LOCAL_HEADER_BYTES)?;
        let fields = || {
            Some((
                u16_at(fixed, 4)?,
                u16_at(fixed, 6)?,
                u16_at(fixed, 8)?,
                u32_at(fixed, 14)?,
                u32_at(fixed, 18)?,
                u32_at(fixed, 22)?,
                usize::from(u16_at(fixed, 26)?),
                usize::from(u16_at(fixed, 28)?),
            ))
        };
        let Some((version, flags, method, crc, compressed, size, name_len, extra_len)) = fields() else {
            return Ok(None);
        };
        // Versions end at 6.3 and methods at 99.
        if version & 0xff > 63 || method > 99 || name_len == 0 {
            return Ok(None);
        }
        let variable = self.bytes(header + LOCAL_HEADER_BYTES as u64, name_len + extra_len)?;
        let Some((name, extra)) = variable.split_at_checked(name_len) else { return Ok(None) };
        let (compressed, size) = wide_sizes(compressed, size, extra);
        let data = header + (LOCAL_HEADER_BYTES + name_len + extra_len) as u64;
        Ok(Some(Local { name: name.to_vec(), flags, method, crc, compressed, size, data }))
    }

    /// Finds where a member's data ends.
    fn tail(&mut self, local: &Local) -> Result<Tail, Defect> {
        let open_ended = local.flags & DESCRIPTOR != 0 && local.compressed == 0;
        let claimed_end = local.data.saturating_add(local.compressed);
        if !open_ended && self.is_followed(claimed_end)? {
            let (compressed, size) = (local.compressed, local.size);
            return Ok(Tail { compressed, size, crc: Some(local.crc), next: claimed_end });
        }
        if local.flags & ENCRYPTED == 0 && local.method == DEFLATE {
            let mut inflate = Inflate::bare(self.body.reader(local.data, self.body.len()));
            if let Some(size) = self.inflate(&mut inflate) {
                let compressed = inflate.consumed();
                let end = local.data + compressed;
                let crc = if open_ended { self.descriptor(end, compressed, size)? } else { Some(local.crc) };
                return Ok(Tail { compressed, size, crc, next: end });
            }
        }
        let next = self.next_header(local.data)?;
        let end = match next {
            Some(next) => next,
            None => self.find(RECORD_SIGNATURE, local.data)?.unwrap_or(self.body.len()),
        };
        if open_ended
            && local.method == STORED
            && let Some(tail) = self.stored_before_descriptor(local, end)?
        {
            return Ok(tail);
        }
        // Cut off or broken: what there is of it is read, and found not to be whole.
        let known = |claimed: u64| if open_ended { end.saturating_sub(local.data) } else { claimed };
        Ok(Tail {
            compressed: known(local.compressed),
            size: known(local.size),
            crc: (!open_ended).then_some(local.crc),
            next: end,
        })
    }

    /// Reports whether the archive goes on at `at` as it may after a member, or ends right there.
    fn is_followed(&mut self, at: u64) -> Result<bool, Defect> {
        if at >= self.body.len() {
            return Ok(at == self.body.len());
        }
        let bytes = self.bytes(at, 4)?;
        Ok(FOLLOWERS.contains(&bytes))
    }

    /// Inflates to the end of the data and returns how many bytes come out; `None` where it has none.
    fn inflate(&mut self, inflate: &mut Inflate) -> Option<u64> {
        let mut sink = vec![0; 64 << 10];
        let mut size = 0;
        let outcome = loop {
            match inflate.fill(&mut sink) {
                Ok(0) => break Some(size),
                Err(_) => break None,
                Ok(got) => size += got as u64,
            }
            if size.saturating_add(inflate.consumed()) > self.left {
                break None;
            }
        };
        self.left = self.left.saturating_sub(size.saturating_add(inflate.consumed()));
        outcome
    }

    /// Reads the checksum of the descriptor at `at`, where it is one of data of these sizes.
    fn descriptor(&mut self, at: u64, compressed: u64, size: u64) -> Result<Option<u32>, Defect> {
        let bytes = self.bytes(at, 24)?;
        let bytes = bytes.strip_prefix(DESCRIPTOR_SIGNATURE).unwrap_or(bytes);
        let narrow = || Some((u64::from(u32_at(bytes, 4)?), u64::from(u32_at(bytes, 8)?)));
        let wide = || Some((u64_at(bytes, 4)?, u64_at(bytes, 12)?));
        let sizes = Some((compressed, size));
        Ok(u32_at(bytes, 0).filter(|_| narrow() == sizes || wide() == sizes))
    }

    /// Finds the end of stored data of unknown length by the descriptor that stands right before `end`.
    fn stored_before_descriptor(&mut self, local: &Local, end: u64) -> Result<Option<Tail>, Defect> {
        for descriptor_bytes in [16, 24, 12, 20] {
            let Some(compressed) =
                end.checked_sub(descriptor_bytes).and_then(|at| at.checked_sub(local.data))
            else {
                continue;
            };
            if let Some(crc) = self.descriptor(end - descriptor_bytes, compressed, compressed)? {
                return Ok(Some(Tail { compressed, size: compressed, crc: Some(crc), next: end }));
            }
        }
        Ok(None)
    }
}

/// Returns compressed and inflated size, from the zip64 field where the header's own fields are full.
fn wide_sizes(compressed: u32, size: u32, extra: &[u8]) -> (u64, u64) {
    const ZIP64: u16 = 1;
    let (mut wide_compressed, mut wide_size) = (u64::from(compressed), u64::from(size));
    let mut rest = extra;
    while let (Some(id), Some(len)) = (u16_at(rest, 0), u16_at(rest, 2)) {
        let Some(field) = rest.get(4..4 + usize::from(len)) else { break };
        if id == ZIP64 {
            let mut at = 0;
            for (narrow, wide) in [(size, &mut wide_size), (compressed, &mut wide_compressed)] {
                if narrow == u32::MAX
                    && let Some(value) = u64_at(field, at)
                {
                    *wide = value;
                    at += 8;
                }
            }
            break;
        }
        rest = rest.get(4 + usize::from(len)..).unwrap_or_default();
    }
    (wide_compressed, wide_size)
}
