//! What a secret of each maker looks like. The page `docs/redaction.md` is made of this.

/// A character written by its number, in JSON, in a language's string or in an address: `\u0022`, `\x3d`, `%3D`.
macro_rules! numbered {
    () => {
        r"\\u[0-9A-Fa-f]{4}|\\x[0-9A-Fa-f]{2}|%[0-9A-Fa-f]{2}"
    };
}

/// A rule: how its secrets begin, and what they read on like.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    /// The stable name, which stands in place of the secret.
    pub(super) name: &'static str,
    /// What it masks, for the page.
    pub(super) about: &'static str,
    /// Texts of which one stands in every secret, and at which [`Self::pattern`] begins.
    pub(super) needles: &'static [&'static str],
    /// The expression, from the needle on. What is in its group `secret` is masked, else all.
    ///
    /// From where it begins to where it fails it may pass no place at which another needle of its own may begin, or no more
    /// than a few: that keeps the whole linear.
    pub(super) pattern: &'static str,
    /// What may stand before the needle.
    pub(super) before: Before,
}

/// What may stand before a needle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Before {
    /// Anything.
    Any,
    /// No letter, digit or `_`: the needle begins a word. What an escape ends with (`\n`, `%3D`, a colour) is none.
    NoWord,
    /// Nor a `-`, but behind a short prefix (`session-`). Of a long run of what a token may hold so but the first few places are
    /// tried, though each try may read all of it.
    NoWordButPrefix,
    /// Nor a `-`.
    NoWordNorDash,
}

use Before::{Any, NoWord, NoWordButPrefix, NoWordNorDash};

