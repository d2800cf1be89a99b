//! NUnit 3 XML (<https://docs.nunit.org/articles/nunit/technical-notes/usage/Test-Result-XML-Format.html>).

use crate::finding::FindingCode;
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::xml::tree::Element;
use crate::time::{parse_instant, parse_seconds};

/// Reads every `test-case`, at any depth of `test-suite`.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    let mut path = Vec::new();
    suite(root, &mut path, out);
}

fn suite<'xml>(element: Element<'xml>, path: &mut Vec<Text<'xml>>, out: &mut Out<'_>) {
    for child in element.children() {
        match child.name() {
            b"test-suite" => {
                let name = child.filled("name");
                let depth = path.len();
                path.extend(name);
                suite(child, path, out);
                path.truncate(depth);
            }
            b"test-case" if child.is_whole() => {
                let case = case(child, path, out);
                out.case(case);
            }
            b"test-case" => out.finding(FindingCode::CutCase, child.offset()),
            _ => {}
        }
    }
}

fn case<'xml>(element: Element<'xml>, path: &[Text<'xml>], out: &mut Out<'_>) -> Case<'xml> {
    let outcome = match (element.attribute("result").as_deref(), element.attribute("label").as_deref()) {
        (Some("Passed" | "Warning"), _) => Outcome::Passed,
        (Some("Failed"), Some("Error" | "Invalid" | "Cancelled")) => Outcome::Errored,
        (Some("Failed"), _) => Outcome::Failed,
        (Some("Skipped" | "Inconclusive"), _) => Outcome::Skipped,
        _ => {
            out.finding(FindingCode::UnknownStatus, element.offset());
            Outcome::Errored
        }
    };
    let mut case = Case::new(outcome, element.offset());
    case.suite = path.to_vec();
    case.class = element.filled("classname");
    case.name = element.filled("name");
    case.seconds = element
        .attribute("duration")
        .or_else(|| element.attribute("time"))
        .and_then(|time| parse_seconds(&time));
    case.started = element.attribute("start-time").and_then(|start| parse_instant(&start));
    let trouble = element.child("failure").or_else(|| element.child("reason"));
    if let Some(trouble) = trouble {
        case.detail = Detail {
            kind: None,
            message: trouble.child("message").and_then(|message| message.filled_text()),
            text: trouble.child("stack-trace").and_then(|text| text.filled_text()),
        };
    }
    case.stdout = element.child("output").and_then(|output| output.filled_text());
    let properties = element.child("properties");
    case.properties = properties
        .iter()
        .flat_map(Element::children)
        .filter_map(|property| Some((property.attribute("name")?, property.attribute("value")?)))
        .collect();
    case
}
