//! Masks secrets in texts before they are kept: tokens of the usual makers, private keys, passwords in addresses, and what
//! patterns of the user's own find.
//!
//! A text is searched once for what secrets begin with, and clean text costs no more than that. Where something is found, the rule
//! that it belongs to is tried at that place alone. The time is linear in the text whatever it holds: expressions are of
//! the `regex` crate, rules never look twice at the same place more than a few times (`rule`), and the end of a private key is
//! looked for once.
//!
//! Names are not changed: they are what tells a test from others. That one holds a secret is told.

mod case;
mod rule;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use case::{NameWatch, Searched};
use regex::Regex;
use rustc_hash::FxHashMap;

use rule::{Before, PRIVATE_KEY_END, RULES, Rule, SECRET_NEAR, is_placeholder};

/// Bytes behind the id of a key of AWS in which its secret is looked for.
const SECRET_NEAR_BYTES: usize = 200;
/// The longest prefix (`session-`) of a token that goes on with the characters of its prefix.
const PREFIX_BYTES: usize = 64;
/// The longest parameters of a terminal's sequence: longer than those of both colours in full.
const PARAMETER_BYTES: usize = 40;
/// The largest block of a private key that is masked up to its end; of a larger one its lines are. 64 KiB: the largest keys
/// take 13 KiB.
const KEY_BLOCK_BYTES: usize = 64 << 10;

/// Masks secrets.
#[derive(Debug)]
pub struct Redactor {
    /// All needles of all rules, the longer before the shorter.
    needles: Regex,
    /// The same, in bytes of any encoding.
    needles_in_bytes: regex::bytes::Regex,
    /// The rules that a needle belongs to, by their places.
    by_needle: FxHashMap<&'static str, Vec<usize>>,
    rules: Vec<(&'static Rule, Regex, HasGroup)>,
    key_end: Regex,
    near_secret: Regex,
    own: Vec<(OwnPattern, HasGroup)>,
}

/// A pattern of the user's own.
#[derive(Debug, Clone)]
pub struct OwnPattern {
    /// Its name, which stands in place of what it masks: letters, digits, `-` and `_`.
    pub name: String,
    /// What it masks: its group `secret`, where it has one, else all of it.
    pub pattern: Regex,
}

/// Why a pattern of the user's own cannot be one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OwnPatternError {
    /// It is no name and no expression.
    #[error("`{0}` reads not like `name=expression`")]
    Form(String),
    /// The name is that of a rule, or holds other characters than letters, digits, `-` and `_`.
    #[error(
        "`{0}` cannot be the name of a pattern: it is taken, or holds more than letters, digits, `-` and `_`"
    )]
    Name(String),
    /// The expression is none.
    #[error("`{name}` is no regular expression")]
    Expression {
        /// The pattern's name.
        name: String,
        /// Why.
        #[source]
        source: regex::Error,
    },
    /// It matches the empty text, and so would mask nothing everywhere.
    #[error("the pattern `{0}` matches the empty text")]
    Empty(String),
}

impl OwnPattern {
    /// Reads `name=expression`.
    ///
    /// # Errors
    /// [`OwnPatternError`] where it is none.
    pub fn parse(text: &str) -> Result<Self, OwnPatternError> {
        let (name, expression) =
            text.split_once('=').ok_or_else(|| OwnPatternError::Form(text.to_owned()))?;
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if name.is_empty() || !name.chars().all(fits) || RULES.iter().any(|rule| rule.name == name) {
            return Err(OwnPatternError::Name(name.to_owned()));
        }
        let pattern = Regex::new(expression)
            .map_err(|source| OwnPatternError::Expression { name: name.to_owned(), source })?;
        if pattern.is_match("") {
            return Err(OwnPatternError::Empty(name.to_owned()));
        }
        Ok(Self { name: name.to_owned(), pattern })
    }
}

/// How many secrets each rule masked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Masked {
    /// By the rule's place; empty where there was none.
    counts: Vec<u64>,
}

