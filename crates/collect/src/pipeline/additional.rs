//! `additional_info`: reruns, files that target determination left out, and what each invoking file took.
//!
//! Documents of reruns wait in an unnamed temporary file; in memory is only where each stands and belongs.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::first_sight::{GroupSights, Place};
use super::report::{FoundCase, RowSum};
use super::rows::RowKey;
use super::summary::{Names, SharedKeys, add_seconds};
use super::unit::ReportDone;
use crate::profile::facts::NO_CLASS;
use crate::profile::json;
use crate::profile::selection::REPEATED_BY_DESIGN;
use crate::spool::Body;

/// Everything of the run that is keyed by build and configuration.
#[derive(Debug, Default)]
pub(crate) struct Additional {
    builds: Names,
    configs: Names,
    files: Names,
    /// Builds and configurations in order of first sight.
    variants: FxHashMap<[u32; 2], u32>,
    groups: Vec<Group>,
    by_identity: FxHashMap<[u32; 3], u32>,
    keys: SharedKeys,
    reruns: Vec<Rerun>,
    store: Option<BufWriter<File>>,
    stored: u64,
    /// Numbers of cases that must be read again, by report.
    missing: FxHashMap<u32, Vec<u32>>,
    /// Where in `reruns` each of those waits.
    waiting: FxHashMap<Place, usize>,
    exclusions: Vec<Exclusions>,
    exclusions_by_variant: FxHashMap<[u32; 2], usize>,
    excluded_builds: Names,
}

/// One invoking file of one build and configuration.
#[derive(Debug)]
struct Group {
    build: u32,
    config: u32,
    file: u32,
    variant: u32,
    /// Reruns are not told of it.
    is_repeated_by_design: bool,
    seconds: f64,
    sights: GroupSights,
    /// Classes in order of first sight, by the number of the first key that is one with them.
    classes: FxHashMap<u32, u32>,
    class_keys: Vec<u32>,
}

/// A case that ran more than once.
#[derive(Debug, Clone, Copy)]
struct Rerun {
    group: u32,
    class: u32,
    first: Place,
    place: Place,
    /// Where name and document begin in the store, and how long they are.
    offset: u64,
    name_length: u32,
    document_length: u32,
}

/// Test files that target determination left out of one build and configuration.
#[derive(Debug)]
struct Exclusions {
    build: u32,
    config: u32,
    test_files: BTreeSet<String>,
}

/// The report that cases belong to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Home<'a> {
    pub(crate) build: &'a str,
    pub(crate) config: &'a str,
    pub(crate) invoking_file: &'a Arc<str>,
}

impl Additional {
    /// Makes what is empty, of rows whose classes have these numbers.
    pub(crate) fn new(keys: SharedKeys) -> Self {
        Self { keys, ..Self::default() }
    }

    /// Returns the group of a report's cases, which is made where it is not there yet; `None` where nothing is told of it.
    pub(crate) fn group(&mut self, home: &Home<'_>) -> Option<u32> {
        if home.build.contains("bazel") {
            return None;
        }
        let build = self.builds.number(home.build);
        let config = self.configs.number(home.config);
        let file_name = home.invoking_file.replace('.', "/");
        let file = self.files.number(&file_name);
        let next_variant = u32::try_from(self.variants.len()).unwrap_or(u32::MAX);
        let variant = *self.variants.entry([build, config]).or_insert(next_variant);
        let next = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        Some(*self.by_identity.entry([build, config, file]).or_insert_with(|| {
            self.groups.push(Group {
                build,
                config,
                file,
                variant,
                is_repeated_by_design: REPEATED_BY_DESIGN.contains(&file_name.as_str()),
                seconds: 0.0,
                sights: GroupSights::default(),
                classes: FxHashMap::default(),
                class_keys: Vec::new(),
            });
            next
        }))
    }

    /// Notes the classes of new rows of a report; returns the place of each in the group's order.
    pub(crate) fn classes(&mut self, group: u32, rows: &[RowKey], into: &mut Vec<u32>) {
        let Some(group) = self.groups.get_mut(group as usize) else { return };
        for row in rows {
            let next = u32::try_from(group.class_keys.len()).unwrap_or(u32::MAX);
            let place = *group.classes.entry(row.class_or_none.identity).or_insert_with(|| {
                group.class_keys.push(row.class_or_none.written);
                next
            });
            into.push(place);
        }
    }

