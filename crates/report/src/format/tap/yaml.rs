//! What is read of a block of YAML diagnostics: values of its outermost keys. No YAML library: what cannot be read so
//! stands in the text of the case all the same.

/// Returns the value of the first of some keys that a block has.
pub(super) fn value(block: &str, keys: &[&str]) -> Option<String> {
    let base = block.lines().find(|line| !line.trim().is_empty()).map(indent)?;
    keys.iter().find_map(|key| value_of(block, base, key))
}

/// Returns the value of a key of a map that a key of the block holds.
pub(super) fn inner_value(block: &str, key: &str, keys: &[&str]) -> Option<String> {
    let base = block.lines().find(|line| !line.trim().is_empty()).map(indent)?;
    let mut lines = block.lines();
    lines.find(|line| indent(line) == base && scalar(line, key).is_some_and(str::is_empty))?;
    let inner: Vec<_> = lines.take_while(|line| indent(line) > base).collect();
    let inner_base = inner.first().map(|line| indent(line))?;
    let inner = inner.join("\n");
    keys.iter().find_map(|key| value_of(&inner, inner_base, key))
}

fn value_of(block: &str, base: usize, key: &str) -> Option<String> {
    let mut lines = block.lines();
    let raw = lines.find_map(|line| if indent(line) == base { scalar(line, key) } else { None })?;
    let text = match raw.chars().next()? {
        '|' => folded(lines, base, "\n"),
        '>' => folded(lines, base, " "),
        '\'' => raw.trim_matches('\'').replace("''", "'"),
        '"' => unquoted(raw),
        _ => raw.to_owned(),
    };
    Some(text).filter(|text| !text.trim().is_empty())
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// Returns what stands behind `key:`.
fn scalar<'line>(line: &'line str, key: &str) -> Option<&'line str> {
    let line = line.trim_start();
    let rest = line
        .strip_prefix(key)
        .or_else(|| line.strip_prefix(['\'', '"'])?.strip_prefix(key)?.strip_prefix(['\'', '"']))?;
    rest.strip_prefix(':').map(str::trim)
}

/// Joins the lines of a block scalar, without the indentation of the first.
fn folded<'line>(lines: impl Iterator<Item = &'line str>, base: usize, between: &str) -> String {
    let lines: Vec<_> = lines.take_while(|line| line.trim().is_empty() || indent(line) > base).collect();
    let cut = lines.iter().find(|line| !line.trim().is_empty()).map_or(0, |line| indent(line));
    let lines: Vec<_> = lines.iter().map(|line| line.get(cut..).unwrap_or_default()).collect();
    lines.join(between).trim_end().to_owned()
}

fn unquoted(raw: &str) -> String {
    let raw = raw.strip_prefix('"').unwrap_or(raw);
    let raw = raw.strip_suffix('"').unwrap_or(raw);
    let mut out = String::with_capacity(raw.len());
    let mut characters = raw.chars();
    while let Some(character) = characters.next() {
        match (character, character == '\\') {
            (_, true) => match characters.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            (other, false) => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_in_the_forms_that_producers_write() {
        let block = "  message: 'it''s wrong'\n  error: \"two\\nlines\"\n  duration_ms: 12.5\n  stack: |-\n    one\n      two\n\n  \
                     at:\n    fileName: a.js\n    lineNumber: 7\n  inner:\n    message: no\n";
        assert_eq!(value(block, &["message"]).as_deref(), Some("it's wrong"));
        assert_eq!(value(block, &["none", "error"]).as_deref(), Some("two\nlines"));
        assert_eq!(value(block, &["duration_ms"]).as_deref(), Some("12.5"));
        assert_eq!(value(block, &["stack"]).as_deref(), Some("one\n  two"));
        assert_eq!(inner_value(block, "at", &["file", "fileName"]).as_deref(), Some("a.js"));
        assert_eq!(value(block, &["at"]), None);
    }
}
