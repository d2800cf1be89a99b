//! What can be wrong with an archive, as values.

use std::error::Error;
use std::fmt;
use std::io;

use super::Entry;

/// What is wrong with an archive or one of its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// The entry's path; absent where it is the archive's own.
    pub entry: Option<String>,
    /// The byte offset in the archive, where there is one; of what is met while bytes come out (a limit, a checksum) how many had.
    pub offset: Option<u64>,
    /// The stable code.
    pub code: ArchiveCode,
    /// What is wrong, lower case, without a full stop: the limit that was hit and what to do. It fits after
    /// the entry's or the artifact's name and does not repeat it.
    pub text: String,
}

impl Defect {
    /// Makes a defect of the archive itself.
    pub(crate) fn new(code: ArchiveCode, offset: impl Into<Option<u64>>, text: impl Into<String>) -> Self {
        Self { entry: None, offset: offset.into(), code, text: text.into() }
    }

    /// Makes it one of the entry at `path`.
    #[must_use]
    pub(crate) fn of(mut self, path: &str) -> Self {
        self.entry = Some(path.to_owned());
        self
    }

    /// Makes a defect of bytes that the system does not hand out.
    pub(crate) fn unreadable(error: &io::Error) -> Self {
        Self::new(ArchiveCode::Unreadable, None, format!("cannot be read: {error}"))
    }

    /// Wraps it for a [`std::io::Read`]; [`defect_of`] unwraps it.
    pub(crate) fn into_io(self) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, self)
    }
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(entry) = &self.entry {
            write!(f, "`{entry}`: ")?;
        }
        f.write_str(&self.text)
    }
}

impl Error for Defect {}

/// Returns the defect that a reader of `entry` ended with.
pub fn defect_of(error: io::Error, entry: &Entry) -> Defect {
    match error.downcast::<Defect>() {
        Ok(defect) => defect,
        Err(error) => Defect::unreadable(&error).of(&entry.path),
    }
}

/// The stable codes of what can be wrong with an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ArchiveCode {
    /// It is none of the kinds that are read.
    NotAnArchive,
    /// It ends before its end.
    ArchiveCutOff,
    /// Its directory cannot be read.
    ArchiveBroken,
    /// More entries than the limit.
    TooManyEntries,
    /// An entry that needs a password.
    EntryEncrypted,
    /// An entry with a method other than stored and deflate.
    EntryMethod,
    /// Entries that share bytes.
    EntryOverlaps,
    /// Entries of one path; the last counts.
    EntryDuplicate,
    /// A path that is absolute or goes up; its parts are names only.
    EntryPath,
    /// An entry that is a link; what it points to is read where the archive holds it.
    EntryLink,
    /// An entry's bytes that end or break before its end, or fail their checksum.
    EntryBroken,
    /// An entry that inflates to more bytes than a limit.
    EntryTooLarge,
    /// An entry that inflates to more bytes for each compressed byte than the limit.
    EntryRatio,
    /// The run's entries inflate to more bytes than the limit.
    RunTooLarge,
    /// The system does not hand out the bytes: a file that vanished, no permission, a disk that is full.
    Unreadable,
    /// A bug of ours, met while the entry was read.
    Internal,
}

impl ArchiveCode {
    /// Returns the stable identifier used in the ledger and in docs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::NotAnArchive => "not-an-archive",
            Self::ArchiveCutOff => "archive-cut-off",
            Self::ArchiveBroken => "archive-broken",
            Self::TooManyEntries => "too-many-entries",
            Self::EntryEncrypted => "entry-encrypted",
            Self::EntryMethod => "entry-method",
            Self::EntryOverlaps => "entry-overlaps",
            Self::EntryDuplicate => "entry-duplicate",
            Self::EntryPath => "entry-path",
            Self::EntryLink => "entry-link",
            Self::EntryBroken => "entry-broken",
            Self::EntryTooLarge => "entry-too-large",
            Self::EntryRatio => "entry-ratio",
            Self::RunTooLarge => "run-too-large",
            Self::Unreadable => "unreadable",
            Self::Internal => "internal",
        }
    }

    /// Reports whether it only tells of something odd, by which nothing that counts is lost.
    pub const fn is_note(self) -> bool {
        match self {
            Self::EntryDuplicate | Self::EntryPath | Self::EntryLink => true,
            Self::NotAnArchive
            | Self::ArchiveCutOff
            | Self::ArchiveBroken
            | Self::TooManyEntries
            | Self::EntryEncrypted
            | Self::EntryMethod
            | Self::EntryOverlaps
            | Self::EntryBroken
            | Self::EntryTooLarge
            | Self::EntryRatio
            | Self::RunTooLarge
            | Self::Unreadable
            | Self::Internal => false,
        }
    }
}

impl fmt::Display for ArchiveCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
