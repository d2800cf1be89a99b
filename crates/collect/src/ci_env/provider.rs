//! The providers, how each is known, and which of its variables tell what. The page `docs/ci.md` is made of this.

use super::rule::Get;
use super::rule::Rule::{
    self, Always, Bare, Begins, Branch, Build, Fork, Full, Hash, Is, Number, PullRef, Repo, Text, Unless,
    UnlessPull, Where,
};

/// What a variable may tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    Repo,
    Run,
    Attempt,
    Job,
    JobName,
    Node,
    Commit,
    Branch,
    HeadRepository,
    PullRequest,
    Event,
    Workflow,
    MergeBase,
    Started,
    WebUrl,
    EventFile,
}

impl Field {
    /// Each, in the order of the page, and its name there.
    #[cfg(test)]
    pub(super) const ALL: [(Self, &'static str); 16] = [
        (Self::Repo, "repository"),
        (Self::Run, "run"),
        (Self::Attempt, "attempt"),
        (Self::Job, "job"),
        (Self::JobName, "job's name"),
        (Self::Node, "machine of the job"),
        (Self::Commit, "commit"),
        (Self::Branch, "branch"),
        (Self::HeadRepository, "head repository"),
        (Self::PullRequest, "pull request"),
        (Self::Event, "event"),
        (Self::Workflow, "workflow"),
        (Self::MergeBase, "merge base"),
        (Self::Started, "start"),
        (Self::WebUrl, "web page"),
        (Self::EventFile, "event file"),
    ];
}

/// The rules for a field; the first that gives a value counts.
type Rules = &'static [(Field, &'static [Rule])];

