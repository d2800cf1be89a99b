//! Zips that are as they should be.

use std::io::Write as _;
use std::process::{Command, Stdio};

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

/// Python's own reader and ours must see the same members with the same bytes.
#[test]
fn what_python_packs_is_read_as_python_reads_it() {
    let script = "
import io, sys, zipfile
class Pipe(io.RawIOBase):
    def __init__(self): self.out = bytearray()
    def writable(self): return True
    def write(self, data): self.out += data; return len(data)
data = ('<testcase name=\"t\"/>' * 5000).encode()
pipe = Pipe() if sys.argv[1] == 'pipe' else io.BytesIO()
with zipfile.ZipFile(pipe, 'w', zipfile.ZIP_DEFLATED) as z:
    z.writestr('a/deflated.xml', data)
    z.writestr('a/caf\\u00e9.xml', data[:100])
    z.writestr(zipfile.ZipInfo('b/stored.xml'), data[:1000])
    z.writestr('b/', b'')
    with z.open('c/wide.xml', 'w', force_zip64=True) as member:
        member.write(data)
    z.comment = b'a comment'
sys.stdout.buffer.write(pipe.out if sys.argv[1] == 'pipe' else pipe.getvalue())
";
    let data = "<testcase name=\"t\"/>".repeat(5_000).into_bytes();
    for how in ["pipe", "file"] {
        let done = python(script, how);
        let all = read_all("r.zip", &done);
        assert_eq!(all.paths(), ["a/caf\u{e9}.xml", "a/deflated.xml", "b/stored.xml", "c/wide.xml"], "{how}");
        assert_eq!(all.bytes("a/deflated.xml"), data);
        assert_eq!(all.bytes("a/caf\u{e9}.xml"), &data[..100]);
        assert_eq!(all.bytes("b/stored.xml"), &data[..1_000]);
        assert_eq!(all.bytes("c/wide.xml"), data);
        assert_eq!(all.defects, []);

        // Without its directory it gives the same.
        let directory = done.windows(4).rposition(|bytes| bytes == b"PK\x01\x02").unwrap();
        let cut = read_all("r.zip", &done[..directory]);
        assert_eq!(cut.entries, all.entries, "{how}");
    }
}

fn python(script: &str, argument: &str) -> Vec<u8> {
    let mut python = Command::new("python3")
        .args(["-", argument])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    python.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let done = python.wait_with_output().unwrap();
    assert!(done.status.success());
    done.stdout
}
