//! Flags over environment over file.

use std::path::{Path, PathBuf};

use super::Environment;
use super::file::{self, SettingsFile};
use super::table::{self, AnySetting, CONFIG_VARIABLE, OTHER_VARIABLES, PREFIX, Setting};
use crate::exit::Failure;

/// Environment and file, checked.
#[derive(Debug, Default)]
pub(crate) struct Layers {
    environment: Environment,
    file: SettingsFile,
}

impl Layers {
    /// Reads the file (`config`, else `TESTLAKE_CONFIG`, else the one that is found) and checks both layers.
    pub(crate) fn load(
        environment: Environment,
        config: Option<&Path>,
        working_folder: &Path,
    ) -> Result<Self, Failure> {
        check_environment(&environment)?;
        let named =
            config.map(Path::to_owned).or_else(|| environment.get(CONFIG_VARIABLE).map(PathBuf::from));
        let path = match named {
            Some(path) => Some(path),
            None => file::find(working_folder)?,
        };
        let file = path.as_deref().map(SettingsFile::read).transpose()?.unwrap_or_default();
        Ok(Self { environment, file })
    }

    /// Makes them of parts that were checked.
    #[cfg(test)]
    pub(crate) fn of(environment: Environment, file: SettingsFile) -> Self {
        Self { environment, file }
    }

    /// Returns the environment.
    pub(crate) fn environment(&self) -> &Environment {
        &self.environment
    }

    /// Returns the flag's value, else the environment's, else the file's.
    pub(crate) fn pick<T>(&self, flag: Option<T>, setting: &Setting<T>) -> Result<Option<T>, Failure>
    where
        Setting<T>: AnySetting,
    {
        match flag {
            Some(value) => Ok(Some(value)),
            None => Ok(self.below(setting)?.into_iter().next()),
        }
    }

    /// Returns the flags' values, else the environment's, else the file's.
    pub(crate) fn pick_all<T>(&self, flags: Vec<T>, setting: &Setting<T>) -> Result<Vec<T>, Failure>
    where
        Setting<T>: AnySetting,
    {
        if flags.is_empty() { self.below(setting) } else { Ok(flags) }
    }

    fn below<T>(&self, setting: &Setting<T>) -> Result<Vec<T>, Failure>
    where
        Setting<T>: AnySetting,
    {
        let variable = setting.variable();
        if let Some(value) = self.environment.get(&variable) {
            let parse = |word| (setting.parse)(word).map_err(|e| bad_variable(&variable, &e));
            return words_of(setting, value).map(parse).collect();
        }
        // The file's words have been parsed before, so that this cannot fail.
        self.file.words(setting).iter().map(|word| (setting.parse)(word).map_err(Failure::usage)).collect()
    }
}

/// Splits a variable's value into words: one a line for a list.
fn words_of<'value>(setting: &dyn AnySetting, value: &'value str) -> impl Iterator<Item = &'value str> {
    let is_list = setting.shape().is_list();
    value
        .split(move |c| is_list && matches!(c, '\n' | '\r'))
        .filter(move |word| !(is_list && word.trim().is_empty()))
}

fn check_environment(environment: &Environment) -> Result<(), Failure> {
    if let Some(name) = environment.not_text().iter().find(|name| name.starts_with(PREFIX)) {
        return Err(bad_variable(name, "it is no UTF-8 text"));
    }
    for (name, value) in environment.with_prefix(PREFIX) {
        if OTHER_VARIABLES.contains(&name) {
            continue;
        }
        let Some(setting) = table::ALL.iter().copied().find(|s| s.variable() == name) else {
            let failure = Failure::usage(format!("the environment variable `{name}` is no setting"));
            let variables: Vec<_> = table::ALL.iter().map(|s| s.variable()).collect();
            // The prefix, which all have, would make all of them alike.
            let tail = |name| str::strip_prefix(name, PREFIX).unwrap_or(name);
            return Err(match nearest(tail(name), variables.iter().map(|variable| tail(variable))) {
                Some(near) => failure.hint(format!("there is `{PREFIX}{near}`")),
                None => failure.hint("docs/settings.md lists all settings"),
            });
        };
        for word in words_of(setting, value) {
            let hint = || format!("it reads like `{name}={}`", setting.example());
            setting.check(word).map_err(|e| bad_variable(name, &e).hint(hint()))?;
        }
    }
    Ok(())
}

