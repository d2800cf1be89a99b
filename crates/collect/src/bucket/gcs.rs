//! Google Cloud Storage.

use std::path::Path;

use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey as Key};

use crate::source::{SourceError, SourceErrorKind};

use super::connect::{Connected, Usage, bad_setting};
use super::probe::has_google_account;
use super::{StoreSettings, StoreUrl};

/// Connects: credentials as Google's own programs look for them, anonymous where there are none.
pub(super) async fn connect(
    url: &StoreUrl,
    settings: &StoreSettings,
    usage: Usage,
) -> Result<Connected, SourceError> {
    let mut options = usage.client_options(settings);
    let mut builder = GoogleCloudStorageBuilder::new()
        .with_bucket_name(&url.bucket)
        .with_retry(usage.retry_config(settings));
    let emulator = settings.variable("STORAGE_EMULATOR_HOST");
    if let Some(host) = emulator {
        let base = if host.contains("://") { host.to_owned() } else { format!("http://{host}") };
        options = options.with_allow_http(base.starts_with("http://"));
        builder = builder.with_base_url(base.trim_end_matches('/'));
    }
    let given = [
        (Key::BearerToken, settings.variable("GOOGLE_BEARER_TOKEN")),
        (Key::ServiceAccountKey, settings.variable("GOOGLE_SERVICE_ACCOUNT_KEY")),
        (
            Key::ServiceAccount,
            settings.first_variable(&["GOOGLE_SERVICE_ACCOUNT_PATH", "GOOGLE_SERVICE_ACCOUNT"]),
        ),
        (Key::ApplicationCredentials, settings.variable("GOOGLE_APPLICATION_CREDENTIALS")),
    ];
    let is_anonymous = if settings.is_set("GOOGLE_SKIP_SIGNATURE") {
        true
    } else if let Some((key, Some(value))) = given.into_iter().find(|(_, value)| value.is_some()) {
        builder = builder.with_config(key, value);
        false
    } else {
        // Whoever names an emulator has no account for it.
        emulator.is_some() || (!has_default_credentials(settings) && !is_google_machine(settings).await)
    };
    let store = builder
        .with_skip_signature(is_anonymous)
        .with_client_options(options)
        .build()
        .map_err(|e| credentials_error(url, e))?;
    Ok(Connected::new(store, is_anonymous))
}

/// Says what to do about credentials of a kind that the client does not read, as those of workload identity.
fn credentials_error(url: &StoreUrl, error: object_store::Error) -> SourceError {
    if !error.to_string().contains("unknown variant") {
        return bad_setting(url).because(error);
    }
    let what = "this kind of Google credentials is not read; \
                run: export GOOGLE_BEARER_TOKEN=\"$(gcloud auth print-access-token)\"";
    SourceError::new(SourceErrorKind::BadSetting, what).because(error)
}

/// Reports whether `gcloud auth application-default login` was run. The client reads the file by itself.
fn has_default_credentials(settings: &StoreSettings) -> bool {
    let (home, path) = if cfg!(windows) {
        ("APPDATA", "gcloud/application_default_credentials.json")
    } else {
        ("HOME", ".config/gcloud/application_default_credentials.json")
    };
    settings.variable(home).is_some_and(|home| Path::new(home).join(path).is_file())
}

async fn is_google_machine(settings: &StoreSettings) -> bool {
    let host = settings.variable("GCE_METADATA_HOST").unwrap_or("metadata.google.internal");
    !settings.is_set("NO_GCE_CHECK") && has_google_account(host).await
}
