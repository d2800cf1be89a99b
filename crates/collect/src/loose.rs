//! Reports as loose files of a disk: found in sorted order, read into typed cases, and their findings placed by line and
//! column.

use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use testlake_report::position::{Position, Positions};
use testlake_report::{Case, Finding, Options, Reading, ReportReader, Visitor};

use crate::source::walk::{self, Wanted};

/// A file that was named, or that lies below a folder that was.
#[derive(Debug)]
pub struct LooseReport {
    /// The path as it was named, with what lies below it behind a `/`. Bytes that are no UTF-8 are `\xNN`.
    pub name: String,
    /// The path to open it by.
    pub file: PathBuf,
}

/// A path below which not all could be listed.
#[derive(Debug)]
pub struct Unlisted {
    /// The path, named as files are.
    pub name: String,
    /// Why.
    pub error: io::Error,
}

/// Lists the files below a path, in the order of their names' bytes; a file alone is its own list.
///
/// Links are followed. `-` is the standard input, unless there is such a file (on Unix alone). What is neither file nor folder is left out, unless it was named itself: `/dev/stdin` is read.
///
/// # Errors
/// The path is not there, or cannot be seen.
pub fn list(path: &Path) -> io::Result<(Vec<LooseReport>, Vec<Unlisted>)> {
    let name = shown(path);
    if cfg!(unix) && name == "-" && !path.try_exists().unwrap_or(true) {
        return Ok((vec![LooseReport { name, file: PathBuf::from("/dev/stdin") }], Vec::new()));
    }
    if !std::fs::metadata(path)?.is_dir() {
        return Ok((vec![LooseReport { name, file: path.to_owned() }], Vec::new()));
    }
    let below = |path: &str| match (name.as_str(), path) {
        (name, "") => name.to_owned(),
        (".", path) => path.to_owned(),
        ("/", path) => format!("/{path}"),
        (name, path) => format!("{name}/{path}"),
    };
    let walk = walk::walk(path, &Everything);
    let mut files: Vec<_> = walk
        .files
        .into_iter()
        .map(|found| LooseReport { name: below(&found.path), file: found.file })
        .collect();
    files.sort_by(|one, other| one.name.cmp(&other.name));
    let unlisted =
        walk.unreadable.into_iter().map(|folder| Unlisted { name: below(&folder.path), error: folder.error });
    Ok((files, unlisted.collect()))
}

/// Names a path: with one `/` between its parts, without parts that are `.`.
fn shown(path: &Path) -> String {
    let name = walk::name_text(path.as_os_str());
    let name = if cfg!(windows) { name.replace('\\', "/") } else { name };
    // `//` begins the name of a server there
    let root = if cfg!(windows) && name.starts_with("//") { "//" } else { "/" };
    let root = if name.starts_with('/') { root } else { "" };
    let parts: Vec<_> = name.split('/').filter(|part| !matches!(*part, "" | ".")).collect();
    match (root, parts.join("/")) {
        ("", parts) if parts.is_empty() => ".".to_owned(),
        (root, parts) => format!("{root}{parts}"),
    }
}

struct Everything;

impl Wanted for Everything {
    fn enters(&self, _folder: &str) -> bool {
        true
    }

    fn takes(&self, _file: &str) -> bool {
        true
    }
}

/// What came of reading a file.
#[derive(Debug)]
pub struct ReadReport {
    /// The format and the number of cases.
    pub reading: Reading,
    /// The findings in the order of their places.
    pub findings: Vec<PlacedFinding>,
}

/// A finding, and what is known of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlacedFinding {
    /// What is wrong, and the byte it was found at.
    pub finding: Finding,
    /// The line and column; of a large report that cannot be read twice, a pipe, they are not known.
    pub position: Option<Position>,
    /// What the report says of it, in one line.
    pub about: Option<String>,
}

