//! Commands that are read word by word: SHOW, DESCRIBE, USE, SET SESSION, RESET SESSION, CREATE SCHEMA, DROP TABLE, DROP VIEW, ANALYZE TABLE.

use super::format;
use super::parse::not_supported;
use super::statement::{Command, NewTableStatement, Show, Statement};
use crate::error;
use datafusion::sql::parser::{CreateExternalTable, Statement as DfStatement};
use datafusion::sql::sqlparser::ast::ObjectName;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;
use mayfly_protocol::QueryError;

/// The command that the tokens spell, or `None` when they begin like something else.
pub(super) fn parse(cursor: &mut Parser<'_>) -> Result<Option<Statement>, QueryError> {
    let command = |command| Some(Statement::Command(command));
    let show = |show| Some(Statement::Show(show));
    let statement = if words(cursor, &["SHOW"]) {
        show(parse_show(cursor)?)
    } else if words(cursor, &["DESCRIBE"]) || words(cursor, &["DESC"]) {
        let _ = words(cursor, &["TABLE"]);
        show(Show::Columns { table: name(cursor)? })
    } else if words(cursor, &["USE"]) {
        command(Command::Use { name: name(cursor)? })
    } else if words(cursor, &["SET", "SESSION"]) {
        command(set_session(cursor)?)
    } else if words(cursor, &["RESET", "SESSION"]) {
        let key = property(name(cursor)?);
        command(Command::ResetSession { key })
    } else if words(cursor, &["CREATE", "SCHEMA"]) || words(cursor, &["CREATE", "DATABASE"]) {
        let if_not_exists = words(cursor, &["IF", "NOT", "EXISTS"]);
        let name = name(cursor)?;
        command(Command::CreateSchema { name, if_not_exists })
    } else if words(cursor, &["DROP", "TABLE"]) {
        let if_exists = words(cursor, &["IF", "EXISTS"]);
        let name = name(cursor)?;
        command(Command::DropTable { name, if_exists })
    } else if words(cursor, &["DROP", "VIEW"]) {
        let if_exists = words(cursor, &["IF", "EXISTS"]);
        let name = name(cursor)?;
        command(Command::DropView { name, if_exists })
    } else if words(cursor, &["ANALYZE"]) {
        let _ = words(cursor, &["TABLE"]);
        let name = name(cursor)?;
        let _ = words(cursor, &["COMPUTE", "STATISTICS"]);
        command(Command::AnalyzeTable { name })
    } else {
        return Ok(None);
    };
    end(cursor)?;
    Ok(statement)
}

fn parse_show(cursor: &mut Parser<'_>) -> Result<Show, QueryError> {
    if words(cursor, &["CATALOGS"]) {
        Ok(Show::Catalogs { like: like(cursor)? })
    } else if words(cursor, &["SCHEMAS"]) || words(cursor, &["DATABASES"]) {
        let catalog = from(cursor)?;
        Ok(Show::Schemas {
            catalog,
            like: like(cursor)?,
        })
    } else if words(cursor, &["TABLES"]) {
        let schema = from(cursor)?;
        Ok(Show::Tables {
            schema,
            like: like(cursor)?,
        })
    } else if words(cursor, &["COLUMNS"]) {
        Ok(Show::Columns { table: from(cursor)? })
    } else if words(cursor, &["CREATE", "TABLE"]) {
        Ok(Show::CreateTable { table: name(cursor)? })
    } else if words(cursor, &["CREATE", "VIEW"]) {
        Ok(Show::CreateView { view: name(cursor)? })
    } else if words(cursor, &["SESSION"]) {
        Ok(Show::Session { like: like(cursor)? })
    } else {
        let next = cursor.peek_token();
        Err(not_supported(
            &format!("SHOW {}", next.token),
            "there are SHOW CATALOGS, SCHEMAS, TABLES, COLUMNS FROM, CREATE TABLE, CREATE VIEW and SESSION",
        )
        .at(error::location(next.span.start)))
    }
}

