//! Tars, plain and compressed.
//!
//! ```text
//! [header 512][data, filled up to 512] [header][data] ... [two blocks of zeros]
//! ```
//!
//! A plain tar is read where it lies. A compressed one cannot be read in any order but its own: it is inflated
//! once, under the caps, and the data of its wanted entries goes into a [`Spool`].

mod feed;
mod header;
mod index;

use feed::Feed;
pub(super) use header::begins;

use super::collector::Collector;
use super::decoder::{self, Decoder, Stored};
use super::kind::Codec;
use super::meter::{Caps, Meter};
use super::opened::stranger;
use super::{Budget, Defect, Entry};
use crate::limits::ArchiveLimits;
use crate::spool::{Body, Spool};

/// The inflated bytes of one compressed tar that are held in memory before they go to a temporary file.
const SPOOL_MEMORY_BYTES: usize = 8 << 20;

/// A tar's wanted members and the bytes that they lie in.
#[derive(Debug)]
pub(super) struct Tar {
    body: Body,
    members: Vec<Member>,
    is_charged: bool,
}

/// One member.
#[derive(Debug, Clone)]
struct Member {
    /// Where its data lies in [`Tar::body`].
    start: u64,
    /// The bytes of it that are there.
    held: u64,
    /// What is wrong with it, told after those bytes.
    broken: Option<Box<Defect>>,
}

impl Tar {
    /// Lists a tar that lies in `body` as it is.
    pub(super) fn list(body: &Body, into: &mut Collector<'_>) -> Result<Self, Defect> {
        let mut feed = Feed::plain(body);
        let members = index::list(&mut feed, into)?;
        Ok(Self { body: body.clone(), members, is_charged: false })
    }

    /// Inflates a compressed tar and lists it.
    pub(super) fn inflate(
        body: &Body,
        codec: Codec,
        into: &mut Collector<'_>,
        limits: &ArchiveLimits,
        budget: &Budget,
    ) -> Result<Self, Defect> {
        // The cap on one entry holds for each entry, below; what all of them come to is the run's.
        let caps = Caps { bytes: u64::MAX, ratio: limits.ratio };
        let meter = Meter::new(decoder::squeezed(body, codec)?, caps).charge(budget);
        let mut feed = Feed::inflated(meter, Spool::new(SPOOL_MEMORY_BYTES), limits.entry_bytes);
        let members = index::list(&mut feed, into)?;
        Ok(Self { body: feed.into_body()?, members, is_charged: true })
    }

    /// Reports whether its bytes have been charged to the run already.
    pub(super) fn is_charged(&self) -> bool {
        self.is_charged
    }

    /// Returns a decoder of a member.
    pub(super) fn decoder(&self, entry: &Entry) -> Result<Box<dyn Decoder>, Defect> {
        let member = self.members.get(entry.locator).ok_or_else(|| stranger(entry))?;
        let source = self.body.reader(member.start, member.start.saturating_add(member.held));
        let stored = Stored::new(source, member.held);
        Ok(match &member.broken {
            None => Box::new(stored),
            Some(defect) => Box::new(Cut { stored, defect: (**defect).clone() }),
        })
    }
}

/// A member's bytes as far as they are there, and then what is wrong with it.
struct Cut {
    stored: Stored,
    defect: Defect,
}

impl Decoder for Cut {
    fn fill(&mut self, into: &mut [u8]) -> Result<usize, Defect> {
        match self.stored.fill(into)? {
            0 if !into.is_empty() => Err(self.defect.clone()),
            got => Ok(got),
        }
    }

    fn consumed(&self) -> u64 {
        self.stored.consumed()
    }
}