    /// Adds the seconds of cases to their group.
    pub(crate) fn add(&mut self, group: u32, sums: &[RowSum]) {
        if let Some(group) = self.groups.get_mut(group as usize) {
            for sum in sums {
                group.seconds = add_seconds(group.seconds, sum.seconds);
            }
        }
    }

    /// A report has ended: its distinct cases join those of its group. `classes` says for each row of the report which
    /// class of the group it is.
    pub(crate) fn report(&mut self, group: u32, classes: &[u32], done: &mut ReportDone) -> io::Result<()> {
        let Some(owner) = self.groups.get_mut(group as usize) else { return Ok(()) };
        let report = done.report;
        let sights = std::mem::take(&mut done.sights);
        // cases that an earlier report had: by their number here, where they were seen first
        let mut earlier: FxHashMap<u32, Place> = FxHashMap::default();
        let mut seconds_of_earlier = Vec::new();
        owner.sights.add(report, sights, |ordinal, first, is_second| {
            earlier.insert(ordinal, first);
            if is_second {
                seconds_of_earlier.push(first);
            }
        });
        if owner.is_repeated_by_design {
            return Ok(());
        }
        let mut asked = Vec::new();
        let class_of = |row: u32| classes.get(row as usize).copied().unwrap_or_default();
        let mut found: FxHashMap<u32, &FoundCase> =
            done.found.iter().map(|case| (case.ordinal, case)).collect();
        for repeat in &done.repeats {
            let place = Place { report, ordinal: repeat.ordinal };
            let first =
                earlier.get(&repeat.first).copied().unwrap_or(Place { report, ordinal: repeat.first });
            let rerun = Rerun {
                group,
                class: class_of(repeat.row),
                first,
                place,
                offset: 0,
                name_length: 0,
                document_length: 0,
            };
            match found.remove(&repeat.ordinal) {
                Some(case) => self.keep(rerun, case)?,
                None => asked.push(rerun),
            }
        }
        let repeated: BTreeSet<u32> = done.repeats.iter().map(|repeat| repeat.ordinal).collect();
        let mut across: Vec<(u32, Place)> =
            earlier.iter().map(|(&ordinal, &first)| (ordinal, first)).collect();
        across.sort_unstable();
        for (ordinal, first) in across {
            if !repeated.contains(&ordinal) {
                let place = Place { report, ordinal };
                // the class is known once the case is read again
                asked.push(Rerun {
                    group,
                    class: u32::MAX,
                    first,
                    place,
                    offset: 0,
                    name_length: 0,
                    document_length: 0,
                });
            }
        }
        for first in seconds_of_earlier {
            asked.push(Rerun {
                group,
                class: u32::MAX,
                first,
                place: first,
                offset: 0,
                name_length: 0,
                document_length: 0,
            });
        }
        for rerun in asked {
            self.ask(rerun);
        }
        Ok(())
    }

    fn ask(&mut self, rerun: Rerun) {
        self.missing.entry(rerun.place.report).or_default().push(rerun.place.ordinal);
        self.waiting.insert(rerun.place, self.reruns.len());
        self.reruns.push(rerun);
    }

    fn keep(&mut self, mut rerun: Rerun, case: &FoundCase) -> io::Result<()> {
        (rerun.offset, rerun.name_length, rerun.document_length) = self.store(case)?;
        self.reruns.push(rerun);
        Ok(())
    }

    fn store(&mut self, case: &FoundCase) -> io::Result<(u64, u32, u32)> {
        let store = match &mut self.store {
            Some(store) => store,
            None => self.store.insert(BufWriter::new(tempfile::tempfile()?)),
        };
        let offset = self.stored;
        store.write_all(&case.name)?;
        store.write_all(&case.document)?;
        self.stored += (case.name.len() + case.document.len()) as u64;
        let length = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        Ok((offset, length(&case.name), length(&case.document)))
    }

