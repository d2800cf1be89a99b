//! Bytes in any encoding → UTF-8.
//!
//! A report says what it is in by a byte order mark, by the shape of its first bytes, or by its XML declaration. Most
//! are UTF-8 and are passed on as they are. Bytes that are not valid become U+FFFD, each with a finding.

use std::borrow::Cow;

use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE};
use memchr::memmem;

use crate::finding::{Finding, FindingCode};

pub use super::stream::StreamDecoder;

/// How the bytes of a report become text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charset {
    /// UTF-8 or a part of it.
    Utf8,
    /// ISO 8859-1: each byte is the character of its number.
    Latin1,
    /// Another encoding, decoded by `encoding_rs`.
    Other(&'static Encoding),
}

/// Takes bytes that are UTF-8 for text. Were they not, what is wrong would become U+FFFD.
#[inline]
pub(crate) fn as_text(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => String::from_utf8_lossy(bytes),
    }
}

/// What the head of a report says about its encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Detected {
    /// The encoding to read it in.
    pub charset: Charset,
    /// The length of the byte order mark in bytes.
    pub mark: usize,
    /// Whether a declared encoding could not be followed.
    pub is_declaration_wrong: bool,
}

impl Detected {
    fn sure(charset: Charset, mark: usize) -> Self {
        Self { charset, mark, is_declaration_wrong: false }
    }
}

/// Finds out the encoding from a report's first bytes (1 KiB is enough).
pub fn detect(head: &[u8]) -> Detected {
    if let Some((encoding, mark)) = Encoding::for_bom(head) {
        let charset = if encoding == UTF_8 { Charset::Utf8 } else { Charset::Other(encoding) };
        return Detected::sure(charset, mark);
    }
    match head {
        // `<` in two bytes, as no text in ASCII begins
        [b'<', 0, second, 0, ..] if *second != 0 => return Detected::sure(Charset::Other(UTF_16LE), 0),
        [0, b'<', 0, second, ..] if *second != 0 => return Detected::sure(Charset::Other(UTF_16BE), 0),
        _ => {
            if let Some(encoding) = two_byte_ascii(head) {
                return Detected::sure(Charset::Other(encoding), 0);
            }
        }
    }
    let Some(label) = declared_encoding(head) else { return Detected::sure(Charset::Utf8, 0) };
    if is_latin1(label) {
        return Detected::sure(Charset::Latin1, 0);
    }
    let wrong = Detected { charset: Charset::Utf8, mark: 0, is_declaration_wrong: true };
    match Encoding::for_label(label) {
        _ if label.eq_ignore_ascii_case(b"us-ascii") || label.eq_ignore_ascii_case(b"ascii") => {
            Detected::sure(Charset::Utf8, 0)
        }
        None => wrong,
        Some(encoding) if encoding == UTF_8 => Detected::sure(Charset::Utf8, 0),
        // what could be read as ASCII up to here is not in two bytes a character, whatever it says
        Some(encoding) if encoding.is_ascii_compatible() => Detected::sure(Charset::Other(encoding), 0),
        Some(_) => wrong,
    }
}

/// Characters of ASCII in two bytes each, as nothing else begins: JSON, TAP, or what stands before a report.
fn two_byte_ascii(head: &[u8]) -> Option<&'static Encoding> {
    let is_text = |byte: u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
    let (units, _) = head.get(..head.len().min(16))?.as_chunks::<2>();
    if units.len() < 4 {
        return None;
    }
    if units.iter().all(|&[low, high]| high == 0 && is_text(low)) {
        return Some(UTF_16LE);
    }
    units.iter().all(|&[high, low]| high == 0 && is_text(low)).then_some(UTF_16BE)
}

/// ISO 8859-1 proper; `encoding_rs` would read it as Windows-1252, as browsers do.
fn is_latin1(label: &[u8]) -> bool {
    [&b"iso-8859-1"[..], b"iso8859-1", b"iso_8859-1", b"latin-1", b"latin1", b"l1"]
        .iter()
        .any(|name| label.eq_ignore_ascii_case(name))
}

/// Returns the encoding that the XML declaration names.
fn declared_encoding(head: &[u8]) -> Option<&[u8]> {
    let text = head.trim_ascii_start();
    let declaration = text.strip_prefix(b"<?xml")?;
    let declaration = declaration.get(..memmem::find(declaration, b"?>")?)?;
    let value = declaration.get(memmem::find(declaration, b"encoding")? + 8..)?;
    let value = value.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (&quote, value) = value.split_first()?;
    if !matches!(quote, b'"' | b'\'') {
        return None;
    }
    value.get(..value.iter().position(|&byte| byte == quote)?)
}

