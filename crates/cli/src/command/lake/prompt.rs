//! The prompt of `testlake sql`: history, completion, a question that ends with `;`.

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Instant;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{Config, Context, Editor, Helper};
use testlake_lake::engine::Engine;
use tokio::runtime::Runtime;

use super::ask::{self, Ask};
use super::{ending, open, runtime};
use crate::args::RowsFormat;
use crate::config::Environment;
use crate::exit::{Exit, Failure, OrExit};
use crate::plan::{LakePlace, Talk};
use crate::render::number::counted;
use crate::render::rows::Screen;
use crate::render::{Paint, Tone, for_terminal};

/// Questions that are remembered.
const REMEMBERED: usize = 1000;

const HELP: &str = "\
A question is one statement that reads, and ends with `;`.
  \\d         the tables and their columns
  \\q         leave; Ctrl-D, too
  Tab        complete a table, a column or a word of SQL
  Ctrl-C     end a question that takes long, or forget the line
docs/format.md says what the columns mean.";

/// Asks for questions until there are no more.
pub(super) fn run(
    place: LakePlace,
    environment: &Environment,
    ask: Ask,
    talk: Talk,
) -> Result<Exit, Failure> {
    if ask.format == RowsFormat::Parquet {
        return Err(Failure::usage("`--format parquet` needs a question")
            .hint("give one, as in `testlake sql --format parquet \"select ...\" > rows.parquet`"));
    }
    let runtime = runtime()?;
    let words = runtime.block_on(words(&place, environment, &ask))?;
    let tables = words.tables.clone();
    let history = history_file(environment);
    let mut editor = editor(words).or_exit(Exit::Unavailable)?;
    if let Some(path) = &history {
        // The first time there is none.
        editor.load_history(path).ok();
    }
    if !talk.quiet {
        let version = env!("CARGO_PKG_VERSION");
        say(&format!(
            "testlake {version} on {}; a question ends with `;`, \\? helps, \\q leaves",
            for_terminal(&place.lake)
        ));
    }
    let session = Session { runtime, place, environment: environment.clone(), ask, tables };
    loop {
        match editor.readline("testlake> ") {
            Ok(line) => {
                let line = line.trim();
                if line.is_empty() {
                    continue;
                }
                // What is not remembered is asked all the same.
                editor.add_history_entry(line).ok();
                if !session.turn(line) {
                    break;
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error).or_exit(Exit::Unavailable),
        }
    }
    if let Some(path) = &history {
        keep_history(&mut editor, path);
    }
    session.runtime.shutdown_background();
    Ok(Exit::Done)
}

struct Session {
    runtime: Runtime,
    place: LakePlace,
    environment: Environment,
    ask: Ask,
    tables: Vec<(String, Vec<(String, String)>)>,
}

impl Session {
    /// Does what a line says; false to leave.
    fn turn(&self, line: &str) -> bool {
        match line.trim_end_matches(';').trim() {
            "\\q" | "exit" | "quit" => return false,
            "\\?" | "help" => say(HELP),
            "\\d" => self.describe(),
            _ if line.starts_with('\\') => {
                say(&format!("there is no command `{}`; \\? lists them", for_terminal(line)));
            }
            "" => {}
            _ => self.question(line),
        }
        true
    }

    fn describe(&self) {
        for (table, columns) in &self.tables {
            println(&format!("{}", Paint::for_stdout(&self.environment).text(Tone::Strong, table)));
            let width = columns.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
            for (name, kind) in columns {
                println(&format!("  {name:<width$}  {kind}"));
            }
        }
    }

    fn question(&self, line: &str) {
        let begin = Instant::now();
        let place = LakePlace { lake: self.place.lake.clone(), retry_for: self.place.retry_for };
        let ask = Ask {
            sql: line.trim_end().trim_end_matches(';').to_owned(),
            parameters: self.ask.parameters.clone(),
            limits: self.ask.limits.clone(),
            format: self.ask.format,
        };
        let screen = Screen::of_stdout(&self.environment);
        let task = self.runtime.spawn(ask::answer(place, self.environment.clone(), ask, screen));
        let abort = task.abort_handle();
        let done = self.runtime.block_on(async {
            tokio::select! {
                done = task => Some(done),
                _ = tokio::signal::ctrl_c() => None,
            }
        });
        match done {
            Some(Ok(Ok(rows))) => {
                let seconds = begin.elapsed().as_secs_f64();
                let text = format!("{}, {seconds:.2} s", counted(rows, "row"));
                println(&Paint::for_stdout(&self.environment).text(Tone::Faint, &text));
            }
            Some(Ok(Err(failure))) => say(&failure.to_string()),
            // The hook has told of it.
            Some(Err(_)) => {}
            None => {
                abort.abort();
                say("the question was ended");
            }
        }
    }
}

/// Talks to who sits there; where that is nowhere there is nobody to tell.
fn say(text: &str) {
    writeln!(io::stderr(), "{text}").ok();
}

fn println(text: &str) {
    writeln!(io::stdout(), "{text}").ok();
}

fn editor(words: Words) -> rustyline::Result<Editor<Words, FileHistory>> {
    let config = Config::builder()
        .max_history_size(REMEMBERED)?
        .history_ignore_space(true)
        .completion_type(rustyline::CompletionType::List)
        .auto_add_history(false)
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(words));
    Ok(editor)
}

