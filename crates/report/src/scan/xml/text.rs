//! Text between tags and sections.

use memchr::memchr;

use super::scanner::{Phase, Step, XmlScanner};
use super::visitor::{Span, Text, TextKind, XmlVisitor, narrow};
use crate::finding::FindingCode;

impl XmlScanner {
    /// Tells the text from `at` to the next `<`; returns where it ends.
    #[inline]
    pub(super) fn text<V: XmlVisitor>(
        &mut self,
        window: &[u8],
        at: usize,
        last: bool,
        visitor: &mut V,
    ) -> usize {
        let rest = window.get(at..).unwrap_or_default();
        if rest.first() == Some(&b'<') {
            return at;
        }
        let end = match memchr(b'<', rest) {
            Some(found) => at + found,
            None if last => window.len(),
            None => at + without_partial_end(rest),
        };
        if end > at {
            self.tell_text(window, at, end, TextKind::Parsed, visitor);
        }
        end
    }

    #[inline]
    pub(super) fn tell_text<V: XmlVisitor>(
        &mut self,
        window: &[u8],
        start: usize,
        end: usize,
        kind: TextKind,
        visitor: &mut V,
    ) {
        let span = Span::new(start, end);
        if self.phase == Phase::Inside {
            visitor.text(&Text { window, span, kind });
        } else if !self.told_outer_text {
            let raw = span.of(window);
            if let Some(place) = raw.iter().position(|byte| !byte.is_ascii_whitespace()) {
                self.told_outer_text = true;
                let code = if self.phase == Phase::Before {
                    FindingCode::TextBeforeRoot
                } else {
                    FindingCode::TextAfterRoot
                };
                visitor.finding(code, narrow(start + place));
            }
        }
    }

    pub(super) fn bare_less_than<V: XmlVisitor>(
        &mut self,
        window: &[u8],
        at: usize,
        visitor: &mut V,
    ) -> Step {
        if self.phase == Phase::Inside {
            visitor.finding(FindingCode::BareLessThan, narrow(at));
        }
        self.tell_text(window, at, at + 1, TextKind::Literal, visitor);
        Step::Done(at + 1)
    }
}

/// Returns how much of a text at a window's end can be told now: not a reference, a line end or a character that may
/// go on in the next window.
pub(super) fn without_partial_end(text: &[u8]) -> usize {
    // 16: the longest reference that means anything is `&#x0010FFFF;`, and zeros before it are rare
    const LONGEST_REFERENCE: usize = 16;
    let mut end = text.len();
    let tail = text.len().saturating_sub(LONGEST_REFERENCE);
    if let Some(found) = text.get(tail..).and_then(|tail| memchr::memrchr(b'&', tail)) {
        let place = tail + found;
        if memchr(b';', text.get(place..).unwrap_or_default()).is_none() {
            end = place;
        }
    }
    let kept = text.get(..end).unwrap_or_default();
    if kept.last() == Some(&b'\r') {
        return end - 1;
    }
    // a character of several bytes that is not whole
    for back in 1..=kept.len().min(3) {
        let byte = kept.get(kept.len() - back).copied().unwrap_or_default();
        let needs = match byte {
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xFF => 4,
            0x80..=0xBF => continue,
            _ => break,
        };
        if needs > back {
            return end - back;
        }
        break;
    }
    end
}