/// Reads a report; `each` gets its cases, in order.
///
/// # Errors
/// The file cannot be opened or read. Cases before that have been told.
pub fn read(
    report: &LooseReport,
    options: Options,
    each: &mut dyn FnMut(&Case<'_>),
) -> io::Result<ReadReport> {
    let mut file = File::open(&report.file)?;
    let mut told = Told { each, findings: Vec::new() };
    let mut head = Vec::new();
    let most = options.limits.whole_bytes as u64;
    io::copy(&mut (&mut file).take(most + 1), &mut head)?;
    let is_whole = head.len() as u64 <= most;
    let reading = if is_whole {
        testlake_report::read(&head, options, &mut told)
    } else {
        let mut reader = ReportReader::new(options, &mut told);
        reader.feed(&head);
        head = Vec::new();
        in_chunks(&mut file, |chunk| reader.feed(chunk))?;
        reader.finish()
    };
    let mut findings = told.findings;
    findings.sort_by_key(|placed| placed.finding.offset);
    let mut positions = Positions::new(findings.iter().map(|placed| placed.finding.offset).collect());
    let positions = if findings.is_empty() {
        Vec::new()
    } else if is_whole {
        positions.feed(&head);
        positions.finish()
    } else if file.seek(SeekFrom::Start(0)).is_ok() {
        in_chunks(&mut file, |chunk| positions.feed(chunk))?;
        positions.finish()
    } else {
        Vec::new()
    };
    for (placed, position) in findings.iter_mut().zip(positions) {
        placed.position = Some(position);
    }
    Ok(ReadReport { reading, findings })
}

/// Reads to the end, 256 KiB at once.
fn in_chunks(file: &mut File, mut take: impl FnMut(&[u8])) -> io::Result<()> {
    let mut buffer = vec![0; 256 << 10];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => take(buffer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

struct Told<'each> {
    each: &'each mut dyn FnMut(&Case<'_>),
    findings: Vec<PlacedFinding>,
}

impl Visitor for Told<'_> {
    fn case(&mut self, case: &Case<'_>) {
        (self.each)(case);
    }

    fn finding(&mut self, finding: Finding) {
        self.findings.push(PlacedFinding { finding, position: None, about: None });
    }

    fn about(&mut self, _finding: Finding, text: &str) {
        if let Some(last) = self.findings.last_mut() {
            last.about = Some(text.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use testlake_report::{FindingCode, Limits};

    use super::*;

    #[test]
    fn files_are_named_as_they_were_asked_for_and_sorted() {
        let folder = tempfile::tempdir().unwrap();
        for file in ["b.xml", "a/z.xml", "a-b.xml", "a/y.xml"] {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        let (files, unlisted) = list(folder.path()).unwrap();
        let root = shown(folder.path());
        let names: Vec<_> = files.iter().map(|file| file.name.strip_prefix(&root).unwrap()).collect();
        assert_eq!(names, ["/a-b.xml", "/a/y.xml", "/a/z.xml", "/b.xml"]);
        assert!(unlisted.is_empty());
        assert_eq!(list(&folder.path().join("b.xml")).unwrap().0.len(), 1);
        assert_eq!(list(&folder.path().join("c.xml")).unwrap_err().kind(), io::ErrorKind::NotFound);
        assert_eq!(
            ["./a.xml", "./", ".", "a/b", "/a", "a//b/./c/", "/", "././/a", "../a", "//a"]
                .map(|path| shown(Path::new(path))),
            [
                "a.xml",
                ".",
                ".",
                "a/b",
                "/a",
                "a/b/c",
                "/",
                "a",
                "../a",
                if cfg!(windows) { "//a" } else { "/a" }
            ]
        );
    }

    #[test]
    fn a_file_larger_than_what_is_held_is_read_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.xml");
        let cases: String =
            (0..20_000).map(|i| format!("<testcase name=\"{i}\"/>\n<testcase name=\"a&b\"/>")).collect();
        std::fs::write(&file, format!("<testsuite>{cases}</testsuite>")).unwrap();
        let report = LooseReport { name: "a.xml".to_owned(), file };
        let told = |whole_bytes| {
            let limits = Limits { whole_bytes, ..Limits::default() };
            let mut names = Vec::new();
            let mut each = |case: &Case<'_>| names.push(case.name.as_deref().map(str::to_owned));
            let read = read(&report, limits.into(), &mut each).unwrap();
            (read.reading, read.findings, names)
        };
        let whole = told(1 << 30);
        assert!(whole == told(1 << 10));
        assert_eq!(whole.0.cases, 40_000);
        let first = &whole.1[0];
        assert_eq!(
            (first.finding.code, first.position),
            (FindingCode::BareAmpersand, Some(Position { line: 2, column: 18 }))
        );
    }
}
