//! The inside of a start tag.

use memchr::memchr;

use super::scanner::{Step, XmlScanner};
use super::visitor::{Attribute, Span, narrow};
use crate::finding::FindingCode;

impl XmlScanner {
    /// Reads the attributes from `at` on; returns where the tag ends and whether it is an empty element's. What is wrong
    /// with them is told when the tag is whole: else it would be told again with the next window.
    pub(super) fn read_attributes(
        &mut self,
        window: &[u8],
        tag: usize,
        at: usize,
    ) -> Result<(usize, bool), Step> {
        self.attributes.clear();
        self.shape = None;
        let (end, is_empty) = self.read_one_by_one(window, tag, at)?;
        self.keep_shape(window, tag, at, end);
        Ok((end, is_empty))
    }

    fn read_one_by_one(&mut self, window: &[u8], tag: usize, mut at: usize) -> Result<(usize, bool), Step> {
        let mut spaced = false;
        loop {
            // each attribute that is left out counts, too, or a tag could hold millions of them
            if self.tag_findings.len() > self.limits.attributes.saturating_mul(4) {
                return Err(Step::Stop(FindingCode::TooManyAttributes, tag));
            }
            match window.get(at) {
                None => return Err(Step::Incomplete),
                Some(byte) if byte.is_ascii_whitespace() => {
                    spaced = true;
                    at += 1;
                }
                Some(b'>') => return Ok((at + 1, false)),
                Some(b'/') => match window.get(at + 1) {
                    None => return Err(Step::Incomplete),
                    Some(b'>') => return Ok((at + 2, true)),
                    Some(_) => {
                        self.tag_findings.push((FindingCode::MalformedAttribute, narrow(at)));
                        spaced = true;
                        at += 1;
                    }
                },
                Some(b'<') => return Err(Step::Stop(FindingCode::CutTag, tag)),
                Some(_) => {
                    if !spaced {
                        self.tag_findings.push((FindingCode::MalformedAttribute, narrow(at)));
                    }
                    spaced = false;
                    at = self.read_attribute(window, tag, at)?;
                }
            }
        }
    }

    /// Reads one attribute; returns where it ends.
    #[inline]
    fn read_attribute(&mut self, window: &[u8], tag: usize, name_start: usize) -> Result<usize, Step> {
        let incomplete = Err(Step::Incomplete);
        let mut name_end = name_start;
        loop {
            match window.get(name_end) {
                None => return incomplete,
                Some(b'=' | b'>' | b'<' | b'/' | b' ' | b'\t' | b'\r' | b'\n') => break,
                Some(_) => name_end += 1,
            }
        }
        let Some(sign) = skip_space(window, name_end) else { return incomplete };
        if window.get(sign) != Some(&b'=') {
            self.tag_findings.push((FindingCode::MalformedAttribute, narrow(name_start)));
            self.push(window, tag, (name_start, name_end), (name_end, name_end), false)?;
            // a lone `=`, `"` and the like are no name: go on behind them
            return Ok(name_end.max(name_start + 1));
        }
        let Some(open) = skip_space(window, sign + 1) else { return incomplete };
        let quote = match window.get(open) {
            None => return incomplete,
            Some(&byte @ (b'"' | b'\'')) => byte,
            Some(_) => {
                self.tag_findings.push((FindingCode::MalformedAttribute, narrow(name_start)));
                let Some(end) = scan_unquoted(window, open) else { return incomplete };
                self.push(window, tag, (name_start, name_end), (open, end), true)?;
                return Ok(end);
            }
        };
        let value_start = open + 1;
        let Some((value_end, classes)) = scan_value(window, value_start, quote) else { return incomplete };
        if classes & CLASS_LESS_THAN != 0 {
            // A value that swallowed the begin of other tags is the trace of a tag that was cut.
            if !matches!(
                window.get(value_end + 1),
                Some(b'>' | b'/' | b'?' | b' ' | b'\t' | b'\r' | b'\n') | None
            ) {
                return Err(Step::Stop(FindingCode::CutTag, tag));
            }
            let value = window.get(value_start..value_end).unwrap_or_default();
            let place = value_start + memchr(b'<', value).unwrap_or_default();
            self.tag_findings.push((FindingCode::BareLessThan, narrow(place)));
        }
        let coded = classes & CLASS_CODED != 0;
        self.push(window, tag, (name_start, name_end), (value_start, value_end), coded)?;
        Ok(value_end + 1)
    }

