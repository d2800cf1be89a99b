//! Artifacts that are no archives: loose files, a single report, a single compressed report.

use std::fs::File;

use super::collector::{Collector, Offer};
use super::decoder::{Decoder, Disk};
use super::kind::Codec;
use super::Defect;
use crate::source::LooseFile;
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
