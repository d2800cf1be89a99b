use std::fmt::Write as _;
use std::sync::LazyLock;

use proptest::prelude::*;
use testlake_report::model::{Detail, Try};
use testlake_report::{Case, Outcome};

use super::*;

/// Made once: that takes far longer than to use it.
static REDACTOR: LazyLock<Redactor> = LazyLock::new(|| Redactor::new(Vec::new()).unwrap());

fn redactor() -> &'static Redactor {
    &REDACTOR
}

/// So many letters and digits that mean nothing.
fn filler(length: usize) -> String {
    "a1B2c3D4e5F6g7H8".chars().cycle().take(length).collect()
}

fn upper(length: usize) -> String {
    filler(length).to_ascii_uppercase()
}

/// What a token may stand behind though it ends with a letter or a digit.
const BEFORE_A_TOKEN: [&str; 17] = [
    "\u{1b}[31m",
    "\u{1b}[m",
    "#x1B[31m",
    "#x1B[m",
    "[31m",
    "[0K",
    "[K",
    "\\u001b[31m",
    "\\x1b[0m",
    "\\033[1;31m",
    "[?25h",
    "[1;38;2;255;255;255;48;2;255;255;255m",
    "\\u0022",
    "\\x3d",
    "\\u003D",
    "%3d",
    "#x07",
];

