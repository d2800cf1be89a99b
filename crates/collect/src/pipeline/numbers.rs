//! A table from hashes to numbers. What the numbers stand for is the caller's.

/// The numbers 0, 1, 2, ... of things that are found again by their hash: open addressing, half full at most.
#[derive(Debug, Default)]
pub(crate) struct Numbers {
    /// Each number and 1; 0 where there is none. A power of 2 of them, or none at all.
    slots: Vec<u32>,
    used: usize,
}

/// 64 slots are one or four lines of a cache.
const LEAST_SLOTS: usize = 64;

impl Numbers {
    /// Forgets all, and makes room for so many.
    pub(crate) fn begin(&mut self, expected: usize) {
        let length = (expected * 2).next_power_of_two().max(LEAST_SLOTS);
        self.slots.clear();
        self.slots.resize(length, 0);
        self.used = 0;
    }

    /// Returns the number of this hash that `is_it` holds of.
    #[inline]
    pub(crate) fn find(&self, hash: u64, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mut at = self.home(hash);
        loop {
            let number = self.slots.get(at)?.checked_sub(1)?;
            if is_it(number) {
                return Some(number);
            }
            at = (at + 1) & self.slots.len().wrapping_sub(1);
        }
    }

    /// Adds a number that is not there.
    #[inline]
    pub(crate) fn put(&mut self, number: u32, hash: u64, hash_of: impl Fn(u32) -> u64) {
        if (self.used + 1) * 2 > self.slots.len() {
            self.grow(hash_of);
        }
        self.place(number, hash);
        self.used += 1;
    }

    #[inline]
    fn place(&mut self, number: u32, hash: u64) {
        let mut at = self.home(hash);
        let last = self.slots.len().wrapping_sub(1);
        while let Some(slot) = self.slots.get_mut(at) {
            if *slot == 0 {
                *slot = number.saturating_add(1);
                return;
            }
            at = (at + 1) & last;
        }
    }

    #[cold]
    fn grow(&mut self, hash_of: impl Fn(u32) -> u64) {
        let length = (self.slots.len() * 2).max(LEAST_SLOTS);
        let old = std::mem::replace(&mut self.slots, vec![0; length]);
        for number in old.into_iter().filter_map(|slot| slot.checked_sub(1)) {
            self.place(number, hash_of(number));
        }
    }

    /// Returns where to look first: by the highest bits of a hash.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "less than the number of slots")]
    fn home(&self, hash: u64) -> usize {
        ((u128::from(hash) * self.slots.len() as u128) >> u64::BITS) as usize
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_are_found_by_what_they_stand_for(
            // hashes that are alike in their highest bits, in the lowest, and altogether
            all in prop::collection::vec(prop_oneof![0..8_u64, (0..90_u64).prop_map(|hash| hash << 57)], 0..300),
            expected in prop::option::of(0..200_usize),
        ) {
            let (mut numbers, mut things) = (Numbers::default(), Vec::new());
            if let Some(expected) = expected {
                numbers.begin(expected);
            }
            for thing in all {
                let place = things.iter().position(|other| *other == thing);
                let found = numbers.find(thing, |number| things[number as usize] == thing);
                prop_assert_eq!(found.map(|number| number as usize), place);
                if found.is_none() {
                    let number = u32::try_from(things.len()).unwrap();
                    things.push(thing);
                    numbers.put(number, thing, |number| things[number as usize]);
                }
            }
            numbers.begin(0);
            prop_assert_eq!(numbers.find(0, |_| true), None);
        }
    }
}
