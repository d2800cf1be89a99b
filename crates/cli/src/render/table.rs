//! `--format table`: what a person wants to know of an attempt, the most important first.

use std::fmt::{self, Write as _};

use testlake_collect::ledger::{ArtifactStatus, Ledger, Verdict};
use testlake_collect::plan::{Collected, FailedCase, FailureGroup, RunSummary, WrittenObject};

use super::number::{bytes, count, counted, seconds};
use super::{Kept, Paint, Places, Tone, for_terminal};

/// Groups of failures that are shown: what fits two screens.
const GROUPS: usize = 10;
/// Cases that are named for each group.
const EXAMPLES: usize = 3;
/// Lines of the first failure's text.
const FIRST_LINES: usize = 5;
/// Lines of each list of what was wrong.
const LISTED: usize = 20;
/// Suites that declare another number: common, and seldom a loss.
const DECLARED: usize = 5;
/// Characters of a line of text from a report.
const WIDTH: usize = 160;

/// Renders one attempt.
pub(crate) fn render(collected: &Collected, kept: Option<Kept>, to: &Places<'_>, paint: Paint) -> String {
    let mut out = String::new();
    let page = Page { paint, is_dry_run: to.is_dry_run };
    // Writing to a string cannot fail.
    page.write(&mut out, collected, kept, to).ok();
    out
}

struct Page {
    paint: Paint,
    is_dry_run: bool,
}

impl Page {
    fn write(
        &self,
        out: &mut String,
        collected: &Collected,
        kept: Option<Kept>,
        to: &Places<'_>,
    ) -> fmt::Result {
        let Collected { ledger, summary, written, .. } = collected;
        self.title(out, ledger)?;
        if self.is_dry_run {
            self.listed(out, ledger)?;
        } else {
            self.counts(out, ledger, summary)?;
            self.failures(out, ledger, summary)?;
        }
        self.sources(out, ledger)?;
        self.artifacts(out, ledger)?;
        self.findings(out, ledger)?;
        self.declared(out, ledger)?;
        self.jobs(out, ledger)?;
        if let Some(to) = to.to {
            self.written(out, written, to)?;
        }
        to.lake.map_or(Ok(()), |lake| self.kept(out, kept, lake))
    }

    fn title(&self, out: &mut String, ledger: &Ledger) -> fmt::Result {
        let run = &ledger.run;
        let repo = run.repo.as_ref().map(|repo| format!("{repo} ")).unwrap_or_default();
        let title = format!("{repo}run {} attempt {}", run.run_id, run.attempt);
        let title = self.paint.text(Tone::Strong, &for_terminal(&title)).into_owned();
        if self.is_dry_run {
            return writeln!(out, "{title}: dry run, nothing is written");
        }
        let tone = match ledger.verdict {
            Verdict::Complete => Tone::Good,
            Verdict::Partial => Tone::Warning,
            Verdict::Empty => Tone::Bad,
        };
        writeln!(out, "{title}: {}", self.paint.text(tone, ledger.verdict.as_str()))
    }

    fn counts(&self, out: &mut String, ledger: &Ledger, summary: &RunSummary) -> fmt::Result {
        let cases = &ledger.cases;
        let reports = &ledger.reports;
        let rows = [
            ("cases", cases.total, None),
            ("  passed", cases.passed, None),
            ("  failed", cases.failed, Some(Tone::Bad)),
            ("  errored", cases.errored, Some(Tone::Bad)),
            ("  skipped", cases.skipped, None),
            ("  with reruns", cases.rerun, None),
            ("jobs", summary.jobs, None),
            ("reports", reports.found, None),
            ("  salvaged", reports.salvaged, Some(Tone::Warning)),
            ("  rejected", reports.rejected, Some(Tone::Warning)),
        ];
        writeln!(out)?;
        for (name, number, tone) in rows {
            let is_optional = matches!(name.trim(), "with reruns" | "salvaged" | "rejected");
            if number == 0 && is_optional {
                continue;
            }
            let number_text = format!("{:>14}", count(number));
            let text = match tone {
                Some(tone) if number > 0 => self.paint.text(tone, &number_text),
                _ => number_text.as_str().into(),
            };
            writeln!(out, "{name:<15}{text}")?;
        }
        writeln!(out, "{:<15}{:>14}", "testing", seconds(summary.seconds))
    }

