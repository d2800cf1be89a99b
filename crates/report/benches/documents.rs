//! JUnit reports of one shape each, of about a megabyte.

const BYTES: usize = 1 << 20;

/// Returns the name and the bytes of each.
pub(crate) fn documents() -> [(&'static str, String); 4] {
    [
        ("passed", report(|_| "/>".to_owned())),
        (
            "skipped",
            report(|number| {
                format!(
                    "><skipped type=\"pytest.skip\" message=\"Only runs on cuda\">/workspace/test/test_ops.py:{number}: \
                     Only runs on cuda</skipped></testcase>"
                )
            }),
        ),
        (
            "failed",
            report(|number| {
                let frames = "  File &quot;/workspace/test/test_ops.py&quot;, line 17, in wrapper\n    method(*args)\n".repeat(10);
                format!(
                    "><failure type=\"AssertionError\" message=\"{number} &lt; 3 &amp;&amp; x&#10;is false\">Traceback:\n{frames}\
                     AssertionError: {number} &lt; 3</failure></testcase>"
                )
            }),
        ),
        (
            "printed",
            report(|number| {
                let lines = format!("line {number}: warm-up \u{2713} & <done>\n").repeat(40);
                format!("><system-out><![CDATA[{lines}]]></system-out></testcase>")
            }),
        ),
    ]
}

/// Makes a report of cases that end as the function says for the number of each.
fn report(ending: impl Fn(usize) -> String) -> String {
    let mut xml =
        String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?><testsuites><testsuite name=\"pytest\">");
    for number in 0.. {
        if xml.len() > BYTES {
            break;
        }
        xml.push_str(&case(number, &ending(number)));
    }
    xml + "</testsuite></testsuites>"
}

fn case(number: usize, ending: &str) -> String {
    format!(
        "<testcase classname=\"TestOpsCPU\" name=\"test_add_{number}_float32\" time=\"0.{:03}\" file=\"test_ops.py\"{ending}",
        number * 7 % 1000,
    )
}