/// A whole report as UTF-8.
#[derive(Debug)]
pub struct Decoded<'report> {
    /// The text, without a byte order mark.
    pub text: Cow<'report, [u8]>,
    /// The encoding it came in.
    pub charset: Charset,
    mark: usize,
    raw: &'report [u8],
    /// The text, where it is the report's own.
    valid: Option<&'report str>,
}

impl<'report> Decoded<'report> {
    /// Decodes a whole report; `findings` gets what was wrong with its encoding and which forbidden characters stand
    /// in it.
    pub fn new(raw: &'report [u8], mut findings: impl FnMut(Finding)) -> Self {
        let detected = detect(raw.get(..raw.len().min(1024)).unwrap_or_default());
        if detected.is_declaration_wrong {
            findings(Finding { code: FindingCode::WrongEncoding, offset: 0 });
        }
        let content = raw.get(detected.mark..).unwrap_or_default();
        let is_utf8 = detected.charset == Charset::Utf8;
        let valid = if is_utf8 { std::str::from_utf8(content).ok() } else { None };
        let text = match detected.charset {
            Charset::Utf8 if valid.is_some() => Cow::Borrowed(content),
            Charset::Utf8 => repair_utf8(content),
            Charset::Latin1 => Cow::Owned(encoding_rs::mem::decode_latin1(content).into_owned().into_bytes()),
            Charset::Other(encoding) => {
                let (text, _) = encoding.decode_without_bom_handling(content);
                Cow::Owned(text.into_owned().into_bytes())
            }
        };
        let decoded = Self { text, charset: detected.charset, mark: detected.mark, raw, valid };
        decoded.tell_invalid(&mut findings);
        // from one to the next, so that many of them cost no more than one way through the report
        let (mut known, mut known_raw) = (0, decoded.mark);
        let mut tell = |place| {
            if place < known {
                (known, known_raw) = (0, decoded.mark);
            }
            known_raw = (known_raw + decoded.raw_length(known, known_raw, place)).min(raw.len());
            known = place;
            findings(Finding { code: FindingCode::ForbiddenCharacter, offset: known_raw as u64 });
        };
        forbidden_characters(&decoded.text, &mut tell);
        decoded
    }

    /// Returns the offset, in the report as it came, of a place in the text.
    ///
    /// # Cost
    /// Linear in the place where the report was not valid UTF-8.
    pub fn offset_in_raw(&self, place: usize) -> u64 {
        self.offset_from(0, self.mark as u64, place)
    }

    /// Returns the text.
    pub(crate) fn to_text(&self) -> Cow<'_, str> {
        self.valid.map_or_else(|| as_text(&self.text), Cow::Borrowed)
    }

    /// Returns how many bytes behind its place in the text each byte stands in the report, where that is the same for all.
    pub(crate) fn shift(&self) -> Option<u64> {
        self.valid.map(|_| self.mark as u64)
    }

    /// Returns the offset of a place in the text, from an earlier place of which the offset is known.
    ///
    /// # Cost
    /// Linear in the distance where the report was not valid UTF-8.
    pub fn offset_from(&self, known: usize, known_offset: u64, place: usize) -> u64 {
        let raw_start = usize::try_from(known_offset).unwrap_or(usize::MAX);
        // half a character at the end may stand for more than there is of it
        (known_offset + self.raw_length(known, raw_start, place) as u64).min(self.raw.len() as u64)
    }

    /// Returns how many bytes of the report became the text from `start`, which stands at `raw_start`, to `place`.
    fn raw_length(&self, start: usize, raw_start: usize, place: usize) -> usize {
        let part = self.text.get(start..place).or_else(|| self.text.get(start..)).unwrap_or_default();
        match (self.charset, &self.text) {
            (Charset::Utf8, Cow::Borrowed(_)) => place - start,
            (Charset::Utf8, Cow::Owned(_)) => {
                utf8_raw_length(self.raw.get(raw_start..).unwrap_or_default(), place - start)
            }
            (Charset::Latin1, _) => String::from_utf8_lossy(part).chars().count(),
            (Charset::Other(encoding), _) => {
                let part = String::from_utf8_lossy(part);
                if encoding == UTF_16LE || encoding == UTF_16BE {
                    part.encode_utf16().count() * 2
                } else {
                    encoding.encode(&part).0.len()
                }
            }
        }
    }

    /// Tells each run of invalid bytes.
    fn tell_invalid(&self, findings: &mut impl FnMut(Finding)) {
        let content = self.raw.get(self.mark..).unwrap_or_default();
        match (self.charset, &self.text) {
            (Charset::Utf8, Cow::Owned(_)) => {
                let mut offset = self.mark;
                for chunk in content.utf8_chunks() {
                    offset += chunk.valid().len();
                    if !chunk.invalid().is_empty() {
                        findings(Finding { code: FindingCode::InvalidEncoding, offset: offset as u64 });
                        offset += chunk.invalid().len();
                    }
                }
            }
            (Charset::Other(encoding), _) if encoding.decode_without_bom_handling(content).1 => {
                let first = memmem::find(&self.text, "\u{FFFD}".as_bytes()).unwrap_or_default();
                findings(Finding { code: FindingCode::InvalidEncoding, offset: self.offset_in_raw(first) });
            }
            _ => {}
        }
    }
}

