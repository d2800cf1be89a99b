//! JSON as Python's `json.dumps` writes it: ASCII only, `", "` and `": "` between parts.

/// What each byte of a text needs: 0 nothing, else the letter after the backslash, `u` for a `\u` escape.
#[expect(
    clippy::indexing_slicing,
    reason = "evaluated when compiled, where an index out of range is an error"
)]
static ESCAPE: [u8; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 0x20 {
        table[byte] = b'u';
        byte += 1;
    }
    byte = 0x7F;
    while byte < 256 {
        table[byte] = b'u';
        byte += 1;
    }
    table[b'"' as usize] = b'"';
    table[b'\\' as usize] = b'\\';
    table[b'\n' as usize] = b'n';
    table[b'\r' as usize] = b'r';
    table[b'\t' as usize] = b't';
    table[0x08] = b'b';
    table[0x0C] = b'f';
    table
};

/// Adds a text in UTF-8 as a JSON string, quotes and all.
#[inline]
pub(crate) fn write_string(text: &[u8], into: &mut Vec<u8>) {
    into.push(b'"');
    write_escaped(text, into);
    into.push(b'"');
}

/// Adds a text in UTF-8 as the inside of a JSON string.
#[inline]
pub(crate) fn write_escaped(text: &[u8], into: &mut Vec<u8>) {
    if is_all_plain(text) {
        into.extend_from_slice(text);
    } else {
        write_with_escapes(text, into);
    }
}

fn write_with_escapes(text: &[u8], into: &mut Vec<u8>) {
    let mut rest = text;
    loop {
        let plain = plain_length(rest);
        let (before, from) = rest.split_at_checked(plain).unwrap_or((rest, &[]));
        into.extend_from_slice(before);
        let Some((&byte, after)) = from.split_first() else { return };
        rest = match ESCAPE.get(byte as usize) {
            Some(b'u') if byte >= 0x80 => write_character(from, into),
            Some(b'u') => {
                write_unit(u16::from(byte), into);
                after
            }
            Some(&letter) => {
                into.extend_from_slice(&[b'\\', letter]);
                after
            }
            None => after,
        };
    }
}

/// Reports whether every byte stands for itself.
#[inline]
fn is_all_plain(text: &[u8]) -> bool {
    let (blocks, tail) = text.as_chunks::<8>();
    let are_blocks_plain = blocks.iter().all(|block| is_plain(u64::from_le_bytes(*block)));
    // of the last bytes some for the second time
    are_blocks_plain
        && match (text.last_chunk::<8>(), tail.first_chunk::<4>(), tail.last_chunk::<4>()) {
            _ if tail.is_empty() => true,
            (Some(last), ..) => is_plain(u64::from_le_bytes(*last)),
            (None, Some(first), Some(last)) => {
                is_plain(u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last)))
            }
            _ => tail.iter().all(|byte| ESCAPE.get(usize::from(*byte)).is_some_and(|class| *class == 0)),
        }
}

/// Returns how many bytes at the begin stand for themselves.
fn plain_length(text: &[u8]) -> usize {
    let (blocks, _) = text.as_chunks::<8>();
    let plain = 8 * blocks.iter().take_while(|block| is_plain(u64::from_le_bytes(**block))).count();
    let rest = text.get(plain..).unwrap_or_default();
    let needs = |byte: &u8| ESCAPE.get(usize::from(*byte)).is_some_and(|class| *class != 0);
    plain + rest.iter().position(needs).unwrap_or(rest.len())
}

/// Reports whether each of eight bytes stands for itself: none is below 0x20, above 0x7E, a quote or a backslash. False alarms
/// are only raised behind a true one.
#[inline]
fn is_plain(word: u64) -> bool {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let below_space = word.wrapping_sub(ONES * 0x20);
    let is_quote = (word ^ (ONES * 0x22)).wrapping_sub(ONES);
    let is_backslash = (word ^ (ONES * 0x5C)).wrapping_sub(ONES);
    let above_tilde = (word & !HIGH) + ONES;
    (below_space | is_quote | is_backslash | above_tilde | word) & HIGH == 0
}

/// Adds the character of several bytes that `from` begins with; returns what follows it.
#[cold]
fn write_character<'text>(from: &'text [u8], into: &mut Vec<u8>) -> &'text [u8] {
    let head = from.get(..from.len().min(4)).unwrap_or_default();
    let valid = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) => head
            .get(..error.valid_up_to())
            .and_then(|head| std::str::from_utf8(head).ok())
            .unwrap_or_default(),
    };
    // reports are made valid UTF-8 before they are read; U+FFFD is for a caller that did not
    let (character, length) = valid.chars().next().map_or(('\u{FFFD}', 1), |first| (first, first.len_utf8()));
    for unit in character.encode_utf16(&mut [0; 2]) {
        write_unit(*unit, into);
    }
    from.get(length..).unwrap_or_default()
}

fn write_unit(unit: u16, into: &mut Vec<u8>) {
    const HEX: [u8; 16] = *b"0123456789abcdef";
    into.extend_from_slice(b"\\u");
    for shift in [12, 8, 4, 0] {
        into.push(HEX.get(usize::from(unit >> shift & 0xF)).copied().unwrap_or(b'0'));
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use proptest::prelude::*;

    fn string(text: &str) -> String {
        let mut out = Vec::new();
        write_string(text.as_bytes(), &mut out);
        String::from_utf8(out).unwrap()
    }

    /// The slow twin: one character at a time.
    fn plain_string(text: &str) -> String {
        let mut out = String::from("\"");
        for character in text.chars() {
            match character {
                '"' => out += "\\\"",
                '\\' => out += "\\\\",
                '\n' => out += "\\n",
                '\r' => out += "\\r",
                '\t' => out += "\\t",
                '\x08' => out += "\\b",
                '\x0C' => out += "\\f",
                ' '..='~' => out.push(character),
                _ => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        write!(out, "\\u{unit:04x}").unwrap();
                    }
                }
            }
        }
        out + "\""
    }

    #[test]
    fn strings_are_ascii() {
        assert_eq!(string("é\u{1F600}\u{2028}\u{7F}/"), r#""\u00e9\ud83d\ude00\u2028\u007f/""#);
        assert_eq!(string("\"\\\t\n\r\u{8}\u{C}\u{1}"), r#""\"\\\t\n\r\b\f\u0001""#);
    }

    proptest! {
        #[test]
        fn eight_at_a_time_is_as_one_at_a_time(
            pieces in proptest::collection::vec(
                prop_oneof![Just("plain text"), Just("~"), Just(" "), Just("\u{7F}"), Just("\""), Just("\\"), Just("!#[]"),
                            Just("\u{1F}"), Just("\n"), Just("é"), Just("\u{80}"), Just("\u{1F600}"), Just("\u{FFFF}"), Just("abcdefg")],
                0..30,
            )
        ) {
            let text = pieces.concat();
            prop_assert_eq!(string(&text), plain_string(&text));
        }
    }
}
