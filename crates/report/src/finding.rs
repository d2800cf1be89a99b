//! What is wrong with a report and was survived.

use std::fmt;

/// A defect of a report: what it is and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub code: FindingCode,
    /// The byte it was found at, in the inflated report as it came.
    pub offset: u64,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal, $weight:ident, $text:literal;)+) => {
        /// The stable codes of what can be wrong with a report.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum FindingCode {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl FindingCode {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Returns the stable identifier used in the ledger and in the documentation.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// Returns a sentence, without a full stop, that says what was wrong and what was done.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// Returns what the defect cost.
            pub const fn weight(self) -> Weight {
                match self { $(Self::$variant => Weight::$weight,)+ }
            }
        }
    };
}

/// What a defect cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Nothing was lost: it was repaired, or is only worth knowing.
    Repair,
    /// A case was left out; reading went on behind it.
    Loss,
    /// Reading ended here.
    Stop,
}

codes! {
    /// A tag, or the document, ends before its end.
    CutTag = "cut-tag", Stop, "the report ends, or another tag begins, inside a tag";
    /// The document ends while elements are open.
    CutDocument = "cut-document", Stop, "the report ends while elements are open; the cases that had ended were kept";
    /// An end tag that does not belong to the element that is open.
    MismatchedTag = "mismatched-tag", Stop, "an end tag does not belong to the open element; the cases that had ended were kept";
    /// A CDATA section, comment, processing instruction or document type without its end.
    Unclosed = "unclosed-section", Stop, "a CDATA section, comment, instruction or document type has no end";
    /// A second root element.
    SecondRoot = "second-root", Stop, "a second root element begins here and was not read";
    /// Elements nested deeper than the limit.
    TooDeep = "too-deep", Stop, "elements are nested deeper than the limit; raise it with `--max-depth`";
    /// A tag, comment or document type longer than the limit.
    TagTooLarge = "tag-too-large", Stop, "a tag is longer than the limit; raise it with `--max-tag-size`";
    /// More attributes than the limit.
    TooManyAttributes = "too-many-attributes", Stop, "a tag has more attributes than the limit; raise it with `--max-attributes`";
    /// No element at all.
    NoRoot = "no-root", Stop, "there is no element in it";
    /// No byte but white space.
    Empty = "empty-report", Stop, "the report is empty";
    /// An end tag that belongs to no open element, or to an outer one; reading went on.
    MisplacedEndTag = "misplaced-end-tag", Loss, "an end tag does not belong to the open element; what it leaves open was closed, or it was passed over";
    /// A tag that is cut off; reading went on.
    LostTag = "lost-tag", Loss, "a tag is cut off and was passed over";
    /// A section without an end; reading went on.
    EndlessSection = "endless-section", Repair, "a CDATA section, comment or instruction has no end; it was ended before the next tag of an open element's name";
    /// Another root element; it was read, too.
    AnotherRoot = "another-root", Repair, "another root element begins here and was read, too";
    /// A document of another format behind the first.
    ForeignDocument = "foreign-document", Loss, "a document of another format begins here and was not read";
    /// JSON that breaks its own rules, or ends too early.
    MalformedJson = "malformed-json", Stop, "the JSON is wrong or cut off here; the cases that were whole were kept";
    /// A line of JSON lines that is none.
    MalformedLine = "malformed-line", Loss, "a line is no JSON and was passed over";
    /// Text between the lines of a report: the output of a build.
    OtherOutput = "other-output", Repair, "lines that are not the report's own were passed over";
    /// A test that began and of which no end is told.
    NeverEnded = "never-ended", Repair, "a test began and its end is not told; it was taken as errored, unless its output tells how it ended";
    /// What tests print, beyond the limit.
    OutputCut = "output-cut", Loss, "the output of tests that have not ended is larger than the limit; from here on it was left out; raise it with `--max-case-size`";
    /// Fewer tests than the plan says.
    PlanNotMet = "plan-not-met", Repair, "fewer tests came than the plan says: the run ended early";
    /// A test behind the end that the report itself gives.
    BehindEnd = "behind-end", Loss, "a test stands behind a bail out, or behind the plan that ends the report, and was left out";
    /// A test's number that came before, or is not one of the plan's.
    TestNumber = "test-number", Repair, "a test's number came before or is outside the plan; the test was read";
    /// No plan.
    NoPlan = "no-plan", Repair, "there is no plan, so that a run that ended early cannot be told from one that did not";
    /// A plan that is none.
    BadPlan = "bad-plan", Repair, "a plan is wrong, or is another one, and was passed over";
    /// The run gave up.
    BailOut = "bail-out", Repair, "the run gave up here";
    /// A report of a format that must be read whole, and is larger than the limit.
    ReportTooLarge = "report-too-large", Stop, "the report is larger than the limit for formats that are read whole; raise it with `--max-report-size`";
    /// No format claims it.
    UnknownFormat = "unknown-format", Stop, "no format that is known here claims it";
    /// A format that is known by name only.
    UnreadFormat = "unread-format", Stop, "the format is known, but not one that is read";
    /// A case that the report cuts off.
    CutCase = "cut-case", Loss, "a case is cut off and was left out";
    /// A time that is none.
    BadTime = "bad-time", Repair, "a time is no number of seconds and was left out";
    /// Another case of the same identity.
    RepeatedCase = "repeated-case", Repair, "an earlier case of the report has the same identity; the ordinal tells them apart";
    /// More cases than are compared.
    CasesNotCompared = "cases-not-compared", Repair, "there are more cases than are compared; from here on all have the ordinal 0";
    /// A name that holds a secret.
    SecretInName = "secret-in-name", Repair, "a name holds what looks like a secret; it was kept, as names tell tests apart";
    /// A case without a name.
    MissingName = "missing-name", Repair, "a case has no name";
    /// A count that does not add up.
    CountMismatch = "count-mismatch", Repair, "a count that the report gives is not that of its cases";
    /// A failure outside any case.
    FailureOutsideCase = "failure-outside-case", Repair, "a failure stands outside any case";
    /// A report without a case.
    NoCases = "no-cases", Repair, "the report holds no case";
    /// Output that is compressed, and cannot be had.
    BadOutput = "bad-output", Repair, "output is compressed in a way that cannot be undone, or beyond the limit, and was kept as it stands";
    /// A status that is not known.
    UnknownStatus = "unknown-status", Repair, "a status is not known here; the case was taken as errored";
    /// A case longer than the limit.
    CaseTooLarge = "case-too-large", Loss, "a case is larger than the limit, or holds too many elements for it, and was left out; raise it with `--max-case-size`";
    /// A tag that is longer than the limit, or has more attributes.
    LargeTag = "large-tag", Loss, "a tag is longer or has more attributes than the limit; it was passed over, with the case that it is in; raise it with `--max-tag-size` or `--max-attributes`";
    /// An element that stands deeper than the limit.
    DeepElement = "deep-element", Loss, "an element is nested deeper than the limit; it was passed over, with all inside it and the case that it is in; raise it with `--max-depth`";
    /// Names around a case that are longer than the limit.
    PathTooLong = "path-too-long", Repair, "the file and the suites of a case are longer than 16 KiB together, and were cut to that";
    /// A control or non-character that XML forbids.
    ForbiddenCharacter = "forbidden-character", Repair, "a character that XML forbids was kept as it is";
    /// An entity that is not one of XML's five; entities are never expanded.
    UnknownEntity = "unknown-entity", Repair, "an entity that XML does not define was kept as written";
    /// A `&` that begins no reference.
    BareAmpersand = "bare-ampersand", Repair, "a bare `&` was read as itself";
    /// A `<` that begins no tag, or stands in an attribute.
    BareLessThan = "bare-less-than", Repair, "a bare `<` was read as itself";
    /// An attribute that a tag has twice.
    DuplicateAttribute = "duplicate-attribute", Repair, "of an attribute that stands twice in a tag the first was kept";
    /// An attribute without quotes, value or a space before it.
    MalformedAttribute = "malformed-attribute", Repair, "an attribute without quotes, value or space was read as far as it goes";
    /// Bytes that are not valid in the report's encoding.
    InvalidEncoding = "invalid-encoding", Repair, "bytes that are not valid in the report's encoding became U+FFFD";
    /// A declared encoding that is not known, or not the one that the bytes are in.
    WrongEncoding = "wrong-encoding", Repair, "the declared encoding is unknown or not the bytes' own; the report was read as UTF-8";
    /// Text before the root element.
    TextBeforeRoot = "text-before-root", Repair, "text before the root element was passed over";
    /// Text after the root element.
    TextAfterRoot = "text-after-root", Repair, "text after the root element was passed over";
    /// A document type; nothing in it is expanded or opened.
    DocumentType = "document-type", Repair, "the document type was passed over: entities are never expanded, nothing is opened";
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_of_exit_codes_says_what_each_finding_costs() {
        let page = include_str!("../../../docs/exit-codes.md");
        let (losses, repairs) = page.split_once("## What leaves 0").unwrap();
        for code in FindingCode::ALL {
            let word = format!("`{code}`");
            let is_repair = code.weight() == Weight::Repair;
            // those of the other formats, which `collect` does not read, are in the page of findings alone
            assert!(!(if is_repair { losses } else { repairs }).contains(&word), "{code}");
        }
    }

    /// The page is rewritten where `TESTLAKE_BLESS` is set.
    #[test]
    fn the_page_of_findings_has_every_code() {
        let mut page = String::from(
            "# Findings\n\nWhat is wrong with a report and was survived, by its stable code. A *repair* lost nothing. With a *loss* a case, or a \
             part\nof one, was left out and reading went on. A *stop* ended reading: what was whole before it was kept.\n\n\
             | code | weight | what it says | what to do |\n|---|---|---|---|\n",
        );
        for code in FindingCode::ALL {
            let weight = format!("{:?}", code.weight()).to_lowercase();
            let row =
                ["`", code.as_str(), "` | ", &weight, " | ", code.text(), " | ", code.advice()].concat();
            page += &["| ", &row, " |\n"].concat();
        }
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/findings.md");
        if std::env::var_os("TESTLAKE_BLESS").is_some() {
            std::fs::write(path, &page).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap_or_default(),
            page,
            "set TESTLAKE_BLESS=1 to rewrite it"
        );
    }
}
