//! Artifacts that are no archives: loose files, a single report, a single compressed report.

use std::fs::File;
use std::ops::Range;

use super::Defect;
use super::collector::{Collector, Offer};
use super::decoder::{Decoder, Disk};
use super::kind::Codec;
use crate::source::{LooseFile, SpooledFile};
use crate::spool::Body;

/// The loose files that are wanted.
pub(super) fn list_files(files: &[LooseFile], into: &mut Collector<'_>) -> Vec<LooseFile> {
    let mut kept: Vec<LooseFile> = Vec::new();
    for file in files {
        match into.offer(file.path.as_str().into(), file.size_bytes, 0, kept.len()) {
            Offer::Kept => kept.push(file.clone()),
            Offer::Left => {}
            Offer::Full => break,
        }
    }
    kept
}

/// The wanted ones of files that lie one after the other in one body.
pub(super) fn list_spooled(files: &[SpooledFile], into: &mut Collector<'_>) -> Vec<Range<u64>> {
    let mut kept = Vec::new();
    for file in files {
        let size = file.end.saturating_sub(file.start);
        match into.offer(file.path.as_str().into(), size, file.start, kept.len()) {
            Offer::Kept => kept.push(file.start..file.end),
            Offer::Left => {}
            Offer::Full => break,
        }
    }
    kept
}

/// Opens a loose file for reading. What is no regular file any more is not waited for.
pub(super) fn open_file(file: &LooseFile) -> Result<Box<dyn Decoder>, Defect> {
    let opened = (|| {
        if !std::fs::metadata(&file.file)?.is_file() {
            return Err(std::io::Error::other("it is no regular file any more"));
        }
        File::open(&file.file)
    })();
    match opened {
        Ok(opened) => Ok(Box::new(Disk::new(opened))),
        Err(error) => Err(Defect::unreadable(&error).of(&file.path)),
    }
}

/// Returns the inflated size that a compressed file claims, or, where it claims none, that of the file.
pub(super) fn claimed_size(body: &Body, codec: Codec) -> u64 {
    let claimed = match codec {
        Codec::Gzip => {
            let mut tail = [0; 4];
            let at = body.len().saturating_sub(4);
            body.read_full_at(at, &mut tail).ok().map(|_| u64::from(u32::from_le_bytes(tail)))
        }
        Codec::Zstd => {
            let mut head = [0; 18];
            let got = body.read_full_at(0, &mut head).unwrap_or(0);
            zstd::zstd_safe::get_frame_content_size(head.get(..got).unwrap_or_default()).ok().flatten()
        }
    };
    claimed.unwrap_or(0).max(body.len())
}
