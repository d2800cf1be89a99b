//! The lists of files that target determination left out: `td_exclusions*.json`.

use serde_json::Value;

use super::unit::ExclusionsDone;
use crate::archive::{Defect, IN_MEMORY_BYTES, ReadOutcome};

/// Reads the `test_file`s of the `excluded` list.
pub(crate) fn read(path: &str, inflated: &[u8], outcome: Result<ReadOutcome, Defect>) -> ExclusionsDone {
    let mut done =
        ExclusionsDone { path: path.to_owned(), test_files: Vec::new(), wrong: None, defect: None };
    match outcome {
        Ok(ReadOutcome::Whole) => {}
        Ok(ReadOutcome::TooLargeForMemory) => {
            done.wrong = Some((
                "td-exclusions",
                Some(IN_MEMORY_BYTES),
                "it is larger than 32 MiB, which no such list is".into(),
            ));
            return done;
        }
        Err(defect) => {
            done.defect = Some(defect);
            return done;
        }
    }
    let text = inflated.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(inflated);
    let document: Value = match serde_json::from_slice(text) {
        Ok(document) => document,
        Err(error) => {
            let mark = inflated.len() - text.len();
            let place =
                if error.is_eof() { text.len() } else { place_of(text, error.line(), error.column()) };
            let offset = (mark + place) as u64;
            done.wrong = Some(("td-exclusions", Some(offset), "it is no JSON".into()));
            return done;
        }
    };
    let Some(excluded) = document.get("excluded").and_then(Value::as_array) else {
        done.wrong = Some(("td-exclusions", Some(0), "it has no list `excluded`".into()));
        return done;
    };
    let mut without = 0_u64;
    for item in excluded {
        match item.get("test_file").and_then(Value::as_str) {
            Some(file) => done.test_files.push(file.to_owned()),
            None => without += 1,
        }
    }
    if without > 0 {
        let text = format!("{without} of the {} in `excluded` have no text `test_file`", excluded.len());
        // where in the document an item stood is not known any more: it is all of it that is meant
        done.wrong = Some(("td-exclusions", Some(0), text));
    }
    done
}

/// Returns the place of a line and a column, both counted from 1.
fn place_of(text: &[u8], line: usize, column: usize) -> usize {
    let before: usize =
        text.split_inclusive(|&byte| byte == b'\n').take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    before + column.saturating_sub(1)
}
