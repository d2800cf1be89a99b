//! What to do about a finding.

use crate::finding::FindingCode;

impl FindingCode {
    /// Returns what its reader can do about it: an imperative, lower case, without a full stop.
    pub const fn advice(self) -> &'static str {
        match self {
            Self::CutTag | Self::CutDocument | Self::CutCase | Self::MalformedJson => {
                "see whether the runner crashed or was killed, or the copy of the file ended early"
            }
            Self::MismatchedTag
            | Self::MisplacedEndTag
            | Self::LostTag
            | Self::Unclosed
            | Self::EndlessSection => {
                "see whether several processes write this file at once; give each its own"
            }
            Self::SecondRoot | Self::AnotherRoot => {
                "let each run write a file of its own, or write over the one before instead of adding to it"
            }
            Self::ForeignDocument => "write each report to a file of its own",
            Self::TooDeep | Self::DeepElement => "see whether the nesting is meant",
            Self::TagTooLarge | Self::TooManyAttributes | Self::LargeTag => "see whether the tag is meant",
            Self::PathTooLong => "give suites shorter names, or nest them less",
            Self::CaseTooLarge | Self::OutputCut => "let tests print less",
            Self::ReportTooLarge => "or write JUnit XML or a format of lines, which have no such limit",
            Self::NoRoot | Self::Empty | Self::NoCases => {
                "see whether the runner ran any test and ended as it should"
            }
            Self::MalformedLine => "see whether the runner's standard output goes elsewhere than its report",
            Self::OtherOutput | Self::TextBeforeRoot | Self::TextAfterRoot => {
                "write the report to a file of its own, without other output"
            }
            Self::NeverEnded | Self::PlanNotMet | Self::BailOut => "see what ended the run early",
            Self::BehindEnd | Self::TestNumber | Self::BadPlan => {
                "see whether several producers write to one TAP stream; give each its own, or use subtests"
            }
            Self::NoPlan => "let the producer print a plan, `1..N`, or end it with `done_testing`",
            Self::UnknownFormat => "leave the file out, or convert it to JUnit XML first",
            Self::UnreadFormat => "leave the file out, or let the runner write a format that is read",
            Self::BadTime => "write seconds as a number with a decimal point",
            Self::RepeatedCase => {
                "give each case a name of its own; for tries of one test use a format that tells them as tries"
            }
            Self::CasesNotCompared => {
                "split the report; cases of one identity cannot be told apart from here on"
            }
            Self::SecretInName => "revoke the secret, and let the test's name, parameters and all, hold none",
            Self::MissingName => "give the case a name, so that its history can be followed",
            Self::CountMismatch => {
                "see whether the report is whole, or whether its writer counts something else"
            }
            Self::FailureOutsideCase => {
                "see the report at this place: a setup, a teardown or a whole suite failed"
            }
            Self::BadOutput => "see the report at this place for the output",
            Self::UnknownStatus => {
                "see the runner's documentation; a status that should be known here is worth a bug report"
            }
            Self::ForbiddenCharacter => {
                "let the writer leave out control characters, such as the colours of a terminal"
            }
            Self::UnknownEntity => "write the character itself, or its number: `&#160;`",
            Self::BareAmpersand => "write `&amp;`",
            Self::BareLessThan => "write `&lt;`",
            Self::DuplicateAttribute => "write each attribute once",
            Self::MalformedAttribute => "write attributes as `name=\"value\"` with a blank between",
            Self::InvalidEncoding => {
                "write the report in UTF-8, or declare the encoding that its bytes are in"
            }
            Self::WrongEncoding => "declare `encoding=\"UTF-8\"`, or nothing",
            Self::DocumentType => "leave the document type out",
        }
    }
}

#[test]
fn no_advice_repeats_what_the_finding_says() {
    for code in FindingCode::ALL {
        let flags = code.advice().split('`').filter(|word| word.starts_with("--"));
        for flag in flags {
            assert!(!code.text().contains(flag), "{code}: {flag} is named twice");
        }
    }
}
