//! JSON, piece by piece.

use std::fmt::{Display, Write as _};

/// An object or a list that is being written. Absent members are left out.
#[derive(Debug)]
pub(super) struct Members<'text> {
    into: &'text mut String,
    is_first: bool,
    end: char,
}

impl<'text> Members<'text> {
    pub(super) fn object(into: &'text mut String) -> Self {
        into.push('{');
        Self { into, is_first: true, end: '}' }
    }

    pub(super) fn list(into: &'text mut String) -> Self {
        into.push('[');
        Self { into, is_first: true, end: ']' }
    }

    pub(super) fn end(self) {
        self.into.push(self.end);
    }

    /// Begins an item of a list: what follows is to be written into the text.
    pub(super) fn item(&mut self) -> &mut String {
        if !self.is_first {
            self.into.push(',');
        }
        self.is_first = false;
        self.into
    }

    /// Begins a member: its value is to be written into the text.
    pub(super) fn value(&mut self, name: &str) -> &mut String {
        let into = self.item();
        string(name, into);
        into.push(':');
        into
    }

    pub(super) fn text(&mut self, name: &str, text: Option<&str>) {
        if let Some(text) = text {
            string(text, self.value(name));
        }
    }

    /// A number, or another value that reads as it is shown.
    pub(super) fn plain(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            // Writing to a string cannot fail.
            write!(self.value(name), "{value}").ok();
        }
    }

    /// A list of texts; left out where it is empty.
    pub(super) fn texts<'item>(&mut self, name: &str, texts: impl IntoIterator<Item = &'item str>) {
        let mut texts = texts.into_iter().peekable();
        if texts.peek().is_some() {
            let mut list = Members::list(self.value(name));
            texts.for_each(|text| string(text, list.item()));
            list.end();
        }
    }
}

/// Writes a string. Characters that could drive a terminal or turn the direction of text are written as `\uXXXX`, which reads
/// as the same.
pub(super) fn string(text: &str, into: &mut String) {
    into.push('"');
    let mut kept = 0;
    for (place, character) in text.char_indices() {
        let escape = match character {
            '"' => "\\\"",
            '\\' => "\\\\",
            '\n' => "\\n",
            '\r' => "\\r",
            '\t' => "\\t",
            _ if is_unsafe(character) => "",
            _ => continue,
        };
        *into += text.get(kept..place).unwrap_or_default();
        kept = place + character.len_utf8();
        if escape.is_empty() {
            for unit in character.encode_utf16(&mut [0; 2]) {
                write!(into, "\\u{unit:04x}").ok();
            }
        } else {
            *into += escape;
        }
    }
    *into += text.get(kept..).unwrap_or_default();
    into.push('"');
}

fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[test]
fn strings_are_escaped() {
    let mut text = String::new();
    string("a\"\\\n\r\t\u{0}\u{1b}[2Jé\u{9b}\u{202e}😀z", &mut text);
    assert_eq!(text, r#""a\"\\\n\r\t\u0000\u001b[2Jé\u009b\u202e😀z""#);
}
