//! Cases that are held back because what follows may tell more of them.
//!
//! Two writers tell of one case in several entries. pytest adds an entry where a test failed and its teardown, too.
//! Gradle, with `mergeReruns` off, writes each try as an entry of its own. Of all other writers a repeated entry is
//! another case.

use std::collections::{HashMap, HashSet};

use super::case::join;
use super::frame::Counts;
use super::trouble::all_in_one;
use crate::fold::Fold;
use crate::identity;
use crate::model::{Case, Detail, Outcome, Text, Try};
use crate::out::Out;

/// Cases that are held back, in order.
#[derive(Debug, Default)]
pub(super) struct Held {
    cases: Vec<Case<'static>>,
    /// Bytes of texts in them.
    bytes: usize,
    /// How many entries of a failed teardown the last one has taken in.
    teardowns: u32,
}

/// Entries of failed teardowns that one case may take in: pytest writes one. Others are told as cases.
const TEARDOWNS: u32 = 16;

impl Held {
    /// Takes a case, and tells those that need not be held back any longer.
    #[inline]
    pub(super) fn take(
        &mut self,
        case: &mut Case<'_>,
        repeats_are_tries: bool,
        counts: &mut Counts,
        out: &mut Out<'_>,
    ) {
        if self.cases.is_empty() && !case.outcome.is_trouble() {
            counts.add_case(case);
            out.tell(case);
        } else {
            out.cap_path(case);
            let case = std::mem::replace(case, Case::new(case.outcome, case.offset));
            self.take_or_hold(case, repeats_are_tries, counts, out);
        }
    }

    fn take_or_hold(
        &mut self,
        case: Case<'_>,
        repeats_are_tries: bool,
        counts: &mut Counts,
        out: &mut Out<'_>,
    ) {
        if !repeats_are_tries
            && let Some(before) = self.cases.last_mut()
            && is_teardown_of(&case, before)
            && self.bytes <= out.limits.case_bytes
            && self.teardowns < TEARDOWNS
        {
            self.teardowns += 1;
            self.bytes = self.bytes.saturating_add(weight(&case));
            counts.add_entry();
            add_teardown(before, case);
            return;
        }
        if !repeats_are_tries || self.bytes > out.limits.case_bytes {
            self.tell(counts, out);
        }
        let may_go_on = case.outcome.is_trouble() || repeats_are_tries && !self.cases.is_empty();
        if may_go_on {
            self.bytes = self.bytes.saturating_add(weight(&case));
            self.cases.push(case.into_owned());
        } else {
            counts.add_case(&case);
            out.case(case);
        }
    }

    /// Tells all, those of one identity behind a failed one as its tries.
    pub(super) fn tell(&mut self, counts: &mut Counts, out: &mut Out<'_>) {
        self.bytes = 0;
        self.teardowns = 0;
        if self.cases.len() < 2 {
            for case in self.cases.drain(..) {
                counts.add_case(&case);
                out.case(case);
            }
            return;
        }
        let mut told: Vec<Case<'static>> = Vec::with_capacity(self.cases.len());
        let mut by_identity: HashMap<u64, usize> = HashMap::new();
        for case in self.cases.drain(..) {
            let key = key(&case);
            let before = by_identity.get(&key).and_then(|&index| told.get_mut(index));
            match before {
                Some(before) if before.outcome.is_trouble() && is_same(before, &case) => {
                    add_try(before, case);
                }
                _ => {
                    by_identity.insert(key, told.len());
                    told.push(case);
                }
            }
        }
        for case in told {
            counts.add_case(&case);
            out.case(case);
        }
    }
}

/// Reports whether it is pytest's second entry of a case: `failed on teardown with "..."`.
fn is_teardown_of(case: &Case<'_>, before: &Case<'_>) -> bool {
    let begins = |text: &str| text.starts_with("failed on teardown with") || text == "test teardown failure";
    case.outcome == Outcome::Errored
        && case.detail.message.as_deref().is_some_and(begins)
        && is_same(case, before)
}

fn is_same(one: &Case<'_>, other: &Case<'_>) -> bool {
    one.name == other.name && one.class == other.class && one.file == other.file && one.suite == other.suite
}

fn key(case: &Case<'_>) -> u64 {
    identity::key(case, Fold::NOTHING, 0)
}

/// The teardown of the same try failed, too.
fn add_teardown(before: &mut Case<'static>, case: Case<'_>) {
    let case = case.into_owned();
    before.detail = all_in_one([std::mem::take(&mut before.detail), case.detail].into_iter());
    before.seconds = before.seconds.or(case.seconds);
    if before.stdout != case.stdout {
        join(&mut before.stdout, case.stdout);
    }
    if before.stderr != case.stderr {
        join(&mut before.stderr, case.stderr);
    }
    let mut known: HashSet<_> = before.properties.iter().cloned().collect();
    before.properties.extend(case.properties.into_iter().filter(|property| known.insert(property.clone())));
}

/// The case was run again.
fn add_try(before: &mut Case<'static>, case: Case<'static>) {
    let one = |case: &Case<'static>| Try {
        outcome: case.outcome,
        seconds: case.seconds,
        detail: case.detail.clone(),
    };
    if before.tries.is_empty() {
        before.tries.push(one(before));
    }
    if case.tries.is_empty() {
        before.tries.push(one(&case));
    } else {
        before.tries.extend(case.tries);
    }
    before.outcome = case.outcome;
    before.seconds = case.seconds;
    before.detail = case.detail;
    join(&mut before.stdout, case.stdout);
    join(&mut before.stderr, case.stderr);
}

/// What a case takes in memory, about.
fn weight(case: &Case<'_>) -> usize {
    // about what a text takes beside its bytes
    const TEXT: usize = 40;
    let length = |text: &Option<Text<'_>>| text.as_ref().map_or(0, |text| text.len());
    let of_detail =
        |detail: &Detail<'_>| length(&detail.kind) + length(&detail.message) + length(&detail.text);
    let texts = [&case.name, &case.class, &case.file, &case.stdout, &case.stderr];
    let suites = case.suite.iter().map(|name| name.len() + TEXT);
    let tries = case.tries.iter().map(|one| of_detail(&one.detail) + 4 * TEXT);
    let properties = case.properties.iter().map(|(name, value)| name.len() + value.len() + 2 * TEXT);
    12 * TEXT
        + texts.into_iter().map(length).sum::<usize>()
        + of_detail(&case.detail)
        + suites.chain(tries).chain(properties).sum::<usize>()
}
