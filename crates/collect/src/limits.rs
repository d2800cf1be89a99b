//! The caps on what an input may ask of us. Each is a setting; each that is hit is an error that names it.
//!
//! What is fixed stands where it holds, with its reason: entries of more than 32 MiB are read in pieces
//! ([`IN_MEMORY_BYTES`](crate::archive::IN_MEMORY_BYTES)), the paths of one archive take 64 MiB at most, and of
//! its defects 1,000 are listed one by one.

pub use testlake_report::Limits as ReportLimits;

/// Caps on archives and on what they inflate to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveLimits {
    /// Entries of one archive, wanted or not (`--max-entries`).
    pub entries: u64,
    /// Inflated bytes of one entry (`--max-entry-size`).
    pub entry_bytes: u64,
    /// Inflated bytes of one run (`--max-run-size`).
    pub run_bytes: u64,
    /// Inflated bytes for each compressed byte of an entry, once it is over 64 MiB inflated (`--max-ratio`).
    pub ratio: u64,
}

impl Default for ArchiveLimits {
    fn default() -> Self {
        Self {
            // 100,000: PyTorch's largest artifacts hold a few hundred.
            entries: 100_000,
            // 16 GiB: reports of 5 GB are real, and are read in bounded memory.
            entry_bytes: 16 << 30,
            // 256 GiB: hundreds of the largest runs known.
            run_bytes: 256 << 30,
            // 500: log lines repeated many times reach about 300; deflate ends at 1,032.
            ratio: 500,
        }
    }
}
