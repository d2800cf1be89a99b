//! What an artifact is, by its first bytes; its name only breaks ties.

use std::fmt::Write as _;

use super::tar;

/// The first bytes that are looked at: one block of a tar.
pub(super) const HEAD_BYTES: usize = 512;

/// Suffixes of archives and of compressed files, with those that are known but not read.
const ARCHIVE_SUFFIXES: [&str; 16] = [
    ".zip", ".tar", ".tar.gz", ".tgz", ".gz", ".tar.zst", ".tzst", ".zst", ".zstd", ".tar.bz2", ".tbz2",
    ".bz2", ".tar.xz", ".txz", ".xz", ".7z",
];
const SQUEEZED_SUFFIXES: [&str; 3] = [".gz", ".zst", ".zstd"];
const SQUEEZED_TAR_SUFFIXES: [&str; 4] = [".tar.gz", ".tgz", ".tar.zst", ".tzst"];

/// How the first bytes say that the rest is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Zip,
    Tar,
    Squeezed(Codec),
}

/// The compressions of a whole file that are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Gzip,
    Zstd,
}

impl Kind {
    /// Returns the kind that `head`, the first [`HEAD_BYTES`], is the beginning of.
    pub(super) fn of(head: &[u8]) -> Option<Self> {
        // `PK\7\8` begins a zip that once was split.
        if [b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"].iter().any(|magic| head.starts_with(*magic)) {
            Some(Self::Zip)
        } else if head.starts_with(b"\x1f\x8b") {
            Some(Self::Squeezed(Codec::Gzip))
        } else if head.starts_with(b"\x28\xb5\x2f\xfd") {
            Some(Self::Squeezed(Codec::Zstd))
        } else if tar::begins(head) {
            Some(Self::Tar)
        } else {
            None
        }
    }
}

/// Reports whether a name ends like that of an archive or of a compressed file.
pub(super) fn has_archive_suffix(name: &str) -> bool {
    ARCHIVE_SUFFIXES.iter().any(|suffix| without_suffix(name, suffix).is_some())
}

/// Reports whether a name ends like that of a zip.
pub(super) fn has_zip_suffix(name: &str) -> bool {
    without_suffix(name, ".zip").is_some()
}

/// Reports whether a name ends like that of a compressed tar.
pub(super) fn has_squeezed_tar_suffix(name: &str) -> bool {
    SQUEEZED_TAR_SUFFIXES.iter().any(|suffix| without_suffix(name, suffix).is_some())
}

/// Reports whether a name ends like that of some file, so that it is not an artifact's bare name
/// (`reports-linux.2xlarge_123` and `reports-3.12` are such).
pub(super) fn has_file_suffix(name: &str) -> bool {
    name.rsplit_once('.').is_some_and(|(_, suffix)| {
        (1..=8).contains(&suffix.len())
            && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && suffix.bytes().any(|byte| byte.is_ascii_alphabetic())
    })
}

/// Returns a compressed file's name without the suffix of its compression.
pub(super) fn without_squeezed_suffix(name: &str) -> &str {
    SQUEEZED_SUFFIXES.iter().find_map(|suffix| without_suffix(name, suffix)).unwrap_or(name)
}

fn without_suffix<'a>(name: &'a str, suffix: &str) -> Option<&'a str> {
    let (stem, end) = name.split_at_checked(name.len().checked_sub(suffix.len())?)?;
    end.eq_ignore_ascii_case(suffix).then_some(stem)
}

/// Says what bytes that are no archive look like, to follow "is no archive: ".
pub(super) fn describe(head: &[u8]) -> String {
    const KNOWN: [(&[u8], &str); 9] = [
        (b"BZh", "a bzip2 file, which is not read"),
        (b"\xfd7zXZ\0", "an xz file, which is not read"),
        (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive, which is not read"),
        (b"Rar!", "a RAR archive, which is not read"),
        (b"MSCF", "a cabinet file, which is not read"),
        (b"%PDF", "a PDF file"),
        (b"\x89PNG", "a PNG image"),
        (b"\x7fELF", "a program"),
        (b"PK", "the remains of a zip"),
    ];
    if head.is_empty() {
        return "it is empty".to_owned();
    }
    if let Some((_, what)) = KNOWN.iter().find(|(magic, _)| head.starts_with(magic)) {
        return format!("it looks like {what}");
    }
    if head.iter().all(|&byte| byte == 0) {
        return "it begins with zero bytes".to_owned();
    }
    let text = String::from_utf8_lossy(head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head));
    let text = text.trim_start();
    let lower = text.chars().take(64).collect::<String>().to_ascii_lowercase();
    let what = if lower.starts_with("<!doctype html") || lower.starts_with("<html") {
        "an HTML page"
    } else if lower.starts_with('<') {
        "an XML document"
    } else if lower.starts_with(['{', '[']) {
        "a JSON document"
    } else if text.chars().take(64).all(|c| !c.is_control() || c.is_whitespace())
        && !lower.contains(char::REPLACEMENT_CHARACTER)
    {
        "text"
    } else {
        let mut bytes = String::new();
        for byte in head.iter().take(8) {
            // Writing to a string cannot fail.
            let _written = write!(bytes, " {byte:02x}");
        }
        return format!("it begins with the bytes{bytes}");
    };
    let line: String =
        text.lines().next().unwrap_or_default().chars().filter(|c| !c.is_control()).take(80).collect();
    format!("it looks like {what}, which begins with `{}`", line.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_archives_from_files_and_from_bare_artifacts() {
        assert!(has_archive_suffix("reports_1.ZIP"));
        assert!(has_archive_suffix("reports.tar.gz"));
        assert!(!has_archive_suffix("report.xml"));
        assert!(!has_archive_suffix("é"));
        assert!(has_file_suffix("report.xml"));
        assert!(!has_file_suffix("test-reports-test-default-1-1-linux.2xlarge_1234"));
        assert!(!has_file_suffix("reports-3.12"));
        assert_eq!(without_squeezed_suffix("a.xml.GZ"), "a.xml");
        assert_eq!(without_squeezed_suffix("a.xml"), "a.xml");
    }

    #[test]
    fn what_is_no_archive_is_described() {
        assert_eq!(describe(b""), "it is empty");
        assert_eq!(
            describe(b"\n<!DOCTYPE HTML>\n<title>502</title>"),
            "it looks like an HTML page, which begins with `<!DOCTYPE HTML>`"
        );
        assert_eq!(describe(b"7z\xbc\xaf\x27\x1c..."), "it looks like a 7-Zip archive, which is not read");
        assert_eq!(
            describe(br#"{"message":"Not Found"}"#),
            r#"it looks like a JSON document, which begins with `{"message":"Not Found"}`"#
        );
        assert_eq!(describe(b"gone\x1b[2J"), "it begins with the bytes 67 6f 6e 65 1b 5b 32 4a");
        assert_eq!(describe(b"gone away"), "it looks like text, which begins with `gone away`");
        assert_eq!(describe(&[0; 512]), "it begins with zero bytes");
    }
}
