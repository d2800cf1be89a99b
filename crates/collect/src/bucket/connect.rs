//! Connects to a store, once, when it is first needed.

use std::sync::Arc;

use object_store::list::PaginatedListStore;
use object_store::{BackoffConfig, ClientOptions, HeaderValue, ObjectStore, RetryConfig};
use tokio::sync::OnceCell;

use crate::source::{SourceError, SourceErrorKind};

use super::{Failure, Provider, StoreSettings, StoreUrl, azure, gcs, s3};

/// A place in an object store. What it takes to reach it is found out at the first use.
#[derive(Debug)]
pub(crate) struct Bucket {
    pub(crate) url: StoreUrl,
    pub(crate) settings: StoreSettings,
    usage: Usage,
    connected: OnceCell<Connected>,
}

/// What a bucket is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Usage {
    /// Reading. Retries are the caller's, who goes on where a broken connection ended.
    Read,
    /// Writing. Requests are retried by the client.
    Write,
}

/// A client of a store.
pub(crate) struct Connected {
    pub(crate) objects: Arc<dyn ObjectStore>,
    pub(crate) pages: Arc<dyn PaginatedListStore>,
    /// Whether requests go without a signature because no credentials were found.
    pub(super) is_anonymous: bool,
}

impl std::fmt::Debug for Connected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connected").field("is_anonymous", &self.is_anonymous).finish_non_exhaustive()
    }
}

impl Connected {
    pub(super) fn new<S: ObjectStore + PaginatedListStore>(store: S, is_anonymous: bool) -> Self {
        let store = Arc::new(store);
        Self { objects: store.clone(), pages: store, is_anonymous }
    }
}

impl Bucket {
    pub(crate) fn new(url: StoreUrl, settings: StoreSettings, usage: Usage) -> Self {
        Self { url, settings, usage, connected: OnceCell::new() }
    }

    /// Returns the client.
    pub(crate) async fn connected(&self) -> Result<&Connected, SourceError> {
        let connect = || async {
            match self.url.provider {
                Provider::S3 => s3::connect(&self.url, &self.settings, self.usage).await,
                Provider::Gcs => gcs::connect(&self.url, &self.settings, self.usage).await,
                Provider::Azure => azure::connect(&self.url, &self.settings, self.usage).await,
            }
        };
        self.connected.get_or_try_init(connect).await
    }

    /// Makes an error of a failure, with what to do about it.
    pub(crate) fn explain(&self, failure: Failure, what: String) -> SourceError {
        if failure.is_no_bucket() {
            return failure.into_error(format!("there is no bucket `{}`", self.url.bucket), None);
        }
        if let Some(key) = &failure.bad_key {
            let what = format!(
                "{what}: the key `{key}` has a part that is empty, `.`, `..` or with a control character, and what lies \
                 beside it cannot be listed either; rename or remove that object"
            );
            return failure.into_error(what, None);
        }
        let is_anonymous = self.connected.get().is_some_and(|connected| connected.is_anonymous);
        let hint = match (failure.kind, self.url.provider) {
            (SourceErrorKind::Unauthorized | SourceErrorKind::Forbidden, provider) if is_anonymous => {
                Some(match provider {
                    Provider::S3 => {
                        "no credentials were found: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"
                    }
                    Provider::Gcs => "no credentials were found: set GOOGLE_APPLICATION_CREDENTIALS",
                    Provider::Azure => {
                        "no credentials were found: set AZURE_STORAGE_KEY or AZURE_STORAGE_SAS_TOKEN"
                    }
                })
            }
            (SourceErrorKind::Unauthorized, _) => {
                Some("check the credentials, and the clock of this machine")
            }
            (SourceErrorKind::Forbidden, Provider::S3) => Some(match self.usage {
                Usage::Read => {
                    "these credentials lack s3:ListBucket or s3:GetObject here; \
                     AWS_SKIP_SIGNATURE=true reads a public bucket without any"
                }
                Usage::Write => "these credentials lack s3:PutObject here",
            }),
            (SourceErrorKind::Forbidden, Provider::Gcs | Provider::Azure) => {
                Some("these credentials lack the permission")
            }
            (SourceErrorKind::BadSetting, Provider::S3) => Some("set AWS_REGION to the bucket's region"),
            _ => None,
        };
        failure.into_error(what, hint)
    }
}

impl Usage {
    pub(super) fn client_options(self, settings: &StoreSettings) -> ClientOptions {
        let options = ClientOptions::new()
            .with_user_agent(HeaderValue::from_static(concat!("testlake/", env!("CARGO_PKG_VERSION"))))
            .with_timeout_disabled();
        match self {
            // A large object takes its time, as long as something comes.
            Self::Read => options.with_read_timeout(settings.stall),
            // While a part goes out nothing comes in.
            Self::Write => options.with_timeout(settings.part_timeout),
        }
    }

    pub(super) fn retry_config(self, settings: &StoreSettings) -> RetryConfig {
        RetryConfig {
            backoff: BackoffConfig {
                init_backoff: settings.backoff,
                max_backoff: settings.max_backoff,
                base: 2.0,
            },
            max_retries: match self {
                Self::Read => 0,
                Self::Write => settings.retries,
            },
            retry_timeout: settings.deadline,
        }
    }
}

/// Says that a setting is wrong.
pub(super) fn bad_setting(url: &StoreUrl) -> SourceError {
    SourceError::new(SourceErrorKind::BadSetting, format!("cannot reach `{url}` with these settings"))
}
