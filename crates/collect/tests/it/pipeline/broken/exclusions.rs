//! Lists of target determination that are none.

use testlake_testkit::zip::{Member, ZipBuilder};

use super::super::{Run, collect};
use super::{Trial, assert_all, find, zipped};

const PATH: &str = "x/td_exclusions-1.json";

fn list(title: &str, json: &[u8]) -> Trial {
    Trial { artifact: "test-jsons-bad_2.zip", ..Trial::artifact(title, zipped(PATH, json)) }
}

#[test]
fn a_list_that_is_none_is_told() {
    let cut = br#"{"excluded": [{"test_file": "a"},"#;
    let odd = b"{\"excluded\":\n [nonsense]}";
    assert_all([
        list("whole", br#"{"excluded": [{"test_file": "a"}]}"#),
        list("with a byte order mark", b"\xEF\xBB\xBF{\"excluded\": []}"),
        list("empty", b"").rejected().tells("td-exclusions", Some(PATH), Some(0)),
        list("cut off", cut).rejected().tells("td-exclusions", Some(PATH), Some(cut.len())),
        list("cut off behind a byte order mark", b"\xEF\xBB\xBF{").rejected().tells(
            "td-exclusions",
            Some(PATH),
            Some(4),
        ),
        list("no JSON", odd).rejected().tells("td-exclusions", Some(PATH), Some(find(odd, "onsense"))),
        list("no `excluded`", b"{}").rejected().tells("td-exclusions", Some(PATH), Some(0)),
        list("`excluded` is no list", br#"{"excluded": 1}"#).rejected().tells(
            "td-exclusions",
            Some(PATH),
            Some(0),
        ),
        list("an item without `test_file`", br#"{"excluded": [{}, {"test_file": "a"}]}"#)
            .salvaged(0, 0, 0)
            .tells("td-exclusions", Some(PATH), Some(0)),
    ]);
}

#[test]
fn what_can_be_read_of_the_lists_is_kept() {
    let run = Run::new();
    let lists = [
        ("x/td_exclusions-1.json", r#"{"excluded": [{"test_file": "b"}, {}]}"#),
        ("x/td_exclusions-2.json", "?"),
        ("x/td_exclusions-3.json", r#"{"excluded": [{"test_file": "a"}]}"#),
    ];
    let members = lists.map(|(path, json)| Member::deflated(path, json.as_bytes()));
    run.put("test-jsons-a_2.zip", &ZipBuilder::new().members(members).build().bytes);
    collect(&run.plan());
    let expected = "{\"NoBuildEnv\": {\"NoTestConfig\": [\"a\", \"b\"]}}\n";
    assert_eq!(run.lines("additional_info/td_exclusions"), expected);
}
