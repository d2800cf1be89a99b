//! Tars, plain and compressed.

use std::io::Write as _;
use std::process::{Command, Stdio};

use proptest::collection::vec;
use proptest::prelude::*;
use tar::{Builder, EntryType, Header};
use testlake_collect::archive::{ArchiveCode, Budget, open};
use testlake_collect::limits::ArchiveLimits;

use super::damage::damage;
use super::kinds::{gzip, zstd};
use super::{All, count, is_xml, memory, on_disk, read_all, read_all_within, read_content, report};

fn add(tar: &mut Builder<Vec<u8>>, path: &str, data: &[u8]) {
    let mut header = Header::new_gnu();
    header.set_size(data.len() as u64);
    header.set_mode(0o644);
    tar.append_data(&mut header, path, data).unwrap();
}

fn add_link(tar: &mut Builder<Vec<u8>>, kind: EntryType, path: &str, target: &str) {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(0);
    tar.append_link(&mut header, path, target).unwrap();
}

fn three() -> (Vec<u8>, [(&'static str, Vec<u8>); 3]) {
    let reports = [("b/a.xml", report(1, 3_000)), ("b.xml", report(2, 512)), ("a.xml", report(3, 2_000))];
    let mut tar = Builder::new(Vec::new());
    add(&mut tar, reports[0].0, &reports[0].1);
    add(&mut tar, "log.txt", &[b'x'; 1_000]);
    add(&mut tar, reports[1].0, &reports[1].1);
    add(&mut tar, reports[2].0, &reports[2].1);
    (tar.into_inner().unwrap(), reports)
}

/// Reads it plain and compressed: both must agree but for where a defect lies.
fn read_all_ways(tar: &[u8]) -> All {
    let plain = read_all("r.tar", tar);
    for (name, bytes) in [("r.tar.gz", gzip(tar)), ("r.tzst", zstd(tar)), ("bare", gzip(tar))] {
        let all = read_all(name, &bytes);
        assert_eq!(all.paths(), plain.paths(), "{name}");
        assert_eq!(all.codes(), plain.codes(), "{name}");
        for (got, plain) in all.entries.iter().zip(&plain.entries) {
            assert_eq!((got.code(), &got.bytes), (plain.code(), &plain.bytes), "{name}: {}", got.path);
        }
    }
    plain
}

#[test]
fn tars_are_read_in_the_order_of_their_paths() {
    let (tar, reports) = three();
    let all = read_all_ways(&tar);
    assert_eq!(all.paths(), ["a.xml", "b.xml", "b/a.xml"]);
    for (path, data) in &reports {
        assert_eq!(all.bytes(path), data);
    }
    assert_eq!(all.defects, []);
}

#[test]
fn long_names_are_read_in_each_dialect() {
    let long = format!("{}/report.xml", "folder/".repeat(40));
    let mut gnu = Builder::new(Vec::new());
    add(&mut gnu, &long, b"<gnu/>");
    assert_eq!(read_all_ways(&gnu.into_inner().unwrap()).entries[0].bytes, b"<gnu/>");

    let mut pax = Builder::new(Vec::new());
    pax.append_pax_extensions([("path", long.as_bytes()), ("mtime", b"1.5")]).unwrap();
    add(&mut pax, "short.txt", b"<pax/>");
    add(&mut pax, "next.xml", b"<next/>");
    let all = read_all_ways(&pax.into_inner().unwrap());
    assert_eq!(all.bytes(&long), b"<pax/>");
    assert_eq!(all.bytes("next.xml"), b"<next/>");
}

#[test]
fn a_size_in_a_pax_header_counts() {
    let mut tar = Builder::new(Vec::new());
    tar.append_pax_extensions([("size", &b"4"[..])]).unwrap();
    let mut header = Header::new_ustar();
    header.set_path("a.xml").unwrap();
    header.set_size(0);
    header.set_cksum();
    tar.append(&header, &[][..]).unwrap();
    let mut bytes = tar.into_inner().unwrap();
    bytes.truncate(bytes.len() - 1_024);
    bytes.extend(b"<a/>");
    bytes.resize(bytes.len().next_multiple_of(512) + 1_024, 0);
    assert_eq!(read_all_ways(&bytes).bytes("a.xml"), b"<a/>");
}

#[test]
fn links_are_read_where_the_archive_holds_what_they_point_to() {
    let mut tar = Builder::new(Vec::new());
    add(&mut tar, "a.xml", b"<a/>");
    add(&mut tar, "log.txt", b"<log/>");
    add_link(&mut tar, EntryType::Link, "hard.xml", "a.xml");
    add_link(&mut tar, EntryType::Link, "lost.xml", "log.txt");
    add_link(&mut tar, EntryType::Symlink, "soft.xml", "/etc/passwd");
    let all = read_all_ways(&tar.into_inner().unwrap());
    assert_eq!(all.paths(), ["a.xml", "hard.xml", "lost.xml"]);
    assert_eq!(all.bytes("hard.xml"), b"<a/>");
    assert_eq!(all.get("lost.xml").code(), Some(ArchiveCode::EntryBroken));
    assert_eq!(all.codes(), [ArchiveCode::EntryLink]);
    assert_eq!(all.defects[0].entry.as_deref(), Some("soft.xml"));
    assert_eq!(all.defects[0].text, "is a link to `/etc/passwd`, which is not followed");
}

#[test]
fn paths_and_duplicates_are_noted() {
    let mut tar = Builder::new(Vec::new());
    add(&mut tar, "a.xml", b"<first/>");
    add(&mut tar, "a.xml", b"<second/>");
    let mut header = Header::new_ustar();
    header.as_old_mut().name[..10].copy_from_slice(b"../out.xml");
    header.set_size(6);
    header.set_cksum();
    tar.append(&header, &b"<out/>"[..]).unwrap();
    let all = read_all_ways(&tar.into_inner().unwrap());
    assert_eq!(all.bytes("a.xml"), b"<second/>");
    assert_eq!(all.bytes("../out.xml"), b"<out/>");
    assert_eq!(all.codes(), [ArchiveCode::EntryPath, ArchiveCode::EntryDuplicate]);
}

#[test]
fn a_sparse_file_is_named() {
    let mut tar = Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::GNUSparse);
    header.set_size(4);
    tar.append_data(&mut header, "sparse.xml", &b"<a/>"[..]).unwrap();
    tar.append_pax_extensions([("GNU.sparse.major", &b"1"[..])]).unwrap();
    add(&mut tar, "pax.xml", b"1\n0\n4\n");
    add(&mut tar, "b.xml", b"<b/>");
    let all = read_all_ways(&tar.into_inner().unwrap());
    assert_eq!(all.get("sparse.xml").code(), Some(ArchiveCode::EntryMethod));
    assert_eq!(all.get("pax.xml").code(), Some(ArchiveCode::EntryMethod));
    assert_eq!(all.bytes("b.xml"), b"<b/>");
}

#[test]
fn a_tar_that_is_cut_off_anywhere_gives_all_before_the_cut() {
    let (tar, reports) = three();
    let end = tar.len() - 1_024;
    for cut in (513..end).step_by(211) {
        let plain = read_all("r.tar", &tar[..cut]);
        assert_eq!(plain.codes(), [ArchiveCode::ArchiveCutOff], "cut at {cut}");
        let squeezed = read_all("r.tar.gz", &gzip(&tar[..cut]));
        for all in [plain, squeezed] {
            for (path, data) in &reports {
                let Some(got) = all.entries.iter().find(|got| got.path == *path) else { continue };
                assert!(data.starts_with(&got.bytes), "cut at {cut}");
                let whole = got.bytes.len() == data.len();
                assert_eq!(got.code(), (!whole).then_some(ArchiveCode::EntryBroken), "cut at {cut}");
            }
        }
    }
    let last = read_all("r.tar", &tar[..end - 100]);
    assert_eq!(last.entries.len(), 3);
}

#[test]
fn a_compressed_tar_that_is_cut_off_gives_all_before_the_cut() {
    let (tar, reports) = three();
    let gz = gzip(&tar);
    let all = read_all("r.tar.gz", &gz[..gz.len() * 3 / 4]);
    assert_eq!(all.codes(), [ArchiveCode::EntryBroken]);
    assert_eq!(all.defects[0].entry, None);
    assert!(all.defects[0].text.starts_with("ends before its end"), "{:?}", all.defects);
    assert_eq!(all.bytes("b/a.xml"), reports[0].1);
    let cut: Vec<_> = all.entries.iter().filter(|got| got.defect.is_some()).collect();
    assert!(cut.len() <= 1);
}

#[test]
fn a_broken_header_loses_its_own_entry_alone() {
    let (mut tar, reports) = three();
    // The header of the second member; its data goes with it.
    let second = 512 + reports[0].1.len().next_multiple_of(512) + 512 + 1_024;
    assert_eq!(&tar[second..second + 5], b"b.xml");
    tar[second + 148] ^= 1;
    let all = read_all_ways(&tar);
    assert_eq!(all.codes(), [ArchiveCode::ArchiveBroken]);
    assert_eq!(all.defects[0].offset, Some(second as u64));
    assert_eq!(all.paths(), ["a.xml", "b/a.xml"]);
    assert_eq!(all.bytes("a.xml"), reports[2].1);
}

#[test]
fn caps_hold_for_compressed_tars() {
    let mut tar = Builder::new(Vec::new());
    add(&mut tar, "a.xml", b"<a/>");
    add(&mut tar, "bomb.xml", &vec![b' '; 80 << 20]);
    add(&mut tar, "z.xml", b"<z/>");
    let bytes = gzip(&tar.into_inner().unwrap());
    let limits = ArchiveLimits::default();
    let budget = Budget::new(limits.run_bytes);
    let opened = open("r.tgz", &memory(&bytes), &is_xml, &limits, &budget).unwrap();
    let paths: Vec<_> = opened.entries.iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["a.xml", "bomb.xml"]);
    assert_eq!(opened.defects[0].code, ArchiveCode::EntryRatio);
    let used = budget.used();
    let (given, defect) = count(&opened.archive, &opened.entries[1], &limits, &budget);
    assert_eq!(defect.unwrap().code, ArchiveCode::EntryRatio);
    assert!((60 << 20..66 << 20).contains(&given), "{given}");
    assert_eq!(budget.used(), used, "it was charged when it was inflated");

    let limits = ArchiveLimits { entry_bytes: 1_000, entries: 2, ..limits };
    let all = read_all_within("r.tgz", &bytes, &limits);
    assert_eq!(all.bytes("a.xml"), b"<a/>");
    assert_eq!(all.get("bomb.xml").bytes, [b' '; 1_000]);
    assert_eq!(all.get("bomb.xml").code(), Some(ArchiveCode::EntryTooLarge));
}

