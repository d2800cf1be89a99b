//! `go test -json` (<https://pkg.go.dev/cmd/test2json>): an event a line.

use super::LineReader;
use crate::out::Out;

/// Reads events.
#[derive(Debug, Default)]
pub(super) struct GoTestReader {}

impl LineReader for GoTestReader {
    fn line(&mut self, line: &str, at: u64, out: &mut Out<'_>) {
        let _ = (line, at, out);
    }

    fn finish(&mut self, at: u64, out: &mut Out<'_>) {
        let _ = (at, out);
    }
}