    /// Returns the reports of which cases must be read again, in order, and the cases' numbers, sorted.
    pub(crate) fn missing(&mut self) -> Vec<(u32, Vec<u32>)> {
        let mut all: Vec<_> = std::mem::take(&mut self.missing).into_iter().collect();
        all.sort_unstable();
        for (_, ordinals) in &mut all {
            ordinals.sort_unstable();
            ordinals.dedup();
        }
        all
    }

    /// A case that was asked for has been read.
    pub(crate) fn found(&mut self, report: u32, case: &FoundCase) -> io::Result<()> {
        let place = Place { report, ordinal: case.ordinal };
        let Some(index) = self.waiting.remove(&place) else { return Ok(()) };
        let (offset, name_length, document_length) = self.store(case)?;
        let Some(rerun) = self.reruns.get_mut(index) else { return Ok(()) };
        if rerun.class == u32::MAX
            && let Some(group) = self.groups.get(rerun.group as usize)
        {
            let number = self.keys.lock().number(&case.class.clone().or_text(NO_CLASS));
            rerun.class = group.classes.get(&number.identity).copied().unwrap_or_default();
        }
        (rerun.offset, rerun.name_length, rerun.document_length) = (offset, name_length, document_length);
        Ok(())
    }

    /// Adds the test files that a list leaves out.
    pub(crate) fn exclude(&mut self, build: &str, config: &str, test_files: Vec<String>) {
        if test_files.is_empty() {
            return;
        }
        let key = [self.excluded_builds.number(build), self.configs.number(config)];
        let place = *self.exclusions_by_variant.entry(key).or_insert_with(|| {
            let [build, config] = key;
            self.exclusions.push(Exclusions { build, config, test_files: BTreeSet::new() });
            self.exclusions.len() - 1
        });
        if let Some(exclusions) = self.exclusions.get_mut(place) {
            exclusions.test_files.extend(test_files);
        }
    }

    /// Writes `reruns`: build → configuration → invoking file → class → name → documents.
    pub(crate) fn write_reruns<E: From<io::Error>>(
        &mut self,
        mut out: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        // those that could not be read again are told in the ledger
        let mut reruns = std::mem::take(&mut self.reruns);
        reruns.retain(|rerun| rerun.document_length > 0);
        let order = |rerun: &Rerun| {
            let group = self.groups.get(rerun.group as usize);
            let (build, variant) = group.map_or((0, 0), |group| (group.build, group.variant));
            (build, variant, rerun.group, rerun.class, rerun.first, rerun.place)
        };
        reruns.sort_unstable_by_key(order);
        let body = match self.store.take() {
            Some(store) => {
                let mut file = store.into_inner().map_err(io::IntoInnerError::into_error)?;
                file.seek(SeekFrom::Start(0))?;
                Some(Body::File(Arc::new(file), self.stored))
            }
            None => None,
        };
        let mut tree = Nested::default();
        let mut bytes = Vec::new();
        for rerun in &reruns {
            let (Some(group), Some(body)) = (self.groups.get(rerun.group as usize), &body) else { continue };
            bytes.resize(rerun.name_length as usize + rerun.document_length as usize, 0);
            read_exact(body, rerun.offset, &mut bytes)?;
            let (name, document) = bytes.split_at_checked(rerun.name_length as usize).unwrap_or_default();
            let class = group.class_keys.get(rerun.class as usize).copied().unwrap_or_default();
            let mut class_name = Vec::new();
            self.keys.lock().get(class).write_name(&mut class_name);
            let key = [
                u64::from(group.build),
                u64::from(group.variant),
                u64::from(rerun.group),
                u64::from(rerun.class),
                u64::from(rerun.first.report) << 32 | u64::from(rerun.first.ordinal),
            ];
            let names: [&[u8]; 5] = [
                &json_name(self.builds.get(group.build)),
                &json_name(self.configs.get(group.config)),
                &json_name(self.files.get(group.file)),
                &class_name,
                name,
            ];
            tree.item(&key, &names, document);
            if tree.out.len() > 1 << 18 {
                out(&tree.out)?;
                tree.out.clear();
            }
        }
        tree.end();
        out(&tree.out)
    }

