//! Reports that break XML's rules.

use super::{Trial, assert_all, find, zipped};

const PATH: &str = "x/bad/1.xml";

/// A report, and where in it something is.
struct Report {
    title: String,
    bytes: Vec<u8>,
}

fn report(title: &str, bytes: impl Into<Vec<u8>>) -> Report {
    Report { title: title.to_owned(), bytes: bytes.into() }
}

impl Report {
    fn trial(&self) -> Trial {
        Trial::artifact(self.title.as_str(), zipped(PATH, &self.bytes))
    }

    /// It was read whole; what was repaired is told with the place of the part named.
    fn repaired(self, code: &str, part: impl AsRef<[u8]>) -> Trial {
        let at = find(&self.bytes, part);
        self.trial().counts(1, 0, 0).tells(code, Some(PATH), Some(at))
    }

    /// It was read whole, and nothing is told.
    fn read(self) -> Trial {
        self.trial().counts(1, 0, 0)
    }

    /// Reading ended at the last place of the part named, or went on behind a loss, with cases saved.
    fn salvaged(self, code: &str, part: impl AsRef<[u8]>, saved: u64) -> Trial {
        let at = self.last(part);
        self.trial().salvaged(0, 1, 0).loses(code, Some(PATH), Some(at), saved)
    }

    /// Reading ended at the last place of the part named, with no case saved: nothing of the artifact was read.
    fn rejected(self, code: &str, part: impl AsRef<[u8]>) -> Trial {
        let at = self.last(part);
        self.trial().rejected().counts(0, 0, 1).loses(code, Some(PATH), Some(at), 0)
    }

    /// The last place of a part; of no part the end.
    fn last(&self, part: impl AsRef<[u8]>) -> usize {
        let part = part.as_ref();
        let at = (0..=self.bytes.len()).rev().find(|&at| self.bytes[at..].starts_with(part));
        at.unwrap_or_else(|| panic!("{}: no {}", self.title, part.escape_ascii()))
    }
}

fn utf16(text: &str, mark: bool, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let mark = mark.then_some('\u{FEFF}');
    let text: String = mark.into_iter().chain(text.chars()).collect();
    text.encode_utf16().flat_map(bytes).collect()
}

