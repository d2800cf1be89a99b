//! Cases that may not be over: those that are open, and those that have ended and may be tried again.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::detail::several;
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Try};
use crate::out::Out;

/// What an entry takes beside its texts, roughly.
const ENTRY_BYTES: usize = 512;

/// A case on the shelf.
pub(super) struct Entry {
    /// What is known of it. Outcome, seconds and detail are those of the last try that ended.
    pub(super) case: Case<'static>,
    /// Whether a try of it is open.
    is_open: bool,
    /// What the open try printed.
    pub(super) output: String,
    /// What is known of how the open try ends.
    pub(super) verdict: Option<(Outcome, Option<f64>)>,
    /// When the open try began, in seconds by the report's own clock.
    pub(super) began: Option<f64>,
    /// What went wrong in the open try.
    failures: Vec<Detail<'static>>,
    key: String,
    ended: usize,
    bytes: usize,
}

impl Entry {
    /// Reports whether a try of it is open.
    pub(super) fn is_open(&self) -> bool {
        self.is_open
    }

    /// Returns what went wrong in the open try, as one: of several the first one's kind and message, and the texts of all.
    pub(super) fn take_failures(&mut self) -> Detail<'static> {
        let mut failures = std::mem::take(&mut self.failures);
        if failures.len() < 2 {
            return failures.pop().unwrap_or_default();
        }
        let texts = failures.iter().map(|failure| {
            let parts = [failure.message.as_deref(), failure.text.as_deref()];
            let parts: Vec<_> = parts.into_iter().flatten().map(str::trim_end).collect();
            parts.join("\n")
        });
        let text = texts.collect::<Vec<_>>().join("\n\n");
        let first = failures.into_iter().next().unwrap_or_default();
        Detail { text: Some(Cow::Owned(text)), ..first }
    }

    /// Returns the detail of a try of which no end is told: what went wrong, and else what it printed.
    fn unended(&mut self) -> Detail<'static> {
        let failures = self.take_failures();
        if !failures.is_empty() {
            return failures;
        }
        let output = std::mem::take(&mut self.output);
        let text = (!output.trim().is_empty()).then_some(Cow::Owned(output));
        Detail { text, ..Detail::default() }
    }

    fn end(&mut self, outcome: Outcome, seconds: Option<f64>, detail: Detail<'static>) {
        if self.ended == 1 {
            let detail = self.case.detail.clone();
            let first = Try { outcome: self.case.outcome, seconds: self.case.seconds, detail };
            self.case.tries.push(first);
        }
        if self.ended > 0 {
            self.case.tries.push(Try { outcome, seconds, detail: detail.clone() });
        }
        self.case.outcome = outcome;
        self.case.seconds = seconds;
        self.case.detail = detail;
        self.ended += 1;
        self.is_open = false;
        self.output = String::new();
        (self.verdict, self.began) = (None, None);
        self.failures.clear();
    }
}

/// Cases that are open or may be tried again, in the order they began. What they take in memory is bounded by the limit
/// of a case's bytes: where it is reached those that have ended are told, and a later try of one is a case of its own.
#[derive(Default)]
pub(super) struct Shelf {
    entries: BTreeMap<u64, Entry>,
    places: HashMap<String, u64>,
    /// The places of those that are not open.
    ended: BTreeSet<u64>,
    next: u64,
    bytes: usize,
    is_cut: bool,
}

impl Shelf {
    /// Reports whether there is one entry: those that were there before it have all been told.
    pub(super) fn is_single(&self) -> bool {
        self.entries.len() == 1
    }

    /// Returns the entry of a key.
    pub(super) fn get(&mut self, key: &str) -> Option<&mut Entry> {
        self.entries.get_mut(self.places.get(key)?)
    }

    /// Opens a try of a case, and makes it where it is not there.
    pub(super) fn open(
        &mut self,
        key: &str,
        case: impl FnOnce() -> Case<'static>,
        out: &mut Out<'_>,
    ) -> &mut Entry {
        self.make_room(ENTRY_BYTES + key.len() * 4, out);
        let next = self.next;
        let place = *self.places.entry(key.to_owned()).or_insert(next);
        let entry = self.entries.entry(place).or_insert_with(|| {
            self.next += 1;
            let bytes = ENTRY_BYTES + key.len() * 4;
            self.bytes += bytes;
            let key = key.to_owned();
            let (case, output) = (case(), String::new());
            let (verdict, began, failures) = (None, None, Vec::new());
            Entry { case, is_open: true, output, verdict, began, failures, key, ended: 0, bytes }
        });
        entry.is_open = true;
        self.ended.remove(&place);
        entry
    }

