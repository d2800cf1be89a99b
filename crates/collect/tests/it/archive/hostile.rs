//! Zips that are meant to harm, or to hide.

use testlake_collect::archive::ArchiveCode;
use testlake_collect::limits::ArchiveLimits;
use testlake_testkit::zip::{ENCRYPTED, Member, UTF8, ZipBuilder, deflate};

use super::{memory, read_all, read_content, report};

#[test]
fn an_encrypted_member_is_named_and_the_rest_is_read() {
    let zip = ZipBuilder::new()
        .member(Member::deflated("a.xml", &report(1, 900)))
        .member(Member::deflated("b.xml", &report(2, 900)).flags(ENCRYPTED))
        .member(Member::deflated("c.xml", &report(3, 900)))
        .build();
    let all = read_all("r.zip", &zip.bytes);
    assert_eq!(all.bytes("a.xml"), report(1, 900));
    assert_eq!(all.bytes("c.xml"), report(3, 900));
    let b = all.get("b.xml");
    assert_eq!(b.code(), Some(ArchiveCode::EntryEncrypted));
    let defect = b.defect.as_ref().unwrap();
    assert_eq!((defect.entry.as_deref(), defect.offset), (Some("b.xml"), Some(zip.headers[1] as u64)));
    assert_eq!(b.bytes, b"");
    assert_eq!(all.defects, []);
}

#[test]
fn other_methods_are_named() {
    let methods = [
        (1, " (shrink)"),
        (9, " (deflate64)"),
        (12, " (bzip2)"),
        (14, " (LZMA)"),
        (93, " (zstd)"),
        (95, " (xz)"),
        (99, " (AES encryption)"),
        (4_711, ""),
    ];
    for (method, name) in methods {
        let zip = ZipBuilder::new()
            .member(Member::raw("a.xml", method, b"whatever".to_vec(), 20, 7))
            .member(Member::stored("b.xml", b"<a/>"))
            .build();
        let all = read_all("r.zip", &zip.bytes);
        assert_eq!(all.get("a.xml").code(), Some(ArchiveCode::EntryMethod));
        let text =
            format!("is compressed by method {method}{name}; only stored (0) and deflate (8) are read");
        assert_eq!(all.get("a.xml").text(), text);
        assert_eq!(all.bytes("b.xml"), b"<a/>");
    }
}

#[test]
fn of_two_members_with_one_path_the_last_counts() {
    let zip = ZipBuilder::new()
        .member(Member::stored("a.xml", b"<first/>"))
        .member(Member::stored("b.xml", b"<other/>"))
        .member(Member::stored("a.xml", b"<second/>"))
        .member(Member::stored("a.xml\0.txt", b"<third/>"))
        .build();
    let all = read_all("r.zip", &zip.bytes);
    assert_eq!(all.paths(), ["a.xml", "b.xml"]);
    assert_eq!(all.bytes("a.xml"), b"<third/>");
    assert_eq!(all.codes(), [ArchiveCode::EntryDuplicate]);
    assert_eq!(all.defects[0].entry.as_deref(), Some("a.xml"));
    assert_eq!(all.defects[0].text, "is the path of 3 entries; the last counts");
    assert!(all.defects[0].code.is_note());
}

#[test]
fn paths_that_lead_out_are_read_and_noted() {
    let paths = ["../up.xml", "/etc/abs.xml", "..\\win.xml", "C:\\win.xml"];
    let zip = ZipBuilder::new()
        .members(paths.map(|path| Member::stored(path, path.as_bytes())))
        .member(Member::stored("a/b.xml", b"inside"))
        .build();
    let all = read_all("r.zip", &zip.bytes);
    assert_eq!(all.paths(), ["../up.xml", "..\\win.xml", "/etc/abs.xml", "C:\\win.xml", "a/b.xml"]);
    for path in paths {
        assert_eq!(all.bytes(path), path.as_bytes());
    }
    assert_eq!(all.codes(), [ArchiveCode::EntryPath; 4]);
}

