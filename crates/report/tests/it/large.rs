//! Reports that are larger than memory should be, made on the fly: each is read in a process of its own, of which the
//! peak of memory is measured.

use std::process::Command;

use testlake_report::{Case, Finding, Format, Limits, Reading, ReportReader, Visitor};

const MIB: usize = 1 << 20;
/// Set in the process that reads.
const IS_READER: &str = "TESTLAKE_TEST_IS_READER";

/// Runs a test of this name in a process of its own, and holds its peak of memory to so many MiB.
fn in_little_memory(name: &str, peak_mib: u64, test: impl Fn()) {
    if std::env::var_os(IS_READER).is_some() {
        test();
        println!("peak: {} MiB", peak().map_or(u64::MAX, |peak| peak >> 20));
        return;
    }
    let run = Command::new(std::env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(IS_READER, "1")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{told}");
    let measured = told.split_once("peak: ").unwrap().1.split(' ').next().unwrap();
    let measured: u64 = measured.parse().unwrap();
    println!("{name}: {measured} MiB");
    if cfg!(target_os = "linux") {
        assert!(measured <= peak_mib, "{measured} MiB at the peak, where {peak_mib} are allowed");
    } else {
        eprintln!("memory is measured on Linux alone");
    }
}

/// The most bytes of memory that this process had at once.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? << 10)
}

/// Counts what is told.
#[derive(Default)]
struct Counter {
    cases: usize,
    last: Option<(String, u64)>,
    output_bytes: usize,
    findings: Vec<(&'static str, u64)>,
}

impl Visitor for Counter {
    fn case(&mut self, case: &Case<'_>) {
        self.cases += 1;
        self.last = case.name.as_deref().map(|name| (name.to_owned(), case.offset));
        self.output_bytes += case.stdout.as_ref().map_or(0, |text| text.len());
    }

