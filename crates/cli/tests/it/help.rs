//! Help texts, completions and man pages.

use insta::assert_snapshot;

use crate::program::Program;

#[test]
fn the_program_says_what_it_is() {
    assert_snapshot!(Program::new().run(&["--help"]));
    assert_snapshot!(Program::new().run(&["-h"]));
    assert_snapshot!(Program::new().run(&["--version"]));
}

#[test]
fn each_command_explains_itself() {
    for command in [
        "collect",
        "upload",
        "runs",
        "sql",
        "lake",
        "lint",
        "convert",
        "upload-test-stats",
        "completions",
        "man",
    ] {
        assert_snapshot!(format!("{command}_short"), Program::new().run(&[command, "-h"]));
        assert_snapshot!(format!("{command}_long"), Program::new().run(&[command, "--help"]));
    }
}

#[test]
fn short_help_fits_a_screen() {
    for command in ["collect", "upload", "runs", "sql", "lake", "lint", "convert", "upload-test-stats"] {
        let help = Program::new().output(&[command, "-h"]).stdout;
        let lines = String::from_utf8(help).unwrap().lines().count();
        assert!(lines <= 50, "{command} -h has {lines} lines");
    }
}

#[test]
fn there_are_completions_for_each_shell() {
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        let output = Program::new().output(&["completions", shell]);
        assert!(output.status.success() && output.stderr.is_empty());
        let script = String::from_utf8(output.stdout).unwrap();
        for word in ["upload-test-stats", "require-complete"] {
            assert!(script.contains(word), "{shell} lacks {word}");
        }
    }
}

#[test]
fn there_are_man_pages() {
    let program = Program::new();
    assert_snapshot!(program.run(&["man", "pages/man1"]), @r"
    exit code: 0
    ----- stdout -----

    ----- stderr -----
    ");
    let mut names: Vec<_> = std::fs::read_dir(program.path().join("pages/man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "testlake-collect.1",
            "testlake-completions.1",
            "testlake-convert.1",
            "testlake-lake.1",
            "testlake-lint.1",
            "testlake-man.1",
            "testlake-runs.1",
            "testlake-sql.1",
            "testlake-upload-test-stats.1",
            "testlake-upload.1",
            "testlake.1"
        ]
    );
    let page = std::fs::read_to_string(program.path().join("pages/man1/testlake.1")).unwrap();
    let printed = String::from_utf8(program.output(&["man"]).stdout).unwrap();
    assert_eq!(page, printed);
    assert!(page.starts_with(".ie") && page.contains(".TH testlake 1"), "{page}");
    let page = std::fs::read_to_string(program.path().join("pages/man1/testlake-collect.1")).unwrap();
    let title = concat!(".TH testlake-collect 1  \"testlake ", env!("CARGO_PKG_VERSION"), "\"");
    assert!(page.contains(title), "{page}");
    assert!(page.contains("TESTLAKE_MAX_ENTRIES"), "{page}");
}

#[test]
fn man_pages_that_cannot_be_written_are_told() {
    let program = Program::new();
    program.write("file", "");
    assert_snapshot!(program.run(&["man", "file/man1"]), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: cannot write to `file/man1`
      caused by: Not a directory (os error 20)
    ");
}