/// Made-up secrets in their surroundings: the rule, what stands before, the secret, what stands behind. They are put together
/// here so that none stands in the source.
fn secrets() -> Vec<(&'static str, String, String, String)> {
    let mut all = Vec::new();
    let mut add = |rule: &'static str, before: &str, secret: String, behind: &str| {
        all.push((rule, before.to_owned(), secret, behind.to_owned()));
    };
    for kind in ["p", "o", "u", "s", "r"] {
        add("github-token", "token ", format!("gh{kind}_{}", filler(36)), " was refused");
    }
    add("github-token", "", format!("github{}{}_{}", "_pat_", filler(22), filler(59)), "");
    add("github-token", "x=\\n", format!("gh{}_{}", "s", filler(40)), "\\nnext");
    add("gitlab-token", "PRIVATE-TOKEN: ", format!("gl{}-{}", "pat", filler(20)), "\n");
    add("gitlab-token", "(", format!("gl{}-{}", "cbt", filler(26)), ")");
    add("aws-key-id", "AWS_ACCESS_KEY_ID=", format!("AK{}{}", "IA", upper(16)), " end");
    add("aws-secret-key", "aws_secret_access_key = ", filler(40), "\n");
    add("aws-secret-key", "\"SecretAccessKey\": \"", filler(40), "\"}");
    add("google-api-key", "?key=", format!("AI{}{}", "za", filler(35)), "&x=1");
    add("google-oauth", "'", format!("ya{}{}", "29.", filler(40)), "'");
    add("slack-token", "SLACK=", format!("xo{}-{}-{}", "xb", "1".repeat(12), filler(24)), ";");
    add(
        "slack-webhook",
        "https://hooks.slack.com/services/",
        format!("T{}/B{}/{}", upper(8), upper(8), filler(24)),
        " ok",
    );
    add("stripe-key", "key ", format!("sk{}{}", "_live_", filler(24)), ".");
    add("npm-token", "_authToken=", format!("np{}{}", "m_", filler(36)), "\n");
    add("pypi-token", "password: ", format!("py{}{}", "pi-AgEIcHlwaS5vcmc", filler(60)), "");
    add("anthropic-key", "x-api-key: ", format!("sk{}{}", "-ant-api03-", filler(80)), " (401)");
    add("openai-key", "Incorrect API key: ", format!("sk{}{}", "-", filler(48)), ".");
    add("openai-key", "%3D", format!("sk{}{}", "-proj-", filler(48)), "");
    add("azure-storage-key", "AccountName=a;AccountKey=", format!("{}==", filler(86)), ";EndpointSuffix=x");
    add(
        "azure-signature",
        "https://a.blob.core.windows.net/c?sv=1&sig=",
        format!("{}%3D", filler(43)),
        "&se=2",
    );
    add(
        "jwt",
        "\u{1b}[31m",
        format!("ey{}{}.ey{}{}.{}", "J", filler(30), "J", filler(60), filler(43)),
        "\u{1b}[0m",
    );
    add("url-password", "postgres://app:", "hunter2!".to_owned(), "@db.internal:5432/app");
    add("url-password", "redis://:", "p@ss".to_owned(), "@localhost");
    add("authorization", "> Authorization: Bearer ", filler(24), "\n> Accept: */*");
    add("authorization", "{\"authorization\":[\"Basic ", format!("{}==", filler(20)), "\"]}");
    let lines = format!("\n{}\n{}\n{}=\n", filler(64), filler(64), filler(20));
    let block =
        |begin: &str, lines: &str, end: &str| format!("-----{begin} {}KEY-----{lines}{end}", "PRIVATE ");
    let end = format!("-----END {}KEY-----", "PRIVATE ");
    for before in BEFORE_A_TOKEN {
        add("github-token", before, format!("gh{}_{}", "p", filler(36)), "\\u001b[0m");
    }
    for before in [
        "\\u0022SecretAccessKey\\u0022:\\u0022",
        "\\\\u0022secretAccessKey\\\\u0022: \\\\u0022",
        "?aws_secret_access_key%3D",
    ] {
        add("aws-secret-key", before, filler(40), "\\u0022");
    }
    for before in ["?sv=1\\u0026sig=", "?sv=1\\x26sig=", "%3Fsv=1%26sig="] {
        add("azure-signature", before, format!("{}%3D", filler(43)), "\\u0026se=2");
    }
    let payload = format!("ey{}{}.ey{}{}.{}", "J", filler(30), "J", filler(60), filler(43));
    for before in ["session-", "a-b-", "-"] {
        add("jwt", before, payload.clone(), ";");
    }
    let encrypted = format!("{}.{}.{}.{}", filler(342), filler(16), filler(500), filler(22));
    add("jwt", "AUTH_TOKEN=", format!("ey{}{}.{encrypted}", "J", filler(40)), "\n");
    add("jwt", "", format!("ey{}{}..{}.{}.{}", "J", filler(40), filler(16), filler(5), filler(22)), "\n");
    for length in [513, 8000] {
        add(
            "url-password",
            "https://aws:",
            filler(length),
            "@a.d.codeartifact.eu-west-1.amazonaws.com/pypi/",
        );
    }
    for (before, secret) in [
        ("{\\u0022Authorization\\u0022:\\u0022Bearer ", filler(24)),
        ("{\\x22Authorization\\x22: \\x22token ", filler(24)),
        ("(b'authorization', b'Bearer ", filler(24)),
        ("{b\"Authorization\": b\"Basic ", format!("{}==", filler(10))),
        // `a:b`, `ab:`
        ("Authorization: Basic ", "YTpi".to_owned()),
        ("Authorization: Basic ", "YWI6".to_owned()),
    ] {
        add("authorization", before, secret, "'");
    }
    add("private-key", "key:\n", block("BEGIN", &lines, &end), "\nand so on");
    add(
        "private-key",
        "\"",
        block("BEGIN RSA", &lines.replace('\n', "\\n"), &end.replace("END", "END RSA")),
        "\"",
    );
    // cut off
    let cut = |head: &str, prefix: &str, end: &str| {
        let lines = [filler(64), filler(64), filler(20)].map(|line| format!("{end}{prefix}{line}"));
        block("BEGIN", &format!("{head}{}", lines.concat()), "")
    };
    for (head, prefix, end, behind) in [
        ("", "", "\n", "\n"),
        ("", "", "\r\n", "\r\n\r\n"),
        ("", "", " ", " and so on"),
        ("", "", "\\n", "', 'x'"),
        ("\nVersion: GnuPG v2\nComment: https://gnupg.org\n", "", "\n", "\n"),
        ("\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,0A1B2C\n", "", "\n", "\n"),
        ("\\nProc-Type: 4,ENCRYPTED\\nDEK-Info: AES-128-CBC,0A1B2C\\n", "", "\\n", "\\n"),
        ("\nE   Proc-Type: 4,ENCRYPTED\nE   ", "E   ", "\n", "\nE   AssertionError: not it"),
        ("", "E   ", "\n", "\nE   \nE   assert False"),
        ("", "E     + ", "\n", "\nE     - x"),
        ("", "> ", "\n", "\n> x"),
        ("", "+", "\n", "\n+x"),
        ("", "    | ", "\n", "\n    | x"),
        ("", "'", "\\n'\n", "\\n'\n"),
        ("", "  E    '", "\\n'\n", "\\n')"),
        ("", "    \"", "\\n\" +\n", "\\n\";"),
    ] {
        add("private-key", "'", cut(head, prefix, end), behind);
    }
    all
}