    /// The open try of a case has ended.
    pub(super) fn end(
        &mut self,
        key: &str,
        outcome: Outcome,
        seconds: Option<f64>,
        detail: Detail<'static>,
    ) -> Option<&mut Entry> {
        let place = *self.places.get(key)?;
        let entry = self.entries.get_mut(&place)?;
        let texts = [&detail.kind, &detail.message, &detail.text];
        let bytes = texts.into_iter().flatten().map(|text| text.len()).sum::<usize>() * 2;
        entry.bytes += bytes;
        self.bytes += bytes;
        entry.end(outcome, seconds, detail);
        self.ended.insert(place);
        Some(entry)
    }

    /// Ends the open try of a case of which no end is told.
    pub(super) fn never_ended(&mut self, key: &str, out: &mut Out<'_>) {
        if let Some(entry) = self.get(key).filter(|entry| entry.is_open) {
            out.finding(FindingCode::NeverEnded, entry.case.offset);
            let detail = entry.unended();
            self.end(key, Outcome::Errored, None, detail);
        }
    }

    /// Adds to what the open try of a case printed.
    pub(super) fn print(&mut self, key: &str, text: &str, at: u64, out: &mut Out<'_>) {
        // twice: as output now, as detail when it ends
        if !self.make_room(text.len() * 2, out) {
            return self.cut(at, out);
        }
        self.bytes += text.len() * 2;
        if let Some(entry) = self.get(key) {
            entry.bytes += text.len() * 2;
            entry.output.push_str(text);
        }
    }

    /// Adds to what went wrong in the open try of a case.
    pub(super) fn fail(&mut self, key: &str, detail: Detail<'static>, at: u64, out: &mut Out<'_>) {
        let texts = [&detail.kind, &detail.message, &detail.text];
        let bytes = texts.into_iter().flatten().map(|text| text.len()).sum::<usize>() * 2 + 64;
        if !self.make_room(bytes, out) {
            return self.cut(at, out);
        }
        self.bytes += bytes;
        if let Some(entry) = self.get(key) {
            entry.bytes += bytes;
            entry.failures.push(detail);
        }
    }

    /// Something went wrong in a case whose last try had ended: it is one that went wrong.
    pub(super) fn fail_late(&mut self, key: &str, detail: &Detail<'static>, at: u64, out: &mut Out<'_>) {
        let texts = [&detail.kind, &detail.message, &detail.text];
        let bytes = texts.into_iter().flatten().map(|text| text.len()).sum::<usize>() * 2;
        let is_room = self.grow(key, bytes, at, out);
        let Some(entry) = self.get(key) else { return };
        let Case { outcome, detail: of_case, tries, .. } = &mut entry.case;
        let of_try = tries.last_mut().map(|last| (&mut last.outcome, &mut last.detail));
        for (outcome, own) in [(outcome, of_case)].into_iter().chain(of_try) {
            let before = outcome.is_trouble().then(|| std::mem::take(own));
            if before.is_none() {
                *outcome = Outcome::Errored;
            }
            let late = is_room.then(|| detail.clone());
            *own = several(before.into_iter().chain(late));
        }
    }

    /// Takes a case away, as if it had never been.
    pub(super) fn remove(&mut self, key: &str) {
        if let Some(place) = self.places.remove(key) {
            self.ended.remove(&place);
            let bytes = self.entries.remove(&place).map_or(0, |entry| entry.bytes);
            self.bytes = self.bytes.saturating_sub(bytes);
        }
    }

    /// Counts what is put into a case; reports whether there is room for it.
    pub(super) fn grow(&mut self, key: &str, bytes: usize, at: u64, out: &mut Out<'_>) -> bool {
        // room is not made by telling the case itself
        let is_open = self.get(key).is_some_and(|entry| entry.is_open);
        let is_room =
            if is_open { self.make_room(bytes, out) } else { self.bytes + bytes <= out.limits.case_bytes };
        if is_room {
            self.bytes += bytes;
            if let Some(entry) = self.get(key) {
                entry.bytes += bytes;
            }
        } else {
            self.cut(at, out);
        }
        is_room
    }