impl Masked {
    fn count(&mut self, rule: usize) {
        if self.counts.len() <= rule {
            self.counts.resize(rule + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(rule) {
            *count += 1;
        }
    }

    /// Adds others.
    pub fn add(&mut self, other: &Self) {
        self.counts.resize(self.counts.len().max(other.counts.len()), 0);
        for (count, more) in self.counts.iter_mut().zip(&other.counts) {
            *count += more;
        }
    }

    /// Reports whether there was none.
    pub fn is_empty(&self) -> bool {
        self.counts.iter().all(|count| *count == 0)
    }
}

/// Whether an expression names the part of its match that is the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum HasGroup {
    Yes,
    No,
}

impl HasGroup {
    fn of(pattern: &Regex) -> Self {
        if pattern.capture_names().flatten().any(|name| name == "secret") { Self::Yes } else { Self::No }
    }
}

/// A part of a text that is a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Secret {
    start: usize,
    end: usize,
    rule: usize,
}

/// Returns the rules that are always there: the name of each, and what it masks.
pub fn rules() -> impl Iterator<Item = (&'static str, &'static str)> {
    RULES.iter().map(|rule| (rule.name, rule.about))
}

impl Redactor {
    /// Makes one of all rules and patterns of the user's own.
    ///
    /// # Errors
    /// [`regex::Error`] where a rule is too large to be compiled.
    pub fn new(own: Vec<OwnPattern>) -> Result<Self, regex::Error> {
        let mut by_needle: FxHashMap<_, Vec<usize>> = FxHashMap::default();
        for (place, needle) in
            RULES.iter().enumerate().flat_map(|(i, rule)| rule.needles.iter().map(move |n| (i, *n)))
        {
            by_needle.entry(needle).or_default().push(place);
        }
        // what a longer needle begins with may be one itself, whose rules are tried behind those of the longer
        let all: Vec<&'static str> = by_needle.keys().copied().collect();
        for (needle, places) in &mut by_needle {
            for shorter in all.iter().filter(|shorter| needle.starts_with(**shorter) && *shorter != needle) {
                places.extend(
                    RULES
                        .iter()
                        .enumerate()
                        .filter(|(_, rule)| rule.needles.contains(shorter))
                        .map(|(i, _)| i),
                );
            }
        }
        let mut literals = all;
        literals.sort_unstable_by(|one, other| other.len().cmp(&one.len()).then(one.cmp(other)));
        let literals: Vec<_> = literals.into_iter().map(regex::escape).collect();
        let needles = literals.join("|");
        let rules = RULES.iter().map(|rule| {
            let pattern = Regex::new(&format!(r"\A(?:{})", rule.pattern))?;
            let has_group = HasGroup::of(&pattern);
            Ok((rule, pattern, has_group))
        });
        Ok(Self {
            needles: Regex::new(&needles)?,
            needles_in_bytes: regex::bytes::Regex::new(&needles)?,
            by_needle,
            rules: rules.collect::<Result<_, regex::Error>>()?,
            key_end: Regex::new(PRIVATE_KEY_END)?,
            near_secret: Regex::new(SECRET_NEAR)?,
            own: own
                .into_iter()
                .map(|own| (HasGroup::of(&own.pattern), own))
                .map(|(has, own)| (own, has))
                .collect(),
        })
    }

