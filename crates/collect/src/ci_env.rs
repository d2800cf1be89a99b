//! What a CI job's own environment says about the run that the job belongs to.

use crate::run::AttemptChoice;

/// Whose job it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CiProvider {
    /// GitHub Actions.
    GitHub,
    /// CircleCI.
    CircleCi,
}

/// The run that a job belongs to, as its environment has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CiRun {
    /// Whose job it is.
    pub provider: CiProvider,
    /// `owner/name`.
    pub repo: Option<String>,
    /// The run's id; at CircleCI the workflow's.
    pub run_id: Option<String>,
    /// The attempt.
    pub attempt: Option<u32>,
    /// The branch that is tested.
    pub head_branch: Option<String>,
    /// The repository that the branch lies in. Absent for a pull request, which may come from a fork.
    pub head_repository: Option<String>,
}

impl CiRun {
    /// Reads it from an environment, given as a function from names to values that are not empty.
    pub fn of<'env>(get: impl Fn(&str) -> Option<&'env str>) -> Option<Self> {
        let text = |name: &str| get(name).map(str::to_owned);
        if get("GITHUB_ACTIONS") == Some("true") {
            let repo = text("GITHUB_REPOSITORY");
            // `GITHUB_HEAD_REF` is there for pull requests alone; `GITHUB_REF_NAME` is then `<number>/merge`.
            let pull = text("GITHUB_HEAD_REF");
            let is_branch = get("GITHUB_REF_TYPE") != Some("tag");
            return Some(Self {
                provider: CiProvider::GitHub,
                head_repository: if pull.is_some() { None } else { repo.clone() },
                repo,
                run_id: text("GITHUB_RUN_ID"),
                attempt: get("GITHUB_RUN_ATTEMPT").and_then(|n| n.parse().ok()),
                head_branch: pull.or_else(|| text("GITHUB_REF_NAME").filter(|_| is_branch)),
            });
        }
        if get("CIRCLECI") == Some("true") {
            let repo = match (get("CIRCLE_PROJECT_USERNAME"), get("CIRCLE_PROJECT_REPONAME")) {
                (Some(owner), Some(name)) => Some(format!("{owner}/{name}")),
                _ => None,
            };
            let is_pull = get("CIRCLE_PULL_REQUEST").is_some() || get("CIRCLE_PR_NUMBER").is_some();
            return Some(Self {
                provider: CiProvider::CircleCi,
                head_repository: if is_pull { None } else { repo.clone() },
                repo,
                run_id: text("CIRCLE_WORKFLOW_ID"),
                attempt: Some(1),
                head_branch: text("CIRCLE_BRANCH"),
            });
        }
        None
    }

    /// Reports whether the run that is asked for is this one.
    pub fn is(&self, repo: Option<&str>, run_id: Option<&str>) -> bool {
        self.run_id.is_some() && self.run_id.as_deref() == run_id && self.repo.as_deref() == repo
    }

    /// Returns the choice of this attempt; of the latest, where it is not known.
    pub fn attempt_choice(&self) -> AttemptChoice {
        self.attempt.map_or(AttemptChoice::Latest, AttemptChoice::Number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &'static str)]) -> Option<CiRun> {
        CiRun::of(|name| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| *v))
    }

    const PUSH: &[(&str, &str)] = &[
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_REPOSITORY", "o/r"),
        ("GITHUB_RUN_ID", "7"),
        ("GITHUB_RUN_ATTEMPT", "2"),
        ("GITHUB_REF_NAME", "main"),
        ("GITHUB_REF_TYPE", "branch"),
    ];

    #[test]
    fn a_push_tests_a_branch_of_the_repository() {
        let run = of(PUSH).unwrap();
        assert_eq!(run.head_branch.as_deref(), Some("main"));
        assert_eq!(run.head_repository.as_deref(), Some("o/r"));
        assert!(run.is(Some("o/r"), Some("7")));
        assert!(!run.is(Some("o/r"), Some("8")) && !run.is(None, Some("7")));
        assert_eq!(run.attempt_choice(), AttemptChoice::Number(2));
    }

    #[test]
    fn a_pull_request_may_come_from_anywhere() {
        let run = of(&[PUSH, &[("GITHUB_HEAD_REF", "feature")]].concat()).unwrap();
        assert_eq!(run.head_branch.as_deref(), Some("feature"));
        assert_eq!(run.head_repository, None);
    }

    #[test]
    fn a_tag_is_no_branch() {
        let pairs: Vec<_> =
            PUSH.iter().map(|p| if p.0 == "GITHUB_REF_TYPE" { (p.0, "tag") } else { *p }).collect();
        assert_eq!(of(&pairs).unwrap().head_branch, None);
    }

    #[test]
    fn a_circleci_job_belongs_to_a_workflow() {
        let run = of(&[
            ("CIRCLECI", "true"),
            ("CIRCLE_PROJECT_USERNAME", "o"),
            ("CIRCLE_PROJECT_REPONAME", "r"),
            ("CIRCLE_WORKFLOW_ID", "f1c2"),
            ("CIRCLE_BRANCH", "main"),
        ])
        .unwrap();
        assert!(run.is(Some("o/r"), Some("f1c2")));
        assert_eq!(run.head_repository.as_deref(), Some("o/r"));
    }

    #[test]
    fn elsewhere_there_is_none() {
        assert_eq!(of(&[("GITHUB_RUN_ID", "7")]), None);
    }
}
