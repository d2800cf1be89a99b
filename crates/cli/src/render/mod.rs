//! What a person or a program reads on stdout. Text from reports is escaped: nobody's test name drives the terminal.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;

pub(crate) mod findings;
pub(crate) mod history;
pub(crate) mod json;
mod kept;
pub(crate) mod number;
#[cfg(feature = "lake")]
pub(crate) mod rows;
pub(crate) mod table;
#[cfg(test)]
mod tests;
#[cfg(feature = "lake")]
pub(crate) mod upload;

pub(crate) use kept::Kept;

/// Where what was collected goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Places<'places> {
    /// The destination of collections and ledger; nothing where none are written.
    pub(crate) to: Option<&'places str>,
    /// The lake; nothing where none is filled.
    pub(crate) lake: Option<&'places str>,
    /// Whether nothing is written.
    pub(crate) is_dry_run: bool,
}

/// Escapes what could drive the terminal or deceive the eye: control characters, those that turn the direction of
/// text, and those that have no width.
pub(crate) fn for_terminal(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unsafe(c) {
            // Writing to a string cannot fail.
            write!(escaped, "{}", c.escape_default()).ok();
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// Treats a closed pipe as success: who reads has read enough.
pub(crate) fn tolerate_closed_pipe(written: io::Result<()>) -> io::Result<()> {
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other,
    }
}

/// Writes all of a text to stdout.
pub(crate) fn print(text: &str) -> io::Result<()> {
    use io::Write as _;
    let mut stdout = io::stdout().lock();
    tolerate_closed_pipe(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
}

/// Colours, or none.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Paint {
    is_on: bool,
}

/// What a piece of text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// All is well.
    Good,
    /// Something is missing.
    Warning,
    /// Something failed.
    Bad,
    /// A title.
    Strong,
    /// Of less weight.
    Faint,
    /// As all else.
    Plain,
}

impl Paint {
    /// Chooses colours for a terminal that wants them.
    pub(crate) fn for_stdout(environment: &crate::config::Environment) -> Self {
        use io::IsTerminal as _;
        let is_wanted = environment.get("NO_COLOR").is_none() && environment.get("TERM") != Some("dumb");
        Self { is_on: is_wanted && io::stdout().is_terminal() }
    }

    /// Paints a text that has been escaped before.
    pub(crate) fn text(self, tone: Tone, text: &str) -> Cow<'_, str> {
        let code = match tone {
            Tone::Good => "32",
            Tone::Warning => "33",
            Tone::Bad => "31",
            Tone::Strong => "1",
            Tone::Faint => "2",
            Tone::Plain => return Cow::Borrowed(text),
        };
        if self.is_on { Cow::Owned(format!("\u{1b}[{code}m{text}\u{1b}[0m")) } else { Cow::Borrowed(text) }
    }
}
