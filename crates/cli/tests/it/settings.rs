//! What is wrong with words, environment and file is told before any work begins, with exit code 2.

use insta::assert_snapshot;

use crate::program::Program;

#[test]
fn a_wrong_word_is_told() {
    let run = |words: &[&str]| Program::new().run(words);
    assert_snapshot!(run(&[]));
    assert_snapshot!(run(&["colect"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    error: unrecognized subcommand 'colect'

      tip: some similar subcommands exist: 'completions', 'collect'

    Usage: testlake <COMMAND>

    For more information, try '--help'.
    ");
    assert_snapshot!(run(&["collect"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: no source is given
      hint: give a path, a bucket, `github` or a run's web address, as in `testlake collect ./artifacts`
    ");
    assert_snapshot!(run(&["collect", "x", "--treads", "2"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    error: unexpected argument '--treads' found

      tip: a similar argument exists: '--threads'

    Usage: testlake collect --threads <N> <SOURCE>...

    For more information, try '--help'.
    ");
    assert_snapshot!(run(&["collect", "x", "--threads", "0"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    error: invalid value '0' for '--threads <N>': `0` is no whole number from 1 on

    For more information, try '--help'.
    ");
    assert_snapshot!(run(&["collect", "x", "--attempt", "first"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    error: invalid value 'first' for '--attempt <N>': `first` is none of: a whole number from 1 on, `latest`, `all`

    For more information, try '--help'.
    ");
    assert_snapshot!(run(&["collect", "x", "--full", "sometimes"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    error: invalid value 'sometimes' for '--full <FULL>'
      [possible values: auto, always, never]

    For more information, try '--help'.
    ");
    assert_snapshot!(run(&["collect", "x", "--expect-jobs", "("]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    error: invalid value '(' for '--expect-jobs <REGEX>': regex parse error:
        (
        ^
    error: unclosed group

    For more information, try '--help'.
    ");
    assert_snapshot!(run(&["collect", "x", "--layout", "{repo}"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    error: invalid value '{repo}' for '--layout <TEMPLATE>': the layout `{repo}` lacks `{run_id}`; it reads like `{repo}/{run_id}/{attempt}/artifact/`

    For more information, try '--help'.
    ");
    assert_snapshot!(run(&["collect", "s3://bucket"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: `s3://bucket` holds many runs, and none is named
      hint: name one with `--run-id`, or give its web address as the source
    ");
    assert_snapshot!(run(&["collect", "ftp://bucket/\u{1b}[2J"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: `ftp://` is no kind of source; known are s3://, gs://, az://, file:/// and a run's https:// address
    ");
}

#[test]
fn a_wrong_variable_is_told() {
    let run = |name, value| Program::new().with(name, value).run(&["collect", "x"]);
    assert_snapshot!(run("TESTLAKE_THREADS", "many"), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: bad value of the environment variable `TESTLAKE_THREADS`: `many` is no whole number from 1 on
      hint: it reads like `TESTLAKE_THREADS=3`
    ");
    assert_snapshot!(run("TESTLAKE_MAX_ENTRY", "2"), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: the environment variable `TESTLAKE_MAX_ENTRY` is no setting
      hint: there is `TESTLAKE_MAX_ENTRY_SIZE`
    ");
}

#[test]
fn a_wrong_key_is_told_with_file_and_line() {
    let program = Program::new();
    program.write("testlake.toml", "threads = 2\n\n[upload-test-stats]\ntoo = 's3://b'\n");
    assert_snapshot!(program.run(&["collect", "x"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: the settings file is wrong at testlake.toml:4:1
      caused by: unknown key `too` in the table `upload-test-stats`
      hint: there is a key `to`
    ");
    program.write("other.toml", "max-entry-size = '16 potatoes'\n");
    assert_snapshot!(program.run(&["collect", "x", "--config", "other.toml"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: the settings file is wrong at other.toml:1:18
      caused by: bad value of `max-entry-size`: `16 potatoes` is no size; one reads `16GiB`, `500MB` or a number of bytes
    ");
    assert_snapshot!(program.run(&["collect", "x", "--config", "none.toml"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: cannot read the settings file `none.toml`
      caused by: No such file or directory (os error 2)
    ");
}

#[test]
fn a_wrong_jobs_file_is_told() {
    let program = Program::new();
    program.write("x/a.xml", "<testsuite/>");
    program.write("jobs.json", "{\"1\": 2}");
    assert_snapshot!(program.run(&["collect", "x", "--jobs-file", "jobs.json"]), @r#"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: cannot read the jobs file `jobs.json`
      caused by: invalid type: integer `2`, expected a string at line 1 column 7
      hint: it reads like `{"<job id>": "<job name>"}`
    "#);
    assert_snapshot!(program.run(&["collect", "x", "--jobs-file", "none.json"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: cannot read the jobs file `none.json`
      caused by: No such file or directory (os error 2)
    ");
}

#[test]
fn the_drop_in_asks_for_its_run() {
    assert_snapshot!(Program::new().run(&["upload-test-stats", "--workflow-run-id", "7"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: `--workflow-run-attempt` is not given
    ");
}
