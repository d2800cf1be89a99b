//! Azure Blob Storage.

use std::collections::BTreeMap;

use object_store::azure::{AzureConfigKey as Key, MicrosoftAzureBuilder};

use crate::source::{SourceError, SourceErrorKind};

use super::connect::{Connected, Usage, bad_setting};
use super::probe::has_azure_identity;
use super::{StoreSettings, StoreUrl};

const METADATA: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

/// Connects: credentials from the environment or the machine's identity, anonymous where there are none.
pub(super) async fn connect(
    url: &StoreUrl,
    settings: &StoreSettings,
    usage: Usage,
) -> Result<Connected, SourceError> {
    let string =
        settings.variable("AZURE_STORAGE_CONNECTION_STRING").map(connection_string).unwrap_or_default();
    let in_string = |key: &str| string.get(key).map(String::as_str);
    let account = settings
        .first_variable(&["AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_ACCOUNT_NAME"])
        .or_else(|| in_string("accountname"));
    let Some(account) = account else {
        let what = format!("`{url}` names no storage account; set AZURE_STORAGE_ACCOUNT");
        return Err(SourceError::new(SourceErrorKind::BadSetting, what));
    };
    let suffix = in_string("endpointsuffix").map(|suffix| format!("https://{account}.blob.{suffix}"));
    let endpoint = settings
        .variable("AZURE_STORAGE_ENDPOINT")
        .or_else(|| in_string("blobendpoint"))
        .or(suffix.as_deref());

    let mut options = usage.client_options(settings);
    let mut builder = MicrosoftAzureBuilder::new()
        .with_account(account)
        .with_container_name(&url.bucket)
        .with_retry(usage.retry_config(settings));
    if let Some(endpoint) = endpoint {
        options = options.with_allow_http(endpoint.starts_with("http://"));
        builder = builder.with_endpoint(endpoint.trim_end_matches('/').to_owned());
    }
    let key = settings.first_variable(&["AZURE_STORAGE_KEY", "AZURE_STORAGE_ACCOUNT_KEY"]);
    let sas = settings.variable("AZURE_STORAGE_SAS_TOKEN").or_else(|| in_string("sharedaccesssignature"));
    let given = [
        (Key::AccessKey, key.or_else(|| in_string("accountkey"))),
        (Key::SasKey, sas),
        (Key::Token, settings.variable("AZURE_STORAGE_TOKEN")),
        (Key::ClientId, settings.variable("AZURE_CLIENT_ID")),
        (Key::ClientSecret, settings.variable("AZURE_CLIENT_SECRET")),
        (Key::AuthorityId, settings.variable("AZURE_TENANT_ID")),
        (Key::AuthorityHost, settings.variable("AZURE_AUTHORITY_HOST")),
        (Key::FederatedTokenFile, settings.variable("AZURE_FEDERATED_TOKEN_FILE")),
        (Key::UseAzureCli, settings.variable("AZURE_USE_AZURE_CLI")),
        (Key::MsiEndpoint, settings.variable("IDENTITY_ENDPOINT")),
    ];
    let mut has_credentials = false;
    for (key, value) in given {
        if let Some(value) = value {
            // Who asks and where is known by itself; only these prove it.
            has_credentials |=
                !matches!(key, Key::ClientId | Key::AuthorityId | Key::AuthorityHost | Key::MsiEndpoint);
            builder = builder.with_config(key, value);
        }
    }
    let is_anonymous = settings.is_set("AZURE_SKIP_SIGNATURE")
        || (!has_credentials
            && !has_azure_identity(settings.variable("IDENTITY_ENDPOINT").unwrap_or(METADATA)).await);
    let store = builder
        .with_config(Key::SkipSignature, is_anonymous.to_string())
        .with_client_options(options)
        .build()
        .map_err(|e| bad_setting(url).because(e))?;
    Ok(Connected::new(store, is_anonymous))
}

/// Reads `AccountName=x;AccountKey=y==;...`. Keys come out in lower case.
fn connection_string(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
    let mut values: BTreeMap<_, _> =
        pairs.map(|(key, value)| (key.trim().to_ascii_lowercase(), value.trim().to_owned())).collect();
    if values.get("usedevelopmentstorage").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        // The emulator's account, the same on every machine.
        for (key, value) in [
            ("accountname", "devstoreaccount1"),
            (
                "accountkey",
                "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
            ),
            ("blobendpoint", "http://127.0.0.1:10000/devstoreaccount1"),
        ] {
            values.insert(key.to_owned(), value.to_owned());
        }
    }
    values
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_connection_string_is_read() {
        let values = connection_string(
            "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=k==;EndpointSuffix=core.x",
        );
        assert_eq!(values["accountname"], "a");
        assert_eq!(values["accountkey"], "k==");
        assert_eq!(values["endpointsuffix"], "core.x");
        assert_eq!(connection_string("UseDevelopmentStorage=true")["accountname"], "devstoreaccount1");
    }
}
