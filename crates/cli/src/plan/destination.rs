//! Where results go.

use testlake_collect::bucket::StoreUrl;

use crate::exit::Exit;
use crate::exit::{Failure, OrExit};

/// Checks that a word names a place that could be written to; nothing is opened. It is not repeated where it is wrong,
/// as it may hold a secret.
pub(super) fn check(option: &str, to: String) -> Result<String, Failure> {
    let what = if option == "--lake" { "no place of a lake" } else { "no place to write to" };
    let wrong = |failure: Failure| {
        failure
            .context(format!("`{option}` names {what}"))
            .hint("it reads like `./out`, `file:///folder`, `s3://bucket/prefix`, `gs://bucket` or `az://container`")
    };
    match (StoreUrl::parse(&to), to.split_once("://")) {
        (Some(url), _) => {
            url.or_exit(Exit::Usage).map_err(wrong)?;
        }
        (None, Some((scheme, _))) if is_web(scheme) => {
            let hint = format!(
                "the address of a store that speaks S3 goes into AWS_ENDPOINT_URL, and its bucket into `{option} s3://bucket`"
            );
            return Err(wrong(Failure::usage("a web address is no bucket")).hint(hint));
        }
        (None, Some((scheme, _))) if is_scheme(scheme) && !scheme.eq_ignore_ascii_case("file") => {
            return Err(wrong(Failure::usage(format!("`{scheme}://` is no kind of destination"))));
        }
        (None, _) => {}
    }
    Ok(to)
}

fn is_web(scheme: &str) -> bool {
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// Reports whether what stands before `://` could be a scheme, and is no part of a path.
fn is_scheme(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
}
