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

#[cfg(test)]
mod tests {
    use crate::testing::told;

    /// Lines of every format that is read line by line.
    const FIXTURES: [&str; 12] = [
        include_str!("../../tests/fixtures/go-test/run.jsonl"),
        include_str!("../../tests/fixtures/go-test/rerun.jsonl"),
        include_str!("../../tests/fixtures/go-test/crash.jsonl"),
        include_str!("../../tests/fixtures/tap/version14.tap"),
        include_str!("../../tests/fixtures/tap/producers.tap"),
        include_str!("../../tests/fixtures/tap/prove.tap"),
        include_str!("../../tests/fixtures/tap/bail-out.tap"),
        include_str!("../../tests/fixtures/dart/run.jsonl"),
        include_str!("../../tests/fixtures/libtest/cargo.jsonl"),
        include_str!("../../tests/fixtures/libtest/nextest.jsonl"),
        include_str!("../../tests/fixtures/pytest-reportlog/session.jsonl"),
        include_str!("../../tests/fixtures/cucumber-messages/run.ndjson"),
    ];

    #[test]
    fn objects_are_found_behind_text_and_behind_each_other() {
        let event = |test: &str| format!(r#"{{"Action":"pass","Package":"p","Test":"{test}"}}"#);
        let report = format!(
            "{}{}\nno line end {}\n[{}]\n{{\"Action\n",
            event("A"),
            event("B"),
            event("C"),
            event("D")
        );
        assert_eq!(
            told(&report),
            "! other-output @85\n! malformed-line @185\np | A | passed\np | B | passed\np | C | passed\np | D | passed\n"
        );
    }

    #[test]
    fn lines_that_are_cut_doubled_or_out_of_order_are_survived() {
        let mut random = 0x9E37_79B9_7F4A_7C15_u64;
        let mut below = |bound: usize| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            usize::try_from(random >> 33).unwrap() % bound.max(1)
        };
        for _ in 0..600 {
            let lines: Vec<_> = FIXTURES[below(FIXTURES.len())].lines().collect();
            let mut report = String::new();
            for _ in 0..below(60) {
                let mut line = lines[below(lines.len())].to_owned();
                if below(5) == 0 {
                    let mut at = below(line.len());
                    while !line.is_char_boundary(at) {
                        at -= 1;
                    }
                    line.truncate(at);
                }
                if below(5) == 0 {
                    line.insert_str(0, [" ", "    ", "{", "[", "not ", "# "][below(6)]);
                }
                report += &line;
                report += ["\n", "\n", "\n", "\r\n", ""][below(5)];
            }
            assert_eq!(told(&report), told(&report), "{report}");
        }
    }
}
