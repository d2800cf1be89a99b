//! `testlake runs`.

use testlake_lake::engine::{Parameter, QueryLimits};

use super::ask::{self, Ask};
use super::{runtime, sql};
use crate::args::RunsArgs;
use crate::command::reports;
use crate::config::Layers;
use crate::config::value::Since;
use crate::exit::{Exit, Failure};
use crate::plan::{self, ListingRuns};
use crate::render::rows::Screen;

/// Resolves the words and lists.
pub(crate) fn run(args: RunsArgs, layers: &Layers) -> Result<Exit, Failure> {
    let (listing, talk) = plan::runs(args, layers)?;
    crate::log::start(talk);
    sql::refuse_on_terminal(listing.format)?;
    let environment = layers.environment();
    let ask = question(&listing);
    let work = ask::answer(listing.place, environment.clone(), ask, Screen::of_stdout(environment));
    let listed = ask::until_signal(runtime()?, true, work);
    reports::or_closed(listed.map(|_| Exit::Done))
}

/// Makes the question. What a run's ledger does not tell, as it was uploaded job by job, is counted.
fn question(listing: &ListingRuns) -> Ask {
    let mut parameters = Vec::new();
    let mut conditions = vec!["true".to_owned()];
    for (column, name, value) in [("repo", "repo", &listing.repo), ("branch", "branch", &listing.branch)] {
        if let Some(value) = value {
            conditions.push(format!("{column} = ${name}"));
            parameters.push((name.to_owned(), Parameter::Text(value.clone())));
        }
    }
    match listing.since {
        Some(Since::Ago(span)) => {
            conditions.push(format!(
                "coalesce(started, taken_in) >= now() - interval '{} seconds'",
                span.as_secs()
            ));
        }
        Some(Since::Day(year, month, day)) => {
            conditions.push(format!(
                "coalesce(started, taken_in) >= timestamp '{year:04}-{month:02}-{day:02}T00:00:00Z'"
            ));
        }
        None => {}
    }
    let (conditions, limit) = (conditions.join(" and "), listing.limit);
    let sql = format!(
        "with listed as (
            select * from runs where {conditions}
            order by coalesce(started, taken_in) desc, run_id desc, attempt desc limit {limit}
        ), counted as (
            select repo, run_id, attempt, count(*) as cases,
                count(*) filter (where outcome = 'passed') as passed, count(*) filter (where outcome = 'failed') as failed,
                count(*) filter (where outcome = 'errored') as errored,
                count(*) filter (where outcome = 'skipped') as skipped
            from results where run_id in (select run_id from listed)
            group by 1, 2, 3
        )
        select l.repo, l.run_id, l.attempt, l.branch, l.\"commit\", l.event, l.workflow, l.pull_request,
            l.started, l.ended, l.taken_in, l.verdict,
            coalesce(c.cases, l.cases) as cases, coalesce(c.passed, l.passed) as passed,
            coalesce(c.failed, l.failed) as failed, coalesce(c.errored, l.errored) as errored,
            coalesce(c.skipped, l.skipped) as skipped
        from listed l left join counted c
            on (l.repo is not distinct from c.repo) and l.run_id = c.run_id and l.attempt = c.attempt
        order by coalesce(l.started, l.taken_in) desc, l.run_id desc, l.attempt desc"
    );
    Ask { sql, parameters, limits: QueryLimits::default(), format: listing.format }
}