/// Names the file of questions: in the folder that systems have for such.
fn history_file(environment: &Environment) -> Option<PathBuf> {
    let state = environment.get("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || environment.get("HOME").map(|home| PathBuf::from(home).join(".local/state"));
    let local = || environment.get("LOCALAPPDATA").map(PathBuf::from);
    Some(state.or_else(home).or_else(local)?.join("testlake").join("history"))
}

fn keep_history(editor: &mut Editor<Words, FileHistory>, path: &std::path::Path) {
    let kept = match path.parent() {
        Some(folder) => std::fs::create_dir_all(folder).map_err(ReadlineError::from),
        None => Ok(()),
    };
    if let Err(error) = kept.and_then(|()| editor.append_history(path)) {
        tracing::warn!(path = %path.display(), %error, "the questions are not remembered");
    }
}

/// What can be completed.
#[derive(Debug)]
struct Words {
    words: Vec<String>,
    tables: Vec<(String, Vec<(String, String)>)>,
}

/// Words of SQL that begin a part of a question, or stand in most of them.
const SQL: &[&str] = &[
    "and",
    "as",
    "asc",
    "avg(",
    "between",
    "by",
    "case",
    "coalesce(",
    "count(",
    "count(distinct ",
    "date_bin(",
    "date_trunc(",
    "desc",
    "describe ",
    "distinct",
    "else",
    "end",
    "exists",
    "explain ",
    "filter (where ",
    "from",
    "group by",
    "having",
    "ilike",
    "in",
    "interval",
    "is not null",
    "is null",
    "join",
    "left join",
    "like",
    "limit",
    "max(",
    "min(",
    "not",
    "now()",
    "null",
    "offset",
    "on",
    "or",
    "order by",
    "over (",
    "partition by",
    "select",
    "show tables",
    "sum(",
    "then",
    "union all",
    "using",
    "when",
    "where",
    "with",
];

async fn words(place: &LakePlace, environment: &Environment, ask: &Ask) -> Result<Words, Failure> {
    let lake = open(place, environment).await?;
    let engine = Engine::open(&lake, ask.limits.clone()).await.map_err(ending::query_failure)?;
    let mut tables = Vec::new();
    for (name, schema) in engine.tables() {
        let columns = schema.fields().iter().map(|field| {
            let kind = crate::render::rows::kind(field.data_type());
            (field.name().clone(), kind.to_owned())
        });
        tables.push(((*name).to_owned(), columns.collect::<Vec<_>>()));
    }
    let mut words: Vec<String> = SQL.iter().map(|word| (*word).to_owned()).collect();
    for (table, columns) in &tables {
        words.push(table.clone());
        words.extend(columns.iter().map(|(name, _)| name.clone()));
    }
    words.sort();
    words.dedup();
    Ok(Words { words, tables })
}

impl Completer for Words {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let before = line.get(..position).unwrap_or(line);
        let start = before.rfind(|c: char| !(c.is_alphanumeric() || c == '_')).map_or(0, |at| at + 1);
        // Behind a character of more bytes than one.
        let start = (start..=before.len()).find(|at| before.is_char_boundary(*at)).unwrap_or(before.len());
        let word = before.get(start..).unwrap_or_default().to_lowercase();
        if word.is_empty() {
            return Ok((position, Vec::new()));
        }
        Ok((start, self.words.iter().filter(|other| other.starts_with(&word)).cloned().collect()))
    }
}

impl Validator for Words {
    fn validate(&self, context: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        let input = context.input().trim();
        let is_whole = input.is_empty() || input.ends_with(';') || input.starts_with('\\') || is_word(input);
        Ok(if is_whole { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}

fn is_word(input: &str) -> bool {
    matches!(input, "exit" | "quit" | "help")
}

impl Hinter for Words {
    type Hint = String;
}

impl Highlighter for Words {}

impl Helper for Words {}
