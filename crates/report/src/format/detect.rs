//! Which format a text is of.

use super::{Format, json_document, roots, tap};
use crate::finding::FindingCode;
use crate::scan::json::JsonTree;
use crate::scan::xml::{StartTag, document_type_end};

/// Bytes of a text that are looked at.
pub(crate) const HEAD_BYTES: usize = 64 << 10;
/// Lines that may stand before a report's own first line, and other documents between its own.
pub(crate) const LINES: usize = 2000;

/// Documents behind other output that are looked at beyond their heads.
const WIDE: usize = 8;

/// Tags behind the begins of lines that are looked at.
const INSIDE: usize = 64;

/// What a text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Detected {
    /// The format; nothing where none claims the text.
    pub(crate) format: Option<Format>,
    /// The place that the report begins at.
    pub(crate) start: usize,
}

/// Finds the format from the head of a text.
pub(crate) fn detect(head: &str) -> Detected {
    // what a disk leaves behind a crash, and a mark behind another
    let blank = |character: char| character.is_whitespace() || matches!(character, '\0' | '\u{FEFF}');
    let start = head.len() - head.trim_start_matches(blank).len();
    let found = |format| Detected { format, start };
    let text = head.get(start..).unwrap_or_default();
    if text.starts_with('<') {
        return found(xml(text).or_else(|| junit_inside(text)));
    }
    if begins_json(text)
        && let Some(format) = json(text)
    {
        return found(Some(format));
    }
    behind_other_output(head)
}

/// Finds a report behind lines that are not its own. Plans and test points of TAP may be what another report's tests
/// print: they count where nothing else is found.
fn behind_other_output(head: &str) -> Detected {
    let tap = Detected { format: Some(Format::Tap), start: 0 };
    let mut start = 0;
    let mut is_tap = false;
    let (mut inside, mut tags) = (None, INSIDE);
    let mut wide = WIDE;
    for line in head.split_inclusive('\n').take(LINES) {
        let format = match line.as_bytes().first() {
            Some(b'<') => xml_behind(head.get(start..).unwrap_or_default(), &mut wide),
            Some(b'{' | b'[') => json_behind(head.get(start..).unwrap_or_default(), line, &mut wide),
            _ => None,
        };
        if format.is_some() {
            // what cargo prints before it names the binary
            return Detected { format, start: if format == Some(Format::Libtest) { 0 } else { start } };
        }
        // the first lines of Catch2's TAP, which has its plan at the end
        if tap::is_version(line) || line.starts_with("# rng-seed: ") {
            return tap;
        }
        is_tap = is_tap || tap::is_plan(line) || tap::is_point(line);
        if inside.is_none() && !is_tap {
            inside = xml_inside(head, start, line, &mut tags);
        }
        start += line.len();
    }
    if is_tap { tap } else { inside.unwrap_or(Detected { format: None, start: 0 }) }
}

/// Finds a report in XML behind the begin of a line: what was printed before it did not end its line. `tags` is how many
/// more may be looked at.
fn xml_inside(head: &str, start: usize, line: &str, tags: &mut usize) -> Option<Detected> {
    for (at, _) in line.match_indices('<') {
        let rest = head_of(head.get(start + at..)?, HEAD_BYTES);
        if rest.get(1..).is_some_and(begins_markup) {
            *tags = tags.checked_sub(1)?;
            if let Some(format) = xml(rest).filter(|format| !matches!(format, Format::Named(_))) {
                return Some(Detected { format: Some(format), start: start + at });
            }
        }
    }
    None
}

/// Finds the format of XML that begins a line of a text. `wide` is how many more may be looked at whole.
fn xml_behind(rest: &str, wide: &mut usize) -> Option<Format> {
    if !rest.get(1..).is_some_and(begins_markup) {
        return None;
    }
    let found = xml(head_of(rest, HEAD_BYTES));
    if found.is_some() || rest.len() <= HEAD_BYTES {
        return found;
    }
    *wide = wide.checked_sub(1)?;
    xml(rest)
}

/// Finds the format of JSON that begins a line of a text. `wide` is how many more may be looked at whole.
fn json_behind(rest: &str, line: &str, wide: &mut usize) -> Option<Format> {
    if !begins_json(rest) {
        return None;
    }
    let found = json_line(line).or_else(|| json_document::claim(head_of(rest, HEAD_BYTES)));
    if found.is_some() || rest.len() <= HEAD_BYTES {
        return found;
    }
    *wide = wide.checked_sub(1)?;
    json_document::claim(rest)
}

/// Finds where the next document of a format begins: at once, or at the begin of a line. `documents`
/// is how many others may be passed over.
pub(crate) fn next_document(text: &str, from: usize, format: Format, documents: &mut usize) -> Option<usize> {
    let mut start = from;
    for line in text.get(from..)?.split_inclusive('\n') {
        let rest = head_of(text.get(start..).unwrap_or_default(), HEAD_BYTES);
        if begins_json(rest) {
            if json_document::claim(rest) == Some(format) {
                return Some(start);
            }
            *documents = documents.checked_sub(1)?;
        }
        start += line.len();
    }
    None
}

/// Returns so many bytes of a text, or one to three fewer where they end inside a character.
pub(crate) fn head_of(text: &str, bytes: usize) -> &str {
    let mut end = bytes.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.get(..end).unwrap_or_default()
}

/// The roots of a report that comes with others behind it.
#[derive(Debug, Default)]
pub(crate) struct Roots {
    /// The name of the first.
    first: Option<Vec<u8>>,
    /// How many of other names were looked at.
    looked_at: usize,
    /// Whether the last is of another format.
    is_other: bool,
}

