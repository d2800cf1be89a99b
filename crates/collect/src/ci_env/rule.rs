//! How variables' values become what is told.

use std::fmt;

/// An environment: from names to values that are not empty.
pub(super) type Get<'get, 'env> = &'get dyn Fn(&str) -> Option<&'env str>;

/// What the refs of pull requests begin with.
const PULLS: &str = "refs/pull/";

/// How a value is had from variables.
#[derive(Debug, Clone, Copy)]
pub(super) enum Rule {
    /// The value of a variable.
    Is(&'static str),
    /// A text with variables in braces, all of which must be there.
    Text(&'static str),
    /// This.
    Always(&'static str),
    /// The value, where it is `owner/name`.
    Full(&'static str),
    /// `owner/name` in a repository's address.
    Repo(&'static str),
    /// The branch that a ref names: `refs/heads/x`, `origin/x` or `x`. Other refs name none.
    Branch(&'static str),
    /// The number of the pull request that a ref names: `refs/pull/1/merge`.
    PullRef(&'static str),
    /// The number at the end: `1`, `https://host/o/r/pull/1`.
    Number(&'static str),
    /// The id of a build in the address of its page: `https://host/buildConfiguration/x/1`, `https://host/viewLog.html?buildId=1`.
    Build(&'static str),
    /// The value, where it begins so.
    Begins(&'static str, &'static str),
    /// The value without braces around it.
    Bare(&'static str),
    /// The value, where it is a commit's hash.
    Hash(&'static str),
    /// A fork: `owner/name`, or `owner` alone, where its name is that of the repository in the second variable.
    Fork(&'static str, &'static str),
    /// What the rule says, where none of these variables is set.
    Unless(&'static [&'static str], &'static Self),
    /// What the rule says, where the variable names no pull request's ref.
    UnlessPull(&'static str, &'static Self),
    /// What the rule says, where the variable has this value, in capitals or not.
    Where(&'static str, &'static str, &'static Self),
}

impl Rule {
    /// Returns the value; what is `false` or empty is none.
    pub(super) fn read(self, get: Get<'_, '_>) -> Option<String> {
        let value = |name: &str| get(name).filter(|value| !matches!(*value, "" | "false"));
        let owned = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        match self {
            Self::Is(name) => value(name).and_then(owned),
            Self::Text(template) => filled(template, &value),
            Self::Always(text) => owned(text),
            Self::Full(name) => value(name).filter(|value| value.contains('/')).and_then(owned),
            Self::Repo(name) => repo_of(value(name)?),
            Self::Branch(name) => branch_of(value(name)?).and_then(owned),
            Self::PullRef(name) => {
                let number = value(name)?.strip_prefix(PULLS)?.split('/').next()?;
                owned(number)
            }
            Self::Number(name) => {
                let value = value(name)?;
                let digits = value.trim_end_matches(|c: char| c.is_ascii_digit());
                value.get(digits.len()..).and_then(owned)
            }
            Self::Build(name) => build_of(value(name)?).and_then(owned),
            Self::Begins(start, name) => value(name).filter(|value| value.starts_with(start)).and_then(owned),
            Self::Bare(name) => owned(value(name)?.trim_matches(['{', '}'])),
            Self::Hash(name) => value(name).filter(|value| is_hash(value)).and_then(owned),
            Self::Fork(name, repo) => {
                let fork = value(name)?;
                if fork.contains('/') {
                    return owned(fork);
                }
                let repo = repo_of(value(repo)?)?;
                let (_, repo) = repo.rsplit_once('/')?;
                Some(format!("{fork}/{repo}"))
            }
            Self::Unless(names, rule) => {
                if names.iter().any(|name| value(name).is_some()) {
                    return None;
                }
                rule.read(get)
            }
            Self::UnlessPull(name, rule) => {
                if value(name).is_some_and(|value| value.starts_with(PULLS)) {
                    return None;
                }
                rule.read(get)
            }
            Self::Where(name, wanted, rule) => {
                value(name).filter(|value| value.eq_ignore_ascii_case(wanted)).and_then(|_| rule.read(get))
            }
        }
    }
}

/// As the page of CI providers tells it.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(name) => write!(f, "`{name}`"),
            Self::Text(template) => write!(f, "`{template}`"),
            Self::Always(text) => write!(f, "{text}"),
            Self::Full(name) => write!(f, "`{name}`, where it has an owner"),
            Self::Repo(name) => write!(f, "owner and name in `{name}`"),
            Self::Branch(name) => write!(f, "the branch in `{name}`"),
            Self::PullRef(name) => write!(f, "the number in `{name}`"),
            Self::Number(name) => write!(f, "the number that ends `{name}`"),
            Self::Build(name) => write!(f, "the build's id in `{name}`"),
            Self::Begins(start, name) => write!(f, "`{name}`, where it begins with `{start}`"),
            Self::Bare(name) => write!(f, "`{name}` without braces"),
            Self::Hash(name) => write!(f, "`{name}`, where it is a hash"),
            Self::Fork(name, _) => write!(f, "the fork in `{name}`"),
            Self::Unless(names, rule) => {
                let names: Vec<_> = names.iter().map(|name| format!("`{name}`")).collect();
                write!(f, "{rule} where there is no {}", names.join(", no "))
            }
            Self::UnlessPull(name, rule) => write!(f, "{rule}, unless `{name}` is a pull request's"),
            Self::Where(name, wanted, rule) => write!(f, "{rule} where `{name}` is `{wanted}`"),
        }
    }
}

fn filled<'env>(template: &str, value: &dyn Fn(&str) -> Option<&'env str>) -> Option<String> {
    let mut text = String::new();
    let mut rest = template;
    while let Some((before, behind)) = rest.split_once('{') {
        let (name, after) = behind.split_once('}')?;
        text.push_str(before);
        text.push_str(value(name)?);
        rest = after;
    }
    text.push_str(rest);
    Some(text)
}

/// Returns the last two parts of an address's path: `https://host/o/r.git`, `git@host:o/r`.
fn repo_of(address: &str) -> Option<String> {
    let address = address.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/');
    let path = match address.split_once("://") {
        Some((_, rest)) => rest.split_once('/')?.1,
        None => address.split_once(':')?.1,
    };
    let path = path.strip_suffix(".git").unwrap_or(path);
    let (before, name) = path.rsplit_once('/')?;
    let owner = before.rsplit('/').next()?;
    (!owner.is_empty() && !name.is_empty()).then(|| format!("{owner}/{name}"))
}

fn build_of(address: &str) -> Option<&str> {
    let address = address.split('#').next().unwrap_or_default();
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let said = query.split('&').find_map(|pair| pair.strip_prefix("buildId="));
    let id = said.or_else(|| path.trim_end_matches('/').rsplit('/').next())?;
    (!id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit())).then_some(id)
}

fn branch_of(text: &str) -> Option<&str> {
    if let Some(branch) = text.strip_prefix("refs/heads/") {
        return Some(branch);
    }
    if text.starts_with("refs/") {
        return None;
    }
    Some(text.strip_prefix("origin/").unwrap_or(text))
}

fn is_hash(text: &str) -> bool {
    (7..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_read_from_addresses_of_any_form() {
        for address in [
            "https://github.com/o/r.git",
            "https://github.com/o/r/",
            "git@github.com:o/r.git",
            "ssh://git@host:22/o/r",
            "https://user@dev.azure.com/org/o/r?x=/y/z",
        ] {
            assert_eq!(repo_of(address).as_deref(), Some("o/r"), "{address}");
        }
        for address in
            ["", "o", "https://github.com", "https://github.com/o", "git@github.com:o", "/o/r", "a://b//"]
        {
            assert_eq!(repo_of(address), None, "{address}");
        }
    }

    #[test]
    fn what_is_missing_of_a_text_makes_it_none() {
        let get = |name: &str| (name == "A").then_some("a");
        let read = |rule: Rule| rule.read(&get);
        assert_eq!(read(Rule::Text("x{A}/{A}y")).as_deref(), Some("xa/ay"));
        assert_eq!((read(Rule::Text("{A}/{B}")), read(Rule::Text("{A"))), (None, None));
        assert_eq!(read(Rule::Unless(&["B"], &Rule::Is("A"))).as_deref(), Some("a"));
        assert_eq!(read(Rule::Unless(&["A"], &Rule::Is("A"))), None);
    }

    #[test]
    fn a_build_s_page_names_its_id() {
        for (address, id) in [
            ("https://h/buildConfiguration/A_B2/5501", Some("5501")),
            ("https://h/buildConfiguration/A_B2/5501/?buildTab=tests#2", Some("5501")),
            ("https://h/viewLog.html?buildId=5501&buildTypeId=bt12", Some("5501")),
            ("https://h/viewLog.html?buildTypeId=bt12", None),
            ("https://h/buildConfiguration/A_B2", None),
            ("https://h/", None),
        ] {
            assert_eq!(build_of(address), id, "{address}");
        }
    }

    #[test]
    fn numbers_stand_at_the_end() {
        for (value, number) in [
            ("1", Some("1")),
            ("https://h/pull/12", Some("12")),
            ("false", None),
            ("PR-3", Some("3")),
            ("x", None),
        ] {
            assert_eq!(Rule::Number("A").read(&|_| Some(value)).as_deref(), number, "{value}");
        }
    }
}
