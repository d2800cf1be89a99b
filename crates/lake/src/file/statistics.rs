//! What the log says of a file's rows: how many, and between which values some columns lie.

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::compute::{max, max_string, max_string_view, min, min_string, min_string_view};
use datafusion::arrow::datatypes::{DataType, Int32Type, Int64Type, TimeUnit, TimestampMicrosecondType};
use datafusion::arrow::record_batch::RecordBatch;
use serde_json::{Map, Value, json};

use crate::clock::{DAY_MS, day_text};
use crate::schema::TableKind;

/// How many characters of a text the bounds keep.
const BOUND_CHARS: usize = 64;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Bounds {
    None,
    Text(String, String),
    Number(i64, i64),
    /// Microseconds since 1970.
    Time(i64, i64),
}

/// Gathers what the log says of a file.
#[derive(Debug)]
pub(crate) struct Statistics {
    columns: Vec<(&'static str, Bounds, u64)>,
    rows: u64,
}

impl Statistics {
    /// Begins for a file of a table.
    pub(crate) fn new(kind: TableKind) -> Self {
        let columns = kind.with_statistics().iter().map(|name| (*name, Bounds::None, 0)).collect();
        Self { columns, rows: 0 }
    }

    /// Returns how many rows there are so far.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Adds the rows of a batch.
    pub(crate) fn add(&mut self, batch: &RecordBatch) {
        self.rows += batch.num_rows() as u64;
        for (name, bounds, nulls) in &mut self.columns {
            let Some(column) = batch.column_by_name(name) else { continue };
            *nulls += column.logical_null_count() as u64;
            if let Some(found) = bounds_of(column.as_ref()) {
                bounds.widen(found);
            }
        }
    }

    /// Returns what the log holds.
    pub(crate) fn to_json(&self) -> String {
        let mut least = Map::new();
        let mut greatest = Map::new();
        let mut nulls = Map::new();
        for (name, bounds, null_count) in &self.columns {
            nulls.insert((*name).to_owned(), json!(null_count));
            let (low, high) = match bounds {
                Bounds::None => continue,
                Bounds::Text(low, high) => (json!(lower_bound(low)), json!(upper_bound(high))),
                Bounds::Number(low, high) => (json!(low), json!(high)),
                Bounds::Time(low, high) => {
                    (json!(time_text(low.div_euclid(1000))), json!(time_text(high.div_euclid(1000) + 1)))
                }
            };
            least.insert((*name).to_owned(), low);
            greatest.insert((*name).to_owned(), high);
        }
        json!({"numRecords": self.rows, "minValues": least, "maxValues": greatest, "nullCount": nulls})
            .to_string()
    }
}

impl Bounds {
    fn widen(&mut self, found: Self) {
        *self = match (std::mem::replace(self, Self::None), found) {
            (Self::Text(low, high), Self::Text(other_low, other_high)) => {
                Self::Text(low.min(other_low), high.max(other_high))
            }
            (Self::Number(low, high), Self::Number(other_low, other_high)) => {
                Self::Number(low.min(other_low), high.max(other_high))
            }
            (Self::Time(low, high), Self::Time(other_low, other_high)) => {
                Self::Time(low.min(other_low), high.max(other_high))
            }
            (_, found) => found,
        }
    }
}

fn bounds_of(column: &dyn Array) -> Option<Bounds> {
    let text = |low: Option<&str>, high: Option<&str>| Some(Bounds::Text(low?.to_owned(), high?.to_owned()));
    match column.data_type() {
        DataType::Utf8 => {
            let column = column.as_string::<i32>();
            text(min_string(column), max_string(column))
        }
        DataType::Utf8View => {
            let column = column.as_string_view();
            text(min_string_view(column), max_string_view(column))
        }
        // Values that no row has any more make the bounds wider, never wrong.
        DataType::Dictionary(_, _) => {
            let values = column.as_dictionary_opt::<Int32Type>()?.values();
            if column.logical_null_count() == column.len() { None } else { bounds_of(values.as_ref()) }
        }
        DataType::Int32 => {
            let column = column.as_primitive::<Int32Type>();
            Some(Bounds::Number(min(column)?.into(), max(column)?.into()))
        }
        DataType::Int64 => {
            let column = column.as_primitive::<Int64Type>();
            Some(Bounds::Number(min(column)?, max(column)?))
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            let column = column.as_primitive::<TimestampMicrosecondType>();
            Some(Bounds::Time(min(column)?, max(column)?))
        }
        _ => None,
    }
}

pub(super) fn lower_bound(text: &str) -> String {
    text.chars().take(BOUND_CHARS).collect()
}

pub(super) fn upper_bound(text: &str) -> String {
    let mut bound: String = text.chars().take(BOUND_CHARS).collect();
    match text.get(bound.len()..) {
        None | Some("") => bound,
        // Only such a text comes after what follows.
        Some(rest) if rest.starts_with(char::MAX) => text.to_owned(),
        Some(_) => {
            bound.push(char::MAX);
            bound
        }
    }
}

fn time_text(unix_ms: i64) -> String {
    let day = i32::try_from(unix_ms.div_euclid(DAY_MS)).unwrap_or(i32::MAX);
    let of_day = unix_ms.rem_euclid(DAY_MS);
    let (hours, minutes, seconds, ms) =
        (of_day / 3_600_000, of_day / 60_000 % 60, of_day / 1000 % 60, of_day % 1000);
    format!("{}T{hours:02}:{minutes:02}:{seconds:02}.{ms:03}Z", day_text(day))
}

/// Reports whether a column of a file may hold a text, by what the log says of the file. `None` asks for rows without
/// one.
pub(crate) fn bounds_hold(statistics: &Value, column: &str, text: Option<&str>) -> bool {
    let Some(text) = text else {
        return statistics.get("nullCount").and_then(|counts| counts.get(column)?.as_u64()) != Some(0);
    };
    let bound = |which: &str| statistics.get(which)?.get(column)?.as_str();
    let above = bound("minValues").is_none_or(|low| low <= text);
    let below = bound("maxValues").is_none_or(|high| text <= high);
    above && below
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_holds_what_it_stands_for() {
        let long = format!("{}z", "é".repeat(BOUND_CHARS));
        assert!(lower_bound(&long) <= long && long <= upper_bound(&long));
        assert_eq!(upper_bound("short"), "short");
        let statistics =
            json!({"minValues": {"a": "b"}, "maxValues": {"a": "d"}, "nullCount": {"a": 0, "n": 3}});
        for (text, holds) in [("a", false), ("b", true), ("c", true), ("d", true), ("da", false)] {
            assert_eq!(bounds_hold(&statistics, "a", Some(text)), holds, "{text}");
            assert!(bounds_hold(&statistics, "unknown", Some(text)));
        }
        assert!(!bounds_hold(&statistics, "a", None));
        assert!(bounds_hold(&statistics, "n", None) && bounds_hold(&statistics, "unknown", None));
    }

    #[test]
    fn a_time_is_written_to_the_millisecond() {
        assert_eq!(time_text(1_795_401_640_123), "2026-11-23T02:40:40.123Z");
        assert_eq!(time_text(-1), "1969-12-31T23:59:59.999Z");
    }
}