impl Roots {
    /// A root begins.
    pub(crate) fn begin(&mut self, tag: &StartTag<'_>, format: Format) {
        let name = tag.name.of(tag.window);
        let first = self.first.get_or_insert_with(|| name.to_vec());
        let is_same = first == name
            || format == Format::Junit && matches!(name, b"testsuites" | b"testsuite" | b"testcase");
        if is_same {
            self.is_other = false;
        } else if self.looked_at < INSIDE {
            self.looked_at += 1;
            self.is_other = begins_other(tag.window.get(tag.at as usize..).unwrap_or_default(), format);
        }
    }

    /// Makes of another root one of another format, where the last is.
    pub(crate) fn code(&self, code: FindingCode) -> FindingCode {
        if code == FindingCode::AnotherRoot && self.is_other { FindingCode::ForeignDocument } else { code }
    }
}

/// Reports whether a document of another format begins a text.
pub(crate) fn begins_other(text: &[u8], format: Format) -> bool {
    let head = String::from_utf8_lossy(text.get(..HEAD_BYTES).unwrap_or(text));
    let found = if head.starts_with('<') {
        xml(&head)
    } else if begins_json(&head) {
        json(&head)
    } else {
        None
    };
    found.is_some_and(|found| found != format)
}

fn begins_markup(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic() || matches!(first, '?' | '!'))
}

/// Reports whether a text that begins so can be JSON.
fn begins_json(text: &str) -> bool {
    let rest = |text: &str| text.get(1..).map(|rest| rest.trim_start().chars().next());
    match text.as_bytes().first() {
        Some(b'{') => matches!(rest(text), Some(None | Some('"' | '}'))),
        Some(b'[') => matches!(rest(text), Some(None | Some('{' | '[' | ']' | '"'))),
        _ => false,
    }
}

/// Finds the format of XML by its root element.
fn xml(text: &str) -> Option<Format> {
    let root = root_tag(text)?;
    let name = root
        .split(|character: char| character.is_ascii_whitespace() || matches!(character, '>' | '/'))
        .next()?;
    let local = name.rsplit(':').next().unwrap_or(name);
    Some(match local {
        "testsuites" if root.split('>').next()?.contains("check.sourceforge.net") => Format::Check,
        "testsuites" | "testsuite" | "testcase" => Format::Junit,
        // what Eclipse exports
        "testrun" if root_has(root, &["project="]) => Format::Junit,
        "test-results" => Format::Nunit2,
        "test-run" => Format::Nunit3,
        // a part of it, as its framework gives it to runners
        "test-suite" if root_has(root, &["testcasecount="]) => Format::Nunit3,
        "assemblies" => Format::XunitNet,
        "assembly" if root_has(root, &["run-date=", "test-framework="]) => Format::XunitNet,
        "TestRun" if root_has(root, &["TeamTest", "id="]) => Format::Trx,
        "testng-results" => Format::Testng,
        "suite" | "test" if root_has(root, &["duration-ms="]) => Format::Testng,
        _ => return roots::claim(local, root),
    })
}

/// Reports whether the root's tag has one of these.
fn root_has(root: &str, marks: &[&str]) -> bool {
    let tag = root.split('>').next().unwrap_or_default();
    marks.iter().any(|mark| tag.contains(mark))
}

/// Finds JUnit XML whose own root is hidden: by what the tests printed behind the declaration or into its tag.
fn junit_inside(text: &str) -> Option<Format> {
    let begins = ["<testsuites", "<testsuite ", "<testcase "];
    begins.iter().any(|tag| text.contains(tag)).then_some(Format::Junit)
}

/// Returns the text from the root element's name on.
fn root_tag(text: &str) -> Option<&str> {
    let mut rest = text;
    loop {
        rest = rest.get(rest.find('<')?..)?;
        let inside = rest.get(1..)?;
        rest = if let Some(comment) = inside.strip_prefix("!--") {
            comment.split_once("-->")?.1
        } else if inside.starts_with('?') {
            inside.split_once("?>")?.1
        } else if inside.get(..8).is_some_and(|word| word.eq_ignore_ascii_case("!DOCTYPE")) {
            rest.get(document_type_end(head_of(rest, HEAD_BYTES).as_bytes())?..)?
        } else if inside.starts_with(|first: char| first.is_alphabetic() || first == '_') {
            return Some(inside);
        } else {
            inside
        };
    }
}

/// Finds the format of JSON: by its first lines where each is a value, else by the members of the whole.
fn json(text: &str) -> Option<Format> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    lines.by_ref().take(20).find_map(json_line).or_else(|| json_document::claim(text))
}

/// Finds the format of a line that is a value of its own.
fn json_line(line: &str) -> Option<Format> {
    let mut tree = JsonTree::default();
    let end = tree.read(line, 0, 64);
    if end.broken.is_some() {
        return None;
    }
    let value = tree.root(line, 0)?;
    let is = |name: &str| value.get(name).is_some();
    if is("Action") && (is("Package") || is("ImportPath") || is("Test")) {
        return Some(Format::GoTest);
    }
    let of = |name: &str| value.text_of(name);
    if is("protocolVersion") && is("runnerVersion")
        || is("time") && (is("testID") || is("suite") || is("test"))
    {
        return Some(Format::Dart);
    }
    if matches!(of("type").as_deref(), Some("suite" | "test" | "bench")) && (is("event") || is("median")) {
        return Some(Format::Libtest);
    }
    if is("$report_type") {
        return Some(Format::PytestReportlog);
    }
    let has = |name: &str, member: &str| value.get(name).is_some_and(|message| message.get(member).is_some());
    if has("meta", "protocolVersion")
        || has("gherkinDocument", "feature")
        || has("testCaseStarted", "testCaseId")
    {
        return Some(Format::CucumberMessages);
    }
    None
}
