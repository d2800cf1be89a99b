//! Lines → cases.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::mem::take;

use super::line::{self, Directive, Line};
use super::yaml;
use crate::finding::FindingCode;
use crate::format::LineReader;
use crate::model::{Case, Detail, Outcome};
use crate::out::Out;
use crate::time::parse_seconds;

/// Runs of numbers of a document that are kept to find those that come twice.
const RUNS: usize = 1 << 16;

/// Reads TAP, one document behind the other.
#[derive(Default)]
pub(in crate::format) struct TapReader {
    document: Document,
    pending: Option<Pending>,
    /// What the indented lines said that belong to the next point.
    children: Children,
    block: Option<Block>,
    comments: Comments,
    /// The comment that stands before points as the name of their test.
    header: Option<String>,
    version: u64,
    /// The script that `prove -v` names before its points.
    script: Option<String>,
    /// Whether Bats writes it with its own lines between: then a name may end in the time.
    is_bats: bool,
    has_other: bool,
    is_cut: bool,
}

/// Whether comments name the tests of the points behind them, as those of `tape` and Catch2 do.
#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Comments {
    /// Nothing has been seen that would tell.
    #[default]
    Unknown,
    /// A version line was the last line that counts.
    BehindVersion,
    AreNames,
    AreNotes,
}

/// One run: a plan and its points.
#[derive(Default)]
struct Document {
    plan: Option<(u64, u64)>,
    /// Whether no point may come any more.
    is_over: bool,
    /// Whether it was begun by a plan that may be a mistake.
    is_guess: bool,
    has_bailed: bool,
    points: u64,
    /// The first and the last number of each run of numbers that came.
    runs: BTreeMap<u64, u64>,
}

impl Document {
    fn planned(&self) -> Option<u64> {
        self.plan.map(|(first, last)| last.saturating_add(1).saturating_sub(first))
    }

    fn is_met(&self) -> bool {
        self.planned().is_some_and(|planned| planned <= self.points)
    }

    /// Takes a number; reports whether it is a new one of the plan.
    fn takes(&mut self, number: u64) -> bool {
        let is_planned = self.plan.is_none_or(|(first, last)| (first..=last).contains(&number));
        let before = self.runs.range(..=number).next_back().map(|(&first, &last)| (first, last));
        if before.is_some_and(|(_, last)| last >= number) {
            return false;
        }
        if self.runs.len() < RUNS {
            let first = before.filter(|&(_, last)| last + 1 == number).map_or(number, |(first, _)| first);
            let last = number.checked_add(1).and_then(|next| self.runs.remove(&next)).unwrap_or(number);
            self.runs.insert(first, last);
        }
        is_planned
    }
}

/// A point that has not been told, as lines behind it may belong to it.
struct Pending {
    case: Case<'static>,
    is_ok: bool,
    directive: Option<Directive>,
    yaml: String,
    notes: String,
    children: Children,
    /// Whether a buffered subtest is open.
    is_open: bool,
}

/// What a subtest says of failures.
#[derive(Default)]
struct Children {
    /// The points that are not ok, with their diagnostics.
    failures: String,
    first: Option<(String, u64)>,
    /// Whether the last point is one of them.
    is_failing: bool,
    has_lines: bool,
}

/// A block of diagnostics.
struct Block {
    indent: usize,
    owner: Owner,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Owner {
    Pending,
    Child,
    None,
}

impl LineReader for TapReader {
    fn line(&mut self, line: &str, at: u64, out: &mut Out<'_>) {
        let line = &*line::without_color(line);
        let trimmed = line.trim_start_matches([' ', '\t']);
        let indent = line.len() - trimmed.len();
        if self.in_block(line, trimmed, indent, at, out) || trimmed.trim_end().is_empty() {
            return;
        }
        if trimmed.trim_end() == "---" && indent > 0 {
            let owner = match &self.pending {
                _ if self.children.has_lines && self.children.is_failing => Owner::Child,
                Some(_) if !self.children.has_lines => Owner::Pending,
                _ => Owner::None,
            };
            self.block = Some(Block { indent, owner });
            return;
        }
        if indent > 0 {
            return self.child(trimmed, indent, at, out);
        }
        let has_open = self.pending.as_ref().is_some_and(|pending| pending.is_open);
        match line::read(line) {
            Line::Comment(text) => self.comment(text, line, at, out),
            Line::Point(point) => self.point(&point, at, out),
            // within a buffered subtest these are of nobody
            Line::Plan(..) | Line::Version(_) if has_open => {}
            Line::Plan(first, last) => self.plan(first, last, at, out),
            Line::Version(version) => {
                self.flush(out);
                if self.document.points > 0 || self.document.is_over {
                    self.end_document(at, out);
                }
                self.version = version;
                self.comments = Comments::BehindVersion;
            }
            Line::BailOut => self.bail_out(at, out),
            Line::Pragma => {}
            Line::Other => self.other(line.trim_end(), at, out),
        }
    }

