//! Killed at any moment: nothing half is left, and the next run puts all right.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use testlake_testkit::run::{MadeRun, RunShape};

use crate::program::{Program, tree};

/// Objects that are there, by key; what a writer had not ended is not.
fn objects(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = tree(root);
    files.retain(|name, _| !name.rsplit('/').next().unwrap().starts_with('.'));
    files
}

/// Reports whether the bytes are one gzip member from begin to end.
fn is_whole(bytes: &[u8]) -> bool {
    let mut decoder = flate2::bufread::GzDecoder::new(bytes);
    let mut piece = [0; 1 << 16];
    loop {
        match decoder.read(&mut piece) {
            Ok(0) => return decoder.into_inner().is_empty(),
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

#[test]
fn killed_at_20_moments_and_run_again() {
    let made = MadeRun::make(RunShape { cases: 60_000, jobs: 20, ..RunShape::default() }).unwrap();
    let program = Program::new();
    let source = format!("file://{}", made.bucket().display());
    let jobs = made.jobs_file().display().to_string();
    let words = |to: &'static str| {
        let common = ["collect", &source, "--repo=pytorch/pytorch", "--run-id=9871234567", "--attempt=1"];
        let more = ["--jobs-file", &jobs, "--full=always", "--threads=2", "--quiet", "--no-lake", "--to", to];
        [&common[..], &more[..]].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let command = |to| {
        let words = words(to);
        program.command(&words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let start = Instant::now();
    assert!(command("undisturbed").status().unwrap().success());
    let duration = start.elapsed();
    let whole = objects(&program.path().join("undisturbed"));
    assert_eq!(whole.len(), 7);

    let out = program.path().join("out");
    let (mut cut, mut ended) = (0, 0);
    for moment in 0..20_u32 {
        // From the start to a little behind the end, in an order that a run meets leftovers of earlier and later ones.
        let delay = duration * (moment * 7 % 20) / 18 + Duration::from_micros(u64::from(moment) * 137);
        let mut child = command("out").stderr(Stdio::null()).spawn().unwrap();
        std::thread::sleep(delay);
        let signal = if moment % 2 == 0 { "KILL" } else { "TERM" };
        // The child is not waited for yet, so its id is its own, ended or not.
        let id = child.id().to_string();
        assert!(Command::new("kill").args(["-s", signal, &id]).status().unwrap().success());
        let status = child.wait().unwrap();
        match (signal, status.code(), status.signal()) {
            (_, Some(0), None) => ended += 1,
            // Before it listens, it dies of the signal itself.
            ("KILL", None, Some(9)) | ("TERM", Some(143), None) | ("TERM", None, Some(15)) => cut += 1,
            other => panic!("moment {moment}: {other:?}"),
        }
        let left = objects(&out);
        for (key, bytes) in &left {
            assert!(whole.contains_key(key), "moment {moment}: {key} is none of the objects");
            if key.starts_with("ledger/") {
                assert!(*bytes == whole[key], "moment {moment}: half a ledger");
            } else {
                assert!(is_whole(bytes), "moment {moment}: half of {key}");
            }
        }
        if left.keys().any(|key| key.starts_with("ledger/")) {
            assert!(left == whole, "moment {moment}: a ledger, and not all is whole: {:?}", left.keys());
        }
        // Every other time the next run meets what this one left; else it starts from nothing.
        if moment % 4 == 3 {
            assert!(command("out").status().unwrap().success());
            assert!(tree(&out) == whole, "moment {moment}: {:?}", tree(&out).keys());
            std::fs::remove_dir_all(&out).unwrap();
        }
    }
    assert!(cut >= 10, "{cut} were cut, {ended} had ended: the run is too short for this test");
}
