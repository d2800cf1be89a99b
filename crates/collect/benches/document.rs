//! The cases of a report as trees, and the documents made of them: `cargo bench -p testlake-collect --no-default-features`.
//!
//! Both are compiled in here once more, as they are no part of the library's face.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use testlake_report::scan::xml::XmlScanner;
use testlake_report::{FindingCode, Limits};

use profile::case::{CaseReader, CaseSink, CaseTree};
use profile::document::{DocumentWriter, Stamp};
use profile::known::KnownNames;

#[path = "../../report/benches/documents.rs"]
mod documents;
#[expect(dead_code, reason = "what only the pipeline uses")]
#[path = "../src/profile"]
mod profile {
    pub(crate) mod case;
    pub(crate) mod document;
    pub(crate) mod facts;
    pub(crate) mod json;
    pub(crate) mod known;
    pub(crate) mod number;
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    measure(&mut criterion, "tree", |_, tree| {
        black_box(tree);
    });
    let stamp = Stamp::new("9871234567", 1, Some("27000000000"), "test_ops");
    let (mut writer, mut known, mut lines) = (DocumentWriter::default(), KnownNames::default(), Vec::new());
    measure(&mut criterion, "document", |window, tree| {
        for case in tree.cases() {
            writer.write_line(window, tree, case, &mut known, &stamp, &mut lines);
        }
        if lines.len() > 1 << 20 {
            black_box(&lines);
            lines.clear();
        }
    });
    criterion.final_summary();
}

/// Does something with each tree.
struct Sink<F>(F);

impl<F: FnMut(&[u8], &CaseTree)> CaseSink for Sink<F> {
    fn tree(&mut self, window: &[u8], tree: &CaseTree) {
        (self.0)(window, tree);
    }

    fn finding(&mut self, code: FindingCode, _at: u32) {
        black_box(code);
    }

    fn declared(&mut self, suite: &[u8], _declared: u64, _found: u64) {
        black_box(suite);
    }
}

fn measure(criterion: &mut Criterion, group: &str, mut each: impl FnMut(&[u8], &CaseTree)) {
    let limits = Limits::default();
    let mut group = criterion.benchmark_group(group);
    let mut reader = CaseReader::new(Sink(&mut each), &limits);
    let mut scanner = XmlScanner::new(limits);
    for (name, report) in documents::documents() {
        group.throughput(Throughput::Bytes(report.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                scanner.reset();
                reader.reset();
                scanner.feed(report.as_bytes(), true, &mut reader);
                reader.finish(report.as_bytes());
            });
        });
    }
}