    fn failures(&self, out: &mut String, ledger: &Ledger, summary: &RunSummary) -> fmt::Result {
        if summary.failures.is_empty() {
            return Ok(());
        }
        let failed = ledger.cases.failed + ledger.cases.errored;
        let groups = count_of(summary.failures.len()).saturating_add(summary.groups_left_out);
        let title = format!("{} failed, in {}", counted(failed, "case"), counted(groups, "group"));
        writeln!(out, "\n{}", self.paint.text(Tone::Strong, &title))?;
        for group in summary.failures.iter().take(GROUPS) {
            self.group(out, group)?;
        }
        let hidden = groups.saturating_sub(count_of(GROUPS.min(summary.failures.len())));
        self.rest(out, hidden, "group", "")
    }

    fn group(&self, out: &mut String, group: &FailureGroup) -> fmt::Result {
        let message = line(&group.message);
        let message = if message.is_empty() { "(no message)".to_owned() } else { message };
        let times = format!("{}×", count(group.cases));
        writeln!(out, "\n  {} {message}", self.paint.text(Tone::Bad, &times))?;
        let is_new = |text: &&String| !text.trim().is_empty() && text.trim() != group.message.trim();
        for text in group.first_lines.iter().filter(is_new).take(FIRST_LINES) {
            writeln!(out, "      {}", self.paint.text(Tone::Faint, &line(text)))?;
        }
        for example in group.examples.iter().take(EXAMPLES) {
            writeln!(out, "    - {}", case_line(example))?;
        }
        let named = count_of(group.examples.len().min(EXAMPLES));
        match group.cases.saturating_sub(named) {
            0 => Ok(()),
            more => writeln!(out, "    - and {} more", count(more)),
        }
    }

    fn listed(&self, out: &mut String, ledger: &Ledger) -> fmt::Result {
        let listed: Vec<_> = ledger.artifacts.iter().filter(|a| a.status == ArtifactStatus::Listed).collect();
        let known: u64 = listed.iter().filter_map(|a| a.bytes).fold(0, u64::saturating_add);
        let title =
            format!("{} would be read, {}", counted(count_of(listed.len()), "artifact"), bytes(known));
        writeln!(out, "\n{}", self.paint.text(Tone::Strong, &title))?;
        for artifact in &listed {
            let size = artifact.bytes.map(bytes).unwrap_or_default();
            writeln!(out, "  {size:>9}  {}  from {}", line(&artifact.name), line(&artifact.source))?;
        }
        Ok(())
    }

    fn sources(&self, out: &mut String, ledger: &Ledger) -> fmt::Result {
        let silent: Vec<_> =
            ledger.sources.iter().filter_map(|s| Some((&s.name, s.error.as_ref()?))).collect();
        self.list(out, "Sources that did not answer", silent.len(), silent.iter(), |(name, error)| {
            format!("{}: {}", line(name), line(error))
        })
    }

    fn artifacts(&self, out: &mut String, ledger: &Ledger) -> fmt::Result {
        let is_whole = |status| matches!(status, ArtifactStatus::Read | ArtifactStatus::Listed);
        let broken: Vec<_> = ledger.artifacts.iter().filter(|a| !is_whole(a.status)).collect();
        self.list(out, "Artifacts not read whole", broken.len(), broken.iter(), |artifact| {
            let word = match artifact.status {
                ArtifactStatus::Read => "read",
                ArtifactStatus::Salvaged => "salvaged",
                ArtifactStatus::Rejected => "rejected",
                ArtifactStatus::Expired => "expired",
                ArtifactStatus::Unavailable => "unavailable",
                ArtifactStatus::Listed => "listed",
            };
            let reason =
                artifact.reason.as_ref().map(|reason| format!(": {}", line(reason))).unwrap_or_default();
            format!("{} {word}{reason}", line(&artifact.name))
        })
    }

    fn findings(&self, out: &mut String, ledger: &Ledger) -> fmt::Result {
        self.list(out, "Findings", ledger.findings.len(), ledger.findings.iter(), |finding| {
            let entry = finding.entry.as_ref().map(|entry| format!(" {}", line(entry))).unwrap_or_default();
            let offset =
                finding.offset.map(|offset| format!(" at byte {}", count(offset))).unwrap_or_default();
            let saved = match finding.cases_saved {
                Some(saved) => format!("; {} saved", counted(saved, "case")),
                None => String::new(),
            };
            let (code, text) = (line(&finding.code), line(&finding.text));
            format!("{}{entry}{offset}: {text} ({code}){saved}", line(&finding.artifact))
        })
    }

