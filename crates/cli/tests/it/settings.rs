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
    usage error: there is no command `colect`
      hint: there is `collect`
      hint: see `testlake --help`
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
    usage error: there is no option `--treads`
      hint: there is `--threads`
      hint: see `testlake collect --help`
    ");
}

#[test]
fn a_wrong_value_is_told() {
    let run = |words: &[&str]| Program::new().run(words);
    assert_snapshot!(run(&["collect", "x", "--threads", "0"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: bad value of `--threads`: `0` is no whole number from 1 to 1024
      hint: see `testlake collect --help`
    ");
    assert_snapshot!(run(&["collect", "x", "--attempt", "first"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: bad value of `--attempt`: `first` is none of: a whole number from 1 on, `latest`, `all`
      hint: see `testlake collect --help`
    ");
    assert_snapshot!(run(&["collect", "x", "--full", "sometimes"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: bad value of `--full`: `sometimes` is none of: `auto`, `always`, `never`
      hint: see `testlake collect --help`
    ");
    assert_snapshot!(run(&["collect", "x", "--expect-jobs", "("]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: bad value of `--expect-jobs`: regex parse error:
            (
            ^
        error: unclosed group
      hint: see `testlake collect --help`
    ");
    assert_snapshot!(run(&["collect", "x", "--layout", "{repo}"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: bad value of `--layout`: the layout `{repo}` lacks `{run_id}`; it reads like `{repo}/{run_id}/{attempt}/artifact/`
      hint: see `testlake collect --help`
    ");
    assert_snapshot!(run(&["collect", "s3://bucket"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: `s3://bucket` holds many runs, and none is named
      hint: name one with `--run-id`, or give its web address as the source
    ");
}

#[test]
fn words_of_a_wrong_form_are_told() {
    let run = |words: &[&str]| Program::new().run(words);
    assert_snapshot!(run(&["collect", "x", "--threads"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: `--threads` needs a value
      hint: see `testlake collect --help`
    ");
    assert_snapshot!(run(&["collect", "x", "--threads", "1", "--threads", "2"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: `--threads` is given twice
      hint: see `testlake collect --help`
    ");
    assert_snapshot!(run(&["collect", "x", "--quiet=yes"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: `--quiet` takes no value
      hint: see `testlake collect --help`
    ");
    assert_snapshot!(run(&["completions"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: `<SHELL>` is not given
      hint: see `testlake completions --help`
    ");
    assert_snapshot!(run(&["completions", "tcsh"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: bad value of `<SHELL>`: `tcsh` is none of: `bash`, `elvish`, `fish`, `powershell`, `zsh`
      hint: see `testlake completions --help`
    ");
    assert_snapshot!(run(&["man", "x", "y"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: `y` is one argument too many
      hint: see `testlake man --help`
    ");
    assert_snapshot!(run(&["collect", "ftp://bucket/\u{1b}[2J"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: `ftp://` is no kind of source; known are s3://, gs://, az://, file:/// and a run's https:// address
    ");
}

#[test]
fn an_absurd_number_is_refused_before_any_work() {
    let program = Program::new();
    let most = u64::MAX.to_string();
    let beyond = format!("{most}0");
    for (flag, absurd) in [
        ("threads", &["0", "1025", &most, &beyond][..]),
        ("max-concurrency", &["0", "1025", &most, &beyond]),
        ("retry-for", &["0", "-1s", "18446744073709551615s", "9000h"]),
        ("max-entries", &["0", &beyond]),
        ("max-entry-size", &["0", &beyond, "18446744073709551615TiB"]),
        ("max-run-size", &["0", &beyond]),
        ("max-ratio", &["0", &beyond]),
        ("max-depth", &["0", "1001", &most]),
        ("max-attributes", &["0", "10001", &most]),
        ("max-tag-size", &["0", "2GiB", &most]),
        ("max-case-size", &["0", "2GiB", &most]),
        ("max-findings", &["0", "1000001", &most]),
    ] {
        for value in absurd {
            let output = program.output(&["collect", "nowhere", &format!("--{flag}={value}")]);
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "--{flag} {value}: {said}");
            assert!(said.contains(&format!("--{flag}")) && said.contains(value), "{said}");
        }
    }
}

#[test]
fn the_largest_numbers_are_taken() {
    let program = Program::new();
    let (deep, back) = ("<x>".repeat(900), "</x>".repeat(900));
    program.write("x/a.xml", format!("<testsuite><testcase name='a'>{deep}{back}</testcase></testsuite>"));
    let most = format!("={}", u64::MAX);
    let words = [
        "--threads=1024".to_owned(),
        "--max-concurrency=1024".to_owned(),
        "--retry-for=8760h".to_owned(),
        "--max-entries".to_owned() + &most,
        "--max-entry-size".to_owned() + &most,
        "--max-run-size".to_owned() + &most,
        "--max-ratio".to_owned() + &most,
        "--max-depth=1000".to_owned(),
        "--max-attributes=10000".to_owned(),
        "--max-tag-size=1GiB".to_owned(),
        "--max-case-size=1GiB".to_owned(),
        "--max-findings=1000000".to_owned(),
    ];
    let words: Vec<_> = ["collect", "x"].into_iter().chain(words.iter().map(String::as_str)).collect();
    let output = program.output(&words);
    assert_eq!(output.status.code(), Some(0), "{}", program.render(&output));
}

#[test]
fn a_wrong_variable_is_told() {
    let run = |name, value| Program::new().with(name, value).run(&["collect", "x"]);
    assert_snapshot!(run("TESTLAKE_THREADS", "many"), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: bad value of the environment variable `TESTLAKE_THREADS`: `many` is no whole number from 1 to 1024
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
fn a_tag_of_two_values_is_told() {
    let program = Program::new();
    program.write("x/a.xml", "<testsuite/>");
    let twice = ["--tags", "a=1", "--tags", "b=1", "--tags", "a=2"];
    let said = program.run(&[&["collect", "x"][..], &twice].concat());
    assert_snapshot!(said, @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: the tag `a` is given twice
      hint: a name has one value; give the other a name of its own
    ");
    assert_eq!(program.run(&[&["upload", "x"][..], &twice].concat()), said);
    let program = program.with("TESTLAKE_TAGS", "a=1\nb=1\na=2\n");
    assert_eq!(program.run(&["collect", "x"]), said);
    // The option wins over the environment.
    assert_eq!(program.output(&["collect", "x", "--tags=a=3"]).status.code(), Some(4));
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
