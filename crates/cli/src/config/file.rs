//! `testlake.toml`: found, read and checked.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::table::{self, AnySetting, Scope, Shape};
use crate::exit::{Exit, Failure, OrExit};

/// The file's name.
pub(crate) const NAME: &str = "testlake.toml";

/// 1 MiB: a hundred thousand lines of settings.
const MAX_BYTES: u64 = 1 << 20;

/// A settings file whose every key is known and every value checked.
#[derive(Debug, Default)]
pub(crate) struct SettingsFile {
    /// The words of each setting, by the name of its environment twin.
    values: BTreeMap<String, Vec<String>>,
}

impl SettingsFile {
    /// Returns the words of a setting; none where the file is silent about it.
    pub(crate) fn words(&self, setting: &dyn AnySetting) -> &[String] {
        self.values.get(&setting.variable()).map_or(&[], Vec::as_slice)
    }

    /// Reads the file at `path`.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let cannot = || format!("cannot read the settings file `{}`", path.display());
        let mut text = String::new();
        let read = File::open(path).and_then(|file| file.take(MAX_BYTES + 1).read_to_string(&mut text));
        read.or_exit(Exit::Usage).map_err(|f| f.context(cannot()))?;
        if text.len() as u64 > MAX_BYTES {
            return Err(Failure::usage("it is larger than 1 MiB").context(cannot()));
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        Self::parse(&text, folder).map_err(|wrong| {
            let (line, column) = line_and_column(&text, wrong.at);
            let at = format!("{}:{line}:{column}", path.display());
            let failure = Failure::usage(wrong.text).context(format!("the settings file is wrong at {at}"));
            wrong.hints.into_iter().fold(failure, Failure::hint)
        })
    }

    /// Parses the text of a file that lies in `folder`.
    fn parse(text: &str, folder: &Path) -> Result<Self, Wrong> {
        let root = DeTable::parse(text).map_err(|e| Wrong {
            at: e.span().map_or(0, |span| span.start),
            text: e.message().to_owned(),
            hints: Vec::new(),
        })?;
        let mut file = Self::default();
        for (key, value) in root.get_ref() {
            let name = key.get_ref().as_ref();
            let command = table::ALL.iter().find_map(|s| match s.scope() {
                Scope::Of(command) if command == name => Some(command),
                Scope::Of(_) | Scope::Shared => None,
            });
            match (command, value.get_ref()) {
                (Some(command), DeValue::Table(inner)) => {
                    for (key, value) in inner {
                        file.take(Scope::Of(command), key, value, folder)?;
                    }
                }
                (Some(_), _) => {
                    return Err(Wrong::new(value, format!("`{name}` is a table; it begins with `[{name}]`")));
                }
                (None, _) => file.take(Scope::Shared, key, value, folder)?,
            }
        }
        Ok(file)
    }

    /// Parses a text that is right.
    #[cfg(test)]
    pub(crate) fn parsed(text: &str, folder: &Path) -> Self {
        Self::parse(text, folder).unwrap()
    }

    fn take(
        &mut self,
        scope: Scope,
        key: &Spanned<toml::de::DeString<'_>>,
        value: &Spanned<DeValue<'_>>,
        folder: &Path,
    ) -> Result<(), Wrong> {
        let name = key.get_ref().as_ref();
        let Some(setting) = table::ALL.iter().copied().find(|s| s.name() == name && s.scope() == scope)
        else {
            return Err(unknown_key(scope, key));
        };
        let mut words = Vec::new();
        match (setting.shape(), value.get_ref()) {
            (shape, DeValue::Array(items)) if shape.is_list() => {
                for item in items.iter() {
                    words.push((word(setting, item)?, item.span().start));
                }
            }
            _ => words.push((word(setting, value)?, value.span().start)),
        }
        for (word, at) in &mut words {
            setting.check(word).map_err(|e| Wrong {
                at: *at,
                text: format!("bad value of `{name}`: {e}"),
                hints: Vec::new(),
            })?;
            if matches!(setting.shape(), Shape::Place | Shape::Places) {
                *word = relative_to(folder, word);
            }
        }
        self.values.insert(setting.variable(), words.into_iter().map(|(word, _)| word).collect());
        Ok(())
    }
}

