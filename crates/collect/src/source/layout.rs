//! Where in a bucket the artifacts of a run lie.

use crate::run::RunKey;

use super::{SourceError, SourceErrorKind};

/// A template of keys: `{repo}/{run_id}/{attempt}/artifact/`.
///
/// What a key has after the filled-in template is the artifact's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    template: String,
}

/// The places whose names hold the number of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AttemptFolders {
    /// The folder that they lie in, with a slash at its end; empty for the root.
    pub(crate) parent: String,
    before: String,
    after: String,
}

const REPO: &str = "{repo}";
const RUN_ID: &str = "{run_id}";
const ATTEMPT: &str = "{attempt}";

impl Default for Layout {
    fn default() -> Self {
        Self { template: "{repo}/{run_id}/{attempt}/artifact/".to_owned() }
    }
}

impl Layout {
    /// Parses a template.
    ///
    /// # Errors
    /// Where it lacks `{run_id}`, or holds another word in braces, or a part that is empty, `.` or `..`.
    pub fn parse(template: &str) -> Result<Self, SourceError> {
        let bad = |why: &str| {
            Err(SourceError::new(
                SourceErrorKind::BadSetting,
                format!(
                    "the layout `{template}` {why}; it reads like `{{repo}}/{{run_id}}/{{attempt}}/artifact/`"
                ),
            ))
        };
        if !template.contains(RUN_ID) {
            return bad("lacks `{run_id}`");
        }
        if template.matches(ATTEMPT).count() > 1 {
            return bad("holds `{attempt}` twice");
        }
        let fixed = [REPO, RUN_ID, ATTEMPT].iter().fold(template.to_owned(), |t, word| t.replace(word, "x"));
        if fixed.contains(['{', '}']) {
            return bad("holds another word than `{repo}`, `{run_id}` and `{attempt}`");
        }
        if fixed.strip_suffix('/').unwrap_or(&fixed).split('/').any(|part| !is_plain(part)) {
            return bad("has a part that is empty, `.` or `..`");
        }
        Ok(Self { template: template.to_owned() })
    }

    /// Returns what the keys of the attempt's artifacts begin with.
    ///
    /// # Errors
    /// Where the template needs a repository and the run has none, or a part of the run's key is no part of a path.
    pub fn prefix(&self, run: &RunKey) -> Result<String, SourceError> {
        Ok(self.filled_but_attempt(run)?.replace(ATTEMPT, &run.attempt.to_string()))
    }

    /// Returns where the run's attempts lie; `None` where the template has no attempt.
    pub(crate) fn attempt_folders(&self, run: &RunKey) -> Result<Option<AttemptFolders>, SourceError> {
        let filled = self.filled_but_attempt(run)?;
        let Some((head, tail)) = filled.split_once(ATTEMPT) else { return Ok(None) };
        let (parent, before) = head.rsplit_once('/').map_or(("", head), |(parent, before)| (parent, before));
        let after = tail.split_once('/').map_or(tail, |(after, _)| after);
        Ok(Some(AttemptFolders {
            parent: if parent.is_empty() { String::new() } else { format!("{parent}/") },
            before: before.to_owned(),
            after: after.to_owned(),
        }))
    }

    fn filled_but_attempt(&self, run: &RunKey) -> Result<String, SourceError> {
        let bad = |what: String| Err(SourceError::new(SourceErrorKind::BadSetting, what));
        let mut filled = self.template.clone();
        if filled.contains(REPO) {
            let Some(repo) = &run.repo else {
                return bad(format!(
                    "the layout `{}` needs a repository; give one with `--repo`",
                    self.template
                ));
            };
            if repo.split('/').any(|part| !is_plain(part)) {
                return bad(format!("`{repo}` is no repository; it reads `owner/name`"));
            }
            filled = filled.replace(REPO, repo);
        }
        if !is_plain(&run.run_id) || run.run_id.contains('/') {
            return bad(format!("`{}` is no run's id", run.run_id));
        }
        Ok(filled.replace(RUN_ID, &run.run_id))
    }
}

impl AttemptFolders {
    /// Reads the attempt's number from the name of a folder in [`Self::parent`].
    pub(crate) fn number(&self, name: &str) -> Option<u32> {
        let digits = name.strip_prefix(&self.before)?.strip_suffix(&self.after)?;
        let number: u32 = digits.parse().ok()?;
        (number.to_string() == digits).then_some(number)
    }
}

/// Reports whether a text can be a part of a path or key.
fn is_plain(part: &str) -> bool {
    !matches!(part, "" | "." | "..")
        && !part.contains(|c: char| c.is_control() || matches!(c, '\\' | '{' | '}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(repo: Option<&str>, run_id: &str) -> RunKey {
        RunKey { repo: repo.map(str::to_owned), run_id: run_id.to_owned(), attempt: 2 }
    }

    #[test]
    fn the_default_is_where_pytorch_keeps_them() {
        let prefix = Layout::default().prefix(&run(Some("pytorch/pytorch"), "987")).unwrap();
        assert_eq!(prefix, "pytorch/pytorch/987/2/artifact/");
    }

    #[test]
    fn attempts_lie_in_the_folder_of_the_run() {
        let folders = Layout::default().attempt_folders(&run(Some("o/r"), "7")).unwrap().unwrap();
        assert_eq!(folders.parent, "o/r/7/");
        assert_eq!(folders.number("12"), Some(12));
        for name in ["012", "+1", "", "1x", "artifact"] {
            assert_eq!(folders.number(name), None, "{name}");
        }
        let layout = Layout::parse("runs/{run_id}-try{attempt}.d/x/").unwrap();
        let folders = layout.attempt_folders(&run(None, "7")).unwrap().unwrap();
        assert_eq!(folders.parent, "runs/");
        assert_eq!(folders.number("7-try3.d"), Some(3));
        assert_eq!(folders.number("8-try3.d"), None);
        assert_eq!(Layout::parse("{run_id}/").unwrap().attempt_folders(&run(None, "7")).unwrap(), None);
    }

    #[test]
    fn a_wrong_template_is_refused() {
        for template in
            ["", "{repo}/x/", "{run_id}/{job}/", "{run_id}//x", "../{run_id}", "{run_id}/{attempt}/{attempt}"]
        {
            let error = Layout::parse(template).unwrap_err();
            assert_eq!(error.kind(), SourceErrorKind::BadSetting, "{template}");
        }
    }

    #[test]
    fn a_run_that_would_lead_elsewhere_is_refused() {
        let layout = Layout::default();
        for (repo, run_id) in
            [(None, "7"), (Some("o/.."), "7"), (Some("o/r"), ".."), (Some("o/r"), "7/8"), (Some("o/r"), "")]
        {
            assert_eq!(layout.prefix(&run(repo, run_id)).unwrap_err().kind(), SourceErrorKind::BadSetting);
        }
    }
}
