use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::spool::Body;

fn run() -> RunKey {
    RunKey { repo: None, run_id: "local".to_owned(), attempt: 1 }
}

/// Makes a folder of files, each with its own path as bytes.
fn tree(paths: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    add(dir.path(), paths);
    dir
}

fn add(root: &Path, paths: &[&str]) {
    for path in paths {
        let file = root.join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, path).unwrap();
    }
}

fn paths(dir: &TempDir, words: &[&str]) -> Paths {
    Paths::new(words.iter().map(|word| format!("{}/{word}", dir.path().display())).collect())
}

/// Shows each artifact and what is in it, a line each.
async fn shown(source: &Paths) -> String {
    let mut lines = String::new();
    for listing in source.list(&run()).await.unwrap() {
        lines += &listing.name;
        match source.fetch(&listing, &|_| ()).await {
            Ok(Content::Bytes(body)) => write!(lines, " = {} bytes", body.len()).unwrap(),
            Ok(Content::Files(files)) => {
                for file in files {
                    assert!(Body::open(&file.file).is_ok());
                    write!(lines, " {}", file.path).unwrap();
                }
            }
            Ok(other) => panic!("{other:?}"),
            Err(error) => write!(lines, " ! {:?}", error.kind()).unwrap(),
        }
        lines += "\n";
    }
    lines
}

#[tokio::test]
async fn the_first_folder_below_the_path_given_stands_for_the_artifact() {
    let dir = tree(&["in/unit/a/b.xml", "in/unit/c.xml", "in/lint/x.json", "in/d.xml", "in/unit/notes.md"]);
    let all = shown(&paths(&dir, &["in"])).await;
    assert_eq!(all, "in d.xml\nlint x.json\nunit a/b.xml c.xml\n");
    add(dir.path(), &["in/unit/tap.txt", "in/build/make.LOG"]);
    assert_eq!(shown(&paths(&dir, &["in"])).await, all);
    let texts = shown(&paths(&dir, &["in"]).with_texts()).await;
    assert_eq!(texts, "build make.LOG\nin d.xml\nlint x.json\nunit a/b.xml c.xml tap.txt\n");
    let one = shown(&paths(&dir, &["in/unit/c.xml", "in/unit/notes.md"])).await;
    assert_eq!(one, "notes.md = 16 bytes\nunit c.xml\n");
}

#[tokio::test]
async fn archives_are_artifacts_wherever_they_lie() {
    let dir = tree(&["in/a_1.zip", "in/x/b_2.TAR.GZ", "in/x/c.tgz.txt", "in/y/d.xml.gz", "in/y/e.log.gz"]);
    let lines = shown(&paths(&dir, &["in"])).await;
    assert_eq!(lines, "a_1.zip = 10 bytes\nb_2.TAR.GZ = 15 bytes\nd.xml.gz = 13 bytes\n");
}

#[tokio::test]
async fn names_that_two_places_share_are_told_apart() {
    let dir = tree(&[
        "linux/r.zip",
        "mac/r.tar.gz",
        "mac/s.zip",
        "mac/s/a.xml",
        "linux/unit/a.xml",
        "mac/unit/a.xml",
    ]);
    let lines = shown(&paths(&dir, &["linux", "mac"])).await;
    assert_eq!(
        lines,
        "linux/r.zip = 11 bytes\nlinux/unit a.xml\nmac/r.tar.gz = 12 bytes\nmac/unit a.xml\ns a.xml\ns.zip = 9 bytes\n"
    );
}

#[tokio::test]
async fn what_is_given_twice_counts_once() {
    let dir = tree(&["in/unit/a.xml", "in/r.zip"]);
    let source = paths(&dir, &["in", "in/unit", "in/unit/a.xml", "in/*.zip", "in/../in"]);
    assert_eq!(shown(&source).await, "r.zip = 8 bytes\nunit a.xml\n");
}

#[tokio::test]
async fn a_glob_is_relative_to_its_fixed_part() {
    let dir = tree(&[
        "in/u1/r/a.xml",
        "in/u1/s/b.xml",
        "in/u2/r/c.xml",
        "in/v/r/d.xml",
        "in/u1/r/deep/e.xml",
        "in/u1/r/e.txt",
    ]);
    assert_eq!(shown(&paths(&dir, &["in/u*/r/*.xml"])).await, "u1 r/a.xml\nu2 r/c.xml\n");
    assert_eq!(shown(&paths(&dir, &["in/u1/**/*.txt"])).await, "r e.txt\n");
    assert_eq!(shown(&paths(&dir, &["in/{u2,v}/**"])).await, "u2 r/c.xml\nv r/d.xml\n");
    // A folder that matches is taken whole, by suffix.
    assert_eq!(shown(&paths(&dir, &["in/*1/r"])).await, "u1 r/a.xml r/deep/e.xml\n");
    assert_eq!(shown(&paths(&dir, &["in/*/nothing"])).await, "");
}

#[tokio::test]
async fn a_path_with_wildcards_in_its_name_is_a_path() {
    let dir = tree(&["in/[x]/a.xml", "in/x/b.xml"]);
    assert_eq!(shown(&paths(&dir, &["in/[x]"])).await, "[x] a.xml\n");
}

