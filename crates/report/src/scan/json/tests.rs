use super::value::unescape;
use super::*;

fn shown(json: Json<'_>) -> String {
    let whole = if json.is_whole() { "" } else { "…" };
    if json.is_object() {
        let members: Vec<String> =
            json.members().map(|(name, value)| format!("{name}={}", shown(value))).collect();
        format!("{{{}{whole}}}", members.join(" "))
    } else if json.is_array() {
        let items: Vec<String> = json.items().map(shown).collect();
        format!("[{}{whole}]", items.join(" "))
    } else {
        json.shown().into_owned()
    }
}

fn read(text: &str) -> (String, Option<JsonBreak>) {
    let mut tree = JsonTree::default();
    let end = tree.read(text, 0, 10);
    (tree.root(text, 0).map(shown).unwrap_or_default(), end.broken)
}

#[test]
fn values_are_read() {
    let text = r#" {"a": [1, -2.5e3, "x\n\u00e9\ud83d\ude00\/", true, false, null, {}, []], "b": ""} "#;
    assert_eq!(read(text), ("{a=[1 -2.5e3 x\né😀/ true false null {} []] b=}".into(), None));
    assert_eq!(read("7"), ("7".into(), None));
}

#[test]
fn what_was_whole_before_a_break_is_kept() {
    assert_eq!(read(r#"[{"a":1},{"b":"#), ("[{a=1} {…}…]".into(), Some(JsonBreak::Cut)));
    assert_eq!(read(r#"[{"a":1},{"b":2 "c"#), ("[{a=1} {b=2…}…]".into(), Some(JsonBreak::Malformed)));
    assert_eq!(read(r#"["abc"#), ("[…]".into(), Some(JsonBreak::Cut)));
    assert_eq!(read("[1,]"), ("[1]".into(), None));
    assert_eq!(read(""), (String::new(), Some(JsonBreak::Cut)));
    assert_eq!(read(&"[".repeat(50)).1, Some(JsonBreak::TooDeep));
}

fn read_on(text: &str) -> (String, Option<JsonBreak>, usize) {
    let mut tree = JsonTree::default();
    let end = tree.read_on(text, 0, 10);
    (tree.root(text, 0).map(shown).unwrap_or_default(), end.broken, tree.passed_over().count())
}

#[test]
fn what_is_wrong_is_passed_over_by_lines() {
    let cases = [
        // other output between, wherever it stands
        ("[\n {\"a\":1},\nnpm notice\n {\"b\":\n2024 is a year\n 2}\n]", "[{a=1} {b=2024…}]"),
        ("[\nnpm notice\n {\nnpm notice\n \"a\":1\nnpm notice\n}\n]\n", "[{a=1}]"),
        // a quote without its escape: the member is lost
        ("[\n {\n  \"a\": \"x \"y\" z\",\n  \"b\": 2\n },\n {\"c\":3}\n]", "[{a=x  b=2…} {c=3}]"),
        // with what is in it
        (
            "[\n {\n  \"a\": \"x \"y\",\n  \"b\" {\n   \"c\": 1\n  },\n  \"d\": 2\n },\n {\"e\":3}\n]",
            "[{a=x  d=2…} {e=3}]",
        ),
        // an end that is missing, or one too many
        ("[\n {\n  \"a\": {\n   \"b\": 1\n },\n {\"c\":3}\n]", "[{a={b=1}…} {c=3}]"),
        ("{\n \"x\": [\nnpm notice\n ]\n}", "{x=[]}"),
        ("{\"x\":[\n {\n  \"a\": [\n   1\n },\n {\"c\":3}\n]}", "{x=[{a=[1…]} {c=3}]}"),
        ("[\n {\"a\":1}\n {\"b\":2},\n {\"c\":3}\n]", "[{a=1} {c=3}…]"),
    ];
    for (text, told) in cases {
        let (shown, broken, passed_over) = read_on(text);
        assert_eq!((shown.as_str(), broken), (told, None), "{text}");
        assert!(passed_over > 0, "{text}");
    }
}

#[test]
fn in_one_line_the_next_element_that_begins_as_the_first_is_found() {
    let cases = [
        (r#"{"x":[{"a":1},{"a":2 3,"b":[{"c":1}]},{"a":4}],"y":5}"#, "{x=[{a=1} {a=2…} {a=4}] y=5}"),
        (r#"[{"a": 1}, {"a": 2 3}, {"a": 4}]"#, "[{a=1} {a=2…} {a=4}]"),
        // the next of the list around it, where that comes first
        (r#"[{"f":[{"a":1},{"a":oh}]},{"f":[{"a":2}]}]"#, "[{f=[{a=1} {…}…]…} {f=[{a=2}]}]"),
    ];
    for (text, told) in cases {
        let (shown, broken, passed_over) = read_on(text);
        assert_eq!((shown.as_str(), broken, passed_over), (told, None, 1), "{text}");
    }
    assert_eq!(read_on(r#"[{"a":1},{"a":2 3}]"#), ("[{a=1} {a=2…}…]".into(), Some(JsonBreak::Malformed), 1));
}

#[test]
fn another_document_is_not_passed_over() {
    assert_eq!(read_on("{\"a\": {\"b\":\n{\"a\":1}\n").0, "{a={b={a=1}…}…}");
    assert_eq!(
        read_on("{\n \"a\": [\n  1 oh\n{\"a\":1}\n"),
        ("{a=[1…]…}".into(), Some(JsonBreak::Malformed), 1)
    );
    assert_eq!(read_on("oh"), (String::new(), Some(JsonBreak::Malformed), 1));
}

#[test]
fn halves_of_pairs_and_wrong_escapes_stay_readable() {
    assert_eq!(unescape(r"\ud83d x \q \u12"), "\u{FFFD} x \\q \u{FFFD}12");
    assert_eq!(unescape("\\"), "\\");
}

proptest::proptest! {
    #[test]
    fn whatever_comes_reading_ends_and_what_is_right_is_read_the_same(
        pieces in proptest::collection::vec(
            proptest::sample::select(vec![
                "{", "}", "[", "]", ",", ":", "\"a\"", "\"a\":", "\"", "1", "null", "x", "\n", "\n ", "\\", "{\n", "},\n", "é",
            ]),
            0..60,
        )
    ) {
        let text = pieces.concat();
        let mut tree = JsonTree::default();
        let strict = tree.read(&text, 0, 10);
        let told = tree.root(&text, 0).map(shown);
        let end = tree.read_on(&text, 0, 10);
        assert!(end.at <= text.len());
        let told_on = tree.root(&text, 0).map(shown);
        if strict.broken.is_none() {
            assert_eq!((strict, told), (end, told_on));
        }
    }
}
