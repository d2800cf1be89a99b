//! What could not be sent: a file for each upload, in a folder for each lake, sent by the next call.
//!
//! A file is lines of JSON, cases as the lake keeps them. It has its name only when it is whole. Whoever sends it locks it, so that
//! two calls do not send it at once; to send it twice would be to send it once.

use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tempfile::NamedTempFile;
use testlake_collect::run::{RunFacts, RunKey};
use testlake_lake::ingest::{AttemptFacts, Ingest, Origin, ReportKey, ReportRows};
use testlake_lake::{Lake, LakeError};
use testlake_report::model::{Detail, Try};
use testlake_report::time::Instant;
use testlake_report::{Case, Finding, FindingCode, Outcome};
use tokio::runtime::Runtime;

use super::identity::Identity;
use crate::config::Environment;
use crate::exit::{Exit, Failure, OrExit};

/// The version of the form of the files.
const VERSION: u32 = 1;
/// 512 MiB: a case of the largest size that is read by default, escaped.
const MAX_LINE_BYTES: u64 = 512 << 20;
/// How files that are whole end.
const SUFFIX: &str = ".ndjson";

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
    /// Files that cannot be read, which stay.
    pub(super) unread: Vec<(PathBuf, String)>,
}

/// A line of a file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    /// The first.
    Upload(Box<Upload>),
    /// A report begins, whose path this is.
    Report(String),
    /// A case of it.
    Case(Box<SpooledCase>),
    /// A finding of it.
    Finding { code: String, offset: u64, text: String },
    /// It has ended; whether it counts.
    ReportEnd(bool),
    /// The last: so many reports and cases that count.
    End { reports: u64, cases: u64 },
}

#[derive(Debug, Serialize, Deserialize)]
struct Upload {
    version: u32,
    lake: String,
    repo: Option<String>,
    run_id: String,
    attempt: u32,
    tags: Vec<(String, String)>,
    provider: Option<String>,
    workflow: Option<String>,
    event: Option<String>,
    head_commit: Option<String>,
    merge_base: Option<String>,
    pull_request: Option<u64>,
    started_unix_ms: Option<i64>,
    head_branch: Option<String>,
    head_repository: Option<String>,
    /// When the job left it, which is when it counts as taken in.
    taken_in_unix_ms: i64,
    artifact: String,
    job: Option<String>,
    job_name: Option<String>,
    variant: Option<String>,
}

#[derive(Debug, Serialize, Deserialize)]
struct SpooledCase {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    suite: Vec<String>,
    class: Option<String>,
    name: Option<String>,
    file: Option<String>,
    line: Option<u64>,
    outcome: String,
    seconds: Option<f64>,
    started: Option<(i64, bool)>,
    kind: Option<String>,
    message: Option<String>,
    text: Option<String>,
    /// The outcomes of its tries.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    tries: Vec<String>,
}

impl Spool {
    /// Names the folder for a lake: below `folder`, else in the user's cache folder. Nothing is made yet.
    pub(super) fn new(folder: Option<&Path>, lake: &str, environment: &Environment) -> Result<Self, Failure> {
        let root = match folder {
            Some(folder) => folder.to_owned(),
            None => cache_folder(environment).join("testlake").join("spool"),
        };
        // A folder by whatever name is one lake.
        let lake = if lake.contains("://") {
            lake.trim_end_matches('/').to_owned()
        } else {
            let absolute = std::path::absolute(lake).or_exit(Exit::Usage);
            absolute
                .map_err(|failure| failure.context(format!("`{lake}` is no folder")))?
                .display()
                .to_string()
        };
        let hash: String = Sha256::digest(&lake).iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { folder: root.join(hash) })
    }

    /// Begins a file.
    pub(super) fn begin(&self, identity: &Identity, lake: &str) -> Result<Draft, Failure> {
        let begun = fs::create_dir_all(&self.folder)
            .and_then(|()| tempfile::Builder::new().prefix(".").suffix(".part").tempfile_in(&self.folder));
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

    /// Sends all files to the lake, the oldest first, and removes what was sent.
    ///
    /// # Errors
    /// Where the lake cannot be written; what was not sent stays.
    pub(super) fn send(&self, lake: &Lake, runtime: &Runtime) -> Result<Sent, LakeError> {
        let mut sent = Sent::default();
        let Ok(entries) = fs::read_dir(&self.folder) else { return Ok(sent) };
        let is_whole = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.ends_with(SUFFIX) && !name.starts_with('.')
        };
        let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).filter(is_whole).collect();
        // Their names begin with the time.
        paths.sort();
        for path in paths {
            match send_file(&path, lake, runtime) {
                Ok(Some(cases)) => {
                    sent.uploads += 1;
                    sent.cases += cases;
                }
                // Another call sends it, or has.
                Ok(None) => {}
                Err(SendError::Lake(error)) => return Err(error),
                Err(SendError::File(why)) => sent.unread.push((path, why)),
            }
        }
        Ok(sent)
    }
}

