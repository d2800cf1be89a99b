//! Amazon S3, and what speaks its language.

use std::sync::Arc;

use object_store::Certificate;
use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey as Key};

use crate::source::{SourceError, SourceErrorKind};

use super::connect::{Connected, Usage, bad_setting};
use super::probe::{has_aws_role, region_of_bucket};
use super::process::ProcessCredentials;
use super::profile::Profile;
use super::{StoreSettings, StoreUrl};

/// Settings that go on as they are.
const PASSED_ON: [&str; 5] = [
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    "AWS_REQUEST_PAYER",
    "AWS_SERVER_SIDE_ENCRYPTION",
    "AWS_SSE_KMS_KEY_ID",
    "AWS_SSE_BUCKET_KEY_ENABLED",
];

const GLOBAL: &str = "https://s3.amazonaws.com";
const METADATA: &str = "http://169.254.169.254";

/// Connects: credentials as the AWS command line looks for them, anonymous where there are none.
pub(super) async fn connect(
    url: &StoreUrl,
    settings: &StoreSettings,
    usage: Usage,
) -> Result<Connected, SourceError> {
    let needs_profile =
        !settings.is_set("AWS_SKIP_SIGNATURE") && settings.variable("AWS_ACCESS_KEY_ID").is_none();
    let profile = match Profile::read(settings) {
        Err(error) if needs_profile => return Err(bad_setting(url).because(error)),
        read => read.unwrap_or_default(),
    };
    let mut options = usage.client_options(settings);
    for certificate in certificates(settings)? {
        options = options.with_root_certificate(certificate);
    }
    let mut builder =
        AmazonS3Builder::new().with_bucket_name(&url.bucket).with_retry(usage.retry_config(settings));
    for name in PASSED_ON {
        if let Some(value) = settings.variable(name) {
            let key: Key = name.to_ascii_lowercase().parse().map_err(|e| bad_setting(url).because(e))?;
            builder = builder.with_config(key, value);
        }
    }
    let region = settings.first_variable(&["AWS_REGION", "AWS_DEFAULT_REGION"]).or(profile.get("region"));
    let endpoint = settings
        .first_variable(&["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"])
        .or_else(|| profile.get("endpoint_url"));
    if let Some(endpoint) = endpoint {
        options = options.with_allow_http(endpoint.starts_with("http://"));
        builder = builder.with_endpoint(endpoint);
    }
    let found = match endpoint {
        // The environment's region is the caller's, which need not be the bucket's.
        None => region_of_bucket(GLOBAL, &url.bucket).await,
        Some(_) => None,
    };
    if let Some(region) = found.as_deref().or(region) {
        builder = builder.with_region(region);
    }
    let (builder, is_anonymous) = with_credentials(builder, settings, &profile).await;
    let store = builder.with_client_options(options).build().map_err(|e| bad_setting(url).because(e))?;
    Ok(Connected::new(store, is_anonymous))
}

/// Adds credentials; the second value says that there are none.
async fn with_credentials(
    builder: AmazonS3Builder,
    settings: &StoreSettings,
    profile: &Profile,
) -> (AmazonS3Builder, bool) {
    let set = |builder: AmazonS3Builder, values: &[(Key, Option<&str>)]| {
        values.iter().fold(builder, |builder, (key, value)| match value {
            Some(value) => builder.with_config(*key, *value),
            None => builder,
        })
    };
    let keys = |value: &dyn Fn(&'static str) -> Option<String>| {
        [
            (Key::AccessKeyId, "aws_access_key_id"),
            (Key::SecretAccessKey, "aws_secret_access_key"),
            (Key::Token, "aws_session_token"),
        ]
        .map(|(key, name)| (key, value(name)))
    };
    let variable = |name: &'static str| settings.variable(&name.to_ascii_uppercase()).map(str::to_owned);
    let in_profile = |name: &'static str| profile.get(name).map(str::to_owned);

    if settings.is_set("AWS_SKIP_SIGNATURE") {
        return (builder.with_skip_signature(true), true);
    }
    for found in [keys(&variable), keys(&in_profile)] {
        if found.iter().any(|(key, value)| *key != Key::Token && value.is_some()) {
            let values = found.each_ref().map(|(key, value)| (*key, value.as_deref()));
            return (set(builder, &values), false);
        }
    }
    if let Some(command) = profile.get("credential_process") {
        return (builder.with_credentials(Arc::new(ProcessCredentials::new(command))), false);
    }
    let token_file =
        settings.variable("AWS_WEB_IDENTITY_TOKEN_FILE").or(profile.get("web_identity_token_file"));
    let role = settings.variable("AWS_ROLE_ARN").or(profile.get("role_arn"));
    if let (Some(_), Some(_)) = (token_file, role) {
        let session = settings.variable("AWS_ROLE_SESSION_NAME").or(profile.get("role_session_name"));
        let values = [
            (Key::WebIdentityTokenFile, token_file),
            (Key::RoleArn, role),
            (Key::RoleSessionName, session),
            (Key::StsEndpoint, settings.variable("AWS_ENDPOINT_URL_STS")),
        ];
        return (set(builder, &values), false);
    }
    let relative = settings.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
    let full = settings.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
    let token_file = settings.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
    if relative.is_some() || (full.is_some() && token_file.is_some()) {
        let values = [
            (Key::ContainerCredentialsRelativeUri, relative),
            (Key::ContainerCredentialsFullUri, full),
            (Key::ContainerAuthorizationTokenFile, token_file),
        ];
        return (set(builder, &values), false);
    }
    let metadata = settings.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or(METADATA);
    let metadata = metadata.trim_end_matches('/');
    if !settings.is_set("AWS_EC2_METADATA_DISABLED") && has_aws_role(metadata).await {
        return (builder.with_metadata_endpoint(metadata), false);
    }
    (builder.with_skip_signature(true), true)
}

fn certificates(settings: &StoreSettings) -> Result<Vec<Certificate>, SourceError> {
    let Some(path) = settings.variable("AWS_CA_BUNDLE") else { return Ok(Vec::new()) };
    let what = || SourceError::new(SourceErrorKind::BadSetting, format!("cannot use AWS_CA_BUNDLE `{path}`"));
    let pem = std::fs::read(path).map_err(|e| what().because(e))?;
    Certificate::from_pem_bundle(&pem).map_err(|e| what().because(e))
}
