//! `testlake sql`: forms of answers, parameters, what is wrong with questions, limits, signals, the prompt.

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use insta::assert_snapshot;
use testlake_testkit::tools::tools_dir;

use crate::lake::{asked, collected};

fn piped(command: &mut Command, stdin: &[u8]) -> Output {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin).unwrap();
    child.wait_with_output().unwrap()
}

const ALL: &str = "select name, outcome, seconds, message, suite from results order by ordinal";

#[test]
fn a_table_is_for_people() {
    let program = collected();
    assert_snapshot!(asked(&program, &[ALL]));
    // What the report holds does not drive the terminal.
    assert!(!asked(&program, &["--format=json", ALL]).contains('\u{1b}'));
}

#[test]
fn python_reads_csv_and_json_as_they_are() {
    let program = collected();
    let script = "
import csv, json, sys
text = sys.stdin.read()
rows = list(csv.DictReader(text.splitlines(keepends=True))) if sys.argv[1] == 'csv' else (
    json.loads(text) if sys.argv[1] == 'json' else [json.loads(line) for line in text.splitlines()])
for row in rows:
    suite = row['suite'] if sys.argv[1] != 'csv' else json.loads(row['suite'])
    print(row['name'], row['outcome'], float(row['seconds'] or 0), repr(row['message'] or None), suite)
";
    let read = |format: &str| {
        let text = asked(&program, &["--format", format, ALL]);
        let output = piped(Command::new("python3").args(["-c", script, format]), text.as_bytes());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    let csv = read("csv");
    assert_snapshot!(csv);
    assert_eq!(read("json"), csv);
    assert_eq!(read("ndjson"), csv);
}

#[test]
fn duckdb_reads_parquet() {
    let program = collected();
    let output = program.output(&["sql", "--format=parquet", ALL]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::write(program.path().join("rows.parquet"), &output.stdout).unwrap();
    let script = "import duckdb
for row in duckdb.sql(\"select name, outcome, seconds, suite from 'rows.parquet'\").fetchall(): print(*row)";
    let mut command = Command::new(tools_dir().join("venv/bin/python"));
    let output = command.args(["-c", script]).current_dir(program.path()).output().unwrap();
    assert_snapshot!(String::from_utf8(output.stdout).unwrap(), @r"
    ok passed 1.5 ['a']
    bad failed 0.25 ['a']
    worse errored 0.25 ['a']
    not skipped None ['a']
    ");
}

#[test]
fn a_question_comes_as_a_word_from_a_file_or_from_the_input() {
    let program = collected();
    program.write("q.sql", "-- how many\nselect count(*) as n\nfrom results;\n");
    assert_eq!(asked(&program, &["--format=csv", "-f", "q.sql"]), "n\n4\n");
    let output = piped(&mut program.command(&["sql", "--format=csv"]), b"select count(*) as n from results");
    assert_eq!(String::from_utf8(output.stdout).unwrap(), "n\n4\n");
    assert_snapshot!(program.run(&["sql"]), @r#"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: no question is given
      hint: give one, as in `testlake sql "select count(*) from results"`, or a file of one with `-f`
    "#);
    assert_snapshot!(program.run(&["sql", "-f", "nowhere.sql"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: cannot read the question from `nowhere.sql`
      caused by: No such file or directory (os error 2)
    ");
    for words in [["sql", "select 1", "-f", "q.sql"], ["sql", "-f", "q.sql", "select 1"]] {
        let said = program.run(&words);
        assert!(said.starts_with("exit code: 2") && said.contains("`[QUERY]`"), "{said}");
        assert!(said.contains("`--file`") && said.contains(" cannot both be given"), "{said}");
    }
}

#[test]
fn columns_of_one_name_are_no_object() {
    let program = collected();
    let twice = "select r.run_id, u.run_id, r.attempt from results r join runs u using (attempt) limit 1";
    let said = program.run(&["sql", "--format=json", twice]);
    assert_eq!(program.run(&["sql", "--format=ndjson", twice]), said);
    assert_snapshot!(said, @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: the answer cannot be written in the form of `--format`
      caused by: two columns have the name `run_id`; give one of them another with `as`
    ");
    let named = twice.replace("u.run_id", "u.run_id as of_runs");
    let row = "{\"run_id\":\"7\",\"of_runs\":\"7\",\"attempt\":1}\n";
    assert_eq!(asked(&program, &["--format=ndjson", &named]), row);
    assert_eq!(asked(&program, &["--format=csv", twice]), "run_id,run_id,attempt\n7,7,1\n");
}

#[test]
fn a_damaged_file_is_no_fault_of_the_question() {
    let program = collected();
    let file = program.output(&["lake", "files", "--table=results"]).stdout;
    let file = program.path().join(String::from_utf8(file).unwrap().trim_end());
    let mut bytes = std::fs::read(&file).unwrap();
    let end = bytes.len() / 2;
    bytes[4..end].fill(0xff);
    std::fs::write(&file, bytes).unwrap();
    let output = program.output(&["sql", "--format=csv", "select name, message, report from results"]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.starts_with("error: a file of the lake cannot be read: "), "{said}");
    assert!(said.contains("hint: `testlake lake check` names all that is damaged"), "{said}");
}

#[test]
fn parameters_are_values_and_no_sql() {
    let program = collected();
    let one = "select name from results where name = $test";
    assert_eq!(asked(&program, &["--format=csv", "-p", "test=bad", one]), "name\nbad\n");
    assert_eq!(asked(&program, &["--format=csv", "-p", "test=' or true --", one]), "name\n");
    let two = "select name from results where ordinal = $n and seconds > $s";
    assert_eq!(asked(&program, &["--format=csv", "-p", "n:int=1", "-p", "s:double=0.1", two]), "name\nbad\n");
    assert_snapshot!(program.run(&["sql", one]));
    assert_snapshot!(program.run(&["sql", "-p", "test=a", "-p", "other=b", one]));
    assert_snapshot!(program.run(&["sql", "-p", "test=a", "-p", "test=b", one]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: the parameter `test` is given twice
    ");
    assert_snapshot!(program.run(&["sql", "-p", "n:int=x", one]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: bad value of `--param`: `x` is no whole number
      hint: see `testlake sql --help`
    ");
}

#[test]
fn what_is_wrong_with_a_question_is_told_and_nothing_is_changed() {
    let program = collected();
    let before = crate::program::tree(&program.path().join("testlake"));
    assert_snapshot!("wrong_word", program.run(&["sql", "selct 1"]));
    assert_snapshot!("wrong_column", program.run(&["sql", "select nme from results"]));
    assert_snapshot!("wrong_table", program.run(&["sql", "select * from result"]));
    assert_snapshot!("two", program.run(&["sql", "select 1; select 2"]));
    for words in [
        "delete from results",
        "insert into results select * from results",
        "drop table results",
        "create table x as select 1",
        "copy results to 'x.parquet'",
        "update results set name = 'x'",
        "create external table x stored as csv location '/etc/passwd'",
        "set datafusion.execution.target_partitions = 1",
    ] {
        let output = program.output(&["sql", words]);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{words}: {said}");
        assert!(said.starts_with("usage error: ") && output.stdout.is_empty(), "{words}: {said}");
    }
    assert!(crate::program::tree(&program.path().join("testlake")) == before);
}

/// More rows than any limit of a test has time for.
const LONG: &str = "select count(*) from generate_series(1, 1000000000) a, generate_series(1, 1000000000) b
    where a.value % 7 = b.value % 11";

#[test]
fn a_question_that_takes_longer_than_it_may_is_ended() {
    let program = collected();
    let output = program.output(&["sql", "--timeout=1s", LONG]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("the limit of 1 s") && said.contains("--timeout"), "{said}");
}

#[test]
fn a_question_that_takes_more_memory_than_it_may_is_ended() {
    let program = collected();
    // Distinct texts, which grouping holds.
    let sql = "select count(distinct a.value || repeat('x', 200)) from generate_series(1, 3000000) a";
    let output = program.output(&["sql", "--memory-limit=1MiB", sql]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("the limit of 1 MiB ") && said.contains("--memory-limit"), "{said}");
    let output = program.output(&["sql", "--memory-limit=1MB", sql]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("the limit of 1 MB "), "{said}");
}

#[cfg(unix)]
#[test]
fn an_interrupt_ends_a_question_with_its_number() {
    let program = collected();
    let mut child =
        program.command(&["sql", LONG]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // Before it listens it would die of the signal itself: ask the system until it has a handler.
    let status = format!("/proc/{}/status", child.id());
    let listens = || {
        let status = std::fs::read_to_string(&status).unwrap();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:")).unwrap();
        u64::from_str_radix(caught.trim(), 16).unwrap() & 0b10 != 0
    };
    while !listens() {
        std::thread::yield_now();
    }
    assert!(Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_reader_that_has_read_enough_is_no_failure() {
    let program = collected();
    let mut child = program
        .command(&["sql", "--format=csv", "select * from generate_series(1, 10000000)"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success() && output.stderr.is_empty(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// Types lines at the prompt, each when the one before is answered, and prints all that was shown.
#[cfg(unix)]
const PROMPT: &str = r#"
import os, pty, select, sys, time
lines = sys.argv[1].split('|')
pid, terminal = pty.fork()
if pid == 0:
    os.execv(sys.argv[2], sys.argv[2:])
shown, seen = b'', 0
def until(mark):
    global shown, seen
    end = time.time() + 60
    while mark not in shown[seen:]:
        ready, _, _ = select.select([terminal], [], [], end - time.time())
        if not ready:
            sys.exit('never shown: %r in %r' % (mark, shown))
        try:
            shown += os.read(terminal, 65536)
        except OSError:
            sys.exit('gone: %r in %r' % (mark, shown))
    seen = shown.index(mark, seen) + len(mark)
for line in lines:
    until(b'testlake> ')
    text, _, mark = line.partition('=>')
    os.write(terminal, text.encode().decode('unicode_escape').encode())
    until(mark.encode())
until(b'testlake> ')
os.write(terminal, b'\x04')
try:
    while True:
        shown += os.read(terminal, 65536)
except OSError:
    pass
sys.stdout.buffer.write(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"#;

#[cfg(unix)]
#[test]
fn the_prompt_answers_completes_and_remembers() {
    let program = collected().with("TERM", "xterm");
    let state = program.path().join("state");
    let program = program.with("XDG_STATE_HOME", state.to_str().unwrap());
    let inner = program.command(&["sql"]);
    // Each line, and what is shown when it is done. Tab completes; Enter before the `;` goes on in the next line.
    let lines = [
        r"select outco\t from results order by ordinal limit 1\r;\r=>1 row, ",
        r"selct 1;\r=>usage error: ",
        r"\\d\r=>  ordinal ",
        r"\\?\r=>complete a table",
    ];
    let mut command = Command::new("python3");
    command.args(["-c", PROMPT]).arg(lines.join("|")).arg(inner.get_program()).args(inner.get_args());
    command.current_dir(program.path()).env_clear().stdin(Stdio::null());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let output = command.output().unwrap();
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{shown}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(shown.contains("passed"), "{shown}");
    let history = std::fs::read_to_string(state.join("testlake/history")).unwrap();
    assert!(history.contains("select outcome from results"), "{history}");
}
