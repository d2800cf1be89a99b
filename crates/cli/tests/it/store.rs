//! From bucket to bucket, before a real S3 server.

use insta::assert_snapshot;
use testlake_testkit::run::{COLLECTIONS, MadeRun, REPO, RUN_ID, RunShape, compare};
use testlake_testkit::s3::S3Server;
use wiremock::matchers::method;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::collect::inflated;
use crate::program::{Program, tree};

/// Leads the program to a server.
fn program(server: &S3Server) -> Program {
    let environment = server.environment();
    ["AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION"]
        .into_iter()
        .fold(Program::new(), |program, name| program.with(name, &environment(name).unwrap()))
}

/// Fills a bucket with a made run.
fn put(server: &S3Server, bucket: &str, made: &MadeRun) {
    for (name, bytes) in tree(&made.artifacts()) {
        server.put(bucket, &format!("{REPO}/{RUN_ID}/1/artifact/{name}"), &bytes);
    }
}

#[test]
fn the_drop_in_goes_from_its_bucket_to_its_bucket() {
    let made = MadeRun::make(RunShape::default()).unwrap();
    let server = S3Server::start(&["gha-artifacts", "ossci-raw-job-status"]);
    put(&server, "gha-artifacts", &made);
    let jobs = made.jobs_file().display().to_string();
    let words = [
        "upload-test-stats",
        "--workflow-run-id=9871234567",
        "--workflow-run-attempt=1",
        "--head-branch=main",
        "--head-repository=pytorch/pytorch",
        "--jobs-file",
        &jobs,
    ];
    assert_snapshot!(program(&server).run(&words));
    let reference = made.reference().unwrap();
    let objects = server.objects("ossci-raw-job-status");
    for collection in COLLECTIONS {
        let key = format!("{collection}/{RUN_ID}/1");
        let (_, bytes) = objects.iter().find(|(found, _)| *found == key).unwrap();
        compare(collection, &reference.lines(collection).unwrap(), &inflated(bytes)).unwrap();
    }
    assert_eq!(objects.len(), COLLECTIONS.len() + 1);
    assert_eq!(server.open_uploads(), 0);
}

#[test]
fn a_bucket_that_is_not_there_is_a_matter_of_usage() {
    let server = S3Server::start(&["artifacts", "results"]);
    let run = |from: &str, to: &str| {
        let words = ["collect", from, "--repo=o/r", "--run-id=7", "--to", to];
        program(&server).run(&words)
    };
    assert_snapshot!(run("s3://nowhere", "s3://results"), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: no source answered
      caused by: s3://nowhere: there is no bucket `nowhere`
      caused by: 404 NoSuchBucket: The specified bucket does not exist
      hint: check the source, `--repo`, `--run-id` and `--attempt`
    ");
    assert_snapshot!(run("s3://artifacts", "s3://nowhere"), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: cannot write to `s3://nowhere`
      caused by: there is no bucket `nowhere`
      caused by: 404 NoSuchBucket: The specified bucket does not exist
      hint: choose another place with `--to`
    ");
    assert_snapshot!(run("s3://artifacts", "s3://key:secret@results"), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: `--to` names no place to write to
      caused by: credentials do not go into a store's address; set them in the environment or in a profile
      hint: it reads like `./out`, `file:///folder`, `s3://bucket/prefix`, `gs://bucket` or `az://container`
    ");
    assert_snapshot!(run("s3://artifacts", "s3://results"), @r"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: no source knows an attempt of 7
      hint: check `--repo`, `--run-id` and `--attempt`
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_be_named_is_told_and_costs_its_bucket() {
    let server = MockServer::start().await;
    let object = |key: &str| {
        format!(
            "<Contents><Key>o/r/7/1/artifact/{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
             <ETag>\"x\"</ETag><Size>9</Size></Contents>"
        )
    };
    let list = format!(
        "<ListBucketResult><IsTruncated>false</IsTruncated>{}{}</ListBucketResult>",
        object("a.zip"),
        object("b//c.zip")
    );
    Mock::given(method("GET"))
        .respond_with(ResponseTemplate::new(200).set_body_string(list))
        .mount(&server)
        .await;
    let program = Program::new()
        .with("AWS_ENDPOINT_URL", &server.uri())
        .with("AWS_ACCESS_KEY_ID", "id")
        .with("AWS_SECRET_ACCESS_KEY", "secret");
    program.write("in/a_1/a.xml", "<testsuite><testcase name='a'/></testsuite>");
    let run = move || {
        let words = ["collect", "s3://bucket", "--repo=o/r", "--run-id=7", "--attempt=1"];
        (program.run(&words), program.output(&[&words[..], &["in", "-q"]].concat()).status.code())
    };
    let (alone, beside_another) = tokio::task::spawn_blocking(run).await.unwrap();
    assert_snapshot!(alone, @r#"
    exit code: 2
    ----- stdout -----

    ----- stderr -----
    usage error: no source answered
      caused by: cannot list `s3://bucket`: the key `o/r/7/1/artifact/b//c.zip` has a part that is empty, `.`, `..` or with a control character, and what lies beside it cannot be listed either; rename or remove that object
      caused by: Path "o/r/7/1/artifact/b//c.zip" contained empty path segment
    "#);
    assert_eq!(beside_another, Some(3));
}

#[test]
fn a_store_that_is_down_may_be_up_later() {
    // Nobody listens on a port that was just given back.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let program = Program::new()
        .with("AWS_ENDPOINT_URL", &format!("http://{free}"))
        .with("AWS_ACCESS_KEY_ID", "id")
        .with("AWS_SECRET_ACCESS_KEY", "hunter2")
        .with("AWS_REGION", "us-east-1");
    let words = ["collect", "s3://artifacts", "--repo=o/r", "--run-id=7", "--retry-for=0s"];
    let said = program.run(&words).replace(&free.to_string(), "[SERVER]");
    assert!(!said.contains("hunter2"));
    assert_snapshot!(said);
}