fn bad_variable(name: &str, why: &str) -> Failure {
    Failure::usage(format!("bad value of the environment variable `{name}`: {why}"))
}

/// Returns the known name that is most like `name`, if any is.
pub(super) fn nearest<'name>(name: &str, known: impl Iterator<Item = &'name str>) -> Option<&'name str> {
    // 0.8: clap's own hints take 0.7, which is too forgiving for a file that is read without a person.
    let scored = known.map(|other| (strsim::jaro(name, other), other)).filter(|(score, _)| *score > 0.8);
    scored.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        Environment::of(pairs.iter().map(|(k, v)| ((*k).into(), (*v).into())))
    }

    fn load(pairs: &[(&str, &str)]) -> Result<Layers, Failure> {
        Layers::load(environment(pairs), None, tempfile::tempdir().unwrap().path())
    }

    #[test]
    fn flags_win_over_environment_over_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.toml");
        fs::write(&path, "to = 'file'\nfull-branch = 'file'\nhead-branch = 'file'").unwrap();
        let environment = environment(&[("TESTLAKE_TO", "env"), ("TESTLAKE_HEAD_BRANCH", "env")]);
        let layers = Layers::load(environment, Some(&path), folder.path()).unwrap();
        let pick = |flag: Option<&str>, setting| layers.pick(flag.map(str::to_owned), setting).unwrap();
        assert_eq!(pick(Some("flag"), &table::HEAD_BRANCH).as_deref(), Some("flag"));
        assert_eq!(pick(None, &table::HEAD_BRANCH).as_deref(), Some("env"));
        assert_eq!(pick(None, &table::FULL_BRANCH).as_deref(), Some("file"));
        assert_eq!(pick(None, &table::HEAD_REPOSITORY), None);
    }

    #[test]
    fn a_list_is_one_a_line() {
        let layers = load(&[("TESTLAKE_SOURCE", "a b\n\nc\n")]).unwrap();
        assert_eq!(layers.pick_all(Vec::new(), &table::SOURCE).unwrap(), ["a b", "c"]);
        assert_eq!(layers.pick_all(vec!["x".to_owned()], &table::SOURCE).unwrap(), ["x"]);
    }

    #[test]
    fn a_wrong_variable_is_told_whatever_the_command() {
        insta::assert_snapshot!(load(&[("TESTLAKE_TREADS", "2")]).unwrap_err(), @r"
        usage error: the environment variable `TESTLAKE_TREADS` is no setting
          hint: there is `TESTLAKE_THREADS`
        ");
        insta::assert_snapshot!(load(&[("TESTLAKE_POTATO", "2")]).unwrap_err(), @r"
        usage error: the environment variable `TESTLAKE_POTATO` is no setting
          hint: docs/settings.md lists all settings
        ");
        insta::assert_snapshot!(load(&[("TESTLAKE_FULL", "sometimes")]).unwrap_err(), @r"
        usage error: bad value of the environment variable `TESTLAKE_FULL`: `sometimes` is none of: `auto`, `always`, `never`
          hint: it reads like `TESTLAKE_FULL=always`
        ");
        insta::assert_snapshot!(load(&[("TESTLAKE_DRY_RUN", "yes")]).unwrap_err(), @r"
        usage error: bad value of the environment variable `TESTLAKE_DRY_RUN`: `yes` is neither `true` nor `false`
          hint: it reads like `TESTLAKE_DRY_RUN=true`
        ");
        assert!(load(&[("TESTLAKE_FULL", ""), ("TESTLAKE_CORPUS", "x")]).is_ok());
    }

    #[test]
    fn a_named_file_that_is_not_there_is_told() {
        let failure = load(&[("TESTLAKE_CONFIG", "/nowhere/x.toml")]).unwrap_err();
        insta::assert_snapshot!(failure, @r"
        usage error: cannot read the settings file `/nowhere/x.toml`
          caused by: No such file or directory (os error 2)
        ");
    }
}