    fn finding(&mut self, finding: Finding) {
        self.findings.push((finding.code.as_str(), finding.offset));
    }
}

/// Reads what is fed.
fn read_fed(feed: impl FnOnce(&mut dyn FnMut(&[u8]))) -> (Counter, Reading) {
    let mut counter = Counter::default();
    let mut reader = ReportReader::new(Limits::default(), &mut counter);
    feed(&mut |chunk| reader.feed(chunk));
    let reading = reader.finish();
    (counter, reading)
}

/// Reads a report of three cases; the second holds so much of a piece.
fn with_large_case(before: &str, piece: &str, bytes: usize, behind: &str) -> Counter {
    let head = "<testsuite name=\"s\">\n<testcase name=\"first\"/>\n";
    let pieces = piece.repeat(MIB / piece.len());
    let (counter, reading) = read_fed(|feed| {
        feed(head.as_bytes());
        feed(before.as_bytes());
        let mut fed = 0;
        while fed < bytes {
            feed(pieces.as_bytes());
            fed += pieces.len();
        }
        feed(behind.as_bytes());
        feed(b"\n<testcase name=\"last\"><system-out>o</system-out></testcase></testsuite>\n");
    });
    assert_eq!(reading.format, Some(Format::Junit));
    assert_eq!(counter.last.as_ref().unwrap().0, "last");
    counter
}

/// Where the large case of [`with_large_case`] begins.
const LARGE_AT: u64 = 46;

#[test]
fn a_report_of_2_gb_is_read() {
    in_little_memory("large::a_report_of_2_gb_is_read", 220, || {
        let output = "a line of output that is as long as such lines are\n".repeat(60);
        let case = format!(
            "<testcase classname=\"package.module.Class\" name=\"test_0000000000\" time=\"0.125\">\
             <system-out><![CDATA[{output}]]></system-out></testcase>\n"
        );
        let digits = case.find("0000000000").unwrap();
        let mut case = case.into_bytes();
        let cases = (2 << 30) / case.len();
        let head = b"<?xml version=\"1.0\"?>\n<testsuites><testsuite name=\"large\">\n";
        let (counter, reading) = read_fed(|feed| {
            feed(head);
            let mut chunk = Vec::new();
            for number in 0..cases {
                case[digits..digits + 10].copy_from_slice(format!("{number:010}").as_bytes());
                chunk.extend_from_slice(&case);
                if chunk.len() > 100_000 {
                    feed(&chunk);
                    chunk.clear();
                }
            }
            feed(&chunk);
            feed(b"</testsuite></testsuites>\n");
        });
        assert_eq!((counter.cases, reading.findings_left_out), (cases, 0));
        assert_eq!(counter.findings, []);
        assert_eq!(counter.output_bytes, cases * (output.len() - 1));
        let last = (head.len() + (cases - 1) * case.len()) as u64;
        assert_eq!(counter.last, Some((format!("test_{:010}", cases - 1), last)));
    });
}

#[test]
fn a_case_of_200_mb_is_left_out_and_the_next_is_read() {
    in_little_memory("large::a_case_of_200_mb_is_left_out_and_the_next_is_read", 320, || {
        let shapes = [
            ("<testcase name=\"large\"><system-out>", "output\n", "</system-out></testcase>"),
            ("<testcase name=\"large\"><system-out><![CDATA[", "<testcase>\n", "]]></system-out></testcase>"),
            ("<testcase name=\"large\"><!--", "<testcase>\n", "--></testcase>"),
            ("<testcase name=\"large\">", "<a b=\"c\"/>", "</testcase>"),
        ];
        for (before, piece, behind) in shapes {
            let told = with_large_case(before, piece, 200 * MIB, behind);
            assert_eq!((told.cases, told.findings), (2, vec![("case-too-large", LARGE_AT)]), "{piece}");
        }
        // what is in no case is passed over whatever its size
        let told = with_large_case("<system-out><![CDATA[", "<testcase>\n", 200 * MIB, "]]></system-out>");
        assert_eq!((told.cases, told.findings), (2, vec![]));
    });
}

/// A case whose end is missing holds all that follow.
#[test]
fn whole_cases_inside_one_that_is_left_out_are_read() {
    in_little_memory("large::whole_cases_inside_one_that_is_left_out_are_read", 320, || {
        let inside =
            format!("<testcase name=\"inside\"><system-out>{}</system-out></testcase>", "o".repeat(4000));
        for end in ["</testcase>", ""] {
            let told = with_large_case("<testcase name=\"large\">", &inside, 200 * MIB, end);
            let of_one = MIB / inside.len();
            let pieces = (200 * MIB).div_ceil(of_one * inside.len()) * of_one;
            assert_eq!(told.findings.first(), Some(&("case-too-large", LARGE_AT)));
            // the one that was open where the limit was reached may be lost, too
            assert!((pieces + 1..=pieces + 2).contains(&told.cases), "{} of {pieces}", told.cases);
        }
    });
}

#[test]
fn tags_and_texts_of_any_size_cost_no_other_case() {
    in_little_memory("large::tags_and_texts_of_any_size_cost_no_other_case", 320, || {
        for (before, behind, at) in [
            ("<testcase name=\"large\"><failure message=\"", "\"/></testcase>", LARGE_AT + 23),
            ("<testcase name=\"large", "\"><failure/></testcase>", LARGE_AT),
        ] {
            let told = with_large_case(before, "message ", 200 * MIB, behind);
            assert_eq!((told.cases, told.findings), (2, vec![("large-tag", at)]));
        }
        // each of these cases has all that is inside it in the text of its failure
        let depth = 80;
        let begin = "<testcase><failure><b>".repeat(depth);
        let told = with_large_case(&begin, "text\n", 20 * MIB, &"</b></failure></testcase>".repeat(depth));
        assert_eq!(told.cases, depth + 2);
    });
}

#[test]
fn a_document_that_must_be_whole_is_refused_above_the_limit() {
    in_little_memory("large::a_document_that_must_be_whole_is_refused_above_the_limit", 450, || {
        for (head, format) in [
            ("<test-run id=\"2\"><test-suite type=\"TestFixture\" name=\"s\">", Format::Nunit3),
            ("{\"results\": {\"tool\": {\"name\": \"t\"}, \"tests\": [", Format::Ctrf),
        ] {
            let filling = vec![b' '; MIB];
            let (counter, reading) = read_fed(|feed| {
                feed(head.as_bytes());
                for _ in 0..300 {
                    feed(&filling);
                }
            });
            assert_eq!(reading.format, Some(format));
            assert_eq!((counter.cases, counter.findings), (0, vec![("report-too-large", 0)]));
        }
    });
}
