//! The caps on what a report may ask of us. Each is a setting; each that is hit is a finding that names it.

/// Caps on one report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Elements open at once (`--max-depth`).
    pub depth: usize,
    /// Attributes of one tag (`--max-attributes`).
    pub attributes: usize,
    /// Bytes of one tag with its attributes, of a comment, or of a document type (`--max-tag-size`).
    pub tag_bytes: usize,
    /// Bytes of one outermost case with all that is in it (`--max-case-size`); what its elements take in memory counts, too.
    pub case_bytes: usize,
    /// Bytes of the file and the suites' names of one case, together: many cases may have them in common. It is fixed: no flag
    /// sets it.
    pub path_bytes: usize,
    /// Bytes of a report of a format that must be read whole (`--max-report-size`).
    pub report_bytes: usize,
    /// Bytes of a report that are held before it is read in windows.
    pub whole_bytes: usize,
    /// Bytes of a text that are shown to the reader of JUnit XML at once; a case that is larger gets more.
    pub window_bytes: usize,
    /// Cases of a report that are compared to find those of one identity.
    pub compared_cases: usize,
    /// Findings kept of one report; the rest are counted (`--max-findings`).
    pub findings: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // 256: real reports nest below 20.
            depth: 256,
            // 256: real tags have below 30.
            attributes: 256,
            // 16 MiB: messages of a megabyte stand in attributes.
            tag_bytes: 16 << 20,
            // 64 MiB: captured output of one case reaches tens of megabytes.
            case_bytes: 64 << 20,
            // 16 KiB: real ones are below 1 KiB.
            path_bytes: 16 << 10,
            // 256 MiB: a tree of it takes a few times as much; JUnit XML, TAP and JSON lines have no such limit.
            report_bytes: 256 << 20,
            // 32 MiB: most reports are far below, and are read without a copy.
            whole_bytes: 32 << 20,
            // 1 MiB: far more than a case, and little beside the report
            window_bytes: 1 << 20,
            // 4 million: 24 bytes each.
            compared_cases: 4 << 20,
            // 100: a defect that repeats is understood by then.
            findings: 100,
        }
    }
}