/// Of rules that begin with the same needle the first that fits counts.
pub(super) const RULES: [Rule; 19] = [
    Rule {
        name: "github-token",
        about: "tokens of GitHub: personal (`ghp_`, `github_pat_`), of apps (`gho_`, `ghu_`, `ghs_`, `ghr_`)",
        needles: &["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"],
        pattern: r"(?:gh[opusr]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{36})[A-Za-z0-9_.-]*",
        before: NoWord,
    },
    Rule {
        name: "gitlab-token",
        about: "tokens of GitLab: personal (`glpat-`), of runners (`glrt-`), deployments (`gldt-`), triggers (`glptt-`), jobs \
                (`glcbt-`), agents (`glagent-`) and more",
        needles: &[
            "glpat-", "glrt-", "gldt-", "glptt-", "glcbt-", "glagent-", "glsoat-", "gloas-", "glimt-",
            "glft-",
        ],
        pattern: r"gl[a-z]{2,5}-[A-Za-z0-9_-]{20}[A-Za-z0-9_.-]*",
        before: NoWord,
    },
    Rule {
        name: "aws-key-id",
        about: "ids of access keys of AWS (`AKIA`, `ASIA`)",
        needles: &["AKIA", "ASIA"],
        pattern: r"(?:AKIA|ASIA)[A-Z0-9]{16}\b",
        before: NoWord,
    },
    Rule {
        name: "aws-secret-key",
        about: "secret access keys of AWS, by their name (`aws_secret_access_key`), and the first that looks like one within 200 \
                bytes behind a key's id",
        needles: &["ecret_access_key", "ECRET_ACCESS_KEY", "ecretAccessKey"],
        pattern: concat!(
            "(?i:ecret_?access_?key)(?:",
            numbered!(),
            r"|[^A-Za-z0-9/+\n]){1,8}(?<secret>[A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+]|$)",
        ),
        before: Any,
    },
    Rule {
        name: "google-api-key",
        about: "API keys of Google (`AIza`)",
        needles: &["AIza"],
        pattern: r"AIza[A-Za-z0-9_-]{35}",
        before: NoWord,
    },
    Rule {
        name: "google-oauth",
        about: "access tokens (`ya29.`) and client secrets (`GOCSPX-`) of Google",
        needles: &["ya29.", "GOCSPX-"],
        pattern: r"(?:ya29\.|GOCSPX-)[A-Za-z0-9_-]{20}[A-Za-z0-9_.-]*",
        before: NoWord,
    },
    Rule {
        name: "slack-token",
        about: "tokens of Slack (`xoxb-`, `xoxp-`, `xapp-` and the like)",
        needles: &["xox", "xapp-"],
        pattern: r"(?:xox[a-z](?:\.xox[a-z])?|xapp)-[A-Za-z0-9-]{10}[A-Za-z0-9-]*",
        before: NoWord,
    },
    Rule {
        name: "slack-webhook",
        about: "the secret part of the address of a webhook of Slack",
        needles: &["hooks.slack.com/"],
        pattern: r"hooks\.slack\.com/(?:services|workflows|triggers)/(?<secret>[A-Za-z0-9_/-]{20}[A-Za-z0-9_/-]*)",
        before: Any,
    },
    Rule {
        name: "stripe-key",
        about: "live keys of Stripe (`sk_live_`, `rk_live_`) and secrets of its webhooks (`whsec_`)",
        needles: &["sk_live_", "rk_live_", "whsec_"],
        pattern: r"(?:[sr]k_live|whsec)_[A-Za-z0-9+/=]{16}[A-Za-z0-9+/=]*",
        before: NoWord,
    },
    Rule {
        name: "npm-token",
        about: "tokens of npm (`npm_`)",
        needles: &["npm_"],
        pattern: r"npm_[A-Za-z0-9]{36}[A-Za-z0-9]*",
        before: NoWord,
    },
    Rule {
        name: "pypi-token",
        about: "tokens of PyPI (`pypi-`)",
        needles: &["pypi-"],
        pattern: r"pypi-(?:AgE[A-Za-z0-9_-]{16}|[A-Za-z0-9_-]{64})[A-Za-z0-9_-]*",
        before: NoWord,
    },
    Rule {
        name: "anthropic-key",
        about: "keys of Anthropic (`sk-ant-`)",
        needles: &["sk-ant-"],
        pattern: r"sk-ant-[A-Za-z0-9_-]{20}[A-Za-z0-9_-]*",
        before: NoWord,
    },
    Rule {
        name: "openai-key",
        about: "keys of OpenAI (`sk-`, `sk-proj-`, `sk-svcacct-`, `sk-admin-`) and of those who write theirs the same",
        needles: &["sk-"],
        pattern: r"sk-(?:(?:proj|svcacct|admin|None|or-v1)-[A-Za-z0-9_-]{20}[A-Za-z0-9_-]*|[A-Za-z0-9]{32}[A-Za-z0-9]*)",
        before: NoWordNorDash,
    },
    Rule {
        name: "azure-storage-key",
        about: "keys in connection strings of Azure (`AccountKey=`, `SharedAccessKey=`)",
        needles: &["AccountKey=", "AccessKey="],
        pattern: r"(?:Account|Access)Key=(?<secret>[A-Za-z0-9+/]{40}[A-Za-z0-9+/]*={0,2})",
        before: Any,
    },
    Rule {
        name: "azure-signature",
        about: "signatures in addresses of Azure's storage (`sig=`)",
        // `26`: an `&` by its number, as JSON of Go and of .NET has it
        needles: &["?sig=", "&sig=", ";sig=", "26sig="],
        pattern: r"(?:[?&;]|26)sig=(?<secret>[A-Za-z0-9%+/]{40}[A-Za-z0-9%+/=]*)",
        before: Any,
    },
    Rule {
        name: "jwt",
        about: "JSON web tokens, signed or encrypted",
        needles: &["eyJ"],
        // an encrypted one has five parts, of which the second may be empty
        pattern: r"eyJ[A-Za-z0-9_-]{8,}\.(?:eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*|[A-Za-z0-9_-]*\.[A-Za-z0-9_-]{16}\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{22})",
        before: NoWordButPrefix,
    },
    Rule {
        name: "private-key",
        about: "blocks of private keys in PEM and OpenPGP, whole or cut off (then their heads and lines, from 16 characters on); \
                certificates and public keys are no secrets",
        needles: &["-----BEGIN"],
        // of a block that does not end, its heads and lines, with what a report of them has between; one that does is found by its
        // end
        pattern: concat!(
            "-----BEGIN (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?-----",
            r#"(?:(?:\s|\\{1,4}[nr](?:['"](?: \+)?)?|\n[ \t]*(?:[E>|+'"-][ \t]*){1,4})*"#,
            r"(?:[A-Za-z0-9+/=]{16,}|(?:Version|Comment|Hash|Charset|MessageID|Proc-Type|DEK-Info|Content-Domain): [ -\[\]-~]{0,256}))*",
        ),
        before: Any,
    },
    Rule {
        name: "url-password",
        about: "passwords in addresses (`scheme://user:password@host`)",
        needles: &["://"],
        pattern: r#"://[^\s/?\#@:"'<>\\]*:(?<secret>[^\s/?\#"'<>\\]+)@"#,
        before: Any,
    },
    Rule {
        name: "authorization",
        about: "what follows `Authorization:` and a scheme (`Bearer`, `Basic`, `Token`), from eight characters on, and of four such as \
                are a name and a password (`a:b`) in Base64",
        needles: &["uthorization", "UTHORIZATION"],
        // `b'`: bytes as Python writes them; of four characters the second to fourth tell that the text has a `:` in it
        pattern: concat!(
            "(?i:uthorization)(?:",
            numbered!(),
            r#"|\bb['"]|\W){1,8}(?i:bearer|basic|token)[ \t]{1,8}(?<secret>[A-Za-z0-9._~+/=-]{8,}"#,
            "|[A-Za-z0-9+/](?:[DTjz][o-r][A-Za-z0-9+/=]|[A-Za-z0-9+/][AEIMQUYcgkosw048]6))(?:[^A-Za-z0-9._~+/=-]|$)",
        ),
        before: Any,
    },
];

/// A secret access key of AWS by its shape alone, beside a key's id.
pub(super) const SECRET_NEAR: &str = concat!(
    r"(?:^|[^A-Za-z0-9/+]|\\[nrt]|",
    numbered!(),
    ")(?<secret>[A-Za-z0-9/+]{40})(?:[^A-Za-z0-9/+=]|$)",
);

/// Where the end of a private key's block stands.
pub(super) const PRIVATE_KEY_END: &str = r"-----END (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?-----";

/// Reports whether what stands in a secret's place is none, which whoever looks for a defect must see.
pub(super) fn is_placeholder(text: &str) -> bool {
    matches!(text, "undefined" | "invalid-token" | "invalid_token")
        || ["${", "$(", "{{", "%("].iter().any(|begin| text.starts_with(begin))
        || text.bytes().all(|byte| byte == b'*')
        || text.bytes().all(|byte| byte == b'.')
}
