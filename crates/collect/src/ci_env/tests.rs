//! A job of each provider, with the variables that its documentation gives it.

use std::fmt::Write as _;

use super::provider::{Field, Sign};
use super::*;

fn of(pairs: &[(&'static str, &'static str)]) -> Option<CiRun> {
    CiRun::of(|name| pairs.iter().find(|(n, v)| *n == name && !v.is_empty()).map(|(_, v)| *v))
}

/// What is told, in a line for each field that is known.
fn told(pairs: &[(&'static str, &'static str)]) -> String {
    lines(&of(pairs).unwrap())
}

fn lines(run: &CiRun) -> String {
    let number = |number: Option<u64>| number.map(|number| number.to_string());
    let fields = [
        ("repo", run.repo.clone()),
        ("run", run.run_id.clone()),
        ("attempt", number(run.attempt.map(u64::from))),
        ("job", run.job_key(None, None)),
        ("name", run.job_name.clone()),
        ("commit", run.head_commit.clone()),
        ("branch", run.head_branch.clone()),
        ("of", run.head_repository.clone()),
        ("pull", number(run.pull_request)),
        ("event", run.event.clone()),
        ("workflow", run.workflow.clone()),
        ("base", run.merge_base.clone()),
        ("start", run.started_unix_ms.map(|ms| ms.to_string())),
        ("url", run.web_url.clone()),
    ];
    let known = fields.into_iter().filter_map(|(name, value)| Some(format!("{name}={}", value?)));
    format!("{}: {}", run.provider.as_str(), known.collect::<Vec<_>>().join(" "))
}

const PUSH: &[(&str, &str)] = &[
    ("GITHUB_ACTIONS", "true"),
    ("GITHUB_SERVER_URL", "https://github.com"),
    ("GITHUB_REPOSITORY", "o/r"),
    ("GITHUB_RUN_ID", "7"),
    ("GITHUB_RUN_ATTEMPT", "2"),
    ("GITHUB_JOB", "test"),
    ("RUNNER_NAME", "GitHub Actions 3"),
    ("GITHUB_SHA", "c0ffee1"),
    ("GITHUB_REF", "refs/heads/main"),
    ("GITHUB_EVENT_NAME", "push"),
    ("GITHUB_WORKFLOW", "CI"),
];

fn with<'pairs>(
    base: &'pairs [(&'static str, &'static str)],
    more: &'pairs [(&'static str, &'static str)],
) -> Vec<(&'static str, &'static str)> {
    more.iter().chain(base).copied().collect()
}

#[test]
fn github_s_push_tests_a_branch_of_the_repository() {
    assert_eq!(
        told(PUSH),
        "github: repo=o/r run=7 attempt=2 job=test-GitHub Actions 3 name=test commit=c0ffee1 branch=main of=o/r \
         event=push workflow=CI url=https://github.com/o/r/actions/runs/7"
    );
    let run = of(PUSH).unwrap();
    assert!(run.is(Some("o/r"), Some("7")));
    assert!(!run.is(Some("o/r"), Some("8")) && !run.is(None, Some("7")));
    assert_eq!(run.attempt_choice(), AttemptChoice::Number(2));
    assert_eq!(run.facts().provider.as_deref(), Some("github"));
}

#[test]
fn github_s_tag_is_no_branch() {
    let run = of(&with(PUSH, &[("GITHUB_REF", "refs/tags/v1"), ("GITHUB_REF_NAME", "v1")])).unwrap();
    assert_eq!((run.head_branch, run.head_commit.as_deref()), (None, Some("c0ffee1")));
    let named = |kind| {
        let pairs = [("GITHUB_REF", ""), ("GITHUB_REF_NAME", "v1"), ("GITHUB_REF_TYPE", kind)];
        let pairs = with(PUSH, &pairs).into_iter().filter(|pair| pair.0 != "GITHUB_REF").collect::<Vec<_>>();
        of(&pairs).unwrap().head_branch
    };
    assert_eq!((named("tag"), named("branch").as_deref()), (None, Some("v1")));
}

