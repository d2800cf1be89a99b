//! `testlake lake`: what a lake is made of, and keeping it small, fast and whole.

use serde::Serialize;
use testlake_lake::Lake;
use testlake_lake::keep::{File, OptimizeOptions, VacuumOptions};
use testlake_lake::schema::TableKind;

use super::{ask, ending, open, runtime, store_settings};
use crate::args::{Format, LakeAction, LakeArgs, TableWord};
use crate::command::reports;
use crate::config::{Environment, Layers};
use crate::exit::{Exit, Failure, OrExit};
use crate::plan::{self, Talk, Tending};
use crate::render::json::escaped;
use crate::render::number::{bytes, count, counted};
use crate::render::{self, Paint, Tone, for_terminal};

/// Files that would be removed, or are wrong, that people are shown.
const SHOWN: usize = 100;

/// Resolves the words and does it.
pub(crate) fn run(args: LakeArgs, layers: &Layers) -> Result<Exit, Failure> {
    let (tending, talk) = plan::lake(args, layers)?;
    crate::log::start(talk);
    let environment = layers.environment().clone();
    let done = ask::until_signal(runtime()?, true, carry_out(tending, environment, talk));
    reports::or_closed(done)
}

async fn carry_out(tending: Tending, environment: Environment, talk: Talk) -> Result<Exit, Failure> {
    let lake = match tending.action {
        LakeAction::Check => {
            let settings = store_settings(tending.place.retry_for, &environment);
            let opened = Lake::open_to_check(&tending.place.lake, &settings).await;
            opened.map_err(ending::lake_failure)?
        }
        _ => open(&tending.place, &environment).await?,
    };
    let paint = Paint::for_stdout(&environment);
    let page = Page { format: talk.format.unwrap_or_default(), paint, text: String::new() };
    let (page, exit) = match tending.action {
        LakeAction::Info => (page.info(&lake).await?, Exit::Done),
        LakeAction::Files => (page.files(&lake, tending.table).await?, Exit::Done),
        LakeAction::Optimize => (page.optimize(&lake).await?, Exit::Done),
        LakeAction::Vacuum => (page.vacuum(&lake, &tending).await?, Exit::Done),
        LakeAction::Check => page.check(&lake).await?,
    };
    // To be quiet is not to talk. What was asked for by name is data.
    if !talk.quiet || talk.format.is_some() {
        let printed = render::print(&page.text).or_exit(Exit::Unavailable);
        printed.map_err(|failure| failure.context("cannot write to the standard output"))?;
    }
    Ok(exit)
}

/// What is said: lines for people, or an object a line.
struct Page {
    format: Format,
    paint: Paint,
    text: String,
}

/// A table of `info`, as data.
#[derive(Debug, Serialize)]
struct TableLine<'lake> {
    lake: &'lake str,
    format: u32,
    table: &'static str,
    version: u64,
    rows: Option<u64>,
    files: u64,
    bytes: u64,
    first_day: Option<&'lake str>,
    last_day: Option<&'lake str>,
    files_to_optimize: u64,
}

/// A file, as data.
#[derive(Debug, Serialize)]
struct FileLine<'lake> {
    table: &'static str,
    version: u64,
    file: &'lake str,
    rows: Option<u64>,
    bytes: u64,
    date: Option<&'lake str>,
    modified_unix_ms: i64,
}

#[derive(Debug, Serialize)]
struct OptimizedLine {
    files_before: u64,
    files_after: u64,
    bytes_before: u64,
    bytes_after: u64,
    rows: u64,
    groups_left: u64,
}

#[derive(Debug, Serialize)]
struct VacuumedLine<'lake> {
    dry_run: bool,
    bytes: u64,
    files: &'lake [String],
}

#[derive(Debug, Serialize)]
struct CheckedLine<'lake> {
    files: u64,
    rows: u64,
    bytes: u64,
    problems: Vec<ProblemLine<'lake>>,
}

#[derive(Debug, Serialize)]
struct ProblemLine<'lake> {
    table: &'static str,
    place: &'lake str,
    text: &'lake str,
}

impl Page {
    /// Adds a line as data, where that is the form.
    fn data(&mut self, line: &impl Serialize) -> Result<(), Failure> {
        if self.format == Format::Json {
            self.text.push_str(&escaped(&serde_json::to_string(line).or_exit(Exit::Bug)?));
            self.text.push('\n');
        }
        Ok(())
    }