fn set_session(cursor: &mut Parser<'_>) -> Result<Command, QueryError> {
    let key = property(name(cursor)?);
    cursor.expect_token(&Token::Eq).map_err(syntax)?;
    let mut value = String::new();
    loop {
        match cursor.next_token().token {
            Token::EOF => break,
            Token::SingleQuotedString(text) => value.push_str(&text),
            other => value.push_str(&other.to_string()),
        }
    }
    Ok(Command::SetSession { key, value })
}

/// `lake.target_partitions` is `target_partitions`: Trino's clients may name the catalog.
fn property(mut name: Vec<String>) -> String {
    name.pop().unwrap_or_default()
}

/// `CREATE EXTERNAL TABLE`, as far as it is supported.
pub(super) fn create_table(create: CreateExternalTable) -> Result<Command, QueryError> {
    let refuse = |what: &str, reason: &str| Err(not_supported(what, reason));
    let format = format::parse(&create.file_type, &create.options)?;
    if create.or_replace {
        return refuse("CREATE OR REPLACE", "drop the table first");
    }
    if create.temporary || create.unbounded {
        return refuse("a temporary or unbounded table", "tables are folders of files");
    }
    if !create.order_exprs.is_empty() || !create.constraints.is_empty() {
        return refuse("WITH ORDER or a constraint", "files are taken as they are");
    }
    let partitions: Vec<String> = create
        .table_partition_cols
        .iter()
        .map(|name| name.to_lowercase())
        .collect();
    let [location] = create.locations.as_slice() else {
        return refuse("more than one LOCATION", "a table is one folder");
    };
    let location = location.clone();
    Ok(Command::CreateTable(NewTableStatement {
        name: parts(&create.name)?,
        location,
        format,
        partitions: (!partitions.is_empty()).then_some(partitions),
        if_not_exists: create.if_not_exists,
        declared: (!create.columns.is_empty()).then_some(DfStatement::CreateExternalTable(create)),
    }))
}

/// Takes the words if they stand next, without regard to case.
fn words(cursor: &mut Parser<'_>, expected: &[&str]) -> bool {
    let stands = expected
        .iter()
        .enumerate()
        .all(|(at, word)| match cursor.peek_nth_token(at).token {
            Token::Word(found) => found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word),
            _ => false,
        });
    if stands {
        expected.iter().for_each(|_| cursor.advance_token());
    }
    stands
}

fn from(cursor: &mut Parser<'_>) -> Result<Vec<String>, QueryError> {
    if words(cursor, &["FROM"]) || words(cursor, &["IN"]) {
        name(cursor)
    } else {
        Ok(Vec::new())
    }
}

fn like(cursor: &mut Parser<'_>) -> Result<Option<String>, QueryError> {
    if words(cursor, &["LIKE"]) {
        cursor.parse_literal_string().map(Some).map_err(syntax)
    } else {
        Ok(None)
    }
}

fn name(cursor: &mut Parser<'_>) -> Result<Vec<String>, QueryError> {
    parts(&cursor.parse_object_name(false).map_err(syntax)?)
}

pub(super) fn parts(name: &ObjectName) -> Result<Vec<String>, QueryError> {
    let part = |part: &datafusion::sql::sqlparser::ast::ObjectNamePart| {
        part.as_ident().map(|ident| ident.value.to_lowercase())
    };
    let parts: Option<Vec<String>> = name.0.iter().map(part).collect();
    parts.ok_or_else(|| not_supported(&format!("the name {name}"), "names are identifiers joined by dots"))
}

fn end(cursor: &Parser<'_>) -> Result<(), QueryError> {
    let next = cursor.peek_token();
    if next.token == Token::EOF {
        return Ok(());
    }
    let message = format!("mismatched input '{}'. Expecting: end of statement", next.token);
    Err(error::syntax(message, next.span.start))
}

fn syntax(cause: ParserError) -> QueryError {
    error::from_parser(&cause)
}
