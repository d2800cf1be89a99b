//! What the process was started with, read once.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

/// The environment. An empty variable counts as absent, as CI systems set those that have no value.
#[derive(Clone, Default)]
pub(crate) struct Environment {
    values: BTreeMap<String, String>,
    not_text: Vec<String>,
}

impl Environment {
    /// Reads the process's environment: the only place that does.
    pub(crate) fn read() -> Self {
        Self::of(std::env::vars_os())
    }

    /// Makes one of pairs.
    pub(crate) fn of(pairs: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let mut environment = Self::default();
        for (name, value) in pairs {
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) if value.is_empty() => {}
                Ok(value) => {
                    environment.values.insert(name, value);
                }
                Err(_) => environment.not_text.push(name),
            }
        }
        environment
    }

    /// Returns a variable's value.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// Returns names and values that begin with `prefix`, by name.
    pub(crate) fn with_prefix<'env>(
        &'env self,
        prefix: &'env str,
    ) -> impl Iterator<Item = (&'env str, &'env str)> {
        self.values
            .range(prefix.to_owned()..)
            .take_while(move |(name, _)| name.starts_with(prefix))
            .map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Returns the names of variables whose value is no text.
    pub(crate) fn not_text(&self) -> &[String] {
        &self.not_text
    }
}

impl fmt::Debug for Environment {
    /// Shows names only: values may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.values.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_variable_is_absent_and_a_secret_is_not_shown() {
        let environment =
            Environment::of([("A", ""), ("B", "hunter2"), ("BA", "y")].map(|(k, v)| (k.into(), v.into())));
        assert_eq!(environment.get("A"), None);
        assert_eq!(environment.get("B"), Some("hunter2"));
        assert_eq!(environment.with_prefix("B").count(), 2);
        assert_eq!(format!("{environment:?}"), r#"["B", "BA"]"#);
    }
}
