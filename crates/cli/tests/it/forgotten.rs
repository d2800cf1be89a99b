//! A file of tests that is not in `main.rs` would never run.

#[test]
fn no_file_of_tests_is_forgotten() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = std::fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        if path.extension().is_some_and(|e| e == "rs") && name != "main" {
            assert!(main.contains(&format!("mod {name};")), "{name}.rs is not in main.rs");
        }
    }
}
