//! All that a reader tells.

use testlake_report::{Case, Finding, Format, Limits, Visitor, read};

/// Keeps all that is told.
#[derive(Default, PartialEq, Debug)]
pub(crate) struct Told {
    pub(crate) cases: Vec<Case<'static>>,
    pub(crate) findings: Vec<Finding>,
}

impl Visitor for Told {
    fn case(&mut self, case: &Case<'_>) {
        self.cases.push(case.clone().into_owned());
    }

    fn finding(&mut self, finding: Finding) {
        self.findings.push(finding);
    }
}

pub(crate) fn by_reader(raw: &[u8], limits: Limits) -> (Told, Option<Format>) {
    let mut told = Told::default();
    let reading = read(raw, limits, &mut told);
    (told, reading.format)
}
