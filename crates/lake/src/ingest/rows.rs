//! Rows of results in memory, by column, until there are enough for a file.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, Int64Array, ListBuilder, MapBuilder, MapFieldNames,
    StringArray, StringBuilder, TimestampMicrosecondArray,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use testlake_report::model::Detail;
use testlake_report::{Case, Outcome};

use super::intern::{Texts, dictionary};
use super::{AttemptFacts, ReportKey};
use crate::schema::{TableKind, tags_entries, texts_item};

/// Rows after which a batch goes into a file: enough to compress well, and a few dozen MiB at most in the usual run.
const MOST_ROWS: usize = 1 << 17;
/// Bytes of texts after which it goes before.
const MOST_BYTES: usize = 48 << 20;

/// Rows of results of reports that came one after the other.
#[derive(Debug, Default)]
pub(super) struct Rows {
    reports: Vec<Report>,
    report: Vec<u32>,
    ordinal: Vec<i64>,
    files: Texts,
    file: Vec<u32>,
    suites: Suites,
    suite: Vec<u32>,
    classes: Texts,
    class: Vec<u32>,
    name: TextColumn,
    line: Vec<Option<i64>>,
    outcome: Vec<Outcome>,
    flaky: Vec<bool>,
    tries: Vec<i32>,
    seconds: Vec<Option<f64>>,
    started: Vec<Option<i64>>,
    kinds: Texts,
    kind: Vec<u32>,
    messages: Texts,
    message: Vec<u32>,
    detail: TextColumn,
}

/// A report that rows are of.
#[derive(Debug, Clone)]
struct Report {
    key: ReportKey,
    /// When its first case with a time began, in milliseconds since 1970.
    began: Option<i64>,
}

/// Suite paths, each kept once, by a text that no other path has.
#[derive(Debug, Default)]
struct Suites {
    keys: Texts,
    paths: Vec<Vec<String>>,
    last: u32,
    key: String,
}

impl Suites {
    fn number(&mut self, path: &[testlake_report::model::Text<'_>]) -> u32 {
        use std::fmt::Write;
        // Cases of one suite come in a row.
        if self.get(self.last).is_some_and(|last| last.iter().eq(path.iter())) {
            return self.last;
        }
        self.key.clear();
        for name in path {
            // A `String` takes all that is written.
            let _infallible = write!(self.key, "{}:{name}", name.len());
        }
        let number = self.keys.number(Some(&self.key));
        if usize::try_from(number).is_ok_and(|number| number == self.paths.len()) {
            self.paths.push(path.iter().map(|name| name.clone().into_owned()).collect());
        }
        self.last = number;
        number
    }

    fn get(&self, number: u32) -> Option<&[String]> {
        self.paths.get(usize::try_from(number).ok()?).map(Vec::as_slice)
    }

    fn column(&self, numbers: impl Iterator<Item = u32>) -> ArrayRef {
        let mut lists = ListBuilder::new(StringBuilder::new()).with_field(texts_item());
        for number in numbers {
            for name in self.get(number).into_iter().flatten() {
                lists.values().append_value(name);
            }
            lists.append(true);
        }
        Arc::new(lists.finish())
    }
}

/// Texts that are each their own, one after the other.
#[derive(Debug, Default)]
struct TextColumn {
    bytes: String,
    /// Where each text ends, and whether there is one.
    ends: Vec<(usize, bool)>,
}

impl TextColumn {
    fn push(&mut self, text: Option<&str>) {
        self.bytes.push_str(text.unwrap_or_default());
        self.ends.push((self.bytes.len(), text.is_some()));
    }

    fn get(&self, row: usize) -> Option<&str> {
        let (end, is_there) = *self.ends.get(row)?;
        let start = row.checked_sub(1).and_then(|before| self.ends.get(before)).map_or(0, |(end, _)| *end);
        if is_there { self.bytes.get(start..end) } else { None }
    }

    fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows);
        self.bytes.truncate(self.ends.last().map_or(0, |(end, _)| *end));
    }
}

