//! Made runs, and the slow model of what must come out of them.
//!
//! A [`MadeRun`] is one run of any size in the layout of the artifact bucket, from `spec/make_run.py`; its
//! [`Reference`] is every collection of it, from `spec/reference.py`. [`OddRuns`] are small and irregular, from
//! `spec/odd_run.py`. [`compare`] holds what the program wrote against what must be. All are Python programs and need
//! `python3`.

use std::io;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// The repository of a made run.
pub const REPO: &str = "pytorch/pytorch";
/// The id of a made run.
pub const RUN_ID: &str = "9871234567";
/// The collections of the `pytorch` profile, as their paths below the destination begin.
pub const COLLECTIONS: [&str; 6] = [
    "test_run",
    "failed_test_runs",
    "test_run_summary",
    "additional_info/reruns",
    "additional_info/td_exclusions",
    "additional_info/invoking_file_summary",
];

/// What a made run is like. The same shape makes the same bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RunShape {
    /// About how many cases.
    pub cases: u32,
    /// How many jobs, two archives each.
    pub jobs: u32,
    /// How many test files the suite has.
    pub files: u32,
    /// Which suite: its files, classes and names.
    pub suite: u32,
    /// Which day: its times, failures and reruns.
    pub seed: u32,
}

impl Default for RunShape {
    fn default() -> Self {
        Self { cases: 2000, jobs: 10, files: 40, suite: 1, seed: 1 }
    }
}

/// A run in a temporary folder, which is removed with it.
#[derive(Debug)]
pub struct MadeRun {
    folder: TempDir,
}

impl MadeRun {
    /// Makes a run, of attempt 1.
    ///
    /// # Errors
    /// Where Python is not there, or the folder cannot be written.
    pub fn make(shape: RunShape) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut make = spec("make_run.py");
        make.arg("--out").arg(folder.path()).args(["--repo", REPO, "--run-id", RUN_ID]);
        for (flag, value) in [
            ("--cases", shape.cases),
            ("--jobs", shape.jobs),
            ("--files", shape.files),
            ("--suite", shape.suite),
            ("--seed", shape.seed),
        ] {
            make.arg(flag).arg(value.to_string());
        }
        run(make)?;
        Ok(Self { folder })
    }

    /// Returns the folder that stands for the bucket.
    pub fn bucket(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the folder of the artifacts.
    pub fn artifacts(&self) -> PathBuf {
        self.bucket().join(REPO).join(RUN_ID).join("1/artifact")
    }

    /// Returns the file of the jobs' names.
    pub fn jobs_file(&self) -> PathBuf {
        self.bucket().join("jobs.json")
    }

    /// Computes what must come out.
    ///
    /// # Errors
    /// As of [`Reference::compute`].
    pub fn reference(&self) -> io::Result<Reference> {
        Reference::compute(self.bucket())
    }
}

/// Every collection of a run, in a temporary folder.
#[derive(Debug)]
pub struct Reference {
    folder: TempDir,
}

impl Reference {
    /// Computes the collections of the run ([`REPO`], [`RUN_ID`], attempt 1) in a folder that stands for the
    /// bucket, with its `jobs.json`.
    ///
    /// # Errors
    /// Where Python is not there, or the run has what the model stops at: a broken report or archive.
    pub fn compute(bucket: &Path) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut reference = spec("reference.py");
        reference.arg(bucket).arg(folder.path()).args(["--repo", REPO, "--run-id", RUN_ID]);
        run(reference)?;
        Ok(Self { folder })
    }

    /// Returns the folder, with a file `<collection>.ndjson` for each, `.` for `/`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the lines of a collection, one of [`COLLECTIONS`].
    ///
    /// # Errors
    /// Where there is none of that name.
    pub fn lines(&self, collection: &str) -> io::Result<Vec<u8>> {
        lines_in(self.folder.path(), collection)
    }
}

/// Small runs of odd reports, one for each seed, each with all its collections, in a temporary folder.
#[derive(Debug)]
pub struct OddRuns {
    folder: TempDir,
}

