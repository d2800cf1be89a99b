//! Goes over a tar's headers once and notes where the wanted members lie.

use std::collections::HashMap;

use tar::Header;

use super::Member;
use super::feed::{Feed, Keep, Passed};
use super::header::{Ahead, BLOCK_BYTES, Block, Role, path_of};
use crate::archive::collector::{Collector, Offer};
use crate::archive::{ArchiveCode, Defect, name};

/// The bytes of a long path or of a pax header that are read: paths of systems end at 4,096.
const AHEAD_BYTES: u64 = 1 << 20;

/// Lists the wanted members.
pub(super) fn list(feed: &mut Feed<'_>, into: &mut Collector<'_>) -> Result<Vec<Member>, Defect> {
    let mut index = Index { members: Vec::new(), paths: HashMap::new(), into };
    index.run(feed)?;
    if let Some(stopped) = feed.stopped() {
        index.into.note(stopped.clone());
    }
    Ok(index.members)
}

struct Index<'a, 'b> {
    members: Vec<Member>,
    /// The members by their paths, for links to them.
    paths: HashMap<String, usize>,
    into: &'a mut Collector<'b>,
}

impl Index<'_, '_> {
    fn run(&mut self, feed: &mut Feed<'_>) -> Result<(), Defect> {
        let mut ahead = Ahead::default();
        let mut is_lost = false;
        loop {
            let at = feed.position();
            let mut block = [0; BLOCK_BYTES];
            if feed.read(&mut block)? < BLOCK_BYTES {
                self.note_cut(feed, at);
                return Ok(());
            }
            match Block::of(&block) {
                // Zeros end a tar, but may as well be data where its headers are lost.
                Block::Zeros if !is_lost => return Ok(()),
                Block::Zeros => {}
                Block::Broken => {
                    if !is_lost {
                        let text = "has a broken header; entries after it are looked for";
                        self.into.note(Defect::new(ArchiveCode::ArchiveBroken, at, text));
                    }
                    is_lost = true;
                    ahead = Ahead::default();
                }
                Block::Header(header) => {
                    is_lost = false;
                    if self.take(feed, &header, &mut ahead, at)? == Offer::Full {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Takes in a header and passes over its data.
    fn take(
        &mut self,
        feed: &mut Feed<'_>,
        header: &Header,
        ahead: &mut Ahead,
        at: u64,
    ) -> Result<Offer, Defect> {
        let role = Role::of(header);
        let Ok(claimed) = header.entry_size() else {
            self.into.note(Defect::new(ArchiveCode::ArchiveBroken, at, "has a header without a size"));
            return Ok(Offer::Left);
        };
        if let Role::LongPath | Role::LongLink | Role::Pax = role {
            self.look_ahead(feed, role, claimed, ahead, at)?;
            return Ok(Offer::Left);
        }
        let ahead = std::mem::take(ahead);
        let size = ahead.size.unwrap_or(claimed);
        let path = path_of(header, &ahead);
        let path = name::of_tar(&path);
        match role {
            Role::SymbolicLink => {
                let target =
                    ahead.link.as_deref().map_or_else(|| header.link_name_bytes(), |link| Some(link.into()));
                let text = format!(
                    "is a link to `{}`, which is not followed",
                    name::of_tar(&target.unwrap_or_default())
                );
                self.into.note_if_wanted(&path, Defect::new(ArchiveCode::EntryLink, at, text));
                Ok(Offer::Left)
            }
            Role::HardLink => {
                let target =
                    ahead.link.as_deref().map_or_else(|| header.link_name_bytes(), |link| Some(link.into()));
                let target = target.unwrap_or_default();
                Ok(self.link(&path, &name::of_tar(&target), at))
            }
            Role::File | Role::Sparse => {
                let is_sparse = role == Role::Sparse || ahead.is_sparse;
                self.file(feed, &path, size, is_sparse, at)
            }
            Role::LongPath | Role::LongLink | Role::Pax | Role::Other => {
                // Folders count as entries, so that a tar of a million of them ends at the limit.
                let offer = self.into.offer("/".into(), 0, at, 0);
                feed.pass(size, Keep::No)?;
                Ok(offer)
            }
        }
    }

    /// Takes in a member with data of its own.
    fn file(
        &mut self,
        feed: &mut Feed<'_>,
        path: &str,
        size: u64,
        is_sparse: bool,
        at: u64,
    ) -> Result<Offer, Defect> {
        let offer = self.into.offer(path.into(), size, at, self.members.len());
        match offer {
            Offer::Full => {}
            Offer::Left => {
                feed.pass(size, Keep::No)?;
            }
            Offer::Kept if is_sparse => {
                let passed = feed.pass(size, Keep::No)?;
                let text = "is a sparse file, which is not read: pack it without `--sparse`";
                let broken = Some(Box::new(Defect::new(ArchiveCode::EntryMethod, at, text)));
                self.keep(path, Member { start: passed.start, held: 0, broken });
            }
            Offer::Kept => {
                let passed = feed.pass(size, Keep::Yes)?;
                let broken = why_short(feed, passed, size).map(Box::new);
                self.keep(path, Member { start: passed.start, held: passed.held, broken });
            }
        }
        Ok(offer)
    }

    /// Takes in a member that is another name for an earlier one.
    fn link(&mut self, path: &str, target: &str, at: u64) -> Offer {
        let member = match self.paths.get(target).and_then(|&index| self.members.get(index)) {
            Some(member) => member.clone(),
            None => {
                let text = format!(
                    "is a link to `{target}`, which is not among the entries that are read before it"
                );
                let broken = Some(Box::new(Defect::new(ArchiveCode::EntryBroken, at, text)));
                Member { start: 0, held: 0, broken }
            }
        };
        let offer = self.into.offer(path.into(), member.held, at, self.members.len());
        if offer == Offer::Kept {
            self.keep(path, member);
        }
        offer
    }

    fn keep(&mut self, path: &str, member: Member) {
        self.paths.insert(path.to_owned(), self.members.len());
        self.members.push(member);
    }

    /// Reads what a header says of the next member.
    fn look_ahead(
        &mut self,
        feed: &mut Feed<'_>,
        role: Role,
        size: u64,
        ahead: &mut Ahead,
        at: u64,
    ) -> Result<(), Defect> {
        if size > AHEAD_BYTES {
            let text = format!(
                "has {size} bytes of names for one entry, where {AHEAD_BYTES} is the limit; they are not read"
            );
            self.into.note(Defect::new(ArchiveCode::ArchiveBroken, at, text));
            feed.pass(size, Keep::No)?;
            return Ok(());
        }
        let mut data = vec![0; usize::try_from(size).unwrap_or(0)];
        let got = feed.read(&mut data)?;
        data.truncate(got);
        feed.pass_fill(size)?;
        match role {
            Role::LongPath => ahead.path = Some(data),
            Role::LongLink => ahead.link = Some(data),
            _ => ahead.take_pax(&data),
        }
        Ok(())
    }

    /// Notes that a tar ends without the zeros that must stand there.
    fn note_cut(&mut self, feed: &Feed<'_>, at: u64) {
        if feed.stopped().is_none() {
            let text = "ends without the zeros that end a tar: entries may be lost";
            self.into.note(Defect::new(ArchiveCode::ArchiveCutOff, at, text));
        }
    }
}

/// Returns why not all of a member's data can be read.
fn why_short(feed: &Feed<'_>, passed: Passed, size: u64) -> Option<Defect> {
    let (at, held, there) = (feed.position(), passed.held, passed.there);
    if held < there {
        let text = format!(
            "is larger than the {held}-byte limit; the rest is not read: raise it with `--max-entry-size`"
        );
        return Some(Defect::new(ArchiveCode::EntryTooLarge, at, text));
    }
    (there < size).then(|| match feed.stopped() {
        Some(stopped) => stopped.clone(),
        None => Defect::new(ArchiveCode::EntryBroken, at, format!("ends after {there} of {size} bytes")),
    })
}