const PULL: &[(&str, &str)] = &[
    ("GITHUB_HEAD_REF", "feature"),
    ("GITHUB_REF", "refs/pull/12/merge"),
    ("GITHUB_EVENT_NAME", "pull_request"),
];

#[test]
fn github_s_pull_request_is_told_by_the_event_file_not_by_the_commit_that_merges_it() {
    let run = of(&with(PUSH, PULL)).unwrap();
    let alone = "github: repo=o/r run=7 attempt=2 job=test-GitHub Actions 3 name=test branch=feature pull=12 \
                 event=pull_request workflow=CI url=https://github.com/o/r/actions/runs/7";
    assert_eq!(lines(&run), alone);
    let event = r#"{"pull_request": {"number": 12, "head": {"sha": "beef123", "ref": "feature", "repo": {"full_name": "fork/r"}},
        "base": {"sha": "0"}}, "sender": {"login": "x"}}"#;
    assert_eq!(
        lines(&run.clone().with_event(event)),
        alone.replace(" branch=feature", " commit=beef123 branch=feature of=fork/r")
    );
    // the fork is gone
    let event =
        r#"{"pull_request": {"number": 12, "head": {"sha": "beef123", "ref": "feature", "repo": null}}}"#;
    assert_eq!(run.clone().with_event(event).head_repository, None);
    for broken in ["", "[]", "{", r#"{"pull_request": 1}"#] {
        assert_eq!(run.clone().with_event(broken), run, "{broken}");
    }
}

#[test]
fn github_s_review_of_a_pull_request_is_no_push() {
    // GITHUB_HEAD_REF is there for `pull_request` and `pull_request_target` alone
    let review = [
        ("GITHUB_REF", "refs/pull/12/merge"),
        ("GITHUB_REF_NAME", "12/merge"),
        ("GITHUB_REF_TYPE", "branch"),
        ("GITHUB_EVENT_NAME", "pull_request_review"),
    ];
    assert_eq!(
        told(&with(PUSH, &review)),
        "github: repo=o/r run=7 attempt=2 job=test-GitHub Actions 3 name=test pull=12 event=pull_request_review workflow=CI \
         url=https://github.com/o/r/actions/runs/7"
    );
}

#[test]
fn github_s_runner_of_one_s_own_is_told_by_the_id_that_it_gives_each_job() {
    let node = |more: &[(&'static str, &'static str)]| of(&with(PUSH, more)).unwrap().node;
    let tracked = ("RUNNER_TRACKING_ID", "github_1f3d9475-6c94-40ee-a160-8b3fd282c3a1");
    let id = Some(tracked.1.to_owned());
    assert_eq!(node(&[("RUNNER_ENVIRONMENT", "self-hosted"), tracked]), id);
    // servers that do not tell whose the runner is
    assert_eq!(node(&[tracked]), id);
    // each of GitHub's own machines has one job
    let name = Some("GitHub Actions 3".to_owned());
    assert_eq!(node(&[("RUNNER_ENVIRONMENT", "github-hosted"), tracked]), name);
    // set so that processes outlive the job
    assert_eq!(node(&[("RUNNER_TRACKING_ID", "0")]), name);
}

