//! Opens artifacts: zip, tar (plain, gzip, zstd), a compressed report, a folder of loose files, a single report.
//!
//! [`open`] looks at an artifact's first bytes (its name only breaks ties) and lists the wanted entries;
//! [`Archive::read`] inflates a whole entry into memory, [`Archive::stream`] gives a larger one in pieces.
//! Paths in archives are names, never opened. Nothing is unpacked onto a disk; the one exception is that the
//! wanted entries of a compressed tar, which cannot be read in any other order than its own, pass through a
//! [`Spool`](crate::spool::Spool).
//!
//! What is broken never stops the rest: all bytes before a break are given, then a [`Defect`] that names the
//! entry, the byte and a stable code. What concerns one entry alone comes from reading it; what concerns the
//! archive, and notes that lose nothing, are in [`Opened::defects`].
//!
//! ```text
//! Content ─ kind ─┬─ zip ── directory, else walk from the front ──┐
//!                 ├─ tar ── headers (inflated once into a spool) ─┼─ Opened { entries, defects, archive }
//!                 ├─ gzip or zstd of one report ──────────────────┤             │
//!                 └─ loose files, a single report ────────────────┘   read: libdeflate, whole, up to 32 MiB
//!                                                                      stream: decoder → meter (all caps)
//! ```
//!
//! Not here: what an entry means.

mod budget;
mod collector;
mod decoder;
mod defect;
mod kind;
mod meter;
mod name;
mod opened;
mod plain;
mod tar;
mod zip;

pub use budget::Budget;
pub use defect::{ArchiveCode, Defect, defect_of};
pub use opened::{Archive, Entry, IN_MEMORY_BYTES, Opened, ReadOutcome, Scratch, open};