    fn declared(&self, out: &mut String, ledger: &Ledger) -> fmt::Result {
        let title = "Suites that declare another number of cases";
        self.list(out, title, ledger.declared.len(), ledger.declared.iter().take(DECLARED), |suite| {
            let name = suite.suite.as_ref().map(|name| format!(" {}", line(name))).unwrap_or_default();
            let (declared, held) = (count(suite.declared), count(suite.held));
            format!(
                "{} {}{name}: {declared} declared, {held} there",
                line(&suite.artifact),
                line(&suite.entry)
            )
        })
    }

    fn jobs(&self, out: &mut String, ledger: &Ledger) -> fmt::Result {
        let jobs = &ledger.jobs_without_report;
        self.list(out, "Jobs without a report", jobs.len(), jobs.iter(), |job| {
            format!("{} {}", line(&job.id), line(&job.name))
        })
    }

    fn written(&self, out: &mut String, written: &[WrittenObject], to: &str) -> fmt::Result {
        if written.is_empty() {
            let text = "Every artifact has expired: nothing of this attempt is written or removed";
            return writeln!(out, "\n{}", self.paint.text(Tone::Warning, text));
        }
        let verb = if self.is_dry_run { "Would be written to" } else { "Written to" };
        writeln!(out, "\n{}", self.paint.text(Tone::Strong, &format!("{verb} {}", line(to))))?;
        for object in written {
            if self.is_dry_run {
                writeln!(out, "  {}", line(&object.key))?;
            } else {
                let rows = counted(object.rows, "row");
                writeln!(out, "  {:>9} {rows:>16}  {}", bytes(object.bytes), line(&object.key))?;
            }
        }
        Ok(())
    }

    fn kept(&self, out: &mut String, kept: Option<Kept>, lake: &str) -> fmt::Result {
        let verb = if self.is_dry_run { "Would be kept in" } else { "Kept in" };
        let title = self.paint.text(Tone::Strong, &format!("{verb} {}", line(lake))).into_owned();
        match kept {
            Some(kept) => writeln!(out, "\n{title}\n  {}", kept.in_words()),
            None if self.is_dry_run => writeln!(out, "\n{title}"),
            None => Ok(()),
        }
    }

    fn list<T>(
        &self,
        out: &mut String,
        title: &str,
        len: usize,
        items: impl Iterator<Item = T>,
        show: impl Fn(T) -> String,
    ) -> fmt::Result {
        if len == 0 {
            return Ok(());
        }
        writeln!(out, "\n{}", self.paint.text(Tone::Warning, title))?;
        let mut shown = 0;
        for item in items.take(LISTED) {
            writeln!(out, "  {}", show(item))?;
            shown += 1;
        }
        self.rest(out, count_of(len.saturating_sub(shown)), "line", " in the ledger")
    }

    fn rest(&self, out: &mut String, more: u64, noun: &str, whereabouts: &str) -> fmt::Result {
        if more == 0 {
            return Ok(());
        }
        let plural = if more == 1 { "" } else { "s" };
        let text = format!("and {} more {noun}{plural}{whereabouts}", count(more));
        writeln!(out, "  {}", self.paint.text(Tone::Faint, &text))
    }
}

/// Names a case by what it has of file, class and name.
fn case_line(case: &FailedCase) -> String {
    let parts = [&case.file, &case.class, &case.name];
    let names: Vec<_> = parts.into_iter().flatten().map(|part| line(part)).collect();
    let name = if names.is_empty() { "(no name)".to_owned() } else { names.join(" ") };
    format!("{name}  ({})", line(&case.artifact))
}

/// Turns a text into one safe line of bounded width: its first line that is not blank.
pub(super) fn line(text: &str) -> String {
    let first = text.lines().find(|line| !line.trim().is_empty()).unwrap_or_default();
    let first = first.trim_end().replace('\t', "    ");
    let mut cut: String = first.chars().take(WIDTH).collect();
    if cut.len() < first.len() {
        cut.push('…');
    }
    for_terminal(&cut).into_owned()
}

fn count_of(len: usize) -> u64 {
    u64::try_from(len).unwrap_or(u64::MAX)
}