#[test]
fn github_s_workflow_run_stands_for_the_run_that_made_it_begin() {
    let run = of(&with(PUSH, &[("GITHUB_EVENT_NAME", "workflow_run")])).unwrap();
    let event = |kind: &str, pulls: &str| {
        format!(
            r#"{{"action": "completed", "workflow_run": {{"id": 99, "run_attempt": 3, "name": "Build", "event": "{kind}",
            "head_sha": "beef123", "head_branch": "feature", "head_repository": {{"full_name": "fork/r"}}, "pull_requests": {pulls},
            "run_started_at": "2026-11-23T02:40:40Z", "html_url": "https://github.com/o/r/actions/runs/99"}}}}"#
        )
    };
    assert_eq!(
        lines(&run.clone().with_event(&event("pull_request", r#"[{"number": 5}]"#))),
        "github: repo=o/r run=99 attempt=3 job=test-CI name=test commit=beef123 branch=feature of=fork/r pull=5 \
         event=pull_request workflow=Build start=1795401640000 url=https://github.com/o/r/actions/runs/99"
    );
    assert_eq!(run.clone().with_event(&event("pull_request", "[]")).pull_request, None);
    assert_eq!(run.clone().with_event(&event("push", r#"[{"number": 5}]"#)).pull_request, None);
    // under another event it is not this run's
    let push = of(PUSH).unwrap();
    assert_eq!(push.clone().with_event(&event("push", "[]")), push);
}

#[test]
fn the_event_file_is_read_where_it_can_be() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("event.json");
    std::fs::write(&file, r#"{"pull_request": {"head": {"sha": "beef123"}}}"#).unwrap();
    let pairs = with(PUSH, PULL);
    for (path, commit) in [(file.to_str().unwrap(), Some("beef123")), ("/no/such/file", None)] {
        let get = |name: &str| match name {
            "GITHUB_EVENT_PATH" => Some(path),
            _ => pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| *v),
        };
        assert_eq!(CiRun::of(get).unwrap().with_event_file().head_commit.as_deref(), commit);
    }
}

const GITLAB: &[(&str, &str)] = &[
    ("GITLAB_CI", "true"),
    ("CI_PROJECT_PATH", "group/sub/r"),
    ("CI_PIPELINE_ID", "300"),
    ("CI_JOB_ID", "4001"),
    ("CI_JOB_NAME", "test 1/2"),
    ("CI_COMMIT_SHA", "c0ffee1"),
    ("CI_PIPELINE_SOURCE", "push"),
    ("CI_PIPELINE_CREATED_AT", "2026-11-23T02:40:40Z"),
    ("CI_PIPELINE_URL", "https://gitlab.com/group/sub/r/-/pipelines/300"),
];

#[test]
fn gitlab_s_merge_request_is_told_by_its_source() {
    assert_eq!(
        told(&with(GITLAB, &[("CI_COMMIT_BRANCH", "main"), ("CI_PIPELINE_NAME", "nightly")])),
        "gitlab: repo=group/sub/r run=300 job=4001 name=test 1/2 commit=c0ffee1 branch=main of=group/sub/r event=push \
         workflow=nightly start=1795401640000 url=https://gitlab.com/group/sub/r/-/pipelines/300"
    );
    let merge = [
        ("CI_MERGE_REQUEST_IID", "8"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", "feature"),
        ("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "beef123"),
        ("CI_MERGE_REQUEST_SOURCE_PROJECT_PATH", "me/r"),
        ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "ba5e123"),
        ("CI_PIPELINE_SOURCE", "merge_request_event"),
    ];
    assert_eq!(
        told(&with(GITLAB, &merge)),
        "gitlab: repo=group/sub/r run=300 job=4001 name=test 1/2 commit=beef123 branch=feature of=me/r pull=8 \
         event=merge_request_event base=ba5e123 start=1795401640000 url=https://gitlab.com/group/sub/r/-/pipelines/300"
    );
    // a tag has no CI_COMMIT_BRANCH
    assert_eq!(of(&with(GITLAB, &[("CI_COMMIT_TAG", "v1")])).unwrap().head_branch, None);
}

#[test]
fn a_circleci_job_belongs_to_a_workflow() {
    let job = [
        ("CIRCLECI", "true"),
        ("CIRCLE_PROJECT_USERNAME", "o"),
        ("CIRCLE_PROJECT_REPONAME", "r"),
        ("CIRCLE_WORKFLOW_ID", "f1c2"),
        ("CIRCLE_BUILD_NUM", "101"),
        ("CIRCLE_JOB", "test"),
        ("CIRCLE_NODE_INDEX", "1"),
        ("CIRCLE_SHA1", "c0ffee1"),
        ("CIRCLE_BRANCH", "main"),
        ("CIRCLE_BUILD_URL", "https://circleci.com/gh/o/r/101"),
    ];
    assert_eq!(
        told(&job),
        "circleci: repo=o/r run=f1c2 attempt=1 job=101-1 name=test commit=c0ffee1 branch=main of=o/r \
         url=https://circleci.com/gh/o/r/101"
    );
    assert!(of(&job).unwrap().is(Some("o/r"), Some("f1c2")));
    let pull = [("CIRCLE_PULL_REQUEST", "https://github.com/o/r/pull/12"), ("CIRCLE_BRANCH", "feature")];
    let run = of(&with(&job, &pull)).unwrap();
    assert_eq!((run.pull_request, run.head_repository), (Some(12), None));
    let fork = [
        ("CIRCLE_PR_NUMBER", "12"),
        ("CIRCLE_PR_USERNAME", "me"),
        ("CIRCLE_PR_REPONAME", "r"),
        ("CIRCLE_BRANCH", "pull/12"),
    ];
    let run = of(&with(&job, &fork)).unwrap();
    assert_eq!((run.pull_request, run.head_repository.as_deref()), (Some(12), Some("me/r")));
    assert_eq!(of(&with(&job, &[("CIRCLE_TAG", "v1")])).unwrap().head_branch, None);
}

#[test]
fn a_buildkite_job_belongs_to_a_build() {
    let job = [
        ("BUILDKITE", "true"),
        ("BUILDKITE_REPO", "git@github.com:o/r.git"),
        ("BUILDKITE_BUILD_ID", "4735ba57-80d0-46e2-8fa0-b28223a86586"),
        ("BUILDKITE_JOB_ID", "e44f9784"),
        ("BUILDKITE_LABEL", ":hammer: Tests"),
        ("BUILDKITE_COMMIT", "c0ffee1"),
        ("BUILDKITE_BRANCH", "main"),
        ("BUILDKITE_PULL_REQUEST", "false"),
        ("BUILDKITE_SOURCE", "webhook"),
        ("BUILDKITE_PIPELINE_SLUG", "r-tests"),
        ("BUILDKITE_BUILD_URL", "https://buildkite.com/o/r-tests/builds/1514"),
    ];
    assert_eq!(
        told(&job),
        "buildkite: repo=o/r run=4735ba57-80d0-46e2-8fa0-b28223a86586 job=e44f9784 name=:hammer: Tests commit=c0ffee1 \
         branch=main of=o/r event=webhook workflow=r-tests url=https://buildkite.com/o/r-tests/builds/1514"
    );
    let pull = [
        ("BUILDKITE_PULL_REQUEST", "12"),
        ("BUILDKITE_PULL_REQUEST_REPO", "https://github.com/me/r.git"),
        ("BUILDKITE_BRANCH", "feature"),
        ("BUILDKITE_COMMIT", "HEAD"),
    ];
    let run = of(&with(&job, &pull)).unwrap();
    assert_eq!((run.pull_request, run.head_repository.as_deref()), (Some(12), Some("me/r")));
    assert_eq!(run.head_commit, None);
    assert_eq!(of(&with(&job, &[("BUILDKITE_TAG", "v1")])).unwrap().head_branch, None);
}

#[test]
fn a_jenkins_build_is_told_by_its_change() {
    let build = [
        ("JENKINS_URL", "https://ci.example.com/"),
        ("GIT_URL", "https://github.com/o/r.git"),
        ("BUILD_TAG", "jenkins-folder-r-main-17"),
        ("JOB_NAME", "folder/r/main"),
        ("JOB_BASE_NAME", "main"),
        ("STAGE_NAME", "Test"),
        ("NODE_NAME", "agent-1"),
        ("EXECUTOR_NUMBER", "0"),
        ("GIT_COMMIT", "c0ffee1"),
        ("GIT_BRANCH", "origin/main"),
        ("BUILD_URL", "https://ci.example.com/job/folder/job/r/job/main/17/"),
    ];
    let url = "url=https://ci.example.com/job/folder/job/r/job/main/17/";
    assert_eq!(
        told(&build),
        format!(
            "jenkins: repo=o/r run=https://ci.example.com/job/folder/job/r/job/main/17/ job=Test-agent-1-0 name=Test \
             commit=c0ffee1 branch=main of=o/r workflow=folder/r/main {url}"
        )
    );
    // where the address is not to be had; BUILD_TAG is one for the jobs `a/b` and `a-b`
    let bare: Vec<_> = build.into_iter().filter(|(name, _)| *name != "BUILD_URL").collect();
    assert_eq!(of(&bare).unwrap().run_id.as_deref(), Some("jenkins-folder-r-main-17"));
    let change =
        [("CHANGE_ID", "12"), ("CHANGE_BRANCH", "feature"), ("CHANGE_FORK", "me"), ("BRANCH_NAME", "PR-12")];
    let run = of(&with(&build, &change)).unwrap();
    assert_eq!(
        (run.pull_request, run.head_branch.as_deref(), run.head_repository.as_deref()),
        (Some(12), Some("feature"), Some("me/r"))
    );
    let tag = of(&with(&build, &[("TAG_NAME", "v1"), ("BRANCH_NAME", "v1")])).unwrap();
    assert_eq!(tag.head_branch, None);
}

#[test]
fn an_azure_job_s_pull_request_is_told_by_its_source() {
    let job = [
        ("TF_BUILD", "True"),
        ("BUILD_REPOSITORY_URI", "https://dev.azure.com/org/project/_git/r"),
        ("BUILD_REPOSITORY_NAME", "o/r"),
        ("BUILD_BUILDID", "55"),
        ("SYSTEM_JOBATTEMPT", "1"),
        ("SYSTEM_JOBID", "12f1170f"),
        ("SYSTEM_JOBDISPLAYNAME", "Tests on Linux"),
        ("BUILD_SOURCEVERSION", "c0ffee1"),
        ("BUILD_SOURCEBRANCH", "refs/heads/main"),
        ("BUILD_REASON", "IndividualCI"),
        ("BUILD_DEFINITIONNAME", "r-ci"),
        ("SYSTEM_COLLECTIONURI", "https://dev.azure.com/org/"),
        ("SYSTEM_TEAMPROJECT", "project"),
    ];
    assert_eq!(
        told(&job),
        "azure: repo=o/r run=55 attempt=1 job=12f1170f name=Tests on Linux commit=c0ffee1 branch=main of=o/r \
         event=IndividualCI workflow=r-ci url=https://dev.azure.com/org/project/_build/results?buildId=55"
    );
    let pull = [
        ("BUILD_REASON", "PullRequest"),
        ("BUILD_SOURCEBRANCH", "refs/pull/12/merge"),
        ("SYSTEM_PULLREQUEST_PULLREQUESTID", "987654"),
        ("SYSTEM_PULLREQUEST_PULLREQUESTNUMBER", "12"),
        ("SYSTEM_PULLREQUEST_SOURCEBRANCH", "refs/heads/feature"),
        ("SYSTEM_PULLREQUEST_SOURCECOMMITID", "beef123"),
        ("SYSTEM_PULLREQUEST_ISFORK", "True"),
        ("SYSTEM_PULLREQUEST_SOURCEREPOSITORYURI", "https://github.com/me/r"),
    ];
    let run = of(&with(&job, &pull)).unwrap();
    assert_eq!((run.pull_request, run.head_commit.as_deref()), (Some(12), Some("beef123")));
    assert_eq!((run.head_branch.as_deref(), run.head_repository.as_deref()), (Some("feature"), Some("me/r")));
    assert_eq!(of(&with(&job, &[("BUILD_SOURCEBRANCH", "refs/tags/v1")])).unwrap().head_branch, None);
    // of a repository at Azure itself only the name is told
    let own = of(&with(&job, &[("BUILD_REPOSITORY_NAME", "r")])).unwrap();
    assert_eq!(own.repo.as_deref(), Some("project/r"));
}

#[test]
fn a_bitbucket_step_belongs_to_a_pipeline() {
    let step = [
        ("BITBUCKET_BUILD_NUMBER", "52"),
        ("BITBUCKET_REPO_FULL_NAME", "o/r"),
        ("BITBUCKET_PIPELINE_UUID", "{d32eeb5c}"),
        ("BITBUCKET_STEP_UUID", "{19fb8a86}"),
        ("BITBUCKET_STEP_RUN_NUMBER", "2"),
        ("BITBUCKET_COMMIT", "c0ffee1"),
        ("BITBUCKET_BRANCH", "feature"),
        ("BITBUCKET_PR_ID", "12"),
    ];
    assert_eq!(
        told(&step),
        "bitbucket: repo=o/r run=d32eeb5c attempt=2 job=19fb8a86 commit=c0ffee1 branch=feature of=o/r pull=12 \
         url=https://bitbucket.org/o/r/pipelines/results/52"
    );
}

#[test]
fn a_travis_job_s_pull_request_is_told_by_its_head() {
    let job = [
        ("TRAVIS", "true"),
        ("TRAVIS_REPO_SLUG", "o/r"),
        ("TRAVIS_BUILD_ID", "70"),
        ("TRAVIS_JOB_ID", "71"),
        ("TRAVIS_JOB_NAME", "unit"),
        ("TRAVIS_COMMIT", "c0ffee1"),
        ("TRAVIS_BRANCH", "main"),
        ("TRAVIS_PULL_REQUEST", "false"),
        ("TRAVIS_EVENT_TYPE", "push"),
        ("TRAVIS_BUILD_WEB_URL", "https://app.travis-ci.com/o/r/builds/70"),
    ];
    assert_eq!(
        told(&job),
        "travis: repo=o/r run=70 job=71 name=unit commit=c0ffee1 branch=main of=o/r event=push \
         url=https://app.travis-ci.com/o/r/builds/70"
    );
    let pull = [
        ("TRAVIS_PULL_REQUEST", "12"),
        ("TRAVIS_PULL_REQUEST_SHA", "beef123"),
        ("TRAVIS_PULL_REQUEST_BRANCH", "feature"),
        ("TRAVIS_PULL_REQUEST_SLUG", "me/r"),
        ("TRAVIS_EVENT_TYPE", "pull_request"),
    ];
    let run = of(&with(&job, &pull)).unwrap();
    assert_eq!((run.pull_request, run.head_commit.as_deref()), (Some(12), Some("beef123")));
    assert_eq!((run.head_branch.as_deref(), run.head_repository.as_deref()), (Some("feature"), Some("me/r")));
    assert_eq!(of(&with(&job, &[("TRAVIS_TAG", "v1")])).unwrap().head_branch, None);
}

#[test]
fn a_drone_step_belongs_to_a_build() {
    let step = [
        ("DRONE", "true"),
        ("DRONE_REPO", "o/r"),
        ("DRONE_BUILD_NUMBER", "42"),
        ("DRONE_STAGE_NUMBER", "1"),
        ("DRONE_STEP_NUMBER", "3"),
        ("DRONE_STEP_NAME", "test"),
        ("DRONE_STAGE_NAME", "linux"),
        ("DRONE_COMMIT_SHA", "c0ffee1"),
        ("DRONE_BRANCH", "main"),
        ("DRONE_SOURCE_BRANCH", "main"),
        ("DRONE_BUILD_EVENT", "push"),
        ("DRONE_BUILD_STARTED", "915148800"),
        ("DRONE_BUILD_LINK", "https://drone.example.com/o/r/42"),
    ];
    assert_eq!(
        told(&step),
        "drone: repo=o/r run=42 job=1.3 name=test commit=c0ffee1 branch=main of=o/r event=push workflow=linux \
         start=915148800000 url=https://drone.example.com/o/r/42"
    );
    let pull = [
        ("DRONE_PULL_REQUEST", "12"),
        ("DRONE_SOURCE_BRANCH", "feature"),
        ("DRONE_BUILD_EVENT", "pull_request"),
    ];
    let run = of(&with(&step, &pull)).unwrap();
    assert_eq!((run.pull_request, run.head_branch.as_deref()), (Some(12), Some("feature")));
    assert_eq!(run.head_repository, None);
    assert_eq!(of(&with(&step, &[("DRONE_TAG", "v1")])).unwrap().head_branch, None);
}

#[test]
fn a_semaphore_job_s_pull_request_is_told_by_its_head() {
    let job = [
        ("SEMAPHORE", "true"),
        ("SEMAPHORE_GIT_REPO_SLUG", "o/r"),
        ("SEMAPHORE_WORKFLOW_ID", "65c398bb"),
        ("SEMAPHORE_JOB_ID", "a26d42cf"),
        ("SEMAPHORE_JOB_NAME", "unit"),
        ("SEMAPHORE_GIT_SHA", "c0ffee1"),
        ("SEMAPHORE_GIT_BRANCH", "main"),
        ("SEMAPHORE_GIT_REF_TYPE", "branch"),
        ("SEMAPHORE_PROJECT_NAME", "r"),
        ("SEMAPHORE_ORGANIZATION_URL", "https://o.semaphoreci.com"),
    ];
    assert_eq!(
        told(&job),
        "semaphore: repo=o/r run=65c398bb job=a26d42cf name=unit commit=c0ffee1 branch=main of=o/r event=branch workflow=r \
         url=https://o.semaphoreci.com/workflows/65c398bb"
    );
    let pull = [
        ("SEMAPHORE_GIT_REF_TYPE", "pull-request"),
        ("SEMAPHORE_GIT_PR_NUMBER", "12"),
        ("SEMAPHORE_GIT_PR_SHA", "beef123"),
        ("SEMAPHORE_GIT_PR_BRANCH", "feature"),
        ("SEMAPHORE_GIT_PR_SLUG", "me/r"),
    ];
    let run = of(&with(&job, &pull)).unwrap();
    assert_eq!((run.pull_request, run.head_commit.as_deref()), (Some(12), Some("beef123")));
    assert_eq!((run.head_branch.as_deref(), run.head_repository.as_deref()), (Some("feature"), Some("me/r")));
    assert_eq!(of(&with(&job, &[("SEMAPHORE_GIT_TAG_NAME", "v1")])).unwrap().head_branch, None);
}

#[test]
fn a_teamcity_build_is_told_by_the_end_of_its_page() {
    let build = [
        ("TEAMCITY_VERSION", "2025.07"),
        ("TEAMCITY_PROJECT_NAME", "Project"),
        ("TEAMCITY_BUILDCONF_NAME", "Tests"),
        ("BUILD_NUMBER", "17"),
        ("BUILD_VCS_NUMBER", "c0ffee1"),
        ("BUILD_URL", "https://tc.example.com/buildConfiguration/Project_Tests/5501"),
    ];
    assert_eq!(
        told(&build),
        "teamcity: run=5501 job=Tests name=Tests commit=c0ffee1 workflow=Project / Tests \
         url=https://tc.example.com/buildConfiguration/Project_Tests/5501"
    );
    // the classic pages
    for url in
        ["viewLog.html?buildId=5501&buildTypeId=Tests_2", "viewLog.html?buildTypeId=bt12&buildId=5501#x7"]
    {
        let url = Box::leak(format!("https://tc.example.com/{url}").into_boxed_str());
        assert_eq!(of(&with(&build[..5], &[("BUILD_URL", url)])).unwrap().run_id.as_deref(), Some("5501"));
    }
    // BUILD_NUMBER is counted by each build configuration for itself, and names of these are not unique
    assert_eq!(of(&build[..5]).unwrap().run_id, None);
}

#[test]
fn an_appveyor_job_s_pull_request_is_told_by_its_head() {
    let job = [
        ("APPVEYOR", "True"),
        ("APPVEYOR_REPO_NAME", "o/r"),
        ("APPVEYOR_BUILD_ID", "900"),
        ("APPVEYOR_JOB_ID", "x8p"),
        ("APPVEYOR_JOB_NAME", "Image: Ubuntu"),
        ("APPVEYOR_REPO_COMMIT", "c0ffee1"),
        ("APPVEYOR_REPO_BRANCH", "main"),
        ("APPVEYOR_PROJECT_SLUG", "r"),
        ("APPVEYOR_ACCOUNT_NAME", "o"),
        ("APPVEYOR_URL", "https://ci.appveyor.com"),
    ];
    assert_eq!(
        told(&job),
        "appveyor: repo=o/r run=900 job=x8p name=Image: Ubuntu commit=c0ffee1 branch=main of=o/r workflow=r \
         url=https://ci.appveyor.com/project/o/r/builds/900"
    );
    let pull = [
        ("APPVEYOR_PULL_REQUEST_NUMBER", "12"),
        ("APPVEYOR_PULL_REQUEST_HEAD_COMMIT", "beef123"),
        ("APPVEYOR_PULL_REQUEST_HEAD_REPO_BRANCH", "feature"),
        ("APPVEYOR_PULL_REQUEST_HEAD_REPO_NAME", "me/r"),
    ];
    let run = of(&with(&job, &pull)).unwrap();
    assert_eq!((run.pull_request, run.head_commit.as_deref()), (Some(12), Some("beef123")));
    assert_eq!((run.head_branch.as_deref(), run.head_repository.as_deref()), (Some("feature"), Some("me/r")));
    assert_eq!(of(&with(&job, &[("APPVEYOR_REPO_TAG_NAME", "v1")])).unwrap().head_branch, None);
}

#[test]
fn what_is_said_of_a_job_stands_in_place_of_what_its_environment_says() {
    let key = |run: &CiRun, job, name| run.job_key(job, name).unwrap();
    let github = of(PUSH).unwrap();
    assert_eq!(key(&github, None, Some("unit")), "unit-GitHub Actions 3");
    assert_eq!(key(&github, Some("4711"), Some("unit")), "4711-GitHub Actions 3");
    let gitlab = of(GITLAB).unwrap();
    assert_eq!(key(&gitlab, None, Some("unit")), "4001-unit");
    assert_eq!(key(&gitlab, Some("4711"), None), "4711");
}

#[test]
fn a_run_whose_repository_is_not_told_is_that_of_whichever_is_asked_for() {
    let build =
        [("TEAMCITY_VERSION", "2025.07"), ("BUILD_URL", "https://tc.example.com/buildConfiguration/T/5501")];
    let run = of(&build).unwrap();
    assert!(run.is(Some("o/r"), Some("5501")) && run.is(None, Some("5501")));
    assert!(!run.is(Some("o/r"), Some("5502")));
}

#[test]
fn elsewhere_there_is_none() {
    assert_eq!(of(&[("GITHUB_RUN_ID", "7"), ("CI", "true")]), None);
    assert_eq!(of(&[("GITHUB_ACTIONS", "false")]), None);
}

/// The page is rewritten where `TESTLAKE_BLESS` is set.
#[test]
fn the_page_of_ci_providers_tells_what_is_read() {
    let mut page = String::from(include_str!("page.md"));
    for provider in CiProvider::ALL {
        let sign = match provider.sign() {
            Sign::True(name) => format!("`{name}` is `true`"),
            Sign::There(name) => format!("`{name}` is set"),
        };
        let (name, word, docs) = (provider.name(), provider.as_str(), provider.docs());
        write!(
            page,
            "\n## {name}\n\nIn data `{word}`. Known where {sign}. Its own page: <{docs}>.\n\n| what | from |\n|---|---|\n"
        )
        .unwrap();
        for (field, name) in Field::ALL {
            let rules = provider.rules().iter().filter(|(of, _)| *of == field);
            let rules: Vec<_> = rules.flat_map(|(_, rules)| rules.iter().map(ToString::to_string)).collect();
            if !rules.is_empty() {
                writeln!(page, "| {name} | {} |", rules.join(", else ")).unwrap();
            }
        }
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/ci.md");
    if std::env::var_os("TESTLAKE_BLESS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), page, "set TESTLAKE_BLESS=1 to rewrite it");
}
