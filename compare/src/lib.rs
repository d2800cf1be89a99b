//! Reports in memory, and the time that a pass over all of them takes.

use std::fs;
use std::path::Path;
use std::time::Instant;

/// What may go wrong; the programs end with it.
pub type AnyError = Box<dyn std::error::Error>;

/// Reports, one behind the other.
pub struct Reports {
    bytes: Vec<u8>,
    lengths: Vec<usize>,
}

impl Reports {
    /// Reads `reports.bin` of a folder, and `reports.lengths`: the bytes of each report, a line each.
    ///
    /// # Errors
    /// Where one of them cannot be read, or they do not agree.
    pub fn read(folder: &Path) -> Result<Self, AnyError> {
        let bytes = fs::read(folder.join("reports.bin"))?;
        let lengths = fs::read_to_string(folder.join("reports.lengths"))?;
        let lengths = lengths.lines().map(str::parse).collect::<Result<Vec<usize>, _>>()?;
        if lengths.iter().sum::<usize>() != bytes.len() {
            return Err("the lengths are not those of the reports".into());
        }
        Ok(Self { bytes, lengths })
    }

    /// Changes each report before anything is measured.
    #[must_use]
    pub fn changed(&self, change: impl Fn(&[u8]) -> Vec<u8>) -> Self {
        let changed: Vec<Vec<u8>> = self.iter().map(change).collect();
        Self { lengths: changed.iter().map(Vec::len).collect(), bytes: changed.concat() }
    }

    /// Returns each report.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut rest = self.bytes.as_slice();
        self.lengths.iter().map(move |&length| {
            let (report, behind) = rest.split_at(length);
            rest = behind;
            report
        })
    }

    /// Counts the cases of each report, and prints the seconds and the cases as JSON. A twentieth of the reports is
    /// counted before, so that no time goes to what is done but once.
    ///
    /// # Errors
    /// Where a report cannot be read.
    pub fn measure(&self, mut count: impl FnMut(&[u8]) -> Result<u64, AnyError>) -> Result<(), AnyError> {
        for report in self.iter().take(self.lengths.len().div_ceil(20)) {
            count(report)?;
        }
        let start = Instant::now();
        let mut cases = 0;
        for report in self.iter() {
            cases += count(report)?;
        }
        let seconds = start.elapsed().as_secs_f64();
        println!("{{\"seconds\": {seconds}, \"cases\": {cases}}}");
        Ok(())
    }
}