/// Replaces what is not valid UTF-8 by U+FFFD.
pub fn repair_utf8(bytes: &[u8]) -> Cow<'_, [u8]> {
    // the check alone is several times faster than the way that repairs
    if std::str::from_utf8(bytes).is_ok() {
        return Cow::Borrowed(bytes);
    }
    match String::from_utf8_lossy(bytes) {
        Cow::Borrowed(_) => Cow::Borrowed(bytes),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

/// Returns how many raw bytes became the first `place` bytes of the repaired text.
fn utf8_raw_length(raw: &[u8], place: usize) -> usize {
    // no byte becomes less than one, so that the place lies within as many: to look further would cost a way through the
    // rest for each place; 4: a character that is cut there is behind the place
    let raw = raw.get(..place.saturating_add(4)).unwrap_or(raw);
    let (mut read, mut written) = (0, 0);
    for chunk in raw.utf8_chunks() {
        let valid = chunk.valid().len();
        if written + valid >= place {
            return read + (place - written);
        }
        read += valid + chunk.invalid().len();
        written += valid + if chunk.invalid().is_empty() { 0 } else { '\u{FFFD}'.len_utf8() };
        if written >= place {
            return read;
        }
    }
    read
}

/// Tells the place of each character that XML forbids.
pub fn forbidden_characters(text: &[u8], tell: &mut impl FnMut(usize)) {
    // 1 KiB: so that many hold no line end and are done at once, and the vector loops pay
    const BLOCK: usize = 1024;
    let is_forbidden = |byte: u8| (byte < 0x20) & (byte != b'\n') & (byte != b'\t') & (byte != b'\r');
    let mut is_ascii = true;
    for (index, block) in text.chunks(BLOCK).enumerate() {
        // without an early end and in bytes, so that the compiler makes vector loops of them
        let (least, bits) =
            block.iter().fold((u8::MAX, 0), |(least, bits), &byte| (byte.min(least), bits | byte));
        is_ascii &= bits < 0x80;
        if least >= 0x20 || block.iter().fold(0, |found, &byte| found | u8::from(is_forbidden(byte))) == 0 {
            continue;
        }
        for (place, &byte) in block.iter().enumerate() {
            if is_forbidden(byte) {
                tell(index * BLOCK + place);
            }
        }
    }
    if is_ascii {
        return;
    }
    for place in memmem::find_iter(text, b"\xEF\xBF") {
        if matches!(text.get(place + 2), Some(0xBE | 0xBF)) {
            tell(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Time that grows with the square of it would be minutes.
    #[test]
    fn places_before_an_invalid_byte_cost_one_way_through_the_report() {
        let many = 400_000;
        let raw = [vec![1; many], vec![b'a', 0xFF, 2, 0xC3]].concat();
        let mut offsets = Vec::new();
        Decoded::new(&raw, |finding| offsets.push((finding.code.as_str(), finding.offset)));
        let many = many as u64;
        assert_eq!(offsets[..2], [("invalid-encoding", many + 1), ("invalid-encoding", many + 3)]);
        assert_eq!(offsets.len() as u64, many + 3);
        assert_eq!(offsets.last(), Some(&("forbidden-character", many + 2)));
        assert!(offsets[2..].iter().zip(0..many).all(|(found, place)| found.1 == place));
    }

    fn decode(raw: &[u8]) -> (String, Vec<(&'static str, u64)>) {
        let mut findings = Vec::new();
        let decoded = Decoded::new(raw, |finding| findings.push((finding.code.as_str(), finding.offset)));
        (String::from_utf8(decoded.text.into_owned()).unwrap(), findings)
    }

    #[test]
    fn utf8_is_passed_on_as_it_is() {
        let raw = "<a b=\"é\u{1F600}\"/>".as_bytes();
        let decoded = Decoded::new(raw, |_| panic!("no finding"));
        assert!(matches!(decoded.text, Cow::Borrowed(_)));
    }

    #[test]
    fn byte_order_marks_are_dropped() {
        assert_eq!(decode(b"\xEF\xBB\xBF<a/>"), ("<a/>".into(), vec![]));
        assert_eq!(decode(b"\xFF\xFE<\0a\0/\0>\0"), ("<a/>".into(), vec![]));
        assert_eq!(decode(b"\xFE\xFF\0<\0a\0/\0>"), ("<a/>".into(), vec![]));
    }

    #[test]
    fn utf16_without_a_mark_is_found_by_its_shape() {
        assert_eq!(decode(b"<\0a\0/\0>\0"), ("<a/>".into(), vec![]));
        assert_eq!(decode(b"\0<\0a\0/\0>"), ("<a/>".into(), vec![]));
    }

    #[test]
    fn declared_encodings_are_followed() {
        let latin1 = b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xE9\x80</a>";
        assert_eq!(decode(latin1).0, "<?xml version='1.0' encoding='ISO-8859-1'?><a>\u{E9}\u{80}</a>");
        let windows = b"<?xml version=\"1.0\" encoding = \"windows-1252\"?><a>\x80</a>";
        assert!(decode(windows).0.ends_with("<a>\u{20AC}</a>"));
    }

    #[test]
    fn a_declaration_that_cannot_be_true_is_told() {
        for label in ["utf-16", "klingon"] {
            let raw = format!("<?xml version=\"1.0\" encoding=\"{label}\"?><a/>");
            assert_eq!(decode(raw.as_bytes()), (raw.clone(), vec![("wrong-encoding", 0)]));
        }
    }

    #[test]
    fn invalid_bytes_become_replacement_characters_at_their_raw_offset() {
        let (text, findings) = decode(b"<a>\xFFx\xC3</a>\x01");
        assert_eq!(text, "<a>\u{FFFD}x\u{FFFD}</a>\x01");
        assert_eq!(findings, [("invalid-encoding", 3), ("invalid-encoding", 5), ("forbidden-character", 10)]);
    }

    #[test]
    fn offsets_are_those_of_the_bytes_as_they_came() {
        let raw = b"\xFF\xFE<\0a\0\xE9\0>\0";
        let decoded = Decoded::new(raw, |_| ());
        assert_eq!(decoded.offset_in_raw(decoded.text.len()), 10);
        assert_eq!(decoded.offset_in_raw(0), 2);
        // half a character
        let decoded = Decoded::new(b"\xFF\xFE<\0>", |_| ());
        assert_eq!(decoded.offset_in_raw(decoded.text.len()), 5);
    }

    #[test]
    fn offsets_behind_invalid_bytes_are_those_of_any_way_there() {
        let raw = b"\xF0\x9F\x98a\xFF\xC3\xA9\xE2\x82\xF0\x9F\x98\x80z";
        let decoded = Decoded::new(raw, |_| ());
        let text = std::str::from_utf8(&decoded.text).unwrap();
        let places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
        let offsets: Vec<u64> = places.iter().map(|&place| decoded.offset_in_raw(place)).collect();
        assert_eq!(offsets, [0, 3, 4, 5, 7, 9, 13]);
        for (from, &known) in places.iter().zip(&offsets) {
            let behind = places.iter().filter(|&place| place >= from);
            let offsets: Vec<u64> = behind.map(|&place| decoded.offset_from(*from, known, place)).collect();
            assert!(
                places.len() >= offsets.len() && offsets.windows(2).all(|pair| pair[0] < pair[1]),
                "{offsets:?}"
            );
            assert_eq!(offsets.last(), Some(&13));
        }
    }

    #[test]
    fn many_forbidden_characters_have_their_offsets_in_any_encoding() {
        let offsets =
            |raw: &[u8]| -> Vec<u64> { decode(raw).1.into_iter().map(|(_, offset)| offset).collect() };
        let declaration = b"<?xml version='1.0' encoding='latin-1'?>";
        assert_eq!(offsets(&[&declaration[..], b"\xE9\x01\xE9\x02\x03"].concat()), [41, 43, 44]);
        let text = "\u{FEFF}<é\u{1}\u{FFFE}\u{1F600}\u{2}";
        let utf16: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(offsets(&utf16), [6, 14, 8]);
        // invalid, invalid, then the two controls between and behind them
        assert_eq!(offsets(b"<\xFF\x01\xFF\x02"), [1, 3, 2, 4]);
    }

    #[test]
    fn forbidden_characters_are_told_by_place() {
        let mut places = Vec::new();
        let text = format!("a\tb\u{0}{}\u{1B}\u{FFFF}", "x".repeat(5000));
        forbidden_characters(text.as_bytes(), &mut |place| places.push(place));
        assert_eq!(places, [3, 5004, 5005]);
    }
}
