//! Lists members by the directory at a zip's end, in bounded memory.

use std::io;

use rawzip::{
    ErrorKind, MAX_CENTRAL_DIRECTORY_RECORD_SIZE, ReaderAt, ZipArchive, ZipFileHeaderRecord, ZipLocator,
};

use super::{Member, State};
use crate::archive::collector::{Collector, Offer};
use crate::archive::{Defect, name};
use crate::spool::Body;

/// End records that are tried, from the last to the first: one whose signature stands in a comment or in
/// bytes after the zip is not the real one.
const END_RECORDS_TRIED: usize = 64;

/// What was found of a directory.
pub(super) enum Found {
    /// All of it; it begins at `start`.
    Whole { start: u64 },
    /// Not all of it: it breaks at `offset`.
    Broken { offset: u64, text: String },
    /// All that it says there is; but there may be more.
    Doubtful { start: u64, offset: u64, text: String },
    /// No end record, so no directory.
    None,
}

/// Adds the wanted members that the directory lists, in its order.
pub(super) fn list(
    body: &Body,
    members: &mut Vec<Member>,
    into: &mut Collector<'_>,
) -> Result<Found, Defect> {
    // A buffer of this size holds any record.
    let mut buffer = vec![0; MAX_CENTRAL_DIRECTORY_RECORD_SIZE];
    let Some(archive) = locate(body, &mut buffer)? else { return Ok(Found::None) };
    let (start, hint) = (archive.directory_offset(), archive.entries_hint());
    let mut entries = archive.entries(&mut buffer);
    let mut at = start;
    let error = loop {
        match entries.next_entry() {
            Ok(Some(record)) => {
                at = record.central_directory_offset();
                if add(&record, members, into) == Offer::Full {
                    return Ok(Found::Whole { start });
                }
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    if let Some(ErrorKind::IO(error)) = error.as_ref().map(rawzip::Error::kind)
        && error.kind() != io::ErrorKind::UnexpectedEof
    {
        return Err(Defect::unreadable(error));
    }
    let seen = into.seen();
    let why = error.map(|error| format!(" ({error})")).unwrap_or_default();
    Ok(if seen < hint {
        let text = format!("has a directory of {hint} entries that breaks after {seen}{why}");
        Found::Broken { offset: at, text }
    } else if !why.is_empty() || (seen == 0 && start > 0) {
        // Bytes between the last record and the end record harm nobody, and a zip may be empty. But a count that
        // was damaged along with the records looks the same.
        let text = format!("has a directory that does not tell of all its entries{why}");
        Found::Doubtful { start, offset: at, text }
    } else {
        Found::Whole { start }
    })
}

fn locate<'a>(body: &'a Body, buffer: &mut [u8]) -> Result<Option<ZipArchive<At<'a>>>, Defect> {
    let mut end = body.len();
    for _ in 0..END_RECORDS_TRIED {
        let error = match ZipLocator::new().locate_in_reader(At(body), buffer, end) {
            Ok(archive) => return Ok(Some(archive)),
            Err((_, error)) => error,
        };
        if let ErrorKind::IO(error) = error.kind()
            && error.kind() != io::ErrorKind::UnexpectedEof
        {
            return Err(Defect::unreadable(error));
        }
        match error.eocd_offset() {
            Some(before) if before < end => end = before,
            _ => return Ok(None),
        }
    }
    Ok(None)
}

fn add(record: &ZipFileHeaderRecord<'_>, members: &mut Vec<Member>, into: &mut Collector<'_>) -> Offer {
    let path = record.file_path();
    let raw: &[u8] = path.as_ref();
    let header = record.local_header_offset();
    let size = record.uncompressed_size_hint();
    let path = name::of_zip(raw, record.flags().is_utf8());
    let offer = into.offer(path, size, header, members.len());
    if offer == Offer::Kept {
        let flags = record.flags();
        members.push(Member {
            header,
            compressed: record.compressed_size_hint(),
            size,
            crc: Some(record.crc32()),
            end: u64::MAX,
            method: record.compression_method().as_u16(),
            name_len: u16::try_from(raw.len()).unwrap_or(u16::MAX),
            state: if flags.is_encrypted() || flags.has_strong_encryption() {
                State::Encrypted
            } else {
                State::Readable
            },
        });
    }
    offer
}

/// Lends a [`Body`] to the zip library.
struct At<'a>(&'a Body);

impl ReaderAt for At<'_> {
    fn read_at(&self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(offset, into)
    }
}
