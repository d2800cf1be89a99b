//! A glob of the user's.

use globset::{Glob, GlobBuilder, GlobMatcher};

use crate::source::walk::Wanted;
use crate::source::{SourceError, SourceErrorKind};

use super::inventory::has_known_suffix;

/// The fixed part of a glob and what must match below it.
#[derive(Debug)]
pub(super) struct Pattern {
    /// The folders before the first wildcard; `.` where there are none.
    pub(super) base: String,
    whole: GlobMatcher,
    /// For each depth, what a folder there must match; as far down as one can say.
    folders: Vec<GlobMatcher>,
}

const WILDCARDS: [char; 4] = ['*', '?', '[', '{'];

/// Reports whether a word has wildcards.
pub(super) fn has_wildcards(word: &str) -> bool {
    word.contains(WILDCARDS)
}

impl Pattern {
    /// Parses a word that has wildcards.
    pub(super) fn parse(word: &str) -> Result<Self, SourceError> {
        let word = if cfg!(windows) { word.replace('\\', "/") } else { word.to_owned() };
        let fixed = word.find(WILDCARDS).unwrap_or(word.len());
        let (head, _) = word.split_at(fixed);
        let (base, rest) = match head.rfind('/') {
            Some(slash) => word.split_at(slash + 1),
            None => ("./", word.as_str()),
        };
        let compile = |pattern: &str| {
            let glob: Result<Glob, _> = GlobBuilder::new(pattern).literal_separator(true).build();
            glob.map(|glob| glob.compile_matcher()).map_err(|e| {
                SourceError::new(SourceErrorKind::BadSetting, format!("`{word}` is no glob")).because(e)
            })
        };
        let mut folders = Vec::new();
        let mut depth_end = 0;
        for part in rest.split('/') {
            depth_end += part.len();
            let (upper, _) = rest.split_at(depth_end);
            // Below `**` a folder may be anything; braces may span parts.
            if part.contains("**") || upper.contains(['{', '[']) {
                break;
            }
            folders.push(compile(upper)?);
            depth_end += 1;
        }
        Ok(Self { base: base.to_owned(), whole: compile(rest)?, folders })
    }
}

impl Wanted for Pattern {
    fn enters(&self, folder: &str) -> bool {
        let depth = folder.matches('/').count();
        self.folders.get(depth).is_none_or(|glob| glob.is_match(folder))
    }

    fn takes(&self, file: &str) -> bool {
        if self.whole.is_match(file) {
            return true;
        }
        // A folder that matches is as one that was given: what is known by its suffix.
        let mut upper = file;
        while let Some((folder, _)) = upper.rsplit_once('/') {
            if self.whole.is_match(folder) {
                return has_known_suffix(file);
            }
            upper = folder;
        }
        false
    }
}
