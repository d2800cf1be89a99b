//! Looks for input that takes more time than its size: pieces of reports are repeated, and it is measured whether four times as
//! much takes far more than four times as long.
//!
//! ```text
//! cargo run --release -p testlake-report --example growth -- crates/report/tests/fixtures [SAMPLES [KIB]]
//! ```
//! Linux alone tells what it needs. What it tells is worth a look, and is confirmed by measuring it again, larger.
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a tool for development"
)]

use std::fs;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use testlake_report::{Case, Finding, Limits, Visitor, read};

/// What a piece begins or ends with.
const MARKS: &[u8] = b"<>{}[],\n\"";
/// How many times as long the larger may take. Twice what it should: memory is slower where there is more of it.
const MOST: f64 = 9.0;
/// What takes less is not looked at: it is too short to measure.
const LEAST: Duration = Duration::from_millis(20);

struct Nobody;

impl Visitor for Nobody {
    fn case(&mut self, case: &Case<'_>) {
        black_box(case);
    }

    fn finding(&mut self, finding: Finding) {
        black_box(finding);
    }
}

fn main() {
    let mut words = std::env::args().skip(1);
    let root = words.next().expect("name a folder of reports");
    let samples: usize = words.next().map_or(100, |samples| samples.parse().expect("samples are a number"));
    // of the smaller of two reports that are compared; the larger has four times as many
    let bytes: usize = words.next().map_or(256, |bytes| bytes.parse().expect("KiB are a number")) << 10;
    let mut paths = Vec::new();
    add_files(Path::new(&root), &mut paths);
    paths.sort();
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut below = |end: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        usize::try_from(random >> 33).unwrap_or_default() % end.max(1)
    };
    let mut tried = 0;
    for path in paths {
        let raw = fs::read(&path).expect("the file is read");
        let marks: Vec<usize> = (0..raw.len()).filter(|&at| MARKS.contains(&raw[at])).collect();
        if marks.len() < 4 || raw.len() > bytes {
            continue;
        }
        for _ in 0..samples {
            let mut piece = |from: usize| {
                let first = from + below(marks.len() - from);
                let most = [1, 4, 20, 200][below(4)];
                let last = (first + 1 + below(most)).min(marks.len() - 1);
                (first, marks[first]..marks[last])
            };
            let (first, one) = piece(0);
            let (_, two) = piece(first);
            // one piece many times, or two pieces many times each, or what is inside the first grows
            let two = if two.start >= one.end { two } else { one.end..one.end };
            let filler = below(3) == 0;
            let made = |bytes: usize| {
                let ways = if two.is_empty() { 1 } else { 2 };
                let many = |range: &std::ops::Range<usize>| match &raw[range.clone()] {
                    [] => Vec::new(),
                    own => own.repeat(bytes / ways / own.len() + 1),
                };
                let inside = if filler { b"\\n a".repeat(bytes / 4) } else { many(&one) };
                [&raw[..one.end], &inside, &raw[one.end..two.end], &many(&two), &raw[two.end..]].concat()
            };
            tried += 1;
            let (small, large) = (made(bytes), made(bytes * 4));
            let mut ratio = 0.0;
            // the shorter of two, as whatever else runs makes it longer
            let time = |report: &[u8]| time_of(report).min(time_of(report));
            let larger = time(&large);
            if larger > LEAST {
                ratio = larger.as_secs_f64() / time(&small).max(LEAST / 8).as_secs_f64()
                    * (small.len() as f64 * 4.0)
                    / large.len() as f64;
            }
            if ratio > MOST {
                let shown = |range: &std::ops::Range<usize>| {
                    String::from_utf8_lossy(&raw[range.clone()]).chars().take(300).collect::<String>()
                };
                println!(
                    "{}: {larger:?} for {} bytes, {ratio:.1} times the time for 4 times the bytes\n    behind byte {}: {:?}{}\n    \
                     behind byte {}: {:?}",
                    path.display(),
                    large.len(),
                    one.end,
                    shown(&one),
                    if filler { " and text" } else { "" },
                    two.end,
                    shown(&two),
                );
            }
        }
    }
    println!("{tried} shapes were tried");
}

fn add_files(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is read") {
        let path = entry.expect("the folder is read").path();
        if path.is_dir() {
            add_files(&path, paths);
        } else {
            paths.push(path);
        }
    }
}

fn time_of(report: &[u8]) -> Duration {
    let start = processor_time();
    black_box(read(report, Limits::default(), &mut Nobody));
    processor_time().saturating_sub(start)
}

/// What this thread took of a processor: what else runs is not in it.
fn processor_time() -> Duration {
    let told = fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells the time of a thread");
    let nanoseconds = told.split(' ').next().and_then(|number| number.parse().ok());
    Duration::from_nanos(nanoseconds.expect("it is a number"))
}