/// What is wrong with a file's text.
#[derive(Debug)]
struct Wrong {
    /// The byte it was found at.
    at: usize,
    text: String,
    hints: Vec<String>,
}

impl Wrong {
    fn new<T>(item: &Spanned<T>, text: String) -> Self {
        Self { at: item.span().start, text, hints: Vec::new() }
    }
}

impl Wrong {
    fn value(setting: &dyn AnySetting, at: usize, why: &str) -> Self {
        let hints = vec![format!("it reads like `{}`", setting.example_line())];
        Self { at, text: format!("bad value of `{}`: {why}", setting.name()), hints }
    }
}

fn unknown_key(scope: Scope, key: &Spanned<toml::de::DeString<'_>>) -> Wrong {
    let name = key.get_ref().as_ref();
    let mut wrong = match scope {
        Scope::Shared => Wrong::new(key, format!("unknown key `{name}`")),
        Scope::Of(table) => Wrong::new(key, format!("unknown key `{name}` in the table `{table}`")),
    };
    let known = table::ALL.iter().filter(|s| s.scope() == scope).map(|s| s.name());
    match super::layers::nearest(name, known) {
        Some(near) => wrong.hints.push(format!("there is a key `{near}`")),
        None => wrong.hints.push("docs/settings.md lists all keys".to_owned()),
    }
    wrong
}

