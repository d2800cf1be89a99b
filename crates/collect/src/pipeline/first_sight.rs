//! Where each distinct case was seen first, in at most 32 bytes a case; in 16 while its group is of one report.
//!
//! A case is known by 96 bits of a hash of its class and name within its group (build, configuration, invoking file).
//! Two of a million distinct cases of one group share one with a chance of about 1 in 10^17.

use super::numbers::Numbers;

/// A place in the run: which report, and which of its cases, each counted from 0 in the order of the input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub(crate) report: u32,
    pub(crate) ordinal: u32,
}

/// 96 bits of a hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity([u32; 3]);

impl Identity {
    /// Makes the identity of a case: `class` is a hash of the class, `name` the name in canonical form.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "the parts of a hash are cut out of it")]
    pub(crate) fn new(class: u64, name: &[u8]) -> Self {
        let hash = xxhash_rust::xxh3::xxh3_128_with_seed(name, class);
        Self([hash as u32, (hash >> 32) as u32, (hash >> 64) as u32])
    }

    /// Returns a hash of it.
    #[inline]
    fn hash(self) -> u64 {
        let [first, second, _] = self.0;
        u64::from(first) << 32 | u64::from(second)
    }

    /// Returns where in a table of `length` slots to look first.
    #[inline]
    fn home(self, length: usize) -> usize {
        let [first, ..] = self.0;
        usize::try_from((u64::from(first) * length as u64) >> 32).unwrap_or_default()
    }
}

/// A slot of the table: 20 bytes.
#[derive(Debug, Clone, Copy)]
struct Slot {
    identity: Identity,
    report: u32,
    /// The ordinal and, in the top bit, whether the case was seen more than once.
    ordinal: u32,
}

/// No case has this ordinal: a report ends before.
const EMPTY: u32 = u32::MAX;
const REPEATED: u32 = 1 << 31;

/// What [`FirstSights::see`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sight {
    /// It was not there before.
    First,
    /// It was seen there before.
    Again {
        first: Place,
        /// Whether this is the first time that it is seen again.
        is_second: bool,
    },
}

/// The distinct cases of one report, in the order of their first sights.
#[derive(Debug, Default)]
pub(crate) struct ReportSights {
    seen: Vec<Seen>,
    numbers: Numbers,
}

/// A case of a report: 16 bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    identity: Identity,
    /// The ordinal and, in the top bit, whether the case was seen more than once.
    ordinal: u32,
}

impl ReportSights {
    /// Begins another report, of about so many cases.
    pub(crate) fn begin(&mut self, expected: usize) {
        self.seen.clear();
        self.numbers.begin(expected);
    }

    /// Notes that a case was seen; returns where it was seen first, if it was before.
    #[inline]
    pub(crate) fn see(&mut self, identity: Identity, ordinal: u32) -> Option<u32> {
        let is_it =
            |number: u32| self.seen.get(number as usize).is_some_and(|seen| seen.identity == identity);
        let hash = identity.hash();
        if let Some(number) = self.numbers.find(hash, is_it) {
            let seen = self.seen.get_mut(number as usize)?;
            seen.ordinal |= REPEATED;
            return Some(seen.ordinal & !REPEATED);
        }
        let number = u32::try_from(self.seen.len()).unwrap_or(u32::MAX);
        self.seen.push(Seen { identity, ordinal });
        let seen = &self.seen;
        self.numbers
            .put(number, hash, |number| seen.get(number as usize).map_or(0, |seen| seen.identity.hash()));
        None
    }

    /// Returns the cases, in no more bytes than they need.
    pub(crate) fn all(&self) -> Box<[Seen]> {
        self.seen.as_slice().into()
    }

    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.seen.len()
    }
}

/// The first sights of a group: most are of one report alone, of which nothing is looked up.
#[derive(Debug, Default)]
pub(crate) enum GroupSights {
    #[default]
    Nothing,
    One {
        report: u32,
        cases: Box<[Seen]>,
    },
    Many(FirstSights),
}

impl GroupSights {
    /// Returns the number of distinct cases.
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::One { cases, .. } => cases.len(),
            Self::Many(sights) => sights.len(),
        }
    }

    /// Adds the cases of a report. Of each that was there, `again` is told its ordinal, where it was seen first, and whether
    /// it is now seen for the second time.
    pub(crate) fn add(&mut self, report: u32, cases: Box<[Seen]>, mut again: impl FnMut(u32, Place, bool)) {
        let mut sights = match std::mem::take(self) {
            Self::Nothing => {
                *self = Self::One { report, cases };
                return;
            }
            Self::One { report, cases: earlier } => FirstSights::of(report, &earlier),
            Self::Many(sights) => sights,
        };
        for case in cases {
            let place = Place { report, ordinal: case.ordinal & !REPEATED };
            match sights.see(case.identity, place) {
                Sight::Again { first, is_second } => again(place.ordinal, first, is_second),
                Sight::First if case.ordinal & REPEATED != 0 => sights.repeat(case.identity),
                Sight::First => {}
            }
        }
        *self = Self::Many(sights);
    }
}

