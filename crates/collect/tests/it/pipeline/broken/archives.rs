//! Archives that are cut off, lie or bite.

use testlake_testkit::zip::{ENCRYPTED, Member, Zip, ZipBuilder};

use super::{Trial, assert_all, find};

const FIRST: &str = "x/bad/1.xml";
const SECOND: &str = "x/bad/2.xml";

fn xml(name: &str) -> String {
    format!("<testsuite><testcase name=\"{name}\"/></testsuite>")
}

fn member(path: &str, name: &str) -> Member {
    Member::deflated(path, xml(name).as_bytes())
}

fn stored(path: &str, name: &str) -> Member {
    Member::stored(path, xml(name).as_bytes())
}

fn zip(members: impl IntoIterator<Item = Member>) -> Zip {
    ZipBuilder::new().members(members).build()
}

#[test]
fn a_zip_that_is_cut_off_gives_what_came_before() {
    let whole = zip([stored(FIRST, "a"), stored(SECOND, "b")]);
    let cut = |title: &str, at: usize| Trial::artifact(title, &whole.bytes[..at]);
    let in_second = find(&whole.bytes, xml("b")) + 20;
    assert_all([
        Trial::artifact("whole", whole.bytes.clone()).counts(2, 0, 0).saves(&["a", "b"]),
        cut("in the end record", whole.end_record + 10)
            .salvaged(2, 0, 0)
            .tells("archive-cut-off", None, Some(whole.end_record + 10))
            .saves(&["a", "b"]),
        cut("in the directory", whole.directory + 10)
            .salvaged(2, 0, 0)
            .tells("archive-cut-off", None, Some(whole.directory + 10))
            .saves(&["a", "b"]),
        cut("in the second member", in_second)
            .salvaged(1, 0, 1)
            .tells("archive-cut-off", None, Some(in_second))
            .loses("entry-broken", Some(SECOND), Some(in_second), 0)
            .saves(&["a"]),
        cut("in the second local header", whole.headers[1] + 10)
            .salvaged(1, 0, 0)
            .tells("archive-cut-off", None, Some(whole.headers[1] + 10))
            .saves(&["a"]),
        cut("in the first local header", 10).rejected().tells("archive-cut-off", None, Some(10)),
    ]);
}

#[test]
fn what_is_no_zip_is_told() {
    assert_all([
        Trial::artifact("empty", "").rejected().tells("not-an-archive", None, Some(0)),
        Trial::artifact("an HTML page", "<!DOCTYPE html><html><body>Bad gateway</body></html>")
            .rejected()
            .tells("not-an-archive", None, Some(0)),
        Trial::artifact("an error in JSON", r#"{"message": "Not Found"}"#).rejected().tells(
            "not-an-archive",
            None,
            Some(0),
        ),
        Trial::artifact("no zip", vec![0x5A; 1_000]).rejected().tells("not-an-archive", None, Some(0)),
        Trial::artifact("a zip of nothing", zip([]).bytes),
    ]);
}

#[test]
fn one_bad_member_costs_itself() {
    let good = || member(SECOND, "b");
    let beside = |title: &str, bad: Member| Trial::artifact(title, zip([bad, good()]).bytes).saves(&["b"]);
    let long = "<testsuite>".to_owned() + &r#"<testcase name="a"/>"#.repeat(1_000) + "</testsuite>";
    let encrypted = member(FIRST, "a").flags(ENCRYPTED);
    let unknown = member(FIRST, "a").claimed_method(99);
    let checksum = stored(FIRST, "a").claimed_crc(7);
    assert_all([
        beside("encrypted", encrypted).salvaged(1, 0, 1).loses("entry-encrypted", Some(FIRST), Some(0), 0),
        beside("an unknown method", unknown).salvaged(1, 0, 1).loses("entry-method", Some(FIRST), Some(0), 0),
        Trial::artifact("a wrong checksum", zip([checksum, good()]).bytes)
            .salvaged(1, 1, 0)
            .loses("entry-broken", Some(FIRST), Some(xml("a").len()), 1)
            .saves(&["a", "b"]),
        beside("a bomb of 1,000:1 over the limit of an entry", Member::bomb(FIRST, b' ', 2 << 20))
            .salvaged(1, 0, 1)
            .loses("entry-too-large", Some(FIRST), Some(1 << 20), 0)
            .with(|plan| plan.archive_limits.entry_bytes = 1 << 20),
        beside(
            "a bomb of 1,000:1 that lies about its size",
            Member::bomb(FIRST, b' ', 2 << 20).claimed_size(100),
        )
        .salvaged(1, 0, 1)
        .loses("entry-too-large", Some(FIRST), Some(1 << 20), 0)
        .with(|plan| plan.archive_limits.entry_bytes = 1 << 20),
        beside("a bomb of 1,000:1 over the ratio", Member::bomb(FIRST, b' ', 80 << 20))
            .salvaged(1, 0, 1)
            .loses("entry-ratio", Some(FIRST), Some((64 << 20) + (256 << 10)), 0),
        {
            let names = vec!["a"; 749];
            let saved = names.iter().copied().chain(["b"]).collect::<Vec<_>>();
            Trial::artifact(
                "a report over the limit of an entry",
                zip([Member::deflated(FIRST, long.as_bytes()), good()]).bytes,
            )
            .salvaged(1, 1, 0)
            .loses("entry-too-large", Some(FIRST), Some(15_000), 749)
            .saves(&saved)
            // 11 bytes of the suite's tag, and 749 cases of 20
            .with(|plan| plan.archive_limits.entry_bytes = 15_000)
        },
    ]);
}

#[test]
fn paths_and_members_that_lie() {
    let twice = zip([member(FIRST, "lost"), member(FIRST, "kept")]);
    let up = zip([member("../../bad/1.xml", "a"), member("/bad/2.xml", "b")]);
    let shared = member(FIRST, "a");
    let overlap = zip([shared.clone(), Member::record_at(SECOND, 0, &shared)]);
    let many = zip((0..6).map(|number| member(&format!("x/bad/{number}.xml"), "a")));
    assert_all([
        Trial::artifact("a member twice", twice.bytes.clone())
            .counts(1, 0, 0)
            .tells("entry-duplicate", Some(FIRST), Some(twice.headers[1]))
            .saves(&["kept"]),
        Trial::artifact("paths that go up and are absolute", up.bytes.clone())
            .counts(2, 0, 0)
            .tells("entry-path", Some("../../bad/1.xml"), Some(0))
            .tells("entry-path", Some("/bad/2.xml"), Some(up.headers[1]))
            .saves(&["a", "b"])
            .keeps(r#""invoking_file": "bad""#),
        Trial::artifact("members that overlap", overlap.bytes)
            .salvaged(1, 0, 1)
            .loses("entry-overlaps", Some(SECOND), Some(0), 0)
            .saves(&["a"]),
        Trial::artifact("more members than the limit", many.bytes.clone())
            .salvaged(3, 0, 0)
            .tells("too-many-entries", None, Some(many.headers[3]))
            .saves(&["a", "a", "a"])
            .with(|plan| plan.archive_limits.entries = 3),
    ]);
}