    /// Masks the secrets of a text, each by `[redacted: RULE]`, and counts them.
    ///
    /// ```
    /// use testlake_collect::redact::{Masked, Redactor};
    ///
    /// let redactor = Redactor::new(Vec::new()).unwrap();
    /// let mut masked = Masked::default();
    /// let text = redactor.redact("cannot clone https://me:hunter2@host/r.git", &mut masked);
    /// assert_eq!(text, "cannot clone https://me:[redacted: url-password]@host/r.git");
    /// assert_eq!(redactor.counts(&masked).collect::<Vec<_>>(), [("url-password", 1)]);
    /// ```
    pub fn redact<'text>(&self, text: &'text str, masked: &mut Masked) -> Cow<'text, str> {
        let secrets = self.secrets(text);
        if secrets.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut clean = String::with_capacity(text.len());
        let mut at = 0;
        for secret in secrets {
            masked.count(secret.rule);
            clean.push_str(text.get(at..secret.start).unwrap_or_default());
            clean.push_str("[redacted: ");
            clean.push_str(self.name(secret.rule));
            clean.push(']');
            at = secret.end;
        }
        clean.push_str(text.get(at..).unwrap_or_default());
        Cow::Owned(clean)
    }

    /// Reports whether a text holds a secret.
    pub fn finds(&self, text: &str) -> bool {
        !self.secrets(text).is_empty()
    }

    /// Returns the names of the rules that masked something, and how much.
    pub fn counts(&self, masked: &Masked) -> impl Iterator<Item = (&str, u64)> {
        let counts = masked.counts.clone().into_iter().enumerate();
        counts.filter(|(_, count)| *count > 0).map(|(rule, count)| (self.name(rule), count))
    }

    fn name(&self, rule: usize) -> &str {
        let own = || self.own.get(rule - RULES.len().min(rule)).map(|(own, _)| own.name.as_str());
        RULES.get(rule).map(|rule| rule.name).or_else(own).unwrap_or_default()
    }

    /// Returns the secrets in order, none within another.
    fn secrets(&self, text: &str) -> Vec<Secret> {
        let mut secrets = self.of_makers(text);
        for (place, (own, has_group)) in self.own.iter().enumerate() {
            let rule = RULES.len() + place;
            let add = |part: regex::Match<'_>| Secret { start: part.start(), end: part.end(), rule };
            if *has_group == HasGroup::Yes {
                secrets.extend(
                    own.pattern.captures_iter(text).filter_map(|found| found.name("secret")).map(add),
                );
            } else {
                secrets.extend(own.pattern.find_iter(text).map(add));
            }
        }
        secrets.retain(|secret| secret.start < secret.end);
        if secrets.len() < 2 {
            return secrets;
        }
        secrets.sort_by_key(|secret| (secret.start, std::cmp::Reverse(secret.end)));
        let mut apart: Vec<Secret> = Vec::new();
        for secret in secrets {
            match apart.last_mut() {
                // one that reaches into another is masked with it
                Some(last) if secret.start < last.end => last.end = last.end.max(secret.end),
                _ => apart.push(secret),
            }
        }
        apart
    }

    /// Returns what the rules find. One beside a key's id may stand behind later ones, and within them.
    fn of_makers(&self, text: &str) -> Vec<Secret> {
        let mut secrets = Vec::new();
        // where the search goes on, and where the last secret ended, behind which a word may begin
        let (mut at, mut ended) = (0, 0);
        let mut key_end = KeyEnd::default();
        while let Some(needle) = self.needles.find_at(text, at) {
            at = needle.end();
            let places = self.by_needle.get(needle.as_str()).map(Vec::as_slice).unwrap_or_default();
            for &rule in places {
                let before = text.get(ended..needle.start()).unwrap_or_default();
                let Some(secret) = self.secret_at(text, before, needle.start(), rule, &mut key_end) else {
                    continue;
                };
                secrets.push(secret);
                ended = secret.end;
                at = ended.max(at);
                if self.rules.get(rule).is_some_and(|(rule, ..)| rule.name == "aws-key-id") {
                    secrets.extend(self.secret_near(text, secret.end));
                }
                break;
            }
        }
        secrets
    }

    /// Tries a rule at a place, before which stands what is no secret.
    fn secret_at(
        &self,
        text: &str,
        before: &str,
        start: usize,
        rule: usize,
        key_end: &mut KeyEnd,
    ) -> Option<Secret> {
        let (shape, pattern, has_group) = self.rules.get(rule)?;
        if !shape.before.allows(before) {
            return None;
        }
        let rest = text.get(start..)?;
        let part = match has_group {
            HasGroup::Yes => pattern.captures(rest)?.name("secret")?,
            HasGroup::No => pattern.find(rest)?,
        };
        if is_placeholder(part.as_str()) {
            return None;
        }
        let mut end = start + part.end();
        if shape.name == "private-key" {
            let behind = key_end.behind(text, &self.key_end, start);
            end = behind.filter(|behind| behind - start <= KEY_BLOCK_BYTES).unwrap_or(0).max(end);
        }
        Some(Secret { start: start + part.start(), end, rule })
    }

    /// Finds the secret of a key of AWS that stands behind its id.
    fn secret_near(&self, text: &str, from: usize) -> Option<Secret> {
        let to = text.ceil_char_boundary(from + SECRET_NEAR_BYTES);
        let near = text.get(from..to)?;
        let part = self.near_secret.captures(near)?.name("secret")?;
        let rule = RULES.iter().position(|rule| rule.name == "aws-secret-key")?;
        Some(Secret { start: from + part.start(), end: from + part.end(), rule })
    }
}

