//! What makes a case the same test in every run and on every machine: the test id.
//!
//! `docs/identity.md` defines it, with test vectors.

use std::borrow::Cow;
use std::fmt;

use memchr::memchr;
use sha2::{Digest, Sha256};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::fold::Fold;
use crate::model::Case;

mod browser;
mod checkout;

use checkout::without_checkout;

/// Names a test: the first 16 bytes of SHA-256 over the length-prefixed parts. As text 32 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TestId([u8; 16]);

impl TestId {
    /// Computes the id of a case in a repository (`owner/name`; empty where it is not known).
    ///
    /// # Examples
    /// ```
    /// use testlake_report::identity::TestId;
    /// use testlake_report::{Case, Fold, Outcome};
    ///
    /// let mut case = Case::new(Outcome::Passed, 0);
    /// case.class = Some("ab".into());
    /// case.name = Some("c".into());
    /// let id = TestId::of("", &case, Fold::NOTHING);
    /// assert_eq!(id.to_string(), "9bdb5ee746d4ca8ed09cb95bf9a23724");
    ///
    /// case.class = Some("a".into());
    /// case.name = Some("bc".into());
    /// assert_ne!(TestId::of("", &case, Fold::NOTHING), id);
    /// ```
    pub fn of(repo: &str, case: &Case<'_>, fold: Fold) -> Self {
        let mut hash = Sha256::new();
        tell(&mut hash, repo);
        parts(case, fold, |part| match part {
            Part::Text(text) => tell(&mut hash, text),
            Part::Count(count) => hash.update((count as u64).to_le_bytes()),
        });
        let digest = hash.finalize();
        let mut id = [0; 16];
        for (byte, of_digest) in id.iter_mut().zip(digest) {
            *byte = of_digest;
        }
        Self(id)
    }

    /// Returns the bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

fn tell(hash: &mut Sha256, text: &str) {
    hash.update((text.len() as u64).to_le_bytes());
    hash.update(text);
}

impl fmt::Display for TestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A part of an identity.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Part<'part> {
    /// A text; empty where it is absent.
    Text(&'part str),
    /// The number of suites that follow.
    Count(usize),
}

/// Tells the parts of a case that its identity is made of, beside the repository: file, suites, class, name.
#[inline]
pub(crate) fn parts(case: &Case<'_>, fold: Fold, mut tell: impl FnMut(Part<'_>)) {
    let browser = path_parts(case, fold, &mut tell);
    let mut text = |text: &str| tell(Part::Text(&fold.apply(text)));
    let class = stable_class(case);
    match (browser, case.suite.first()) {
        (Some(stable), Some(suite)) => text(&browser::class_without_versions(class, suite, &stable)),
        _ => text(class),
    }
    text(case.name.as_deref().unwrap_or_default());
}

/// Tells those of them that many cases have in common: file and suites. Returns the name of the browser that the suite is, which
/// the class may begin with.
fn path_parts(case: &Case<'_>, fold: Fold, tell: &mut impl FnMut(Part<'_>)) -> Option<String> {
    let mut text = |text: &str| tell(Part::Text(&fold.apply(text)));
    text(&stable_file(case.file.as_deref().unwrap_or_default()));
    tell(Part::Count(case.suite.len()));
    let mut text = |text: &str| tell(Part::Text(&fold.apply(text)));
    let mut browser = None;
    for (place, suite) in case.suite.iter().enumerate() {
        match browser::without_versions(suite) {
            // Karma's suite is the only one
            Some(stable) if place == 0 => {
                text(&stable);
                browser = Some(stable);
            }
            _ => text(without_checkout(stable_suite(suite))),
        }
    }
    browser
}

#[inline]
fn stable_class<'case>(case: &'case Case<'_>) -> &'case str {
    without_checkout(case.class.as_deref().unwrap_or_default())
}

/// Returns a hash of the parts: the same for the same parts and seed, and for others hardly ever.
pub(crate) fn key(case: &Case<'_>, fold: Fold, seed: u64) -> u64 {
    let mut key = seed;
    parts(case, fold, |part| key = part.hashed(key));
    key
}

impl Part<'_> {
    /// Each part is hashed with what came before it for a seed, so that it matters where one ends.
    #[inline]
    fn hashed(self, before: u64) -> u64 {
        match self {
            Part::Text(text) => xxh3_64_with_seed(text.as_bytes(), before),
            Part::Count(count) => before.wrapping_add(count as u64),
        }
    }
}

