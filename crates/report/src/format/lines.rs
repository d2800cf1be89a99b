//! Lines that are JSON values, with other output between them.

use crate::finding::FindingCode;
use crate::out::Out;
use crate::scan::json::{Json, JsonTree};

/// Reads the values of lines.
#[derive(Debug, Default)]
pub(super) struct JsonLines {
    tree: JsonTree,
    has_other: bool,
}

impl JsonLines {
    /// Reads the objects of a line: one, several one behind the other, or those of an array. What is none is told, other
    /// output once. An object behind text that does not end in a line end, as programs print it, is found, too.
    pub(super) fn read(
        &mut self,
        line: &str,
        at: u64,
        out: &mut Out<'_>,
        mut take: impl FnMut(Json<'_>, &mut Out<'_>),
    ) {
        let begin = line.len() - line.trim_start().len();
        let mut from = begin;
        while let Some(rest) = line.get(from..) {
            if rest.trim_start().is_empty() {
                return;
            }
            let is_value = rest.trim_start().starts_with(['{', '[']);
            if is_value {
                let end = self.tree.read(line, from, out.limits.depth);
                if end.broken.is_none() {
                    if let Some(value) = self.tree.root(line, at) {
                        if value.is_array() {
                            value.items().filter(Json::is_object).for_each(|item| take(item, out));
                        } else {
                            take(value, out);
                        }
                    }
                    from = end.at;
                    continue;
                }
                if from == begin && rest.starts_with("{\"") {
                    out.finding(FindingCode::MalformedLine, at + from as u64);
                    return;
                }
            }
            if !std::mem::replace(&mut self.has_other, true) {
                out.finding(FindingCode::OtherOutput, at + from as u64);
            }
            match rest.get(1..).and_then(|rest| rest.find("{\"")) {
                Some(found) if !is_value => from += 1 + found,
                _ => return,
            }
        }
    }
}
