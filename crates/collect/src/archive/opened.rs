//! An opened artifact, of any kind: its wanted entries and the ways to read them.

use std::fmt;
use std::io::Read;
use std::ops::Range;

use super::collector::Collector;
use super::decoder::{self, Stored};
use super::kind::{self, Codec, HEAD_BYTES, Kind};
use super::meter::{Caps, Meter};
use super::tar::Tar;
use super::zip::Zip;
use super::{ArchiveCode, Budget, Defect, name, plain, tar, zip};
use crate::limits::ArchiveLimits;
use crate::source::{Content, LooseFile};
use crate::spool::Body;

/// The largest entry that [`Archive::read`] holds in memory: 32 MiB, ten times the largest usual report.
pub const IN_MEMORY_BYTES: u64 = 32 << 20;

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The path as the archive has it (`/` between parts; `..` and the like still in it).
    pub path: String,
    /// The inflated size in bytes that the archive claims. A claim, not a fact.
    pub size_bytes: u64,
    /// Where it begins in the archive.
    pub(super) offset: u64,
    /// Its place among the archive's members.
    pub(super) locator: usize,
}

/// An artifact that was opened.
#[derive(Debug)]
pub struct Opened {
    /// What reads the entries.
    pub archive: Archive,
    /// The wanted entries by the bytes of their paths; of those of one path only the last. Entries that turn out
    /// to be unreadable are among them: reading them says why.
    pub entries: Vec<Entry>,
    /// What is wrong with the archive as a whole, and notes ([`ArchiveCode::is_note`]).
    pub defects: Vec<Defect>,
}

/// Reads the entries of an artifact, in any order and from any thread.
#[derive(Debug)]
pub struct Archive(Form);

#[derive(Debug)]
enum Form {
    Zip(Zip),
    Tar(Tar),
    Squeezed(Body, Codec),
    Single(Body),
    Files(Vec<LooseFile>),
    Spooled(Body, Vec<Range<u64>>),
}

/// How [`Archive::read`] ended well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadOutcome {
    /// All of the entry is in memory, and is what the archive claims.
    Whole,
    /// It inflates to more than [`IN_MEMORY_BYTES`], whatever it claims. Nothing was given and nothing is
    /// charged to the budget: [`Archive::stream`] reads it.
    TooLargeForMemory,
}

/// The buffers of one worker, reused from entry to entry.
pub struct Scratch {
    pub(super) input: Vec<u8>,
    pub(super) inflater: libdeflater::Decompressor,
}

impl Scratch {
    /// Makes empty buffers.
    pub fn new() -> Self {
        Self { input: Vec::new(), inflater: libdeflater::Decompressor::new() }
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Scratch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scratch").field("input", &self.input.len()).finish_non_exhaustive()
    }
}

/// Opens an artifact.
///
/// `name` is its full name; `wanted` is asked for each entry's path and says which are kept. The others only
/// count against the limit of entries.
///
/// # Errors
/// The defect for which nothing at all can be read: it is no archive, or its bytes cannot be had.
pub fn open(
    name: &str,
    content: &Content,
    wanted: &dyn Fn(&str) -> bool,
    limits: &ArchiveLimits,
    budget: &Budget,
) -> Result<Opened, Defect> {
    let mut collector = Collector::new(wanted, limits);
    match content {
        Content::Files(files) => {
            let form = Form::Files(plain::list_files(files, &mut collector));
            Ok(close(form, collector))
        }
        Content::Spooled(body, files) => {
            let form = Form::Spooled(body.clone(), plain::list_spooled(files, &mut collector));
            Ok(close(form, collector))
        }
        Content::Bytes(body) => open_body(name, body, collector, limits, budget),
    }
}

fn open_body(
    name: &str,
    body: &Body,
    mut collector: Collector<'_>,
    limits: &ArchiveLimits,
    budget: &Budget,
) -> Result<Opened, Defect> {
    let mut head = [0; HEAD_BYTES];
    let got = body.read_full_at(0, &mut head).map_err(|error| Defect::unreadable(&error))?;
    let head = head.get(..got).unwrap_or_default();
    let last_part = name::last_part(name);
    match Kind::of(head) {
        Some(Kind::Tar) => {
            let tar = Tar::list(body, &mut collector)?;
            Ok(close(Form::Tar(tar), collector))
        }
        Some(Kind::Squeezed(codec)) => {
            if tar::begins(&first_block(body, codec)?) || kind::has_squeezed_tar_suffix(last_part) {
                let tar = Tar::inflate(body, codec, &mut collector, limits, budget)?;
                return Ok(close(Form::Tar(tar), collector));
            }
            let path = kind::without_squeezed_suffix(last_part);
            collector.offer(path.into(), plain::claimed_size(body, codec), 0, 0);
            Ok(close(Form::Squeezed(body.clone(), codec), collector))
        }
        Some(Kind::Zip) => match zip::list(body.clone(), zip::Hint::Magic, &mut collector)? {
            Some(zip) => Ok(close_zip(zip, collector)),
            None => Err(no_archive(head)),
        },
        None => {
            // A program that unpacks itself begins with its own bytes; its zip is found from the end.
            if !kind::has_archive_suffix(last_part) && kind::has_file_suffix(last_part) {
                collector.offer(last_part.into(), body.len(), 0, 0);
                return Ok(close(Form::Single(body.clone()), collector));
            }
            let hint = if kind::has_zip_suffix(last_part) { zip::Hint::Name } else { zip::Hint::None };
            match zip::list(body.clone(), hint, &mut collector)? {
                Some(zip) => Ok(close_zip(zip, collector)),
                None => Err(no_archive(head)),
            }
        }
    }
}

