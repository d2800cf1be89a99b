//! The twin against reports made of pieces that nearly match.

use proptest::prelude::*;
use testlake_report::Limits;

use super::reports::first_difference;
use super::suites::by_twin;
use crate::told::by_reader;

/// Pieces that make reports, most of them broken or almost alike.
pub(crate) fn piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "<testsuite>",
        "<testsuite name=\"s\" file=\"f\">",
        "<testsuite name='a' tests='2' skipped='0' failures='1' errors='0' timestamp='' hostname='' time='1'>",
        "</testsuite>",
        "<testcase>",
        "<testcase name=\"a\">",
        "<testcase name='a' classname='&lt;c&#10;' time='1,5'>",
        "<testcase name=\"a\" status='notrun' result=\"failed\" line='3' x='&amp;\n'/>",
        "<testcase name=\"b\"/>",
        "</testcase>",
        "<failure message='m' type=\"t\">",
        "<failure/>",
        "</failure>",
        "<error message='failed on teardown with \"x\"'>e</error>",
        "<error type='PHPUnit\\Framework\\RiskyTestError'/>",
        "<skipped>s</skipped>",
        "<rerunFailure time='2'><stackTrace>1</stackTrace>",
        "</rerunFailure>",
        "<flakyError message='f'>2<system-out>o</system-out></flakyError>",
        "<rerun/>",
        "<system-out><![CDATA[ ]] ]]></system-out>",
        "<system-err>x\r\n&gt;</system-err>",
        "<properties><property name='p' value='v'/><q>1</q></properties>",
        "<b>text</b>",
        "<![CDATA[<x>]]>",
        "<!-- <testcase> -->",
        "<?go on?>",
        " text ",
        "&#65;",
        "\n",
        "é",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_twin_agrees_on_pieces(pieces in prop::collection::vec(piece(), 0..25)) {
        // most are not well-formed: the open elements are ended, and ends of none left out
        let mut report = String::from("<testsuites>");
        let mut open: Vec<String> = Vec::new();
        for piece in pieces {
            let is_comment = piece.starts_with("<!") || piece.starts_with("<?");
            if let Some(name) = piece.strip_prefix("</") {
                let name = name.trim_end_matches('>').to_owned();
                if open.last() != Some(&name) {
                    continue;
                }
                open.pop();
            } else if piece.starts_with('<') && !is_comment && !piece.ends_with("/>") {
                let name = piece.trim_start_matches('<').split([' ', '>']).next().unwrap().to_owned();
                // the first piece of some is whole, of others it ends inside
                if !piece.ends_with(&format!("</{name}>")) {
                    open.push(name);
                }
            }
            report += piece;
        }
        for name in open.iter().rev() {
            report += &["</", name, ">"].concat();
        }
        report += "</testsuites>";
        let twin = by_twin(report.as_bytes()).expect("it is well-formed");
        let (told, _) = by_reader(report.as_bytes(), Limits::default());
        prop_assert!(twin == told.cases, "{report}\n{}", first_difference(&twin, &told.cases));
    }
}