/// Where a row comes in the table's order, but for its name.
#[derive(Debug, Clone, Copy)]
struct Place {
    day: i32,
    file: u32,
    class: u32,
    /// The first bytes of the name, which mostly tell it from the others.
    name_start: u128,
    row: usize,
}

impl Place {
    fn group(&self) -> (i32, u32, u32) {
        (self.day, self.file, self.class)
    }
}

/// Rows in the table's order, all of one day.
#[derive(Debug)]
pub(super) struct Sorted {
    pub(super) day: i32,
    pub(super) batch: RecordBatch,
}

impl Rows {
    /// Begins a report.
    pub(super) fn begin(&mut self, key: ReportKey) {
        self.reports.push(Report { key, began: None });
    }

    /// Returns how many rows there are.
    pub(super) fn len(&self) -> usize {
        self.report.len()
    }

    /// Reports whether it is time for a file.
    pub(super) fn is_full(&self) -> bool {
        let texts = [&self.files, &self.suites.keys, &self.classes, &self.kinds, &self.messages];
        let shared: usize = texts.iter().map(|texts| texts.bytes()).sum();
        self.len() >= MOST_ROWS || shared + self.name.bytes.len() + self.detail.bytes.len() >= MOST_BYTES
    }

    /// Adds a case of the report that was begun last.
    pub(super) fn push(&mut self, ordinal: i64, case: &Case<'_>) {
        let started = case.started.map(|instant| instant.unix_ms);
        if let Some(report) = self.reports.last_mut()
            && report.began.is_none()
        {
            report.began = started;
        }
        let report = u32::try_from(self.reports.len().saturating_sub(1)).unwrap_or(u32::MAX);
        let detail = telling(case);
        self.report.push(report);
        self.ordinal.push(ordinal);
        self.file.push(self.files.number(case.file.as_deref()));
        self.suite.push(self.suites.number(&case.suite));
        self.class.push(self.classes.number(case.class.as_deref()));
        self.name.push(case.name.as_deref());
        self.line.push(case.line.and_then(|line| i64::try_from(line).ok()));
        self.outcome.push(case.outcome);
        self.flaky.push(case.is_flaky());
        self.tries.push(i32::try_from(case.tries.len().max(1)).unwrap_or(i32::MAX));
        self.seconds.push(case.seconds.filter(|seconds| seconds.is_finite()));
        self.started.push(started.and_then(|ms| ms.checked_mul(1000)));
        self.kind.push(self.kinds.number(detail.kind.as_deref()));
        self.message.push(self.messages.number(detail.message.as_deref()));
        self.detail.push(detail.text.as_deref());
    }

    /// Takes rows back, down to a number, and the report that was begun last.
    pub(super) fn take_back(&mut self, rows: usize) {
        self.reports.pop();
        self.report.truncate(rows);
        self.ordinal.truncate(rows);
        self.file.truncate(rows);
        self.suite.truncate(rows);
        self.class.truncate(rows);
        self.name.truncate(rows);
        self.line.truncate(rows);
        self.outcome.truncate(rows);
        self.flaky.truncate(rows);
        self.tries.truncate(rows);
        self.seconds.truncate(rows);
        self.started.truncate(rows);
        self.kind.truncate(rows);
        self.message.truncate(rows);
        self.detail.truncate(rows);
    }

    /// Forgets all rows, and all reports but the one that was begun last.
    pub(super) fn clear(&mut self) {
        let last = self.reports.pop();
        self.reports.clear();
        self.take_back(0);
        self.reports.extend(last);
        for texts in [&mut self.files, &mut self.classes, &mut self.kinds, &mut self.messages] {
            texts.clear();
        }
        self.suites = Suites::default();
    }

