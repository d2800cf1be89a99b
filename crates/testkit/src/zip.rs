//! Builds zips by hand, with any lie in any field.
//!
//! ```
//! use testlake_testkit::zip::{Member, ZipBuilder};
//!
//! let zip = ZipBuilder::new()
//!     .member(Member::deflated("a/report.xml", b"<testsuite/>"))
//!     .member(Member::stored("b/report.xml", b"<testsuite/>").claimed_crc(0))
//!     .build();
//! assert!(zip.bytes.starts_with(b"PK\x03\x04"));
//! ```

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a test whose input cannot be built has failed"
)]

use std::io::Write as _;

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// The general purpose flag of an encrypted member.
pub const ENCRYPTED: u16 = 1 << 0;
/// The general purpose flag of a member whose sizes stand in a descriptor after its data.
pub const DESCRIPTOR: u16 = 1 << 3;
/// The general purpose flag of a member whose name is UTF-8.
pub const UTF8: u16 = 1 << 11;

/// One member, true unless told otherwise.
#[derive(Debug, Clone)]
pub struct Member {
    name: Vec<u8>,
    local_name: Option<Vec<u8>>,
    method: u16,
    flags: u16,
    data: Vec<u8>,
    size: u64,
    crc: u32,
    compressed: u64,
    local_extra: Vec<u8>,
    placement: Placement,
    is_wide: bool,
    descriptor_signature: bool,
    lies_in_local_header: bool,
    true_sizes: (u64, u64, u32),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Placement {
    /// Local header, data and a record in the directory.
    Whole,
    /// A record in the directory alone, which points to this offset.
    RecordAt(u64),
    /// Local header and data, which the directory does not tell of.
    Hidden,
}

/// A zip and where its parts lie.
#[derive(Debug, Clone)]
pub struct Zip {
    /// All of it.
    pub bytes: Vec<u8>,
    /// The offsets of the local headers, in order.
    pub headers: Vec<usize>,
    /// The offsets of the members' data, in order.
    pub data: Vec<usize>,
    /// The offset of the directory.
    pub directory: usize,
    /// The offset of the end record (of the zip64 one where there is one).
    pub end_record: usize,
}

/// Puts members together.
#[derive(Debug, Clone, Default)]
pub struct ZipBuilder {
    members: Vec<Member>,
    comment: Vec<u8>,
    prefix: Vec<u8>,
    claimed_entries: Option<u16>,
    is_wide: bool,
}

impl Member {
    /// A member stored as it is.
    pub fn stored(name: impl AsRef<[u8]>, data: &[u8]) -> Self {
        Self::raw(name, 0, data.to_vec(), data.len() as u64, crc32fast::hash(data))
    }

    /// A deflated member.
    pub fn deflated(name: impl AsRef<[u8]>, data: &[u8]) -> Self {
        Self::raw(name, 8, deflate(data), data.len() as u64, crc32fast::hash(data))
    }

    /// A deflated member of `size` equal bytes, without holding them in memory. About 1,000:1.
    pub fn bomb(name: impl AsRef<[u8]>, byte: u8, size: u64) -> Self {
        let block = vec![byte; 1 << 20];
        let mut crc = crc32fast::Hasher::new();
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
        let mut left = size;
        while left > 0 {
            let piece = &block[..usize::try_from(left).unwrap_or(usize::MAX).min(block.len())];
            encoder.write_all(piece).expect("a vector takes all");
            crc.update(piece);
            left -= piece.len() as u64;
        }
        Self::raw(name, 8, encoder.finish().expect("a vector takes all"), size, crc.finalize())
    }

    /// A member of any method, with its data as they lie in the zip.
    pub fn raw(name: impl AsRef<[u8]>, method: u16, data: Vec<u8>, size: u64, crc: u32) -> Self {
        let compressed = data.len() as u64;
        Self {
            name: name.as_ref().to_vec(),
            local_name: None,
            method,
            flags: 0,
            data,
            size,
            crc,
            compressed,
            local_extra: Vec::new(),
            placement: Placement::Whole,
            is_wide: false,
            descriptor_signature: true,
            lies_in_local_header: true,
            true_sizes: (compressed, size, crc),
        }
    }

    /// A record of the directory that points to the local header of another member.
    pub fn record_at(name: impl AsRef<[u8]>, header: usize, like: &Self) -> Self {
        Self { name: name.as_ref().to_vec(), placement: Placement::RecordAt(header as u64), ..like.clone() }
    }

    /// Leaves it out of the directory.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.placement = Placement::Hidden;
        self
    }

    /// Sets flags.
    #[must_use]
    pub fn flags(mut self, flags: u16) -> Self {
        self.flags |= flags;
        self
    }

