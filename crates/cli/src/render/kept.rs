//! What a lake took in.

use serde::Serialize;

use super::number::{bytes, count, counted};

/// What a lake took in of an attempt, or of a job. The order of fields is that of the keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Kept {
    /// Reports.
    pub(crate) reports: u64,
    /// Cases, each a row of `results`.
    pub(crate) cases: u64,
    /// Rows of `findings`.
    pub(crate) findings: u64,
    /// Rows of `results` of the same reports that were there before, and were replaced.
    pub(crate) replaced: u64,
    /// New files.
    pub(crate) files: u64,
    /// Their bytes.
    pub(crate) bytes: u64,
    /// The version of `results` that has it all.
    pub(crate) version: u64,
}

impl Kept {
    /// Says it in a few words.
    pub(crate) fn in_words(&self) -> String {
        let (cases, reports) = (counted(self.cases, "result"), counted(self.reports, "report"));
        let findings = match self.findings {
            0 => String::new(),
            number => format!(", {}", counted(number, "finding")),
        };
        let replaced = match self.replaced {
            0 => String::new(),
            number => format!(", in place of {} of an earlier time", count(number)),
        };
        format!("{cases} of {reports}{findings}{replaced} ({})", bytes(self.bytes))
    }
}
