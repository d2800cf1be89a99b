//! What could not be sent is sent, the oldest first.

use std::error::Error;
use std::fs::{self, File, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use testlake_lake::ingest::{Ingest, Origin, ReportRows};
use testlake_lake::{Lake, LakeError};
use testlake_report::{Finding, FindingCode};
use tokio::runtime::Runtime;

use super::form::{Line, Upload, VERSION};
use super::{DRAFT_SUFFIX, SUFFIX, Sent, Spool};

/// 512 MiB: a case of the largest size that is read by default, escaped.
const MAX_LINE_BYTES: u64 = 512 << 20;
/// A day: no upload takes as long, so that what was begun before is nobody's any more.
const DRAFT_AGE: Duration = Duration::from_hours(24);

impl Spool {
    /// Sends all files to the lake, the oldest first, and removes what was sent.
    ///
    /// # Errors
    /// Where the lake cannot be written for now; what was not sent stays.
    pub(in super::super) fn send(&self, lake: &Lake, runtime: &Runtime) -> Result<Sent, LakeError> {
        let mut sent = Sent::default();
        let Ok(entries) = fs::read_dir(&self.folder) else { return Ok(sent) };
        let mut paths = Vec::new();
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            match (name.starts_with('.'), name.ends_with(SUFFIX), name.ends_with(DRAFT_SUFFIX)) {
                (false, true, _) => paths.push(path),
                (true, _, true) => remove_forgotten(&path),
                _ => {}
            }
        }
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
                Err(SendError::Lake(error)) if error.is_transient() => return Err(error),
                // What is wrong with what is there of one run keeps back no other.
                Err(SendError::Lake(error)) => sent.unsent.push((path, with_causes(&error))),
                Err(SendError::File(why)) => sent.unsent.push((path, why)),
            }
        }
        Ok(sent)
    }
}

/// Removes what calls that were killed had begun to keep.
fn remove_forgotten(path: &Path) {
    let age = path.metadata().and_then(|data| data.modified()).ok().and_then(|time| time.elapsed().ok());
    if age.is_some_and(|age| age > DRAFT_AGE) {
        // What cannot be removed does no harm.
        fs::remove_file(path).ok();
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

/// Says what went wrong and why, in a line.
fn with_causes(error: &LakeError) -> String {
    let causes = std::iter::successors(Some(error as &dyn Error), |&error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
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
            if let Err(error) = runtime.block_on(ingest.commit(&Origin::Uploaded, &[])) {
                runtime.block_on(ingest.abandon());
                return Err(SendError::Lake(error));
            }
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

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use super::*;

    #[test]
    fn what_a_killed_call_had_begun_is_removed_after_a_day() {
        let folder = tempfile::tempdir().unwrap();
        let begun = |name: &str, age: Duration| {
            let path = folder.path().join(name);
            File::create(&path).unwrap().set_modified(SystemTime::now() - age).unwrap();
            remove_forgotten(&path);
            path.try_exists().unwrap()
        };
        assert!(begun(".a.part", Duration::from_hours(23)));
        assert!(!begun(".b.part", Duration::from_hours(25)));
    }
}
