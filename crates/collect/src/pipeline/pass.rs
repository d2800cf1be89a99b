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
    mut between: impl FnMut(&mut CaseReader<S>) -> Result<(), E>,
) -> Result<Option<Finding>, E> {
    let mut window = Window::new(limits.case_bytes);
    loop {
        let end = window.end(text.len());
        let is_last = end == text.len();
        let part = text.get(window.start..end).unwrap_or_default();
        reader.sink.window(window.start as u64);
        let fed = scanner.feed(part, is_last, reader);
        if fed.stop.is_some() || is_last {
            reader.finish(part);
            let finding = |(code, at)| Finding { code, offset: (window.start + at) as u64 };
            return Ok(fed.stop.map(finding));
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
    let mut window = Window::new(limits.case_bytes);
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
            end.stop = fed.stop.map(|(code, at)| Finding { code, offset: start + at as u64 });
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
    /// What one case may take.
    limit: usize,
}

impl Window {
    fn new(limit: usize) -> Self {
        Self { start: 0, size: WINDOW_BYTES.min(limit), limit }
    }

    fn end(&self, length: usize) -> usize {
        self.start.saturating_add(self.size).min(length)
    }

    /// Moves on; a window of which nothing could be given up grows. Reports whether it cannot grow any more: the case
    /// that it begins with is too large.
    fn advance(&mut self, consumed: usize) -> bool {
        self.start += consumed;
        if consumed > 0 {
            self.size = WINDOW_BYTES.min(self.limit);
            return false;
        }
        let is_too_large = self.size >= self.limit;
        self.size = (self.size * 2).min(self.limit);
        is_too_large
    }
}
