//! The `Link` header (RFC 8288), as far as pages need it.

use reqwest::header::{HeaderMap, LINK};

/// Returns the target of the first link whose relation is `next`.
pub(super) fn next_link(headers: &HeaderMap) -> Option<&str> {
    headers.get_all(LINK).iter().filter_map(|value| value.to_str().ok()).find_map(next_of)
}

fn next_of(mut rest: &str) -> Option<&str> {
    loop {
        let (_, after) = rest.split_once('<')?;
        let (target, after) = after.split_once('>')?;
        let (parameters, after) = split_parameters(after);
        if is_next(parameters) {
            return Some(target);
        }
        rest = after;
    }
}

/// Splits at the comma that ends a link, which is the first outside quotes.
fn split_parameters(text: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, character) in text.char_indices() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => return text.split_at(at),
            _ => {}
        }
    }
    (text, "")
}

fn is_next(parameters: &str) -> bool {
    parameters.split(';').filter_map(|parameter| parameter.split_once('=')).any(|(name, value)| {
        name.trim().eq_ignore_ascii_case("rel")
            && value.trim().trim_matches('"').split_ascii_whitespace().any(|r| r.eq_ignore_ascii_case("next"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_found_among_others() {
        let github = r#"<https://a/x?page=1>; rel="prev", <https://a/x?page=3,4>; rel="next", <https://a/x?page=9>; rel="last""#;
        assert_eq!(next_of(github), Some("https://a/x?page=3,4"));
        assert_eq!(next_of("</x?page=2>; title=\"a, b\"; REL=next"), Some("/x?page=2"));
        assert_eq!(next_of("<u>; rel=\"last next\""), Some("u"));
    }

    #[test]
    fn what_is_no_next_page_is_none() {
        for text in ["", "<", "<x", "<x>", "<x>; rel=\"last\"", "<x>; rel=\"nextish\"", "x; rel=next"] {
            assert_eq!(next_of(text), None, "{text}");
        }
    }
}
