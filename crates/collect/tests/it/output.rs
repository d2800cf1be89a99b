//! What every destination does alike, and what a folder does of its own.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use testlake_collect::output::{Destination, Folder, ObjectKind, OutputError};

/// Reads back what a destination keeps, past the destination: each key with its bytes.
pub(crate) type Kept = Vec<(String, Vec<u8>)>;

/// What holds for each destination. `kept` reads what is there.
pub(crate) async fn conforms(destination: &dyn Destination, kept: impl AsyncFn() -> Kept) {
    nothing_stays_of_a_check(destination, &kept).await;
    an_object_is_there_whole_or_not_at_all(destination, &kept).await;
    an_object_takes_the_place_of_an_older_one(destination, &kept).await;
    large_and_empty_objects_are_whole(destination, &kept).await;
    what_is_removed_is_gone(destination, &kept).await;
}

/// Waits until something that goes on in the background is so; fails where it never is.
#[cfg(feature = "cloud")]
pub(crate) async fn until(what: &str, is_so: impl Fn() -> bool) {
    let wait = async {
        while !is_so() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(30), wait).await.unwrap_or_else(|_| panic!("{what}"));
}

async fn put(destination: &dyn Destination, key: &str, pieces: &[Bytes]) {
    let mut writer = destination.create(key, ObjectKind::GzipJson).await.unwrap();
    for piece in pieces {
        writer.write(piece.clone()).await.unwrap();
    }
    writer.commit().await.unwrap();
}

fn one(key: &str, bytes: &[u8]) -> Kept {
    vec![(key.to_owned(), bytes.to_vec())]
}

async fn nothing_stays_of_a_check(destination: &dyn Destination, kept: &impl AsyncFn() -> Kept) {
    destination.check().await.unwrap();
    destination.check().await.unwrap();
    assert_eq!(kept().await, []);
}

async fn an_object_is_there_whole_or_not_at_all(
    destination: &dyn Destination,
    kept: &impl AsyncFn() -> Kept,
) {
    let mut writer = destination.create("ledger/7/1", ObjectKind::Json).await.unwrap();
    writer.write(Bytes::from_static(b"half ")).await.unwrap();
    assert_eq!(kept().await, [], "nothing before the commit");
    writer.write(Bytes::from_static(b"whole")).await.unwrap();
    writer.commit().await.unwrap();
    assert_eq!(kept().await, one("ledger/7/1", b"half whole"));
    destination.remove("ledger/7/1").await.unwrap();

    for size in [5, 20 << 20] {
        let mut writer = destination.create("ledger/7/1", ObjectKind::Json).await.unwrap();
        writer.write(Bytes::from(vec![7; size])).await.unwrap();
        writer.abort().await;
        assert_eq!(kept().await, [], "nothing of what was given up");
        let mut writer = destination.create("ledger/7/1", ObjectKind::Json).await.unwrap();
        writer.write(Bytes::from(vec![7; size])).await.unwrap();
        drop(writer);
        assert_eq!(kept().await, [], "nothing of what was dropped");
    }
}

async fn an_object_takes_the_place_of_an_older_one(
    destination: &dyn Destination,
    kept: &impl AsyncFn() -> Kept,
) {
    put(destination, "test_run/7/1", &[Bytes::from_static(b"the first, longer one")]).await;
    put(destination, "test_run/7/1", &[Bytes::from_static(b"the second")]).await;
    assert_eq!(kept().await, one("test_run/7/1", b"the second"));
    let mut writer = destination.create("test_run/7/1", ObjectKind::GzipJson).await.unwrap();
    writer.write(Bytes::from_static(b"the third")).await.unwrap();
    writer.abort().await;
    assert_eq!(kept().await, one("test_run/7/1", b"the second"));
    destination.remove("test_run/7/1").await.unwrap();
}

async fn large_and_empty_objects_are_whole(destination: &dyn Destination, kept: &impl AsyncFn() -> Kept) {
    put(destination, "additional_info/reruns/7/1", &[]).await;
    assert_eq!(kept().await, one("additional_info/reruns/7/1", b""));
    destination.remove("additional_info/reruns/7/1").await.unwrap();

    // Pieces that fit no part's size; over two parts of 8 MiB; and then exactly two.
    let pieces: Vec<Bytes> = (0_u8..180).map(|n| Bytes::from(vec![n; 99_991])).collect();
    put(destination, "test_run/7/1", &pieces).await;
    assert_eq!(kept().await, one("test_run/7/1", &pieces.concat()));
    let exact = Bytes::from(vec![9; 16 << 20]);
    put(destination, "test_run/7/1", std::slice::from_ref(&exact)).await;
    assert!(kept().await == one("test_run/7/1", &exact));
    destination.remove("test_run/7/1").await.unwrap();
}

