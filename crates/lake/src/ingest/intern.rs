//! Texts that many rows share, kept once.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, DictionaryArray, Int32Array, StringArray};
use rustc_hash::FxHashMap;

/// Stands for a text that is absent.
pub(super) const ABSENT: u32 = u32::MAX;

/// Numbers texts in the order that they come.
#[derive(Debug, Default)]
pub(super) struct Texts {
    numbers: FxHashMap<Arc<str>, u32>,
    texts: Vec<Arc<str>>,
    last: u32,
    bytes: usize,
}

impl Texts {
    /// Returns the number of a text.
    pub(super) fn number(&mut self, text: Option<&str>) -> u32 {
        let Some(text) = text else { return ABSENT };
        // Cases of one class come in a row.
        if self.get(self.last) == Some(text) {
            return self.last;
        }
        self.last = match self.numbers.get(text) {
            Some(number) => *number,
            None => self.add(text),
        };
        self.last
    }

    fn add(&mut self, text: &str) -> u32 {
        // One less than the number that stands for none; the rows of a batch are far fewer.
        let number = u32::try_from(self.texts.len()).unwrap_or(ABSENT - 1);
        let text: Arc<str> = text.into();
        self.bytes += text.len();
        self.texts.push(Arc::clone(&text));
        self.numbers.insert(text, number);
        number
    }

    pub(super) fn get(&self, number: u32) -> Option<&str> {
        self.texts.get(usize::try_from(number).ok()?).map(|text| &**text)
    }

    /// Returns the place of each number's text in the order of texts.
    pub(super) fn ranks(&self) -> Ranks {
        let mut order: Vec<usize> = (0..self.texts.len()).collect();
        order.sort_unstable_by_key(|number| self.texts.get(*number));
        let mut ranks = vec![0; order.len()];
        for (rank, number) in (1..).zip(order) {
            if let Some(place) = ranks.get_mut(number) {
                *place = rank;
            }
        }
        Ranks(ranks)
    }

    /// Returns a column of these numbers' texts.
    pub(super) fn column(&self, numbers: impl Iterator<Item = u32>) -> ArrayRef {
        let keys: Int32Array = numbers.map(|number| i32::try_from(number).ok()).collect();
        let values: StringArray = self.texts.iter().map(|text| Some(&**text)).collect();
        dictionary(keys, values)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

/// Where texts stand in their order, by number. What is absent comes first.
#[derive(Debug)]
pub(super) struct Ranks(Vec<u32>);

impl Ranks {
    pub(super) fn of(&self, number: u32) -> u32 {
        usize::try_from(number).ok().and_then(|number| self.0.get(number)).copied().unwrap_or(0)
    }
}

/// Makes a column of keys and the texts that they stand for.
pub(super) fn dictionary(keys: Int32Array, values: StringArray) -> ArrayRef {
    match DictionaryArray::try_new(keys, Arc::new(values)) {
        Ok(column) => Arc::new(column),
        // Each key is a number that was given out for a value that is there.
        Err(_) => Arc::new(StringArray::new_null(0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_has_one_number_and_its_rank_is_its_place() {
        let mut texts = Texts::default();
        let numbers: Vec<u32> = ["b", "a", "b", "", "c"].map(|text| texts.number(Some(text))).to_vec();
        assert_eq!(numbers, [0, 1, 0, 2, 3]);
        assert_eq!(texts.number(None), ABSENT);
        let ranks = texts.ranks();
        assert_eq!([ABSENT, 2, 1, 0, 3].map(|number| ranks.of(number)), [0, 1, 2, 3, 4]);
        assert_eq!(texts.column([0, ABSENT, 3].into_iter()).logical_null_count(), 1);
    }
}
