//! MbUnit 2 XML, as Sonar's and Jenkins' readers know it (<https://code.google.com/archive/p/mb-unit/>).

use std::borrow::Cow;

use super::trouble::{child_word, joined, tell, tell_if_empty, unknown};
use crate::model::{Case, Detail, Outcome, Text};
use crate::out::Out;
use crate::scan::xml::tree::Element;
use crate::time::parse_seconds;

/// Reads every `run`, in fixtures of namespaces of assemblies.
pub(super) fn read(root: Element<'_>, out: &mut Out<'_>) {
    let before = out.cases;
    walk(root, &mut Vec::new(), out);
    tell_if_empty(root, before, out);
}

fn walk<'xml>(element: Element<'xml>, path: &mut Vec<Text<'xml>>, out: &mut Out<'_>) {
    for child in element.children() {
        match child.name() {
            b"assemblies" | b"namespaces" | b"fixtures" => walk(child, path, out),
            b"assembly" | b"namespace" => {
                let depth = path.len();
                path.extend(child.filled("name"));
                walk(child, path, out);
                path.truncate(depth);
            }
            b"fixture" => fixture(child, path, out),
            _ => {}
        }
    }
}

fn fixture<'xml>(element: Element<'xml>, path: &[Text<'xml>], out: &mut Out<'_>) {
    let class = element.filled("type").or_else(|| element.filled("name"));
    let runs = element.child("runs");
    for run in runs.iter().flat_map(Element::children).filter(|child| child.is("run")) {
        let outcome = match run.attribute("result").as_deref() {
            Some("success") => Outcome::Passed,
            Some("failure") => Outcome::Failed,
            Some("ignore" | "skip") => Outcome::Skipped,
            _ => unknown(run, out),
        };
        let mut case = Case::new(outcome, run.offset());
        case.suite = path.to_vec();
        case.class.clone_from(&class);
        case.name = run.filled("name");
        case.seconds = run.attribute("duration").and_then(|time| parse_seconds(&time));
        case.stdout = child_word(run, "console-out");
        case.stderr = child_word(run, "console-error");
        if let Some(exception) = run.child("exception") {
            case.detail = detail(exception);
        }
        tell(run, case, out);
    }
}

/// An exception, with the stack traces of those inside it.
fn detail<'xml>(exception: Element<'xml>) -> Detail<'xml> {
    let mut texts: Vec<_> = child_word(exception, "stack-trace").into_iter().collect();
    let mut inner = exception.child("exception");
    while let Some(one) = inner {
        let head = [one.filled("type"), child_word(one, "message")].into_iter().flatten().collect();
        texts.extend(joined(head, ": ").map(|head| Cow::Owned(format!("caused by {head}"))));
        texts.extend(child_word(one, "stack-trace"));
        inner = one.child("exception");
    }
    Detail {
        kind: exception.filled("type"),
        message: child_word(exception, "message"),
        text: joined(texts, "\n"),
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::told;

    #[test]
    fn runs_are_read_in_their_namespaces() {
        assert_eq!(
            told(include_str!("../../tests/fixtures/mbunit/report.xml")),
            r#"Sums.Tests > Sums | [Sums.SumTests] | SumTests.Adds | passed | 0.005s | out "printed"
Sums.Tests > Sums | [Sums.SumTests] | SumTests.Subtracts | failed | 0.001s | NotEqualAssertionException: 1 != 2 | "at Sums.cs:line 22\ncaused by Inner: why\nat Inner.cs:line 1"
Sums.Tests > Sums | [Sums.SumTests] | SumTests.Asks | skipped | 0s
"#
        );
    }
}
