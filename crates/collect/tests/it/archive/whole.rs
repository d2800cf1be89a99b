//! Zips that are as they should be.

use testlake_testkit::zip::{Member, ZipBuilder};

use super::{read_all, report};

#[test]
fn wanted_members_come_out_in_the_order_of_their_paths() {
    let (one, two) = (report(1, 70_000), report(2, 300));
    let zip = ZipBuilder::new()
        .member(Member::deflated("b/two.xml", &two))
        .member(Member::stored("a/", b""))
        .member(Member::deflated("a/log.txt", b"not wanted"))
        .member(Member::stored("a/one.xml", &one))
        .member(Member::stored("a/empty.xml", b""))
        .member(Member::deflated("B.xml", b"<a/>"))
        .build();
    let all = read_all("reports_1.zip", &zip.bytes);
    assert_eq!(all.paths(), ["B.xml", "a/empty.xml", "a/one.xml", "b/two.xml"]);
    assert_eq!(all.bytes("a/one.xml"), one);
    assert_eq!(all.bytes("b/two.xml"), two);
    assert_eq!(all.bytes("a/empty.xml"), b"");
    assert_eq!(all.defects, []);
}