#[test]
fn each_rule_masks_its_secrets_and_nothing_around_them() {
    let redactor = redactor();
    let mut seen = std::collections::BTreeSet::new();
    for (rule, before, secret, behind) in secrets() {
        let mut masked = Masked::default();
        let text = format!("{before}{secret}{behind}");
        assert_eq!(
            redactor.redact(&text, &mut masked),
            format!("{before}[redacted: {rule}]{behind}"),
            "{text}"
        );
        assert_eq!(redactor.counts(&masked).collect::<Vec<_>>(), [(rule, 1)]);
        seen.insert(rule);
    }
    let all: std::collections::BTreeSet<_> = RULES.iter().map(|rule| rule.name).collect();
    assert_eq!(seen, all);
}

#[test]
fn every_secret_of_a_text_is_masked_and_counted() {
    let redactor = redactor();
    let mut masked = Masked::default();
    let all = secrets();
    let text: String =
        all.iter().map(|(_, before, secret, behind)| format!("{before}{secret}{behind}\n\n")).collect();
    let clean = redactor.redact(&text, &mut masked);
    for (_, _, secret, _) in &all {
        assert!(!clean.contains(secret.as_str()), "{secret}");
    }
    assert_eq!(redactor.counts(&masked).map(|(_, count)| count).sum::<u64>(), all.len() as u64);
    let mut twice = Masked::default();
    twice.add(&masked);
    twice.add(&masked);
    assert_eq!(redactor.counts(&twice).map(|(_, count)| count).sum::<u64>(), 2 * all.len() as u64);
    // what is masked stays as it is
    let mut again = Masked::default();
    assert_eq!(redactor.redact(&clean, &mut again), clean);
    assert!(again.is_empty());
}

