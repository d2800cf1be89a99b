//! The address of a place in an object store.

use std::fmt;

/// Whose object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Provider {
    /// Amazon S3, or one that speaks its language.
    S3,
    /// Google Cloud Storage.
    Gcs,
    /// Azure Blob Storage.
    Azure,
}

/// A bucket and a prefix in it: `s3://bucket/prefix`, `gs://bucket`, `az://container`. Holds no secrets.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct StoreUrl {
    /// Whose store.
    pub provider: Provider,
    /// The bucket (Azure's word: container).
    pub bucket: String,
    /// What stands before each key, without a slash at either end; empty for the whole bucket.
    pub prefix: String,
}

/// Why a text is no [`StoreUrl`]. The text itself is not repeated, as it may hold a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StoreUrlError {
    /// Nothing stands between `://` and the next slash.
    #[error("the address names no bucket")]
    NoBucket,
    /// A key and a secret stand in the address.
    #[error("credentials do not go into a store's address; set them in the environment or in a profile")]
    Credentials,
    /// A character that no bucket's name has.
    #[error("the bucket's name holds `{0}`, which no bucket's name has")]
    BucketCharacter(char),
    /// `?` or `#`.
    #[error("a store's address has no `{0}` part; settings go into the environment")]
    Query(char),
    /// A part of the prefix that is empty, `.` or `..`, or holds a control character.
    #[error("a part of the prefix is empty, `.`, `..`, or holds a control character")]
    Prefix,
}

impl Provider {
    /// Returns the scheme that addresses begin with.
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::S3 => "s3",
            Self::Gcs => "gs",
            Self::Azure => "az",
        }
    }

    fn of_scheme(scheme: &str) -> Option<Self> {
        [Self::S3, Self::Gcs, Self::Azure].into_iter().find(|p| scheme.eq_ignore_ascii_case(p.scheme()))
    }
}

impl StoreUrl {
    /// Parses an address; `None` where it begins with no store's scheme.
    ///
    /// # Errors
    /// Where it begins so and then goes wrong.
    pub fn parse(text: &str) -> Option<Result<Self, StoreUrlError>> {
        let (scheme, rest) = text.split_once("://")?;
        let provider = Provider::of_scheme(scheme)?;
        Some(Self::parse_rest(provider, rest))
    }

    fn parse_rest(provider: Provider, rest: &str) -> Result<Self, StoreUrlError> {
        if let Some(c) = rest.chars().find(|c| matches!(c, '?' | '#')) {
            return Err(StoreUrlError::Query(c));
        }
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.contains('@') {
            return Err(StoreUrlError::Credentials);
        }
        if bucket.is_empty() {
            return Err(StoreUrlError::NoBucket);
        }
        // `$` is for Azure's `$root` and `$web`.
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | '$');
        if let Some(c) = bucket.chars().find(|c| !allowed(*c)) {
            return Err(StoreUrlError::BucketCharacter(c));
        }
        let prefix = prefix.trim_end_matches('/');
        let wrong = |part: &str| matches!(part, "" | "." | "..") || part.contains(char::is_control);
        if !prefix.is_empty() && prefix.split('/').any(wrong) {
            return Err(StoreUrlError::Prefix);
        }
        Ok(Self { provider, bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }

    /// Puts the prefix before a key.
    pub fn key(&self, key: &str) -> String {
        if self.prefix.is_empty() { key.to_owned() } else { format!("{}/{key}", self.prefix) }
    }
}

impl fmt::Display for StoreUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.provider.scheme(), self.bucket)?;
        if !self.prefix.is_empty() {
            write!(f, "/{}", self.prefix)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<String, StoreUrlError> {
        StoreUrl::parse(text).expect("a store's scheme").map(|url| url.to_string())
    }

    #[test]
    fn an_address_has_a_bucket_and_a_prefix() {
        assert_eq!(parse("s3://gha-artifacts").as_deref(), Ok("s3://gha-artifacts"));
        assert_eq!(parse("S3://b/").as_deref(), Ok("s3://b"));
        assert_eq!(parse("gs://b/x/y/").as_deref(), Ok("gs://b/x/y"));
        assert_eq!(parse("az://$root/a b").as_deref(), Ok("az://$root/a b"));
        let url = StoreUrl::parse("s3://b/x/y").unwrap().unwrap();
        assert_eq!(url.key("test_run/1/1"), "x/y/test_run/1/1");
    }

    #[test]
    fn what_is_wrong_with_an_address_is_said() {
        assert_eq!(parse("s3://"), Err(StoreUrlError::NoBucket));
        assert_eq!(parse("s3:///x"), Err(StoreUrlError::NoBucket));
        assert_eq!(parse("s3://key:secret@b"), Err(StoreUrlError::Credentials));
        assert_eq!(parse("s3://b*"), Err(StoreUrlError::BucketCharacter('*')));
        assert_eq!(parse("s3://b/x?region=eu"), Err(StoreUrlError::Query('?')));
        assert_eq!(parse("s3://b/x/../y"), Err(StoreUrlError::Prefix));
        assert_eq!(parse("s3://b//y"), Err(StoreUrlError::Prefix));
    }

    #[test]
    fn other_schemes_and_paths_are_not_stores() {
        for text in ["./s3", "https://github.com/o/r", "file:///x", "s3:/x", "C:\\x"] {
            assert_eq!(StoreUrl::parse(text), None, "{text}");
        }
    }
}
