//! The attempt that an artifact's name tells.

/// Reports whether an artifact of this name is one of the attempt: it tells this one, or none.
///
/// A name tells an attempt by an atom `runattempt<N>`; atoms are separated by `-`, `_` and `.`.
pub(super) fn fits(name: &str, attempt: u32) -> bool {
    let told = name.split(['-', '_', '.']).filter_map(|atom| atom.strip_prefix("runattempt"));
    told.filter(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
        // A number that fits no `u32` is that of another attempt.
        .all(|number| number.parse() == Ok(attempt))
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn an_artifact_of_another_attempt_does_not_fit() {
        assert!(fits("test-reports-runattempt2-test-default-1-2_7.zip", 2));
        assert!(fits("test-reports_runattempt2.zip", 2));
        assert!(fits("runattempt02", 2));
        assert!(!fits("test-reports-runattempt2-test", 1));
        assert!(!fits("test-reports-runattempt12", 1));
        assert!(!fits("test-reports-runattempt99999999999", 1));
        assert!(!fits("a-runattempt1-runattempt2", 1));
    }

    #[test]
    fn an_artifact_that_tells_no_attempt_fits_each() {
        for name in
            ["test-reports", "", "runattempt", "xrunattempt2", "runattempt2x", "run-attempt2", "Runattempt2"]
        {
            assert!(fits(name, 1), "{name}");
        }
    }
}
