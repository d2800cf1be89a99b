//! Which SQL is taken: one statement that reads.

use datafusion::sql::parser::{DFParser, Statement};
use datafusion::sql::sqlparser::ast::Statement as Sql;

use super::QueryError;

/// Parses the one statement.
pub(super) fn parse(sql: &str) -> Result<Statement, QueryError> {
    let mut statements = DFParser::parse_sql(sql).map_err(|error| QueryError::of_parser(&error))?;
    let (Some(statement), None) = (statements.pop_front(), statements.pop_front()) else {
        return Err(QueryError::NotOne);
    };
    match &statement {
        Statement::Statement(only) if reads(only) => Ok(statement),
        Statement::Explain(explain) => match &*explain.statement {
            Statement::Statement(only) if reads(only) => Ok(statement),
            _ => Err(QueryError::writes(sql)),
        },
        _ => Err(QueryError::writes(sql)),
    }
}

fn reads(statement: &Sql) -> bool {
    match statement {
        Sql::Query(_)
        | Sql::ShowTables { .. }
        | Sql::ShowColumns { .. }
        | Sql::ShowFunctions { .. }
        | Sql::ShowVariable { .. }
        | Sql::ExplainTable { .. } => true,
        Sql::Explain { statement, .. } => reads(statement),
        _ => false,
    }
}
