//! What a raw text or attribute value reads as.
//!
//! Entities are never expanded beyond XML's own five; an unknown one, and a bare `&`, stay as they stand.

use memchr::{memchr, memchr2, memchr3};

use crate::finding::FindingCode;

/// A reference at the begin of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reference {
    /// A character, and how many raw bytes name it.
    Character(char, usize),
    /// A well-formed name that XML does not define, or a number that is no character: how many raw bytes.
    Unknown(usize),
    /// No reference at all.
    Bare,
}

/// Reads the reference that `raw` (which begins with `&`) begins with.
fn parse_reference(raw: &[u8]) -> Reference {
    // 64: longer than any entity's name in use; a `&` without `;` must not make us look through megabytes.
    const LONGEST: usize = 64;
    let head = raw.get(1..raw.len().min(LONGEST)).unwrap_or_default();
    let Some(length) = memchr(b';', head) else { return Reference::Bare };
    let name = head.get(..length).unwrap_or_default();
    let raw_length = length + 2;
    let character = match name {
        b"amp" => Some('&'),
        b"lt" => Some('<'),
        b"gt" => Some('>'),
        b"quot" => Some('"'),
        b"apos" => Some('\''),
        [b'#', b'x', digits @ ..] => parse_number(digits, 16),
        [b'#', digits @ ..] => parse_number(digits, 10),
        _ => None,
    };
    if let Some(character) = character {
        return Reference::Character(character, raw_length);
    }
    let digits = match name {
        [b'#', b'x', rest @ ..] => rest.iter().all(u8::is_ascii_hexdigit) && !rest.is_empty(),
        [b'#', rest @ ..] => rest.iter().all(u8::is_ascii_digit) && !rest.is_empty(),
        _ => false,
    };
    let is_name = name
        .first()
        .is_some_and(|&byte| byte.is_ascii_alphabetic() || byte == b'_' || byte >= 0x80)
        && name.iter().all(|&byte| byte.is_ascii_alphanumeric() || byte >= 0x80 || b"._-:".contains(&byte));
    if digits || is_name { Reference::Unknown(raw_length) } else { Reference::Bare }
}

fn parse_number(digits: &[u8], radix: u32) -> Option<char> {
    if digits.is_empty() {
        return None;
    }
    let mut value: u32 = 0;
    for &digit in digits {
        value = value.checked_mul(radix)?.checked_add(char::from(digit).to_digit(radix)?)?;
    }
    char::from_u32(value)
}

/// Reports whether XML 1.0 forbids a character (<https://www.w3.org/TR/xml/#charsets>).
pub fn is_forbidden(character: char) -> bool {
    matches!(character, '\0'..='\x08' | '\x0B' | '\x0C' | '\x0E'..='\x1F' | '\u{FFFE}' | '\u{FFFF}')
}

/// Tells what is wrong with the references in a raw text or value, by their places in it.
pub fn check_references(raw: &[u8], mut tell: impl FnMut(FindingCode, usize)) {
    let mut at = 0;
    while let Some(found) = raw.get(at..).and_then(|rest| memchr(b'&', rest)) {
        let place = at + found;
        match parse_reference(raw.get(place..).unwrap_or_default()) {
            Reference::Character(character, length) => {
                if is_forbidden(character) {
                    tell(FindingCode::ForbiddenCharacter, place);
                }
                at = place + length;
            }
            Reference::Unknown(length) => {
                tell(FindingCode::UnknownEntity, place);
                at = place + length;
            }
            Reference::Bare => {
                tell(FindingCode::BareAmpersand, place);
                at = place + 1;
            }
        }
    }
}

/// Adds what a raw text reads as: references read, line ends as `\n`.
pub fn read_text(raw: &[u8], into: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(found) = memchr2(b'&', b'\r', rest) {
        let (before, from) = rest.split_at(found);
        into.extend_from_slice(before);
        rest = if from.first() == Some(&b'\r') {
            into.push(b'\n');
            after_line_end(from)
        } else {
            read_one_reference(from, into)
        };
    }
    into.extend_from_slice(rest);
}

/// Adds what a CDATA section's content reads as: line ends as `\n`.
pub fn read_cdata(raw: &[u8], into: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(found) = memchr(b'\r', rest) {
        let (before, from) = rest.split_at(found);
        into.extend_from_slice(before);
        into.push(b'\n');
        rest = after_line_end(from);
    }
    into.extend_from_slice(rest);
}

