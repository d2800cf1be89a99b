//! Paths of entries as archives write them: bytes in, text out. They are names, never opened.

use std::borrow::Cow;

/// The upper half of code page 437, in which zips name their entries where they do not say UTF-8.
const CP437: [char; 128] = [
    'Ç', 'ü', 'é', 'â', 'ä', 'à', 'å', 'ç', 'ê', 'ë', 'è', 'ï', 'î', 'ì', 'Ä', 'Å', //
    'É', 'æ', 'Æ', 'ô', 'ö', 'ò', 'û', 'ù', 'ÿ', 'Ö', 'Ü', '¢', '£', '¥', '₧', 'ƒ', //
    'á', 'í', 'ó', 'ú', 'ñ', 'Ñ', 'ª', 'º', '¿', '⌐', '¬', '½', '¼', '¡', '«', '»', //
    '░', '▒', '▓', '│', '┤', '╡', '╢', '╖', '╕', '╣', '║', '╗', '╝', '╜', '╛', '┐', //
    '└', '┴', '┬', '├', '─', '┼', '╞', '╟', '╚', '╔', '╩', '╦', '╠', '═', '╬', '╧', //
    '╨', '╤', '╥', '╙', '╘', '╒', '╓', '╫', '╪', '┘', '┌', '█', '▄', '▌', '▐', '▀', //
    'α', 'ß', 'Γ', 'π', 'Σ', 'σ', 'µ', 'τ', 'Φ', 'Θ', 'Ω', 'δ', '∞', 'φ', 'ε', '∩', //
    '≡', '±', '≥', '≤', '⌠', '⌡', '÷', '≈', '°', '∙', '·', '√', 'ⁿ', '²', '■', '\u{a0}',
];

/// Decodes the path of a zip's entry.
///
/// It ends at the first NUL. Valid UTF-8 is taken as such, said so or not. Else it is code page 437, or, where
/// the entry says UTF-8, has U+FFFD for what is invalid.
pub(super) fn of_zip(raw: &[u8], says_utf8: bool) -> Cow<'_, str> {
    let raw = until_nul(raw);
    match std::str::from_utf8(raw) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) if says_utf8 => String::from_utf8_lossy(raw),
        Err(_) => Cow::Owned(raw.iter().map(|&byte| of_cp437(byte)).collect()),
    }
}

/// Decodes the path of a tar's entry: UTF-8 up to the first NUL, with U+FFFD for what is invalid.
pub(super) fn of_tar(raw: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(until_nul(raw))
}

/// Reports whether a path is absolute or goes up, by the rules of Unix or of Windows.
pub(super) fn is_outside(path: &str) -> bool {
    let mut letters = path.bytes();
    let drive =
        letters.next().is_some_and(|letter| letter.is_ascii_alphabetic()) && letters.next() == Some(b':');
    drive || path.starts_with(['/', '\\']) || path.split(['/', '\\']).any(|part| part == "..")
}

/// Returns the part after the last `/`.
pub(super) fn last_part(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn until_nul(raw: &[u8]) -> &[u8] {
    raw.split(|&byte| byte == 0).next().unwrap_or_default()
}

fn of_cp437(byte: u8) -> char {
    match byte.checked_sub(128) {
        Some(upper) => CP437.get(usize::from(upper)).copied().unwrap_or(char::REPLACEMENT_CHARACTER),
        None => char::from(byte),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf8_is_utf8_said_so_or_not_and_the_rest_is_code_page_437() {
        assert_eq!(of_zip("tëst.xml".as_bytes(), false), "tëst.xml");
        assert_eq!(of_zip(b"t\x89st.xml", false), "tëst.xml");
        assert_eq!(of_zip(b"t\x89st.xml", true), "t\u{fffd}st.xml");
    }

    #[test]
    fn a_name_ends_at_nul() {
        assert_eq!(of_zip(b"a.xml\0.exe", true), "a.xml");
        assert_eq!(of_tar(b"a.xml\0\0"), "a.xml");
    }

    #[test]
    fn paths_that_leave_the_archive_are_seen() {
        for path in
            ["/etc/passwd", "../a.xml", "a/../../b.xml", "..\\a.xml", "C:\\a.xml", "c:a.xml", "\\\\host\\a"]
        {
            assert!(is_outside(path), "{path}");
        }
        for path in ["a.xml", "a/b.xml", "a..b/c.xml", "...", "", "ab:c", "é:"] {
            assert!(!is_outside(path), "{path}");
        }
    }
}