#[test]
fn a_name_of_a_gigabyte_asks_for_no_memory() {
    let mut tar = Builder::new(Vec::new());
    let mut header = Header::new_gnu();
    header.as_old_mut().name[..13].copy_from_slice(b"././@LongLink");
    header.set_entry_type(EntryType::GNULongName);
    header.set_size(1 << 30);
    header.set_cksum();
    tar.append(&header, &[b'x'; 1_024][..]).unwrap();
    let all = read_all("r.tar", &tar.into_inner().unwrap());
    assert_eq!(all.codes(), [ArchiveCode::ArchiveBroken, ArchiveCode::ArchiveCutOff]);
}

#[test]
fn what_python_packs_is_read() {
    let script = "
import io, sys, tarfile
out = tarfile.open(fileobj=sys.stdout.buffer, mode='w|', format=getattr(tarfile, sys.argv[1]))
for path, data in [('x' * 120 + '/\\u00e9.xml', b'<long/>'), ('a.xml', b'<a/>'), ('empty.xml', b'')]:
    info = tarfile.TarInfo(path)
    info.size = len(data)
    out.addfile(info, io.BytesIO(data))
out.close()
";
    for format in ["PAX_FORMAT", "GNU_FORMAT", "USTAR_FORMAT"] {
        let mut python = Command::new("python3")
            .args(["-", format])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        python.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let done = python.wait_with_output().unwrap();
        assert!(done.status.success());
        let all = read_all_ways(&done.stdout);
        assert_eq!(all.bytes(&format!("{}/\u{e9}.xml", "x".repeat(120))), b"<long/>", "{format}");
        assert_eq!(all.bytes("a.xml"), b"<a/>");
        assert_eq!(all.bytes("empty.xml"), b"");
        assert_eq!(all.defects, []);
    }
}

proptest! {
    #[test]
    fn no_damage_makes_it_panic_or_run_away(
        damages in vec(damage(), 1..6), form in 0..3_u8, damages_inside in vec(damage(), 0..3)
    ) {
        let (mut tar, _) = three();
        for damage in &damages_inside {
            damage.apply(&mut tar, 0);
        }
        let mut bytes = match form { 0 => tar, 1 => gzip(&tar), _ => zstd(&tar) };
        for damage in &damages {
            damage.apply(&mut bytes, 0);
        }
        let limits = ArchiveLimits { entry_bytes: 2_000, run_bytes: 9_000, entries: 5, ratio: 100 };
        let all = read_content("r.tar", &memory(&bytes), &limits);
        prop_assert_eq!(&all, &read_content("r.tar", &on_disk(&bytes), &limits));
        if let Ok(all) = all {
            prop_assert!(all.entries.len() <= 5);
            prop_assert!(all.entries.iter().all(|got| got.bytes.len() <= 2_000));
        }
    }
}
