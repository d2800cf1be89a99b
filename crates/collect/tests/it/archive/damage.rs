//! Zips that broke on the way, or lie by mistake: all that can be saved is saved.

use proptest::collection::vec;
use proptest::prelude::*;
use testlake_collect::archive::{ArchiveCode, Budget, Opened, open};
use testlake_collect::limits::ArchiveLimits;
use testlake_testkit::zip::{Member, Zip, ZipBuilder};

use super::{All, count, is_xml, memory, on_disk, read_all, read_content, report};

/// Three reports: deflated, stored, and deflated with its sizes after the data.
fn three() -> (Zip, [(&'static str, Vec<u8>); 3]) {
    let reports = [("a.xml", report(1, 600)), ("b.xml", report(2, 200)), ("c.xml", report(3, 500))];
    let zip = ZipBuilder::new()
        .member(Member::deflated("a.xml", &reports[0].1))
        .member(Member::stored("b.xml", &reports[1].1))
        .member(Member::deflated("c.xml", &reports[2].1).with_descriptor())
        .build();
    (zip, reports)
}

#[test]
fn a_zip_that_is_cut_off_anywhere_gives_all_before_the_cut() {
    let (zip, reports) = three();
    let ends = [zip.headers[1], zip.headers[2], zip.directory - 16];
    for cut in 4..zip.bytes.len() {
        let all = read_content("r.zip", &memory(&zip.bytes[..cut]), &ArchiveLimits::default()).unwrap();
        assert_eq!(all.codes(), [ArchiveCode::ArchiveCutOff], "cut at {cut}");
        assert_eq!(all.defects[0].offset, Some(cut as u64));
        for (i, (path, data)) in reports.iter().enumerate() {
            if cut >= ends[i] {
                assert_eq!(all.bytes(path), data, "cut at {cut}");
            } else if cut > zip.data[i] {
                let got = all.get(path);
                assert_eq!(got.code(), Some(ArchiveCode::EntryBroken), "cut at {cut}");
                assert!(data.starts_with(&got.bytes), "cut at {cut}: what is given is a beginning");
                if i == 1 {
                    assert_eq!(got.bytes.len(), cut - zip.data[1], "stored data is given to the last byte");
                }
            } else {
                assert!(!all.paths().contains(path) || all.get(path).bytes.is_empty(), "cut at {cut}");
            }
        }
    }
    assert_eq!(read_all("r.zip", &zip.bytes).defects, []);
}

#[test]
fn the_beginning_of_a_cut_member_is_long() {
    let data = report(1, 200_000);
    let zip = ZipBuilder::new().member(Member::deflated("a.xml", &data)).build();
    let cut = zip.data[0] + (zip.directory - zip.data[0]) / 2;
    let all = read_all("r.zip", &zip.bytes[..cut]);
    let got = all.get("a.xml");
    assert!(
        got.bytes.len() > data.len() * 4 / 10,
        "half the data gives about half the report: {}",
        got.bytes.len()
    );
    assert!(data.starts_with(&got.bytes));
    assert_eq!(got.defect.as_ref().unwrap().offset, Some(cut as u64));
    assert_eq!(got.text(), format!("ends before its end, after {} bytes inflated", got.bytes.len()));
}

#[test]
fn members_whose_sizes_stand_behind_them_are_found_without_a_directory() {
    let reports: Vec<_> = (0..6).map(|i| report(i, 900)).collect();
    let zip = ZipBuilder::new()
        .member(Member::deflated("0.xml", &reports[0]).with_descriptor())
        .member(Member::stored("1.xml", &reports[1]).with_descriptor())
        .member(Member::deflated("2.xml", &reports[2]).with_bare_descriptor())
        .member(Member::stored("3.xml", &reports[3]).with_bare_descriptor())
        .member(Member::deflated("4.xml", &reports[4]).with_descriptor().wide())
        .member(Member::stored("5.xml", &reports[5]).with_bare_descriptor().wide())
        .build();
    let whole = read_all("r.zip", &zip.bytes);
    for cut in [zip.directory, zip.directory + 4, zip.end_record] {
        let cut = read_all("r.zip", &zip.bytes[..cut]);
        assert_eq!(whole.entries, cut.entries);
        for (i, report) in reports.iter().enumerate() {
            assert_eq!(cut.bytes(&format!("{i}.xml")), report);
        }
    }
}

#[test]
fn lies_of_the_directory_about_sizes_lose_nothing() {
    let (a, b) = (report(1, 3_000), report(2, 3_000));
    let second = Member::deflated("b.xml", &b);
    let truth = || Member::deflated("a.xml", &a);
    let lies = [
        ("shorter", truth().claimed_compressed(40)),
        ("longer", truth().claimed_compressed(100_000)),
        ("much longer", truth().claimed_compressed(0xffff_fffe)),
        ("inflated shorter", truth().claimed_size(100)),
        ("inflated longer", truth().claimed_size(1_000_000)),
        ("nothing inflated", truth().claimed_size(0).claimed_compressed(0)),
    ];
    for (what, liar) in lies {
        for honest_header in [true, false] {
            let mut liar = liar.clone();
            if honest_header {
                liar = liar.honest_local_header();
            }
            let zip = ZipBuilder::new().member(liar).member(second.clone()).build();
            let all = read_all("r.zip", &zip.bytes);
            assert_eq!(all.get("a.xml").bytes, a, "{what}");
            assert_eq!(all.bytes("b.xml"), b, "{what}");
            let expected = what.contains("inflated").then_some(ArchiveCode::EntryBroken);
            assert_eq!(all.get("a.xml").code(), expected, "{what}");
        }
    }
}

#[test]
fn a_stored_member_that_claims_too_much_takes_nothing_from_the_next() {
    let (a, b) = (report(1, 3_000), report(2, 3_000));
    let zip = ZipBuilder::new()
        .member(Member::stored("a.xml", &a).claimed_compressed(4_000).claimed_size(4_000))
        .member(Member::stored("b.xml", &b))
        .build();
    let all = read_all("r.zip", &zip.bytes);
    assert_eq!(all.get("a.xml").code(), Some(ArchiveCode::EntryBroken));
    assert_eq!(all.get("a.xml").bytes, a);
    assert_eq!(all.bytes("b.xml"), b);
}

#[test]
fn a_wrong_checksum_is_told_and_the_bytes_are_given() {
    let data = report(1, 3_000);
    for member in [Member::stored("a.xml", &data), Member::deflated("a.xml", &data)] {
        let zip = ZipBuilder::new().member(member.claimed_crc(1)).build();
        let all = read_all("r.zip", &zip.bytes);
        assert_eq!(all.get("a.xml").code(), Some(ArchiveCode::EntryBroken));
        assert!(
            all.get("a.xml").text().starts_with("does not match its checksum"),
            "{}",
            all.get("a.xml").text()
        );
        assert_eq!(all.get("a.xml").bytes, data);
    }
}

#[test]
fn damage_in_the_data_gives_what_comes_before_it() {
    let data = report(1, 100_000);
    let damaged = Member::deflated("a.xml", &data).damaged(|bytes| {
        let middle = bytes.len() / 2;
        bytes[middle..].fill(0xff);
    });
    let zip = ZipBuilder::new().member(damaged).member(Member::stored("b.xml", b"<a/>")).build();
    let all = read_all("r.zip", &zip.bytes);
    let got = all.get("a.xml");
    assert_eq!(got.code(), Some(ArchiveCode::EntryBroken));
    assert!(got.bytes.len() > data.len() / 3, "{}", got.bytes.len());
    assert_eq!(got.bytes[..data.len() / 3], data[..data.len() / 3]);
    let offset = usize::try_from(got.defect.as_ref().unwrap().offset.unwrap()).unwrap();
    assert!((zip.data[0] + 1_000..zip.data[0] + got.bytes.len()).contains(&offset), "{offset}");
    assert_eq!(all.bytes("b.xml"), b"<a/>");
}

#[test]
fn a_broken_directory_is_made_up_for_from_the_front() {
    let (zip, reports) = three();
    let mut broken = zip.bytes.clone();
    // The second record's signature.
    let second = zip.directory + 46 + "a.xml".len();
    assert_eq!(&broken[second..second + 4], b"PK\x01\x02");
    broken[second] = 0;
    let all = read_all("r.zip", &broken);
    assert_eq!(all.codes(), [ArchiveCode::ArchiveBroken]);
    assert!(
        all.defects[0].text.starts_with("has a directory of 3 entries that breaks after 1"),
        "{:?}",
        all.defects
    );
    for (path, data) in &reports {
        assert_eq!(all.bytes(path), data);
    }
}

#[test]
fn a_directory_that_is_nowhere_is_made_up_for_from_the_front() {
    let (zip, reports) = three();
    let mut broken = zip.bytes.clone();
    let at = zip.end_record + 12;
    broken[at..at + 8].copy_from_slice(&[0xaa; 8]);
    let all = read_all("r.zip", &broken);
    assert_eq!(all.codes().len(), 1);
    for (path, data) in &reports {
        assert_eq!(all.bytes(path), data);
    }
}

#[test]
fn an_end_record_that_counts_none_hides_nothing() {
    let (zip, reports) = three();
    for from in [8, 12] {
        let mut broken = zip.bytes.clone();
        broken[zip.end_record + from..].fill(0);
        let all = read_all("r.zip", &broken);
        for (path, data) in &reports {
            assert_eq!(all.bytes(path), data);
        }
        assert_eq!(all.codes(), [ArchiveCode::ArchiveBroken]);
    }
}

#[test]
fn an_end_record_that_counts_too_many_is_told() {
    let member = Member::stored("a.xml", b"<a/>");
    let zip = ZipBuilder::new().member(member).claimed_entries(9).build();
    let all = read_all("r.zip", &zip.bytes);
    assert_eq!(all.codes(), [ArchiveCode::ArchiveBroken]);
    assert_eq!(all.bytes("a.xml"), b"<a/>");
}

#[test]
fn a_member_without_a_header_is_told_and_the_rest_is_read() {
    let (zip, reports) = three();
    let mut broken = zip.bytes.clone();
    broken[zip.headers[1]] = b'X';
    let all = read_all("r.zip", &broken);
    assert_eq!(all.defects, []);
    assert_eq!(all.get("b.xml").code(), Some(ArchiveCode::EntryBroken));
    assert_eq!(all.get("b.xml").defect.as_ref().unwrap().offset, Some(zip.headers[1] as u64));
    assert_eq!(all.bytes("a.xml"), reports[0].1);
    assert_eq!(all.bytes("c.xml"), reports[2].1);
}

/// What a run can cost at most, whatever its bytes say.
fn costs_little(bytes: &[u8]) -> All {
    let limits = ArchiveLimits { entry_bytes: 20_000, run_bytes: 60_000, entries: 50, ratio: 100 };
    let budget = Budget::new(limits.run_bytes);
    let mut total = 0;
    if let Ok(Opened { archive, entries, .. }) = open("r.zip", &memory(bytes), &is_xml, &limits, &budget) {
        assert!(entries.len() <= 50);
        assert!(entries.is_sorted_by(|a, b| a.path.as_bytes() < b.path.as_bytes()));
        for entry in &entries {
            let (given, _) = count(&archive, entry, &limits, &budget);
            assert!(given <= limits.entry_bytes);
            total += given;
        }
    }
    assert!(total <= limits.run_bytes);
    let all = read_content("r.zip", &memory(bytes), &limits);
    assert_eq!(all, read_content("r.zip", &on_disk(bytes), &limits));
    all.unwrap_or_else(|defect| All { entries: Vec::new(), defects: vec![defect] })
}

fn a_zip() -> impl Strategy<Value = Zip> {
    let member = (0..4_u8, 0..300_usize, 0..10_u8).prop_map(|(name, len, kind)| {
        let (name, data) = (format!("{name}.xml"), report(u32::from(kind), len));
        match kind {
            0..3 => Member::stored(name, &data),
            3..6 => Member::deflated(name, &data),
            6 => Member::deflated(name, &data).with_descriptor(),
            7 => Member::stored(name, &data).with_bare_descriptor().wide(),
            8 => Member::deflated(name, &data).wide().local_extra(40),
            _ => Member::bomb(name, b' ', 30_000),
        }
    });
    (vec(member, 0..6), any::<bool>()).prop_map(|(members, wide)| {
        let builder = ZipBuilder::new().members(members);
        if wide { builder.wide().build() } else { builder.build() }
    })
}

/// Changes that nearly leave a zip: most of its bytes stay.
#[derive(Debug, Clone)]
pub(super) enum Damage {
    Flip(prop::sample::Index, u8),
    Full(prop::sample::Index, usize),
    Cut(prop::sample::Index),
    Drop(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize),
}

pub(super) fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        6 => (at(), 0..8_u8).prop_map(|(at, bit)| Damage::Flip(at, bit)),
        2 => (at(), 1..9_usize).prop_map(|(at, len)| Damage::Full(at, len)),
        2 => at().prop_map(Damage::Cut),
        1 => (at(), 1..100_usize).prop_map(|(at, len)| Damage::Drop(at, len)),
        1 => (at(), 1..400_usize).prop_map(|(at, len)| Damage::Repeat(at, len)),
    ]
}

