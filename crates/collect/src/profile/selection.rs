//! Which artifacts and entries a profile takes, and what their names say.

use std::borrow::Cow;

use regex::Regex;

use crate::plan::Profile;

/// Suffixes that an archive's name loses where the name itself is meant.
const ARCHIVE_SUFFIXES: [&str; 8] = [".tar.gz", ".tar.zst", ".tgz", ".tzst", ".zip", ".tar", ".gz", ".zst"];

/// The invoking files that run each test several times on purpose: no reruns are told of them.
pub(crate) const REPEATED_BY_DESIGN: [&str; 3] = [
    "distributed/test_distributed_spawn",
    "onnx/test_fx_to_onnx_with_onnxruntime",
    "distributed/algorithms/quantization/test_quantization",
];

/// What an entry is to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// An XML file: a report, or not.
    Xml,
    /// A list of the files that target determination left out.
    Exclusions,
    /// A test report of another format, which makes no document.
    OtherReport,
    /// What its content alone can say to be a report; only where typed results are asked for.
    Unnamed,
}

/// What an artifact is to a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ArtifactKind {
    Reports,
    TargetDetermination,
}

/// Says what an artifact is to a profile, by its name; `None` for those that are not taken.
pub(crate) fn artifact_kind(profile: Profile, name: &str) -> Option<ArtifactKind> {
    match profile {
        Profile::Plain => Some(ArtifactKind::Reports),
        Profile::Pytorch if name.starts_with("test-report") => Some(ArtifactKind::Reports),
        Profile::Pytorch if name.starts_with("test-jsons") => Some(ArtifactKind::TargetDetermination),
        Profile::Pytorch => None,
    }
}

/// Says what an entry is, by its path; `None` for those that are not taken. Where results are told, what is neither report
/// nor known to be none by its name is taken for its content to say.
pub(crate) fn entry_kind(
    profile: Profile,
    artifact: ArtifactKind,
    path: &str,
    tells: bool,
) -> Option<EntryKind> {
    let unnamed =
        (tells && artifact == ArtifactKind::Reports && may_be_report(path)).then_some(EntryKind::Unnamed);
    named_kind(profile, artifact, path).or(unnamed)
}

/// Suffixes of files that are no test reports and are common, or large, in what jobs leave.
const NEVER_REPORTS: [&str; 50] = [
    "7z", "a", "apk", "avi", "bin", "bmp", "bz2", "class", "css", "db", "deb", "dll", "dmp", "dylib", "ear",
    "exe", "gif", "gz", "html", "htm", "ico", "img", "iso", "jar", "jpeg", "jpg", "js", "map", "mov", "mp4",
    "nupkg", "o", "pdb", "pdf", "png", "pyc", "rpm", "so", "sqlite", "svg", "tar", "tgz", "ttf", "wasm",
    "webm", "webp", "whl", "woff", "xz", "zip",
];

fn may_be_report(path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    let suffix = file.rsplit_once('.').map_or("", |(_, suffix)| suffix);
    !NEVER_REPORTS.iter().any(|never| suffix.eq_ignore_ascii_case(never))
}

fn named_kind(profile: Profile, artifact: ArtifactKind, path: &str) -> Option<EntryKind> {
    let file = path.rsplit('/').next().unwrap_or(path);
    match artifact {
        ArtifactKind::TargetDetermination => {
            (file.starts_with("td_exclusions") && file.ends_with(".json")).then_some(EntryKind::Exclusions)
        }
        ArtifactKind::Reports if path.ends_with(".xml") => Some(EntryKind::Xml),
        ArtifactKind::Reports if profile == Profile::Plain => {
            let extension = file.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
            match extension.as_deref() {
                Some("xml") => Some(EntryKind::Xml),
                Some("trx" | "tap" | "ctrf" | "json" | "jsonl" | "ndjson") => Some(EntryKind::OtherReport),
                _ => None,
            }
        }
        ArtifactKind::Reports => None,
    }
}

/// Returns an artifact's name without its archive suffix.
pub(crate) fn without_suffix(name: &str) -> &str {
    ARCHIVE_SUFFIXES.iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name)
}

/// Returns what makes an artifact the same in two sources: its name without `-runattempt<N>` and archive suffix.
pub(crate) fn identity(name: &str) -> Cow<'_, str> {
    let name = without_suffix(name);
    let Some(at) = name.find("-runattempt") else { return Cow::Borrowed(name) };
    let (before, mark) = name.split_at_checked(at).unwrap_or((name, ""));
    let rest = mark.trim_start_matches("-runattempt");
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    if digits == 0 {
        return Cow::Borrowed(name);
    }
    Cow::Owned(format!("{before}{}", rest.get(digits..).unwrap_or_default()))
}

/// Returns the job's id, as digits without leading zeros: those after the last `_` of the artifact's name.
pub(crate) fn job_id(name: &str) -> Option<&str> {
    let (_, digits) = without_suffix(name).rsplit_once('_')?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_start_matches('0');
    Some(if significant.is_empty() { "0" } else { significant })
}

/// Returns the name of the folder that holds a report.
pub(crate) fn invoking_file(artifact: &str, path: &str) -> String {
    let parts = path.split('/').filter(|part| !matches!(*part, "" | "." | ".."));
    match parts.rev().nth(1) {
        Some(folder) => folder.to_owned(),
        None => format!("unzipped-{}", without_suffix(artifact)),
    }
}

