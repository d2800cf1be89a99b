//! Byte offsets → lines and columns, as editors count them.

use memchr::{memchr_iter, memrchr};

use crate::scan::encoding::{Charset, detect};

/// A place in a report, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line: one more than the line feeds before the place.
    pub line: u64,
    /// The column in characters; a byte order mark is none.
    pub column: u64,
}

/// Finds the lines and columns of offsets while a report goes by in chunks.
///
/// # Examples
/// ```
/// use testlake_report::position::Positions;
///
/// let mut positions = Positions::new(vec![4]);
/// positions.feed("a\né".as_bytes());
/// positions.feed(b"b");
/// let found = positions.finish();
/// assert_eq!((found[0].line, found[0].column), (2, 2));
/// ```
#[derive(Debug)]
pub struct Positions {
    offsets: Vec<u64>,
    found: Vec<Position>,
    /// The head of the report, until it tells the encoding.
    head: Vec<u8>,
    width: Option<Width>,
    offset: u64,
    here: Position,
    /// The first byte of a unit of two.
    first: Option<u8>,
}

/// How bytes make characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    /// UTF-8: all bytes but those that continue a character.
    Utf8,
    /// One byte each. Encodings of several bytes are counted so, too.
    One,
    /// UTF-16: pairs of bytes, the lower byte first or not.
    Two { is_little: bool },
}

/// Bytes that tell the encoding.
const HEAD_BYTES: usize = 1024;

impl Positions {
    /// Asks for the positions of offsets, which must be sorted.
    pub fn new(offsets: Vec<u64>) -> Self {
        Self {
            found: Vec::with_capacity(offsets.len()),
            offsets,
            head: Vec::new(),
            width: None,
            offset: 0,
            here: Position { line: 1, column: 1 },
            first: None,
        }
    }

    /// Takes the next bytes of the report.
    pub fn feed(&mut self, chunk: &[u8]) {
        match self.width {
            Some(width) => self.count(width, chunk),
            None => {
                self.head.extend_from_slice(chunk);
                if self.head.len() >= HEAD_BYTES {
                    self.begin();
                }
            }
        }
    }

    /// Returns the positions, in the order of the offsets. An offset behind the end is at the end.
    pub fn finish(mut self) -> Vec<Position> {
        if self.width.is_none() {
            self.begin();
        }
        self.found.resize(self.offsets.len(), self.here);
        self.found
    }

    fn begin(&mut self) {
        let head = std::mem::take(&mut self.head);
        let detected = detect(head.get(..HEAD_BYTES).unwrap_or(&head));
        let width = match detected.charset {
            Charset::Utf8 => Width::Utf8,
            Charset::Other(encoding) if encoding == encoding_rs::UTF_16LE => Width::Two { is_little: true },
            Charset::Other(encoding) if encoding == encoding_rs::UTF_16BE => Width::Two { is_little: false },
            Charset::Latin1 | Charset::Other(_) => Width::One,
        };
        self.width = Some(width);
        let (mark, rest) = head.split_at(detected.mark.min(head.len()));
        let first = self.here;
        self.count(width, mark);
        self.here = first;
        // what the mark counted for is where the text begins
        self.found.iter_mut().for_each(|position| *position = first);
        self.count(width, rest);
    }

    fn count(&mut self, width: Width, mut bytes: &[u8]) {
        while let Some(&next) = self.offsets.get(self.found.len()) {
            let before = usize::try_from(next.saturating_sub(self.offset)).unwrap_or(usize::MAX);
            let Some((passed, rest)) = bytes.split_at_checked(before) else { break };
            if rest.is_empty() {
                break;
            }
            self.pass(width, passed);
            bytes = rest;
            self.found.push(self.here);
        }
        self.pass(width, bytes);
    }

    fn pass(&mut self, width: Width, bytes: &[u8]) {
        self.offset += bytes.len() as u64;
        match width {
            Width::Utf8 => {
                self.pass_lines(bytes, |line| {
                    line.iter().filter(|&&byte| byte & 0xC0 != 0x80).count() as u64
                });
            }
            Width::One => self.pass_lines(bytes, |line| line.len() as u64),
            Width::Two { is_little } => {
                for &byte in bytes {
                    let Some(first) = self.first.take() else {
                        self.first = Some(byte);
                        continue;
                    };
                    let unit = if is_little { [first, byte] } else { [byte, first] };
                    match u16::from_le_bytes(unit) {
                        0x0A => self.here = Position { line: self.here.line + 1, column: 1 },
                        // the second half of a pair
                        0xDC00..=0xDFFF => {}
                        _ => self.here.column += 1,
                    }
                }
            }
        }
    }

    fn pass_lines(&mut self, bytes: &[u8], characters: impl Fn(&[u8]) -> u64) {
        let last = match memrchr(b'\n', bytes) {
            Some(end) => {
                self.here.line += memchr_iter(b'\n', bytes).count() as u64;
                self.here.column = 1;
                bytes.get(end + 1..).unwrap_or_default()
            }
            None => bytes,
        };
        self.here.column += characters(last);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn positions(report: &[u8], offsets: &[u64], chunk: usize) -> Vec<(u64, u64)> {
        let mut positions = Positions::new(offsets.to_vec());
        report.chunks(chunk).for_each(|chunk| positions.feed(chunk));
        positions.finish().into_iter().map(|found| (found.line, found.column)).collect()
    }

    #[test]
    fn columns_are_characters() {
        assert_eq!(
            positions("é<a>\r\n\n<b>".as_bytes(), &[0, 2, 7, 8, 99], 100),
            [(1, 1), (1, 2), (2, 1), (3, 1), (3, 4)]
        );
    }

    #[test]
    fn a_mark_is_no_column() {
        assert_eq!(positions("\u{feff}<a>".as_bytes(), &[0, 3, 4], 2), [(1, 1), (1, 1), (1, 2)]);
    }

    #[test]
    fn other_encodings_are_counted_in_their_units() {
        let units = "\u{feff}<é😀\n>".encode_utf16();
        let report: Vec<u8> = units.clone().flat_map(u16::to_le_bytes).collect();
        assert_eq!(positions(&report, &[2, 4, 10, 12], 100), [(1, 1), (1, 2), (1, 4), (2, 1)]);
        let report: Vec<u8> = units.flat_map(u16::to_be_bytes).collect();
        assert_eq!(positions(&report, &[2, 4, 10, 12], 1), [(1, 1), (1, 2), (1, 4), (2, 1)]);
        let latin = b"<?xml version='1.0' encoding='latin-1'?>\n\xE9\x80\xE9<";
        assert_eq!(positions(latin, &[44], 7), [(2, 4)]);
    }

    proptest! {
        #[test]
        fn chunks_and_lines_agree(text in "[a\né\r]{0,2000}", chunk in 1_usize..300) {
            let ends = (0..=text.len()).filter_map(|end| Some((end as u64, text.get(..end)?)));
            let (offsets, want): (Vec<_>, Vec<_>) = ends.map(|(offset, before)| {
                let line = before.rsplit('\n').next().unwrap();
                (offset, (before.matches('\n').count() as u64 + 1, line.chars().count() as u64 + 1))
            }).unzip();
            prop_assert_eq!(positions(text.as_bytes(), &offsets, chunk), want);
        }
    }
}