impl Damage {
    pub(super) fn apply(&self, bytes: &mut Vec<u8>, from: usize) {
        if bytes.len() <= from {
            return;
        }
        let place = |at: &prop::sample::Index| from + at.index(bytes.len() - from);
        match self {
            Self::Flip(at, bit) => {
                let at = place(at);
                bytes[at] ^= 1 << bit;
            }
            Self::Full(at, len) => {
                let at = place(at);
                let end = (at + len).min(bytes.len());
                bytes[at..end].fill(0xff);
            }
            Self::Cut(at) => {
                let at = place(at);
                bytes.truncate(at);
            }
            Self::Drop(at, len) => {
                let at = place(at);
                let end = (at + len).min(bytes.len());
                bytes.drain(at..end);
            }
            Self::Repeat(at, len) => {
                let at = place(at);
                let end = (at + len).min(bytes.len());
                let again = bytes[at..end].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
}

proptest! {
    #[test]
    fn no_damage_makes_it_panic_or_run_away(zip in a_zip(), damages in vec(damage(), 1..6)) {
        let mut bytes = zip.bytes;
        for damage in &damages {
            damage.apply(&mut bytes, 0);
        }
        costs_little(&bytes);
    }

    #[test]
    fn no_damage_of_the_directory_makes_it_panic_or_run_away(zip in a_zip(), damages in vec(damage(), 1..6)) {
        let mut bytes = zip.bytes;
        for damage in &damages {
            damage.apply(&mut bytes, zip.directory);
        }
        costs_little(&bytes);
    }

    #[test]
    fn what_is_whole_is_what_was_packed(zip in a_zip(), cut in any::<prop::sample::Index>()) {
        let whole = costs_little(&zip.bytes);
        prop_assert!(!whole.codes().iter().any(|code| !code.is_note()), "{:?}", whole.defects);
        let cut = costs_little(&zip.bytes[..cut.index(zip.bytes.len())]);
        // Whatever a cut zip gives of a path is the beginning of what some member of that path holds.
        for got in cut.entries.iter().filter(|got| got.defect.is_none()) {
            prop_assert!(got.bytes.is_empty() || got.bytes.starts_with(b"<testsuite>") || got.bytes[0] == b' ');
        }
    }
}
