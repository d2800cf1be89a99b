//! Where typed results of a run go while it is read: the seam between a collection and what keeps results.

use std::fmt::Debug;

use testlake_report::{Case, Finding};

use crate::run::{RunFacts, RunKey};

/// Receives the typed results of a run while it is read. Methods are called from many threads.
pub trait Results: Debug + Send + Sync {
    /// An attempt begins: the reports that follow are of it, until the next.
    fn attempt(&self, run: &RunKey, facts: &RunFacts) {
        let _ = (run, facts);
    }

    /// A report begins. What is returned hears its cases, in order, on the same thread.
    fn report(&self, report: ReportOf<'_>) -> Box<dyn ReportResults + '_>;
}

/// Which report it is, and whose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportOf<'a> {
    /// The artifact's name. No two artifacts of a run have one: of those that do, the second has `#2` behind it, and so on.
    pub artifact: &'a str,
    /// The report's path in the artifact, which no other report of the artifact has.
    pub path: &'a str,
    /// The provider's id of the job, as text.
    pub job: Option<&'a str>,
    /// The job's name.
    pub job_name: Option<&'a str>,
    /// The build and the configuration that the job ran.
    pub variant: Option<&'a str>,
}

/// Receives what one report holds. What is dropped without [`Self::end`] is of a report that was not read, and must
/// leave no rows.
pub trait ReportResults {
    /// The next case. Its texts hold no secret any more that could be found.
    fn case(&mut self, case: &Case<'_>);
    /// A finding, and a sentence about it.
    fn finding(&mut self, finding: Finding, text: &str);
    /// The report has been read to its end, or as far as it goes: only now do its rows count.
    fn end(self: Box<Self>);
}
