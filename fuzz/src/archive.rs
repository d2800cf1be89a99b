//! An archive is opened, and its entries are the same however they are read.

use std::io::Read;

use bytes::Bytes;
use testlake_collect::archive::{Budget, ReadOutcome, Scratch, defect_of, open};
use testlake_collect::limits::ArchiveLimits;
use testlake_collect::source::Content;
use testlake_collect::spool::Body;

use crate::heap;

/// Limits that small inputs reach.
const LIMITS: ArchiveLimits =
    ArchiveLimits { entries: 50, entry_bytes: 1 << 20, run_bytes: 4 << 20, ratio: 500 };
/// What an artifact may be called; the name breaks ties.
const NAMES: [&str; 5] = ["a.zip", "a", "a.tar.gz", "report.xml.gz", "report.xml"];

/// Opens an archive and reads it; panics where something is wrong with what comes out.
pub fn check(raw: &[u8]) {
    let name = NAMES[raw.len() % NAMES.len()];
    let bytes = heap::peak_of(|| checked(name, raw));
    assert!(bytes <= (64 << 20) + raw.len() * 100, "{bytes} bytes were held for an archive of {}", raw.len());
}

fn checked(name: &str, raw: &[u8]) {
    let content = Content::Bytes(Body::Memory(Bytes::copy_from_slice(raw)));
    let budget = Budget::new(LIMITS.run_bytes);
    let Ok(opened) = open(name, &content, &|_| true, &LIMITS, &budget) else { return };
    assert!(opened.entries.len() as u64 <= LIMITS.entries);
    assert!(
        opened.entries.is_sorted_by(|one, two| one.path < two.path),
        "entries are out of order, or twice there"
    );
    // those of a compressed tar are counted in what it inflates to
    let is_squeezed = raw.starts_with(&[0x1F, 0x8B]) || raw.starts_with(&[0x28, 0xB5, 0x2F, 0xFD]);
    for defect in opened.defects.iter().filter(|defect| defect.entry.is_none() && !is_squeezed) {
        assert!(
            defect.offset.is_none_or(|offset| offset <= raw.len() as u64),
            "{defect:?} is outside the archive"
        );
    }
    let mut scratch = Scratch::new();
    let mut into = Vec::new();
    for entry in &opened.entries {
        // a budget of its own for each way, so that the first does not use up what the second needs
        let (whole, streamed) = (Budget::new(LIMITS.run_bytes), Budget::new(LIMITS.run_bytes));
        let read = opened.archive.read(entry, &mut scratch, &mut into, &LIMITS, &whole);
        assert!(into.len() as u64 <= LIMITS.entry_bytes, "{} bytes of {entry:?}", into.len());
        let mut pieces = Vec::new();
        let end = opened.archive.stream(entry, &LIMITS, &streamed).and_then(|mut reader| {
            let mut piece = [0; 1000];
            loop {
                match reader.read(&mut piece) {
                    Ok(0) => return Ok(ReadOutcome::Whole),
                    Ok(got) => pieces.extend_from_slice(&piece[..got]),
                    Err(error) => return Err(defect_of(error, entry)),
                }
            }
        });
        assert!(into == pieces, "{entry:?} is {} bytes read whole, {} in pieces", into.len(), pieces.len());
        let code = |end: &Result<ReadOutcome, _>| match end {
            Ok(outcome) => format!("{outcome:?}"),
            Err(defect) => {
                let defect: &testlake_collect::archive::Defect = defect;
                defect.code.to_string()
            }
        };
        assert_eq!(code(&read), code(&end), "{entry:?}");
        assert_eq!(whole.used(), streamed.used(), "{entry:?}");
    }
}
