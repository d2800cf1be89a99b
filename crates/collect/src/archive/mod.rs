//! Opens artifacts: zip, tar (plain, gzip, zstd), a folder of loose files, a single report.
//!
//! Paths in archives are names, never opened. Nothing is unpacked onto a disk: entries are inflated into
//! memory, whole while small, in pieces beyond that.
//!
//! Not here: what an entry means.

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path as the archive has it (`/` between parts; `..` and the like still in it).
    pub path: String,
    /// The inflated size in bytes that the archive claims. A claim, not a fact.
    pub size_bytes: u64,
    /// Where the archive finds it.
    pub(crate) locator: u64,
}

/// What is wrong with an archive or one of its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// The entry; absent where it is the archive's own.
    pub entry: Option<String>,
    /// The byte offset in the archive, where there is one.
    pub offset: Option<u64>,
    /// The stable code.
    pub code: ArchiveCode,
    /// A sentence without a full stop that names the thing, the limit and what to do.
    pub text: String,
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
    /// An entry's bytes that end or break before its end, or fail their checksum.
    EntryBroken,
    /// An entry that inflates to more bytes than a limit.
    EntryTooLarge,
    /// An entry that inflates to more bytes for each compressed byte than the limit.
    EntryRatio,
    /// The run's entries inflate to more bytes than the limit.
    RunTooLarge,
}