enum SendError {
    Lake(LakeError),
    File(String),
}

impl From<io::Error> for SendError {
    fn from(error: io::Error) -> Self {
        Self::File(error.to_string())
    }
}

/// Sends a file, and returns how many cases it had. `None` where another call has it.
fn send_file(path: &Path, lake: &Lake, runtime: &Runtime) -> Result<Option<u64>, SendError> {
    let file = match File::options().read(true).write(true).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error.into()),
    }
    // Sent and removed between opening and locking.
    if !path.try_exists()? {
        return Ok(None);
    }
    let mut lines = Lines { reader: BufReader::new(&file), line: Vec::new(), number: 0 };
    let Some(Line::Upload(upload)) = lines.next()? else {
        return Err(SendError::File("it does not begin as a spooled upload does".to_owned()));
    };
    if upload.version > VERSION {
        let version = upload.version;
        return Err(SendError::File(format!(
            "it has version {version} of the form, and this program knows versions up to {VERSION}: take a newer testlake"
        )));
    }
    let ingest = {
        let _guard = runtime.enter();
        lake.ingest(upload.attempt())
    };
    match tell(&upload, &mut lines, &ingest) {
        Ok(cases) => {
            runtime.block_on(ingest.commit(&Origin::Uploaded, &[])).map_err(SendError::Lake)?;
            fs::remove_file(path)?;
            Ok(Some(cases))
        }
        Err(error) => {
            runtime.block_on(ingest.abandon());
            Err(error)
        }
    }
}

/// Tells the lake what a file has, and returns how many cases that are.
fn tell(upload: &Upload, lines: &mut Lines<'_>, ingest: &Arc<Ingest>) -> Result<u64, SendError> {
    let mut open: Option<(ReportRows, u64)> = None;
    let mut told = (0, 0);
    loop {
        let line = lines.next()?.ok_or_else(|| SendError::File("it is cut off".to_owned()))?;
        match (line, open.take()) {
            (Line::Report(path), None) => open = Some((ingest.report(upload.report(&path)), 0)),
            (Line::Case(case), Some((mut rows, cases))) => {
                rows.push(&case.told().ok_or_else(|| lines.wrong())?);
                open = Some((rows, cases + 1));
            }
            (Line::Finding { code, offset, text }, Some((mut rows, cases))) => {
                let code = FindingCode::ALL.iter().find(|known| known.as_str() == code);
                let code = *code.ok_or_else(|| lines.wrong())?;
                rows.finding(Finding { code, offset }, &text);
                open = Some((rows, cases));
            }
            (Line::ReportEnd(true), Some((rows, cases))) => {
                rows.end();
                told = (told.0 + 1, told.1 + cases);
            }
            // Its rows are dropped.
            (Line::ReportEnd(false), Some(_)) => {}
            (Line::End { reports, cases }, None) if told == (reports, cases) => return Ok(cases),
            _ => return Err(lines.wrong()),
        }
    }
}

/// The lines of a file.
struct Lines<'file> {
    reader: BufReader<&'file File>,
    line: Vec<u8>,
    number: u64,
}