#[test]
fn the_secret_of_a_key_of_aws_is_masked_beside_its_id() {
    let (redactor, mut masked) = (redactor(), Masked::default());
    let id = format!("AK{}{}", "IA", upper(16));
    let text = format!("{id},{}\n", filler(40));
    assert_eq!(redactor.redact(&text, &mut masked), "[redacted: aws-key-id],[redacted: aws-secret-key]\n");
    let far = format!("{id}{}{}", " é".repeat(100), filler(40));
    assert!(redactor.redact(&far, &mut masked).ends_with(&filler(40)));

    let token = format!("gh{}_{}", "p", filler(36));
    for (text, clean) in [
        (
            format!("{id} token {token} sha {}", filler(40)),
            "[redacted: aws-key-id] token [redacted: github-token] sha [redacted: aws-secret-key]",
        ),
        (
            format!("{id} {id} {}", filler(40)),
            "[redacted: aws-key-id] [redacted: aws-key-id] [redacted: aws-secret-key]",
        ),
        // what is found by its name and by its place is one
        (
            format!("{id}\naws_secret_access_key={}\n", filler(40)),
            "[redacted: aws-key-id]\naws_secret_access_key=[redacted: aws-secret-key]\n",
        ),
        // what holds it is the one
        (format!("{id} gh{}_{}", "p", filler(40)), "[redacted: aws-key-id] [redacted: github-token]"),
        (format!("{id}\nsecret={}", filler(40)), "[redacted: aws-key-id]\nsecret=[redacted: aws-secret-key]"),
        (format!("{id}\\n{}\\n", filler(40)), "[redacted: aws-key-id]\\n[redacted: aws-secret-key]\\n"),
        (
            format!("{id}\\u0022,\\u0022{}\\u0022", filler(40)),
            "[redacted: aws-key-id]\\u0022,\\u0022[redacted: aws-secret-key]\\u0022",
        ),
    ] {
        let mut masked = Masked::default();
        assert_eq!(redactor.redact(&text, &mut masked), clean, "{text}");
        let count = redactor.counts(&masked).map(|(_, count)| count).sum::<u64>();
        assert_eq!(usize::try_from(count).unwrap(), clean.matches("[redacted").count(), "{text}");
    }
}

#[test]
fn a_token_may_begin_where_another_secret_ends() {
    let text = format!("AI{}{}gh{}_{}", "za", filler(35), "p", filler(36));
    let clean = redactor().redact(&text, &mut Masked::default()).into_owned();
    assert_eq!(clean, "[redacted: google-api-key][redacted: github-token]");
}

#[test]
fn what_looks_alike_is_left() {
    let redactor = redactor();
    for text in [
        "https://example.com:8080/a@b",
        "https://example.com/a:b@c",
        "git+ssh://git@host:o/r",
        "http://[::1]:80/ mailto:a@b",
        "://a:${PASSWORD}@host and ://a:***@host",
        "the task-runner of disk-management is risk-averse: sk-learn, sk-1234",
        "a_ghp_b ghp_ ghp_short npm_config_registry npm_lifecycle_event pypi-server",
        "Authorization: Bearer undefined; Authorization: Basic realm=\"x\"; authorization failed",
        "eyJ eyJhbGciOiJ9 keyJ.eyJ. AIzaShort AKIASHORT xoxo xox-",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----",
        "Authorization: Basic auth failed; authorization: token Okta; authorization, basic form",
        "AccountKey=; sig=abc; ?sig=short",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ] {
        let mut masked = Masked::default();
        assert_eq!(redactor.redact(text, &mut masked), text);
    }
}

#[test]
fn what_is_said_of_a_key_is_left_behind_its_first_line() {
    for (before, behind) in [
        ("", " was not in the text"),
        ("'", "', UnsupportedCertificateException"),
        ("f('", "\\n') raised UnsupportedCertificateException"),
        ("E   assert '", "' in UnsupportedCertificateException\nE   UnsupportedCertificateException"),
        ("", "\nE   AssertionError: not a key"),
    ] {
        let text = format!("{before}-----BEGIN {}KEY-----{behind}", "PRIVATE ");
        let clean = redactor().redact(&text, &mut Masked::default()).into_owned();
        assert_eq!(clean, format!("{before}[redacted: private-key]{behind}"));
    }
}

