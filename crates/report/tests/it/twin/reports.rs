//! The twin against real reports and our own.

use std::fs;

use testlake_report::{Case, Format, Limits};

use super::suites::by_twin;
use crate::corpus::{corpus, rows};
use crate::told::by_reader;

pub(super) fn first_difference(twin: &[Case<'static>], reader: &[Case<'static>]) -> String {
    let pairs = twin.iter().zip(reader).find(|(twin, reader)| twin != reader);
    match pairs {
        Some((twin, reader)) => format!("twin:   {twin:?}\nreader: {reader:?}"),
        None => format!("{} cases of the twin, {} of the reader", twin.len(), reader.len()),
    }
}

#[test]
fn the_twin_agrees_on_real_reports() {
    let Some(root) = corpus() else { return };
    let (mut compared, mut wrong) = (0, String::new());
    for row in rows(&root.join("MANIFEST-DEV.tsv")) {
        if row["format"] != "junit" || row["well_formed"] != "yes" {
            continue;
        }
        let raw = fs::read(root.join(&row["path"])).unwrap();
        let Some(twin) = by_twin(&raw) else { continue };
        let (told, format) = by_reader(&raw, Limits::default());
        if format != Some(Format::Junit) {
            continue;
        }
        compared += 1;
        if twin != told.cases {
            wrong += &[&row["path"], "\n", &first_difference(&twin, &told.cases), "\n"].concat();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(compared > 500, "only {compared} reports were compared");
}

#[test]
fn the_twin_agrees_on_our_fixtures() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/junit");
    let (mut compared, mut wrong) = (0, String::new());
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        // of other digits and separators the twin knows nothing
        let is_skipped = ["salvage.xml", "times.xml", "doctest.txt"].contains(&name.as_str());
        if path.extension().is_some_and(|end| end == "told") || is_skipped {
            continue;
        }
        let raw = fs::read(&path).unwrap();
        let Some(twin) = by_twin(&raw) else { continue };
        compared += 1;
        let (told, _) = by_reader(&raw, Limits::default());
        if twin != told.cases {
            wrong += &[&name, "\n", &first_difference(&twin, &told.cases), "\n"].concat();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(compared > 30, "only {compared} fixtures were compared");
}