/// The keys of cases, one after the other: file and suites that are those of the case before are not hashed again.
#[derive(Debug)]
pub(crate) struct Keys {
    fold: Fold,
    seed: u64,
    /// File and suites of the case before, if there was one.
    file: String,
    suites: Vec<String>,
    is_known: bool,
    /// The hash of them.
    path: u64,
    /// Whether the class may begin with the name of a browser.
    has_browser: bool,
}

impl Keys {
    pub(crate) fn new(fold: Fold, seed: u64) -> Self {
        let (file, suites) = (String::new(), Vec::new());
        Self { fold, seed, file, suites, is_known: false, path: 0, has_browser: false }
    }

    /// Returns the [`key`] of a case.
    #[inline]
    pub(crate) fn of(&mut self, case: &Case<'_>) -> u64 {
        if !self.knows_path(case) {
            self.learn_path(case);
        }
        if self.has_browser {
            return key(case, self.fold, self.seed);
        }
        [stable_class(case), case.name.as_deref().unwrap_or_default()]
            .iter()
            .fold(self.path, |key, text| Part::Text(&self.fold.apply(text)).hashed(key))
    }

    #[inline]
    fn knows_path(&self, case: &Case<'_>) -> bool {
        self.is_known
            && case.suite.len() == self.suites.len()
            && case.file.as_deref().unwrap_or_default() == self.file
            && case.suite.iter().zip(&self.suites).all(|(name, known)| name == known)
    }

    #[inline(never)]
    fn learn_path(&mut self, case: &Case<'_>) {
        let mut path = self.seed;
        self.has_browser = path_parts(case, self.fold, &mut |part| path = part.hashed(path)).is_some();
        self.path = path;
        self.is_known = true;
        self.file.clear();
        self.file.push_str(case.file.as_deref().unwrap_or_default());
        self.suites.resize(case.suite.len(), String::new());
        for (known, name) in self.suites.iter_mut().zip(&case.suite) {
            known.clear();
            known.push_str(name);
        }
    }
}

/// Returns what of a file's path is the same on every machine: its place below the checkout, with `/`.
fn stable_file(path: &str) -> Cow<'_, str> {
    let path = without_checkout(path);
    let path = path.strip_prefix("./").or_else(|| path.strip_prefix(".\\")).unwrap_or(path);
    if memchr(b'\\', path.as_bytes()).is_some() { path.replace('\\', "/").into() } else { path.into() }
}

