//! The plans of `testlake lint` and `testlake convert`.

use std::path::PathBuf;

use testlake_report::{Limits, Options};

use super::{Talk, pick_switch, report_limits, size, talk_without_format, voice};
use crate::args::{ConvertArgs, FormWord, LintArgs, ReadingArgs, switch};
use crate::config::{Layers, table};
use crate::exit::Failure;

/// Which reports are read, and how.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) paths: Vec<PathBuf>,
    pub(crate) options: Options,
    pub(crate) strict: bool,
}

/// What a conversion runs on.
#[derive(Debug)]
pub(crate) struct Converting {
    pub(crate) reading: Reading,
    pub(crate) form: FormWord,
    /// The repository of test ids; empty where none is known.
    pub(crate) repo: String,
    pub(crate) findings: Option<PathBuf>,
}

/// Resolves `testlake lint`.
pub(crate) fn lint(args: LintArgs, layers: &Layers) -> Result<(Reading, Talk), Failure> {
    let talk = voice(&args.voice, args.format, layers)?;
    Ok((reading(args.reading, "lint", layers)?, talk))
}

/// Resolves `testlake convert`.
pub(crate) fn convert(args: ConvertArgs, layers: &Layers) -> Result<(Converting, Talk), Failure> {
    let ConvertArgs { reading, form, repo, findings, voice } = args;
    let talk = talk_without_format(&voice, layers)?;
    let reading = self::reading(reading, "convert --as ndjson", layers)?;
    let form = layers.pick(form, &table::FORM)?.ok_or_else(|| {
        Failure::usage("no form is given").hint("name one: `--as junit`, `--as ctrf` or `--as ndjson`")
    })?;
    let repo = layers.pick(repo, &table::REPO)?.unwrap_or_default();
    let findings = layers.pick(findings, &table::FINDINGS)?.map(PathBuf::from);
    Ok((Converting { reading, form, repo, findings }, talk))
}

fn reading(args: ReadingArgs, command: &str, layers: &Layers) -> Result<Reading, Failure> {
    let ReadingArgs { path, strict, no_strict, fold, limits, max_report_size } = args;
    let paths: Vec<_> = layers.pick_all(path, &table::PATH)?.into_iter().map(PathBuf::from).collect();
    if paths.is_empty() {
        return Err(Failure::usage("no report is given")
            .hint(format!("give a file or a folder, as in `testlake {command} ./reports`")));
    }
    let most = Limits::default().report_bytes;
    let limits = Limits {
        report_bytes: size(layers, max_report_size, &table::MAX_REPORT_SIZE, most)?,
        ..report_limits(&limits, layers)?
    };
    Ok(Reading {
        paths,
        options: Options { limits, fold: layers.pick(fold, &table::FOLD)?.unwrap_or_default() },
        strict: pick_switch(layers, switch(strict, no_strict), &table::STRICT)?,
    })
}
