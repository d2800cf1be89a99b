use super::*;
use crate::finding::FindingCode;
use crate::limits::Limits;

/// Writes down what it is told.
#[derive(Default)]
struct Log {
    lines: Vec<String>,
    settled_lines: usize,
    depth: usize,
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

impl XmlVisitor for Log {
    fn tag(&mut self, _window: &[u8]) {}
    fn start(&mut self, tag: &StartTag<'_>) {
        let mut line = format!("<{}", show(tag.name.of(tag.window)));
        for attribute in tag.attributes {
            let (name, value) = (attribute.local.of(tag.window), attribute.value.of(tag.window));
            line += &[" ", &show(name), "=", &show(value), if attribute.coded { "*" } else { "" }].concat();
        }
        self.lines.push(line);
        self.depth += 1;
        self.settle();
    }
    fn text(&mut self, text: &Text<'_>) {
        // pieces of one text join, so that windows may cut them anywhere
        let piece = show(text.span.of(text.window));
        match self.lines.last_mut() {
            Some(line) if line.starts_with('=') => line.push_str(&piece),
            _ => self.lines.push(format!("={piece}")),
        }
        self.settle();
    }
    fn end(&mut self, _window: &[u8], _end: u32) {
        self.depth -= 1;
        self.lines.push("/".into());
        self.settle();
    }
    fn finding(&mut self, code: FindingCode, _at: u32) {
        self.lines.push(format!("!{code}"));
    }
    fn settled(&self) -> bool {
        self.depth < 2
    }
    fn rollback(&mut self) {
        panic!("rolled back where all is settled at once");
    }
}

impl Log {
    fn settle(&mut self) {
        self.settled_lines = self.lines.len();
    }
}

fn scan(xml: &str) -> Vec<String> {
    let mut log = Log::default();
    let mut scanner = XmlScanner::new(Limits::default());
    let fed = scanner.feed(xml.as_bytes(), true, &mut log);
    if let Some((code, at)) = fed.stop {
        log.lines.push(format!("STOP {code} {at}"));
    }
    log.lines
}

#[test]
fn elements_attributes_and_texts_come_in_order() {
    assert_eq!(
        scan("<?xml version='1.0'?><!-- x --><a x=\"1\" p:y='2&amp;'>t<b/>u<![CDATA[<&>]]></a>\n"),
        ["<a x=1 y=2&amp;*", "=t", "<b", "/", "=u<&>", "/"]
    );
}

#[test]
fn namespaces_are_dropped() {
    assert_eq!(scan("<p:a xmlns:p='u' xmlns='v' xmlnsy='w'></p:a>"), ["<a xmlnsy=w", "/"]);
}

#[test]
fn reading_stops_where_it_must() {
    assert_eq!(scan("<a><b>").last().unwrap(), "STOP cut-document 6");
    assert_eq!(scan("<a><b").last().unwrap(), "STOP cut-tag 3");
    assert_eq!(scan("<a></b></a>").last().unwrap(), "STOP mismatched-tag 3");
    assert_eq!(scan("<a/><b/>").last().unwrap(), "STOP second-root 4");
    assert_eq!(scan("<a><![CDATA[x</a>").last().unwrap(), "STOP unclosed-section 3");
    assert_eq!(scan("<a><!-- x</a>").last().unwrap(), "STOP unclosed-section 3");
    assert_eq!(scan("<a n=\"x<b n=\"y\"></b></a>").last().unwrap(), "STOP cut-tag 0");
    assert_eq!(scan("<a></a<b>").last().unwrap(), "STOP cut-tag 3");
    assert_eq!(scan("<a <b>").last().unwrap(), "STOP cut-tag 0");
    assert_eq!(scan("").last().unwrap(), "STOP empty-report 0");
    assert_eq!(scan("  \n").last().unwrap(), "STOP empty-report 3");
    assert_eq!(scan("hello").last().unwrap(), "STOP no-root 5");
    assert_eq!(scan("</a>").last().unwrap(), "STOP mismatched-tag 0");
}

#[test]
fn what_can_be_read_in_one_way_only_is_read() {
    assert_eq!(
        scan("<a>1 < 2 <3</a>"),
        ["<a", "=1 ", "!bare-less-than", "=< 2 ", "!bare-less-than", "=<3", "/"]
    );
    assert_eq!(scan("<a m=\"x<y\" n='1'/>"), ["<a m=x<y n=1", "!bare-less-than", "/"]);
    assert_eq!(scan("<a m='1' m='2'/>"), ["<a m=1", "!duplicate-attribute", "/"]);
    assert_eq!(scan("<a m='1'n=\"2\"/>"), ["<a m=1 n=2", "!malformed-attribute", "/"]);
    assert_eq!(scan("<a m=1 n/>"), ["<a m=1* n=", "!malformed-attribute", "!malformed-attribute", "/"]);
    assert_eq!(scan("x<a/>y"), ["!text-before-root", "<a", "/", "!text-after-root"]);
    assert_eq!(scan("<!DOCTYPE a [<!ENTITY e '>]'><!-- ' -->]><a/>"), ["!document-type", "<a", "/"]);
}

#[test]
fn limits_are_told() {
    let limits = Limits { depth: 3, attributes: 2, tag_bytes: 40, ..Limits::default() };
    let stop = |xml: &str| XmlScanner::new(limits).feed(xml.as_bytes(), true, &mut Log::default()).stop;
    assert_eq!(stop("<a><a><a></a></a></a>"), None);
    assert_eq!(stop("<a><a><a><a>"), Some((FindingCode::TooDeep, 9)));
    assert_eq!(stop("<a b='' c='' d=''/>"), Some((FindingCode::TooManyAttributes, 0)));
    assert_eq!(stop(&format!("<a b='{}'/>", "x".repeat(40))), Some((FindingCode::TagTooLarge, 0)));
}

/// Feeds windows that end at each of `cuts`, as a driver would.
fn scan_in_windows(xml: &[u8], size: usize) -> Vec<String> {
    let mut log = Log { depth: 0, ..Log::default() };
    let mut scanner = XmlScanner::new(Limits::default());
    let (mut start, mut end) = (0, size.min(xml.len()));
    loop {
        let last = end == xml.len();
        let mut always = AlwaysSettled(&mut log);
        let fed = scanner.feed(&xml[start..end], last, &mut always);
        if let Some((code, at)) = fed.stop {
            log.lines.push(format!("STOP {code} {at}"));
            return log.lines;
        }
        if last {
            return log.lines;
        }
        start += fed.consumed;
        end = (end + size).min(xml.len());
    }
}

/// Never holds anything back.
struct AlwaysSettled<'log>(&'log mut Log);

