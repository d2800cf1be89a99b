//! Collections in a folder of a local disk.
//!
//! An object is written beside its place, to `.<name>.partial`, which its writer locks; when all its bytes are on the
//! disk it takes its name. What a killed run left is overwritten by the next.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::task::spawn_blocking;

use super::{Destination, ObjectKind, ObjectWriter, OutputError};

/// A folder that objects are kept in, each a file at its key.
#[derive(Debug)]
pub struct Folder {
    name: String,
    root: PathBuf,
}

impl Folder {
    /// Makes the destination. Nothing is made on the disk yet.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        Self { name: root.display().to_string(), root }
    }

    fn path_of(&self, key: &str) -> Result<PathBuf, OutputError> {
        let is_no_name = |part: &str| {
            matches!(part, "" | "." | "..")
                || part.contains(['\0', '\\'])
                || (cfg!(windows) && part.contains(':'))
        };
        if !key.split('/').any(is_no_name) {
            Ok(self.root.join(key))
        } else {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "a part of it is no file's name");
            Err(error(Path::new(key), source))
        }
    }
}

#[async_trait]
impl Destination for Folder {
    fn name(&self) -> &str {
        &self.name
    }

    async fn check(&self) -> Result<(), OutputError> {
        let root = self.root.clone();
        blocking(&self.root, move || {
            fs::create_dir_all(&root)?;
            // A file without a name, so that nothing stays, however this ends.
            tempfile::tempfile_in(&root)?.write_all(b"probe")
        })
        .await
    }

    async fn create(&self, key: &str, _kind: ObjectKind) -> Result<Box<dyn ObjectWriter>, OutputError> {
        let place = self.path_of(key)?;
        let opened = blocking(&self.root.join(key), move || Partial::open(place)).await?;
        match opened {
            Some(partial) => Ok(Box::new(Writer { partial: Some(partial) })),
            None => Err(OutputError::Busy { place: self.root.join(key).display().to_string() }),
        }
    }

    async fn remove(&self, key: &str) -> Result<(), OutputError> {
        let place = self.path_of(key)?;
        blocking(&place.clone(), move || match fs::remove_file(place) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            other => other,
        })
        .await
    }
}

#[derive(Debug)]
struct Writer {
    /// Absent once a write has failed: what came after would not be whole.
    partial: Option<Partial>,
}

#[async_trait]
impl ObjectWriter for Writer {
    async fn write(&mut self, bytes: Bytes) -> Result<(), OutputError> {
        let Some(mut partial) = self.partial.take() else { return Err(broken()) };
        let place = partial.place.clone();
        let written = blocking(&place, move || {
            partial.file.write_all(&bytes)?;
            Ok(partial)
        });
        self.partial = Some(written.await?);
        Ok(())
    }

    async fn commit(mut self: Box<Self>) -> Result<(), OutputError> {
        let Some(partial) = self.partial.take() else { return Err(broken()) };
        blocking(&partial.place.clone(), move || partial.commit()).await
    }

    async fn abort(self: Box<Self>) {
        drop(self);
    }
}

/// A locked file that is not yet under its name. Dropped, it is removed.
#[derive(Debug)]
struct Partial {
    file: File,
    path: PathBuf,
    place: PathBuf,
    committed: bool,
}

impl Partial {
    /// Opens and locks the file; `None` where another holds the lock.
    fn open(place: PathBuf) -> io::Result<Option<Self>> {
        let mut name = std::ffi::OsString::from(".");
        name.push(place.file_name().unwrap_or_default());
        name.push(".partial");
        let path = place.with_file_name(name);
        if fs::metadata(&place).is_ok_and(|metadata| metadata.is_dir()) {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "a folder of that name is in the way"));
        }
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        loop {
            let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // Between opening and locking, another may have put this very file under its name.
            if !is_still_at(&file, &path)? {
                continue;
            }
            file.set_len(0)?;
            return Ok(Some(Self { file, path, place, committed: false }));
        }
    }

    fn commit(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.place)?;
        self.committed = true;
        match self.place.parent() {
            Some(parent) => sync_folder(parent),
            None => Ok(()),
        }
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.committed
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::debug!(path = %self.path.display(), %error, "not removed");
        }
    }
}

#[cfg(unix)]
fn is_still_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    let open = file.metadata()?;
    match fs::symlink_metadata(path) {
        // Not ours: it could lead to a file that is dear to someone.
        Ok(there) if !there.is_file() => {
            Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("`{}` is in the way", path.display())))
        }
        Ok(there) => Ok((open.dev(), open.ino()) == (there.dev(), there.ino())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn is_still_at(_file: &File, path: &Path) -> io::Result<bool> {
    path.try_exists()
}

/// Makes the new name itself last through a loss of power.
#[cfg(unix)]
fn sync_folder(folder: &Path) -> io::Result<()> {
    let folder = if folder == Path::new("") { Path::new(".") } else { folder };
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_folder: &Path) -> io::Result<()> {
    Ok(())
}

/// Runs what waits for a disk where it holds up nothing else.
async fn blocking<T: Send + 'static>(
    place: &Path,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, OutputError> {
    let done = spawn_blocking(work).await.unwrap_or_else(|e| Err(io::Error::other(e)));
    done.map_err(|e| error(place, e))
}

fn broken() -> OutputError {
    let place = "the object".to_owned();
    OutputError::Unavailable { place, source: "a write before this one failed".into() }
}

/// Decides whether it can ever be written there as things are.
fn error(place: &Path, source: io::Error) -> OutputError {
    let place = place.display().to_string();
    match source.kind() {
        io::ErrorKind::NotFound
        | io::ErrorKind::PermissionDenied
        | io::ErrorKind::AlreadyExists
        | io::ErrorKind::NotADirectory
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::InvalidInput
        | io::ErrorKind::InvalidFilename
        | io::ErrorKind::Unsupported => OutputError::Refused { place, source: source.into() },
        _ => OutputError::Unavailable { place, source: source.into() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_took_its_name_meanwhile_is_no_partial_one_any_more() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(".b.partial");
        let file = File::create(&path).unwrap();
        assert!(is_still_at(&file, &path).unwrap());
        fs::rename(&path, dir.path().join("b")).unwrap();
        assert!(!is_still_at(&file, &path).unwrap());
        if cfg!(unix) {
            fs::write(&path, "another's").unwrap();
            assert!(!is_still_at(&file, &path).unwrap());
        }
    }

    #[test]
    fn a_full_disk_is_told_from_a_place_that_cannot_be_written() {
        let refused = |kind: io::ErrorKind| match error(Path::new("a/b"), kind.into()) {
            OutputError::Refused { .. } => true,
            OutputError::Unavailable { .. } => false,
            OutputError::Busy { .. } => panic!("not busy"),
        };
        for kind in
            [io::ErrorKind::PermissionDenied, io::ErrorKind::ReadOnlyFilesystem, io::ErrorKind::NotADirectory]
        {
            assert!(refused(kind), "{kind}");
        }
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::TimedOut] {
            assert!(!refused(kind), "{kind}");
        }
    }
}