/// Cases from which on there are many tables instead of one.
const MANY: usize = 1 << 14;
/// How many tables there are then.
const TABLES: usize = 256;

/// First sights: one table while they are few, then many by the bits of the hash.
///
/// A table that grows is there twice for a moment. So that this costs next to nothing beside the whole, each of the many
/// grows alone.
#[derive(Debug, Default)]
pub(crate) struct FirstSights {
    tables: Vec<Table>,
    used: usize,
    /// The most bytes that a growing table and its successor have taken together.
    #[cfg(test)]
    growing: usize,
}

/// A table: open addressing, any number of slots, grown by a quarter so that it is never emptier than
/// 20 bytes × 1.25 / 0.85 = 29.4 bytes a case.
#[derive(Debug, Default)]
struct Table {
    slots: Vec<Slot>,
    used: usize,
}

impl FirstSights {
    /// Makes the first sights of one report.
    fn of(report: u32, cases: &[Seen]) -> Self {
        let mut sights = Self::default();
        if cases.len() < MANY {
            let mut table = Table::default();
            table.resize(cases.len() * 5 / 4 + 16);
            sights.tables.push(table);
        }
        for case in cases {
            let place = Place { report, ordinal: case.ordinal & !REPEATED };
            sights.see(case.identity, place);
            if case.ordinal & REPEATED != 0 {
                sights.repeat(case.identity);
            }
        }
        sights
    }

    /// Returns the number of distinct cases.
    pub(crate) fn len(&self) -> usize {
        self.used
    }

    /// Notes that a case was seen.
    #[inline]
    pub(crate) fn see(&mut self, identity: Identity, place: Place) -> Sight {
        if self.tables.len() <= 1 && (self.used == 0 || self.used == MANY) {
            self.spread();
        }
        let at = self.table_of(identity);
        let Some(table) = self.tables.get_mut(at) else { return Sight::First };
        if table.is_full() {
            table.grow();
            #[cfg(test)]
            {
                self.growing = self.growing.max(table.slots.len() * size_of::<Slot>() * 9 / 5);
            }
        }
        let sight = table.see(identity, place);
        self.used += usize::from(sight == Sight::First);
        sight
    }

    /// Notes that a case that is there was seen more than once.
    pub(crate) fn repeat(&mut self, identity: Identity) {
        let at = self.table_of(identity);
        if let Some(table) = self.tables.get_mut(at) {
            table.repeat(identity);
        }
    }

    /// Returns which table a case belongs to: by other bits than those that place it there.
    #[inline]
    fn table_of(&self, identity: Identity) -> usize {
        let [_, second, _] = identity.0;
        if self.tables.len() > 1 { second as usize % TABLES } else { 0 }
    }

    /// Makes the first table, or many of the one.
    #[cold]
    fn spread(&mut self) {
        if self.tables.is_empty() {
            self.tables.push(Table::default());
        }
        if self.used < MANY {
            return;
        }
        let one = std::mem::take(&mut self.tables);
        self.tables.resize_with(TABLES, Table::default);
        for slot in one.into_iter().flat_map(|table| table.slots).filter(|slot| slot.ordinal != EMPTY) {
            let at = self.table_of(slot.identity);
            if let Some(table) = self.tables.get_mut(at) {
                if table.is_full() {
                    table.grow();
                }
                table.put(slot);
            }
        }
    }
}

impl Table {
    /// Reports whether it must grow before it takes one more.
    #[inline]
    fn is_full(&self) -> bool {
        (self.used + 1) * 20 > self.slots.len() * 17
    }

    #[inline]
    fn see(&mut self, identity: Identity, place: Place) -> Sight {
        let length = self.slots.len();
        let mut at = identity.home(length);
        while let Some(slot) = self.slots.get_mut(at) {
            if slot.ordinal == EMPTY {
                *slot = Slot { identity, report: place.report, ordinal: place.ordinal };
                self.used += 1;
                break;
            }
            if slot.identity == identity {
                let is_second = slot.ordinal & REPEATED == 0;
                slot.ordinal |= REPEATED;
                let first = Place { report: slot.report, ordinal: slot.ordinal & !REPEATED };
                return Sight::Again { first, is_second };
            }
            at = if at + 1 == length { 0 } else { at + 1 };
        }
        Sight::First
    }

