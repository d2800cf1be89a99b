//! Gathers the entries of an archive as its directory is read, under the caps that hold for all kinds.

use std::borrow::Cow;

use super::{ArchiveCode, Defect, Entry, name};
use crate::limits::ArchiveLimits;

/// The bytes that the kept paths of one archive may take: 200 times the largest known.
const PATH_BYTES: usize = 64 << 20;
/// The defects of one archive that are listed one by one, and its notes likewise.
const LISTED_DEFECTS: usize = 1_000;

/// The entries that are wanted, and what is wrong so far.
pub(super) struct Collector<'a> {
    wanted: &'a dyn Fn(&str) -> bool,
    limit: u64,
    seen: u64,
    path_bytes: usize,
    entries: Vec<Entry>,
    defects: Defects,
    full: bool,
}

/// What became of an entry that was offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Offer {
    /// It is wanted.
    Kept,
    /// It is not wanted, or is a folder.
    Left,
    /// A cap is hit: neither this one nor any further one is taken in.
    Full,
}

impl<'a> Collector<'a> {
    pub(super) fn new(wanted: &'a dyn Fn(&str) -> bool, limits: &ArchiveLimits) -> Self {
        Self {
            wanted,
            limit: limits.entries,
            seen: 0,
            path_bytes: 0,
            entries: Vec::new(),
            defects: Defects::default(),
            full: false,
        }
    }

    /// Offers the entry that lies at byte `offset` of the archive, in the archive's order.
    pub(super) fn offer(
        &mut self,
        path: Cow<'_, str>,
        size_bytes: u64,
        offset: u64,
        locator: usize,
    ) -> Offer {
        if self.full {
            return Offer::Full;
        }
        self.seen += 1;
        if self.seen > self.limit {
            let limit = self.limit;
            return self.fill_up(
                offset,
                format!("has more than {limit} entries; the rest is not read: raise it with `--max-entries`"),
            );
        }
        if path.ends_with('/') || path.is_empty() || !(self.wanted)(&path) {
            return Offer::Left;
        }
        self.path_bytes += path.len();
        if self.path_bytes > PATH_BYTES {
            return self
                .fill_up(offset, format!("has paths of more than {PATH_BYTES} bytes; the rest is not read"));
        }
        if name::is_outside(&path) {
            let text = "has a path that leads out of the archive; its parts are taken as names only";
            self.note(Defect::new(ArchiveCode::EntryPath, offset, text).of(&path));
        }
        self.entries.push(Entry { path: path.into_owned(), size_bytes, offset, locator });
        Offer::Kept
    }

    /// Returns how many entries were offered.
    pub(super) fn seen(&self) -> u64 {
        self.seen
    }

    /// Takes note of a defect of an entry that is not read, where it is wanted.
    pub(super) fn note_if_wanted(&mut self, path: &str, defect: Defect) {
        if (self.wanted)(path) {
            self.note(defect.of(path));
        }
    }

    /// Takes note of a defect.
    pub(super) fn note(&mut self, defect: Defect) {
        self.defects.push(defect);
    }

    /// Returns the entries by the bytes of their paths, of each path the last that was offered; the
    /// losses and then the notes, each in the order in which they were found.
    pub(super) fn finish(mut self) -> (Vec<Entry>, Vec<Defect>) {
        self.entries.sort_by(|a, b| a.path.as_bytes().cmp(b.path.as_bytes()));
        let mut kept: Vec<Entry> = Vec::with_capacity(self.entries.len());
        let mut same = 1_u64;
        for entry in self.entries {
            match kept.last_mut() {
                Some(last) if last.path == entry.path => {
                    same += 1;
                    *last = entry;
                }
                last => {
                    self.defects.note_duplicates(last.as_deref(), same);
                    same = 1;
                    kept.push(entry);
                }
            }
        }
        self.defects.note_duplicates(kept.last(), same);
        (kept, self.defects.into_vec())
    }

    fn fill_up(&mut self, offset: u64, text: String) -> Offer {
        self.full = true;
        self.note(Defect::new(ArchiveCode::TooManyEntries, offset, text));
        Offer::Full
    }
}

/// Defects, of which only so many are kept: of those that tell of a loss, and of notes.
#[derive(Default)]
struct Defects {
    losses: Listed,
    notes: Listed,
}

#[derive(Default)]
struct Listed {
    list: Vec<Defect>,
    /// The code of the first that is not listed, and how many are not.
    beyond: Option<(ArchiveCode, u64)>,
}

impl Defects {
    fn push(&mut self, defect: Defect) {
        if defect.code.is_note() { &mut self.notes } else { &mut self.losses }.push(defect);
    }

    fn note_duplicates(&mut self, last: Option<&Entry>, same: u64) {
        if let Some(last) = last.filter(|_| same > 1) {
            let text = format!("is the path of {same} entries; the last counts");
            self.push(Defect::new(ArchiveCode::EntryDuplicate, last.offset, text).of(&last.path));
        }
    }

    fn into_vec(self) -> Vec<Defect> {
        let mut all = self.losses.into_vec();
        all.extend(self.notes.into_vec());
        all
    }
}

impl Listed {
    fn push(&mut self, defect: Defect) {
        if self.list.len() < LISTED_DEFECTS {
            self.list.push(defect);
        } else {
            self.beyond.get_or_insert((defect.code, 0)).1 += 1;
        }
    }

    fn into_vec(mut self) -> Vec<Defect> {
        if let Some((code, count)) = self.beyond {
            let text = format!("has {count} more defects beyond the {LISTED_DEFECTS} that are listed");
            self.list.push(Defect::new(code, None, text));
        }
        self.list
    }
}
