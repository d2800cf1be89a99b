//! What an artifact is, is told by its bytes.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use testlake_collect::archive::{ArchiveCode, Budget, open};
use testlake_collect::limits::ArchiveLimits;
use testlake_testkit::zip::{Member, ZipBuilder};

use super::{count, is_xml, memory, read_all, read_all_within, report};

pub(super) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

pub(super) fn zstd(data: &[u8]) -> Vec<u8> {
    zstd::bulk::compress(data, 3).unwrap()
}

#[test]
fn a_zip_is_a_zip_under_any_name() {
    let zip = ZipBuilder::new().member(Member::stored("a.xml", b"<a/>")).build();
    for name in ["r.zip", "reports", "r.tar.gz", "r.xml", "sub/r"] {
        assert_eq!(read_all(name, &zip.bytes).bytes("a.xml"), b"<a/>");
    }
}

#[test]
fn a_zip_behind_a_program_is_found_from_its_end() {
    for prefix in [&b"#!/bin/sh\nexit\n"[..], &[0x7f; 5_000]] {
        let zip = ZipBuilder::new().member(Member::deflated("a.xml", b"<a/>")).prefix(prefix).build();
        assert_eq!(read_all("r.zip", &zip.bytes).bytes("a.xml"), b"<a/>");
    }
}

#[test]
fn a_zip64_is_read() {
    let data = report(1, 5_000);
    let zip = ZipBuilder::new()
        .member(Member::deflated("a.xml", &data).wide())
        .member(Member::stored("b.xml", b"<b/>"))
        .wide()
        .build();
    let all = read_all("r.zip", &zip.bytes);
    assert_eq!(all.bytes("a.xml"), data);
    assert_eq!(all.bytes("b.xml"), b"<b/>");
    assert_eq!(all.defects, []);
}

#[test]
fn a_signature_in_a_comment_or_after_the_end_is_not_the_end() {
    let builder = ZipBuilder::new().member(Member::stored("a.xml", b"<a/>"));
    let zip = builder.comment(b"PK\x05\x06 is not the end, and neither is PK\x05\x06").build();
    assert_eq!(read_all("r.zip", &zip.bytes).bytes("a.xml"), b"<a/>");
}

#[test]
fn an_empty_zip_has_no_entries() {
    let all = read_all("r.zip", &ZipBuilder::new().build().bytes);
    assert_eq!((all.entries.len(), all.defects.len()), (0, 0));
}

#[test]
fn a_single_report_is_named_by_the_last_part_of_the_artifact() {
    for bytes in [&b"<testsuite/>"[..], b"", b"\xff\xfe<\0", b"\0\0\0 junk"] {
        let all = read_all("job_7/sub/report.xml", bytes);
        assert_eq!(all.paths(), ["report.xml"]);
        assert_eq!(all.bytes("report.xml"), bytes);
    }
}

#[test]
fn a_single_file_that_is_not_wanted_is_left() {
    let all = read_all("job_7/build.log", b"lines");
    assert_eq!((all.entries.len(), all.defects.len()), (0, 0));
}

#[test]
fn a_compressed_report_is_one_entry() {
    let data = report(1, 50_000);
    let gz = gzip(&data);
    for (name, bytes) in [("x/report.xml.gz", &gz), ("report.xml.zst", &zstd(&data)), ("report.xml", &gz)] {
        let all = read_all(name, bytes);
        assert_eq!(all.paths(), ["report.xml"]);
        assert_eq!(all.bytes("report.xml"), data);
    }
}

#[test]
fn a_gzip_may_have_several_members_and_zeros_behind() {
    let data = report(1, 50_000);
    let (one, two) = data.split_at(20_000);
    let bytes = [gzip(one), gzip(b""), gzip(two), vec![0; 700]].concat();
    assert_eq!(read_all("report.xml.gz", &bytes).bytes("report.xml"), data);
    let frames = [zstd(one), zstd(two)].concat();
    assert_eq!(read_all("report.xml.zst", &frames).bytes("report.xml"), data);
}

#[test]
fn a_gzip_followed_by_junk_is_told_and_read() {
    let data = report(1, 5_000);
    let gz = gzip(&data);
    let all = read_all("report.xml.gz", &[&gz[..], b"junk"].concat());
    let got = all.get("report.xml");
    assert_eq!(got.code(), Some(ArchiveCode::EntryBroken));
    assert_eq!(got.bytes, data);
    assert_eq!(got.defect.as_ref().unwrap().offset, Some(gz.len() as u64));
}

#[test]
fn a_compressed_report_that_is_cut_off_gives_its_beginning() {
    let data = report(1, 400_000);
    for (name, bytes) in [("report.xml.gz", gzip(&data)), ("report.xml.zst", zstd(&data))] {
        let cut = bytes.len() * 3 / 4;
        let all = read_all(name, &bytes[..cut]);
        let got = all.get("report.xml");
        assert_eq!(got.code(), Some(ArchiveCode::EntryBroken), "{name}");
        assert!(got.text().starts_with("ends before its end"), "{}", got.text());
        assert!(data.starts_with(&got.bytes));
        assert!(got.bytes.len() > data.len() / 4, "{name}: {}", got.bytes.len());
        assert_eq!(got.defect.as_ref().unwrap().offset, Some(cut as u64));
    }
}

#[test]
fn a_gzip_with_a_wrong_checksum_is_told() {
    let data = report(1, 5_000);
    let mut bytes = gzip(&data);
    let at = bytes.len() - 6;
    bytes[at] ^= 1;
    let all = read_all("report.xml.gz", &bytes);
    assert_eq!(all.get("report.xml").code(), Some(ArchiveCode::EntryBroken));
    assert_eq!(all.get("report.xml").bytes, data);
}

#[test]
fn caps_hold_for_compressed_reports() {
    let bytes = gzip(&vec![b' '; 100 << 20]);
    let limits = ArchiveLimits::default();
    let budget = Budget::new(limits.run_bytes);
    let opened = open("report.xml.gz", &memory(&bytes), &is_xml, &limits, &budget).unwrap();
    assert_eq!(opened.entries[0].size_bytes, 100 << 20);
    let (given, defect) = count(&opened.archive, &opened.entries[0], &limits, &budget);
    assert_eq!(defect.unwrap().code, ArchiveCode::EntryRatio);
    assert!(given < 66 << 20);

    let limits = ArchiveLimits { entry_bytes: 1_000, ..limits };
    let all = read_all_within("report.xml.gz", &bytes, &limits);
    assert_eq!(all.get("report.xml").code(), Some(ArchiveCode::EntryTooLarge));
    assert_eq!(all.get("report.xml").bytes.len(), 1_000);
}