    /// Puts a range of rows into the table's order, day by day.
    pub(super) fn sorted(
        &self,
        range: std::ops::Range<usize>,
        facts: &AttemptFacts,
    ) -> Result<Vec<Sorted>, ArrowError> {
        let (files, classes) = (self.files.ranks(), self.classes.ranks());
        let days: Vec<i32> = self.reports.iter().map(|report| facts.day_of(report.began)).collect();
        let at = |numbers: &[u32], row: usize| numbers.get(row).copied().unwrap_or(0);
        let day_of = |row: usize| {
            let report = usize::try_from(at(&self.report, row)).unwrap_or(usize::MAX);
            days.get(report).copied().unwrap_or_default()
        };
        let key = |row: usize| Place {
            day: day_of(row),
            file: files.of(at(&self.file, row)),
            class: classes.of(at(&self.class, row)),
            name_start: start_of(self.name.get(row).unwrap_or_default()),
            row,
        };
        let mut order: Vec<Place> = range.map(key).collect();
        // Rows of a class come together, so that few pieces have to be put in order. What is equal stays as it came.
        order.sort_by_key(Place::group);
        for group in order.chunk_by_mut(|one, two| one.group() == two.group()) {
            group.sort_by(|one, two| {
                let rest = || self.name.get(one.row).cmp(&self.name.get(two.row));
                one.name_start.cmp(&two.name_start).then_with(rest)
            });
        }
        let by_day = order.chunk_by(|one, two| one.day == two.day);
        let sorted = by_day.map(|rows| {
            let day = rows.first().map_or(0, |place| place.day);
            let rows: Vec<usize> = rows.iter().map(|place| place.row).collect();
            Ok(Sorted { day, batch: self.batch(&rows, facts)? })
        });
        sorted.collect()
    }

    fn batch(&self, rows: &[usize], facts: &AttemptFacts) -> Result<RecordBatch, ArrowError> {
        let numbers = |column: &[u32]| {
            rows.iter().map(|row| column.get(*row).copied().unwrap_or(u32::MAX)).collect::<Vec<_>>()
        };
        let of_report = |text: &dyn Fn(&ReportKey) -> Option<&str>| {
            let mut texts = Texts::default();
            let by_report: Vec<u32> =
                self.reports.iter().map(|report| texts.number(text(&report.key))).collect();
            let number =
                |report: u32| usize::try_from(report).ok().and_then(|report| by_report.get(report)).copied();
            texts.column(numbers(&self.report).into_iter().map(|report| number(report).unwrap_or(u32::MAX)))
        };
        let all = |text: Option<&str>| same(text, rows.len());
        let texts = |texts: &Texts, column: &[u32]| texts.column(numbers(column).into_iter());
        let each =
            |column: &TextColumn| Arc::new(rows.iter().map(|row| column.get(*row)).collect::<StringArray>());
        let run = &facts.run;
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("repo", all(run.repo.as_deref())),
            ("run_id", all(Some(&run.run_id))),
            ("attempt", Arc::new(Int32Array::from(vec![facts.attempt(); rows.len()]))),
            ("artifact", of_report(&|key| Some(&key.artifact))),
            ("report", of_report(&|key| Some(&key.path))),
            ("ordinal", Arc::new(picked(&self.ordinal, rows).collect::<Int64Array>())),
            ("job", of_report(&|key| key.job.as_deref())),
            ("job_name", of_report(&|key| key.job_name.as_deref())),
            ("variant", of_report(&|key| key.variant.as_deref())),
            ("commit", all(facts.facts.head_commit.as_deref())),
            ("branch", all(facts.facts.head_branch.as_deref())),
            ("file", texts(&self.files, &self.file)),
            ("suite", self.suites.column(numbers(&self.suite).into_iter())),
            ("class", texts(&self.classes, &self.class)),
            ("name", each(&self.name)),
            ("line", Arc::new(picked(&self.line, rows).map(Option::flatten).collect::<Int64Array>())),
            ("outcome", self.outcomes(rows)),
            ("flaky", Arc::new(picked(&self.flaky, rows).collect::<BooleanArray>())),
            ("tries", Arc::new(picked(&self.tries, rows).collect::<Int32Array>())),
            ("seconds", Arc::new(picked(&self.seconds, rows).map(Option::flatten).collect::<Float64Array>())),
            ("started", times(picked(&self.started, rows).map(Option::flatten))),
            ("kind", texts(&self.kinds, &self.kind)),
            ("message", texts(&self.messages, &self.message)),
            ("detail", each(&self.detail)),
            ("tags", tags(&facts.tags, rows.len())?),
        ];
        batch_of(TableKind::Results, columns)
    }

    fn outcomes(&self, rows: &[usize]) -> ArrayRef {
        let place = |outcome: Option<Outcome>| {
            let place = Outcome::ALL.iter().position(|other| Some(*other) == outcome);
            place.and_then(|place| i32::try_from(place).ok())
        };
        let values = StringArray::from(Outcome::ALL.map(Outcome::as_str).to_vec());
        dictionary(picked(&self.outcome, rows).map(place).collect(), values)
    }
}

