//! Where CI machines put a checkout: what stands before a path there is not the test's.

/// Folders that a checkout is put in, by the documentation of their makers. `*` is any one name, `#` a number, `=` the
/// name before it again; any drive's letter stands for `D:`.
const CHECKOUTS: &[&str] = &[
    // GitHub Actions: hosted runners, containers, runners of one's own
    "/home/runner/work/*/=",
    "/Users/runner/work/*/=",
    "D:/a/*/=",
    "/__w/*/=",
    "/github/workspace",
    "/home/runner/_work/*/=",
    "/actions-runner/_work/*/=",
    "/opt/actions-runner/_work/*/=",
    "D:/actions-runner/_work/*/=",
    // Azure Pipelines
    "/home/vsts/work/#/s",
    "/Users/runner/work/#/s",
    "/__w/#/s",
    "D:/a/#/s",
    // CircleCI
    "/home/circleci/project",
    "/root/project",
    "/Users/distiller/project",
    "D:/Users/circleci/project",
    // GitLab
    "/builds/*/*",
    // Jenkins
    "/var/lib/jenkins/workspace/*",
    "/var/jenkins_home/workspace/*",
    "/home/jenkins/workspace/*",
    "/home/jenkins/agent/workspace/*",
    // Buildkite
    "/var/lib/buildkite-agent/builds/*/*/*",
    // Bitbucket Pipelines
    "/opt/atlassian/pipelines/agent/build",
    // Travis CI
    "/home/travis/build/*/*",
    // Drone
    "/drone/src",
    // Semaphore
    "/home/semaphore/*",
    // AppVeyor
    "D:/projects/*",
    // TeamCity
    "/opt/buildagent/work/*",
];

/// Returns the part of a path below a known checkout; another text as it is.
#[inline]
pub(super) fn without_checkout(path: &str) -> &str {
    let is_absolute = match path.as_bytes() {
        [b'/', ..] => true,
        [drive, b':', b'/' | b'\\', ..] => drive.is_ascii_alphabetic(),
        _ => false,
    };
    if !is_absolute {
        return path;
    }
    below_any(path)
}

fn below_any(path: &str) -> &str {
    CHECKOUTS.iter().find_map(|checkout| below(path, checkout)).unwrap_or(path)
}

/// Returns what follows a folder that fits the pattern.
fn below<'path>(path: &'path str, pattern: &str) -> Option<&'path str> {
    let mut rest = path;
    let mut before = "";
    for (place, wanted) in pattern.split('/').enumerate() {
        let (name, behind) = rest.split_once(['/', '\\'])?;
        let fits = match wanted {
            "*" => !name.is_empty(),
            "#" => !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()),
            "=" => name == before,
            "D:" if place == 0 => matches!(name.as_bytes(), [drive, b':'] if drive.is_ascii_alphabetic()),
            _ => name == wanted,
        };
        if !fits {
            return None;
        }
        before = name;
        rest = behind;
    }
    (!rest.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_below_a_checkout_is_cut_there() {
        for (path, below) in [
            ("/home/runner/work/name/name/a/b.py", "a/b.py"),
            ("d:\\a\\name\\name\\a\\b.py", "a\\b.py"),
            ("/__w/2/s/a.py", "a.py"),
            ("/builds/group/project/a.py", "a.py"),
            ("/var/lib/jenkins/workspace/job@2/a.py", "a.py"),
            ("/root/project/a.py", "a.py"),
        ] {
            assert_eq!(without_checkout(path), below, "{path}");
        }
    }

    #[test]
    fn other_texts_stay() {
        for path in [
            "a/b.py",
            "/a/b.py",
            "/home/runner/work/name/other/a.py",
            "/home/runner/work/name/name/",
            "/home/runner/work/name/name",
            "/root/projects/a.py",
            "D:",
            "/",
            "",
        ] {
            assert_eq!(without_checkout(path), path, "{path}");
        }
    }
}
