//! The one cap that spans archives: the inflated bytes of a run.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::plan::Cancel;

/// What the entries of a run may still inflate to. Shared by all threads.
#[derive(Debug)]
pub struct Budget {
    limit: u64,
    left: AtomicU64,
    cancel: Option<Cancel>,
}

impl Budget {
    /// Makes a budget of `limit` bytes.
    pub fn new(limit: u64) -> Self {
        Self { limit, left: AtomicU64::new(limit), cancel: None }
    }

    /// Makes every reading under it end soon after the run is cancelled.
    #[must_use]
    pub fn until(mut self, cancel: &Cancel) -> Self {
        self.cancel = Some(cancel.clone());
        self
    }

    /// Reports whether nobody waits for what is read any more.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancel.as_ref().is_some_and(Cancel::is_cancelled)
    }

    /// Returns the limit that it was made with.
    pub fn limit(&self) -> u64 {
        self.limit
    }

    /// Returns how many bytes have been taken.
    pub fn used(&self) -> u64 {
        self.limit - self.left.load(Ordering::Relaxed)
    }

    /// Takes up to `bytes` and returns how many were left to take.
    pub(super) fn take(&self, bytes: u64) -> u64 {
        // The closure always returns a value, so both arms hold what was left before.
        let before = match self
            .left
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left - bytes.min(left)))
        {
            Ok(left) | Err(left) => left,
        };
        bytes.min(before)
    }

    /// Gives back what was taken for bytes that will be read once more.
    pub(super) fn give_back(&self, bytes: u64) {
        self.left.fetch_add(bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_what_is_left_and_no_more() {
        let budget = Budget::new(10);
        assert_eq!(budget.take(7), 7);
        assert_eq!(budget.take(7), 3);
        assert_eq!(budget.take(7), 0);
        budget.give_back(4);
        assert_eq!(budget.take(7), 4);
        assert_eq!(budget.used(), 10);
    }
}