impl OddRuns {
    /// Makes runs ([`REPO`], [`RUN_ID`], attempt 1) and computes what must come out of them, from `spec/odd_run.py`.
    ///
    /// # Errors
    /// Where Python is not there, or the folder cannot be written.
    pub fn make(seeds: RangeInclusive<u32>) -> io::Result<Self> {
        let folder = tempfile::tempdir()?;
        let mut make = spec("odd_run.py");
        make.arg("--out").arg(folder.path());
        make.arg("--first").arg(seeds.start().to_string()).arg("--last").arg(seeds.end().to_string());
        run(make)?;
        Ok(Self { folder })
    }

    /// Returns the folder that stands for the bucket of a seed's run.
    pub fn bucket(&self, seed: u32) -> PathBuf {
        self.folder.path().join(seed.to_string())
    }

    /// Returns the file of the jobs' names of a seed's run.
    pub fn jobs_file(&self, seed: u32) -> PathBuf {
        self.bucket(seed).join("jobs.json")
    }

    /// Returns the lines of a collection of a seed's run, one of [`COLLECTIONS`].
    ///
    /// # Errors
    /// Where there is no such seed or collection.
    pub fn lines(&self, seed: u32, collection: &str) -> io::Result<Vec<u8>> {
        lines_in(&self.bucket(seed).join("expected"), collection)
    }
}

fn lines_in(folder: &Path, collection: &str) -> io::Result<Vec<u8>> {
    std::fs::read(folder.join(format!("{}.ndjson", collection.replace('/', "."))))
}

fn spec(program: &str) -> Command {
    let mut command = Command::new("python3");
    // the programs import each other: nothing may be left beside them
    command.arg("-B");
    command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("spec").join(program));
    command
}

fn run(mut command: Command) -> io::Result<()> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let told = String::from_utf8_lossy(&output.stderr);
    Err(io::Error::other(format!("{command:?}: {}: {told}", output.status)))
}

/// Holds the lines of a collection against those that must be: equal to the byte and in order, but for the sums
/// of `time` in `test_run_summary` and `additional_info/invoking_file_summary`, which may differ by 1e-9 of them.
///
/// # Errors
/// The first difference, in words.
pub fn compare(collection: &str, expected: &[u8], actual: &[u8]) -> Result<(), String> {
    let has_sums = matches!(collection, "test_run_summary" | "additional_info/invoking_file_summary");
    let mut expected_lines = expected.split_inclusive(|byte| *byte == b'\n');
    let mut actual_lines = actual.split_inclusive(|byte| *byte == b'\n');
    for number in 1.. {
        let (expected, actual) = match (expected_lines.next(), actual_lines.next()) {
            (None, None) => break,
            (Some(line), None) => {
                return Err(format!("{collection}: line {number} is missing: {}", Shown(line)));
            }
            (None, Some(line)) => {
                return Err(format!("{collection}: line {number} is one more: {}", Shown(line)));
            }
            (Some(expected), Some(actual)) => (expected, actual),
        };
        let same = expected == actual || has_sums && same_but_sums(expected, actual);
        if !same {
            return Err(first_difference(collection, number, expected, actual));
        }
    }
    Ok(())
}