#[test]
fn many_words_have_a_short_name() {
    let name = |words: &[&str]| Paths::new(words.iter().map(ToString::to_string).collect()).name().to_owned();
    assert_eq!(name(&["a"]), "a");
    assert_eq!(name(&["a", "b", "c"]), "a, b, c");
    assert_eq!(name(&["a", "b", "c", "d"]), "a, b and 2 more");
}

#[tokio::test]
async fn a_wrong_path_is_said_before_anything_is_read() {
    let dir = tree(&["in/a.xml"]);
    let kind = async |words: &[&str]| paths(&dir, words).list(&run()).await.unwrap_err().kind();
    assert_eq!(kind(&["in", "no"]).await, SourceErrorKind::NotFound);
    assert_eq!(kind(&["no/*.xml"]).await, SourceErrorKind::NotFound);
    assert_eq!(kind(&["in/[a"]).await, SourceErrorKind::BadSetting);
}

#[cfg(unix)]
#[tokio::test]
async fn links_are_followed_and_their_loops_end() {
    use std::os::unix::fs::symlink;
    let dir = tree(&["in/unit/a.xml", "far/b.xml"]);
    let at = |path: &str| dir.path().join(path);
    symlink(at("in"), at("in/unit/loop")).unwrap();
    symlink(at("in/unit"), at("in/aaa")).unwrap();
    symlink(at("far"), at("in/linked")).unwrap();
    symlink(at("far/b.xml"), at("in/again.xml")).unwrap();
    symlink(at("itself"), at("itself")).unwrap();
    symlink(at("itself"), at("in/itself.txt")).unwrap();
    assert_eq!(shown(&paths(&dir, &["in"])).await, "in again.xml\nunit a.xml\n");
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_to_nowhere_is_listed_for_its_reader_to_tell() {
    let dir = tree(&["in/unit/a.xml"]);
    std::os::unix::fs::symlink("gone.xml", dir.path().join("in/unit/b.xml")).unwrap();
    let source = paths(&dir, &["in"]);
    let listing = source.list(&run()).await.unwrap();
    let Ok(Content::Files(files)) = source.fetch(&listing[0], &|_| ()).await else { panic!("files") };
    assert_eq!(files.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(), ["a.xml", "b.xml"]);
}

#[cfg(unix)]
#[tokio::test]
async fn what_is_neither_file_nor_folder_is_not_waited_for() {
    let dir = tree(&["in/unit/a.xml"]);
    let pipe = dir.path().join("in/unit/pipe.xml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    assert_eq!(shown(&paths(&dir, &["in"])).await, "unit a.xml\n");
    let error = paths(&dir, &["in/unit/pipe.xml"]).list(&run()).await.unwrap_err();
    assert_eq!(error.kind(), SourceErrorKind::BadSetting);
}

#[tokio::test]
async fn a_circleci_folder_is_one_artifact_without_a_job() {
    let dir = tree(&[
        "w/test/test-reports/u/a.xml",
        "w/x/test/test-reports/b.xml",
        "w/test/other/c.xml",
        "w/d.xml",
    ]);
    let source = Paths::circleci(dir.path().join("w"));
    assert_eq!(shown(&source).await, "test-reports test/test-reports/u/a.xml x/test/test-reports/b.xml\n");
    let nothing = Paths::circleci(dir.path().join("w/test/other"));
    assert_eq!(shown(&nothing).await, "");
}

#[tokio::test]
async fn the_same_input_elsewhere_has_the_same_fingerprint() {
    let files = ["unit/a.xml", "unit/b/c.xml", "d.xml", "r.zip"];
    let of = async |dir: &TempDir, word: &str| paths(dir, &[word]).fingerprint().await.unwrap().unwrap();
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    add(&one.path().join("in"), &files);
    add(&other.path().join("elsewhere"), &files);
    let hash = of(&one, "in").await;
    assert_eq!(hash, of(&other, "elsewhere").await);
    assert_eq!(hash, of(&one, "in/**").await);
    assert_eq!(hash.len(), 16);

    fs::write(other.path().join("elsewhere/unit/a.xml"), "other").unwrap();
    assert_ne!(hash, of(&other, "elsewhere").await);
    fs::write(other.path().join("elsewhere/unit/a.xml"), "unit/a.xml").unwrap();
    assert_eq!(hash, of(&other, "elsewhere").await);
    fs::rename(other.path().join("elsewhere/unit"), other.path().join("elsewhere/unit2")).unwrap();
    assert_ne!(hash, of(&other, "elsewhere").await);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_folder_that_cannot_be_read_is_told() {
    // Paths end at 4,096 bytes: what lies deeper cannot be opened, whoever asks.
    let long = |depth: usize| vec!["x".repeat(200); depth].join("/");
    let dir = tree(&["in/unit/a.xml"]);
    fs::create_dir_all(dir.path().join("in/deep").join(long(18))).unwrap();
    add(&dir.path().join("end"), &[&format!("{}/b.xml", long(5))]);
    fs::rename(dir.path().join("end"), dir.path().join("in/deep").join(long(18)).join("end")).unwrap();
    let lines = shown(&paths(&dir, &["in"])).await;
    let (deep, unit) = lines.split_once('\n').unwrap();
    assert!(deep.starts_with("deep/xxx") && deep.ends_with(" ! Unavailable"), "{deep}");
    assert_eq!(unit, "unit a.xml\n");
}
