//! The rows of a report, file and class of its cases, as numbers. What a file and a class read as is looked at once for many
//! reports.

use testlake_report::scan::xml::Attribute;

use super::numbers::Numbers;
use super::summary::{KeyNumber, SharedKeys};
use crate::profile::facts::{Key, NO_CLASS};

/// File and class of a case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowKey {
    pub(crate) file: KeyNumber,
    pub(crate) class: KeyNumber,
    /// The class, or what stands for one that is absent.
    pub(crate) class_or_none: KeyNumber,
}

/// The row of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CaseRow {
    /// Its number within the report.
    pub(crate) row: u32,
    /// A hash of its class.
    pub(crate) class_hash: u64,
}

/// The rows of one report after the other.
#[derive(Debug)]
pub(crate) struct Rows {
    keys: SharedKeys,
    known: Vec<Known>,
    numbers: Numbers,
    /// Bytes that those known are of.
    bytes: usize,
    /// Of those known that hash to the same slot the last one asked for.
    recent: [u32; RECENT],
    /// Counts the reports.
    report: u64,
    /// Rows of this report.
    count: u32,
    raw: Vec<u8>,
    decoded: Vec<u8>,
}

/// 256: classes that take turns in a report are fewer, mostly.
const RECENT: usize = 256;

/// What is known from earlier reports is forgotten beyond so many rows and bytes of theirs.
const MOST_KNOWN: usize = 8 << 10;
const MOST_BYTES: usize = 1 << 20;

#[derive(Debug)]
struct Known {
    /// A mark of each, how long the file is, the file and the class, both raw.
    raw: Box<[u8]>,
    key: RowKey,
    class_hash: u64,
    /// The last report that had it, and its row there.
    report: u64,
    row: u32,
}

/// Two marks, and the length of the file.
const HEAD: usize = 2 + size_of::<u32>();

impl Rows {
    pub(crate) fn new(keys: SharedKeys) -> Self {
        Self {
            keys,
            known: Vec::new(),
            numbers: Numbers::default(),
            bytes: 0,
            recent: [0; RECENT],
            report: 0,
            count: 0,
            raw: Vec::new(),
            decoded: Vec::new(),
        }
    }

    /// Begins another report.
    pub(crate) fn begin(&mut self) {
        self.report += 1;
        self.count = 0;
        if self.known.len() > MOST_KNOWN || self.bytes > MOST_BYTES {
            self.known = Vec::new();
            self.numbers = Numbers::default();
            self.bytes = 0;
        }
    }

    /// Returns the row of a case, whose key is added to `new` where the report had no such case before.
    #[inline]
    pub(crate) fn row(
        &mut self,
        window: &[u8],
        file: Option<&Attribute>,
        class: Option<&Attribute>,
        new: &mut Vec<RowKey>,
    ) -> CaseRow {
        let slot = recent_slot(window, file, class);
        let recent = self.recent.get(slot).copied().unwrap_or_default();
        let number = match self.known.get(recent as usize) {
            Some(known) if known.is(window, file, class) => recent,
            _ => {
                let number = self.number(window, file, class);
                if let Some(recent) = self.recent.get_mut(slot) {
                    *recent = number;
                }
                number
            }
        };
        let Some(known) = self.known.get_mut(number as usize) else {
            return CaseRow { row: u32::MAX, class_hash: 0 };
        };
        if known.report != self.report {
            known.report = self.report;
            known.row = self.count;
            self.count = self.count.saturating_add(1);
            new.push(known.key);
        }
        CaseRow { row: known.row, class_hash: known.class_hash }
    }

    /// Returns the number of a file and a class among those known.
    fn number(&mut self, window: &[u8], file: Option<&Attribute>, class: Option<&Attribute>) -> u32 {
        let (file_raw, class_raw) = (raw_of(window, file), raw_of(window, class));
        self.raw.clear();
        self.raw.extend_from_slice(&[mark(file), mark(class)]);
        // of a length of a window, which has 32 bits
        self.raw.extend_from_slice(&u32::try_from(file_raw.len()).unwrap_or(u32::MAX).to_le_bytes());
        self.raw.extend_from_slice(file_raw);
        self.raw.extend_from_slice(class_raw);
        let hash = hash_of(&self.raw);
        let known = &self.known;
        let is_it = |number: u32| known.get(number as usize).is_some_and(|known| *known.raw == *self.raw);
        if let Some(number) = self.numbers.find(hash, is_it) {
            return number;
        }
        let key = self.key(window, file, class);
        let mut canonical = Vec::new();
        Key::of(window, class, &mut self.decoded).or_text(NO_CLASS).write_canonical(&mut canonical);
        let class_hash = xxhash_rust::xxh3::xxh3_64(&canonical);
        self.bytes += self.raw.len();
        let number = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        self.known.push(Known { raw: self.raw.as_slice().into(), key, class_hash, report: 0, row: 0 });
        let known = &self.known;
        self.numbers
            .put(number, hash, |number| known.get(number as usize).map_or(0, |known| hash_of(&known.raw)));
        number
    }

    #[cold]
    fn key(&mut self, window: &[u8], file: Option<&Attribute>, class: Option<&Attribute>) -> RowKey {
        let file = Key::of(window, file, &mut self.decoded);
        let class = Key::of(window, class, &mut self.decoded);
        let mut keys = self.keys.lock();
        let (file, number) = (keys.number(&file), keys.number(&class));
        let class_or_none = if class == Key::Absent { keys.number(&class.or_text(NO_CLASS)) } else { number };
        RowKey { file, class: number, class_or_none }
    }
}