    fn finish(&mut self, at: u64, out: &mut Out<'_>) {
        self.flush(out);
        self.end_document(at, out);
    }
}

impl TapReader {
    /// Reads a line of an open block; reports whether it was one.
    fn in_block(&mut self, line: &str, trimmed: &str, indent: usize, at: u64, out: &mut Out<'_>) -> bool {
        let Some(block) = &self.block else { return false };
        let owner = block.owner;
        if trimmed.trim_end() == "..." && indent <= block.indent {
            self.block = None;
            return true;
        }
        // a block without its end
        let is_point = matches!(line::read(trimmed), Line::Point(_) | Line::BailOut);
        if indent < block.indent && (is_point || (indent == 0 && trimmed.trim_end() == "}")) {
            self.block = None;
            return false;
        }
        match owner {
            Owner::Pending => self.add(line, at, out, |reader| Some(&mut reader.pending.as_mut()?.yaml)),
            Owner::Child => self.add(line, at, out, |reader| Some(&mut reader.children.failures)),
            Owner::None => {}
        }
        true
    }

    /// Adds a line to a text of what is pending, as far as the limit allows.
    fn add(
        &mut self,
        line: &str,
        at: u64,
        out: &mut Out<'_>,
        place: impl FnOnce(&mut Self) -> Option<&mut String>,
    ) {
        let pending = self.pending.as_ref();
        let held =
            pending.map_or(0, |held| held.yaml.len() + held.notes.len() + held.children.failures.len());
        if held + self.children.failures.len() + line.len() > out.limits.case_bytes {
            if !std::mem::replace(&mut self.is_cut, true) {
                out.finding(FindingCode::OutputCut, at);
            }
        } else if let Some(text) = place(self) {
            text.push_str(line);
            text.push('\n');
        }
    }

    /// An indented line: one of a subtest, or other output.
    fn child(&mut self, trimmed: &str, indent: usize, at: u64, out: &mut Out<'_>) {
        match line::read(trimmed) {
            Line::Comment(_) if self.children.is_failing => {
                self.add(trimmed, at, out, |reader| Some(&mut reader.children.failures));
            }
            // of a comment before any child nobody can tell whose it is: up to three spaces it is the point's
            Line::Comment(text) if !self.children.has_lines && indent < 4 => {
                if self.is_failing() && !text.trim_start().starts_with("Subtest") {
                    self.add(trimmed, at, out, |reader| Some(&mut reader.pending.as_mut()?.notes));
                }
            }
            Line::Point(point) => {
                self.children.has_lines = true;
                self.children.is_failing = !point.is_ok && point.directive.is_none();
                if self.children.is_failing {
                    let name = line::unescape(point.name, self.version);
                    self.children.first.get_or_insert((name, at));
                    self.add(trimmed, at, out, |reader| Some(&mut reader.children.failures));
                }
            }
            Line::BailOut => self.bail_out(at, out),
            // the text of a failure, as Mocha writes it
            Line::Other if !self.children.has_lines && self.is_failing() => {
                self.add(trimmed, at, out, |reader| Some(&mut reader.pending.as_mut()?.notes));
            }
            Line::Other if trimmed.trim_end() != "}" => self.told_other(at, out),
            _ => self.children.has_lines = true,
        }
    }

    fn is_failing(&self) -> bool {
        self.pending.as_ref().is_some_and(|pending| !pending.is_ok)
    }

    fn comment(&mut self, text: &str, line: &str, at: u64, out: &mut Out<'_>) {
        let text = text.trim();
        if let Some(class) = text.strip_prefix("TAP results for ") {
            // tappy's, for Python
            self.comments = Comments::AreNotes;
            self.flush(out);
            self.header = Some(class.to_owned());
            return;
        }
        if matches!(self.comments, Comments::BehindVersion | Comments::Unknown) {
            let is_catch = text.starts_with("rng-seed:") || text.starts_with("filters:");
            let is_name =
                self.comments == Comments::BehindVersion && !text.starts_with("Subtest") || is_catch;
            self.comments = if is_name { Comments::AreNames } else { Comments::AreNotes };
            if is_catch {
                return;
            }
        }
        let is_own = text.is_empty() || text.starts_with("Subtest") || text.starts_with("TAP version ");
        if is_own || text.starts_with("rng-seed:") || is_sum(text) {
            return;
        }
        if self.comments == Comments::AreNames {
            self.header = Some(text.to_owned());
        } else if self.is_failing() && !self.children.has_lines {
            self.add(line, at, out, |reader| Some(&mut reader.pending.as_mut()?.notes));
        }
    }

