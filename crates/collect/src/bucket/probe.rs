//! Asks the machine that we run on, quickly, whether it has an identity.
//!
//! The clients ask it as the last resort, patiently, and fail where nobody answers. A public bucket is to be read
//! without waiting for that.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response};

/// An identity service is a hop away, or absent.
const PATIENCE: Duration = Duration::from_secs(1);

fn client() -> Option<Client> {
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(PATIENCE)
        .timeout(2 * PATIENCE)
        .build()
        .map_err(|error| tracing::debug!(%error, "no client"))
        .ok()
}

async fn answer(request: RequestBuilder) -> Option<Response> {
    match request.send().await {
        Ok(response) if response.status().is_success() => Some(response),
        Ok(response) => {
            tracing::debug!(status = %response.status(), "this machine has no identity");
            None
        }
        Err(error) => {
            tracing::debug!(%error, "no identity service");
            None
        }
    }
}

/// Reports whether an EC2 instance has a role.
pub(super) async fn has_aws_role(endpoint: &str) -> bool {
    let Some(client) = client() else { return false };
    let put = client.request(Method::PUT, format!("{endpoint}/latest/api/token"));
    let Some(token) = answer(put.header("X-aws-ec2-metadata-token-ttl-seconds", "60")).await else {
        return false;
    };
    let Ok(token) = token.text().await else { return false };
    let roles = client.get(format!("{endpoint}/latest/meta-data/iam/security-credentials/"));
    answer(roles.header("X-aws-ec2-metadata-token", token)).await.is_some()
}

/// Reports whether a Google machine has a service account.
pub(super) async fn has_google_account(host: &str) -> bool {
    let Some(client) = client() else { return false };
    let email =
        client.get(format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/email"));
    answer(email.header("Metadata-Flavor", "Google")).await.is_some()
}

/// Reports whether an Azure machine has a managed identity.
pub(super) async fn has_azure_identity(endpoint: &str) -> bool {
    let Some(client) = client() else { return false };
    let token = client
        .get(endpoint)
        .query(&[("api-version", "2019-08-01"), ("resource", "https://storage.azure.com/")]);
    answer(token.header("Metadata", "true")).await.is_some()
}

/// Asks S3 in which region a bucket lies; `None` where it does not say.
///
/// S3 says so to anyone, with whatever else it answers.
pub(super) async fn region_of_bucket(service: &str, bucket: &str) -> Option<String> {
    let client = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(3 * PATIENCE)
        .timeout(5 * PATIENCE)
        .build()
        .ok()?;
    let response = client.head(format!("{service}/{bucket}")).send().await;
    let response = response.map_err(|error| tracing::debug!(%error, "region not found out")).ok()?;
    let region = response.headers().get("x-amz-bucket-region")?.to_str().ok()?;
    Some(region.to_owned())
}

#[cfg(test)]
mod tests {
    use testlake_testkit::scripted::{ScriptedServer, Step};

    use super::*;

    const NO_BODY: [&str; 1] = ["content-length: 0"];

    #[tokio::test]
    async fn a_bucket_tells_its_region_whoever_asks() {
        let says = ["content-length: 0", "x-amz-bucket-region: eu-west-3"];
        for (status, headers, expected) in [
            ("200 OK", &says[..], Some("eu-west-3")),
            ("301 Moved Permanently", &says[..], Some("eu-west-3")),
            ("403 Forbidden", &says[..], Some("eu-west-3")),
            ("404 Not Found", &NO_BODY[..], None),
        ] {
            let server = ScriptedServer::start([Step::answer(status, headers, b"")]).await.unwrap();
            let region = region_of_bucket(&server.url(), "bucket").await;
            assert_eq!(region.as_deref(), expected, "{status}");
            assert!(server.requests()[0].starts_with("head /bucket http/1.1"), "{:?}", server.requests());
        }
        assert_eq!(region_of_bucket("http://127.0.0.1:9", "bucket").await, None);
    }

    #[tokio::test]
    async fn a_machine_has_a_role_where_both_answers_say_so() {
        let token = || Step::answer("200 OK", &["content-length: 5"], b"token");
        let none = || Step::answer("404 Not Found", &NO_BODY, b"");
        let role = Step::answer("200 OK", &["content-length: 4"], b"role");
        for (steps, expected) in
            [(vec![token(), role], true), (vec![token(), none()], false), (vec![none()], false)]
        {
            let server = ScriptedServer::start(steps).await.unwrap();
            assert_eq!(has_aws_role(&server.url()).await, expected);
            if expected {
                assert!(
                    server.requests()[1].contains("x-aws-ec2-metadata-token: token"),
                    "{:?}",
                    server.requests()
                );
            }
        }
    }

    #[tokio::test]
    async fn a_service_that_says_nothing_is_not_waited_for() {
        let started = std::time::Instant::now();
        let server = ScriptedServer::start([Step::Stall(Vec::new()), Step::Stall(Vec::new())]).await.unwrap();
        assert!(!has_aws_role(&server.url()).await);
        assert!(!has_azure_identity(&server.url()).await);
        assert!(started.elapsed() < 20 * PATIENCE);
    }
}
