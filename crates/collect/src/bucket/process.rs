//! Credentials that a program of the user's prints: `credential_process` of an AWS profile.

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use object_store::CredentialProvider;
use object_store::aws::AwsCredential;
use serde::Deserialize;
use tokio::sync::Mutex;

/// Runs the program and keeps what it printed for a while.
#[derive(Debug)]
pub(super) struct ProcessCredentials {
    command: String,
    cached: Mutex<Option<(Arc<AwsCredential>, Instant)>>,
}

/// Credentials are good for a quarter of an hour at the least; asked again well before that, none is stale.
const GOOD_FOR: Duration = Duration::from_mins(5);

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    version: u32,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
}

impl ProcessCredentials {
    pub(super) fn new(command: &str) -> Self {
        Self { command: command.to_owned(), cached: Mutex::new(None) }
    }
}

#[async_trait]
impl CredentialProvider for ProcessCredentials {
    type Credential = AwsCredential;

    async fn get_credential(&self) -> object_store::Result<Arc<AwsCredential>> {
        let mut cached = self.cached.lock().await;
        if let Some((credential, since)) = &*cached
            && since.elapsed() < GOOD_FOR
        {
            return Ok(credential.clone());
        }
        let command = self.command.clone();
        let ran = tokio::task::spawn_blocking(move || run(&command)).await?;
        let credential =
            Arc::new(ran.map_err(|source| object_store::Error::Generic { store: "S3", source })?);
        *cached = Some((credential.clone(), Instant::now()));
        Ok(credential)
    }
}

fn run(command: &str) -> Result<AwsCredential, Box<dyn std::error::Error + Send + Sync>> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let output =
        Command::new(shell).args([flag, command]).stdin(Stdio::null()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err(format!("`credential_process` ended with {}", output.status).into());
    }
    // What is printed is secret: no part of it goes into an error.
    let printed: Printed = serde_json::from_slice(&output.stdout).map_err(|e| {
        format!("`credential_process` printed no credentials (line {} of its output)", e.line())
    })?;
    if printed.version != 1 {
        return Err(format!("`credential_process` printed version {}; 1 is read", printed.version).into());
    }
    Ok(AwsCredential {
        key_id: printed.access_key_id,
        secret_key: printed.secret_access_key,
        token: printed.session_token,
    })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_is_asked_once_in_a_while() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("log");
        let printed = r#"{"Version":1,"AccessKeyId":"AKIA","SecretAccessKey":"s","SessionToken":"t"}"#;
        let provider = ProcessCredentials::new(&format!("echo run >> '{}'; echo '{printed}'", log.display()));
        for _ in 0..3 {
            let credential = provider.get_credential().await.unwrap();
            assert_eq!((credential.key_id.as_str(), credential.token.as_deref()), ("AKIA", Some("t")));
        }
        assert_eq!(std::fs::read_to_string(log).unwrap(), "run\n");
    }

    #[tokio::test]
    async fn a_program_that_fails_or_prints_nonsense_is_told_without_what_it_printed() {
        for (command, expected) in [("exit 3", "exit status: 3"), ("echo s3cret", "printed no credentials")] {
            let error = ProcessCredentials::new(command).get_credential().await.unwrap_err().to_string();
            assert!(error.contains(expected) && !error.contains("s3cret"), "{error}");
        }
    }
}
