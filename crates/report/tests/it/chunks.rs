//! Reports in chunks and windows of any size.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use testlake_report::{Format, Limits, ReportReader};

use crate::told::{Told, by_reader};
use crate::twin::pieces::piece;

/// Pieces that break a report.
fn break_piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "<testcase name=\"cut",
        "<testcase nam",
        "<",
        "<x",
        "</x>",
        "</",
        "&",
        "&nosuch;",
        "<![CDATA[",
        "]]>",
        "<!--",
        "-->",
        "<?",
        "\u{1}",
        "\"",
        "<testcase a=1 a=2 name='d' name='e'/>",
        "</testsuites><testsuites>",
        "<!DOCTYPE x>",
    ])
}

/// Limits that pieces exceed.
fn tight() -> Limits {
    Limits {
        depth: 5,
        attributes: 3,
        tag_bytes: 40,
        case_bytes: 1000,
        path_bytes: 5,
        compared_cases: 3,
        ..Limits::default()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_chunks_and_windows_give_the_same(
        pieces in prop::collection::vec(prop_oneof![3 => piece(), 1 => break_piece()], 0..40),
        window in prop_oneof![Just(1_usize), Just(7), 2_usize..64, Just(4096)],
        limits in prop_oneof![Just(Limits::default()), Just(tight())],
        chunk in prop_oneof![Just(1_000_usize), Just(300_000), 1_usize..100_000],
    ) {
        // so much blank space that a report is read in chunks
        let report = format!("<testsuites>{}{}", " ".repeat(257 << 10), pieces.concat());
        let limits = Limits { findings: 10_000, ..limits };
        let (whole, format) = by_reader(report.as_bytes(), limits);
        prop_assert_eq!(format, Some(Format::Junit));
        let mut told = Told::default();
        let in_chunks = Limits { whole_bytes: 0, window_bytes: window, ..limits };
        let mut reader = ReportReader::new(in_chunks, &mut told);
        for chunk in report.as_bytes().chunks(chunk) {
            reader.feed(chunk);
        }
        reader.finish();
        let mut sorted = whole;
        for told in [&mut sorted, &mut told] {
            told.findings.sort_by_key(|finding| (finding.offset, finding.code));
        }
        prop_assert!(sorted == told, "{}\n{sorted:?}\n{told:?}", pieces.concat());
    }
}

/// Lengths of chunks: some of a few bytes, some of many.
fn lengths(mut seed: u64) -> impl Iterator<Item = usize> {
    std::iter::repeat_with(move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        let most = [7, 300, 20_000][usize::try_from(seed >> 32).unwrap() % 3];
        usize::try_from(seed % most).unwrap() + 1
    })
}

#[test]
fn fixtures_of_every_format_are_read_the_same_in_any_chunks() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let limits = Limits { findings: usize::MAX, whole_bytes: 0, ..Limits::default() };
    let mut compared = 0;
    for folder in fs::read_dir(root).unwrap() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|end| end == "told") {
                continue;
            }
            let raw = fs::read(&path).unwrap();
            // so large that it is read in chunks
            let raw = raw.repeat((300 << 10) / raw.len() + 1);
            let (mut whole, _) = by_reader(&raw, limits);
            whole.findings.sort_by_key(|finding| (finding.offset, finding.code));
            for seed in [0x9E37_79B9_7F4A_7C15, 0xD1B5_4A32_D192_ED03] {
                let mut told = Told::default();
                let mut reader = ReportReader::new(limits, &mut told);
                let mut rest = raw.as_slice();
                for length in lengths(seed) {
                    let Some((chunk, after)) = rest.split_at_checked(length) else { break };
                    reader.feed(chunk);
                    rest = after;
                }
                reader.feed(rest);
                reader.finish();
                told.findings.sort_by_key(|finding| (finding.offset, finding.code));
                let differs = whole.findings.iter().zip(&told.findings).find(|(one, other)| one != other);
                assert!(
                    whole == told,
                    "{}: {} and {} cases, {} and {} findings, {differs:?}, {:?}",
                    path.display(),
                    whole.cases.len(),
                    told.cases.len(),
                    whole.findings.len(),
                    told.findings.len(),
                    whole.cases.iter().zip(&told.cases).find(|(one, other)| one != other)
                );
            }
            compared += 1;
        }
    }
    assert!(compared > 100, "{compared} fixtures");
}

#[test]
fn a_line_that_is_larger_than_a_case_may_be_is_left_out_whole_and_in_chunks() {
    let points: String = (2..30_000).map(|number| format!("ok {number}\n")).collect();
    let report = format!("TAP version 13\n1..29999\nok 1 - {}\r\n{points}", "x".repeat(94));
    let limits = Limits { case_bytes: 100, window_bytes: 100, whole_bytes: 0, ..Limits::default() };
    let (whole, format) = by_reader(report.as_bytes(), limits);
    assert_eq!(format, Some(Format::Tap));
    let codes: Vec<_> = whole.findings.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!((whole.cases.len(), codes), (29_998, vec!["case-too-large", "plan-not-met"]));
    for chunk in [7, 300_000] {
        let mut told = Told::default();
        let mut reader = ReportReader::new(limits, &mut told);
        report.as_bytes().chunks(chunk).for_each(|chunk| reader.feed(chunk));
        reader.finish();
        assert!(whole == told, "chunks of {chunk}");
    }
}
