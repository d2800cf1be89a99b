//! One pass over a report's bytes, in windows of bounded size.

use std::io::{self, ErrorKind, Read};

use testlake_report::scan::encoding::StreamDecoder;
use testlake_report::scan::xml::XmlScanner;
use testlake_report::{Finding, Limits};

use crate::profile::case::{CaseReader, CaseSink};

/// Bytes of a report that are looked at before what came of them is handed on.
pub(crate) const WINDOW_BYTES: usize = 1 << 20;

/// Receives what a pass finds.
pub(crate) trait PassSink: CaseSink {
    /// A window begins, at this place in the text.
    fn window(&mut self, start: u64);
    /// A defect, at this place in the text.
    fn tell(&mut self, finding: Finding);
}

/// Passes a text that is in memory. `between` is called between windows. Returns why reading ended early, if it did.
pub(crate) fn whole<S: PassSink, E>(
    text: &[u8],
    scanner: &mut XmlScanner,
    reader: &mut CaseReader<S>,
    limits: &Limits,
    between: impl FnMut(&mut CaseReader<S>) -> Result<(), E>,
) -> Result<Option<Finding>, E> {
    whole_in(Window::new(limits), text, scanner, reader, between)
}

fn whole_in<S: PassSink, E>(
    mut window: Window,
    text: &[u8],
    scanner: &mut XmlScanner,
    reader: &mut CaseReader<S>,
    mut between: impl FnMut(&mut CaseReader<S>) -> Result<(), E>,
) -> Result<Option<Finding>, E> {
    loop {
        let end = window.end(text.len());
        let is_last = end == text.len();
        let part = text.get(window.start..end).unwrap_or_default();
        reader.sink.window(window.start as u64);
        let fed = scanner.feed(part, is_last, reader);
        if fed.stop.is_some() || is_last {
            reader.finish(part);
            return Ok(fed.stop.map(|(code, offset)| Finding { code, offset }));
        }
        if window.advance(fed.consumed) {
            reader.pass_over_next();
        }
        between(reader)?;
    }
}

/// How a pass over a stream ended.
#[derive(Debug, Default)]
pub(crate) struct StreamEnd {
    /// Why reading ended early.
    pub(crate) stop: Option<Finding>,
    /// Why the stream did.
    pub(crate) error: Option<io::Error>,
}

/// Passes a report that is too large for memory. `between` is called between windows.
pub(crate) fn stream<S: PassSink, E>(
    raw: &mut dyn Read,
    scanner: &mut XmlScanner,
    reader: &mut CaseReader<S>,
    limits: &Limits,
    mut between: impl FnMut(&mut CaseReader<S>) -> Result<(), E>,
) -> Result<StreamEnd, E> {
    let mut decoder = StreamDecoder::new();
    let mut chunk = vec![0; WINDOW_BYTES / 4];
    let mut text = Vec::new();
    let mut start = 0_u64;
    let mut window = Window::new(limits);
    let mut end = StreamEnd::default();
    let mut is_last = false;
    loop {
        while !is_last && text.len() < window.size {
            match raw.read(&mut chunk) {
                Ok(0) => is_last = true,
                Ok(length) => {
                    let bytes = chunk.get(..length).unwrap_or_default();
                    decoder.decode(bytes, &mut text, |finding| reader.sink.tell(finding));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    end.error = Some(error);
                    is_last = true;
                }
            }
            if is_last {
                decoder.finish(&mut text, |finding| reader.sink.tell(finding));
            }
        }
        reader.sink.window(start);
        let fed = scanner.feed(&text, is_last, reader);
        if fed.stop.is_some() || is_last {
            reader.finish(&text);
            end.stop = fed.stop.map(|(code, offset)| Finding { code, offset });
            return Ok(end);
        }
        start += fed.consumed as u64;
        text.drain(..fed.consumed);
        if window.advance(fed.consumed) {
            reader.pass_over_next();
        }
        between(reader)?;
    }
}

/// How much of a report is shown to the scanner at once.
#[derive(Debug)]
struct Window {
    start: usize,
    size: usize,
    first_size: usize,
    /// What one case or one tag may take, whichever is more.
    limit: usize,
}

impl Window {
    fn new(limits: &Limits) -> Self {
        // With a byte more than a tag may take the scanner knows that it is too large; with less it waits for its end.
        let limit = limits.case_bytes.max(limits.tag_bytes.saturating_add(1));
        let size = WINDOW_BYTES.min(limit);
        Self { start: 0, size, first_size: size, limit }
    }

    fn end(&self, length: usize) -> usize {
        self.start.saturating_add(self.size).min(length)
    }