impl Lines<'_> {
    fn next(&mut self) -> Result<Option<Line>, SendError> {
        self.line.clear();
        self.number += 1;
        let length = (&mut self.reader).take(MAX_LINE_BYTES).read_until(b'\n', &mut self.line)?;
        if length == 0 {
            return Ok(None);
        }
        if self.line.last() != Some(&b'\n') {
            return Err(SendError::File(format!("line {} is cut off, or longer than 512 MiB", self.number)));
        }
        let line = serde_json::from_slice(&self.line);
        line.map(Some).map_err(|error| SendError::File(format!("line {} is wrong: {error}", self.number)))
    }

    fn wrong(&self) -> SendError {
        SendError::File(format!("line {} is out of place", self.number))
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

impl Upload {
    fn of(identity: &Identity, lake: &str) -> Self {
        let AttemptFacts { run, facts, tags, taken_in_unix_ms } = identity.attempt.clone();
        Self {
            version: VERSION,
            lake: lake.to_owned(),
            repo: run.repo,
            run_id: run.run_id,
            attempt: run.attempt,
            tags,
            provider: facts.provider,
            workflow: facts.workflow,
            event: facts.event,
            head_commit: facts.head_commit,
            merge_base: facts.merge_base,
            pull_request: facts.pull_request,
            started_unix_ms: facts.started_unix_ms,
            head_branch: facts.head_branch,
            head_repository: facts.head_repository,
            taken_in_unix_ms,
            artifact: identity.artifact.clone(),
            job: identity.job.clone(),
            job_name: identity.job_name.clone(),
            variant: identity.variant.clone(),
        }
    }

    fn attempt(&self) -> AttemptFacts {
        let run = RunKey { repo: self.repo.clone(), run_id: self.run_id.clone(), attempt: self.attempt };
        let facts = RunFacts {
            provider: self.provider.clone(),
            workflow: self.workflow.clone(),
            event: self.event.clone(),
            head_commit: self.head_commit.clone(),
            merge_base: self.merge_base.clone(),
            pull_request: self.pull_request,
            started_unix_ms: self.started_unix_ms,
            ended_unix_ms: None,
            head_branch: self.head_branch.clone(),
            head_repository: self.head_repository.clone(),
        };
        AttemptFacts { run, facts, tags: self.tags.clone(), taken_in_unix_ms: self.taken_in_unix_ms }
    }

    fn report(&self, path: &str) -> ReportKey {
        ReportKey {
            artifact: self.artifact.clone(),
            path: path.to_owned(),
            job: self.job.clone(),
            job_name: self.job_name.clone(),
            variant: self.variant.clone(),
        }
    }
}

impl SpooledCase {
    fn of(case: &Case<'_>) -> Self {
        let text = |text: &Option<testlake_report::model::Text<'_>>| text.as_deref().map(str::to_owned);
        Self {
            suite: case.suite.iter().map(ToString::to_string).collect(),
            class: text(&case.class),
            name: text(&case.name),
            file: text(&case.file),
            line: case.line,
            outcome: case.outcome.as_str().to_owned(),
            seconds: case.seconds,
            started: case.started.map(|started| (started.unix_ms, started.has_zone)),
            kind: text(&case.detail.kind),
            message: text(&case.detail.message),
            text: text(&case.detail.text),
            tries: case.tries.iter().map(|one| one.outcome.as_str().to_owned()).collect(),
        }
    }

    /// Returns the case; nothing where a word in it is none of ours.
    fn told(self) -> Option<Case<'static>> {
        let outcome = |word: &str| Outcome::ALL.into_iter().find(|outcome| outcome.as_str() == word);
        let tries = self
            .tries
            .iter()
            .map(|word| Some(Try { outcome: outcome(word)?, seconds: None, detail: Detail::default() }));
        let mut case = Case::new(outcome(&self.outcome)?, 0);
        case.tries = tries.collect::<Option<_>>()?;
        case.suite = self.suite.into_iter().map(Into::into).collect();
        case.class = self.class.map(Into::into);
        case.name = self.name.map(Into::into);
        case.file = self.file.map(Into::into);
        case.line = self.line;
        case.seconds = self.seconds;
        case.started = self.started.map(|(unix_ms, has_zone)| Instant { unix_ms, has_zone });
        case.detail = Detail {
            kind: self.kind.map(Into::into),
            message: self.message.map(Into::into),
            text: self.text.map(Into::into),
        };
        Some(case)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_comes_back_as_the_lake_keeps_it() {
        let mut case = Case::new(Outcome::Passed, 0);
        case.suite = vec!["a".into(), "b\n".into()];
        case.name = Some("n\u{1b}".into());
        case.seconds = Some(0.1);
        case.started = Some(Instant::utc(1_795_392_000_123));
        case.detail.message = Some("m".into());
        let one = |outcome| Try { outcome, seconds: None, detail: Detail::default() };
        case.tries = vec![one(Outcome::Failed), one(Outcome::Passed)];
        let text = serde_json::to_string(&SpooledCase::of(&case)).unwrap();
        let back: SpooledCase = serde_json::from_str(&text).unwrap();
        assert_eq!(back.told().unwrap(), case);
        assert!(case.is_flaky());
    }
}