    /// Tells once that output is left out.
    fn cut(&mut self, at: u64, out: &mut Out<'_>) {
        if !std::mem::replace(&mut self.is_cut, true) {
            out.finding(FindingCode::OutputCut, at);
        }
    }

    /// Tells cases until there is room; reports whether there is now.
    fn make_room(&mut self, bytes: usize, out: &mut Out<'_>) -> bool {
        let limit = out.limits.case_bytes;
        if self.bytes + bytes <= limit {
            return true;
        }
        for place in std::mem::take(&mut self.ended) {
            self.tell(place, out);
        }
        // those that are open and small: so many that they never end
        if self.entries.len() > limit / ENTRY_BYTES / 2 {
            self.finish(out);
        }
        self.bytes + bytes <= limit
    }

    fn tell(&mut self, place: u64, out: &mut Out<'_>) {
        if let Some(entry) = self.entries.remove(&place) {
            self.places.remove(&entry.key);
            self.bytes = self.bytes.saturating_sub(entry.bytes);
            out.case(entry.case);
        }
    }

    /// Tells every case; one that is open never ended.
    pub(super) fn finish(&mut self, out: &mut Out<'_>) {
        for mut entry in std::mem::take(&mut self.entries).into_values() {
            if entry.is_open {
                out.finding(FindingCode::NeverEnded, entry.case.offset);
                let detail = entry.unended();
                entry.end(Outcome::Errored, None, detail);
            }
            out.case(entry.case);
        }
        self.places.clear();
        self.ended.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::Limits;
    use crate::out::Visitor;
    use crate::{Finding, read};

    #[derive(Default)]
    struct Counter {
        cases: Vec<(String, usize)>,
        codes: Vec<FindingCode>,
    }

    impl Visitor for Counter {
        fn case(&mut self, case: &Case<'_>) {
            let texts = [&case.stdout, &case.detail.text];
            let bytes = texts.into_iter().flatten().map(|text| text.len()).sum();
            self.cases.push((case.name.as_deref().unwrap_or_default().to_owned(), bytes));
        }

        fn finding(&mut self, finding: Finding) {
            self.codes.push(finding.code);
        }
    }

    fn counted(report: &str, case_bytes: usize) -> Counter {
        let mut counter = Counter::default();
        let limits = Limits { case_bytes, findings: usize::MAX, ..Limits::default() };
        read(report.as_bytes(), limits, &mut counter);
        counter
    }

    fn event(action: &str, test: usize, output: &str) -> String {
        format!(r#"{{"Action":"{action}","Package":"p","Test":"T{test}","Output":"{output}"}}"#) + "\n"
    }

    #[test]
    fn output_of_an_open_test_is_cut_at_the_limit_and_told() {
        let line = "x".repeat(100);
        let mut report = event("run", 1, "");
        report.extend(std::iter::repeat_n(event("output", 1, &line), 1000));
        report += &event("pass", 1, "");
        let counter = counted(&report, 20_000);
        assert_eq!(counter.codes, [FindingCode::OutputCut]);
        let [(_, bytes)] = &counter.cases[..] else { panic!("{:?}", counter.cases) };
        assert!((5_000..=10_000).contains(bytes), "{bytes}");
    }

    #[test]
    fn tests_that_have_ended_are_told_when_there_is_no_room_for_more() {
        let report: String =
            (0..1000).map(|test| event("run", test, "") + &event("pass", test, "")).collect();
        let counter = counted(&report, 20_000);
        assert_eq!(counter.cases.len(), 1000);
        assert_eq!(counter.codes, []);
    }

    #[test]
    fn tests_that_never_end_do_not_fill_memory() {
        let report: String = (0..1000).map(|test| event("run", test, "")).collect();
        let counter = counted(&report, 20_000);
        assert_eq!(counter.cases.len(), 1000);
        assert_eq!(counter.codes, [FindingCode::NeverEnded; 1000]);
    }
}