    fn plan(&mut self, first: u64, last: u64, at: u64, out: &mut Out<'_>) {
        let is_empty = last == 0;
        if first > last && !is_empty {
            return out.finding(FindingCode::BadPlan, at);
        }
        if self.document.plan.is_some() {
            // another document where this one is whole
            let is_guess = self.document.is_guess && self.document.points == 0;
            if !self.document.is_met() || is_guess {
                return out.finding(FindingCode::BadPlan, at);
            }
            self.flush(out);
            self.end_document(at, out);
            self.document.is_guess = true;
        }
        if matches!(self.comments, Comments::Unknown | Comments::BehindVersion) {
            self.comments = Comments::AreNotes;
        }
        let document = &mut self.document;
        document.plan = Some((first.max(1), last));
        document.is_over = is_empty || document.points > 0;
    }

    fn point(&mut self, point: &line::Point<'_>, at: u64, out: &mut Out<'_>) {
        self.flush(out);
        let is_bare = point.number.is_none() && point.name.is_empty() && point.directive.is_none();
        if self.script.is_some() && is_bare {
            // what `prove -v` says of a script
            self.document.is_over = true;
            return;
        }
        let first = self.document.plan.map_or(1, |(first, _)| first);
        let document = &self.document;
        if document.is_over && document.is_met() && document.points > 0 && point.number == Some(first) {
            self.end_document(at, out);
        }
        let children = take(&mut self.children);
        if self.document.is_over || self.document.has_bailed {
            return out.finding(FindingCode::BehindEnd, at);
        }
        self.document.points += 1;
        if point.number.is_some_and(|number| !self.document.takes(number)) {
            out.finding(FindingCode::TestNumber, at);
        }
        let outcome = match (point.directive, point.is_ok) {
            (Some((Directive::Timeout, _)), _) => Outcome::Errored,
            (Some(_), _) => Outcome::Skipped,
            (None, true) => Outcome::Passed,
            (None, false) => Outcome::Failed,
        };
        let mut case = Case::new(outcome, at);
        let timed = point.name.rsplit_once(" in ").filter(|(_, time)| self.is_bats && time.ends_with("ms"));
        let timed = timed.and_then(|(name, time)| Some((name, Some(parse_seconds(time)?))));
        let (name, seconds) = timed.unwrap_or((point.name, point.seconds));
        let name = match point.number {
            Some(number) if name.is_empty() => Some(number.to_string()),
            _ => Some(line::unescape(name, self.version)).filter(|name| !name.is_empty()),
        };
        case.name = name.map(Cow::Owned);
        case.file = self.script.clone().map(Cow::Owned);
        case.suite.extend(self.header.clone().map(Cow::Owned));
        case.seconds = seconds;
        let reason = point.directive.map(|(_, reason)| reason).filter(|reason| !reason.is_empty());
        let reason = reason.or(point.exit.filter(|_| !point.is_ok));
        case.detail.message = reason.map(|reason| Cow::Owned(line::unescape(reason, self.version)));
        if matches!(self.comments, Comments::Unknown | Comments::BehindVersion) {
            self.comments = Comments::AreNotes;
        }
        self.pending = Some(Pending {
            case,
            is_ok: point.is_ok,
            directive: point.directive.map(|(directive, _)| directive),
            yaml: String::new(),
            notes: String::new(),
            children,
            is_open: point.has_brace,
        });
    }

    fn bail_out(&mut self, at: u64, out: &mut Out<'_>) {
        if !self.document.has_bailed {
            out.finding(FindingCode::BailOut, at);
        }
        self.document.has_bailed = true;
    }

    fn other(&mut self, line: &str, at: u64, out: &mut Out<'_>) {
        match (line, &mut self.pending) {
            ("{", Some(pending)) => pending.is_open = true,
            ("}", Some(pending)) if pending.is_open => {
                pending.is_open = false;
                pending.children = take(&mut self.children);
            }
            _ if line.starts_with("suite ") && line.ends_with(".bats") => {
                self.is_bats = true;
                self.script = line.strip_prefix("suite ").map(str::to_owned);
            }
            _ if self.is_bats && line.starts_with("begin ") => {}
            _ => match script(line) {
                Some(script) => {
                    self.flush(out);
                    if self.document.points > 0 || self.document.plan.is_some() {
                        self.end_document(at, out);
                    }
                    self.script = Some(script.to_owned());
                    self.comments = Comments::AreNotes;
                }
                None => self.told_other(at, out),
            },
        }
    }

