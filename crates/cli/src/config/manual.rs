//! `docs/settings.md`, made from the table and the options' help.

use std::fmt::Write as _;
use std::path::Path;

use clap::Arg;

use super::table::{self, Scope};

const INTRODUCTION: &str = "\
# Settings

<!-- Made from the program. To make it anew: TESTLAKE_BLESS=1 cargo test -p testlake the_page_of_settings -->

Each option has a twin in the environment and a key in `testlake.toml`. The option wins over the environment, and the
environment over the file. An empty variable counts as absent.

- `testlake.toml` is looked for in the working folder, then in the folders above it up to the root of the repository (the one that
  holds `.git`; outside a repository only the working folder counts). `--config FILE` (`TESTLAKE_CONFIG`) names another.
- Paths in the file are relative to the file's folder.
- Switches are `true` or `false` in the file and `true`, `false`, `1` or `0` in the environment; `--no-NAME` takes one back.
  What may be given more than once stands one a line in its variable, as `TESTLAKE_SOURCE` and `TESTLAKE_TAGS`, and in a list in the
  file. A comma does not part them: `--tags a=1,b=2` is one tag, `a`, with the value `1,b=2`.
- A key or a `TESTLAKE_` variable that is none of these, and a value that does not fit, end the program with 2 before any
  work begins, whatever the command.
- Credentials are no settings. They are read where their owners' own tools read them: `GITHUB_TOKEN`, `CIRCLE_TOKEN`, and what the
  clients of the stores know (`AWS_...`, `GOOGLE_...`, `AZURE_...`). `GITHUB_API_URL` names an Enterprise server,
  `CIRCLECI_CLI_HOST` (`https://HOST`) a server of CircleCI's.

In a job of GitHub Actions or CircleCI, repository, run, attempt and branch that are not given are those of the job (`GITHUB_REPOSITORY`,
`GITHUB_RUN_ID`, `GITHUB_RUN_ATTEMPT`, `GITHUB_HEAD_REF`, `GITHUB_REF_NAME`; `CIRCLE_PROJECT_USERNAME`,
`CIRCLE_PROJECT_REPONAME`, `CIRCLE_WORKFLOW_ID`, `CIRCLE_BRANCH`), where a source holds runs by id. For paths alone the run is
`local-<hash of the input>`, in such a job too. Attempt and branch are the job's only where the run is the job's own.

```toml
# testlake.toml
source = [\"s3://ci-artifacts\", \"github\"]
repo = \"owner/name\"
to = \"s3://test-results\"
threads = 4
max-entry-size = \"4GiB\"

[upload-test-stats]
to = \"./out\"
```
";

/// Renders the page.
fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    let mut told = std::collections::BTreeSet::new();
    for sub in crate::args::command().get_subcommands() {
        let command = sub.get_name();
        let rows: Vec<_> = sub
            .get_arguments()
            .filter(|arg| !crate::args::is_no_setting(command, arg))
            .filter_map(|arg| {
                Some((arg, table::of_flag(command, arg.get_long().unwrap_or(arg.get_id().as_str()))?))
            })
            // What commands share is told once, with the first.
            .filter(|(_, setting)| told.insert(setting.variable()))
            .collect();
        if rows.is_empty() {
            continue;
        }
        write!(page, "\n## `testlake {command}`\n").unwrap();
        if command != "collect" {
            page.push_str("\nAnd, as above: ");
            let shared = sub.get_arguments().filter(|arg| {
                let setting = arg.get_long().and_then(|long| table::of_flag(command, long));
                setting.is_some_and(|setting| {
                    setting.scope() == Scope::Shared
                        && !rows.iter().any(|(_, row)| row.name() == setting.name())
                })
            });
            let names: Vec<_> = shared.map(|arg| format!("`--{}`", arg.get_long().unwrap())).collect();
            writeln!(page, "{}.", names.join(", ")).unwrap();
        }
        page.push_str("\n| option | environment | key | meaning |\n|---|---|---|---|\n");
        for (arg, setting) in rows {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default().replace('|', "\\|");
            let key = match setting.scope() {
                Scope::Shared => setting.name().to_owned(),
                Scope::Of(table) => format!("{table}.{}", setting.name()),
            };
            writeln!(page, "| `{}` | `{}` | `{key}` | {} |", option(arg), setting.variable(), escape(&help))
                .unwrap();
        }
    }
    page
}

fn option(arg: &Arg) -> String {
    let Some(long) = arg.get_long() else {
        return format!("[{}]...", arg.get_id().as_str().to_ascii_uppercase());
    };
    match (arg.get_action().takes_values(), arg.get_value_names()) {
        (true, Some([name])) if arg.get_possible_values().is_empty() => format!("--{long} {name}"),
        (true, _) => {
            let values: Vec<_> = arg.get_possible_values().iter().map(|v| v.get_name().to_owned()).collect();
            format!("--{long} {}", values.join("\\|"))
        }
        (false, _) => format!("--{long}"),
    }
}

/// Keeps what looks like a tag, or a pattern's stars, as text.
fn escape(help: &str) -> String {
    help.replace('<', "&lt;").replace('*', "\\*")
}

#[test]
fn the_page_of_settings_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/settings.md");
    let page = page();
    if std::env::var_os("TESTLAKE_BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        kept.replace("\r\n", "\n"),
        page,
        "docs/settings.md is out of date; its second line says how to make it"
    );
}