#[test]
fn a_report_that_breaks_off_gives_its_whole_cases() {
    let two = r#"<testsuite><testcase name="a"/><testcase name="b"></testcase>"#;
    assert_all([
        report("empty", "").rejected("empty-report", ""),
        report("blank", " \n").rejected("empty-report", ""),
        report("text alone", "no XML")
            .trial()
            .rejected()
            .counts(0, 0, 1)
            .tells("text-before-root", Some(PATH), Some(0))
            .loses("no-root", Some(PATH), Some(6), 0),
        report("cut off in a tag", format!("{two}<testcase name=\"c"))
            .salvaged("cut-tag", "<testcase", 2)
            .saves(&["a", "b"]),
        report("cut off behind a `<`", format!("{two}<")).salvaged("cut-tag", "<", 2).saves(&["a", "b"]),
        report("cut off in the first tag", "<testsui").rejected("cut-tag", "<testsui"),
        report("cut off in a case", format!("{two}<testcase name=\"c\">text"))
            .salvaged("cut-document", "", 2)
            .saves(&["a", "b"]),
        report("cut off in a child", format!("{two}<testcase name=\"c\"><failure>text"))
            .salvaged("cut-document", "", 2)
            .saves(&["a", "b"]),
        report("cut off before the first case ends", "<testsuite><testcase name=\"a\">")
            .rejected("cut-document", ""),
        report("cut off in an end tag", r#"<testsuite><testcase name="a"/><testcase name="b"></test"#)
            .salvaged("cut-tag", "</test", 1)
            .saves(&["a"]),
        report("cut off between cases", two).salvaged("cut-document", "", 2).saves(&["a", "b"]),
        report(
            "cut off inside a case that holds a whole one",
            r#"<testsuite><testcase name="outer"><testcase name="inner"/><x>"#,
        )
        .salvaged("cut-document", "", 1)
        .saves(&["inner"]),
        report(
            "an unclosed CDATA section",
            format!("{two}<testcase name=\"c\"><![CDATA[text</testcase></testsuite>"),
        )
        .salvaged("unclosed-section", "<![CDATA[", 2)
        .saves(&["a", "b"]),
        report("an unclosed comment", format!("{two}<!-- <testcase/></testsuite>"))
            .salvaged("unclosed-section", "<!--", 2)
            .saves(&["a", "b"]),
        report("a mismatched tag", format!("{two}<testcase name=\"c\"></failure></testcase></testsuite>"))
            .salvaged("mismatched-tag", "</failure>", 2)
            .saves(&["a", "b"]),
        report("an end tag too many", format!("{two}</testcase></testsuite>"))
            .salvaged("mismatched-tag", "</testcase></", 2)
            .saves(&["a", "b"]),
        report(
            "a second root",
            format!("{two}</testsuite><testsuite name=\"2\"><testcase name=\"c\"/></testsuite>"),
        )
        .salvaged("second-root", "<testsuite name", 2)
        .saves(&["a", "b"]),
        report(
            "another tag inside a tag",
            format!("{two}<testcase name=\"c\" <testcase name=\"d\"/></testsuite>"),
        )
        .salvaged("cut-tag", "<testcase name=\"c", 2)
        .saves(&["a", "b"]),
    ]);
}

#[test]
fn what_can_be_read_in_one_way_is_repaired() {
    let case = |content: &str| {
        format!("<testsuite><testcase name=\"a\">{content}</testcase><testcase name=\"b\"/></testsuite>")
    };
    let laughs = "<!DOCTYPE lolz [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]>";
    assert_all(
        [
            report("a raw control character", case("x\u{1}y"))
                .repaired("forbidden-character", "\u{1}")
                .keeps(r#""text": "x\u0001y""#),
            report("a referenced control character", case("x&#1;y"))
                .repaired("forbidden-character", "&#1;")
                .keeps(r#""text": "x\u0001y""#),
            report("an undefined entity", case("x&nbsp;y"))
                .repaired("unknown-entity", "&nbsp;")
                .keeps(r#""text": "x&nbsp;y""#),
            report("a bare ampersand", case("x & y"))
                .repaired("bare-ampersand", "& y")
                .keeps(r#""text": "x & y""#),
            report("a bare less-than sign", case("1 < 2"))
                .repaired("bare-less-than", "< 2")
                .keeps(r#""text": "1 < 2""#),
            report("a less-than sign in an attribute", case("<failure message=\"1 < 2\"/>"))
                .repaired("bare-less-than", "< 2")
                .keeps(r#""failure": {"message": "1 < 2"}"#),
            report("an attribute twice", case("<failure type=\"1\" type=\"x\"/>"))
                .repaired("duplicate-attribute", "type=\"x")
                .keeps(r#""failure": {"type": 1.0}"#),
            report("an attribute without quotes", case("<failure type=x/>"))
                .repaired("malformed-attribute", "type=x")
                .keeps(r#""failure": {"type": "x"}"#),
            report("text after the root", case("") + "\n trailing").repaired("text-after-root", "trailing"),
            report("text before the root", format!("log line\n{}", case("")))
                .repaired("text-before-root", "log"),
            report(
                "a byte that is not UTF-8",
                [&b"<testsuite><testcase name=\"a\">x\xE9y</testcase><testcase name=\"b\"/></testsuite>"[..]]
                    .concat(),
            )
            .repaired("invalid-encoding", b"\xE9")
            .keeps(r#""text": "x\ufffdy""#),
            report("an unknown encoding", format!("<?xml version='1.0' encoding='klingon'?>{}", case("é")))
                .repaired("wrong-encoding", "<?xml")
                .keeps(r#""text": "\u00e9""#),
            report(
                "a document type",
                format!("<!DOCTYPE testsuite SYSTEM \"file:///etc/passwd\">{}", case("")),
            )
            .repaired("document-type", "<!DOCTYPE"),
            report("entities that the document defines", format!("{laughs}{}", case("&b;")))
                .repaired("document-type", "<!DOCTYPE")
                .tells("unknown-entity", Some(PATH), Some(laughs.len() + find(case("&b;").as_bytes(), "&b;")))
                .keeps(r#""text": "&b;""#),
        ]
        .map(|trial| trial.saves(&["a", "b"])),
    );
}

#[test]
fn encodings_are_read_as_they_say() {
    let text = "<?xml version='1.0' encoding='UTF-16'?><testsuite><testcase name='é€😀'/></testsuite>";
    let plain = "<testsuite><testcase name='é€😀'/></testsuite>";
    let broken = "<testsuite><testcase name='é€😀'/><testcase name='b'>";
    let big = u16::to_be_bytes;
    let little = u16::to_le_bytes;
    let name = "é€😀";
    assert_all([
        report("latin-1", &b"<?xml version='1.0' encoding='latin-1'?><testsuite><testcase name='\xE9\x80'/></testsuite>"[..])
            .read()
            .saves(&["é\u{80}"]),
        report("ISO-8859-1", &b"<?xml version='1.0' encoding=\"ISO-8859-1\"?><testsuite><testcase name='\xE9'/></testsuite>"[..])
            .read()
            .saves(&["é"]),
        report("windows-1252", &b"<?xml version='1.0' encoding='windows-1252'?><testsuite><testcase name='\x80'/></testsuite>"[..])
            .read()
            .saves(&["€"]),
        report("latin-1, cut off", &b"<?xml version='1.0' encoding='latin-1'?><testsuite><testcase name='\xE9'/><testcase name='\xE9"[..])
            .salvaged("cut-tag", "<testcase", 1)
            .saves(&["é"]),
        report("UTF-8 with a byte order mark", format!("\u{FEFF}{plain}")).read().saves(&[name]),
        report("UTF-8 with a byte order mark, cut off", format!("\u{FEFF}{broken}")).salvaged("cut-document", "", 1).saves(&[name]),
        report("UTF-16 LE", utf16(text, true, little)).read().saves(&[name]),
        report("UTF-16 BE", utf16(text, true, big)).read().saves(&[name]),
        report("UTF-16 LE without a byte order mark", utf16(text, false, little)).read().saves(&[name]),
        report("UTF-16 BE without a byte order mark", utf16(plain, false, big)).read().saves(&[name]),
        report("UTF-16 LE, cut off", utf16(broken, true, little)).salvaged("cut-document", "", 1).saves(&[name]),
        report("UTF-16 BE, cut off in a tag", utf16(broken.trim_end_matches("'>"), false, big))
            .salvaged("cut-tag", utf16("<testcase name='b", false, big), 1)
            .saves(&[name]),
        report("UTF-8 that says UTF-16", text).repaired("wrong-encoding", "<?xml").saves(&[name]),
    ]);
}

#[test]
fn each_limit_is_named_where_it_is_hit() {
    let deep = |before: &str| format!("{before}{}", "<x>".repeat(10_000));
    let first = "<testsuite><testcase name='a'/>";
    let attributes: String = (0..300).map(|number| format!(" a{number}='1'")).collect();
    let large = "x".repeat(200 << 10);
    let nested = format!("{}<testcase name='a'/>{}", "<testsuite>".repeat(255), "</testsuite>".repeat(255));
    assert_all([
        // 256 may be open: the suite, and 255 below it
        {
            let trial = report("10,000 levels", deep(first)).trial().salvaged(0, 1, 0);
            trial.loses("too-deep", Some(PATH), Some(first.len() + 3 * 255), 1).saves(&["a"])
        },
        report("10,000 levels before any case", deep("")).trial().rejected().counts(0, 0, 1).loses(
            "too-deep",
            Some(PATH),
            Some(3 * 256),
            0,
        ),
        report("as deep as may be", nested).read().saves(&["a"]),
        report("300 attributes", format!("{first}<testcase{attributes}/><testcase/></testsuite>"))
            .salvaged("too-many-attributes", "<testcase a0", 1)
            .saves(&["a"]),
        report(
            "a case of 200 KiB",
            format!("{first}<testcase name='b'>{large}</testcase><testcase name='c'/></testsuite>"),
        )
        .salvaged("case-too-large", "<testcase name='b'", 2)
        .saves(&["a", "c"])
        .with(|plan| plan.report_limits.case_bytes = 64 << 10),
        report(
            "a tag of 200 KiB",
            format!("{first}<testcase name='{large}'/><testcase name='c'/></testsuite>"),
        )
        .salvaged("tag-too-large", "<testcase name='x", 1)
        .saves(&["a"])
        .with(|plan| plan.report_limits.tag_bytes = 64 << 10),
        {
            let bare = format!("{first}{}</testsuite>", "<testcase>&</testcase>".repeat(5));
            let at = |number: usize| first.len() + 22 * number + 10;
            let trial = report("5 findings where 3 are kept", bare).trial().counts(1, 0, 0);
            let trial = (0..3)
                .fold(trial, |trial, number| trial.tells("bare-ampersand", Some(PATH), Some(at(number))));
            let mut trial = trial.tells("more-findings", Some(PATH), None);
            trial.saved =
                ["a".into()].into_iter().chain(std::iter::repeat_n(serde_json::Value::Null, 5)).collect();
            trial.with(|plan| plan.report_limits.findings = 3)
        },
    ]);
}

#[test]
fn a_case_without_what_others_have_is_a_case() {
    let null = || [serde_json::Value::Null];
    let time = |value: &str| format!("<testsuite><testcase name='a' time='{value}'/></testsuite>");
    let mut bare = report("no name, class or time", "<testsuite><testcase/></testsuite>").read();
    bare.saved = null().into();
    let names = |trial: Trial| trial.saves(&["a"]);
    assert_all([
        bare,
        names(report("a time with a comma", time("1,234.5")).read().keeps(r#""time": "1,234.5""#)),
        names(report("an empty time", time("")).read().keeps(r#""time": """#)),
        names(report("a time that is no number", time("nan")).read().keeps(r#""time": "nan""#)),
        names(report("a time that is not finite", time("1e999")).read().keeps(r#""time": "1e999""#)),
    ]);
}