/// Reports whether two lines differ in nothing but the last bits of their sums.
fn same_but_sums(expected: &[u8], actual: &[u8]) -> bool {
    let (Ok(expected), Ok(actual)) = (std::str::from_utf8(expected), std::str::from_utf8(actual)) else {
        return false;
    };
    let mut expected_parts = expected.split(r#""time": "#);
    let mut actual_parts = actual.split(r#""time": "#);
    loop {
        match (expected_parts.next(), actual_parts.next()) {
            (None, None) => return true,
            (Some(expected), Some(actual)) if expected == actual => {}
            (Some(expected), Some(actual)) => {
                let (Some((expected, expected_rest)), Some((actual, actual_rest))) =
                    (expected.split_once('}'), actual.split_once('}'))
                else {
                    return false;
                };
                if expected_rest != actual_rest || !same_sum(expected, actual) {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

/// Reports whether two sums are equal within 1e-9 of them, and the actual one is written as a double.
fn same_sum(expected: &str, actual: &str) -> bool {
    let (Ok(expected), Ok(number)) = (expected.parse::<f64>(), actual.parse::<f64>()) else {
        return false;
    };
    actual.contains(['.', 'e']) && (expected - number).abs() <= expected.abs() * 1e-9
}

fn first_difference(collection: &str, number: usize, expected: &[u8], actual: &[u8]) -> String {
    let at = expected.iter().zip(actual).take_while(|(expected, actual)| expected == actual).count();
    // Enough before the difference to see which key it is in.
    let start = at.saturating_sub(80);
    format!(
        "{collection}: line {number} differs from byte {at} on\nexpected: {}\nactual:   {}",
        Shown(expected.get(start..).unwrap_or_default()),
        Shown(actual.get(start..).unwrap_or_default())
    )
}

/// The first 400 bytes of a line.
struct Shown<'a>(&'a [u8]);

impl std::fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let shown = self.0.get(..400).unwrap_or(self.0);
        write!(f, "{}", shown.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_made_run_is_what_its_reference_says() {
        let run = MadeRun::make(RunShape { cases: 300, jobs: 5, files: 12, ..RunShape::default() }).unwrap();
        assert!(run.artifacts().is_dir());
        assert!(run.jobs_file().is_file());
        let reference = run.reference().unwrap();
        let counts = COLLECTIONS.map(|collection| {
            let lines = reference.lines(collection).unwrap();
            compare(collection, &lines, &lines).unwrap();
            lines.iter().filter(|byte| **byte == b'\n').count()
        });
        assert!(counts[0] >= 250 && counts[2] > 10, "{counts:?}");
        assert_eq!(counts[3..], [1, 1, 1]);
    }

    #[test]
    fn the_example_run_is_the_one_that_its_readme_names() {
        let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/run");
        let shape = RunShape { cases: 600, jobs: 10, files: 12, suite: 3, seed: 53 };
        let (expected, actual) =
            (MadeRun::make(shape).unwrap().reference().unwrap(), Reference::compute(&example).unwrap());
        for collection in COLLECTIONS {
            compare(collection, &expected.lines(collection).unwrap(), &actual.lines(collection).unwrap())
                .unwrap();
        }
    }

    #[test]
    fn sums_may_differ_in_their_last_bits() {
        let (expected, actual) =
            (&br#"{"a": "x", "time": 0.30000000000000004}"#[..], br#"{"a": "x", "time": 0.3}"#);
        assert_eq!(compare("test_run_summary", expected, actual), Ok(()));
        assert!(compare("test_run", expected, actual).is_err());
        let nested = (&br#"{"b": {"c": {"f": {"count": 1, "time": 0.1}, "g": {"count": 2, "time": 1.0}}}}"#[..],
            br#"{"b": {"c": {"f": {"count": 1, "time": 0.10000000000000002}, "g": {"count": 2, "time": 1.0}}}}"#);
        assert_eq!(compare("additional_info/invoking_file_summary", nested.0, nested.1), Ok(()));
    }

    #[test]
    fn all_else_may_not_differ() {
        let expected = b"{\"tests\": 1, \"time\": 0.3}\n{\"tests\": 2, \"time\": 1.0}\n";
        for actual in [
            &b"{\"tests\": 1, \"time\": 0.31}\n{\"tests\": 2, \"time\": 1.0}\n"[..],
            b"{\"tests\": 1, \"time\": 0.3}\n{\"tests\": 2, \"time\": 1}\n",
            b"{\"tests\": 2, \"time\": 0.3}\n{\"tests\": 2, \"time\": 1.0}\n",
            b"{\"tests\": 2, \"time\": 1.0}\n{\"tests\": 1, \"time\": 0.3}\n",
            b"{\"tests\": 1, \"time\": 0.3}\n{\"tests\": 2, \"time\": 1.0}",
            b"{\"tests\": 1, \"time\": 0.3}\n",
            b"{\"tests\": 1, \"time\": 0.3}\n{\"tests\": 2, \"time\": 1.0}\n\n",
            b"{\"tests\": 1, \"time\": 0.3} \n{\"tests\": 2, \"time\": 1.0}\n",
            b"{\"tests\": 1, \"time\": nan}\n{\"tests\": 2, \"time\": 1.0}\n",
            b"",
        ] {
            assert!(compare("test_run_summary", expected, actual).is_err(), "{}", actual.escape_ascii());
        }
    }

    #[test]
    fn a_difference_is_told_with_its_place() {
        let told = compare("test_run", b"{}\n{\"a\": 1}\n", b"{}\n{\"a\": 2}\n").unwrap_err();
        assert_eq!(
            told,
            "test_run: line 2 differs from byte 6 on\nexpected: {\\\"a\\\": 1}\\n\nactual:   {\\\"a\\\": 2}\\n"
        );
    }
}