impl Before {
    fn allows(self, before: &str) -> bool {
        let Some(last) = before.chars().next_back() else { return true };
        match self {
            Self::Any => true,
            Self::NoWordNorDash if last == '-' => false,
            Self::NoWordButPrefix if last == '-' => {
                let is_run = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
                let run =
                    before.as_bytes().iter().rev().take(PREFIX_BYTES + 1).take_while(|byte| is_run(byte));
                run.count() <= PREFIX_BYTES
            }
            Self::NoWord | Self::NoWordNorDash | Self::NoWordButPrefix => {
                !(last.is_alphanumeric() || last == '_') || ends_with_escape(before.as_bytes())
            }
        }
    }
}

/// Reports whether a text ends with an escape whose last character is a letter or a digit: `\n`, `%3D`, `\u0022`, a terminal's
/// colour.
fn ends_with_escape(before: &[u8]) -> bool {
    let are_hex = |digits: &[&u8]| digits.iter().all(|digit| digit.is_ascii_hexdigit());
    match before {
        [.., b'\\', b'n' | b'r' | b't'] => true,
        // `#x1B` is what pytest writes of a character that XML has not
        [.., b'%', a, b] | [.., b'\\' | b'#', b'x', a, b] if are_hex(&[a, b]) => true,
        [.., b'\\', b'u', a, b, c, d] if are_hex(&[a, b, c, d]) => true,
        [sequence @ .., letter] if letter.is_ascii_alphabetic() => ends_with_sequence(sequence, *letter),
        _ => false,
    }
}

/// Reports whether a text and the letter behind it are a sequence for a terminal: `[31m`. The ESC is not asked for: XML cannot hold
/// it, and it is left out or written in many ways.
fn ends_with_sequence(before: &[u8], letter: u8) -> bool {
    let is_parameter = |byte: &u8| matches!(byte, b'0'..=b'9' | b';' | b':' | b'?');
    let parameters = before.iter().rev().take(PARAMETER_BYTES).take_while(|byte| is_parameter(byte)).count();
    // without parameters: those that end a colour and a line
    (parameters > 0 || matches!(letter, b'm' | b'K'))
        && before.get(..before.len() - parameters).is_some_and(|rest| rest.ends_with(b"["))
}

/// The next end of a private key's block, so that it is looked for once.
#[derive(Debug, Default)]
struct KeyEnd(Option<Option<(usize, usize)>>);

impl KeyEnd {
    /// Returns where the next block ends behind a place; places must not go back.
    fn behind(&mut self, text: &str, pattern: &Regex, from: usize) -> Option<usize> {
        let is_known = self.0.is_some_and(|end| end.is_none_or(|(start, _)| start >= from));
        if !is_known {
            self.0 = Some(pattern.find_at(text, from).map(|end| (end.start(), end.end())));
        }
        self.0.flatten().map(|(_, end)| end)
    }
}
