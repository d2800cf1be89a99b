//! What a report says of each case, in one form for every format.
//!
//! Absent is absent: no zero, no epoch, and nothing of a suite's put on its cases.

use std::borrow::Cow;
use std::fmt;

/// Text of a report: borrowed where it stands there as it reads.
pub type Text<'report> = Cow<'report, str>;

/// How a try, or a case by its last try, ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// A check of the test failed.
    Failed,
    /// Something other than a check of the test went wrong: an error, a time limit, a crash.
    Errored,
    /// It was not run, or its result was not to count.
    Skipped,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 4] = [Self::Passed, Self::Failed, Self::Errored, Self::Skipped];

    /// Returns the word for it in data and in the documentation.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Errored => "errored",
            Self::Skipped => "skipped",
        }
    }

    /// Reports whether it makes a run red.
    pub const fn is_trouble(self) -> bool {
        matches!(self, Self::Failed | Self::Errored)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What went wrong in a try, or why it was skipped.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Detail<'report> {
    /// The class of the failure: `AssertionError`.
    pub kind: Option<Text<'report>>,
    /// One sentence, as the runner gives it.
    pub message: Option<Text<'report>>,
    /// The long text: a stack trace, a difference.
    pub text: Option<Text<'report>>,
}

impl Detail<'_> {
    /// Reports whether nothing is said.
    pub fn is_empty(&self) -> bool {
        self.kind.is_none() && self.message.is_none() && self.text.is_none()
    }
}

/// One execution of a case.
#[derive(Debug, Clone, PartialEq)]
pub struct Try<'report> {
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, in seconds.
    pub seconds: Option<f64>,
    /// What went wrong, or why it was skipped.
    pub detail: Detail<'report>,
}

/// A test case of a report.
#[derive(Debug, Clone, PartialEq)]
pub struct Case<'report> {
    /// The names of the suites around it, the outermost first. Suites without a name are left out.
    pub suite: Vec<Text<'report>>,
    /// The class, module or file-like group that the runner gives beside the suite.
    pub class: Option<Text<'report>>,
    /// The name.
    pub name: Option<Text<'report>>,
    /// The source file, as the runner writes it.
    pub file: Option<Text<'report>>,
    /// The line in the source file, counted from 1 where the runner does.
    pub line: Option<u64>,
    /// How its last try ended.
    pub outcome: Outcome,
    /// How long it took, in seconds: what the report says of the case, not a sum of ours.
    pub seconds: Option<f64>,
    /// When it began.
    pub started: Option<crate::time::Instant>,
    /// What went wrong in its last try, or why it was skipped.
    pub detail: Detail<'report>,
    /// What it printed.
    pub stdout: Option<Text<'report>>,
    /// What it printed to the error stream.
    pub stderr: Option<Text<'report>>,
    /// Names and values that the runner attached, in order.
    pub properties: Vec<(Text<'report>, Text<'report>)>,
    /// Every try in order, the last of them included; empty where there was one only.
    pub tries: Vec<Try<'report>>,
    /// How many cases of the same identity came before it in the report.
    pub ordinal: u32,
    /// The byte that it begins at in the report.
    pub offset: u64,
}

impl<'report> Case<'report> {
    /// Makes a case of which only its place and its outcome are known.
    #[inline]
    pub fn new(outcome: Outcome, offset: u64) -> Self {
        Self {
            suite: Vec::new(),
            class: None,
            name: None,
            file: None,
            line: None,
            outcome,
            seconds: None,
            started: None,
            detail: Detail::default(),
            stdout: None,
            stderr: None,
            properties: Vec::new(),
            tries: Vec::new(),
            ordinal: 0,
            offset,
        }
    }

    /// Reports whether its tries differ in outcome.
    pub fn is_flaky(&self) -> bool {
        self.tries.windows(2).any(|pair| matches!(pair, [one, two] if one.outcome != two.outcome))
    }

    /// Copies what is borrowed.
    pub fn into_owned(self) -> Case<'static> {
        let texts = |text: Text<'report>| Cow::Owned(text.into_owned());
        Case {
            suite: self.suite.into_iter().map(texts).collect(),
            class: self.class.map(texts),
            name: self.name.map(texts),
            file: self.file.map(texts),
            line: self.line,
            outcome: self.outcome,
            seconds: self.seconds,
            started: self.started,
            detail: self.detail.into_owned(),
            stdout: self.stdout.map(texts),
            stderr: self.stderr.map(texts),
            properties: self
                .properties
                .into_iter()
                .map(|(name, value)| (texts(name), texts(value)))
                .collect(),
            tries: self.tries.into_iter().map(Try::into_owned).collect(),
            ordinal: self.ordinal,
            offset: self.offset,
        }
    }
}

impl Try<'_> {
    /// Copies what is borrowed.
    pub fn into_owned(self) -> Try<'static> {
        Try { outcome: self.outcome, seconds: self.seconds, detail: self.detail.into_owned() }
    }
}

impl Detail<'_> {
    /// Copies what is borrowed.
    pub fn into_owned(self) -> Detail<'static> {
        let owned = |text: Text<'_>| Cow::Owned(text.into_owned());
        Detail { kind: self.kind.map(owned), message: self.message.map(owned), text: self.text.map(owned) }
    }
}
