//! RSpec's `--format json` (<https://github.com/rspec/rspec/blob/main/rspec-core/lib/rspec/core/formatters/json_formatter.rb>).

use super::detail::{joined, part, seconds};
use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::json::Json;

/// Reads `examples`.
pub(super) fn read(root: Json<'_>, out: &mut Out<'_>) {
    let before = out.cases;
    for example in root.list("examples") {
        if example.is_whole() {
            let case = case(example, out);
            out.case(case);
        } else {
            out.finding(FindingCode::CutCase, example.offset());
        }
    }
    let Some(summary) = root.get("summary") else { return };
    let errors = summary.whole_number_of("errors_outside_of_examples_count").unwrap_or_default();
    if errors > 0 {
        // what they were stands among `messages`, between what is none
        let place = root.get("messages").unwrap_or(summary).offset();
        let messages = root.list("messages").filter_map(|message| message.text());
        let mut errors = messages.filter(|message| message.trim_start().starts_with("An error occurred"));
        out.failure_outside(place, errors.next());
    }
    out.count(summary.whole_number_of("example_count"), before, summary.offset());
}

fn case<'json>(example: Json<'json>, out: &mut Out<'_>) -> Case<'json> {
    let outcome = match example.text_of("status").as_deref() {
        Some("passed") => Outcome::Passed,
        Some("failed") => Outcome::Failed,
        Some("pending") => Outcome::Skipped,
        _ => {
            out.finding(FindingCode::UnknownStatus, example.offset());
            Outcome::Errored
        }
    };
    let mut case = Case::new(outcome, example.offset());
    case.name = example.filled("description").or_else(|| example.filled("full_description"));
    case.suite = suite(example).into_iter().collect();
    case.file = example.filled("file_path");
    case.line = example.whole_number_of("line_number").and_then(|line| line.try_into().ok());
    case.seconds = seconds(example, "run_time", 1.0, out);
    case.detail = match example.get("exception") {
        Some(exception) => Detail {
            kind: exception.filled("class"),
            message: exception.filled("message").map(|text| trimmed(&text)),
            text: joined(exception.list("backtrace").filter_map(|line| line.text()), "\n"),
        },
        None => Detail { kind: None, message: example.filled("pending_message"), text: None },
    };
    case
}

/// The groups' descriptions stand before the example's own, joined as they read: they cannot be told apart.
fn suite(example: Json<'_>) -> Option<Text<'_>> {
    let (full, own) = (example.filled("full_description")?, example.text_of("description")?);
    let end = full.strip_suffix(&*own).unwrap_or(&full).trim_end().len();
    Some(part(&full, 0, end)).filter(|suite| !suite.is_empty() && **suite != *own)
}

fn trimmed<'json>(text: &Text<'json>) -> Text<'json> {
    let start = text.len() - text.trim_start().len();
    part(text, start, text.len())
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn examples_are_read_and_errors_outside_of_them_told() {
        insta::assert_snapshot!(told(include_str!("../../tests/fixtures/rspec/report.json")));
    }
}