    /// Keeps an attribute, unless it is a namespace declaration or stands there already.
    #[inline]
    fn push(
        &mut self,
        window: &[u8],
        tag: usize,
        (name_start, name_end): (usize, usize),
        (value_start, value_end): (usize, usize),
        coded: bool,
    ) -> Result<(), Step> {
        let name = window.get(name_start..name_end).unwrap_or_default();
        if name.is_empty() || name.starts_with(b"xmlns") && matches!(name.get(5), None | Some(b':')) {
            return Ok(());
        }
        if self.attributes.iter().any(|other| other.name.of(window) == name) {
            self.tag_findings.push((FindingCode::DuplicateAttribute, narrow(name_start)));
            return Ok(());
        }
        if self.attributes.len() >= self.limits.attributes {
            return Err(Step::Stop(FindingCode::TooManyAttributes, tag));
        }
        self.attributes.push(Attribute {
            name: Span::new(name_start, name_end),
            local: local_part(window, name_start, name_end),
            value: Span::new(value_start, value_end),
            coded,
        });
        Ok(())
    }
}

/// A value with a `<` in it.
const CLASS_LESS_THAN: u8 = 1;
/// A value with a reference, a tab or a line end in it.
const CLASS_CODED: u8 = 2;
/// A quote.
const CLASS_QUOTE: u8 = 4;

/// What each byte means in an attribute's value.
#[expect(
    clippy::indexing_slicing,
    reason = "evaluated when compiled, where an index out of range is an error"
)]
static VALUE_CLASS: [u8; 256] = {
    let mut table = [0; 256];
    table[b'<' as usize] = CLASS_LESS_THAN;
    table[b'&' as usize] = CLASS_CODED;
    table[b'\t' as usize] = CLASS_CODED;
    table[b'\r' as usize] = CLASS_CODED;
    table[b'\n' as usize] = CLASS_CODED;
    table[b'"' as usize] = CLASS_QUOTE;
    table[b'\'' as usize] = CLASS_QUOTE;
    table
};

/// Finds the quote that ends a value; returns its place and the classes of the bytes before it.
#[inline]
fn scan_value(window: &[u8], start: usize, quote: u8) -> Option<(usize, u8)> {
    let mut seen = 0;
    for (length, &byte) in window.get(start..)?.iter().enumerate() {
        let class = VALUE_CLASS.get(byte as usize).copied().unwrap_or_default();
        if class == CLASS_QUOTE && byte == quote {
            return Some((start + length, seen));
        }
        seen |= class;
    }
    None
}

/// Finds the end of a value without quotes.
fn scan_unquoted(window: &[u8], start: usize) -> Option<usize> {
    let rest = window.get(start..)?;
    let ends = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'<' | b'/');
    Some(start + rest.iter().position(ends)?)
}

#[inline]
fn skip_space(window: &[u8], start: usize) -> Option<usize> {
    let rest = window.get(start..)?;
    Some(start + rest.iter().position(|byte| !byte.is_ascii_whitespace())?)
}

/// Returns a name without its prefix.
#[inline]
pub(super) fn local_part(window: &[u8], start: usize, end: usize) -> Span {
    let name = window.get(start..end).unwrap_or_default();
    match name.iter().position(|&byte| byte == b':') {
        Some(colon) if colon + 1 < name.len() => Span::new(start + colon + 1, end),
        _ => Span::new(start, end),
    }
}