#[test]
fn patterns_of_the_user_s_own_are_masked_by_their_names() {
    let own = ["ticket=TKT-[0-9]+", "pin=pin: (?<secret>[0-9]{4})"];
    let redactor = Redactor::new(own.map(|text| OwnPattern::parse(text).unwrap()).into()).unwrap();
    let mut masked = Masked::default();
    let text = format!("TKT-12 pin: 1234 pin: 12 x gl{}-{}TKT-5", "pat", filler(20));
    let clean = redactor.redact(&text, &mut masked);
    assert_eq!(clean, "[redacted: ticket] pin: [redacted: pin] pin: 12 x [redacted: gitlab-token]");
    assert_eq!(
        redactor.counts(&masked).collect::<Vec<_>>(),
        [("gitlab-token", 1), ("ticket", 1), ("pin", 1)]
    );
    for (text, says) in [
        ("x", "reads not like"),
        ("a b=x", "cannot be the name"),
        ("=x", "cannot be the name"),
        ("jwt=x", "cannot be the name"),
        ("a=(", "no regular expression"),
        ("a=x*", "matches the empty text"),
    ] {
        let error = OwnPattern::parse(text).unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
}

#[test]
fn every_text_of_a_case_is_masked_and_its_names_are_not() {
    let redactor = redactor();
    let token = format!("gl{}-{}", "pat", filler(20));
    let text = || Some(format!("x {token} y").into());
    let detail = || Detail { kind: text(), message: text(), text: text() };
    let mut case = Case::new(Outcome::Failed, 7);
    case.name = Some(format!("test[{token}]").into());
    case.file = Some("a.py".into());
    let mut masked = Masked::default();
    assert!(redactor.redact_case(&case, Searched::default(), &mut masked).is_none());
    case.detail = detail();
    case.tries = vec![Try { outcome: Outcome::Passed, seconds: None, detail: detail() }];
    (case.stdout, case.stderr) = (text(), text());
    case.properties = vec![("token".into(), token.clone().into()), ("other".into(), "x".into())];
    let clean = redactor.redact_case(&case, Searched::default(), &mut masked).unwrap();
    assert_eq!(format!("{clean:?}").matches(&token).count(), 1);
    assert_eq!(format!("{clean:?}").matches("[redacted: gitlab-token]").count(), 9);
    assert_eq!((&clean.name, clean.offset, clean.outcome), (&case.name, 7, Outcome::Failed));
    assert_eq!(redactor.counts(&masked).collect::<Vec<_>>(), [("gitlab-token", 9)]);

    let mut watch = NameWatch::default();
    assert!(watch.finds(redactor, &case, Searched::default()));
    case.name = Some("test".into());
    assert!(!watch.finds(redactor, &case, Searched::default()));
    case.suite = vec!["a".into(), token.clone().into()];
    assert!(watch.finds(redactor, &case, Searched::default()));
    // what many have in common is told of the first
    assert!(!watch.finds(redactor, &case, Searched::default()));
    case.suite = vec![format!("outer {token}").into(), "inner".into()];
    assert!(watch.finds(redactor, &case, Searched::default()));
    case.suite = vec![case.suite[0].clone(), "other".into()];
    assert!(!watch.finds(redactor, &case, Searched::default()));
    case.properties = vec![(token.clone().into(), "x".into())];
    assert!(watch.finds(redactor, &case, Searched::default()));
}

/// Reads a report, and returns the cases as they may be kept and how often a name holds a secret.
struct Kept<'run> {
    redactor: &'run Redactor,
    searched: Searched<'run>,
    names: NameWatch,
    masked: Masked,
    cases: Vec<String>,
    in_names: usize,
}

impl testlake_report::Visitor for Kept<'_> {
    fn case(&mut self, case: &Case<'_>) {
        self.in_names += usize::from(self.names.finds(self.redactor, case, self.searched));
        let clean = self.redactor.redact_case(case, self.searched, &mut self.masked);
        self.cases.push(format!("{:?}", clean.as_ref().unwrap_or(case)));
    }

    fn finding(&mut self, _: testlake_report::Finding) {}
}