fn no_archive(head: &[u8]) -> Defect {
    Defect::new(ArchiveCode::NotAnArchive, 0, format!("is no archive: {}", kind::describe(head)))
}

/// Returns the first bytes that a compressed file stands for; those before a break, where there is one.
fn first_block(body: &Body, codec: Codec) -> Result<Vec<u8>, Defect> {
    let mut decoder = decoder::squeezed(body, codec)?;
    let mut block = vec![0; HEAD_BYTES];
    let mut filled = 0;
    while let Some(rest) = block.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match decoder.fill(rest) {
            Ok(0) | Err(_) => break,
            Ok(got) => filled += got,
        }
    }
    block.truncate(filled);
    Ok(block)
}

fn close(form: Form, collector: Collector<'_>) -> Opened {
    let (entries, defects) = collector.finish();
    Opened { archive: Archive(form), entries, defects }
}

fn close_zip(mut zip: Zip, collector: Collector<'_>) -> Opened {
    let (entries, defects) = collector.finish();
    zip.keep_apart(&entries);
    Opened { archive: Archive(Form::Zip(zip)), entries, defects }
}

impl Archive {
    /// Inflates a whole entry into `into`, which is cleared first.
    ///
    /// An entry of more than [`IN_MEMORY_BYTES`] is left to [`Self::stream`].
    ///
    /// # Errors
    /// What is wrong with the entry; `into` then holds all bytes that came before that.
    pub fn read(
        &self,
        entry: &Entry,
        scratch: &mut Scratch,
        into: &mut Vec<u8>,
        limits: &ArchiveLimits,
        budget: &Budget,
    ) -> Result<ReadOutcome, Defect> {
        if let Form::Zip(zip) = &self.0
            && entry.size_bytes <= limits.entry_bytes
            && zip.read_fast(entry, scratch, into, budget).is_some()
        {
            return Ok(ReadOutcome::Whole);
        }
        into.clear();
        self.meter(entry, limits, budget)?.read_whole(into)
    }

    /// Reads an entry in pieces.
    ///
    /// The reader gives all bytes that come before a defect, then an error that [`defect_of`](super::defect_of)
    /// turns into that defect.
    ///
    /// # Errors
    /// What is wrong with the entry, where no byte of it can be read.
    pub fn stream<'a>(
        &'a self,
        entry: &'a Entry,
        limits: &ArchiveLimits,
        budget: &'a Budget,
    ) -> Result<Box<dyn Read + Send + 'a>, Defect> {
        Ok(Box::new(self.meter(entry, limits, budget)?))
    }

    fn meter<'a>(
        &'a self,
        entry: &'a Entry,
        limits: &ArchiveLimits,
        budget: &'a Budget,
    ) -> Result<Meter<'a>, Defect> {
        let caps = Caps::of_entry(limits);
        let meter = match &self.0 {
            Form::Zip(zip) => {
                let (decoder, claim) = zip.decoder(entry)?;
                let meter = Meter::new(decoder, caps).charge(budget);
                match claim {
                    Some(claim) => meter.check(claim),
                    None => meter,
                }
            }
            Form::Tar(tar) => {
                let meter = Meter::new(tar.decoder(entry)?, caps);
                // What a compressed tar holds was charged when it was inflated.
                if tar.is_charged() { meter } else { meter.charge(budget) }
            }
            Form::Squeezed(body, codec) => Meter::new(decoder::squeezed(body, *codec)?, caps).charge(budget),
            Form::Single(body) => {
                let decoder = Stored::new(body.reader(0, body.len()), body.len());
                Meter::new(Box::new(decoder), caps).charge(budget)
            }
            Form::Files(files) => {
                let file = files.get(entry.locator).ok_or_else(|| stranger(entry))?;
                Meter::new(plain::open_file(file)?, caps).charge(budget)
            }
            Form::Spooled(body, ranges) => {
                let range = ranges.get(entry.locator).ok_or_else(|| stranger(entry))?;
                let len = range.end.saturating_sub(range.start);
                let decoder = Stored::new(body.reader(range.start, range.end), len);
                Meter::new(Box::new(decoder), caps).charge(budget)
            }
        };
        Ok(meter.name(&entry.path))
    }
}

/// The defect of an entry that another archive listed.
pub(super) fn stranger(entry: &Entry) -> Defect {
    Defect::new(ArchiveCode::EntryBroken, None, "belongs to another archive").of(&entry.path)
}