/// Turns a value into the word that the setting's parser reads.
fn word(setting: &dyn AnySetting, value: &Spanned<DeValue<'_>>) -> Result<String, Wrong> {
    let shape = setting.shape();
    match value.get_ref() {
        DeValue::String(text) if !matches!(shape, Shape::Switch | Shape::Number) => {
            Ok(text.as_ref().to_owned())
        }
        DeValue::Boolean(on) if shape == Shape::Switch => Ok(on.to_string()),
        DeValue::Integer(number) if matches!(shape, Shape::Number | Shape::TextOrNumber) => {
            match i64::from_str_radix(number.as_str(), number.radix()) {
                Ok(number) => Ok(number.to_string()),
                Err(_) => Err(Wrong::value(setting, value.span().start, "it is too large a number")),
            }
        }
        other => {
            let wanted = match shape {
                Shape::Switch => "`true` or `false`",
                Shape::Number => "a whole number",
                Shape::Text | Shape::Place => "a text in quotes",
                Shape::TextOrNumber => "a text in quotes or a whole number",
                Shape::Places | Shape::Texts => "a text in quotes or a list of them",
            };
            Err(Wrong::value(
                setting,
                value.span().start,
                &format!("wanted is {wanted}, not {}", kind(other)),
            ))
        }
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a number with a point",
        DeValue::Boolean(_) => "`true` or `false`",
        DeValue::Datetime(_) => "a time",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

/// Returns a path of the file as it is from the working folder; addresses and the words of providers as they are.
fn relative_to(folder: &Path, word: &str) -> String {
    let is_word = matches!(word, "github" | "circleci") || word.contains("://");
    if is_word || folder.as_os_str().is_empty() {
        return word.to_owned();
    }
    // Without the leading `./`, which would stand in the middle.
    let joined = folder.join(word.strip_prefix("./").unwrap_or(word));
    // A folder whose name is no text cannot be joined to one; the path is then as it was written.
    joined.into_os_string().into_string().unwrap_or_else(|_| word.to_owned())
}

/// Returns line and column, counted from 1, of a byte.
fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

/// Finds the file for a working folder: there, or in a folder above it up to the root of the repository.
///
/// Without a repository only the working folder is looked into, so that a stray file in `/` or a home folder
/// does not take part. The path is empty but for the name where the file lies in the working folder.
pub(crate) fn find(working_folder: &Path) -> Result<Option<PathBuf>, Failure> {
    let is_there = |path: &Path| match path.symlink_metadata() {
        Ok(_) => Ok(true),
        Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
        Err(e) => Err(e)
            .or_exit(Exit::Usage)
            .map_err(|f| f.context(format!("cannot look for `{}`", path.display()))),
    };
    if is_there(&working_folder.join(NAME))? {
        return Ok(Some(PathBuf::from(NAME)));
    }
    let mut found = None;
    for folder in working_folder.ancestors() {
        let file = folder.join(NAME);
        if found.is_none() && is_there(&file)? {
            found = Some(file);
        }
        if is_there(&folder.join(".git"))? {
            return Ok(found);
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn wrong(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(NAME);
        fs::write(&path, text).unwrap();
        let rendered = SettingsFile::read(&path).unwrap_err().to_string();
        rendered.replace(&format!("{}/", folder.path().display()), "")
    }

    #[test]
    fn what_is_wrong_is_told_with_line_and_key() {
        insta::assert_snapshot!(wrong("threads = 2\ntreads = 3\n"), @r"
        usage error: the settings file is wrong at testlake.toml:2:1
          caused by: unknown key `treads`
          hint: there is a key `threads`
        ");
        insta::assert_snapshot!(wrong("\nthreads = \"many\"\n"), @r"
        usage error: the settings file is wrong at testlake.toml:2:11
          caused by: bad value of `threads`: wanted is a whole number, not a text
          hint: it reads like `threads = 3`
        ");
        insta::assert_snapshot!(wrong("threads = 0"), @r"
        usage error: the settings file is wrong at testlake.toml:1:11
          caused by: bad value of `threads`: `0` is no whole number from 1 to 1024
        ");
        insta::assert_snapshot!(wrong("source = [\"a\",\n  \"\"]"), @r"
        usage error: the settings file is wrong at testlake.toml:2:3
          caused by: bad value of `source`: it is empty
        ");
        insta::assert_snapshot!(wrong("[upload-test-stats]\nsource = 'x'"), @r"
        usage error: the settings file is wrong at testlake.toml:2:1
          caused by: unknown key `source` in the table `upload-test-stats`
          hint: docs/settings.md lists all keys
        ");
        insta::assert_snapshot!(wrong("upload-test-stats = 1"), @r"
        usage error: the settings file is wrong at testlake.toml:1:21
          caused by: `upload-test-stats` is a table; it begins with `[upload-test-stats]`
        ");
        insta::assert_snapshot!(wrong("threads = \n"), @r"
        usage error: the settings file is wrong at testlake.toml:1:11
          caused by: string values must be quoted, expected literal string
        ");
        insta::assert_snapshot!(wrong("threads = 99999999999999999999"), @r"
        usage error: the settings file is wrong at testlake.toml:1:11
          caused by: bad value of `threads`: it is too large a number
          hint: it reads like `threads = 3`
        ");
        insta::assert_snapshot!(wrong("threads = 1\nthreads = 2"), @r"
        usage error: the settings file is wrong at testlake.toml:2:1
          caused by: duplicate key
        ");
    }

    #[test]
    fn a_path_is_taken_from_the_folder_of_the_file() {
        let words = |folder: &str, text: &str| {
            let file = SettingsFile::parse(text, Path::new(folder)).unwrap();
            file.words(&table::SOURCE).to_vec()
        };
        let text = "source = ['./a', '/b', 's3://c', 'github', '../d']";
        assert_eq!(words("/x", text), ["/x/a", "/b", "s3://c", "github", "/x/../d"]);
        assert_eq!(words("", text), ["./a", "/b", "s3://c", "github", "../d"]);
    }

    #[test]
    fn the_file_is_looked_for_up_to_the_root_of_the_repository() {
        let root = tempfile::tempdir().unwrap();
        let inner = root.path().join("repo/a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::write(root.path().join(NAME), "").unwrap();
        assert_eq!(find(&inner).unwrap(), None);
        fs::create_dir(root.path().join("repo/.git")).unwrap();
        assert_eq!(find(&inner).unwrap(), None);
        let above = root.path().join("repo").join(NAME);
        fs::write(&above, "").unwrap();
        assert_eq!(find(&inner).unwrap(), Some(above));
        fs::write(inner.join(NAME), "").unwrap();
        assert_eq!(find(&inner).unwrap(), Some(PathBuf::from(NAME)));
    }
}
