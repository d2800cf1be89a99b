//! Profiles of the AWS command line: `~/.aws/credentials` and `~/.aws/config`.
//!
//! Read are keys, `credential_process`, `web_identity_token_file` with `role_arn`, `region` and `endpoint_url`. What
//! needs a login or a second role (`sso_session`, `source_profile`) is not: the error says how to export it.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::StoreSettings;

/// The values of one profile.
#[derive(Clone, Default)]
pub(super) struct Profile(BTreeMap<String, String>);

/// Why a profile cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProfileError {
    #[error("cannot read `{}`", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("there is no profile `{name}` in `{}` or `{}`", credentials.display(), config.display())]
    NoSuch { name: String, credentials: PathBuf, config: PathBuf },
    #[error(
        "profile `{name}` needs `{key}`, which is not read here; \
         run: eval \"$(aws configure export-credentials --profile {name} --format env)\""
    )]
    NotRead { name: String, key: &'static str },
}

impl Profile {
    /// Reads the profile that the settings name; the default one, where there is such, if they name none.
    pub(super) fn read(settings: &StoreSettings) -> Result<Self, ProfileError> {
        let named = settings.first_variable(&["AWS_PROFILE", "AWS_DEFAULT_PROFILE"]);
        let name = named.unwrap_or("default");
        let home = settings.first_variable(&["HOME", "USERPROFILE"]).map(Path::new);
        let place = |variable: &str, file: &str| match settings.variable(variable) {
            Some(path) => Some(PathBuf::from(path)),
            None => home.map(|home| home.join(".aws").join(file)),
        };
        let credentials = place("AWS_SHARED_CREDENTIALS_FILE", "credentials").unwrap_or_default();
        let config = place("AWS_CONFIG_FILE", "config").unwrap_or_default();
        let config_section = if name == "default" { name.to_owned() } else { format!("profile {name}") };
        let mut values = BTreeMap::new();
        let mut is_there = false;
        // What stands in `credentials` counts before what stands in `config`.
        for (path, section) in [(&config, config_section.as_str()), (&credentials, name)] {
            if let Some(text) = read(path)?
                && let Some(section) = section_of(&text, section)
            {
                is_there = true;
                values.extend(section);
            }
        }
        if !is_there && named.is_some() {
            return Err(ProfileError::NoSuch { name: name.to_owned(), credentials, config });
        }
        let profile = Self(values);
        if profile.get("aws_access_key_id").is_none() && profile.get("credential_process").is_none() {
            let not_read =
                ["sso_session", "sso_start_url", "source_profile", "credential_source", "login_session"];
            if let Some(key) = not_read.into_iter().find(|key| profile.get(key).is_some()) {
                return Err(ProfileError::NotRead { name: name.to_owned(), key });
            }
        }
        Ok(profile)
    }

    pub(super) fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }
}

fn read(path: &Path) -> Result<Option<String>, ProfileError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(ProfileError::Read { path: path.to_owned(), source }),
    }
}

/// Returns the values under `[name]`; `None` where there is no such section.
fn section_of(text: &str, name: &str) -> Option<BTreeMap<String, String>> {
    let mut found: Option<BTreeMap<String, String>> = None;
    let mut is_inside = false;
    for line in text.lines() {
        // Indented lines belong to a nested value, of which none is needed.
        if line.trim().is_empty() || line.starts_with([' ', '\t', '#', ';']) {
            continue;
        }
        if let Some(head) = line.strip_prefix('[') {
            let head = head.split(']').next().unwrap_or_default();
            is_inside = head.split_whitespace().eq(name.split_whitespace());
            if is_inside {
                found.get_or_insert_default();
            }
        } else if let (true, Some((key, value))) = (is_inside, line.split_once('=')) {
            let value = value.split(" #").next().unwrap_or_default().trim();
            found.get_or_insert_default().insert(key.trim().to_ascii_lowercase(), value.to_owned());
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    const CREDENTIALS: &str = "\
# a comment
[default]
aws_access_key_id = AKIADEFAULT
aws_secret_access_key=se=cret

[ci]
AWS_ACCESS_KEY_ID=AKIACI
aws_secret_access_key = other
";
    const CONFIG: &str = "\
[default]
region = eu-west-1 # where we are
s3 =
  endpoint_url = http://nested
[profile ci]
region = us-west-2
endpoint_url = https://minio.example
[profile  sso]
sso_session = corp
[profile process]
credential_process = /bin/helper --flag
";

    fn read(profile: Option<&str>) -> Result<Profile, String> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(".aws")).unwrap();
        std::fs::write(dir.path().join(".aws/credentials"), CREDENTIALS).unwrap();
        std::fs::write(dir.path().join(".aws/config"), CONFIG).unwrap();
        let environment = |name: &str| match name {
            "HOME" => Some(dir.path().display().to_string()),
            "AWS_PROFILE" => profile.map(str::to_owned),
            _ => None,
        };
        Profile::read(&StoreSettings::new(&environment)).map_err(|error| error.to_string())
    }

    #[test]
    fn a_profile_is_read_from_both_files() {
        let profile = read(None).unwrap();
        assert_eq!(profile.get("aws_access_key_id"), Some("AKIADEFAULT"));
        assert_eq!(profile.get("aws_secret_access_key"), Some("se=cret"));
        assert_eq!(profile.get("region"), Some("eu-west-1"));
        assert_eq!(profile.get("endpoint_url"), None);
        let profile = read(Some("ci")).unwrap();
        assert_eq!(profile.get("aws_access_key_id"), Some("AKIACI"));
        assert_eq!(profile.get("endpoint_url"), Some("https://minio.example"));
        assert_eq!(read(Some("process")).unwrap().get("credential_process"), Some("/bin/helper --flag"));
    }

    #[test]
    fn a_profile_that_cannot_be_used_says_why() {
        assert!(read(Some("gone")).err().unwrap().contains("there is no profile `gone`"));
        let error = read(Some("sso")).err().unwrap();
        assert!(
            error.contains("`sso_session`") && error.contains("export-credentials --profile sso"),
            "{error}"
        );
    }

    #[test]
    fn no_profile_at_all_is_no_error() {
        let settings = StoreSettings::new(&|name| (name == "HOME").then(|| "/nowhere".to_owned()));
        assert!(Profile::read(&settings).unwrap().get("region").is_none());
    }
}