    /// Moves on; a window of which nothing could be given up grows. Reports whether it cannot grow any more: the case
    /// that it begins with is too large.
    fn advance(&mut self, consumed: usize) -> bool {
        self.start += consumed;
        if consumed > 0 {
            self.size = self.first_size;
            return false;
        }
        let is_too_large = self.size >= self.limit;
        self.size = (self.size * 2).min(self.limit);
        is_too_large
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use proptest::prelude::*;

    use super::*;
    use crate::pipeline::report::{ReportSink, Wanted};
    use crate::pipeline::summary::SharedKeys;
    use crate::profile::document::Stamp;

    /// Few findings, so that those beyond are counted, too.
    fn few_findings() -> Limits {
        Limits { findings: 2, ..Limits::default() }
    }

    fn reader(limits: Limits) -> CaseReader<ReportSink> {
        let mut reader = CaseReader::new(
            ReportSink::new(Wanted { full: true, additional: true }, limits, SharedKeys::default()),
            &limits,
        );
        reader.sink.begin(Stamp::new("1", 1, Some("2"), "x"), 0);
        reader
    }

    /// Everything that a pass leaves, as text.
    fn left(reader: &CaseReader<ReportSink>, stop: Option<Finding>) -> String {
        let sink = &reader.sink;
        let lines = String::from_utf8_lossy(&sink.full);
        let sums: Vec<_> = sink.sums.iter().map(|sum| (sum.row, sum.counts)).collect();
        format!(
            "{lines}{sums:?}{:?}{:?}{stop:?}{} {}",
            sink.findings,
            sink.declared,
            sink.sights.len(),
            sink.findings_left_out
        )
    }

    fn in_windows(text: &[u8], size: usize) -> String {
        let limits = few_findings();
        let mut reader = reader(limits);
        let mut scanner = XmlScanner::new(limits);
        let mut window = Window::new(&limits);
        window.first_size = size;
        window.size = size;
        let go_on = |_: &mut CaseReader<ReportSink>| Ok::<(), Infallible>(());
        let Ok(stop) = whole_in(window, text, &mut scanner, &mut reader, go_on);
        left(&reader, stop)
    }

    /// Gives its bytes a few at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(self.0.len()).min(into.len());
            let (now, later) = self.0.split_at(length);
            into[..length].copy_from_slice(now);
            self.0 = later;
            Ok(length)
        }
    }

    proptest! {
        #[test]
        fn any_windows_give_the_same(
            pieces in proptest::collection::vec(
                prop_oneof![
                    Just("<testcase name=\"a\" classname='b' time=\"1\">"), Just("<testcase name=\"c\"/>"), Just("</testcase>"),
                    Just("<failure message=\"&amp;\">"), Just("</failure>"), Just("<testsuite tests=\"2\">"), Just("</testsuite>"),
                    Just("text & more"), Just("\r\n"), Just("<![CDATA[ ]] ]]>"), Just("<!-- - -->"), Just("é\u{1F600}"), Just("1 < 2"),
                    Just("&lt;&unknown;"), Just("<skipped/>"), Just("<a"), Just(" b='"), Just(">"),
                    Just("<!--"), Just("<![CDATA["), Just("&#2;"),
                ],
                0..40,
            ),
            size in 1_usize..60,
        ) {
            let text = format!("<testsuites>{}</testsuites>", pieces.concat());
            let one = in_windows(text.as_bytes(), text.len() + 1);
            prop_assert_eq!(in_windows(text.as_bytes(), size), one.clone());
            let mut streamed = reader(few_findings());
            let mut scanner = XmlScanner::new(Limits::default());
            let go_on = |_: &mut CaseReader<ReportSink>| Ok::<(), Infallible>(());
            let mut drip = Drip(text.as_bytes(), size);
            let Ok(end) = stream(&mut drip, &mut scanner, &mut streamed, &Limits::default(), go_on);
            prop_assert_eq!(left(&streamed, end.stop), one);
        }
    }

    /// Everything that a pass leaves but places.
    fn left_but_places(text: &str, wanted: Wanted) -> String {
        let limits = Limits { case_bytes: 80, ..few_findings() };
        let sink = ReportSink::new(wanted, limits, SharedKeys::default());
        let mut reader = CaseReader::new(sink, &limits);
        reader.sink.begin(Stamp::new("1", 1, None, "x"), 0);
        let go_on = |_: &mut CaseReader<ReportSink>| Ok::<(), Infallible>(());
        let Ok(stop) = whole(text.as_bytes(), &mut XmlScanner::new(limits), &mut reader, &limits, go_on);
        let sink = &reader.sink;
        let codes: Vec<_> = sink.findings.iter().map(|finding| finding.code).collect();
        let sums: Vec<_> = sink.sums.iter().map(|sum| (sum.row, sum.counts, sum.seconds.to_bits())).collect();
        let [full, failed] = [&sink.full, &sink.failed].map(|lines| String::from_utf8_lossy(lines));
        format!(
            "{full}{failed}{}{}{sums:?}{:?}{:?}{codes:?}{:?}{:?}{} {}",
            sink.full_rows,
            sink.failed_rows,
            sink.sights.all(),
            sink.repeats(),
            sink.declared,
            stop.map(|stop| stop.code),
            sink.rerun_cases,
            sink.ordinal,
        )
    }

    proptest! {
        #[test]
        fn empty_cases_that_are_told_at_once_are_as_others(
            cases in proptest::collection::vec(
                (
                    proptest::collection::vec(
                        prop_oneof![
                            Just(" name=\"a\""), Just(" name=\"b\""), Just(" name=\"1.0\""), Just(" x:name=\"c\""),
                            Just(" classname=\"K\""), Just(" classname=\"\""), Just(" file=\"f.py\""), Just(" time=\"0.25\""),
                            Just(" time=\"no\""), Just(" skipped=\"\""), Just(" failure=\"f\""), Just(" rerun=\"r\""),
                            Just(" job_id=\"7\""), Just(" text=\"t\""), Just(" a=\"&lt;\""), Just(" b='single'"),
                        ],
                        0..5,
                    ),
                    1_usize..4,
                    prop_oneof![
                        Just(""), Just(" \n"), Just("tail"), Just("\n&unknown;"), Just("<!-- c -->"), Just("<![CDATA[x]]>"),
                        Just("</testsuite><testsuite tests=\"1\">"), Just(" <system-out/>"),
                    ],
                ),
                0..12,
            ),
            full in any::<bool>(),
            additional in any::<bool>(),
        ) {
            let text = |end: &str| {
                let cases: String = cases.iter().map(|(attributes, times, behind)| {
                    format!("<testcase{}{end}{behind}", attributes.concat()).repeat(*times)
                }).collect();
                format!("<testsuites><testsuite tests=\"2\">{cases}</testsuite></testsuites>")
            };
            let wanted = Wanted { full, additional };
            // behind which nothing is taken for an empty case that is told at once
            prop_assert_eq!(left_but_places(&text("/>"), wanted), left_but_places(&text("/><!-- -->"), wanted));
        }
    }

    #[test]
    fn a_case_that_is_too_large_is_left_out_and_the_rest_is_read() {
        let big = "x".repeat(5000);
        let text = format!(
            "<testsuite><testcase name='a'/><testcase name='b'><system-out>{big}</system-out></testcase> <testcase name='c'/></testsuite>"
        );
        let limits = Limits { case_bytes: 1000, ..Limits::default() };
        let mut reader = reader(limits);
        let mut scanner = XmlScanner::new(limits);
        let go_on = |_: &mut CaseReader<ReportSink>| Ok::<(), Infallible>(());
        let Ok(stop) = whole(text.as_bytes(), &mut scanner, &mut reader, &limits, go_on);
        assert_eq!(stop, None);
        assert_eq!(reader.sink.ordinal, 2);
        assert!(reader.sink.has_loss);
        assert_eq!(
            reader.sink.findings,
            [Finding { code: testlake_report::FindingCode::CaseTooLarge, offset: 31 }]
        );
    }

    #[test]
    fn a_case_of_too_many_elements_is_left_out_and_the_rest_is_read() {
        let limits = Limits { case_bytes: 1 << 20, ..Limits::default() };
        for (inner, windows) in [
            ("<a/>".repeat(5_000), true),
            ("<a><b c='1'>".repeat(100) + &"<d/> ".repeat(5_000) + &"</b></a>".repeat(100), true),
            ("<a>x</a>".repeat(200_000), false),
        ] {
            let text = format!(
                "<testsuite><testcase name='a'/><testcase name='b'>{inner}</testcase> <testcase name='c'>{}</testcase></testsuite>",
                "<e/>".repeat(1_000)
            );
            let mut whole = reader(limits);
            let mut scanner = XmlScanner::new(limits);
            let go_on = |_: &mut CaseReader<ReportSink>| Ok::<(), Infallible>(());
            let Ok(stop) = super::whole(text.as_bytes(), &mut scanner, &mut whole, &limits, go_on);
            assert_eq!((stop, whole.sink.ordinal, whole.sink.has_loss), (None, 2, true));
            let told = [Finding { code: testlake_report::FindingCode::CaseTooLarge, offset: 31 }];
            assert_eq!(whole.sink.findings, told);
            if windows {
                let mut small = reader(limits);
                let mut scanner = XmlScanner::new(limits);
                let mut window = Window::new(&limits);
                (window.first_size, window.size) = (1_000, 1_000);
                let Ok(stop) = whole_in(window, text.as_bytes(), &mut scanner, &mut small, go_on);
                assert_eq!(left(&small, stop), left(&whole, None));
            }
        }
    }
}