macro_rules! providers {
    ($($(#[doc = $doc:literal])+ $variant:ident = $word:literal, $name:literal, $docs:literal, $sign:expr, $rules:expr;)+) => {
        /// A provider of CI whose jobs are known by their variables.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum CiProvider {
            $($(#[doc = $doc])+ $variant,)+
        }

        impl CiProvider {
            /// Every provider, in the order in which they are looked for.
            pub const ALL: [Self; [$($word),+].len()] = [$(Self::$variant),+];

            /// Returns the word for it in data.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }

            /// Returns its name.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }

            /// Returns the address of its own page of its variables.
            pub const fn docs(self) -> &'static str {
                match self { $(Self::$variant => $docs,)+ }
            }

            pub(super) const fn sign(self) -> Sign {
                match self { $(Self::$variant => $sign,)+ }
            }

            pub(super) const fn rules(self) -> Rules {
                match self { $(Self::$variant => $rules,)+ }
            }
        }
    };
}

/// What tells a provider's jobs.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sign {
    /// A variable that is `true`.
    True(&'static str),
    /// A variable that is there.
    There(&'static str),
}

impl CiProvider {
    /// Reports whether the environment is one of its jobs.
    pub(super) fn is_here(self, get: Get<'_, '_>) -> bool {
        match self.sign() {
            Sign::True(name) => get(name).is_some_and(|value| value.eq_ignore_ascii_case("true")),
            Sign::There(name) => get(name).is_some_and(|value| !value.is_empty()),
        }
    }

    /// Returns what the environment says of a field.
    pub(super) fn read(self, field: Field, get: Get<'_, '_>) -> Option<String> {
        let rules = self.rules().iter().filter(|(of, _)| *of == field);
        rules.flat_map(|(_, rules)| rules.iter()).find_map(|rule| rule.read(get))
    }
}

providers! {
    /// GitHub Actions, and servers that act like it.
    GitHub = "github", "GitHub Actions",
        "https://docs.github.com/en/actions/reference/workflows-and-actions/variables",
        Sign::True("GITHUB_ACTIONS"), &[
            (Field::Repo, &[Is("GITHUB_REPOSITORY")]),
            (Field::Run, &[Is("GITHUB_RUN_ID")]),
            (Field::Attempt, &[Is("GITHUB_RUN_ATTEMPT")]),
            (Field::JobName, &[Is("GITHUB_JOB")]),
            // a runner of one's own may have several legs of a matrix, one after the other: GITHUB_JOB is one for all of them.
            // What tells its processes is another for each job. It is set to something else so that they outlive the job
            (Field::Node, &[
                Where("RUNNER_ENVIRONMENT", "github-hosted", &Is("RUNNER_NAME")),
                Begins("github_", "RUNNER_TRACKING_ID"),
                Is("RUNNER_NAME"),
            ]),
            // of a pull request it is a commit that merges it. GITHUB_HEAD_REF is not there for a review of one
            (Field::Commit, &[UnlessPull("GITHUB_REF", &Unless(&["GITHUB_HEAD_REF"], &Is("GITHUB_SHA")))]),
            (Field::Branch, &[
                Is("GITHUB_HEAD_REF"),
                Branch("GITHUB_REF"),
                // of a pull request it is `12/merge`
                UnlessPull("GITHUB_REF", &Where("GITHUB_REF_TYPE", "branch", &Is("GITHUB_REF_NAME"))),
            ]),
            (Field::HeadRepository, &[
                UnlessPull("GITHUB_REF", &Unless(&["GITHUB_HEAD_REF"], &Is("GITHUB_REPOSITORY"))),
            ]),
            (Field::PullRequest, &[PullRef("GITHUB_REF")]),
            (Field::Event, &[Is("GITHUB_EVENT_NAME")]),
            (Field::Workflow, &[Is("GITHUB_WORKFLOW")]),
            (Field::WebUrl, &[Text("{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}/actions/runs/{GITHUB_RUN_ID}")]),
            (Field::EventFile, &[Is("GITHUB_EVENT_PATH")]),
        ];
    /// GitLab CI.
    GitLab = "gitlab", "GitLab CI/CD",
        "https://docs.gitlab.com/ci/variables/predefined_variables/",
        Sign::True("GITLAB_CI"), &[
            (Field::Repo, &[Is("CI_PROJECT_PATH")]),
            (Field::Run, &[Is("CI_PIPELINE_ID")]),
            (Field::Job, &[Is("CI_JOB_ID")]),
            (Field::JobName, &[Is("CI_JOB_NAME")]),
            // in a pipeline of merged results CI_COMMIT_SHA is the commit that merges
            (Field::Commit, &[Is("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA"), Is("CI_COMMIT_SHA")]),
            (Field::Branch, &[
                Is("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"),
                Is("CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME"),
                Is("CI_COMMIT_BRANCH"),
            ]),
            (Field::HeadRepository, &[
                Is("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH"),
                Is("CI_EXTERNAL_PULL_REQUEST_SOURCE_REPOSITORY"),
                Is("CI_PROJECT_PATH"),
            ]),
            (Field::PullRequest, &[Is("CI_MERGE_REQUEST_IID"), Is("CI_EXTERNAL_PULL_REQUEST_IID")]),
            (Field::Event, &[Is("CI_PIPELINE_SOURCE")]),
            (Field::Workflow, &[Is("CI_PIPELINE_NAME")]),
            (Field::MergeBase, &[Is("CI_MERGE_REQUEST_DIFF_BASE_SHA")]),
            (Field::Started, &[Is("CI_PIPELINE_CREATED_AT")]),
            (Field::WebUrl, &[Is("CI_PIPELINE_URL")]),
        ];
    /// CircleCI.
    CircleCi = "circleci", "CircleCI",
        "https://circleci.com/docs/reference/variables/",
        Sign::True("CIRCLECI"), &[
            (Field::Repo, &[Text("{CIRCLE_PROJECT_USERNAME}/{CIRCLE_PROJECT_REPONAME}")]),
            (Field::Run, &[Is("CIRCLE_WORKFLOW_ID")]),
            (Field::Attempt, &[Always("1")]),
            (Field::Job, &[Is("CIRCLE_BUILD_NUM")]),
            (Field::JobName, &[Is("CIRCLE_JOB")]),
            (Field::Node, &[Is("CIRCLE_NODE_INDEX")]),
            (Field::Commit, &[Is("CIRCLE_SHA1")]),
            (Field::Branch, &[Unless(&["CIRCLE_TAG"], &Is("CIRCLE_BRANCH"))]),
            (Field::HeadRepository, &[
                Text("{CIRCLE_PR_USERNAME}/{CIRCLE_PR_REPONAME}"),
                Unless(
                    &["CIRCLE_PULL_REQUEST", "CIRCLE_PR_NUMBER"],
                    &Text("{CIRCLE_PROJECT_USERNAME}/{CIRCLE_PROJECT_REPONAME}"),
                ),
            ]),
            (Field::PullRequest, &[Is("CIRCLE_PR_NUMBER"), Number("CIRCLE_PULL_REQUEST")]),
            (Field::WebUrl, &[Is("CIRCLE_BUILD_URL")]),
        ];
    /// Buildkite.
    Buildkite = "buildkite", "Buildkite",
        "https://buildkite.com/docs/pipelines/configure/environment-variables",
        Sign::True("BUILDKITE"), &[
            (Field::Repo, &[Repo("BUILDKITE_REPO")]),
            (Field::Run, &[Is("BUILDKITE_BUILD_ID")]),
            (Field::Job, &[Is("BUILDKITE_JOB_ID")]),
            (Field::JobName, &[Is("BUILDKITE_LABEL")]),
            // it may read HEAD
            (Field::Commit, &[Hash("BUILDKITE_COMMIT")]),
            (Field::Branch, &[Unless(&["BUILDKITE_TAG"], &Is("BUILDKITE_BRANCH"))]),
            (Field::HeadRepository, &[
                Repo("BUILDKITE_PULL_REQUEST_REPO"),
                Unless(&["BUILDKITE_PULL_REQUEST"], &Repo("BUILDKITE_REPO")),
            ]),
            (Field::PullRequest, &[Is("BUILDKITE_PULL_REQUEST")]),
            (Field::Event, &[Is("BUILDKITE_SOURCE")]),
            (Field::Workflow, &[Is("BUILDKITE_PIPELINE_SLUG")]),
            (Field::WebUrl, &[Is("BUILDKITE_BUILD_URL")]),
        ];
    /// Azure Pipelines.
    Azure = "azure", "Azure Pipelines",
        "https://learn.microsoft.com/en-us/azure/devops/pipelines/build/variables",
        Sign::True("TF_BUILD"), &[
            // of a repository at Azure itself the name alone is told
            (Field::Repo, &[
                Full("BUILD_REPOSITORY_NAME"),
                Text("{SYSTEM_TEAMPROJECT}/{BUILD_REPOSITORY_NAME}"),
            ]),
            (Field::Run, &[Is("BUILD_BUILDID")]),
            (Field::Attempt, &[Is("SYSTEM_JOBATTEMPT")]),
            (Field::Job, &[Is("SYSTEM_JOBID")]),
            (Field::JobName, &[Is("SYSTEM_JOBDISPLAYNAME"), Is("AGENT_JOBNAME")]),
            // of a pull request BUILD_SOURCEVERSION is the commit that merges it
            (Field::Commit, &[Is("SYSTEM_PULLREQUEST_SOURCECOMMITID"), Is("BUILD_SOURCEVERSION")]),
            (Field::Branch, &[Branch("SYSTEM_PULLREQUEST_SOURCEBRANCH"), Branch("BUILD_SOURCEBRANCH")]),
            (Field::HeadRepository, &[
                Where("SYSTEM_PULLREQUEST_ISFORK", "true", &Repo("SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI")),
                Full("BUILD_REPOSITORY_NAME"),
                Text("{SYSTEM_TEAMPROJECT}/{BUILD_REPOSITORY_NAME}"),
            ]),
            (Field::PullRequest, &[
                // at GitHub the id is another number
                Is("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER"),
                Is("SYSTEM_PULLREQUEST_PULLREQUESTID"),
            ]),
            (Field::Event, &[Is("BUILD_REASON")]),
            (Field::Workflow, &[Is("BUILD_DEFINITIONNAME")]),
            (Field::WebUrl, &[
                Text("{SYSTEM_COLLECTIONURI}{SYSTEM_TEAMPROJECT}/_build/results?buildId={BUILD_BUILDID}"),
            ]),
        ];
    /// Bitbucket Pipelines.
    Bitbucket = "bitbucket", "Bitbucket Pipelines",
        "https://support.atlassian.com/bitbucket-cloud/docs/variables-and-secrets/",
        Sign::There("BITBUCKET_BUILD_NUMBER"), &[
            (Field::Repo, &[Is("BITBUCKET_REPO_FULL_NAME")]),
            (Field::Run, &[Bare("BITBUCKET_PIPELINE_UUID")]),
            (Field::Attempt, &[Is("BITBUCKET_STEP_RUN_NUMBER")]),
            (Field::Job, &[Bare("BITBUCKET_STEP_UUID")]),
            (Field::Commit, &[Is("BITBUCKET_COMMIT")]),
            (Field::Branch, &[Is("BITBUCKET_BRANCH")]),
            // pull requests from forks are not built there
            (Field::HeadRepository, &[Is("BITBUCKET_REPO_FULL_NAME")]),
            (Field::PullRequest, &[Is("BITBUCKET_PR_ID")]),
            (Field::WebUrl, &[
                Text("https://bitbucket.org/{BITBUCKET_REPO_FULL_NAME}/pipelines/results/{BITBUCKET_BUILD_NUMBER}"),
            ]),
        ];
    /// Travis CI.
    Travis = "travis", "Travis CI",
        "https://docs.travis-ci.com/user/environment-variables/",
        Sign::True("TRAVIS"), &[
            (Field::Repo, &[Is("TRAVIS_REPO_SLUG")]),
            (Field::Run, &[Is("TRAVIS_BUILD_ID")]),
            (Field::Job, &[Is("TRAVIS_JOB_ID")]),
            (Field::JobName, &[Is("TRAVIS_JOB_NAME")]),
            // of a pull request TRAVIS_COMMIT merges it, and TRAVIS_BRANCH is the one that it goes to
            (Field::Commit, &[Is("TRAVIS_PULL_REQUEST_SHA"), Is("TRAVIS_COMMIT")]),
            (Field::Branch, &[
                Is("TRAVIS_PULL_REQUEST_BRANCH"),
                Unless(&["TRAVIS_TAG", "TRAVIS_PULL_REQUEST"], &Is("TRAVIS_BRANCH")),
            ]),
            (Field::HeadRepository, &[
                Is("TRAVIS_PULL_REQUEST_SLUG"),
                Unless(&["TRAVIS_PULL_REQUEST"], &Is("TRAVIS_REPO_SLUG")),
            ]),
            (Field::PullRequest, &[Is("TRAVIS_PULL_REQUEST")]),
            (Field::Event, &[Is("TRAVIS_EVENT_TYPE")]),
            (Field::WebUrl, &[Is("TRAVIS_BUILD_WEB_URL")]),
        ];
    /// Drone, and Harness Open Source.
    Drone = "drone", "Drone",
        "https://docs.drone.io/pipeline/environment/reference/",
        Sign::True("DRONE"), &[
            (Field::Repo, &[Is("DRONE_REPO")]),
            (Field::Run, &[Is("DRONE_BUILD_NUMBER")]),
            (Field::Job, &[Text("{DRONE_STAGE_NUMBER}.{DRONE_STEP_NUMBER}")]),
            (Field::JobName, &[Is("DRONE_STEP_NAME")]),
            (Field::Commit, &[Is("DRONE_COMMIT_SHA")]),
            // DRONE_BRANCH is the one that a pull request goes to
            (Field::Branch, &[Unless(&["DRONE_TAG"], &Is("DRONE_SOURCE_BRANCH")),
                Unless(&["DRONE_TAG", "DRONE_PULL_REQUEST"], &Is("DRONE_BRANCH"))]),
            (Field::HeadRepository, &[Unless(&["DRONE_PULL_REQUEST"], &Is("DRONE_REPO"))]),
            (Field::PullRequest, &[Is("DRONE_PULL_REQUEST")]),
            (Field::Event, &[Is("DRONE_BUILD_EVENT")]),
            (Field::Workflow, &[Is("DRONE_STAGE_NAME")]),
            (Field::Started, &[Is("DRONE_BUILD_STARTED")]),
            (Field::WebUrl, &[Is("DRONE_BUILD_LINK")]),
        ];
    /// Semaphore.
    Semaphore = "semaphore", "Semaphore",
        "https://docs.semaphoreci.com/reference/env-vars",
        Sign::True("SEMAPHORE"), &[
            (Field::Repo, &[Is("SEMAPHORE_GIT_REPO_SLUG")]),
            (Field::Run, &[Is("SEMAPHORE_WORKFLOW_ID")]),
            (Field::Job, &[Is("SEMAPHORE_JOB_ID")]),
            (Field::JobName, &[Is("SEMAPHORE_JOB_NAME")]),
            // of a pull request SEMAPHORE_GIT_SHA merges it
            (Field::Commit, &[Is("SEMAPHORE_GIT_PR_SHA"), Is("SEMAPHORE_GIT_SHA")]),
            (Field::Branch, &[
                Is("SEMAPHORE_GIT_PR_BRANCH"),
                Unless(&["SEMAPHORE_GIT_TAG_NAME", "SEMAPHORE_GIT_PR_NUMBER"], &Is("SEMAPHORE_GIT_BRANCH")),
            ]),
            (Field::HeadRepository, &[
                Is("SEMAPHORE_GIT_PR_SLUG"),
                Unless(&["SEMAPHORE_GIT_PR_NUMBER"], &Is("SEMAPHORE_GIT_REPO_SLUG")),
            ]),
            (Field::PullRequest, &[Is("SEMAPHORE_GIT_PR_NUMBER")]),
            (Field::Event, &[Is("SEMAPHORE_GIT_REF_TYPE")]),
            (Field::Workflow, &[Is("SEMAPHORE_PROJECT_NAME")]),
            (Field::WebUrl, &[Text("{SEMAPHORE_ORGANIZATION_URL}/workflows/{SEMAPHORE_WORKFLOW_ID}")]),
        ];
    /// `AppVeyor`.
    AppVeyor = "appveyor", "AppVeyor",
        "https://www.appveyor.com/docs/environment-variables/",
        Sign::True("APPVEYOR"), &[
            (Field::Repo, &[Is("APPVEYOR_REPO_NAME")]),
            (Field::Run, &[Is("APPVEYOR_BUILD_ID")]),
            (Field::Job, &[Is("APPVEYOR_JOB_ID")]),
            (Field::JobName, &[Is("APPVEYOR_JOB_NAME")]),
            (Field::Commit, &[Is("APPVEYOR_PULL_REQUEST_HEAD_COMMIT"), Is("APPVEYOR_REPO_COMMIT")]),
            // of a pull request APPVEYOR_REPO_BRANCH is the one that it goes to
            (Field::Branch, &[
                Is("APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH"),
                Unless(
                    &["APPVEYOR_REPO_TAG_NAME", "APPVEYOR_PULL_REQUEST_NUMBER"],
                    &Is("APPVEYOR_REPO_BRANCH"),
                ),
            ]),
            (Field::HeadRepository, &[
                Is("APPVEYOR_PULL_REQUEST_HEAD_REPO_NAME"),
                Unless(&["APPVEYOR_PULL_REQUEST_NUMBER"], &Is("APPVEYOR_REPO_NAME")),
            ]),
            (Field::PullRequest, &[Is("APPVEYOR_PULL_REQUEST_NUMBER")]),
            (Field::Workflow, &[Is("APPVEYOR_PROJECT_SLUG")]),
            (Field::WebUrl, &[
                Text("{APPVEYOR_URL}/project/{APPVEYOR_ACCOUNT_NAME}/{APPVEYOR_PROJECT_SLUG}/builds/{APPVEYOR_BUILD_ID}"),
            ]),
        ];
    /// `TeamCity`.
    TeamCity = "teamcity", "TeamCity",
        "https://www.jetbrains.com/help/teamcity/predefined-build-parameters.html",
        Sign::There("TEAMCITY_VERSION"), &[
            // BUILD_NUMBER is the build configuration's own, and no variable tells the configuration
            (Field::Run, &[Build("BUILD_URL")]),
            (Field::JobName, &[Is("TEAMCITY_BUILDCONF_NAME")]),
            (Field::Commit, &[Hash("BUILD_VCS_NUMBER")]),
            (Field::Workflow, &[Text("{TEAMCITY_PROJECT_NAME} / {TEAMCITY_BUILDCONF_NAME}")]),
            (Field::WebUrl, &[Is("BUILD_URL")]),
        ];
    /// Jenkins.
    Jenkins = "jenkins", "Jenkins",
        "https://www.jenkins.io/doc/book/pipeline/jenkinsfile/#using-environment-variables",
        Sign::There("JENKINS_URL"), &[
            (Field::Repo, &[Repo("GIT_URL"), Repo("GIT_URL_1")]),
            // the build's number is its job's own, and BUILD_TAG one for the jobs `a/b` and `a-b`
            (Field::Run, &[Is("BUILD_URL"), Is("BUILD_TAG")]),
            (Field::JobName, &[Is("STAGE_NAME"), Is("JOB_BASE_NAME")]),
            (Field::Node, &[Text("{NODE_NAME}-{EXECUTOR_NUMBER}"), Is("NODE_NAME")]),
            (Field::Commit, &[Is("GIT_COMMIT")]),
            (Field::Branch, &[
                Is("CHANGE_BRANCH"),
                Unless(&["TAG_NAME", "CHANGE_ID"], &Is("BRANCH_NAME")),
                Unless(&["TAG_NAME", "CHANGE_ID"], &Branch("GIT_BRANCH")),
            ]),
            (Field::HeadRepository, &[
                Fork("CHANGE_FORK", "GIT_URL"),
                // of a change from the repository itself no fork is told
                Repo("GIT_URL"),
                Repo("GIT_URL_1"),
            ]),
            (Field::PullRequest, &[Is("CHANGE_ID")]),
            (Field::Workflow, &[Is("JOB_NAME")]),
            (Field::WebUrl, &[Is("BUILD_URL")]),
        ];
}
