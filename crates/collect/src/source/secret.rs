//! Text that is never printed.

use std::fmt;

/// A token or password. `Debug` and `Display` do not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a token, without the white space around it; `None` where nothing else is there.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        (!text.is_empty()).then(|| Self(text.to_owned()))
    }

    /// Returns the text, for the one place that sends it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_not_printed() {
        let secret = Secret::new(" ghp_abc\n").unwrap();
        assert_eq!(secret.expose(), "ghp_abc");
        assert_eq!(format!("{secret} {secret:?} {:#?}", Some(&secret)).find("ghp"), None);
    }

    #[test]
    fn blank_text_is_no_secret() {
        assert_eq!(Secret::new(" \n"), None);
    }
}
