//! `testlake sql`.

use std::fs::File;
use std::io::{self, IsTerminal as _, Read};

use super::ask::{self, Ask};
use super::{prompt, runtime};
use crate::args::{RowsFormat, SqlArgs};
use crate::command::reports;
use crate::config::{Environment, Layers};
use crate::exit::{Exit, Failure, OrExit};
use crate::plan::{self, Asking, Question, Talk};
use crate::render::rows::Screen;

/// 1 MiB: a question of ten thousand lines.
const MAX_QUESTION_BYTES: u64 = 1 << 20;

/// Resolves the words and asks.
pub(crate) fn run(args: SqlArgs, layers: &Layers) -> Result<Exit, Failure> {
    let (asking, talk) = plan::sql(args, layers)?;
    crate::log::start(talk);
    reports::or_closed(carry_out(asking, talk, layers.environment()))
}

fn carry_out(asking: Asking, talk: Talk, environment: &Environment) -> Result<Exit, Failure> {
    let Asking { place, question, parameters, limits, format } = asking;
    let limits = ask::limits(&limits);
    let parameters = ask::parameters(parameters);
    let sql = match question {
        Question::Given(sql) => sql,
        Question::File(path) => {
            let cannot = format!("cannot read the question from `{path}`");
            read(File::open(path)).map_err(|failure| failure.context(cannot))?
        }
        Question::Asked if io::stdin().is_terminal() => {
            return prompt::run(
                place,
                environment,
                Ask { sql: String::new(), parameters, limits, format },
                talk,
            );
        }
        Question::Asked => read(Ok(io::stdin()))
            .map_err(|failure| failure.context("cannot read the question from the standard input"))?,
    };
    if sql.trim().is_empty() {
        return Err(Failure::usage("no question is given").hint(
            "give one, as in `testlake sql \"select count(*) from results\"`, or a file of one with `-f`",
        ));
    }
    refuse_on_terminal(format)?;
    let ask = Ask { sql, parameters, limits, format };
    let work = ask::answer(place, environment.clone(), ask, Screen::of_stdout(environment));
    ask::until_signal(runtime()?, true, work)?;
    Ok(Exit::Done)
}

/// Refuses to put bytes that are no text on a terminal.
pub(super) fn refuse_on_terminal(format: RowsFormat) -> Result<(), Failure> {
    if format == RowsFormat::Parquet && io::stdout().is_terminal() {
        return Err(Failure::usage("`--format parquet` is no text, and the standard output is a terminal")
            .hint("send it into a file: `> rows.parquet`"));
    }
    Ok(())
}

fn read(from: io::Result<impl Read>) -> Result<String, Failure> {
    let mut text = String::new();
    from.and_then(|from| from.take(MAX_QUESTION_BYTES + 1).read_to_string(&mut text)).or_exit(Exit::Usage)?;
    if text.len() as u64 > MAX_QUESTION_BYTES {
        return Err(Failure::usage("it is larger than 1 MiB"));
    }
    Ok(text)
}
