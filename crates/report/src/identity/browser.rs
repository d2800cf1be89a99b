//! Karma's names of browsers: `Chrome Headless 120.0.6099.109 (Linux x86_64)`. The versions are others after each update.

use std::borrow::Cow;

/// A word of the name of a browser, as Karma takes them from `ua-parser-js`.
const BROWSERS: [&str; 14] = [
    "Chrome",
    "Chromium",
    "ChromeHeadless",
    "HeadlessChrome",
    "Firefox",
    "Safari",
    "WebKit",
    "Edge",
    "IE",
    "Opera",
    "PhantomJS",
    "Electron",
    "jsdom",
    "Android",
];

/// Returns the name of a browser without the versions of it and of its system; nothing where it is none.
pub(super) fn without_versions(name: &str) -> Option<String> {
    let (browser, system) = name.strip_suffix(')')?.split_once(" (")?;
    let (browser, version) = browser.rsplit_once(' ')?;
    let is_browser = browser.split(' ').any(|word| BROWSERS.contains(&word));
    if !(is_browser && is_version(version)) {
        return None;
    }
    let system: Vec<_> = system.split(' ').filter(|word| !is_version(word)).collect();
    Some(format!("{browser} ({})", system.join(" ")))
}

fn is_version(word: &str) -> bool {
    word.starts_with(|first: char| first.is_ascii_digit())
}

/// Returns a class without the versions where it begins with the name of its suite's browser, as karma-junit-reporter writes
/// it: with `_` for blanks and dots.
pub(super) fn class_without_versions<'class>(
    class: &'class str,
    suite: &str,
    stable: &str,
) -> Cow<'class, str> {
    let rest = class.split_at_checked(suite.len()).and_then(|(browser, rest)| {
        let is_same = browser.chars().eq(suite.chars().map(joined));
        rest.strip_prefix('.').filter(|_| is_same)
    });
    match rest {
        Some(rest) => Cow::Owned(stable.chars().map(joined).chain(['.']).chain(rest.chars()).collect()),
        None => Cow::Borrowed(class),
    }
}

fn joined(character: char) -> char {
    if matches!(character, ' ' | '.') { '_' } else { character }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_browsers_are_left_out_and_numbers_of_others_kept() {
        let stable = |name| without_versions(name).unwrap_or_default();
        assert_eq!(stable("Chrome Headless 120.0.6099.109 (Linux x86_64)"), "Chrome Headless (Linux x86_64)");
        assert_eq!(stable("Firefox 99.0 (Ubuntu 0.0.0)"), "Firefox (Ubuntu)");
        assert_eq!(stable("Mobile Safari 16.1 (iOS 16.1)"), "Mobile Safari (iOS)");
        for other in [
            "Chapter 2 (draft 3)",
            "Chrome",
            "Chrome 120",
            "Chrome opens (again)",
            "Edge cases (2)",
            ")",
            " ()",
        ] {
            assert_eq!(without_versions(other), None, "{other}");
        }
    }

    #[test]
    fn a_class_begins_with_the_browser_or_is_kept() {
        let class = |class| class_without_versions(class, "Safari 1.2 (OS 3)", "Safari (OS)").into_owned();
        assert_eq!(class("Safari_1_2_(OS_3).cart adds 1.2"), "Safari_(OS).cart adds 1.2");
        assert_eq!(class("Safari_1_2_(OS_4).cart"), "Safari_1_2_(OS_4).cart");
        assert_eq!(class("Safari_1_2_(OS_3)"), "Safari_1_2_(OS_3)");
        assert_eq!(class("é"), "é");
    }
}