    /// Returns `td_exclusions`: build → configuration → sorted test files.
    pub(crate) fn td_exclusions(&self) -> Vec<u8> {
        let mut tree = Nested::default();
        let mut all: Vec<_> = self.exclusions.iter().enumerate().collect();
        all.sort_by_key(|(place, exclusions)| (exclusions.build, *place));
        for (place, exclusions) in all {
            let key = [u64::from(exclusions.build), place as u64];
            let names: [&[u8]; 2] = [
                &json_name(self.excluded_builds.get(exclusions.build)),
                &json_name(self.configs.get(exclusions.config)),
            ];
            for file in &exclusions.test_files {
                tree.item(&key, &names, &json_name(file));
            }
        }
        tree.end();
        tree.out
    }

    /// Returns `invoking_file_summary`: build → configuration → invoking file → count and time.
    pub(crate) fn invoking_file_summary(&self) -> Vec<u8> {
        let mut groups: Vec<_> = self.groups.iter().enumerate().collect();
        groups.sort_by_key(|(place, group)| (group.build, group.variant, *place));
        let mut tree = Nested::default();
        for (_, group) in groups {
            let mut value = json_name(self.files.get(group.file));
            value.extend_from_slice(format!(": {{\"count\": {}, \"time\": ", group.sights.len()).as_bytes());
            crate::profile::number::write_float(group.seconds, &mut value);
            value.push(b'}');
            let key = [u64::from(group.build), u64::from(group.variant)];
            let names: [&[u8]; 2] =
                [&json_name(self.builds.get(group.build)), &json_name(self.configs.get(group.config))];
            tree.member(&key, &names, &value);
        }
        tree.end();
        tree.out
    }
}

fn json_name(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    json::write_string(text.as_bytes(), &mut out);
    out
}

fn read_exact(body: &Body, mut offset: u64, mut into: &mut [u8]) -> io::Result<()> {
    while !into.is_empty() {
        let got = body.read_at(offset, into)?;
        if got == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        offset += got as u64;
        into = into.get_mut(got..).unwrap_or_default();
    }
    Ok(())
}

/// Writes objects within objects, whose innermost values are lists, from items that come in order.
#[derive(Debug, Default)]
struct Nested {
    out: Vec<u8>,
    /// The key of the last item.
    last: Vec<u64>,
    is_list: bool,
}

impl Nested {
    /// Adds an item to the list under `names`; `key` tells which names are the same as those of the item before.
    fn item(&mut self, key: &[u64], names: &[&[u8]], value: &[u8]) {
        self.is_list = true;
        self.open(key, names, b'[');
        self.out.extend_from_slice(value);
    }

    /// Adds a member, name and value, to the object under `names`.
    fn member(&mut self, key: &[u64], names: &[&[u8]], member: &[u8]) {
        self.open(key, names, b'{');
        self.out.extend_from_slice(member);
    }

    fn open(&mut self, key: &[u64], names: &[&[u8]], innermost: u8) {
        let same = self.last.iter().zip(key).take_while(|(one, other)| one == other).count();
        if self.last.is_empty() {
            self.out.push(b'{');
        } else if same < key.len() {
            self.close(same + 1);
        }
        if !self.last.is_empty() {
            self.out.extend_from_slice(b", ");
        }
        for (depth, name) in names.iter().enumerate().skip(same) {
            self.out.extend_from_slice(name);
            self.out.extend_from_slice(b": ");
            self.out.push(if depth + 1 == names.len() { innermost } else { b'{' });
        }
        self.last.clear();
        self.last.extend_from_slice(key);
    }

    /// Closes what is open down to `depth` names.
    fn close(&mut self, depth: usize) {
        for level in (depth..=self.last.len()).rev() {
            self.out.push(if level == self.last.len() && self.is_list { b']' } else { b'}' });
        }
    }

    fn end(&mut self) {
        if self.last.is_empty() {
            self.out.extend_from_slice(b"{}");
        } else {
            self.close(1);
            self.out.push(b'}');
        }
        self.out.push(b'\n');
    }
}
