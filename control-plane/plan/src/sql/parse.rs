//! Tokens → statement. Commands that only Trino knows are read here; queries go through DataFusion's parser.

use super::names::OutputNames;
use super::statement::{ExplainForm, QueryStatement, Statement};
use super::{
    casts, command, direct, duplicates, fields, groupings, guard, literal, look, quoted, regroup, rows, sample, semi,
    simplify, token, trims, view, window,
};
use crate::error;
use datafusion::sql::parser::{DFParser, DFParserBuilder, Statement as DfStatement};
use datafusion::sql::sqlparser::ast::{Query, Statement as SqlStatement};
use datafusion::sql::sqlparser::dialect::GenericDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan};
use mayfly_protocol::{ErrorCode, QueryError};

/// Nesting that the parser follows before it gives up. Its frames fit the planning stack.
const RECURSION_MAX: usize = 300;

/// Reads one statement. Trailing semicolons and comments are fine.
pub(crate) fn parse(sql: &str) -> Result<Statement, QueryError> {
    let tokens = token::tokenize(sql)?;
    let mut cursor = Parser::new(&GenericDialect {}).with_tokens_with_locations(tokens.clone());
    if cursor.parse_keyword(Keyword::EXPLAIN) {
        return explain(&tokens, &mut cursor);
    }
    if let Some(statement) = look::parse(&tokens)? {
        return Ok(statement);
    }
    if let Some(statement) = command::parse(&mut cursor)? {
        return Ok(statement);
    }
    let statement = parse_one(&tokens)?;
    if let DfStatement::Statement(statement) = &statement
        && let SqlStatement::CreateView(create) = statement.as_ref()
    {
        return view::create(create).map(Statement::Command);
    }
    match statement {
        DfStatement::Statement(statement) if is_query(&statement) => query(&tokens).map(Statement::Query),
        DfStatement::CreateExternalTable(create) => command::create_table(create).map(Statement::Command),
        other => Err(refuse(&other)),
    }
}

fn is_query(statement: &SqlStatement) -> bool {
    matches!(statement, SqlStatement::Query(_))
}

/// `EXPLAIN [VERBOSE] query`, `EXPLAIN (TYPE t [, FORMAT TEXT]) query`.
fn explain(tokens: &[TokenWithSpan], cursor: &mut Parser<'_>) -> Result<Statement, QueryError> {
    let mut form = ExplainForm::Plain;
    let mut used = 1;
    if cursor.parse_keyword(Keyword::ANALYZE) {
        form = ExplainForm::Analyze;
        // Trino's EXPLAIN ANALYZE VERBOSE says more; here there is one kind.
        used += 1 + usize::from(cursor.parse_keyword(Keyword::VERBOSE));
    } else if cursor.parse_keyword(Keyword::VERBOSE) {
        form = ExplainForm::Verbose;
        used += 1;
    } else if let Some(after) = options_end(tokens) {
        form = explain_options(&tokens[2..after])?;
        used = after + 1;
    }
    let rest = &tokens[used.min(tokens.len())..];
    if rest.is_empty() {
        let end = tokens
            .last()
            .map_or(Location { line: 0, column: 0 }, |token| token.span.end);
        return Err(error::syntax("mismatched input '<EOF>'. Expecting: a query", end));
    }
    match parse_one(rest)? {
        DfStatement::Statement(statement) if is_query(&statement) => Ok(Statement::Explain {
            form,
            query: query(rest)?,
        }),
        _ => Err(not_supported(
            "EXPLAIN of anything but a query",
            "only queries have plans",
        )),
    }
}

/// Where `EXPLAIN (` … `)` closes, unless the parenthesis opens a query.
fn options_end(tokens: &[TokenWithSpan]) -> Option<usize> {
    let opens = tokens.get(1).is_some_and(|token| token.token == Token::LParen);
    let option = |token: &TokenWithSpan| {
        let text = token.token.to_string().to_uppercase();
        matches!(text.as_str(), "TYPE" | "FORMAT")
    };
    if opens && tokens.get(2).is_some_and(option) {
        tokens.iter().position(|token| token.token == Token::RParen)
    } else {
        None
    }
}

