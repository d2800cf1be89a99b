//! How often cases of an identity came.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};

/// Keys, which are hashes, and how often each came.
#[derive(Debug)]
pub(crate) struct Seen {
    /// What keys are made with: a report cannot know it, and so cannot hold keys that crowd in one place.
    pub(crate) seed: u64,
    /// The keys at the places that their highest bits say, or the next that is free; 0 is free. At most half are taken.
    slots: Vec<u64>,
    /// How many bits of a key do not count for its place.
    shift: u32,
    taken: usize,
    /// How often those came that came again.
    again: HashMap<u64, u32>,
}

/// 64 places: half a kilobyte, enough for a small report.
const LEAST: usize = 1 << 6;
/// No more places than this are made before they are needed: 128 kilobytes.
const MOST_AT_FIRST: usize = 1 << 14;
/// Bytes of a report for each place: those of a case, of which at most half are to be taken.
const CASE_BYTES: usize = 64;

impl Seen {
    /// Makes one for a text of so many bytes, as far as that is known.
    pub(crate) fn new(bytes: usize) -> Self {
        let places = (bytes / CASE_BYTES).clamp(LEAST, MOST_AT_FIRST).next_power_of_two();
        Self {
            seed: RandomState::new().hash_one(0),
            slots: vec![0; places],
            shift: u64::BITS - places.ilog2(),
            taken: 0,
            again: HashMap::new(),
        }
    }

    /// Returns how many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.taken
    }

    /// Counts a key; returns how often it came before. One that is new is kept only where `may_grow`.
    #[inline]
    pub(crate) fn count(&mut self, key: u64, may_grow: bool) -> u32 {
        // 0 says that a place is free
        let key = key.max(1);
        let place = self.place(key);
        match self.slots.get_mut(place) {
            Some(slot) if *slot == 0 => {
                if may_grow {
                    *slot = key;
                    self.taken += 1;
                    if self.taken * 2 > self.slots.len() {
                        self.grow();
                    }
                }
                0
            }
            _ => self.count_again(key),
        }
    }

    #[cold]
    fn count_again(&mut self, key: u64) -> u32 {
        let times = self.again.entry(key).or_default();
        *times = times.saturating_add(1);
        *times
    }

    /// Returns where a key is, or is to be.
    #[inline]
    fn place(&self, key: u64) -> usize {
        let mut place = usize::try_from(key >> self.shift).unwrap_or_default();
        while self.slots.get(place).is_some_and(|&slot| slot != 0 && slot != key) {
            place = (place + 1) & (self.slots.len() - 1);
        }
        place
    }

    #[cold]
    fn grow(&mut self) {
        let twice = vec![0; self.slots.len() * 2];
        let keys = std::mem::replace(&mut self.slots, twice);
        self.shift -= 1;
        for key in keys.into_iter().filter(|&key| key != 0) {
            let place = self.place(key);
            if let Some(slot) = self.slots.get_mut(place) {
                *slot = key;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_counts_as_a_table_does(
            keys in prop::collection::vec(prop_oneof![any::<u64>(), 0_u64..50, (0_u64..200).prop_map(|key| u64::MAX - key)], 0..600),
            most in 1_usize..500,
            bytes in 0_usize..60_000,
        ) {
            let mut seen = Seen::new(bytes);
            let mut table: HashMap<u64, u32> = HashMap::new();
            for key in keys {
                // which is taken for 1
                let known = key.max(1);
                let before = match table.get_mut(&known) {
                    Some(times) => { *times += 1; *times }
                    None => {
                        if table.len() < most {
                            table.insert(known, 0);
                        }
                        0
                    }
                };
                prop_assert_eq!(seen.count(key, seen.len() < most), before);
                prop_assert_eq!(seen.len(), table.len());
            }
        }
    }
}
