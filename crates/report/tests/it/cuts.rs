//! Fixtures, cut off anywhere.

use std::fs;
use std::path::Path;

use testlake_report::{Case, Finding, Limits, Visitor, read};

#[derive(Default)]
struct Counts {
    cases: usize,
    findings: usize,
}

impl Visitor for Counts {
    fn case(&mut self, _case: &Case<'_>) {
        self.cases += 1;
    }

    fn finding(&mut self, _finding: Finding) {
        self.findings += 1;
    }
}

fn counted(raw: &[u8]) -> Counts {
    let mut counts = Counts::default();
    read(raw, Limits::default(), &mut counts);
    counts
}

#[test]
fn a_cut_in_xml_is_told_wherever_it_is_and_makes_no_cases() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let mut cuts = 0;
    for folder in fs::read_dir(root).unwrap() {
        for file in fs::read_dir(folder.unwrap().path()).unwrap() {
            let path = file.unwrap().path();
            let raw = fs::read(&path).unwrap();
            let text = raw.trim_ascii();
            if !text.starts_with(b"<") {
                continue;
            }
            let whole = counted(text);
            // a prime, so that all places in a tag come up
            for end in (1..text.len() - 1).step_by(11) {
                let cut = counted(&text[..end]);
                assert!(cut.findings > 0, "{} cut at {end}", path.display());
                assert!(cut.cases <= whole.cases, "{} cut at {end}", path.display());
                cuts += 1;
            }
        }
    }
    assert!(cuts > 1000, "{cuts} cuts");
}
