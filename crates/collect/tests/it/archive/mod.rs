//! Archives: what is whole comes out whole, and what is broken gives all that comes before the break.

mod bounds;
mod damage;
mod files;
mod hostile;
mod kinds;
mod tars;
mod whole;

use std::io::Read as _;

use testlake_collect::archive::{
    Archive, ArchiveCode, Budget, Defect, Entry, Opened, ReadOutcome, Scratch, defect_of, open,
};
use testlake_collect::limits::ArchiveLimits;
use testlake_collect::source::Content;
use testlake_collect::spool::{Body, Spool};

/// What reading one entry gave.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Got {
    path: String,
    bytes: Vec<u8>,
    defect: Option<Defect>,
}

impl Got {
    fn code(&self) -> Option<ArchiveCode> {
        self.defect.as_ref().map(|defect| defect.code)
    }

    fn text(&self) -> &str {
        self.defect.as_ref().map_or("", |defect| &defect.text)
    }
}

/// Everything that an artifact gave.
#[derive(Debug, Clone, PartialEq, Eq)]
struct All {
    entries: Vec<Got>,
    defects: Vec<Defect>,
}

impl All {
    fn paths(&self) -> Vec<&str> {
        self.entries.iter().map(|got| got.path.as_str()).collect()
    }

    fn codes(&self) -> Vec<ArchiveCode> {
        self.defects.iter().map(|defect| defect.code).collect()
    }

    fn get(&self, path: &str) -> &Got {
        self.entries
            .iter()
            .find(|got| got.path == path)
            .unwrap_or_else(|| panic!("no {path} in {:?}", self.paths()))
    }

    fn bytes(&self, path: &str) -> &[u8] {
        let got = self.get(path);
        assert_eq!(got.defect, None, "{path}");
        &got.bytes
    }
}

fn is_xml(path: &str) -> bool {
    path.ends_with(".xml")
}

fn memory(bytes: &[u8]) -> Content {
    Content::Bytes(Body::Memory(bytes.to_vec().into()))
}

fn on_disk(bytes: &[u8]) -> Content {
    let mut spool = Spool::new(0);
    std::io::Write::write_all(&mut spool, bytes).unwrap();
    Content::Bytes(spool.finish().unwrap())
}

/// Opens and reads everything, from memory and from a disk, whole and in pieces: all four must agree.
fn read_all(name: &str, bytes: &[u8]) -> All {
    read_all_within(name, bytes, &ArchiveLimits::default())
}

fn read_all_within(name: &str, bytes: &[u8], limits: &ArchiveLimits) -> All {
    let all = read_content(name, &memory(bytes), limits).unwrap();
    assert_eq!(all, read_content(name, &on_disk(bytes), limits).unwrap(), "a disk gives what memory gives");
    all
}

fn read_content(name: &str, content: &Content, limits: &ArchiveLimits) -> Result<All, Defect> {
    let budget = Budget::new(limits.run_bytes);
    let Opened { archive, entries, defects } = open(name, content, &is_xml, limits, &budget)?;
    let mut scratch = Scratch::new();
    let mut into = b"what the last entry left".to_vec();
    let entries = entries
        .iter()
        .map(|entry| {
            let budget = Budget::new(limits.run_bytes);
            let defect = match archive.read(entry, &mut scratch, &mut into, limits, &budget) {
                Ok(ReadOutcome::Whole) => None,
                Ok(ReadOutcome::TooLargeForMemory) => panic!("`{}` is too large for this test", entry.path),
                Err(defect) => Some(defect),
            };
            let got = Got { path: entry.path.clone(), bytes: into.clone(), defect };
            assert_eq!(got, stream(&archive, entry, limits), "pieces give what the whole gives");
            got
        })
        .collect();
    Ok(All { entries, defects })
}

/// Reads an entry in pieces of odd sizes.
fn stream(archive: &Archive, entry: &Entry, limits: &ArchiveLimits) -> Got {
    let budget = Budget::new(limits.run_bytes);
    let mut bytes = Vec::new();
    let defect = match archive.stream(entry, limits, &budget) {
        Err(defect) => Some(defect),
        Ok(mut reader) => {
            let mut piece = vec![0; 7_919];
            loop {
                match reader.read(&mut piece) {
                    Ok(0) => break None,
                    Ok(got) => bytes.extend(&piece[..got]),
                    Err(error) => break Some(defect_of(error, entry)),
                }
            }
        }
    };
    Got { path: entry.path.clone(), bytes, defect }
}

/// Counts what an entry gives in pieces, without holding it.
fn count(archive: &Archive, entry: &Entry, limits: &ArchiveLimits, budget: &Budget) -> (u64, Option<Defect>) {
    let mut reader = match archive.stream(entry, limits, budget) {
        Ok(reader) => reader,
        Err(defect) => return (0, Some(defect)),
    };
    let mut piece = vec![0; 1 << 20];
    let mut count = 0;
    loop {
        match reader.read(&mut piece) {
            Ok(0) => return (count, None),
            Ok(got) => count += got as u64,
            Err(error) => return (count, Some(defect_of(error, entry))),
        }
    }
}

/// A report of about `len` bytes that does not compress to nothing.
fn report(seed: u32, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761).wrapping_add(1);
    let mut out = b"<testsuite>".to_vec();
    while out.len() < len {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        out.extend(format!("<testcase name=\"test_{}\" time=\"{}\"/>\n", state >> 20, state % 1_000).bytes());
    }
    out.extend(b"</testsuite>");
    out
}
