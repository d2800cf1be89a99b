//! A hash of what lies in a set of paths, wherever that is.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::inventory::{Bytes, Inventory};

/// Hashes the artifacts' names, their files' paths and bytes, in an order that they alone decide.
pub(super) fn of(inventory: &Inventory) -> String {
    let mut files = Vec::new();
    for artifact in &*inventory.artifacts {
        let name = artifact.relative_name.as_str();
        match &artifact.bytes {
            Bytes::Whole { file, .. } => files.push((name, "", content(file))),
            Bytes::Loose(loose) => {
                files.extend(loose.iter().map(|f| (name, f.path.as_str(), content(&f.file))));
            }
            Bytes::Unreadable { .. } => files.push((name, "", None)),
        }
    }
    files.sort_unstable();
    let mut hash = Sha256::new();
    for (name, path, content) in files {
        for text in [name, path] {
            hash.update((text.len() as u64).to_le_bytes());
            hash.update(text);
        }
        hash.update([u8::from(content.is_some())]);
        hash.update(content.unwrap_or_default());
    }
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

/// Hashes the bytes of a file; `None` where it cannot be read.
fn content(path: &Path) -> Option<[u8; 32]> {
    let hash = || -> io::Result<[u8; 32]> {
        let mut file = File::open(path)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 256 << 10];
        loop {
            match file.read(&mut buffer)? {
                0 => return Ok(hash.finalize().into()),
                got => hash.update(buffer.get(..got).unwrap_or_default()),
            }
        }
    };
    hash().map_err(|error| tracing::warn!(path = %path.display(), %error, "cannot be read")).ok()
}