    fn told_other(&mut self, at: u64, out: &mut Out<'_>) {
        if !std::mem::replace(&mut self.has_other, true) {
            out.finding(FindingCode::OtherOutput, at);
        }
    }

    /// Tells the point that is pending.
    fn flush(&mut self, out: &mut Out<'_>) {
        if let Some(pending) = self.pending.take() {
            pending.tell(out);
        }
        self.block = None;
    }

    fn end_document(&mut self, at: u64, out: &mut Out<'_>) {
        let document = take(&mut self.document);
        if let Some((name, failed_at)) = take(&mut self.children).first {
            out.failure_outside(failed_at, Some(name));
        }
        (self.header, self.version) = (None, 0);
        out.plans_none |= document.planned() == Some(0);
        match document.planned() {
            _ if document.has_bailed => {}
            Some(_) if document.is_guess && document.points == 0 => out.finding(FindingCode::BadPlan, at),
            Some(planned) if planned > document.points => out.finding(FindingCode::PlanNotMet, at),
            Some(planned) if planned < document.points => out.finding(FindingCode::CountMismatch, at),
            None if document.points > 0 && self.script.is_none() => out.finding(FindingCode::NoPlan, at),
            _ => {}
        }
    }
}

/// Reports whether a comment counts the points, as many producers end: `tests 3`.
fn is_sum(text: &str) -> bool {
    const WORDS: [&str; 8] = ["tests", "pass", "fail", "skip", "skipped", "todo", "cancelled", "suites"];
    let is_number = |text: &str| text.trim().parse::<u64>().is_ok();
    text.split_once(' ').is_some_and(|(word, count)| WORDS.contains(&word) && is_number(count))
}

/// Returns the script of a line `t/one.t .. ` of `prove -v`.
fn script(line: &str) -> Option<&str> {
    let (script, dots) = line.split_once(' ')?;
    (dots.len() >= 2 && dots.bytes().all(|byte| byte == b'.')).then_some(script)
}

impl Pending {
    fn tell(mut self, out: &mut Out<'_>) {
        let case = &mut self.case;
        let duration = || yaml::value(&self.yaml, &["duration_ms"])?.parse::<f64>().ok();
        let seconds = duration().filter(|seconds| *seconds >= 0.0 && seconds.is_finite());
        case.seconds = case.seconds.or(seconds.map(|milliseconds| milliseconds / 1000.0));
        for key in ["severity"] {
            if let Some(value) = yaml::value(&self.yaml, &[key]) {
                case.properties.push((Cow::Borrowed(key), Cow::Owned(value)));
            }
        }
        if let Some(place) = place(&self.yaml) {
            case.properties.push((Cow::Borrowed("at"), Cow::Owned(place)));
        }
        if let Some((name, failed_at)) = self.children.first.as_ref().filter(|_| self.is_ok) {
            out.failure_outside(*failed_at, Some(name));
        }
        if !self.is_ok {
            let detail = detail(&self.yaml, &self.notes, &self.children);
            if self.directive.is_none() {
                case.outcome = outcome(&self.yaml);
                let message = detail.message.or(case.detail.message.take());
                case.detail = Detail { message, ..detail };
                of_phpunit(case);
            } else {
                case.detail.text = detail.text;
            }
        }
        out.case(self.case);
    }
}

fn detail(yaml: &str, notes: &str, children: &Children) -> Detail<'static> {
    let owned = |text: Option<String>| text.map(Cow::Owned);
    let first_note = || {
        let mut lines =
            notes.lines().map(|line| line.trim_start_matches(['#', ' '])).filter(|line| !line.is_empty());
        let first = lines.next()?;
        // Python's ends with what went wrong
        let is_trace = first.starts_with("Traceback (most recent");
        Some(lines.next_back().filter(|_| is_trace).unwrap_or(first).to_owned())
    };
    let first_child =
        || children.first.as_ref().map(|(name, _)| name.clone()).filter(|name| !name.is_empty());
    // Vitest nests the error
    let error = |key| yaml::inner_value(yaml, "error", &[key]);
    let message = yaml::value(yaml, &["message", "error"]).or_else(|| error("message"));
    let message = message.or_else(first_note).or_else(first_child);
    // `name` is an error's class in what Node.js and AVA write
    let is_class = |name: &String| {
        name.ends_with("Error")
            || name.ends_with("Exception")
            || yaml::value(yaml, &["failureType"]).is_some()
    };
    let kind = yaml::value(yaml, &["name"]).filter(is_class).or_else(|| error("name"));
    let kind = kind.or_else(|| yaml::value(yaml, &["type", "operator"]));
    let parts = [yaml, notes, &children.failures];
    let parts: Vec<_> = parts.into_iter().map(str::trim_end).filter(|part| !part.is_empty()).collect();
    let text = (!parts.is_empty()).then(|| parts.join("\n\n"));
    Detail { kind: owned(kind), message: owned(message), text: owned(text) }
}

