//! What came of `testlake upload`: for people, as one object, or a line for each thing.

use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use serde::Serialize;

use super::json::escaped;
use super::number::{count, counted, seconds};
use super::table::line;
use super::{Kept, Paint, Tone, for_terminal};
use crate::args::UploadFormat;
use crate::command::lake::upload::{BrokenReport, FailedTest, SlowTest, TestName, Told, Uploaded};

/// The version of the form.
const VERSION: u32 = 1;
/// Failures that people are shown: what fits two screens.
const FAILURES: usize = 20;
/// Slow tests that people are shown.
const SLOWEST: usize = 5;
/// Tests that take less are not slow.
const SLOW_SECONDS: f64 = 0.5;
/// Broken reports that people are shown.
const BROKEN: usize = 20;

/// Renders it.
pub(crate) fn render(
    uploaded: &Uploaded<'_>,
    format: UploadFormat,
    paint: Paint,
) -> serde_json::Result<String> {
    match format {
        UploadFormat::Table => {
            let mut out = String::new();
            // Writing to a string cannot fail.
            Page { paint }.write(&mut out, uploaded).ok();
            Ok(out)
        }
        UploadFormat::Json => Ok(escaped(&serde_json::to_string(&Whole::of(uploaded))?) + "\n"),
        UploadFormat::Ndjson => lines(uploaded),
    }
}

/// The whole as data. The order of fields is that of the keys.
#[derive(Debug, Serialize)]
struct Whole<'upload> {
    #[serde(flatten)]
    head: Head<'upload>,
    failures: &'upload [FailedTest],
    failures_left_out: u64,
    slowest: &'upload [SlowTest],
    broken: &'upload [BrokenReport],
}

/// What there is one of.
#[derive(Debug, Serialize)]
struct Head<'upload> {
    version: u32,
    repo: Option<&'upload str>,
    run_id: &'upload str,
    attempt: u32,
    artifact: &'upload str,
    reports: u64,
    not_reports: u64,
    unread: u64,
    cases: u64,
    passed: u64,
    failed: u64,
    errored: u64,
    skipped: u64,
    flaky: u64,
    seconds: f64,
    findings: Findings,
    redacted: &'upload BTreeMap<String, u64>,
    lake: &'upload str,
    /// What was taken in; nothing where the lake could not be reached.
    taken_in: Option<Kept>,
    spooled: Option<&'upload str>,
    sent_from_spool: u64,
}

#[derive(Debug, Serialize)]
struct Findings {
    repairs: u64,
    losses: u64,
    stops: u64,
}

impl<'upload> Whole<'upload> {
    fn of(uploaded: &'upload Uploaded<'_>) -> Self {
        let told = uploaded.told;
        Self {
            head: Head::of(uploaded),
            failures: &told.failures,
            failures_left_out: told.failures_left_out,
            slowest: &told.slowest,
            broken: &told.broken,
        }
    }
}

impl<'upload> Head<'upload> {
    fn of(uploaded: &'upload Uploaded<'_>) -> Self {
        let (run, told) = (uploaded.run, uploaded.told);
        let [repairs, losses, stops] = told.findings;
        Self {
            version: VERSION,
            repo: run.repo.as_deref(),
            run_id: &run.run_id,
            attempt: run.attempt,
            artifact: uploaded.artifact,
            reports: told.reports,
            not_reports: told.others,
            unread: told.unread,
            cases: told.cases,
            passed: told.passed,
            failed: told.failed,
            errored: told.errored,
            skipped: told.skipped,
            flaky: told.flaky,
            seconds: told.seconds,
            findings: Findings { repairs, losses, stops },
            redacted: &told.redacted,
            lake: uploaded.lake,
            taken_in: uploaded.taken_in,
            spooled: uploaded.spooled.as_deref(),
            sent_from_spool: uploaded.sent,
        }
    }
}

/// A line: what it is of comes first.
#[derive(Debug, Serialize)]
struct Typed<'row, T> {
    of: &'static str,
    #[serde(flatten)]
    row: &'row T,
}

fn lines(uploaded: &Uploaded<'_>) -> serde_json::Result<String> {
    let told = uploaded.told;
    let mut out = String::new();
    fn put<T: Serialize>(out: &mut String, of: &'static str, row: &T) -> serde_json::Result<()> {
        out.push_str(&escaped(&serde_json::to_string(&Typed { of, row })?));
        out.push('\n');
        Ok(())
    }
    put(&mut out, "upload", &Head::of(uploaded))?;
    for row in &told.failures {
        put(&mut out, "failure", row)?;
    }
    for row in &told.slowest {
        put(&mut out, "slow", row)?;
    }
    for row in &told.broken {
        put(&mut out, "broken", row)?;
    }
    Ok(out)
}

struct Page {
    paint: Paint,
}

impl Page {
    fn write(&self, out: &mut String, uploaded: &Uploaded<'_>) -> fmt::Result {
        let told = uploaded.told;
        let title = format!("{}, {}", uploaded.run, uploaded.artifact);
        writeln!(out, "{}: {}", self.paint.text(Tone::Strong, &for_terminal(&title)), self.verdict(told))?;
        self.counts(out, told)?;
        self.failures(out, told)?;
        self.slowest(out, told)?;
        self.broken(out, told)?;
        self.kept(out, uploaded)
    }