async fn what_is_removed_is_gone(destination: &dyn Destination, kept: &impl AsyncFn() -> Kept) {
    put(destination, "a/b", &[Bytes::from_static(b"x")]).await;
    destination.remove("a/b").await.unwrap();
    destination.remove("a/b").await.unwrap();
    assert_eq!(kept().await, []);
}

/// Reads every file below a folder.
fn files(root: &Path) -> Kept {
    let mut files = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.to_str().unwrap().ends_with(".partial") {
                files.push((
                    path.strip_prefix(root).unwrap().to_str().unwrap().to_owned(),
                    fs::read(path).unwrap(),
                ));
            }
        }
    }
    files.sort();
    files
}

#[tokio::test]
async fn a_folder_conforms() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("deep/out");
    let destination = Folder::new(&root);
    destination.check().await.unwrap();
    conforms(&destination, async || files(&root)).await;
}

#[tokio::test]
async fn two_writers_of_one_object_do_not_meet() {
    let dir = tempfile::tempdir().unwrap();
    let (one, other) = (Folder::new(dir.path()), Folder::new(dir.path()));
    let mut first = one.create("a/b", ObjectKind::Json).await.unwrap();
    first.write(Bytes::from_static(b"first")).await.unwrap();
    let second = other.create("a/b", ObjectKind::Json).await;
    assert!(matches!(second, Err(OutputError::Busy { place }) if place.ends_with("a/b")));
    assert!(other.create("a/c", ObjectKind::Json).await.is_ok(), "another object is free");
    first.commit().await.unwrap();
    assert_eq!(files(dir.path()), [("a/b".to_owned(), b"first".to_vec())]);
    other.create("a/b", ObjectKind::Json).await.unwrap().commit().await.unwrap();
    assert_eq!(files(dir.path()), [("a/b".to_owned(), Vec::new())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_that_race_leave_one_whole_object() {
    let dir = tempfile::tempdir().unwrap();
    let write = |letter: u8, root: std::path::PathBuf| async move {
        let (destination, mut written) = (Folder::new(&root), 0);
        while written < 50 {
            let Ok(mut writer) = destination.create("a/b", ObjectKind::Json).await else { continue };
            for _ in 0..4 {
                writer.write(Bytes::from(vec![letter; 10_000])).await.unwrap();
            }
            writer.commit().await.unwrap();
            written += 1;
            let seen = fs::read(root.join("a/b")).unwrap();
            assert_eq!(seen.len(), 40_000);
            assert!(seen.iter().all(|byte| *byte == seen[0]), "bytes of two writers");
        }
    };
    let writers = [b'x', b'y', b'z'].map(|letter| tokio::spawn(write(letter, dir.path().to_owned())));
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(fs::read_dir(dir.path().join("a")).unwrap().count(), 1, "nothing stays beside it");
}

#[tokio::test]
async fn what_a_killed_run_left_is_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("a")).unwrap();
    fs::write(dir.path().join("a/.b.partial"), "left over, and longer than the new one").unwrap();
    let destination = Folder::new(dir.path());
    let mut writer = destination.create("a/b", ObjectKind::Json).await.unwrap();
    writer.write(Bytes::from_static(b"new")).await.unwrap();
    writer.commit().await.unwrap();
    assert_eq!(files(dir.path()), [("a/b".to_owned(), b"new".to_vec())]);
    assert!(!dir.path().join("a/.b.partial").try_exists().unwrap());
}

#[tokio::test]
async fn what_stands_in_the_way_is_said() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("file"), "").unwrap();
    fs::create_dir_all(dir.path().join("x/y")).unwrap();
    let refused = |result: Result<(), OutputError>| matches!(result, Err(OutputError::Refused { .. }));

    assert!(refused(Folder::new(dir.path().join("file")).check().await), "a file for a folder");
    assert!(refused(Folder::new(dir.path().join("file/deep")).check().await), "a file above the folder");
    let destination = Folder::new(dir.path());
    for key in ["x", "file/y", "../z", "a//b", "", "a/.", "a\0b"] {
        let created = destination.create(key, ObjectKind::Json).await;
        assert!(refused(created.map(drop)), "{key}");
    }
    assert!(!dir.path().join("../z").try_exists().unwrap());
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_in_place_of_the_partial_file_is_not_followed() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("dear"), "dear").unwrap();
    std::os::unix::fs::symlink("dear", dir.path().join(".b.partial")).unwrap();
    let created = Folder::new(dir.path()).create("b", ObjectKind::Json).await;
    assert!(matches!(created, Err(OutputError::Refused { .. })));
    assert_eq!(fs::read(dir.path().join("dear")).unwrap(), b"dear");
}
