//! The same input makes the same bytes, however many workers read it and however large its reports are.

use std::fmt::Write as _;
use std::num::NonZeroUsize;

use testlake_testkit::run::{COLLECTIONS, MadeRun, RUN_ID, Reference, RunShape, compare};

use super::{Run, collect, plan, read_jobs, tree};

/// A report of about `len` bytes. Each case has 16 KiB of output. Every 500th runs again at once, and those whose number
/// is in `also` have names that other reports of the run have, too.
fn report(file: &str, len: usize, also: &[usize]) -> String {
    let mut state = 1_u32;
    let mut noise = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        char::from(b'!' + (state >> 24) as u8 % 64).to_string().replace(['&', '<', '>'], "\n")
    };
    let output: String = (0..16 << 10).map(|_| noise()).collect();
    let mut xml = String::with_capacity(len + 32_768);
    xml.push_str("<testsuites><testsuite>");
    for number in 0.. {
        if xml.len() >= len {
            break;
        }
        let class = if also.contains(&number) { "TestShared" } else { file };
        for _ in 0..if number % 500 == 499 { 2 } else { 1 } {
            write!(
                xml,
                r#"<testcase classname="{class}" name="test_{number}" file="{file}.py" time="0.25">"#
            )
            .unwrap();
            xml.push_str(if number % 97 == 0 { "<failure message=\"1 != 2\"/>" } else { "" });
            xml.push_str("<system-out>");
            xml.push_str(&output);
            xml.push_str("</system-out></testcase>\n");
        }
    }
    xml.push_str("</testsuite></testsuites>");
    xml
}

/// Reports of less than a window, of several windows, and of more than is held in memory.
fn large_run() -> Run {
    let run = Run::new();
    let also = [0, 3, 40, 300];
    let (small, middle, large) = (
        report("small", 256 << 10, &also),
        report("middle", 5 << 20, &also),
        // over 32 MiB: streamed
        report("large", 34 << 20, &[0, 40, 300, 2_000]),
    );
    run.zip(
        "test-reports-a_1.zip",
        [
            ("x/test_a/1.xml", small.as_bytes()),
            ("x/test_a/2.xml", large.as_bytes()),
            ("x/test_a/3.xml", middle.as_bytes()),
        ],
    );
    run.zip(
        "test-reports-b_2.zip",
        [("x/test_a/1.xml", middle.as_bytes()), ("x/test_a/2.xml", small.as_bytes())],
    );
    run
}

#[test]
fn large_reports_come_out_as_the_model_says_on_any_number_of_threads() {
    let run = large_run();
    let reference = Reference::compute(&run.bucket()).unwrap();
    let mut first = None;
    for threads in [2, 1, 5] {
        let mut plan = run.plan();
        plan.threads = NonZeroUsize::new(threads).unwrap();
        let collected = collect(&plan);
        assert_eq!(collected.ledger.findings, []);
        let files = tree(&run.out());
        let first = first.get_or_insert_with(|| {
            for collection in COLLECTIONS {
                let expected = reference.lines(collection).unwrap();
                compare(collection, &expected, run.lines(collection).as_bytes()).unwrap();
            }
            files.clone()
        });
        assert!(*first == files, "{threads} threads");
    }
}

#[test]
fn a_made_run_makes_the_same_bytes_on_any_number_of_threads() {
    let made = MadeRun::make(RunShape { cases: 10_000, jobs: 20, ..RunShape::default() }).unwrap();
    let mut first = None;
    for threads in [1, 2, 5] {
        let out = tempfile::tempdir().unwrap();
        let mut plan = plan(made.bucket(), RUN_ID, out.path());
        plan.job_names = Some(read_jobs(&made.jobs_file()));
        plan.threads = NonZeroUsize::new(threads).unwrap();
        collect(&plan);
        let files = tree(out.path());
        assert_eq!(files.len(), COLLECTIONS.len() + 1, "{:?}", files.keys());
        let first = first.get_or_insert_with(|| files.clone());
        assert!(*first == files, "{threads} threads");
    }
}