fn explain_options(tokens: &[TokenWithSpan]) -> Result<ExplainForm, QueryError> {
    let mut form = ExplainForm::Distributed;
    for option in tokens.split(|token| token.token == Token::Comma) {
        let words: Vec<String> = option
            .iter()
            .map(|token| token.token.to_string().to_uppercase())
            .collect();
        match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
            ["TYPE", "DISTRIBUTED"] => form = ExplainForm::Distributed,
            ["TYPE", "LOGICAL"] => form = ExplainForm::Logical,
            ["TYPE", "VALIDATE"] => form = ExplainForm::Validate,
            ["FORMAT", "TEXT"] => {}
            _ => {
                return Err(not_supported(
                    &format!("EXPLAIN ({})", words.join(" ")),
                    "TYPE is LOGICAL, DISTRIBUTED or VALIDATE, FORMAT is TEXT",
                ));
            }
        }
    }
    Ok(form)
}

/// The query twice: as written, for its names, and as DataFusion shall read it.
pub(super) fn query(tokens: &[TokenWithSpan]) -> Result<QueryStatement, QueryError> {
    let mut names = OutputNames::default();
    if let Some(query) = query_mut(&mut parse_one(tokens)?) {
        guard::check(query)?;
        names = OutputNames::of(query);
    }
    let mut ast = parse_one(&quoted::lower_case(tokens))?;
    let files = direct::replace(&mut ast)?;
    if let DfStatement::Statement(statement) = &mut ast {
        literal::as_trino_reads(statement.as_mut())?;
    }
    if let Some(query) = query_mut(&mut ast) {
        regroup::regroup(query);
        groupings::write_out(query)?;
        window::write_out(query)?;
        fields::write_out(query);
        rows::write_out(query);
        simplify::simplify(query)?;
        sample::write_out(query);
        semi::write_out(query);
        duplicates::separate(query);
        casts::tell_apart(query);
    }
    Ok(QueryStatement { ast, names, files })
}

fn query_mut(statement: &mut DfStatement) -> Option<&mut Query> {
    match statement {
        DfStatement::Statement(statement) => match statement.as_mut() {
            SqlStatement::Query(query) => Some(query),
            _ => None,
        },
        _ => None,
    }
}

/// Exactly one statement of DataFusion's grammar.
fn parse_one(tokens: &[TokenWithSpan]) -> Result<DfStatement, QueryError> {
    let mut parser: DFParser<'_> = DFParserBuilder::new(trims::readable(groupings::readable(tokens)))
        .with_recursion_limit(RECURSION_MAX)
        .build()
        .map_err(error::from_datafusion)?;
    let at_end = |cause| error::at_end(error::from_datafusion(cause), tokens);
    let mut statements = parser.parse_statements().map_err(at_end)?;
    let first = statements.pop_front();
    first.ok_or_else(|| QueryError::new(ErrorCode::SyntaxError, "there is no statement"))
}

fn refuse(statement: &DfStatement) -> QueryError {
    let text = statement.to_string();
    let verb: String = text
        .split_whitespace()
        .take(2)
        .collect::<Vec<_>>()
        .join(" ")
        .chars()
        .take(60)
        .collect();
    let reason = match statement {
        DfStatement::Statement(statement) => match statement.as_ref() {
            SqlStatement::Insert(_)
            | SqlStatement::Update { .. }
            | SqlStatement::Delete(_)
            | SqlStatement::Merge { .. }
            | SqlStatement::CreateTable(_) => "tables are read only: CREATE EXTERNAL TABLE names files that exist",
            SqlStatement::Set(_) => "session properties are set with SET SESSION",
            _ => "it is not one of the statements that Mayfly knows",
        },
        DfStatement::CopyTo(_) => "tables are read only",
        _ => "it is not one of the statements that Mayfly knows",
    };
    not_supported(&verb, reason)
}

pub(super) fn not_supported(what: &str, reason: &str) -> QueryError {
    QueryError::new(ErrorCode::NotSupported, format!("{what} is not supported: {reason}"))
}
