//! What lies where the user pointed, by artifact.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::profile::selection::identity;
use crate::source::folder::read_error;
use crate::source::walk::{Walk, Wanted, name_text, walk};
use crate::source::{LooseFile, SourceError, SourceErrorKind};

use super::pattern::{Pattern, has_wildcards};

/// All artifacts, each with its bytes in no other.
#[derive(Debug, Clone)]
pub(super) struct Inventory {
    pub(super) artifacts: Arc<[Artifact]>,
}

/// An archive, or the loose reports that one folder stands for.
#[derive(Debug)]
pub(super) struct Artifact {
    pub(super) name: String,
    /// The name relative to the path given, so that it does not change with the place of that path.
    pub(super) relative_name: String,
    pub(super) bytes: Bytes,
}

/// Where an artifact's bytes lie.
#[derive(Debug)]
pub(super) enum Bytes {
    Whole { file: PathBuf, size_bytes: u64 },
    Loose(Vec<LooseFile>),
    Unreadable { folder: PathBuf, error: Arc<io::Error> },
}

impl Artifact {
    pub(super) fn size_bytes(&self) -> Option<u64> {
        match &self.bytes {
            Bytes::Whole { size_bytes, .. } => Some(*size_bytes),
            Bytes::Loose(files) => Some(files.iter().map(|f| f.size_bytes).sum()),
            Bytes::Unreadable { .. } => None,
        }
    }
}

/// The suffixes of archives that are read.
const ARCHIVES: [&str; 6] = [".tar.gz", ".tar.zst", ".tgz", ".tzst", ".tar", ".zip"];
/// The suffixes that reports have. A file given by itself or met by a glob is taken whatever its suffix.
const REPORTS: [&str; 6] = [".xml", ".json", ".jsonl", ".ndjson", ".trx", ".tap"];
/// The suffixes of texts that reports are in, too, where their content is asked.
const TEXTS: [&str; 4] = [".txt", ".log", ".out", ".output"];
/// The suffixes of compressed files that are read.
const COMPRESSED: [&str; 3] = [".gz", ".zst", ".zstd"];

fn without_suffix<'a>(name: &'a str, suffixes: &[&str]) -> Option<&'a str> {
    suffixes.iter().find_map(|suffix| {
        let (stem, end) = name.split_at_checked(name.len().checked_sub(suffix.len())?)?;
        end.eq_ignore_ascii_case(suffix).then_some(stem)
    })
}

/// Reports whether a file is an artifact of its own: an archive, or a compressed report.
fn is_whole(path: &str) -> bool {
    without_suffix(path, &ARCHIVES).is_some()
        || without_suffix(path, &COMPRESSED).is_some_and(|path| without_suffix(path, &REPORTS).is_some())
}

pub(super) fn has_known_suffix(path: &str) -> bool {
    is_whole(path) || without_suffix(path, &REPORTS).is_some()
}

/// Which files below a folder that is given as it is are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    /// Those that are reports or archives by their names.
    Named,
    /// Also texts that may hold reports.
    Texts,
}

/// A folder given as it is.
struct Everything(Taken);

impl Wanted for Everything {
    fn enters(&self, _folder: &str) -> bool {
        true
    }
    fn takes(&self, file: &str) -> bool {
        has_known_suffix(file) || (self.0 == Taken::Texts && without_suffix(file, &TEXTS).is_some())
    }
}

impl Inventory {
    /// Finds the artifacts of paths and globs.
    ///
    /// A word that is neither a path on the disk nor a glob is an error; a glob that nothing matches is not.
    pub(super) fn find(words: &[String], taken: Taken) -> Result<Self, SourceError> {
        let mut finder = Finder::default();
        for word in words {
            match fs::metadata(word) {
                Ok(metadata) if metadata.is_dir() => finder.folder(Path::new(word), &Everything(taken))?,
                Ok(metadata) if metadata.is_file() => finder.file(Path::new(word), metadata.len())?,
                Ok(_) => {
                    let what = format!("`{word}` is neither a file nor a folder");
                    return Err(SourceError::new(SourceErrorKind::BadSetting, what));
                }
                Err(error) if error.kind() == io::ErrorKind::NotFound && has_wildcards(word) => {
                    let pattern = Pattern::parse(word)?;
                    finder.folder(Path::new(&pattern.base), &pattern)?;
                }
                Err(error) => return Err(read_error(Path::new(word), error)),
            }
        }
        Ok(finder.finish())
    }

    /// Finds the reports in a CircleCI job's working folder.
    pub(super) fn find_circleci(folder: &Path) -> Result<Self, SourceError> {
        let Walk { files, unreadable } = walk(folder, &Pattern::parse("**/test/test-reports/**/*.xml")?);
        let mut artifacts = unreadable_artifacts(folder, unreadable)?;
        let loose: Vec<_> = files.into_iter().map(|found| found.into_loose()).collect();
        if !loose.is_empty() {
            let name = "test-reports".to_owned();
            artifacts.push(Artifact { relative_name: name.clone(), name, bytes: Bytes::Loose(loose) });
        }
        Ok(Self::sorted(artifacts))
    }

    fn sorted(mut artifacts: Vec<Artifact>) -> Self {
        for artifact in &mut artifacts {
            if let Bytes::Loose(files) = &mut artifact.bytes {
                files.sort_by(|a, b| a.path.cmp(&b.path));
            }
        }
        artifacts.sort_by(|a, b| a.name.cmp(&b.name));
        Self { artifacts: artifacts.into() }
    }
}