#[test]
fn names_are_decoded_as_python_does() {
    let zip = ZipBuilder::new()
        .member(Member::stored("d\u{e9}j\u{e0}.xml", b"utf8 unsaid"))
        .member(Member::stored("na\u{ef}ve.xml", b"utf8 said").flags(UTF8))
        .member(Member::stored(b"caf\x82.xml", b"437"))
        .member(Member::stored(b"bad\xff.xml", b"lossy").flags(UTF8))
        .build();
    let all = read_all("r.zip", &zip.bytes);
    assert_eq!(all.bytes("d\u{e9}j\u{e0}.xml"), b"utf8 unsaid");
    assert_eq!(all.bytes("na\u{ef}ve.xml"), b"utf8 said");
    assert_eq!(all.bytes("caf\u{e9}.xml"), b"437");
    assert_eq!(all.bytes("bad\u{fffd}.xml"), b"lossy");
}

#[test]
fn records_that_share_a_member_are_read_once() {
    let kernel = Member::deflated("a.xml", &report(1, 5_000));
    let zip = ZipBuilder::new()
        .member(kernel.clone())
        .members((0..50).map(|i| Member::record_at(format!("z{i:02}.xml"), 0, &kernel)))
        .member(Member::stored("zz.xml", b"<a/>"))
        .build();
    let all = read_all("r.zip", &zip.bytes);
    assert_eq!(all.bytes("a.xml"), report(1, 5_000));
    assert_eq!(all.bytes("zz.xml"), b"<a/>");
    assert_eq!(all.entries.iter().filter(|got| got.code() == Some(ArchiveCode::EntryOverlaps)).count(), 50);
    assert_eq!(all.get("z07.xml").bytes, b"");
    assert_eq!(all.get("z07.xml").defect.as_ref().unwrap().offset, Some(0));
}

/// Each member's data is the header of the next one in a stored block, then the next one's data: all of them
/// end with one kernel.
#[test]
fn members_that_quote_each_other_are_read_once() {
    let kernel = deflate(&vec![b'a'; 1 << 20]);
    // Local headers of one size, so that their places are known beforehand.
    let (count, header_len, quote_len) = (20, 30 + 6, 5);
    let mut members = Vec::new();
    let mut plain = vec![b'a'; 1 << 20];
    let mut data = kernel;
    for i in (0..count).rev() {
        let name = format!("{i:02}.xml");
        let member = Member::raw(&name, 8, data.clone(), plain.len() as u64, crc32fast::hash(&plain));
        let local = ZipBuilder::new().member(member.clone()).build().bytes[..header_len].to_vec();
        members.push((name, member));
        let len = u16::try_from(header_len).unwrap();
        data = [&[0][..], &len.to_le_bytes(), &(!len).to_le_bytes(), &local, &data].concat();
        plain = [&local[..], &plain].concat();
    }
    members.reverse();
    let records = members
        .iter()
        .enumerate()
        .skip(1)
        .map(|(i, (name, member))| Member::record_at(name, i * (header_len + quote_len), member));
    let zip = ZipBuilder::new().member(members[0].1.clone()).members(records).build();
    let all = read_all("r.zip", &zip.bytes);
    assert_eq!(all.get("00.xml").defect, None, "the first is whole: it ends like all others");
    assert_eq!(all.get("00.xml").bytes.len(), (1 << 20) + header_len * 19);
    for got in &all.entries[1..] {
        assert_eq!((got.code(), got.bytes.len()), (Some(ArchiveCode::EntryOverlaps), 0), "{}", got.path);
    }
}

#[test]
fn what_is_no_zip_is_described() {
    let cases: [(&str, &[u8], &str); 6] = [
        ("r.zip", b"", "is no archive: it is empty"),
        (
            "r.zip",
            b"<!DOCTYPE html><html>502 Bad Gateway",
            "is no archive: it looks like an HTML page, which begins with `<!DOCTYPE html><html>502 Bad Gateway`",
        ),
        (
            "test-reports_12",
            br#"{"message": "Not Found"}"#,
            r#"is no archive: it looks like a JSON document, which begins with `{"message": "Not Found"}`"#,
        ),
        ("r.tar.gz", b"gone", "is no archive: it looks like text, which begins with `gone`"),
        ("r.zip", b"\x01\x02\x03", "is no archive: it begins with the bytes 01 02 03"),
        ("r.7z", b"7z\xbc\xaf\x27\x1c\0", "is no archive: it looks like a 7-Zip archive, which is not read"),
    ];
    for (name, bytes, text) in cases {
        let defect = read_content(name, &memory(bytes), &ArchiveLimits::default()).unwrap_err();
        assert_eq!(defect.code, ArchiveCode::NotAnArchive);
        assert_eq!(defect.text, text);
        assert_eq!(defect.offset, Some(0));
    }
}