impl Known {
    #[inline]
    fn is(&self, window: &[u8], file: Option<&Attribute>, class: Option<&Attribute>) -> bool {
        let (file_raw, class_raw) = (raw_of(window, file), raw_of(window, class));
        let Some((head, rest)) = self.raw.split_first_chunk::<HEAD>() else { return false };
        let [file_mark, class_mark, length @ ..] = *head;
        (file_mark, class_mark) == (mark(file), mark(class))
            && u32::from_le_bytes(length) as usize == file_raw.len()
            && rest.split_at_checked(file_raw.len()) == Some((file_raw, class_raw))
    }
}

#[inline]
fn raw_of<'a>(window: &'a [u8], attribute: Option<&Attribute>) -> &'a [u8] {
    attribute.map_or(&[], |attribute| attribute.value.of(window))
}

/// What is absent, what stands as it reads and what does not are told apart; what differs raw and is one key is joined later.
#[inline]
fn mark(attribute: Option<&Attribute>) -> u8 {
    attribute.map_or(0, |attribute| 1 + u8::from(attribute.coded))
}

fn hash_of(raw: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(raw)
}

/// Returns where among the recent ones to look: by the length and some bytes of each.
#[inline]
fn recent_slot(window: &[u8], file: Option<&Attribute>, class: Option<&Attribute>) -> usize {
    // 2^64 divided by the golden ratio: the highest bits of a product hang on all of a number's
    const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
    let ends = |raw: &[u8]| match (raw.first_chunk::<8>(), raw.last_chunk::<8>()) {
        (Some(first), Some(last)) => {
            u64::from_le_bytes(*first).wrapping_mul(SPREAD) ^ u64::from_le_bytes(*last)
        }
        _ => raw.iter().fold(0, |hash: u64, &byte| hash << 8 ^ u64::from(byte)),
    };
    let (file, class) = (raw_of(window, file), raw_of(window, class));
    let length = (file.len() << 16 ^ class.len()) as u64;
    let hash = (ends(class) ^ length).wrapping_mul(SPREAD) ^ ends(file);
    usize::try_from(hash.wrapping_mul(SPREAD) >> (u64::BITS - RECENT.ilog2())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use testlake_report::scan::xml::Span;

    use super::*;

    fn attribute(window: &mut Vec<u8>, text: Option<&str>) -> Option<Attribute> {
        let text = text?;
        let start = u32::try_from(window.len()).unwrap();
        window.extend_from_slice(text.as_bytes());
        let value = Span { start, end: u32::try_from(window.len()).unwrap() };
        let coded = text.contains('&');
        Some(Attribute { name: Span::default(), local: Span::default(), value, coded })
    }

    proptest! {
        #[test]
        fn rows_are_numbered_in_each_report_by_file_and_class(
            reports in prop::collection::vec(
                prop::collection::vec(
                    (
                        prop::option::of(prop::sample::select(vec!["", "a", "a/b.py", "1", "1.0", "0", "-0"])),
                        prop::option::of(prop::sample::select(vec![
                            "", "a", "b.py", "NoClass", "TestSomethingLong", "TestSomethingElse", "&lt;", "<", "ab", "1.0",
                        ])),
                    ),
                    0..40,
                ),
                0..6,
            ),
        ) {
            let keys = SharedKeys::default();
            let mut rows = Rows::new(keys.clone());
            for cases in reports {
                rows.begin();
                let (mut new, mut model) = (Vec::new(), HashMap::new());
                for (file, class) in cases {
                    let mut window = Vec::new();
                    let (file_at, class_at) = (attribute(&mut window, file), attribute(&mut window, class));
                    let found = rows.row(&window, file_at.as_ref(), class_at.as_ref(), &mut new);
                    let next = u32::try_from(model.len()).unwrap();
                    let expected = *model.entry((file, class)).or_insert(next);
                    prop_assert_eq!(found.row, expected);
                    prop_assert_eq!(new.len(), model.len());
                    let key = new[found.row as usize];
                    let (mut decoded, mut canonical) = (Vec::new(), Vec::new());
                    let file = Key::of(&window, file_at.as_ref(), &mut decoded);
                    let class = Key::of(&window, class_at.as_ref(), &mut decoded);
                    class.clone().or_text(NO_CLASS).write_canonical(&mut canonical);
                    prop_assert_eq!(found.class_hash, xxhash_rust::xxh3::xxh3_64(&canonical));
                    let keys = keys.lock();
                    prop_assert_eq!(keys.get(key.file.written), &file);
                    prop_assert_eq!(keys.get(key.class.written), &class);
                    prop_assert_eq!(keys.get(key.class_or_none.identity), &class.or_text(NO_CLASS));
                }
            }
        }
    }

    #[test]
    fn what_is_known_is_forgotten_when_it_is_much() {
        let mut rows = Rows::new(SharedKeys::default());
        for report in 0..3 {
            rows.begin();
            let mut new = Vec::new();
            for number in 0..=u32::try_from(MOST_KNOWN).unwrap() {
                let mut window = Vec::new();
                let class = attribute(&mut window, Some(&format!("{report} {number}")));
                assert_eq!(rows.row(&window, None, class.as_ref(), &mut new).row, number);
            }
            assert_eq!((rows.known.len(), new.len()), (MOST_KNOWN + 1, MOST_KNOWN + 1));
        }
    }
}