#[test]
fn a_search_of_the_report_as_it_came_hides_no_secret_of_its_texts() {
    let token = format!("gl{}-{}", "pat", filler(20));
    let escaped: String = token.chars().map(|char| format!("&#{};", u32::from(char))).collect();
    let report = |name: &str, text: &str| {
        format!(
            "<testsuite><testcase name='{name}' classname='c'><failure message='{text}'/></testcase></testsuite>"
        )
    };
    let utf16 = |text: &str| -> Vec<u8> {
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
    };
    let own = Redactor::new(vec![OwnPattern::parse("word=plain").unwrap()]).unwrap();
    for (redactor, raw, found) in [
        (redactor(), report("a", "plain").into_bytes(), 0),
        (redactor(), report(&token, &token).into_bytes(), 2),
        (redactor(), report(&escaped, &escaped).into_bytes(), 2),
        (redactor(), report("a", &format!("<![CDATA[{token}]]>")).into_bytes(), 1),
        (redactor(), report("a", &format!(r"?a=b\u0026sig={}", filler(43))).into_bytes(), 1),
        (redactor(), utf16(&report(&token, &token)), 2),
        (&own, report("a", "plain").into_bytes(), 1),
    ] {
        let kept = |searched| {
            let (names, masked) = (NameWatch::default(), Masked::default());
            let mut kept = Kept { redactor, searched, names, masked, cases: Vec::new(), in_names: 0 };
            testlake_report::read(raw.as_slice(), testlake_report::Limits::default(), &mut kept);
            (kept.cases, kept.in_names, redactor.counts(&kept.masked).map(|(_, count)| count).sum::<u64>())
        };
        let with = kept(redactor.search(&raw));
        assert_eq!(with, kept(Searched::default()));
        assert_eq!(with.1 + usize::try_from(with.2).unwrap(), found, "{with:?}");
    }
    // and it is of use: what lies in bytes that were searched is not searched again
    let clean = report("a", "plain");
    assert!(redactor().search(clean.as_bytes()).holds(clean.get(20..30).unwrap()));
    assert!(!redactor().search(clean.as_bytes()).holds("plain"));
}

/// Input that is made to be looked at again and again: were the time not linear, this would not end.
#[test]
fn hostile_text_takes_no_more_time_than_its_length() {
    let redactor = redactor();
    let most = 128 << 10;
    let begin = format!("-----BEGIN {}KEY-----", "PRIVATE ");
    let mut hostile: Vec<String> =
        RULES.iter().flat_map(|rule| rule.needles).map(|needle| (*needle).to_owned()).collect();
    hostile.extend([
        format!("{begin}a"),
        begin.clone(),
        format!("{begin}\nProc-Type: "),
        "eyJaaaaaaaaaa-".to_owned(),
        "eyJaaaaaaaaaa.".to_owned(),
        "eyJaaaaaaaaaa.eyJaaaaaaaaaa-".to_owned(),
        "eyJ-".to_owned(),
        format!("-{}", "eyJ-".repeat(1 << 12)),
        "eyJaaaaaaaaaa-eyJaaaaaaaaaa.".to_owned(),
        "eyJaaaaaaaaaa.a.aaaaaaaaaaaaaaaaaaa.".to_owned(),
        format!("{begin}\nE "),
        format!("{begin}\\n' +"),
        "://a:".to_owned(),
        "://a:a@".to_owned(),
        "://aaaaaaaaaaaaaaaa".to_owned(),
        "Authorization: Bearer a".to_owned(),
        "Authorization:::::::".to_owned(),
        "Authorization\\u0022".to_owned(),
        "[1;".to_owned(),
        format!("AK{}{} ", "IA", upper(16)),
        "secret_access_key=".to_owned(),
        "hooks.slack.com/services/".to_owned(),
        "é".to_owned(),
    ]);
    for piece in hostile {
        let text = piece.repeat(most / piece.len());
        let mut masked = Masked::default();
        let clean = redactor.redact(&text, &mut masked);
        assert_eq!(clean == text, masked.is_empty(), "{piece}");
    }
}

