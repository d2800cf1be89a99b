//! The scanner alone, and the reader of typed cases: `cargo bench -p testlake-report`.

use std::hint::black_box;

use criterion::{Criterion, Throughput};
use testlake_report::scan::xml::{StartTag, Text, XmlScanner, XmlVisitor};
use testlake_report::{Case, Finding, FindingCode, Limits, Visitor, read};

mod documents;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    scan(&mut criterion);
    cases(&mut criterion);
    criterion.final_summary();
}

struct Sight;

impl XmlVisitor for Sight {
    fn tag(&mut self, _window: &[u8]) {}

    fn start(&mut self, tag: &StartTag<'_>) {
        black_box(tag);
    }

    fn text(&mut self, text: &Text<'_>) {
        black_box(text);
    }

    fn end(&mut self, _window: &[u8], end: u32) {
        black_box(end);
    }

    fn finding(&mut self, code: FindingCode, _at: u32) {
        black_box(code);
    }

    fn settled(&self) -> bool {
        true
    }

    fn rollback(&mut self) {}
}

impl Visitor for Sight {
    fn case(&mut self, case: &Case<'_>) {
        black_box(case);
    }

    fn finding(&mut self, finding: Finding) {
        black_box(finding);
    }
}

fn scan(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("scan");
    for (name, report) in documents::documents() {
        group.throughput(Throughput::Bytes(report.len() as u64));
        let mut scanner = XmlScanner::new(Limits::default());
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                scanner.reset();
                scanner.feed(report.as_bytes(), true, &mut Sight)
            });
        });
    }
}

fn cases(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("cases");
    for (name, report) in documents::documents() {
        group.throughput(Throughput::Bytes(report.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| read(report.as_bytes(), Limits::default(), &mut Sight));
        });
    }
}
