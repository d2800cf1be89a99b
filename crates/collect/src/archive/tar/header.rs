//! The blocks of a tar that describe members.

use std::borrow::Cow;

use tar::{EntryType, Header};

/// A tar is made of blocks of this size.
pub(super) const BLOCK_BYTES: usize = 512;

/// Reports whether bytes begin with a header, and are thus a tar.
pub(in crate::archive) fn begins(head: &[u8]) -> bool {
    head.first_chunk().is_some_and(|block| has_magic(block) || has_checksum(block))
}

/// Reports whether a block says that it is a header, whole or not.
fn has_magic(block: &[u8; BLOCK_BYTES]) -> bool {
    block.get(257..262) == Some(b"ustar")
}

/// Reports whether a block is a header that is whole.
fn has_checksum(block: &[u8; BLOCK_BYTES]) -> bool {
    let sum = |from: std::ops::Range<usize>| -> u32 {
        block.get(from).unwrap_or_default().iter().map(|&byte| u32::from(byte)).sum()
    };
    // The checksum's own eight bytes count as spaces.
    let sum = sum(0..148) + 8 * u32::from(b' ') + sum(156..BLOCK_BYTES);
    Header::from_byte_slice(block).cksum().is_ok_and(|claimed| claimed == sum)
}

/// What a block is.
pub(super) enum Block {
    /// Of zeros: two of them end a tar.
    Zeros,
    /// A header.
    Header(Box<Header>),
    /// Anything else.
    Broken,
}

impl Block {
    pub(super) fn of(bytes: &[u8; BLOCK_BYTES]) -> Self {
        if bytes.iter().all(|&byte| byte == 0) {
            Self::Zeros
        } else if has_checksum(bytes) {
            Self::Header(Box::new(Header::from_byte_slice(bytes).clone()))
        } else {
            Self::Broken
        }
    }
}

/// What the blocks before a header say of its member: it takes effect once.
#[derive(Debug, Default)]
pub(super) struct Ahead {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) is_sparse: bool,
}

impl Ahead {
    /// Takes in the records of a pax header, up to one that is malformed.
    pub(super) fn take_pax(&mut self, data: &[u8]) {
        let mut rest = data;
        while let Some((key, value, after)) = pax_record(rest) {
            rest = after;
            match key {
                b"path" | b"GNU.sparse.name" => self.path = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => self.size = std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()),
                key if key.starts_with(b"GNU.sparse.") => self.is_sparse = true,
                _ => {}
            }
        }
    }
}

/// Splits `<length> <key>=<value>\n` off, where the length counts all of it: a value may hold anything.
fn pax_record(data: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = data.iter().take(20).position(|&byte| byte == b' ')?;
    let len: usize = std::str::from_utf8(data.get(..space)?).ok()?.parse().ok()?;
    let (record, rest) = data.split_at_checked(len)?;
    let pair = record.get(space + 1..)?.strip_suffix(b"\n")?;
    let equals = pair.iter().position(|&byte| byte == b'=')?;
    Some((pair.get(..equals)?, pair.get(equals + 1..)?, rest))
}

/// What a header's type makes of its member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    File,
    Sparse,
    HardLink,
    SymbolicLink,
    /// Tells the long path of the next member.
    LongPath,
    /// Tells the long target of the next member.
    LongLink,
    /// Tells more of the next member.
    Pax,
    /// A folder, a device, words on the whole archive: nothing to read.
    Other,
}

impl Role {
    pub(super) fn of(header: &Header) -> Self {
        match header.entry_type() {
            EntryType::Regular | EntryType::Continuous => Self::File,
            EntryType::GNUSparse => Self::Sparse,
            EntryType::Link => Self::HardLink,
            EntryType::Symlink => Self::SymbolicLink,
            EntryType::GNULongName => Self::LongPath,
            EntryType::GNULongLink => Self::LongLink,
            EntryType::XHeader => Self::Pax,
            _ => Self::Other,
        }
    }
}

/// Returns the path of a header's member.
pub(super) fn path_of<'a>(header: &'a Header, ahead: &'a Ahead) -> Cow<'a, [u8]> {
    match &ahead.path {
        Some(path) => Cow::Borrowed(path),
        None => header.path_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pax_records_are_as_long_as_they_say() {
        let mut ahead = Ahead::default();
        ahead.take_pax(b"11 a=1\n2=3\n11 path=x\n\n9 size=4\n");
        assert_eq!((ahead.path.as_deref(), ahead.size), (Some(&b"x\n"[..]), Some(4)));
        for malformed in [&b"99 path=x\n"[..], b"9 path=x", b"path=x\n", b"8 path x\n", b"0 path=x\n", b""] {
            let mut ahead = Ahead::default();
            ahead.take_pax(malformed);
            assert_eq!(ahead.path, None);
        }
    }
}
