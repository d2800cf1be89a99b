//! Files that lie loose in a folder, or were fetched one by one.

use std::fs;

use testlake_collect::archive::{Archive, ArchiveCode, Scratch};
use testlake_collect::limits::ArchiveLimits;
use testlake_collect::source::{Content, LooseFile, SpooledFile};
use testlake_collect::spool::Body;

use super::read_content;

#[test]
fn loose_files_are_read_where_they_lie() {
    let dir = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    for path in ["b/two.xml", "one.xml", "log.txt", "gone.xml", "folder.xml"] {
        let file = dir.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        match path {
            "gone.xml" => {}
            "folder.xml" => fs::create_dir(&file).unwrap(),
            _ => fs::write(&file, path).unwrap(),
        }
        files.push(LooseFile { path: path.to_owned(), file, size_bytes: 4 });
    }
    let all = read_content("job", &Content::Files(files), &ArchiveLimits::default()).unwrap();
    assert_eq!(all.paths(), ["b/two.xml", "folder.xml", "gone.xml", "one.xml"]);
    // The size when it was listed is a claim: all that is there now is read.
    assert_eq!(all.bytes("b/two.xml"), b"b/two.xml");
    assert_eq!(all.bytes("one.xml"), b"one.xml");
    for path in ["gone.xml", "folder.xml"] {
        let got = all.get(path);
        assert_eq!(got.code(), Some(ArchiveCode::Unreadable));
        assert_eq!(got.defect.as_ref().unwrap().entry.as_deref(), Some(path));
        assert!(got.text().starts_with("cannot be read: "), "{}", got.text());
    }
}

#[test]
fn files_fetched_one_by_one_are_read_from_one_body() {
    let files = [("b.xml", 3, 6), ("a.xml", 0, 3), ("c.txt", 6, 9), ("short.xml", 7, 90)]
        .map(|(path, start, end)| SpooledFile { path: path.to_owned(), start, end });
    let body = Body::Memory((&b"aaabbbccc"[..]).into());
    let all =
        read_content("job", &Content::Spooled(body, files.to_vec()), &ArchiveLimits::default()).unwrap();
    assert_eq!(all.paths(), ["a.xml", "b.xml", "short.xml"]);
    assert_eq!(all.bytes("a.xml"), b"aaa");
    assert_eq!(all.bytes("b.xml"), b"bbb");
    assert_eq!(all.get("short.xml").bytes, b"cc");
    assert_eq!(all.get("short.xml").text(), "ends after 2 of 83 bytes");
}

#[test]
fn archives_go_to_other_threads() {
    fn is_shared<T: Send + Sync + std::fmt::Debug>() {}
    fn is_sent<T: Send>() {}
    is_shared::<Archive>();
    is_sent::<Scratch>();
}
