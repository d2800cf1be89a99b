//! What could not be sent: a file for each upload, in a folder for each lake, sent by the next call.
//!
//! A file is lines of JSON, cases as the lake keeps them. It has its name only when it is whole. Whoever sends it locks it, so that
//! two calls do not send it at once; to send it twice would be to send it once.

use std::fs;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use testlake_lake::Place;
use testlake_lake::ingest::ReportKey;
use testlake_report::{Case, Finding};

use self::form::{Line, SpooledCase, Upload};
use super::super::{ending, store_settings};
use super::identity::Identity;
use crate::config::Environment;
use crate::exit::{Exit, Failure, OrExit};

mod form;
mod send;

/// How files that are whole end.
const SUFFIX: &str = ".ndjson";
/// How files end that are being written.
const DRAFT_SUFFIX: &str = ".part";

/// The folder of what could not be sent to a lake.
#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
}

/// What was sent of it.
#[derive(Debug, Default)]
pub(super) struct Sent {
    pub(super) uploads: u64,
    pub(super) cases: u64,
    /// Files that cannot be sent, which stay, and why.
    pub(super) unsent: Vec<(PathBuf, String)>,
}

impl Spool {
    /// Names the folder for a lake: below `folder`, else in the user's cache folder. Nothing is made yet.
    pub(super) fn new(folder: Option<&Path>, lake: &str, environment: &Environment) -> Result<Self, Failure> {
        let root = match folder {
            Some(folder) => folder.to_owned(),
            None => cache_folder(environment).join("testlake").join("spool"),
        };
        let place = Place::resolve(lake, &store_settings(None, environment)).map_err(ending::lake_failure)?;
        let lake = match place.as_folder() {
            // A folder by whatever name is one lake.
            Some(folder) => folder.display().to_string(),
            None => place.to_string().trim_end_matches('/').to_owned(),
        };
        let hash: String = Sha256::digest(&lake).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { folder: root.join(hash) })
    }

    /// Begins a file.
    pub(super) fn begin(&self, identity: &Identity, lake: &str) -> Result<Draft, Failure> {
        let begun = fs::create_dir_all(&self.folder).and_then(|()| {
            tempfile::Builder::new().prefix(".").suffix(DRAFT_SUFFIX).tempfile_in(&self.folder)
        });
        let file = begun.or_exit(Exit::Unavailable).map_err(|failure| self.cannot_keep(failure))?;
        let mut draft = Draft {
            folder: self.folder.clone(),
            file: BufWriter::new(file),
            open: None,
            reports: 0,
            cases: 0,
        };
        draft.put(&Line::Upload(Box::new(Upload::of(identity, lake))))?;
        Ok(draft)
    }

    fn cannot_keep(&self, failure: Failure) -> Failure {
        cannot_keep(&self.folder, failure)
    }
}

/// A file that is being written.
#[derive(Debug)]
pub(super) struct Draft {
    folder: PathBuf,
    file: BufWriter<NamedTempFile>,
    /// The cases of the report that is told.
    open: Option<u64>,
    reports: u64,
    cases: u64,
}

impl Draft {
    fn put(&mut self, line: &Line) -> Result<(), Failure> {
        let mut text = serde_json::to_string(line).or_exit(Exit::Bug)?;
        text.push('\n');
        let written = self.file.write_all(text.as_bytes()).or_exit(Exit::Unavailable);
        written.map_err(|failure| cannot_keep(&self.folder, failure))
    }

    fn begin(&mut self, key: &ReportKey) -> Result<u64, Failure> {
        if let Some(cases) = self.open {
            return Ok(cases);
        }
        self.put(&Line::Report(key.path.clone()))?;
        self.open = Some(0);
        Ok(0)
    }

    /// Adds a case of a report.
    pub(super) fn case(&mut self, key: &ReportKey, case: &Case<'_>) -> Result<(), Failure> {
        let before = self.begin(key)?;
        self.put(&Line::Case(Box::new(SpooledCase::of(case))))?;
        self.open = Some(before + 1);
        Ok(())
    }

    /// Ends a report, which may have no case.
    pub(super) fn end_report(
        &mut self,
        key: &ReportKey,
        findings: &[(Finding, String)],
    ) -> Result<(), Failure> {
        let cases = self.begin(key)?;
        for (Finding { code, offset }, text) in findings {
            let code = code.as_str().to_owned();
            self.put(&Line::Finding { code, offset: *offset, text: text.clone() })?;
        }
        self.put(&Line::ReportEnd(true))?;
        self.open = None;
        self.reports += 1;
        self.cases += cases;
        Ok(())
    }

    /// Takes back a report that could not be read to its end.
    pub(super) fn drop_report(&mut self) -> Result<(), Failure> {
        match self.open.take() {
            Some(_) => self.put(&Line::ReportEnd(false)),
            None => Ok(()),
        }
    }

    /// Gives the file its name, and returns it.
    pub(super) fn keep(mut self) -> Result<PathBuf, Failure> {
        self.put(&Line::End { reports: self.reports, cases: self.cases })?;
        let Self { folder, file, .. } = self;
        let keep = || {
            let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.as_file().sync_all()?;
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let own = file.path().file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let name = format!("{:013}-{}{SUFFIX}", since.as_millis(), own.trim_start_matches('.'));
            let path = folder.join(name);
            file.persist_noclobber(&path).map_err(|error| error.error)?;
            Ok::<_, io::Error>(path)
        };
        keep().or_exit(Exit::Unavailable).map_err(|failure| cannot_keep(&folder, failure))
    }
}

fn cannot_keep(folder: &Path, failure: Failure) -> Failure {
    let text = format!(
        "the lake could not be reached, and the results cannot be kept in `{}` either",
        folder.display()
    );
    failure.context(text).hint("name a folder for them with `--spool`, and upload again")
}

/// Names the user's folder of what can be made again.
fn cache_folder(environment: &Environment) -> PathBuf {
    let absolute = |name: &str| environment.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".cache")))
        .or_else(|| absolute("LOCALAPPDATA"))
        .unwrap_or_else(std::env::temp_dir)
}