    /// Names another method than the one that compressed the data.
    #[must_use]
    pub fn claimed_method(mut self, method: u16) -> Self {
        self.method = method;
        self
    }

    /// Claims another compressed size.
    #[must_use]
    pub fn claimed_compressed(mut self, compressed: u64) -> Self {
        self.compressed = compressed;
        self
    }

    /// Claims another inflated size.
    #[must_use]
    pub fn claimed_size(mut self, size: u64) -> Self {
        self.size = size;
        self
    }

    /// Claims another checksum.
    #[must_use]
    pub fn claimed_crc(mut self, crc: u32) -> Self {
        self.crc = crc;
        self
    }

    /// Keeps the lies to the directory: the local header tells the truth.
    #[must_use]
    pub fn honest_local_header(mut self) -> Self {
        self.lies_in_local_header = false;
        self
    }

    /// Gives the local header another name than the directory.
    #[must_use]
    pub fn local_name(mut self, name: impl AsRef<[u8]>) -> Self {
        self.local_name = Some(name.as_ref().to_vec());
        self
    }

    /// Gives the local header an extra field of so many bytes.
    #[must_use]
    pub fn local_extra(mut self, len: u16) -> Self {
        self.local_extra = [0xfe, 0xca].into_iter().chain((len - 4).to_le_bytes()).collect();
        self.local_extra.resize(usize::from(len), 0);
        self
    }

    /// Tells sizes and checksum only after the data, as a writer to a pipe does.
    #[must_use]
    pub fn with_descriptor(self) -> Self {
        self.flags(DESCRIPTOR)
    }

    /// Does so without the descriptor's signature.
    #[must_use]
    pub fn with_bare_descriptor(mut self) -> Self {
        self.descriptor_signature = false;
        self.flags(DESCRIPTOR)
    }

    /// Writes its sizes as zip64.
    #[must_use]
    pub fn wide(mut self) -> Self {
        self.is_wide = true;
        self
    }

    /// Changes the data as they lie in the zip; what is claimed of them stays.
    #[must_use]
    pub fn damaged(mut self, damage: impl FnOnce(&mut Vec<u8>)) -> Self {
        damage(&mut self.data);
        self
    }

    fn write_local(&self, zip: &mut Zip) {
        if let Placement::RecordAt(_) = self.placement {
            return;
        }
        zip.headers.push(zip.bytes.len());
        let name = self.local_name.as_ref().unwrap_or(&self.name);
        let (compressed, size, crc) = if self.flags & DESCRIPTOR != 0 {
            (0, 0, 0)
        } else if self.lies_in_local_header {
            (self.compressed, self.size, self.crc)
        } else {
            self.true_sizes
        };
        let wide = self.is_wide && self.flags & DESCRIPTOR == 0;
        let mut extra = if wide { wide_field(&[size, compressed]) } else { Vec::new() };
        extra.extend(&self.local_extra);
        let out = &mut zip.bytes;
        out.extend(b"PK\x03\x04");
        out.extend(if self.is_wide { 45_u16 } else { 20 }.to_le_bytes());
        out.extend(self.flags.to_le_bytes());
        out.extend(self.method.to_le_bytes());
        out.extend([0, 0, 0x21, 0]);
        out.extend(crc.to_le_bytes());
        out.extend(narrow(compressed, wide).to_le_bytes());
        out.extend(narrow(size, wide).to_le_bytes());
        out.extend(length(name));
        out.extend(length(&extra));
        out.extend(name);
        out.extend(extra);
        zip.data.push(zip.bytes.len());
        let out = &mut zip.bytes;
        out.extend(&self.data);
        if self.flags & DESCRIPTOR != 0 {
            if self.descriptor_signature {
                out.extend(b"PK\x07\x08");
            }
            out.extend(self.crc.to_le_bytes());
            for size in [self.compressed, self.size] {
                let bytes = size.to_le_bytes();
                out.extend(if self.is_wide { &bytes[..] } else { &bytes[..4] });
            }
        }
    }

    fn write_record(&self, header: u64, out: &mut Vec<u8>) {
        let extra = if self.is_wide { wide_field(&[self.size, self.compressed, header]) } else { Vec::new() };
        out.extend(b"PK\x01\x02");
        out.extend([20, 3]);
        out.extend(if self.is_wide { 45_u16 } else { 20 }.to_le_bytes());
        out.extend(self.flags.to_le_bytes());
        out.extend(self.method.to_le_bytes());
        out.extend([0, 0, 0x21, 0]);
        out.extend(self.crc.to_le_bytes());
        out.extend(narrow(self.compressed, self.is_wide).to_le_bytes());
        out.extend(narrow(self.size, self.is_wide).to_le_bytes());
        out.extend(length(&self.name));
        out.extend(length(&extra));
        out.extend([0; 6]);
        out.extend((0o100_644_u32 << 16).to_le_bytes());
        out.extend(narrow(header, self.is_wide).to_le_bytes());
        out.extend(&self.name);
        out.extend(extra);
    }
}

