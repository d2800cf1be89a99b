//! What the process says when it ends: a code for its caller, and one rendering of what went wrong.
//!
//! The codes are documented in `docs/exit-codes.md`. A code is chosen where the failure is understood
//! ([`OrExit::or_exit`]), never guessed from an error's type further up.

use std::fmt;
use std::process::ExitCode;

/// What the process reports to its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Everything asked for was done.
    Done,
    /// A gate that was asked for failed.
    Gate,
    /// The command line, the environment or the settings file is wrong, or names what is not there.
    Usage,
    /// Some of the input could not be read; the rest was.
    Partial,
    /// No test was found.
    Empty,
    /// A bug here.
    Bug,
    /// A store or the network failed after retries.
    Unavailable,
    /// A signal ended it.
    Signal(u8),
}

impl Exit {
    /// Returns the number.
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Gate => 1,
            Self::Usage => 2,
            Self::Partial => 3,
            Self::Empty => 4,
            Self::Bug => 70,
            Self::Unavailable => 75,
            Self::Signal(number) => 128_u8.saturating_add(number),
        }
    }

    /// Returns what stands before the message.
    const fn heading(self) -> &'static str {
        match self {
            Self::Usage => "usage error",
            Self::Bug => "internal error",
            Self::Done | Self::Gate | Self::Partial | Self::Empty | Self::Unavailable | Self::Signal(_) => {
                "error"
            }
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// A failure of the program: what went wrong, the code for it, and what to do.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) error: anyhow::Error,
    pub(crate) hints: Vec<String>,
}

impl Failure {
    /// Makes a failure from a message: lower case, no full stop.
    pub(crate) fn new(exit: Exit, message: impl fmt::Display) -> Self {
        Self { exit, error: anyhow::anyhow!("{message}"), hints: Vec::new() }
    }

    /// Makes a usage failure from a message.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// Puts a sentence above the cause.
    pub(crate) fn context(mut self, message: impl fmt::Display + Send + Sync + 'static) -> Self {
        self.error = self.error.context(message);
        self
    }

    /// Adds what to do about it: an imperative, lower case, no full stop.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// Gives an error its exit code.
pub(crate) trait OrExit<T> {
    /// Turns the error into a [`Failure`] that ends with `exit`.
    fn or_exit(self, exit: Exit) -> Result<T, Failure>;
}

impl<T, E: Into<anyhow::Error>> OrExit<T> for Result<T, E> {
    fn or_exit(self, exit: Exit) -> Result<T, Failure> {
        self.map_err(|error| Failure { exit, error: error.into(), hints: Vec::new() })
    }
}

impl fmt::Display for Failure {
    /// Renders the heading and message, the chain of causes, and the hints last; each on lines of its own.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut chain = self.error.chain().map(ToString::to_string);
        let message = chain.next().unwrap_or_default();
        write!(f, "{}: {}", self.exit.heading(), lines(&message))?;
        let mut above = message;
        for cause in chain {
            // Some libraries repeat their cause in their own text.
            if above.contains(&cause) {
                continue;
            }
            write!(f, "\n  caused by: {}", lines(&cause))?;
            above = cause;
        }
        for hint in &self.hints {
            write!(f, "\n  hint: {}", lines(hint))?;
        }
        Ok(())
    }
}

/// Escapes each line for the terminal and indents all but the first.
fn lines(text: &str) -> String {
    let lines: Vec<_> = text.trim_end().lines().map(crate::render::for_terminal).collect();
    lines.join("\n    ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_rendered_with_its_causes_and_hints_last() {
        let error =
            anyhow::anyhow!("timed out").context("cannot read `a\u{1b}[2J.zip`").context("nothing came");
        let failure = Failure { exit: Exit::Unavailable, error, hints: Vec::new() }.hint("try again later");
        insta::assert_snapshot!(failure, @r"
        error: nothing came
          caused by: cannot read `a\u{1b}[2J.zip`
          caused by: timed out
          hint: try again later
        ");
    }

    #[test]
    fn a_cause_that_the_message_repeats_is_left_out() {
        let error = anyhow::anyhow!("timed out").context("cannot read `x`: timed out");
        let failure = Failure { exit: Exit::Usage, error, hints: Vec::new() };
        insta::assert_snapshot!(failure, @"usage error: cannot read `x`: timed out");
    }

    #[test]
    fn a_signal_ends_with_128_and_its_number() {
        assert_eq!(Exit::Signal(15).code(), 143);
        assert_eq!(Exit::Signal(200).code(), 255);
    }
}
