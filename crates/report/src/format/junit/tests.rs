//! Each dialect has a fixture, `tests/fixtures/junit/NAME.xml`, beside what must come of it, `NAME.told`.

use std::fs;
use std::path::PathBuf;

use crate::testing::told_bytes;

fn fixtures() -> Vec<PathBuf> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/junit");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|end| end != "told")).collect();
    files.sort();
    files
}

/// What must come is rewritten where `TESTLAKE_BLESS` is set.
#[test]
fn each_dialect_is_read_as_its_fixture_says() {
    let mut wrong = String::new();
    for path in fixtures() {
        let told = told_bytes(&fs::read(&path).unwrap());
        let expected = path.with_extension("told");
        if std::env::var_os("TESTLAKE_BLESS").is_some() {
            fs::write(&expected, &told).unwrap();
        }
        if fs::read_to_string(&expected).unwrap_or_default() != told {
            wrong += &[path.to_string_lossy().as_ref(), ":\n", &told].concat();
        }
    }
    assert!(wrong.is_empty(), "set TESTLAKE_BLESS=1 to rewrite what must come of\n{wrong}");
}

#[test]
fn each_fixture_has_its_row_in_the_page_of_dialects() {
    let page = include_str!("../../../../../docs/dialects.md");
    for path in fixtures() {
        let name = path.file_name().unwrap().to_string_lossy();
        assert!(page.contains(&format!("`junit/{name}`")), "{name} has no row in docs/dialects.md");
    }
}
