//! Reports in chunks and windows of any size.

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