/// Reads build and test configuration out of a job's name.
#[derive(Debug)]
pub(crate) struct JobNamePattern(Option<Regex>);

impl JobNamePattern {
    pub(crate) fn new() -> Self {
        Self(Regex::new(r"^(.*) / .*test \(([^,]*), .*\)").ok())
    }

    /// Returns build and configuration; `NoBuildEnv`, `NoTestConfig` where there is no name or no match.
    pub(crate) fn build_and_config<'name>(&self, name: Option<&'name str>) -> (&'name str, &'name str) {
        let found = name.and_then(|name| self.0.as_ref()?.captures(name));
        let group = |index| found.as_ref().and_then(|found| found.get(index)).map(|group| group.as_str());
        match (group(1), group(2)) {
            (Some(build), Some(config)) => (build, config),
            _ => ("NoBuildEnv", "NoTestConfig"),
        }
    }

    /// Returns what tells the job from others that run the same tests: build and configuration; where the name has no such
    /// form, what stands in brackets at its end, as the values of a matrix do.
    pub(crate) fn variant(&self, name: &str) -> Option<String> {
        match self.build_and_config(Some(name)) {
            ("NoBuildEnv", "NoTestConfig") => {
                let (_, values) = name.strip_suffix(')')?.rsplit_once(" (")?;
                (!values.is_empty()).then(|| values.to_owned())
            }
            (build, config) => Some(format!("{build} / {config}")),
        }
    }

    /// Reports whether a job's name is that of a test job.
    pub(crate) fn is_test_job(&self, name: &str) -> bool {
        self.0.as_ref().is_some_and(|pattern| pattern.is_match(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn job_ids_are_the_digits_after_the_last_underscore() {
        assert_eq!(job_id("test-reports-test-default-1-5-linux.2xlarge_27000.zip"), Some("27000"));
        assert_eq!(job_id("a_007.tar.gz"), Some("7"));
        assert_eq!(job_id("a_0"), Some("0"));
        assert_eq!(job_id("a_"), None);
        assert_eq!(job_id("a_1x.zip"), None);
        assert_eq!(job_id("a_١"), None);
        assert_eq!(job_id("a-1.zip"), None);
    }

    #[test]
    fn invoking_files_are_the_folder_s_name() {
        assert_eq!(invoking_file("a_1.zip", "test/test-reports/python-pytest/test_ops/x.xml"), "test_ops");
        assert_eq!(invoking_file("a_1.zip", "/../x//./y.xml"), "x");
        assert_eq!(invoking_file("a_1.zip", "x.xml"), "unzipped-a_1");
        assert_eq!(invoking_file("a_1.zip", "../x.xml"), "unzipped-a_1");
    }

    #[test]
    fn an_artifact_is_the_same_in_two_sources() {
        assert_eq!(
            identity("test-reports-runattempt1-test-default-1-5-x_2.zip"),
            "test-reports-test-default-1-5-x_2"
        );
        assert_eq!(identity("test-reports-test-default-1-5-x_2"), "test-reports-test-default-1-5-x_2");
        assert_eq!(identity("a-runattemptx"), "a-runattemptx");
    }

    #[test]
    fn job_names_are_read_as_the_original_does() {
        let pattern = JobNamePattern::new();
        let name = |name| pattern.build_and_config(Some(name));
        assert_eq!(name("linux / test (default, 1, 5, linux.2xlarge)"), ("linux", "default"));
        assert_eq!(name("a / b / my test (x, y) trailing"), ("a / b", "x"));
        assert_eq!(name("a / test (x)"), ("NoBuildEnv", "NoTestConfig"));
        assert_eq!(name("lint"), ("NoBuildEnv", "NoTestConfig"));
        assert_eq!(pattern.build_and_config(None), ("NoBuildEnv", "NoTestConfig"));
        let variant = |name| pattern.variant(name);
        assert_eq!(variant("linux / test (default, 1, 5, x)").as_deref(), Some("linux / default"));
        assert_eq!(variant("test (ubuntu-24.04, 3.12)").as_deref(), Some("ubuntu-24.04, 3.12"));
        assert_eq!((variant("lint"), variant("a ()"), variant("(a)")), (None, None, None));
    }

    #[test]
    fn what_may_be_a_report_is_taken_where_results_are_told() {
        let kind = |profile, path, tells| entry_kind(profile, ArtifactKind::Reports, path, tells);
        assert_eq!(kind(Profile::Pytorch, "a/x.tap", false), None);
        assert_eq!(kind(Profile::Pytorch, "a/x.tap", true), Some(EntryKind::Unnamed));
        assert_eq!(kind(Profile::Plain, "a/x.tap", true), Some(EntryKind::OtherReport));
        assert_eq!(kind(Profile::Plain, "a.b/results", true), Some(EntryKind::Unnamed));
        assert_eq!(kind(Profile::Plain, "a/x.PNG", true), None);
        assert_eq!(kind(Profile::Pytorch, "a/x.xml", true), Some(EntryKind::Xml));
        let targets = entry_kind(Profile::Pytorch, ArtifactKind::TargetDetermination, "x.txt", true);
        assert_eq!(targets, None);
    }
}