proptest! {
    #[test]
    fn clean_text_is_untouched(
        words in proptest::collection::vec(
            prop_oneof![
                "[a-z]{1,12}", "[A-Za-z0-9_.-]{1,30}", "\\PC{0,8}", "[0-9a-f]{40}", "[\\t\\n ]{1,3}",
                Just("https://example.com/a?b=c".to_owned()), Just("user@example.com".to_owned()),
                Just("at com.example.Foo(Foo.java:12)".to_owned()), Just("Authorization".to_owned()),
            ],
            0..40,
        ),
    ) {
        let text = words.join(" ");
        prop_assume!(!redactor().needles.is_match(&text.replace("://example", "").replace("uthorization", "")));
        let mut masked = Masked::default();
        let clean = redactor().redact(&text, &mut masked);
        prop_assert!(matches!(clean, Cow::Borrowed(same) if same == text));
        prop_assert!(masked.is_empty());
    }

    #[test]
    fn a_secret_is_found_wherever_it_stands(
        before in "[a-zé :=\n\"'(]{0,30}[ :=\n\"'(]", behind in "[ ,;\n\"')][a-zé ]{0,30}", place in 0_usize..256,
    ) {
        let all = secrets();
        let (rule, near, secret, after) = &all[place % all.len()];
        let text = format!("{before}{near}{secret}{after}{behind}");
        let mut masked = Masked::default();
        let clean = redactor().redact(&text, &mut masked);
        prop_assert!(!clean.contains(secret.as_str()), "{clean}");
        prop_assert!(clean.contains(&format!("[redacted: {rule}]")), "{clean}");
        prop_assert!(clean.starts_with(&before) && clean.ends_with(&behind), "{clean}");
    }

    #[test]
    fn any_text_is_read_and_what_is_masked_stays(text in "\\PC{0,200}", places in proptest::collection::vec((0_usize..256, 0_usize..200), 0..4)) {
        let all = secrets();
        let mut text = text;
        for (secret, at) in places {
            let at = text.floor_char_boundary(at.min(text.len()));
            text.insert_str(at, &all[secret % all.len()].2);
        }
        let mut masked = Masked::default();
        let redactor = redactor();
        let clean = redactor.redact(&text, &mut masked);
        prop_assert_eq!(redactor.redact(&clean, &mut Masked::default()), clean.clone());
    }
}

/// The page is rewritten where `TESTLAKE_BLESS` is set.
#[test]
fn the_page_of_redaction_has_every_rule() {
    let mut page = String::from(
        "# Redaction\n\nTests print what they should not. Before a result is kept, secrets in its texts are masked: in messages, stack \
         traces, output, the\nvalues of properties, of every try. `[redacted: RULE]` stands in a secret's place. It is on unless \
         `--no-redact` (`redact = false`)\nsays otherwise.\n\nThe ledger counts what was masked by rule, as \
         `redacted`. Names (of files, suites, classes, tests and properties) are not changed: they\nare what tells a test from others. \
         Where one holds a secret, the report has the finding `secret-in-name`, and whoever wrote the test\nshould take it out. The \
         collections, which others have read for long, are not changed either. What\n`collect` shows of failures is masked where it keeps a \
         lake; with `--no-lake` nothing looks for secrets.\n\nNothing that finds secrets finds all of them. A pattern \
         of your own, by a name and a regular expression, is masked, too:\n\n```toml\nredact-pattern = [\"ticket=TKT-[0-9]{6}\", \
         \"pin=pin: (?<secret>[0-9]{4})\"]\n```\n\nOf an expression with a group `secret` the group is masked, else all that it matches. \
         Expressions are those of the\n[regex](https://docs.rs/regex/#syntax) crate, whose time is linear in the text.\n\n| rule | \
         what it masks |\n|---|---|\n",
    );
    for (name, about) in rules() {
        writeln!(page, "| `{name}` | {about} |").unwrap();
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/redaction.md");
    if std::env::var_os("TESTLAKE_BLESS").is_some() {
        std::fs::write(path, &page).unwrap();
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), page, "set TESTLAKE_BLESS=1 to rewrite it");
}
