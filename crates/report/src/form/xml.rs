//! XML, piece by piece. Characters that XML forbids become U+FFFD.

/// Appends an attribute.
pub(super) fn attribute(name: &str, value: &str, into: &mut String) {
    into.push(' ');
    *into += name;
    *into += "=\"";
    escaped(value, true, into);
    into.push('"');
}

/// Appends a text.
pub(super) fn text(text: &str, into: &mut String) {
    escaped(text, false, into);
}

fn escaped(text: &str, is_attribute: bool, into: &mut String) {
    let mut kept = 0;
    for (place, character) in text.char_indices() {
        let escape = match character {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' if is_attribute => "&quot;",
            // readers make a blank of them
            '\n' if is_attribute => "&#10;",
            '\t' if is_attribute => "&#9;",
            // readers make a line feed of it
            '\r' => "&#13;",
            '\n' | '\t' => continue,
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => "\u{fffd}",
            _ => continue,
        };
        *into += text.get(kept..place).unwrap_or_default();
        *into += escape;
        kept = place + character.len_utf8();
    }
    *into += text.get(kept..).unwrap_or_default();
}

#[test]
fn texts_are_escaped() {
    let mut written = String::new();
    attribute("a", "<\"\n\t\r&\u{1}é\u{ffff}", &mut written);
    text("<\"\n\t\r&\u{1b}]]>", &mut written);
    assert_eq!(
        written,
        " a=\"&lt;&quot;&#10;&#9;&#13;&amp;\u{fffd}é\u{fffd}\"&lt;\"\n\t&#13;&amp;\u{fffd}]]&gt;"
    );
}