/// Returns a text's first bytes as a number. Of two texts with other numbers the one with the smaller comes first.
fn start_of(text: &str) -> u128 {
    let mut start = [0; 16];
    for (byte, of_text) in start.iter_mut().zip(text.as_bytes()) {
        *byte = *of_text;
    }
    u128::from_be_bytes(start)
}

/// Returns what the lake tells of a case: of its last try, or where that has nothing to tell, of the last that has.
pub fn telling<'case, 'report>(case: &'case Case<'report>) -> &'case Detail<'report> {
    if !case.detail.is_empty() {
        return &case.detail;
    }
    let telling = case.tries.iter().rev().map(|one| &one.detail).find(|detail| !detail.is_empty());
    telling.unwrap_or(&case.detail)
}

fn picked<'a, T: Copy>(column: &'a [T], rows: &'a [usize]) -> impl Iterator<Item = Option<T>> + 'a {
    rows.iter().map(|row| column.get(*row).copied())
}

/// Makes a column of one text in each row.
pub(super) fn same(text: Option<&str>, rows: usize) -> ArrayRef {
    let keys = Int32Array::from(vec![text.map(|_| 0); rows]);
    dictionary(keys, text.into_iter().map(Some).collect())
}

/// Makes a column of times, in microseconds since 1970.
pub(super) fn times(times: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

/// Makes a column of the same tags in each row.
pub(super) fn tags(tags: &[(String, String)], rows: usize) -> Result<ArrayRef, ArrowError> {
    let names = MapFieldNames { entry: "key_value".into(), key: "key".into(), value: "value".into() };
    let mut maps = MapBuilder::new(Some(names), StringBuilder::new(), StringBuilder::new());
    for _ in 0..rows {
        for (name, value) in tags {
            maps.keys().append_value(name);
            maps.values().append_value(value);
        }
        maps.append(!tags.is_empty())?;
    }
    let (_, offsets, entries, nulls, _) = maps.finish().into_parts();
    tags_of(offsets, entries.columns(), nulls)
}

fn tags_of(
    offsets: OffsetBuffer<i32>,
    columns: &[ArrayRef],
    nulls: Option<NullBuffer>,
) -> Result<ArrayRef, ArrowError> {
    use datafusion::arrow::array::{MapArray, StructArray};
    use datafusion::arrow::datatypes::DataType;
    let entries = tags_entries();
    let DataType::Struct(fields) = entries.data_type().clone() else {
        return Err(ArrowError::SchemaError("entries of a map are no struct".to_owned()));
    };
    let of_entries = StructArray::try_new(fields, columns.to_vec(), None)?;
    Ok(Arc::new(MapArray::try_new(entries, offsets, of_entries, nulls, false)?))
}

/// Makes a batch of a table's columns, in which dictionaries may stand for texts.
pub(super) fn batch_of(kind: TableKind, columns: Vec<(&str, ArrayRef)>) -> Result<RecordBatch, ArrowError> {
    let stored = kind.file_schema();
    let field = |(name, column): &(&str, ArrayRef)| -> Result<Field, ArrowError> {
        let field = stored.field_with_name(name)?;
        Ok(field.clone().with_data_type(column.data_type().clone()))
    };
    let fields = columns.iter().map(field).collect::<Result<Vec<_>, _>>()?;
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    RecordBatch::try_new(schema, columns.into_iter().map(|(_, column)| column).collect())
}
