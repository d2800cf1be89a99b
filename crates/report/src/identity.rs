//! What makes a case the same test in every run.

use crate::model::Case;

/// Tells the parts of a case that its identity is made of: file, suites, class, name. Each is told with its length, or
/// a mark of its own where it is absent, so that no two lists of parts are alike.
pub(crate) fn parts(case: &Case<'_>, mut tell: impl FnMut(Option<&str>)) {
    tell(case.file.as_deref());
    for suite in &case.suite {
        tell(Some(stable_suite(suite)));
    }
    tell(None);
    tell(case.class.as_deref());
    tell(case.name.as_deref());
}

/// Returns what of a suite's name is the same in every run: unittest-xml-reporting ends it with the time.
pub(crate) fn stable_suite(name: &str) -> &str {
    match name.rsplit_once('-') {
        Some((stable, time))
            if !stable.is_empty() && time.len() == 14 && time.bytes().all(|byte| byte.is_ascii_digit()) =>
        {
            stable
        }
        _ => name,
    }
}