    fn repeat(&mut self, identity: Identity) {
        let length = self.slots.len();
        let mut at = identity.home(length);
        while let Some(slot) = self.slots.get_mut(at).filter(|slot| slot.ordinal != EMPTY) {
            if slot.identity == identity {
                slot.ordinal |= REPEATED;
                return;
            }
            at = if at + 1 == length { 0 } else { at + 1 };
        }
    }

    /// Puts a slot of a case that is not there into the first free place.
    fn put(&mut self, slot: Slot) {
        let length = self.slots.len();
        let mut at = slot.identity.home(length);
        while let Some(place) = self.slots.get_mut(at) {
            if place.ordinal == EMPTY {
                *place = slot;
                self.used += 1;
                return;
            }
            at = if at + 1 == length { 0 } else { at + 1 };
        }
    }

    #[cold]
    fn grow(&mut self) {
        let length = self.slots.len();
        self.resize((length + length / 4).max(16));
    }

    fn resize(&mut self, length: usize) {
        let empty = Slot { identity: Identity([0; 3]), report: 0, ordinal: EMPTY };
        let old = std::mem::replace(&mut self.slots, vec![empty; length]);
        self.used = 0;
        for slot in old.into_iter().filter(|slot| slot.ordinal != EMPTY) {
            self.put(slot);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn a_case_takes_at_most_32_bytes_even_while_a_table_grows() {
        // what a table of few cases and its successor take together
        const FEW: usize = MANY * 60;
        let mut sights = FirstSights::default();
        for ordinal in 0..400_000_u32 {
            let identity = Identity::new(7, &ordinal.to_le_bytes());
            assert_eq!(sights.see(identity, Place { report: 0, ordinal }), Sight::First);
            if ordinal > 100 && ordinal % 101 == 0 {
                let slots: usize = sights.tables.iter().map(|table| table.slots.capacity()).sum();
                let bytes = slots * size_of::<Slot>() + sights.tables.capacity() * size_of::<Table>();
                assert!(bytes <= 32 * sights.len(), "{bytes} bytes for {} cases", sights.len());
                assert!(sights.growing <= FEW, "{} bytes for a moment at {ordinal}", sights.growing);
            }
        }
        assert_eq!(sights.len(), 400_000);
        for ordinal in 0..400_000_u32 {
            let first = Place { report: 0, ordinal };
            let sight = sights.see(Identity::new(7, &ordinal.to_le_bytes()), Place { report: 1, ordinal: 0 });
            assert_eq!(sight, Sight::Again { first, is_second: true });
        }
    }

    proptest! {
        #[test]
        fn it_is_a_map_to_first_sights(
            reports in proptest::collection::vec(proptest::collection::vec(0_u16..300, 0..800), 0..4),
            before in prop_oneof![Just(0), Just(300), Just(MANY)],
        ) {
            let mut group = GroupSights::default();
            // so many that the rest meets one table, or many
            if before > 0 {
                let mut sights = ReportSights::default();
                sights.begin(before / 2);
                for ordinal in 0..u32::try_from(before).unwrap() {
                    assert_eq!(sights.see(Identity::new(2, &ordinal.to_le_bytes()), ordinal), None);
                }
                group.add(99, sights.all(), |_, _, _| panic!("nothing was there"));
            }
            let mut sights = ReportSights::default();
            // where each was seen first, and how often
            let mut firsts: HashMap<u16, (Place, u32)> = HashMap::new();
            for (report, names) in (0..).zip(reports) {
                sights.begin(if report == 0 { 0 } else { names.len() });
                let (mut here, mut expected) = (HashMap::new(), Vec::new());
                for (ordinal, name) in (0..).zip(names) {
                    let first = *here.entry(name).or_insert(ordinal);
                    let seen = sights.see(Identity::new(1, &name.to_le_bytes()), ordinal);
                    prop_assert_eq!(seen, (first != ordinal).then_some(first));
                    match firsts.get_mut(&name) {
                        Some((place, times)) => {
                            *times += 1;
                            if first == ordinal {
                                expected.push((ordinal, *place, *times == 2));
                            }
                        }
                        None => {
                            firsts.insert(name, (Place { report, ordinal }, 1));
                        }
                    }
                }
                prop_assert_eq!(sights.len(), here.len());
                let mut again = Vec::new();
                group.add(report, sights.all(), |ordinal, first, is_second| again.push((ordinal, first, is_second)));
                prop_assert_eq!(again, expected);
                prop_assert_eq!(group.len(), firsts.len() + before);
            }
        }
    }
}
