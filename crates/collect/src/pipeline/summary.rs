//! `test_run_summary`: counts and seconds for each file, class, job and invoking file.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustc_hash::{FxHashMap, FxHasher};

use super::report::RowSum;
use super::rows::RowKey;
use crate::profile::facts::Key;
use crate::profile::{json, number};

/// The rows, in order of first sight.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    keys: SharedKeys,
    pub(crate) names: Names,
    rows: Vec<Row>,
    /// Rows by what makes them one.
    by_identity: FxHashMap<[u32; 4], u32>,
}

/// One row. The first four are numbers of [`Keys`] and [`Names`].
#[derive(Debug)]
struct Row {
    file: u32,
    class: u32,
    job: u32,
    invoking_file: u32,
    /// Of each outcome, in the order of `Outcome`.
    counts: [u32; 4],
    seconds: f64,
}

impl Summary {
    /// Makes an empty summary of rows whose files and classes have these numbers.
    pub(crate) fn new(keys: SharedKeys) -> Self {
        Self { keys, ..Self::default() }
    }

    /// Returns the number of a row, which is made where it is not there yet. Job and invoking file are numbers of
    /// [`names`](Self::names).
    pub(crate) fn row(&mut self, key: &RowKey, (job, invoking_file): (u32, u32)) -> u32 {
        let (file, class) = (key.file.written, key.class.written);
        let identity = [key.file.identity, key.class.identity, job, invoking_file];
        let next = u32::try_from(self.rows.len()).unwrap_or(u32::MAX);
        *self.by_identity.entry(identity).or_insert_with(|| {
            self.rows.push(Row { file, class, job, invoking_file, counts: [0; 4], seconds: 0.0 });
            next
        })
    }

    /// Adds what cases of a report add up to.
    pub(crate) fn add(&mut self, row: u32, sum: &RowSum) {
        let Some(row) = self.rows.get_mut(row as usize) else { return };
        for (count, more) in row.counts.iter_mut().zip(sum.counts) {
            *count = count.saturating_add(more);
        }
        row.seconds = add_seconds(row.seconds, sum.seconds);
    }

    /// Writes the rows as lines, a few at a time.
    pub(crate) fn write<E>(
        &self,
        run_id: &str,
        attempt: u32,
        mut flush: impl FnMut(&[u8], u64) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut run = Vec::new();
        json::write_string(run_id.as_bytes(), &mut run);
        let mut lines = Vec::new();
        let mut count = 0;
        let keys = self.keys.lock();
        for row in &self.rows {
            lines.extend_from_slice(b"{\"file\": ");
            keys.get(row.file).write_value(&mut lines);
            lines.extend_from_slice(b", \"classname\": ");
            keys.get(row.class).write_value(&mut lines);
            lines.extend_from_slice(b", \"job_id\": ");
            lines.extend_from_slice(self.names.get(row.job).as_bytes());
            lines.extend_from_slice(b", \"workflow_id\": ");
            lines.extend_from_slice(&run);
            lines.extend_from_slice(b", \"workflow_run_attempt\": ");
            number::write_count(u64::from(attempt), &mut lines);
            lines.extend_from_slice(b", \"invoking_file\": ");
            json::write_string(self.names.get(row.invoking_file).as_bytes(), &mut lines);
            let [passed, failed, errored, skipped] = row.counts.map(u64::from);
            let tests = passed + failed + errored + skipped;
            for (key, count) in [
                (&b", \"tests\": "[..], tests),
                (b", \"failures\": ", failed),
                (b", \"errors\": ", errored),
                (b", \"skipped\": ", skipped),
                (b", \"successes\": ", passed),
            ] {
                lines.extend_from_slice(key);
                number::write_count(count, &mut lines);
            }
            lines.extend_from_slice(b", \"time\": ");
            number::write_float(row.seconds, &mut lines);
            lines.extend_from_slice(b"}\n");
            count += 1;
            if lines.len() > 1 << 18 {
                flush(&lines, count)?;
                lines.clear();
                count = 0;
            }
        }
        flush(&lines, count)
    }
}

/// Adds seconds to a sum, unless that would make it infinite.
#[inline]
pub(crate) fn add_seconds(sum: f64, seconds: f64) -> f64 {
    let next = sum + seconds;
    if next.is_finite() { next } else { sum }
}

/// The numbers of a key: which depends on who asks first, so that they say what is one and what is not, and no order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyNumber {
    /// Of the key as it is written.
    pub(crate) written: u32,
    /// Of the first key that is one with it (0 and -0 are one).
    pub(crate) identity: u32,
}

/// The keys of a run, which its workers number and its fold writes.
#[derive(Debug, Clone, Default)]
pub(crate) struct SharedKeys(Arc<Mutex<Keys>>);

impl SharedKeys {
    /// Waits for the keys.
    pub(crate) fn lock(&self) -> MutexGuard<'_, Keys> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keys as numbers, each held once.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    all: Vec<Key>,
    by_hash: FxHashMap<u64, Vec<u32>>,
    canonical: Vec<u8>,
}

impl Keys {
    /// Returns the numbers of a key.
    pub(crate) fn number(&mut self, key: &Key) -> KeyNumber {
        self.canonical.clear();
        key.write_canonical(&mut self.canonical);
        let mut hasher = FxHasher::default();
        self.canonical.hash(&mut hasher);
        let candidates = self.by_hash.entry(hasher.finish()).or_default();
        let is_one = |number: &&u32| self.all.get(**number as usize) == Some(key);
        let identity = candidates.iter().find(is_one).copied();
        let written = candidates
            .iter()
            .find(|number| self.all.get(**number as usize).is_some_and(|other| is_written_alike(other, key)));
        let next = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        let written = match written.copied() {
            Some(written) => written,
            None => {
                self.all.push(key.clone());
                candidates.push(next);
                next
            }
        };
        KeyNumber { written, identity: identity.unwrap_or(written) }
    }

    pub(crate) fn get(&self, number: u32) -> &Key {
        self.all.get(number as usize).unwrap_or(&Key::Absent)
    }
}

fn is_written_alike(one: &Key, other: &Key) -> bool {
    match (one, other) {
        (Key::Number(one), Key::Number(other)) => one.to_bits() == other.to_bits(),
        _ => one == other,
    }
}

/// Names as numbers, each held once.
#[derive(Debug, Default)]
pub(crate) struct Names {
    all: Vec<Arc<str>>,
    numbers: FxHashMap<Arc<str>, u32>,
}

impl Names {
    /// Returns the number of a name, in order of first sight.
    pub(crate) fn number(&mut self, name: &str) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        let name: Arc<str> = name.into();
        self.all.push(Arc::clone(&name));
        self.numbers.insert(name, number);
        number
    }

    pub(crate) fn get(&self, number: u32) -> &str {
        self.all.get(number as usize).map_or("", |name| name)
    }
}