/// Returns how a point that is not ok ended: Node.js tells what is not a failed check.
fn outcome(yaml: &str) -> Outcome {
    match yaml::value(yaml, &["failureType"]).as_deref() {
        Some("testTimeoutFailure" | "hookFailed" | "uncaughtException" | "cancelledByParent") => {
            Outcome::Errored
        }
        _ => Outcome::Failed,
    }
}

/// `PHPUnit` puts what went wrong before the name, which is `Class::method` where it passes.
fn of_phpunit(case: &mut Case<'static>) {
    let Some(name) = case.name.as_deref().filter(|name| name.contains("::")) else { return };
    let (is_error, name) = match (name.strip_prefix("Failure: "), name.strip_prefix("Error: ")) {
        (Some(name), _) => (false, name),
        (None, Some(name)) => (true, name),
        (None, None) => return,
    };
    if is_error {
        case.outcome = Outcome::Errored;
    }
    case.name = Some(Cow::Owned(name.to_owned()));
}

/// Returns where a check stands, as producers write it.
fn place(yaml: &str) -> Option<String> {
    if let Some(place) = yaml::value(yaml, &["at", "location"]) {
        return Some(place);
    }
    let file = yaml::inner_value(yaml, "at", &["fileName", "file"])?;
    let line = yaml::inner_value(yaml, "at", &["lineNumber", "line"]);
    let line = line.filter(|line| parse_seconds(line).is_some());
    Some(line.map_or_else(|| file.clone(), |line| format!("{file}:{line}")))
}

#[cfg(test)]
mod tests {
    use crate::testing::{chunks_agree, told};

    const VERSION_14: &str = include_str!("../../../tests/fixtures/tap/version14.tap");
    const PERL: &str = include_str!("../../../tests/fixtures/tap/perl.tap");
    const TAPE: &str = include_str!("../../../tests/fixtures/tap/tape.tap");
    const BAIL_OUT: &str = include_str!("../../../tests/fixtures/tap/bail-out.tap");
    const PRODUCERS: &str = include_str!("../../../tests/fixtures/tap/producers.tap");
    const PROVE: &str = include_str!("../../../tests/fixtures/tap/prove.tap");

    #[test]
    fn headers_of_tappy_and_colours() {
        assert_eq!(
            told(include_str!("../../../tests/fixtures/tap/tappy.tap")),
            r##"TestTill | test_opens (till.TestTill) | passed
TestTill | test_shuts (till.TestTill) | failed | AssertionError: open | "# Traceback (most recent call last):\n#   File \"till.py\", line 9, in test_shuts\n# AssertionError: open"
TestDrawer | test_slides (till.TestDrawer) | skipped | no drawer
"##
        );
        let report = told(include_str!("../../../tests/fixtures/tap/color.tap"));
        assert!(report.ends_with("opens | passed\nshuts | failed\nslides | passed\n"), "{report}");
    }

    #[test]
    fn subtests_directives_and_diagnostics() {
        insta::assert_snapshot!(told(VERSION_14));
    }

    #[test]
    fn a_plan_that_is_not_met_and_numbers_that_are_wrong() {
        insta::assert_snapshot!(told(PERL));
    }

    #[test]
    fn comments_of_tape_name_tests() {
        insta::assert_snapshot!(told(TAPE));
    }

    #[test]
    fn what_stands_behind_a_bail_out_is_told_and_left_out() {
        insta::assert_snapshot!(told(BAIL_OUT));
    }

    #[test]
    fn scripts_of_prove_are_files() {
        insta::assert_snapshot!(told(PROVE));
    }

    #[test]
    fn what_other_producers_write_is_read() {
        insta::assert_snapshot!(told(PRODUCERS));
    }

    #[test]
    fn chunks_give_the_same() {
        for report in [VERSION_14, PERL, TAPE, BAIL_OUT, PROVE, PRODUCERS] {
            chunks_agree(report);
        }
    }
}