impl XmlVisitor for AlwaysSettled<'_> {
    fn tag(&mut self, _window: &[u8]) {}
    fn start(&mut self, tag: &StartTag<'_>) {
        self.0.start(tag);
    }
    fn text(&mut self, text: &Text<'_>) {
        self.0.text(text);
    }
    fn end(&mut self, window: &[u8], end: u32) {
        self.0.end(window, end);
    }
    fn finding(&mut self, code: FindingCode, at: u32) {
        // an attribute's finding is told again when its tag is read again
        let line = format!("!{code}");
        if self.0.lines.last() != Some(&line) {
            self.0.finding(code, at);
        }
    }
    fn settled(&self) -> bool {
        true
    }
    fn rollback(&mut self) {}
}

#[test]
fn any_windows_give_the_same() {
    let xml = "<?xml version='1.0'?><!DOCTYPE a []><r a='1'>\r\né&amp;x<b c=\"d<e\" f='1'/>1 < 2<!-- - -- ]]> --><c><![CDATA[ ]] ]]]></c></r> z";
    let whole = scan(xml);
    for size in 1..xml.len() {
        assert_eq!(scan_in_windows(xml.as_bytes(), size), whole, "windows of {size}");
    }
}

proptest::proptest! {
    #[test]
    fn tags_of_one_shape_are_told_as_those_of_none(
        tags in proptest::collection::vec(
            (
                proptest::sample::select(vec!["a", "abcdefgh", "abcdefghi", "p:abcdefg", "a_name_of_more_than_16_bytes"]),
                proptest::collection::vec(
                    proptest::sample::select(vec![
                        "x=\"1\"", "x=\"\"", "y='2'", "q:y=\"3\"", "a_name_of_more_than_16=\"4\"", "z=\"&amp;\"", "z=\"<\"",
                        "w=\"as-long-as-more-than-one-block-of-sixteen-bytes\"", "xmlns=\"u\"", "é=\"é\"",
                    ]),
                    0..5,
                ),
            ),
            0..20,
        ),
    ) {
        // two blanks before an attribute make a tag of no shape
        let document = |blank: &str| {
            let mut document = String::from("<r>");
            for (name, attributes) in &tags {
                for end in ["/>", "/>", "></", "></"] {
                    let inside: String = attributes.iter().map(|one| [blank, *one].concat()).collect();
                    document += &["<", *name, &inside, end].concat();
                    if end == "></" {
                        document += &[*name, ">"].concat();
                    }
                }
            }
            document + "</r>"
        };
        proptest::prop_assert_eq!(scan(&document(" ")), scan(&document("  ")));
    }
}
