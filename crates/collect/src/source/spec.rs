//! The words that name a source.

use std::fmt;
use std::path::PathBuf;

use crate::bucket::StoreUrl;

use super::{SourceError, SourceErrorKind};

/// What a source's word on the command line means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SourceSpec {
    /// A folder of artifacts or reports, a glob, an archive, a single report.
    Path(String),
    /// `file:///folder`: a bucket's layout on a local disk.
    Folder(PathBuf),
    /// `s3://`, `gs://`, `az://`.
    Store(StoreUrl),
    /// The word `github`.
    GitHub,
    /// The word `circleci`.
    CircleCi,
    /// The web address of a run at GitHub.
    RunUrl(String),
    /// The web address of a pipeline or workflow at CircleCI.
    CircleCiUrl(String),
}

/// What the web address of a run looks like at GitHub.
const GITHUB_RUN: &str = "https://github.com/owner/name/actions/runs/1";
/// And at CircleCI.
const CIRCLECI_RUN: &str = "https://app.circleci.com/pipelines/gh/owner/name/1/workflows/ID";

impl SourceSpec {
    /// Parses the word. Nothing is opened.
    ///
    /// A path that happens to be called `github` or `circleci` is reached as `./github`.
    ///
    /// # Errors
    /// [`SourceErrorKind::BadSetting`] for an empty word and an address that is none of those known.
    pub fn parse(word: &str) -> Result<Self, SourceError> {
        let bad = |what: String| SourceError::new(SourceErrorKind::BadSetting, what);
        match word {
            "" => return Err(bad("an empty source; give a path or an address".to_owned())),
            "github" => return Ok(Self::GitHub),
            "circleci" => return Ok(Self::CircleCi),
            _ => {}
        }
        if let Some(url) = StoreUrl::parse(word) {
            return url.map(Self::Store).map_err(|e| bad("not a store's address".to_owned()).because(e));
        }
        let Some((scheme, rest)) = word.split_once("://") else { return Ok(Self::Path(word.to_owned())) };
        if scheme.eq_ignore_ascii_case("file") {
            return file_url_path(rest).map(Self::Folder).ok_or_else(|| {
                bad(format!("`{word}` names no folder of this machine; it reads `file:///folder`"))
            });
        }
        if scheme.eq_ignore_ascii_case("https") || scheme.eq_ignore_ascii_case("http") {
            // The address may hold a secret (`user:token@`): it is not repeated.
            let (_, path) = rest.split_once('/').unwrap_or((rest, ""));
            return if path.starts_with("pipelines/") {
                Ok(Self::CircleCiUrl(word.to_owned()))
            } else if path.contains("/actions/runs/") {
                Ok(Self::RunUrl(word.to_owned()))
            } else {
                Err(bad(format!("an address that is no run's; one reads `{GITHUB_RUN}` or `{CIRCLECI_RUN}`")))
            };
        }
        if scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.')) {
            return Err(bad(format!(
                "`{scheme}://` is no kind of source; known are s3://, gs://, az://, file:/// and a run's https:// address"
            )));
        }
        Ok(Self::Path(word.to_owned()))
    }
}

impl fmt::Display for SourceSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => f.write_str(path),
            Self::Folder(path) => write!(f, "file://{}", path.display()),
            Self::Store(url) => url.fmt(f),
            Self::GitHub => f.write_str("github"),
            Self::CircleCi => f.write_str("circleci"),
            Self::RunUrl(_) => f.write_str("github run address"),
            Self::CircleCiUrl(_) => f.write_str("circleci run address"),
        }
    }
}

/// Returns the path of what stands after `file://`; `None` for another machine's, a relative one and bad escapes.
pub(crate) fn file_url_path(rest: &str) -> Option<PathBuf> {
    let path = rest.strip_prefix("localhost").unwrap_or(rest);
    if !path.starts_with('/') {
        return None;
    }
    let mut bytes = Vec::with_capacity(path.len());
    let mut raw = path.bytes();
    while let Some(byte) = raw.next() {
        if byte == b'%' {
            let digit = |byte: u8| char::from(byte).to_digit(16);
            bytes.push(u8::try_from(digit(raw.next()?)? * 16 + digit(raw.next()?)?).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    let path = String::from_utf8(bytes).ok()?;
    if path.contains('\0') {
        return None;
    }
    // `file:///C:/x` is `C:/x` where drives have letters.
    if cfg!(windows) { Some(path.trim_start_matches('/').into()) } else { Some(path.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bucket::Provider;

    fn bad(word: &str) -> String {
        let error = SourceSpec::parse(word).unwrap_err();
        assert_eq!(error.kind(), SourceErrorKind::BadSetting);
        error.to_string()
    }

    #[test]
    fn each_kind_of_source_is_told_by_its_word() {
        let parse = |word: &str| SourceSpec::parse(word).unwrap();
        for path in [
            "./artifacts",
            "a/**/*.xml",
            "x.zip",
            "./github",
            "github/x",
            "C:\\reports",
            "a:b",
            "weird name://x",
        ] {
            assert_eq!(parse(path), SourceSpec::Path(path.to_owned()));
        }
        assert_eq!(parse("github"), SourceSpec::GitHub);
        assert_eq!(parse("circleci"), SourceSpec::CircleCi);
        let url = StoreUrl { provider: Provider::S3, bucket: "b".to_owned(), prefix: "p/q".to_owned() };
        assert_eq!(parse("s3://b/p/q/"), SourceSpec::Store(url));
        let run = "https://github.com/o/r/actions/runs/7";
        assert_eq!(parse(run), SourceSpec::RunUrl(run.to_owned()));
        for run in
            ["https://app.circleci.com/pipelines/gh/o/r/7", "http://ci:8080/pipelines/gh/actions/runs/7"]
        {
            assert_eq!(parse(run), SourceSpec::CircleCiUrl(run.to_owned()));
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_file_address_is_a_folder_of_this_machine() {
        let folder = |word: &str| SourceSpec::parse(word).map(|spec| spec.to_string()).map_err(|_| ());
        assert_eq!(folder("file:///data/a%20b"), Ok("file:///data/a b".to_owned()));
        assert_eq!(folder("file://localhost/data"), Ok("file:///data".to_owned()));
        for word in [
            "file://data/run",
            "file:///%zz",
            "file:///%2",
            "file:///%+2",
            "file:///%00",
            "file:///%ff",
            "file://",
        ] {
            assert_eq!(folder(word), Err(()), "{word}");
        }
    }

    #[test]
    fn a_wrong_address_is_refused_and_no_secret_repeated() {
        assert!(bad("ftp://x").contains("`ftp://` is no kind of source"));
        assert!(bad("").contains("empty"));
        assert!(!bad("https://user:token@example.org/x").contains("token"));
        for word in ["https://github.com/o/r", "https://x", "https://app.circleci.com/o/pipelines/7"] {
            assert!(bad(word).contains(GITHUB_RUN) && bad(word).contains(CIRCLECI_RUN), "{word}");
        }
        assert!(!bad("s3://key:secret@b").contains("secret"));
    }
}