impl ZipBuilder {
    /// Begins an empty zip.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a member.
    #[must_use]
    pub fn member(mut self, member: Member) -> Self {
        self.members.push(member);
        self
    }

    /// Adds members.
    #[must_use]
    pub fn members(mut self, members: impl IntoIterator<Item = Member>) -> Self {
        self.members.extend(members);
        self
    }

    /// Adds a comment at the end.
    #[must_use]
    pub fn comment(mut self, comment: &[u8]) -> Self {
        self.comment = comment.to_vec();
        self
    }

    /// Puts bytes before all, which no offset counts, as a program that unpacks itself does.
    #[must_use]
    pub fn prefix(mut self, prefix: &[u8]) -> Self {
        self.prefix = prefix.to_vec();
        self
    }

    /// Claims another number of entries in the end record.
    #[must_use]
    pub fn claimed_entries(mut self, entries: u16) -> Self {
        self.claimed_entries = Some(entries);
        self
    }

    /// Ends it with a zip64 end record.
    #[must_use]
    pub fn wide(mut self) -> Self {
        self.is_wide = true;
        self
    }

    /// Puts it together.
    pub fn build(&self) -> Zip {
        let mut zip =
            Zip { bytes: Vec::new(), headers: Vec::new(), data: Vec::new(), directory: 0, end_record: 0 };
        for member in &self.members {
            member.write_local(&mut zip);
        }
        zip.directory = zip.bytes.len();
        let mut headers = zip.headers.iter();
        let mut records = 0_u64;
        for member in &self.members {
            let header = match member.placement {
                Placement::RecordAt(header) => header,
                Placement::Whole | Placement::Hidden => {
                    *headers.next().expect("each member with a local header has noted where") as u64
                }
            };
            if member.placement != Placement::Hidden {
                records += 1;
                member.write_record(header, &mut zip.bytes);
            }
        }
        zip.end_record = zip.bytes.len();
        let (start, len) = (zip.directory as u64, (zip.end_record - zip.directory) as u64);
        let out = &mut zip.bytes;
        if self.is_wide {
            out.extend(b"PK\x06\x06");
            out.extend(44_u64.to_le_bytes());
            out.extend([45, 3, 45, 0]);
            out.extend([0; 8]);
            for number in [records, records, len, start] {
                out.extend(number.to_le_bytes());
            }
            out.extend(b"PK\x06\x07");
            out.extend([0; 4]);
            out.extend((zip.end_record as u64).to_le_bytes());
            out.extend(1_u32.to_le_bytes());
        }
        let entries = self.claimed_entries.unwrap_or(u16::try_from(records).unwrap_or(u16::MAX));
        out.extend(b"PK\x05\x06");
        out.extend([0; 4]);
        out.extend(entries.to_le_bytes());
        out.extend(entries.to_le_bytes());
        out.extend(narrow(len, self.is_wide).to_le_bytes());
        out.extend(narrow(start, self.is_wide).to_le_bytes());
        out.extend(length(&self.comment));
        out.extend(&self.comment);
        zip.shift(&self.prefix);
        zip
    }
}

impl Zip {
    fn shift(&mut self, prefix: &[u8]) {
        self.bytes.splice(0..0, prefix.iter().copied());
        for offset in
            self.headers.iter_mut().chain(&mut self.data).chain([&mut self.directory, &mut self.end_record])
        {
            *offset += prefix.len();
        }
    }
}

/// Deflates bytes.
pub fn deflate(data: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).expect("a vector takes all");
    encoder.finish().expect("a vector takes all")
}

/// A number as a field of 4 bytes holds it; all ones where it does not fit or stands elsewhere.
fn narrow(number: u64, is_wide: bool) -> u32 {
    if is_wide { u32::MAX } else { u32::try_from(number).unwrap_or(u32::MAX) }
}

fn wide_field(numbers: &[u64]) -> Vec<u8> {
    let len = u16::try_from(numbers.len() * 8).expect("three numbers at most");
    let mut field = [1, 0].into_iter().chain(len.to_le_bytes()).collect::<Vec<u8>>();
    field.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    field
}

fn length(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len()).expect("names and comments of tests are short").to_le_bytes()
}