    fn verdict(&self, told: &Told) -> String {
        let failed = told.failed + told.errored;
        let (tone, text) = match (failed, told.cases) {
            (0, 0) => (Tone::Warning, "no test found".to_owned()),
            (0, cases) => (Tone::Good, format!("{}, none failed", counted(cases, "test"))),
            (failed, cases) => (Tone::Bad, format!("{} of {} failed", count(failed), counted(cases, "test"))),
        };
        self.paint.text(tone, &text).into_owned()
    }

    fn counts(&self, out: &mut String, told: &Told) -> fmt::Result {
        writeln!(out)?;
        let rows = [
            ("passed", told.passed, None, false),
            ("failed", told.failed, Some(Tone::Bad), false),
            ("errored", told.errored, Some(Tone::Bad), false),
            ("skipped", told.skipped, None, false),
            ("flaky", told.flaky, Some(Tone::Warning), true),
            ("reports", told.reports, None, false),
            ("  no reports", told.others, None, true),
            ("  not read", told.unread, Some(Tone::Warning), true),
            ("secrets masked", told.redacted.values().sum(), Some(Tone::Warning), true),
        ];
        for (name, number, tone, is_optional) in rows {
            if number == 0 && is_optional {
                continue;
            }
            let text = format!("{:>14}", count(number));
            let tone = tone.filter(|_| number > 0).unwrap_or(Tone::Plain);
            writeln!(out, "{name:<15}{}", self.paint.text(tone, &text))?;
        }
        writeln!(out, "{:<15}{:>14}", "testing", seconds(told.seconds))
    }

    fn failures(&self, out: &mut String, told: &Told) -> fmt::Result {
        if told.failures.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n{}", self.paint.text(Tone::Strong, "Failures"))?;
        for failure in told.failures.iter().take(FAILURES) {
            let word = self.paint.text(Tone::Bad, failure.outcome).into_owned();
            writeln!(out, "  {word} {}", test(&failure.test))?;
            let kind = failure.kind.as_deref().map(line).unwrap_or_default();
            let message = failure.message.as_deref().map(line).unwrap_or_default();
            // Many messages begin with the kind.
            let said = match (kind.is_empty(), message.is_empty()) {
                (false, false) if !message.starts_with(&kind) => format!("{kind}: {message}"),
                (_, false) => message,
                (_, true) => kind,
            };
            if !said.is_empty() {
                writeln!(out, "      {}", self.paint.text(Tone::Faint, &said))?;
            }
        }
        let shown = told.failures.len().min(FAILURES) as u64;
        self.rest(out, (told.failures.len() as u64 + told.failures_left_out).saturating_sub(shown))
    }

    fn slowest(&self, out: &mut String, told: &Told) -> fmt::Result {
        let slow: Vec<_> =
            told.slowest.iter().filter(|slow| slow.seconds >= SLOW_SECONDS).take(SLOWEST).collect();
        if slow.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n{}", self.paint.text(Tone::Strong, "Slowest"))?;
        for SlowTest { seconds: took, test: name } in slow {
            writeln!(out, "  {:>12}  {}", seconds(*took), test(name))?;
        }
        Ok(())
    }

    fn broken(&self, out: &mut String, told: &Told) -> fmt::Result {
        if told.broken.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n{}", self.paint.text(Tone::Warning, "Reports not read whole"))?;
        for report in told.broken.iter().take(BROKEN) {
            writeln!(out, "  {}: {} ({})", line(&report.report), line(&report.text), report.code)?;
        }
        self.rest(out, (told.broken.len() as u64).saturating_sub(BROKEN as u64))
    }

    fn kept(&self, out: &mut String, uploaded: &Uploaded<'_>) -> fmt::Result {
        let lake = line(uploaded.lake);
        if let Some(taken_in) = uploaded.taken_in {
            return writeln!(out, "\nKept in {lake}: {}", taken_in.in_words());
        }
        match &uploaded.spooled {
            Some(path) => {
                let text = format!("Not in {lake} yet; spooled in {}", line(path));
                writeln!(out, "\n{}", self.paint.text(Tone::Warning, &text))
            }
            None if uploaded.told.reports > 0 => {
                let text = format!("Not in {lake}, and not spooled");
                writeln!(out, "\n{}", self.paint.text(Tone::Bad, &text))
            }
            None => writeln!(out, "\nNothing to keep in {lake}"),
        }
    }

    fn rest(&self, out: &mut String, more: u64) -> fmt::Result {
        match more {
            0 => Ok(()),
            more => writeln!(out, "  {}", self.paint.text(Tone::Faint, &format!("and {} more", count(more)))),
        }
    }
}

/// Names a test by what it has.
fn test(test: &TestName) -> String {
    let parts = [&test.file, &test.class, &test.name];
    let names: Vec<_> = parts.into_iter().flatten().map(|part| line(part)).collect();
    match (names.is_empty(), test.suite.last()) {
        (false, _) => names.join(" "),
        (true, Some(suite)) => line(suite),
        (true, None) => format!("(no name)  ({})", line(&test.report)),
    }
}
