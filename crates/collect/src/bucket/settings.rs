//! What a connection to an object store depends on besides its address.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// Credentials and places from the environment, retries and deadlines.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    environment: Environment,
    /// How often at most a request is tried again after a failure that may pass; progress begins the count anew.
    pub retries: usize,
    /// How long to wait before the first retry; doubled for each further one, with jitter.
    pub backoff: Duration,
    /// How long to wait at most before a retry.
    pub max_backoff: Duration,
    /// How long a request may go on without a byte coming in before it is broken off and tried again.
    pub stall: Duration,
    /// How long an upload request of one part (8 MiB) may take.
    pub part_timeout: Duration,
    /// How long a request is tried again. For a fetch it counts from the last time that it moved on by a MiB.
    pub deadline: Duration,
}

/// Variables of the environment. Its values do not print.
#[derive(Clone, Default)]
struct Environment(BTreeMap<&'static str, String>);

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Every variable that is looked up.
pub(super) const VARIABLES: &[&str] = &[
    // Where profiles lie.
    "HOME",
    "USERPROFILE",
    // S3.
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_ENDPOINT_URL_STS",
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONFIG_FILE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "AWS_EC2_METADATA_DISABLED",
    "AWS_EC2_METADATA_SERVICE_ENDPOINT",
    "AWS_SKIP_SIGNATURE",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST",
    "AWS_REQUEST_PAYER",
    "AWS_SERVER_SIDE_ENCRYPTION",
    "AWS_SSE_KMS_KEY_ID",
    "AWS_SSE_BUCKET_KEY_ENABLED",
    "AWS_CA_BUNDLE",
    // Google Cloud Storage.
    "GOOGLE_SERVICE_ACCOUNT",
    "GOOGLE_SERVICE_ACCOUNT_PATH",
    "GOOGLE_SERVICE_ACCOUNT_KEY",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "GOOGLE_BEARER_TOKEN",
    "GOOGLE_SKIP_SIGNATURE",
    "STORAGE_EMULATOR_HOST",
    "GCE_METADATA_HOST",
    "NO_GCE_CHECK",
    "APPDATA",
    // Azure.
    "AZURE_STORAGE_ACCOUNT",
    "AZURE_STORAGE_ACCOUNT_NAME",
    "AZURE_STORAGE_KEY",
    "AZURE_STORAGE_ACCOUNT_KEY",
    "AZURE_STORAGE_CONNECTION_STRING",
    "AZURE_STORAGE_SAS_TOKEN",
    "AZURE_STORAGE_TOKEN",
    "AZURE_STORAGE_ENDPOINT",
    "AZURE_CLIENT_ID",
    "AZURE_CLIENT_SECRET",
    "AZURE_TENANT_ID",
    "AZURE_AUTHORITY_HOST",
    "AZURE_FEDERATED_TOKEN_FILE",
    "AZURE_USE_AZURE_CLI",
    "AZURE_SKIP_SIGNATURE",
    "IDENTITY_ENDPOINT",
];

impl StoreSettings {
    /// Takes what it needs from an environment. An empty value counts as absent.
    pub fn new(environment: &dyn Fn(&str) -> Option<String>) -> Self {
        let value = |name: &&'static str| Some((*name, environment(name).filter(|value| !value.is_empty())?));
        Self {
            environment: Environment(VARIABLES.iter().filter_map(value).collect()),
            // The deadline alone ends them, however long it is set.
            retries: usize::MAX,
            backoff: Duration::from_millis(250),
            max_backoff: Duration::from_secs(20),
            stall: Duration::from_secs(30),
            part_timeout: Duration::from_mins(2),
            // 10 minutes: outages mostly end sooner, and a job should not hang for longer.
            deadline: Duration::from_mins(10),
        }
    }

    /// Returns a variable of the environment.
    pub(crate) fn variable(&self, name: &str) -> Option<&str> {
        debug_assert!(VARIABLES.contains(&name), "{name} is not among those taken");
        self.environment.0.get(name).map(String::as_str)
    }

    /// Returns the first of some variables that is there.
    #[cfg_attr(
        all(not(feature = "cloud"), not(test)),
        expect(dead_code, reason = "only stores in the cloud look at it")
    )]
    pub(crate) fn first_variable(&self, names: &[&str]) -> Option<&str> {
        names.iter().find_map(|name| self.variable(name))
    }

    /// Reports whether a variable says yes.
    #[cfg_attr(not(feature = "cloud"), expect(dead_code, reason = "only stores in the cloud look at it"))]
    pub(crate) fn is_set(&self, name: &str) -> bool {
        self.variable(name)
            .is_some_and(|value| matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "yes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_print() {
        let environment = |name: &str| (name == "AWS_SECRET_ACCESS_KEY").then(|| "hidden".to_owned());
        let settings = StoreSettings::new(&environment);
        assert_eq!(settings.variable("AWS_SECRET_ACCESS_KEY"), Some("hidden"));
        let printed = format!("{settings:?}");
        assert!(printed.contains("AWS_SECRET_ACCESS_KEY") && !printed.contains("hidden"), "{printed}");
    }

    #[test]
    fn an_empty_variable_is_absent() {
        let settings = StoreSettings::new(&|_| Some(String::new()));
        assert_eq!(settings.first_variable(VARIABLES), None);
    }
}
