use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, ListBuilder, MapBuilder, StringArray, StringBuilder,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{Field, Schema};

use super::*;

fn batch() -> RecordBatch {
    let mut suites = ListBuilder::new(StringBuilder::new());
    suites.values().append_value("a,b");
    suites.values().append_value("c\"");
    suites.append(true);
    suites.append(true);
    suites.append(false);
    let mut tags = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
    tags.keys().append_value("suite");
    tags.values().append_value("unit");
    tags.append(true).unwrap();
    tags.append(true).unwrap();
    tags.append(false).unwrap();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("name", Arc::new(StringArray::from(vec![Some("a, \"b\"\u{1b}[2J\nc"), Some(""), None]))),
        ("n", Arc::new(Int64Array::from(vec![Some(1), None, Some(-1_234_567)]))),
        ("seconds", Arc::new(Float64Array::from(vec![Some(0.25), Some(f64::NAN), None]))),
        ("flaky", Arc::new(BooleanArray::from(vec![Some(true), Some(false), None]))),
        (
            "at",
            Arc::new(
                TimestampMicrosecondArray::from(vec![
                    Some(1_795_392_000_000_000),
                    Some(1_795_392_000_123_456),
                    None,
                ])
                .with_timezone("UTC"),
            ),
        ),
        ("suite", Arc::new(suites.finish())),
        ("tags", Arc::new(tags.finish())),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, column)| (name, column, true)))
        .unwrap()
}

fn written(format: RowsFormat, is_terminal: bool, batches: &[RecordBatch]) -> Vec<u8> {
    let schema = batches.first().map_or_else(
        || Arc::new(Schema::new(vec![Field::new("n", DataType::Int64, true)])),
        RecordBatch::schema,
    );
    let mut to = Vec::new();
    let screen = Screen { is_terminal, ..Screen::default() };
    let mut writer = RowsWriter::new(format, &mut to, &schema, screen).unwrap();
    for batch in batches {
        writer.write(batch).unwrap();
    }
    let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
    assert_eq!(writer.end().unwrap(), rows as u64);
    to
}

fn text(format: RowsFormat, is_terminal: bool) -> String {
    String::from_utf8(written(format, is_terminal, &[batch()])).unwrap()
}

#[test]
fn a_table_is_aligned_and_safe() {
    insta::assert_snapshot!(text(RowsFormat::Table, false));
}

#[test]
fn csv_is_data_and_safe_where_a_terminal_shows_it() {
    let csv = text(RowsFormat::Csv, false);
    assert!(csv.contains("\"a, \"\"b\"\"\u{1b}[2J\nc\""), "{csv}");
    insta::assert_snapshot!(text(RowsFormat::Csv, true));
}

#[test]
fn json_is_an_object_a_line_or_a_list() {
    insta::assert_snapshot!(text(RowsFormat::Ndjson, false));
    let list: serde_json::Value = serde_json::from_str(&text(RowsFormat::Json, false)).unwrap();
    assert_eq!(list.as_array().unwrap().len(), 3);
    assert_eq!(list[0]["name"], "a, \"b\"\u{1b}[2J\nc");
    assert_eq!(list[2]["name"], serde_json::Value::Null);
    let two = written(RowsFormat::Json, false, &[batch(), batch()]);
    let two: serde_json::Value = serde_json::from_slice(&two).unwrap();
    assert_eq!(two.as_array().unwrap().len(), 6);
}

#[test]
fn no_rows_are_no_rows_in_every_form() {
    let none = |format| String::from_utf8(written(format, false, &[])).unwrap();
    assert_eq!(none(RowsFormat::Table), "n\n");
    assert_eq!(none(RowsFormat::Csv), "n\n");
    assert_eq!(none(RowsFormat::Json), "[]\n");
    assert_eq!(none(RowsFormat::Ndjson), "");
}

#[test]
fn long_values_of_a_table_are_cut_and_those_of_data_are_not() {
    let long = "ü".repeat(5000);
    let column: ArrayRef = Arc::new(StringArray::from(vec![long.as_str()]));
    let batch = RecordBatch::try_from_iter([("x", column)]).unwrap();
    let table = String::from_utf8(written(RowsFormat::Table, false, std::slice::from_ref(&batch))).unwrap();
    assert!(table.lines().all(|line| line.chars().count() <= 80) && table.ends_with("…\n"), "{table}");
    let csv = String::from_utf8(written(RowsFormat::Csv, false, &[batch])).unwrap();
    assert_eq!(csv, format!("x\n{long}\n"));
}