/// Gathers artifacts by the place (a file or a folder, without links) that stands for each.
#[derive(Default)]
struct Finder {
    seen: HashSet<PathBuf>,
    places: BTreeMap<PathBuf, (String, Bytes)>,
    unreadable: Vec<Artifact>,
}

impl Finder {
    fn folder(&mut self, folder: &Path, wanted: &dyn Wanted) -> Result<(), SourceError> {
        let base = fs::canonicalize(folder).map_err(|e| read_error(folder, e))?;
        let Walk { files, unreadable } = walk(folder, wanted);
        self.unreadable.extend(unreadable_artifacts(folder, unreadable)?);
        for mut found in files {
            if !self.seen.insert(found.canonical.clone()) {
                continue;
            }
            if is_whole(&found.path) {
                self.whole(base.join(&found.path), found.file, found.size_bytes);
            } else if let Some((first, rest)) = found.path.split_once('/') {
                let (place, first) = (base.join(first), first.to_owned());
                found.path = rest.to_owned();
                self.loose(place, first, found.into_loose());
            } else {
                self.loose(base.clone(), String::new(), found.into_loose());
            }
        }
        Ok(())
    }

    fn file(&mut self, file: &Path, size_bytes: u64) -> Result<(), SourceError> {
        let canonical = fs::canonicalize(file).map_err(|e| read_error(file, e))?;
        // A link is named as it was given, not as what it leads to.
        let name = file.file_name().or(canonical.file_name()).map(name_text).unwrap_or_default();
        let folder = match file.parent() {
            Some(parent) if parent == Path::new("") => fs::canonicalize("."),
            Some(parent) => fs::canonicalize(parent),
            None => Ok(PathBuf::new()),
        };
        let folder = folder.map_err(|e| read_error(file, e))?;
        if !self.seen.insert(canonical) {
            return Ok(());
        }
        // What is no report by its name is shown whole, as an archive is: its bytes say what it is.
        if without_suffix(&name, &REPORTS).is_some() {
            self.loose(folder, String::new(), LooseFile { path: name, file: file.to_owned(), size_bytes });
        } else {
            self.whole(folder.join(name), file.to_owned(), size_bytes);
        }
        Ok(())
    }

    fn whole(&mut self, place: PathBuf, file: PathBuf, size_bytes: u64) {
        let name = name_text(place.file_name().unwrap_or_default());
        self.places.insert(place, (name, Bytes::Whole { file, size_bytes }));
    }

    fn loose(&mut self, place: PathBuf, relative_name: String, file: LooseFile) {
        let (_, bytes) =
            self.places.entry(place).or_insert_with(|| (relative_name, Bytes::Loose(Vec::new())));
        if let Bytes::Loose(files) = bytes {
            files.push(file);
        }
    }

    fn finish(self) -> Inventory {
        let names = names_of(self.places.keys());
        let mut artifacts = self.unreadable;
        artifacts.extend(
            self.places.into_values().zip(names).map(|((relative_name, bytes), name)| Artifact {
                name,
                relative_name,
                bytes,
            }),
        );
        Inventory::sorted(artifacts)
    }
}

/// Makes an artifact of each folder that could not be read, so that fetching it tells so; an error where it is the
/// very folder given.
fn unreadable_artifacts(
    root: &Path,
    unreadable: Vec<crate::source::walk::Unreadable>,
) -> Result<Vec<Artifact>, SourceError> {
    let mut artifacts = Vec::new();
    for folder in unreadable {
        if folder.path.is_empty() {
            return Err(read_error(root, folder.error));
        }
        let bytes = Bytes::Unreadable { folder: root.join(&folder.path), error: Arc::new(folder.error) };
        artifacts.push(Artifact { name: folder.path.clone(), relative_name: folder.path, bytes });
    }
    Ok(artifacts)
}

/// Names each place by its last part, and by more of its end where others in other folders have the same.
fn names_of<'a>(places: impl Iterator<Item = &'a PathBuf>) -> Vec<String> {
    let parts: Vec<Vec<String>> = places.map(|place| parts_of(place)).collect();
    let name = |parts: &[String], depth: usize| {
        let start = parts.len().saturating_sub(depth);
        parts.get(start..).unwrap_or_default().join("/")
    };
    let mut depths = vec![1; parts.len()];
    // Each round looks at one more part, so it ends with the longest path.
    for depth in 1..parts.iter().map(Vec::len).max().unwrap_or(0) {
        let mut same: BTreeMap<String, (HashSet<&[String]>, Vec<usize>)> = BTreeMap::new();
        for (index, parts) in parts.iter().enumerate().filter(|(index, _)| depths.get(*index) == Some(&depth))
        {
            let name = name(parts, depth);
            let (folders, indices) = same.entry(identity(&name).into_owned()).or_default();
            folders.insert(parts.split_last().map(|(_, folder)| folder).unwrap_or_default());
            indices.push(index);
        }
        // `unit` and `unit.zip` in one folder are the same artifact, once unpacked and once not.
        for (_, indices) in same.into_values().filter(|(folders, _)| folders.len() > 1) {
            for index in indices {
                if let Some(slot) = depths.get_mut(index) {
                    *slot = depth + 1;
                }
            }
        }
    }
    parts.iter().zip(depths).map(|(parts, depth)| name(parts, depth)).collect()
}

fn parts_of(place: &Path) -> Vec<String> {
    let normal = place.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name_text(name)),
        _ => None,
    });
    let parts: Vec<_> = normal.collect();
    if parts.is_empty() { vec!["files".to_owned()] } else { parts }
}