    /// Adds a line for people, where that is the form. It is safe to show.
    fn line(&mut self, line: &str) {
        if self.format == Format::Table {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    fn title(&mut self, title: &str) {
        let title = self.paint.text(Tone::Strong, title).into_owned();
        self.line(&title);
    }

    async fn info(mut self, lake: &Lake) -> Result<Self, Failure> {
        let info = lake.info().await.map_err(ending::lake_failure)?;
        self.title(&format!("{}, format {}", for_terminal(&info.place), info.format));
        let head = format!(
            "{:<9} {:>14} {:>8} {:>8} {:>9}  {:<25}{:>10}",
            "", "rows", "files", "size", "version", "days", "small"
        );
        self.line(&head);
        for table in &info.tables {
            let days =
                table.days.as_ref().map(|(first, last)| format!("{first} to {last}")).unwrap_or_default();
            let rows = table.rows.map_or_else(|| "unknown".to_owned(), count);
            self.line(&format!(
                "{:<9} {rows:>14} {:>8} {:>8} {:>9}  {days:<25}{:>10}",
                table.table.name(),
                count(table.files),
                bytes(table.bytes),
                count(table.version),
                count(table.files_to_optimize),
            ));
            self.data(&TableLine {
                lake: &info.place,
                format: info.format,
                table: table.table.name(),
                version: table.version,
                rows: table.rows,
                files: table.files,
                bytes: table.bytes,
                first_day: table.days.as_ref().map(|(first, _)| first.as_str()),
                last_day: table.days.as_ref().map(|(_, last)| last.as_str()),
                files_to_optimize: table.files_to_optimize,
            })?;
        }
        if info.tables.iter().any(|table| table.files_to_optimize > 0) {
            let hint =
                self.paint.text(Tone::Faint, "`testlake lake optimize` merges the small files").into_owned();
            self.line(&hint);
        }
        Ok(self)
    }

    async fn files(mut self, lake: &Lake, table: Option<TableWord>) -> Result<Self, Failure> {
        for kind in TableKind::ALL {
            if table.is_some_and(|table| kind_of(table) != kind) {
                continue;
            }
            let listed = lake.files(kind).await.map_err(ending::lake_failure)?;
            for File { place, bytes, rows, date, modified_unix_ms } in &listed.files {
                // The name alone: it is what other programs take, `read_parquet` of the lines.
                self.line(&for_terminal(place));
                self.data(&FileLine {
                    table: kind.name(),
                    version: listed.version,
                    file: place,
                    rows: *rows,
                    bytes: *bytes,
                    date: date.as_deref(),
                    modified_unix_ms: *modified_unix_ms,
                })?;
            }
        }
        Ok(self)
    }

    async fn optimize(mut self, lake: &Lake) -> Result<Self, Failure> {
        let done = lake.optimize(&OptimizeOptions::default()).await.map_err(ending::query_failure)?;
        if done.files_before == 0 && done.left == 0 {
            self.line("nothing to optimise");
        } else {
            self.line(&format!(
                "{} became {}, {} became {}, of {}",
                counted(done.files_before, "file"),
                count(done.files_after),
                bytes(done.bytes_before),
                bytes(done.bytes_after),
                counted(done.rows, "row"),
            ));
        }
        if done.left > 0 {
            let text = format!(
                "{} left as they are: others changed their files all the time",
                counted(done.left, "day")
            );
            let text = self.paint.text(Tone::Warning, &text).into_owned();
            self.line(&text);
        }
        self.data(&OptimizedLine {
            files_before: done.files_before,
            files_after: done.files_after,
            bytes_before: done.bytes_before,
            bytes_after: done.bytes_after,
            rows: done.rows,
            groups_left: done.left,
        })?;
        Ok(self)
    }

    async fn vacuum(mut self, lake: &Lake, tending: &Tending) -> Result<Self, Failure> {
        let dry_run = tending.dry_run;
        let options = VacuumOptions { retention: tending.retention, dry_run };
        let done = lake.vacuum(options).await.map_err(ending::lake_failure)?;
        let verb = if dry_run { "would be removed" } else { "removed" };
        let files = counted(done.places.len() as u64, "file");
        self.line(&format!("{files} {verb}, {}", bytes(done.bytes)));
        if dry_run {
            self.list(&done.places, |place| for_terminal(place).into_owned());
        }
        self.data(&VacuumedLine { dry_run, bytes: done.bytes, files: &done.places })?;
        Ok(self)
    }

    async fn check(mut self, lake: &Lake) -> Result<(Self, Exit), Failure> {
        let checked = lake.check().await.map_err(ending::lake_failure)?;
        let (files, rows) = (counted(checked.files, "file"), counted(checked.rows, "row"));
        let (tone, verdict, exit) = match checked.problems.len() as u64 {
            0 => (Tone::Good, "whole".to_owned(), Exit::Done),
            wrong => (Tone::Bad, counted(wrong, "problem"), Exit::Gate),
        };
        let verdict = self.paint.text(tone, &verdict).into_owned();
        self.line(&format!("{verdict}: {files} read to their end, {rows}, {}", bytes(checked.bytes)));
        self.list(&checked.problems, |problem| {
            format!("{}: {}", for_terminal(&problem.place), for_terminal(&problem.text))
        });
        let problems = checked.problems.iter().map(|problem| ProblemLine {
            table: problem.table.name(),
            place: &problem.place,
            text: &problem.text,
        });
        self.data(&CheckedLine {
            files: checked.files,
            rows: checked.rows,
            bytes: checked.bytes,
            problems: problems.collect(),
        })?;
        Ok((self, exit))
    }

    fn list<T>(&mut self, items: &[T], show: impl Fn(&T) -> String) {
        for item in items.iter().take(SHOWN) {
            self.line(&format!("  {}", show(item)));
        }
        if items.len() > SHOWN {
            let more =
                format!("  and {} more; `--format json` lists them all", count((items.len() - SHOWN) as u64));
            self.line(&more);
        }
    }
}

fn kind_of(table: TableWord) -> TableKind {
    match table {
        TableWord::Runs => TableKind::Runs,
        TableWord::Results => TableKind::Results,
        TableWord::Findings => TableKind::Findings,
    }
}
