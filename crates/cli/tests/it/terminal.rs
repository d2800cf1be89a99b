//! What is different on a terminal: colours, and the line that says how far it is.

use std::io::Read as _;
use std::process::{Command, Stdio};

use testlake_testkit::scripted::{ScriptedServer, Step};

use crate::program::Program;

/// Runs a command on a terminal of its own, and copies what it shows to stdout.
const ON_A_TERMINAL: &str = "
import os, pty, sys
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))
";

/// Makes the command that runs the program on a terminal.
fn on_a_terminal(program: &Program, words: &[&str]) -> Command {
    let inner = program.command(words);
    let mut command = Command::new("python3");
    command.args(["-c", ON_A_TERMINAL]).arg(inner.get_program()).args(inner.get_args());
    command.current_dir(program.path()).env_clear().stdin(Stdio::null());
    command.envs(inner.get_envs().filter_map(|(name, value)| Some((name, value?))));
    // For python3 itself.
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command
}

fn write_report(program: &Program) {
    program.write("x_1/a.xml", "<testsuite><testcase name=\"a\"/></testsuite>");
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let program = Program::new().with("TERM", "xterm");
    write_report(&program);
    let said = on_a_terminal(&program, &["collect", "x_1"]).output().unwrap();
    assert!(said.status.success());
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("\u{1b}[32mcomplete\u{1b}[0m"), "{said}");

    let program = Program::new().with("TERM", "xterm").with("NO_COLOR", "1");
    write_report(&program);
    let said = on_a_terminal(&program, &["collect", "x_1"]).output().unwrap();
    let said = String::from_utf8(said.stdout).unwrap();
    assert!(said.contains("complete") && !said.contains("\u{1b}[3"), "{said}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_says_how_far_it_is() {
    let server = ScriptedServer::start([Step::stall("200 OK", &["content-length: 9"], b"")]).await.unwrap();
    let url = server.url();
    let watch = move || {
        let program = Program::new().with("TERM", "xterm").with("GITHUB_API_URL", &url);
        let words = ["collect", "github", "--repo=o/r", "--run-id=7"];
        let mut child = on_a_terminal(&program, &words).stdout(Stdio::piped()).spawn().unwrap();
        let mut shown = child.stdout.take().unwrap();
        let mut said = Vec::new();
        let mut byte = [0];
        while !String::from_utf8_lossy(&said).contains("looking for artifacts") {
            assert_eq!(shown.read(&mut byte).unwrap(), 1, "{}", String::from_utf8_lossy(&said));
            said.push(byte[0]);
        }
        // With it goes the terminal, and with that the program.
        child.kill().unwrap();
        child.wait().unwrap();
    };
    tokio::task::spawn_blocking(watch).await.unwrap();
}