/// Returns what of a suite's name is the same in every run: unittest-xml-reporting ends it with the time.
#[inline]
pub(crate) fn stable_suite(name: &str) -> &str {
    const TIME: usize = 14;
    let (stable, rest) = name.split_at_checked(name.len().saturating_sub(TIME + 1)).unwrap_or_default();
    let is_time = |time: &str| time.bytes().all(|byte| byte.is_ascii_digit());
    if !stable.is_empty() && rest.strip_prefix('-').is_some_and(is_time) { stable } else { name }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::Outcome;

    const PAGE: &str = include_str!("../../../../docs/identity.md");

    fn case(file: &str, suite: &[&str], class: &str, name: &str) -> Case<'static> {
        let text = |text: &str| (!text.is_empty()).then(|| text.to_owned().into());
        let mut case = Case::new(Outcome::Passed, 0);
        case.file = text(file);
        case.suite = suite.iter().map(|name| name.to_string().into()).collect();
        case.class = text(class);
        case.name = text(name);
        case
    }

    /// The table of the page: repository, file, suites, class, name, id. Its ids are computed by its own program.
    #[test]
    fn the_vectors_of_the_page_hold() {
        let rows = PAGE.lines().skip_while(|line| !line.starts_with("## Test vectors"));
        let rows = rows.filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
        let mut compared = 0;
        for row in rows.skip(1) {
            let cells: Vec<_> = row.split(" | ").map(|cell| cell.trim().trim_matches('`')).collect();
            let [repo, file, suites, class, name, id] = cells[..] else { panic!("{row}") };
            let suites: Vec<_> = suites.split(" > ").filter(|name| !name.is_empty()).collect();
            let case = case(file, &suites, class, name);
            assert_eq!(TestId::of(repo, &case, Fold::NOTHING).to_string(), id, "{row}");
            compared += 1;
        }
        assert!(compared >= 10);
    }

    proptest! {
        #[test]
        fn keys_of_cases_in_a_row_are_those_of_each_alone(
            places in prop::collection::vec((0_usize..5, prop::collection::vec(0_usize..4, 0..3), 0_usize..4, 0_usize..3), 1..30),
            fold in prop::sample::select(vec![Fold::NOTHING, Fold::EVERYTHING]),
            seed in any::<u64>(),
        ) {
            let files = ["", "a.py", "./a.py", "/root/project/a.py", "/tmp/a.py"];
            let suites = ["a", "Chrome 79.0 (Linux)", "Firefox 1.0 (Linux)", "t-20261123024040"];
            let classes = ["", "C", "Chrome_79_0_(Linux).C", "/tmp/C"];
            let names = ["", "n", "m 0x7f3c2a1b9d30"];
            let mut keys = Keys::new(fold, seed);
            for (file, of, class, name) in places {
                let of: Vec<_> = of.into_iter().map(|place| suites[place]).collect();
                let case = case(files[file], &of, classes[class], names[name]);
                prop_assert_eq!(keys.of(&case), key(&case, fold, seed));
            }
        }
    }

    #[test]
    fn no_two_lists_of_parts_are_alike() {
        let cases = [
            case("", &[], "ab", "c"),
            case("", &[], "a", "bc"),
            case("", &["a"], "", "bc"),
            case("", &["a", "bc"], "", ""),
            case("a", &[], "", "bc"),
            case("", &["ab"], "", "c"),
            case("", &["a", ""], "", "bc"),
        ];
        let ids: std::collections::BTreeSet<_> =
            cases.iter().map(|case| TestId::of("", case, Fold::NOTHING)).collect();
        assert_eq!(ids.len(), cases.len());
        assert_ne!(TestId::of("a", &cases[0], Fold::NOTHING), TestId::of("", &cases[0], Fold::NOTHING));
    }

    #[test]
    fn a_suite_that_ends_with_the_time_is_the_same_in_every_run() {
        let id = |name| TestId::of("", &case("", &[name], "C", "n"), Fold::NOTHING);
        assert_eq!(id("TestFoo-20261123024040"), id("TestFoo-20261124030000"));
        assert_eq!(id("TestFoo-20261123024040"), id("TestFoo"));
        assert_ne!(id("TestFoo-2026112302404"), id("TestFoo"));
        assert_ne!(id("-20261123024040"), id("-20261123024041"));
    }

    #[test]
    fn an_update_of_a_browser_makes_no_other_test() {
        let id = |suite, class| TestId::of("", &case("", &[suite], class, "n"), Fold::NOTHING);
        let before =
            id("Chrome 79.0.3945.88 (Mac OS X 10.15.0)", "Chrome_79_0_3945_88_(Mac_OS_X_10_15_0).cart");
        assert_eq!(id("Chrome 120.0.1.2 (Mac OS X 14.1)", "Chrome_120_0_1_2_(Mac_OS_X_14_1).cart"), before);
        assert_ne!(id("Firefox 79.0 (Mac OS X 10.15.0)", "Firefox_79_0_(Mac_OS_X_10_15_0).cart"), before);
        assert_ne!(id("Chrome 79.0.3945.88 (Linux)", "Chrome_79_0_3945_88_(Linux).cart"), before);
    }

    #[test]
    fn a_file_is_the_same_on_every_machine() {
        let id = |file| TestId::of("", &case(file, &[], "C", "n"), Fold::NOTHING);
        for file in [
            "./tests/a.py",
            "tests\\a.py",
            "/home/runner/work/name/name/tests/a.py",
            "D:\\a\\name\\name\\tests\\a.py",
        ] {
            assert_eq!(id(file), id("tests/a.py"), "{file}");
        }
        assert_ne!(id("/tests/a.py"), id("tests/a.py"));
    }

    #[test]
    fn volatile_parts_are_folded_where_that_is_asked_for() {
        let id = |name, fold| TestId::of("", &case("", &[], "C", name), fold);
        let (one, other) = ("test[<A at 0x7f3c2a1b9d30>]", "test[<A at 0x7f3c2a1b9d90>]");
        assert_ne!(id(one, Fold::NOTHING), id(other, Fold::NOTHING));
        assert_eq!(id(one, Fold::EVERYTHING), id(other, Fold::EVERYTHING));
    }
}
