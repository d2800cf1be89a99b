//! What a person is shown of a failed case: its message and the first lines of its text.

use testlake_report::scan::reference::{read_cdata, read_text};
use testlake_report::scan::xml::TextKind;

use crate::profile::case::CaseTree;
use crate::profile::document::DocumentWriter;
use crate::profile::facts::CaseFacts;

/// Message and first lines.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) message: String,
    pub(crate) first_lines: Vec<String>,
}

/// Characters shown of a message, and of a line.
const MESSAGE_LENGTH: usize = 400;
const LINE_LENGTH: usize = 200;
/// Lines shown of a text.
const LINES: usize = 5;
/// Bytes of a text that are looked at: enough for the lines shown, whatever its size.
const TEXT_HEAD: usize = 4096;

/// Returns what to show of a failed case.
pub(crate) fn message(window: &[u8], tree: &CaseTree, facts: &CaseFacts) -> Told {
    let Some(trouble) = tree.node(facts.trouble) else {
        return Told { message: "no message".into(), first_lines: Vec::new() };
    };
    let mut decoded = Vec::new();
    let attributes = tree.attributes_of(trouble);
    let attribute = attributes.iter().find(|attribute| attribute.local.of(window) == b"message");
    let message = attribute.map(|attribute| {
        String::from_utf8_lossy(DocumentWriter::value(&mut decoded, window, attribute)).into_owned()
    });
    let mut text = Vec::new();
    for piece in trouble.text.of(&tree.pieces) {
        let raw = piece.span.of(window);
        let head = raw.get(..raw.len().min(TEXT_HEAD)).unwrap_or_default();
        match piece.kind {
            TextKind::Parsed => read_text(head, &mut text),
            TextKind::CData | TextKind::Literal => read_cdata(head, &mut text),
        }
        if text.len() >= TEXT_HEAD {
            break;
        }
    }
    let text = String::from_utf8_lossy(&text);
    let mut lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty());
    let message = message.filter(|message| !message.trim().is_empty());
    let message = message.or_else(|| lines.next().map(str::to_owned)).unwrap_or_else(|| "no message".into());
    let first_lines = lines.take(LINES).map(|line| shortened(line, LINE_LENGTH)).collect();
    Told { message: shortened(&message, MESSAGE_LENGTH), first_lines }
}

fn shortened(text: &str, length: usize) -> String {
    match text.char_indices().nth(length) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
