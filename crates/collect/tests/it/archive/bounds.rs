//! The caps: each is met by an error that names it, after all bytes that fit.

use testlake_collect::archive::{ArchiveCode, Budget, ReadOutcome, Scratch, open};
use testlake_collect::limits::ArchiveLimits;
use testlake_testkit::zip::{Member, ZipBuilder};

use super::{count, is_xml, memory, read_all_within, report};

const MIB: u64 = 1 << 20;

#[test]
fn a_bomb_gives_its_beginning_and_stops_at_the_ratio() {
    let zip = ZipBuilder::new()
        .member(Member::bomb("bomb.xml", b' ', 100 * MIB))
        .member(Member::stored("a.xml", b"<a/>"))
        .build();
    assert!(zip.bytes.len() < 400_000);
    let limits = ArchiveLimits::default();
    let budget = Budget::new(limits.run_bytes);
    let opened = open("r.zip", &memory(&zip.bytes), &is_xml, &limits, &budget).unwrap();
    let [a, bomb] = &opened.entries[..] else { panic!("{:?}", opened.entries) };

    let (mut scratch, mut into) = (Scratch::new(), Vec::new());
    assert_eq!(opened.archive.read(a, &mut scratch, &mut into, &limits, &budget), Ok(ReadOutcome::Whole));
    let used = budget.used();
    let outcome = opened.archive.read(bomb, &mut scratch, &mut into, &limits, &budget);
    assert_eq!(outcome, Ok(ReadOutcome::TooLargeForMemory));
    assert!(into.capacity() as u64 <= 128 * MIB, "memory is bounded: {}", into.capacity());
    assert_eq!(budget.used(), used, "what is read once more is charged once");

    let (given, defect) = count(&opened.archive, bomb, &limits, &budget);
    let defect = defect.unwrap();
    assert_eq!(defect.code, ArchiveCode::EntryRatio);
    assert_eq!(defect.entry.as_deref(), Some("bomb.xml"));
    assert!(defect.text.contains("500") && defect.text.contains("--max-ratio"), "{}", defect.text);
    assert!((64 * MIB..66 * MIB).contains(&given), "{given}");
}

#[test]
fn a_bomb_that_claims_to_be_small_is_found_out() {
    let bomb = Member::bomb("bomb.xml", b' ', 40 * MIB).claimed_size(1_000);
    let zip = ZipBuilder::new().member(bomb).build();
    let limits = ArchiveLimits::default();
    let budget = Budget::new(limits.run_bytes);
    let opened = open("r.zip", &memory(&zip.bytes), &is_xml, &limits, &budget).unwrap();
    let bomb = &opened.entries[0];
    assert_eq!(bomb.size_bytes, 1_000);
    let outcome = opened.archive.read(bomb, &mut Scratch::new(), &mut Vec::new(), &limits, &budget);
    assert_eq!(outcome, Ok(ReadOutcome::TooLargeForMemory));
    let (given, defect) = count(&opened.archive, bomb, &limits, &budget);
    assert_eq!(given, 40 * MIB);
    assert_eq!(defect.unwrap().code, ArchiveCode::EntryBroken);
}

#[test]
fn an_entry_is_cut_at_its_limit_and_not_before() {
    let data = report(1, 10_000);
    let len = data.len() as u64;
    let zip = ZipBuilder::new()
        .member(Member::deflated("d.xml", &data))
        .member(Member::stored("s.xml", &data))
        .build();
    let at_limit = ArchiveLimits { entry_bytes: len, ..ArchiveLimits::default() };
    let all = read_all_within("r.zip", &zip.bytes, &at_limit);
    assert_eq!(all.bytes("d.xml"), data);
    assert_eq!(all.bytes("s.xml"), data);

    let below = ArchiveLimits { entry_bytes: len - 1, ..ArchiveLimits::default() };
    let all = read_all_within("r.zip", &zip.bytes, &below);
    for path in ["d.xml", "s.xml"] {
        let got = all.get(path);
        assert_eq!(got.code(), Some(ArchiveCode::EntryTooLarge));
        assert!(got.text().contains(&format!("{}-byte limit", len - 1)), "{}", got.text());
        assert!(got.text().contains("--max-entry-size"));
        assert_eq!(got.bytes, data[..data.len() - 1]);
    }
}

#[test]
fn the_run_ends_at_its_limit() {
    let data = report(1, 10_000);
    let zip = ZipBuilder::new()
        .member(Member::deflated("a.xml", &data))
        .member(Member::deflated("b.xml", &data))
        .build();
    let limits = ArchiveLimits { run_bytes: data.len() as u64 + 100, ..ArchiveLimits::default() };
    let budget = Budget::new(limits.run_bytes);
    let opened = open("r.zip", &memory(&zip.bytes), &is_xml, &limits, &budget).unwrap();
    let (mut scratch, mut into) = (Scratch::new(), Vec::new());
    let read = opened.archive.read(&opened.entries[0], &mut scratch, &mut into, &limits, &budget);
    assert_eq!(read, Ok(ReadOutcome::Whole));
    let read = opened.archive.read(&opened.entries[1], &mut scratch, &mut into, &limits, &budget);
    let defect = read.unwrap_err();
    assert_eq!(defect.code, ArchiveCode::RunTooLarge);
    assert!(defect.text.contains("--max-run-size"), "{}", defect.text);
    assert_eq!(into, data[..100]);
    assert_eq!(budget.used(), limits.run_bytes);
}

#[test]
fn beyond_the_limit_of_entries_none_is_taken_in() {
    let zip = ZipBuilder::new()
        .members((0..10).map(|i| Member::stored(format!("{i}.xml"), b"<a/>")))
        .members((0..10).map(|i| Member::stored(format!("{i}.txt"), b"")))
        .build();
    let limits = ArchiveLimits { entries: 20, ..ArchiveLimits::default() };
    let all = read_all_within("r.zip", &zip.bytes, &limits);
    assert_eq!((all.entries.len(), all.defects.len()), (10, 0));

    let limits = ArchiveLimits { entries: 7, ..ArchiveLimits::default() };
    let all = read_all_within("r.zip", &zip.bytes, &limits);
    assert_eq!(all.paths(), ["0.xml", "1.xml", "2.xml", "3.xml", "4.xml", "5.xml", "6.xml"]);
    assert_eq!(all.codes(), [ArchiveCode::TooManyEntries]);
    assert!(all.defects[0].text.contains("more than 7 entries"), "{}", all.defects[0].text);
    assert_eq!(all.defects[0].offset, Some(zip.headers[7] as u64));
}

#[test]
fn a_host_of_members_is_cut_at_the_limit() {
    let zip = ZipBuilder::new()
        .members((0..110_000).map(|i| Member::stored(format!("{i}.xml"), b"")))
        .wide()
        .build();
    let limits = ArchiveLimits::default();
    let opened =
        open("r.zip", &memory(&zip.bytes), &is_xml, &limits, &Budget::new(limits.run_bytes)).unwrap();
    assert_eq!(opened.entries.len(), 100_000);
    assert_eq!(opened.defects.len(), 1);
    assert_eq!(opened.defects[0].code, ArchiveCode::TooManyEntries);

    // Without its directory, too.
    let cut = &zip.bytes[..zip.directory];
    let opened = open("r.zip", &memory(cut), &is_xml, &limits, &Budget::new(limits.run_bytes)).unwrap();
    assert_eq!(opened.entries.len(), 100_000);
    let codes: Vec<_> = opened.defects.iter().map(|defect| defect.code).collect();
    assert_eq!(codes, [ArchiveCode::TooManyEntries, ArchiveCode::ArchiveCutOff]);
}
