//! The texts of a case.

use testlake_report::Case;
use testlake_report::model::{Detail, Text};

use super::{Masked, Redactor};

/// Bytes of a report in which nothing stands that a secret begins with: a text that lies in them needs no search.
#[derive(Debug, Clone, Copy, Default)]
pub struct Searched<'raw>(&'raw [u8]);

impl Searched<'_> {
    pub(super) fn holds(self, text: &str) -> bool {
        let (all, part) = (self.0.as_ptr_range(), text.as_bytes().as_ptr_range());
        all.start <= part.start && part.end <= all.end
    }
}

impl Redactor {
    /// Searches a report as it came, which takes a fraction of searching each of its texts. Where something is found, and with
    /// patterns of the user's own, nothing is known of it, and its texts are searched.
    pub fn search<'raw>(&self, raw: &'raw [u8]) -> Searched<'raw> {
        if self.own.is_empty() && !self.needles_in_bytes.is_match(raw) {
            Searched(raw)
        } else {
            Searched::default()
        }
    }

    fn finds_in(&self, searched: Searched<'_>, text: &str) -> bool {
        !searched.holds(text) && self.finds(text)
    }

    /// Masks the secrets in what a case tells and printed: its details and those of its tries, its output, the values of its
    /// properties. Returns the case as it may be kept, where it is another.
    ///
    /// Names stay: [`NameWatch`] looks at them.
    pub fn redact_case<'case>(
        &self,
        case: &Case<'case>,
        searched: Searched<'_>,
        masked: &mut Masked,
    ) -> Option<Case<'case>> {
        if !texts(case).any(|text| self.finds_in(searched, text)) {
            return None;
        }
        let mut case = case.clone();
        let mut mask = |text: &mut Text<'case>| {
            let clean = match self.redact(text, masked) {
                Text::Owned(clean) => clean,
                Text::Borrowed(_) => return,
            };
            *text = Text::Owned(clean);
        };
        let tries = case.tries.iter_mut().map(|one| &mut one.detail);
        for Detail { kind, message, text } in std::iter::once(&mut case.detail).chain(tries) {
            kind.iter_mut().chain(message).chain(text).for_each(&mut mask);
        }
        case.stdout.iter_mut().chain(&mut case.stderr).for_each(&mut mask);
        case.properties.iter_mut().for_each(|(_, value)| mask(value));
        Some(case)
    }
}

fn texts<'case>(case: &'case Case<'_>) -> impl Iterator<Item = &'case str> {
    let tries = case.tries.iter().map(|one| &one.detail);
    let details = std::iter::once(&case.detail).chain(tries);
    let details = details.flat_map(|detail| detail.kind.iter().chain(&detail.message).chain(&detail.text));
    let output = case.stdout.iter().chain(&case.stderr);
    let values = case.properties.iter().map(|(_, value)| value);
    details.chain(output).chain(values).map(|text| &**text)
}

/// Looks for secrets in the names of a report's cases. What many have in common is looked at once.
#[derive(Debug, Default)]
pub struct NameWatch {
    file: String,
    class: String,
    /// The outermost first.
    suites: Vec<String>,
}

impl NameWatch {
    /// Reports whether a name of the case holds a secret that one before it did not.
    pub fn finds(&mut self, redactor: &Redactor, case: &Case<'_>, searched: Searched<'_>) -> bool {
        // a name that was searched holds none, and needs no memory
        let is_new = |known: &mut String, name: &str| {
            let is_new = !searched.holds(name) && known != name;
            if is_new {
                name.clone_into(known);
            }
            is_new && redactor.finds(name)
        };
        let mut found = is_new(&mut self.file, case.file.as_deref().unwrap_or_default());
        found |= is_new(&mut self.class, case.class.as_deref().unwrap_or_default());
        self.suites.resize_with(self.suites.len().max(case.suite.len()), String::new);
        for (known, name) in self.suites.iter_mut().zip(&case.suite) {
            found |= is_new(known, name);
        }
        let properties = case.properties.iter().map(|(name, _)| name);
        found | case.name.iter().chain(properties).any(|name| redactor.finds_in(searched, name))
    }
}
