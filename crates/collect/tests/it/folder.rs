//! The bucket layout on a local disk.

use std::fs;

use testlake_collect::run::RunKey;
use testlake_collect::source::{Content, Folder, Layout, Source, SourceErrorKind};

fn run(attempt: u32) -> RunKey {
    RunKey { repo: Some("o/r".to_owned()), run_id: "7".to_owned(), attempt }
}

#[tokio::test]
async fn the_layout_of_a_bucket_is_read_from_a_disk() {
    let dir = tempfile::tempdir().unwrap();
    for key in ["2/artifact/a.zip", "2/artifact/sub/b.xml", "2/other/c.zip", "10/artifact/d.zip", "x/e", "3"]
    {
        let file = dir.path().join("o/r/7").join(key);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, key).unwrap();
    }
    let source = Folder::new(dir.path(), Layout::default());
    assert_eq!(source.attempts(&run(1)).await.unwrap(), [2, 10]);

    let mut listings = source.list(&run(2)).await.unwrap();
    listings.sort_by(|a, b| a.name.cmp(&b.name));
    let named: Vec<_> = listings.iter().map(|l| (l.name.as_str(), l.bytes)).collect();
    assert_eq!(named, [("a.zip", Some(16)), ("sub/b.xml", Some(20))]);

    let heard = std::sync::atomic::AtomicU64::new(0);
    let progress = |bytes| {
        heard.fetch_add(bytes, std::sync::atomic::Ordering::Relaxed);
    };
    let Content::Bytes(body) = source.fetch(&listings[1], &progress).await.unwrap() else { panic!("bytes") };
    let mut bytes = vec![0; 64];
    let got = body.read_at(0, &mut bytes).unwrap();
    assert_eq!(&bytes[..got], b"2/artifact/sub/b.xml");
    assert_eq!(heard.into_inner(), 20);
}

#[tokio::test]
async fn a_run_that_is_not_there_has_no_artifacts_and_a_folder_that_is_not_there_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    let source = Folder::new(dir.path(), Layout::default());
    assert_eq!(source.list(&run(1)).await.unwrap(), []);
    assert_eq!(source.attempts(&run(1)).await.unwrap(), [0; 0]);

    let source = Folder::new(dir.path().join("gone"), Layout::default());
    assert_eq!(source.list(&run(1)).await.unwrap_err().kind(), SourceErrorKind::NotFound);
    assert_eq!(source.attempts(&run(1)).await.unwrap_err().kind(), SourceErrorKind::NotFound);
}

#[tokio::test]
async fn a_template_may_end_within_a_name() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("7-a.zip"), "").unwrap();
    fs::write(dir.path().join("77-b.zip"), "").unwrap();
    let source = Folder::new(dir.path(), Layout::parse("{run_id}-").unwrap());
    let listings = source.list(&run(1)).await.unwrap();
    assert_eq!(listings.len(), 1);
    assert_eq!(listings[0].name, "a.zip");
    assert!(source.fetch(&listings[0], &|_| ()).await.is_ok());
}