/// Adds what a raw attribute value reads as: references read, each tab and line end that stands there a space
/// (<https://www.w3.org/TR/xml/#AVNormalize>).
pub fn read_attribute(raw: &[u8], into: &mut Vec<u8>) {
    read_attribute_by(raw, into, |rest| memchr3(b'\t', b'\r', b'\n', rest));
}

/// Does so, with `find_white` to find the next tab or line end: asked once for each, not for each reference, or a value
/// of many references would take time with the square of its length.
fn read_attribute_by(raw: &[u8], into: &mut Vec<u8>, mut find_white: impl FnMut(&[u8]) -> Option<usize>) {
    let mut rest = raw;
    while let Some(found) = find_white(rest) {
        let (before, from) = rest.split_at(found);
        // No reference reaches over white space.
        read_references(before, into);
        into.push(b' ');
        rest = after_line_end(from);
    }
    read_references(rest, into);
}

/// Adds what a text without line ends reads as.
fn read_references(raw: &[u8], into: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(found) = memchr(b'&', rest) {
        let (before, from) = rest.split_at(found);
        into.extend_from_slice(before);
        rest = read_one_reference(from, into);
    }
    into.extend_from_slice(rest);
}

/// Returns what follows the tab or line end that `from` begins with; `\r\n` is one.
fn after_line_end(from: &[u8]) -> &[u8] {
    let length = if from.starts_with(b"\r\n") { 2 } else { 1 };
    from.get(length..).unwrap_or_default()
}

fn read_one_reference<'raw>(from: &'raw [u8], into: &mut Vec<u8>) -> &'raw [u8] {
    let length = match parse_reference(from) {
        Reference::Character(character, length) => {
            into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            length
        }
        Reference::Unknown(length) => {
            into.extend_from_slice(from.get(..length).unwrap_or_default());
            length
        }
        Reference::Bare => {
            into.push(b'&');
            1
        }
    };
    from.get(length..).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(raw: &str) -> String {
        let mut out = Vec::new();
        read_text(raw.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    fn attribute(raw: &str) -> String {
        let mut out = Vec::new();
        read_attribute(raw.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    fn codes(raw: &str) -> Vec<(&'static str, usize)> {
        let mut out = Vec::new();
        check_references(raw.as_bytes(), |code, at| out.push((code.as_str(), at)));
        out
    }

    #[test]
    fn references_are_read_and_unknown_ones_stay() {
        assert_eq!(text("&lt;a&gt; &amp;amp; &#65;&#x1F600;&quot;&apos;"), "<a> &amp; A\u{1F600}\"'");
        assert_eq!(text("&foo; & b &#xD800; &#99999999999; &;"), "&foo; & b &#xD800; &#99999999999; &;");
        assert_eq!(text("a&"), "a&");
    }

    #[test]
    fn line_ends_are_one_character() {
        assert_eq!(text("a\r\nb\rc\n\r\n&#13;"), "a\nb\nc\n\n\r");
        assert_eq!(attribute("a\r\nb\tc\rd&#10;&#9;\n&amp;\t"), "a b c d\n\t & ");
    }

    #[test]
    fn each_byte_of_an_attribute_is_looked_at_once_for_white_space() {
        for piece in ["&amp;", "&", "&\n", "&nosuch; \t"] {
            let raw = piece.repeat(1000);
            let (mut looked_at, mut out) = (0, Vec::new());
            read_attribute_by(raw.as_bytes(), &mut out, |rest| {
                let found = memchr3(b'\t', b'\r', b'\n', rest);
                looked_at += found.map_or(rest.len(), |found| found + 1);
                found
            });
            assert_eq!(looked_at, raw.len(), "{piece:?}");
            assert_eq!(String::from_utf8(out).unwrap(), attribute(piece).repeat(1000));
        }
        assert_eq!(attribute("&a\nmp;&\r\n#65;"), "&a mp;& #65;");
    }

    #[test]
    fn what_is_wrong_with_references_is_told_by_place() {
        assert_eq!(
            codes("&amp;&foo;& &#8;&#0;&#xFFFF;"),
            [
                ("unknown-entity", 5),
                ("bare-ampersand", 10),
                ("forbidden-character", 12),
                ("forbidden-character", 16),
                ("forbidden-character", 20),
            ]
        );
        assert_eq!(
            codes("&#xD800;&#;&1a;"),
            [("unknown-entity", 0), ("bare-ampersand", 8), ("bare-ampersand", 11)]
        );
    }
}
