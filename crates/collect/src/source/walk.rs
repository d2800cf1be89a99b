//! Finds the files below a folder of a local disk.
//!
//! Symbolic links are followed; a folder that is reached twice is walked once, so that loops end, and by its
//! own name rather than a link's where it has both. What is neither file nor folder (a socket, a pipe) is left
//! out: opening it could wait for ever.

use std::collections::{HashSet, VecDeque};
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::LooseFile;

/// A file below the folder that was walked.
#[derive(Debug)]
pub(crate) struct Found {
    /// The path relative to that folder, with `/`.
    pub(crate) path: String,
    /// The path to open it by.
    pub(crate) file: PathBuf,
    /// The path without links, as far as there is one: the same for the same file.
    pub(crate) canonical: PathBuf,
    /// Its size in bytes; 0 where that cannot be known.
    pub(crate) size_bytes: u64,
}

impl Found {
    /// Makes a loose file of it, under its present path.
    pub(crate) fn into_loose(self) -> LooseFile {
        LooseFile { path: self.path, file: self.file, size_bytes: self.size_bytes }
    }
}

/// A folder that could not be read.
#[derive(Debug)]
pub(crate) struct Unreadable {
    /// The path relative to the folder that was walked; empty for that folder itself.
    pub(crate) path: String,
    /// Why.
    pub(crate) error: io::Error,
}

/// What a walk brought.
#[derive(Debug, Default)]
pub(crate) struct Walk {
    pub(crate) files: Vec<Found>,
    pub(crate) unreadable: Vec<Unreadable>,
}

/// Which folders to enter and which files to take, by their relative paths.
pub(crate) trait Wanted {
    fn enters(&self, folder: &str) -> bool;
    fn takes(&self, file: &str) -> bool;
}

struct Folder {
    path: String,
    shown: PathBuf,
    canonical: PathBuf,
}

/// Walks a folder. The order of what comes is the same for the same tree.
pub(crate) fn walk(root: &Path, wanted: &dyn Wanted) -> Walk {
    let mut out = Walk::default();
    let canonical = match fs::canonicalize(root) {
        Ok(canonical) => canonical,
        Err(error) => {
            out.unreadable.push(Unreadable { path: String::new(), error });
            return out;
        }
    };
    let mut seen = HashSet::new();
    let mut folders = vec![Folder { path: String::new(), shown: root.to_owned(), canonical }];
    let mut linked = VecDeque::new();
    // Links last: what has a name of its own is found under that.
    while let Some(folder) = folders.pop().or_else(|| linked.pop_front()) {
        if !seen.insert(folder.canonical.clone()) {
            continue;
        }
        if let Err(error) = visit(&folder, wanted, &mut out, &mut folders, &mut linked) {
            out.unreadable.push(Unreadable { path: folder.path, error });
        }
    }
    out
}

fn visit(
    folder: &Folder,
    wanted: &dyn Wanted,
    out: &mut Walk,
    folders: &mut Vec<Folder>,
    linked: &mut VecDeque<Folder>,
) -> io::Result<()> {
    let mut entries = fs::read_dir(&folder.shown)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let path = join(&folder.path, &name);
        let shown = folder.shown.join(&name);
        let is_link = entry.file_type()?.is_symlink();
        let found =
            |canonical, size_bytes| Found { path: path.clone(), file: shown.clone(), canonical, size_bytes };
        let target = if is_link {
            fs::canonicalize(&shown).and_then(|canonical| Ok((fs::metadata(&canonical)?, canonical)))
        } else {
            entry.metadata().map(|metadata| (metadata, folder.canonical.join(&name)))
        };
        match target {
            Ok((metadata, canonical)) if metadata.is_dir() => {
                if wanted.enters(&path) {
                    let next = Folder { path, shown, canonical };
                    if is_link { linked.push_back(next) } else { folders.push(next) }
                }
            }
            Ok((metadata, canonical)) if metadata.is_file() => {
                if wanted.takes(&path) {
                    out.files.push(found(canonical, metadata.len()));
                }
            }
            Ok(_) => tracing::debug!(path = %shown.display(), "neither file nor folder"),
            // A link to nowhere, a file gone since: whoever opens it will say so.
            Err(_) => {
                if wanted.takes(&path) {
                    out.files.push(found(shown.clone(), 0));
                }
            }
        }
    }
    Ok(())
}

fn join(folder: &str, name: &OsStr) -> String {
    let name = name_text(name);
    if folder.is_empty() { name } else { format!("{folder}/{name}") }
}

/// Writes a file's name as text. Bytes that are no UTF-8 become `\xNN`, and the `\` of a name that spells such a byte
/// becomes `\x5c`, so that no two names become one.
pub(crate) fn name_text(name: &OsStr) -> String {
    let mut text = String::new();
    for chunk in name.as_encoded_bytes().utf8_chunks() {
        push_valid(&mut text, chunk.valid());
        text.push_str(&chunk.invalid().escape_ascii().to_string());
    }
    text
}

fn push_valid(into: &mut String, mut rest: &str) {
    // at Windows it parts names
    while !cfg!(windows)
        && let Some((before, behind)) = rest.split_once('\\')
    {
        let is_hex = |byte: &u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        let spells_a_byte = matches!(behind.as_bytes(), [b'x', high, low, ..] if is_hex(high) && is_hex(low));
        into.push_str(before);
        into.push_str(if spells_a_byte { r"\x5c" } else { r"\" });
        rest = behind;
    }
    into.push_str(rest);
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::ffi::OsStrExt as _;

    use super::*;

    #[test]
    fn no_two_names_become_one() {
        let text = |name: &[u8]| name_text(OsStr::from_bytes(name));
        assert_eq!(text("ä b.xml".as_bytes()), "ä b.xml");
        assert_eq!(text(b"\xff.xml"), r"\xff.xml");
        assert_eq!(text(br"\xff.xml"), r"\x5cxff.xml");
        assert_eq!(text(b"\\\xff.xml"), r"\\xff.xml");
        assert_eq!(text(br"\\xff.xml"), r"\\x5cxff.xml");
        assert_eq!(text(br"\x5cxff.xml"), r"\x5cx5cxff.xml");
        // what spells no byte stays
        assert_eq!(text(br"a\xFF\x1.xml\"), r"a\xFF\x1.xml\");
    }
}
