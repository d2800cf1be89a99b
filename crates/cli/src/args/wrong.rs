//! What is wrong with words, in the form that all failures have.

use std::error::Error as _;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::exit::Failure;

/// Makes a failure of an error in the words, of those that `command` (`testlake collect`) has.
pub(super) fn failure(error: &clap::Error, command: &str) -> Failure {
    let failure = Failure::usage(message(error));
    let failure = hint(error).into_iter().fold(failure, Failure::hint);
    failure.hint(format!("see `{command} --help`"))
}

fn message(error: &clap::Error) -> String {
    let arg = text(error, ContextKind::InvalidArg);
    // `--threads <N>`: the option alone.
    let option = arg.split(' ').next().unwrap_or_default();
    let value = text(error, ContextKind::InvalidValue);
    // What it does not go with: itself, where it is given twice.
    let other = texts(error, ContextKind::PriorArg).into_iter().next().unwrap_or_default();
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            format!("there is no command `{}`", text(error, ContextKind::InvalidSubcommand))
        }
        ErrorKind::UnknownArgument if arg.starts_with('-') => format!("there is no option `{option}`"),
        ErrorKind::UnknownArgument => format!("`{arg}` is one argument too many"),
        ErrorKind::InvalidValue if value.is_empty() => format!("`{option}` needs a value"),
        ErrorKind::InvalidValue => {
            let known = texts(error, ContextKind::ValidValue).join("`, `");
            format!("bad value of `{option}`: `{value}` is none of: `{known}`")
        }
        ErrorKind::ValueValidation => {
            let why = error.source().map(ToString::to_string).unwrap_or_default();
            format!("bad value of `{option}`: {why}")
        }
        ErrorKind::MissingRequiredArgument => format!("`{}` is not given", arg.replace(", ", "`, `")),
        ErrorKind::ArgumentConflict if other == arg => format!("`{option}` is given twice"),
        ErrorKind::ArgumentConflict if !other.is_empty() => {
            let other = other.split(' ').next().unwrap_or_default();
            format!("`{option}` and `{other}` cannot both be given")
        }
        ErrorKind::TooManyValues => format!("`{option}` takes no value"),
        // What is left is told in the words of the library.
        _ => {
            let said = error.render().to_string();
            let first = said.split("\n\n").next().unwrap_or_default();
            first.strip_prefix("error: ").unwrap_or(first).trim_end().to_owned()
        }
    }
}

fn hint(error: &clap::Error) -> Option<String> {
    // The last is the most alike.
    let near = |kind| texts(error, kind).pop().map(|near| format!("there is `{near}`"));
    near(ContextKind::SuggestedArg).or_else(|| near(ContextKind::SuggestedSubcommand))
}

fn text(error: &clap::Error, kind: ContextKind) -> String {
    texts(error, kind).join(", ")
}

fn texts(error: &clap::Error, kind: ContextKind) -> Vec<String> {
    match error.get(kind) {
        Some(ContextValue::String(text)) => vec![text.clone()],
        Some(ContextValue::Strings(texts)) => texts.clone(),
        _ => Vec::new(),
    }
}
