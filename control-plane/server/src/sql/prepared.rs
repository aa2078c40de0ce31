//! PREPARE, EXECUTE, EXECUTE IMMEDIATE and DEALLOCATE. The client holds prepared statements and sends them along with each request.

use super::lexer::{Kind, Token, tokens};
use super::parameters::{arguments, substitute};
use crate::engine::SessionChange;
use mayfly_protocol::{ErrorCode, QueryError};
use std::collections::BTreeMap;

/// How clients mark a statement that they compressed.
const COMPRESSED: &str = "$zstd:";

/// What a statement comes down to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolved {
    /// For the planner.
    Run(String),
    Update {
        update_type: &'static str,
        change: Change,
    },
}

/// What the client shall remember from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    Session(SessionChange),
    Prepared { name: String, sql: String },
    Deallocated { name: String },
}

pub fn resolve(sql: &str, prepared: &BTreeMap<String, String>) -> Result<Resolved, QueryError> {
    let mut all = tokens(sql);
    trim(sql, &mut all);
    let words: Vec<usize> = (0..all.len()).filter(|index| all[*index].counts()).take(3).collect();
    let is = |place: usize, word: &str| words.get(place).is_some_and(|index| all[*index].is_word(sql, word));
    let after = |place: usize| words.get(place).map_or(&[][..], |index| &all[index + 1..]);
    match () {
        () if is(0, "execute") && is(1, "immediate") => immediate(sql, after(1)),
        () if is(0, "execute") => execute(sql, after(0), prepared),
        () if is(0, "prepare") => prepare(sql, after(0)),
        () if is(0, "deallocate") && is(1, "prepare") => deallocate(sql, after(1)),
        () if is(0, "describe") && (is(1, "input") || is(1, "output")) && words.len() == 3 => Err(QueryError::new(
            ErrorCode::NotSupported,
            "a prepared statement cannot be described before it is run",
        )),
        () => Ok(Resolved::Run(sql.to_owned())),
    }
}

/// Drops what may follow a statement: blanks, comments, a semicolon.
fn trim(sql: &str, tokens: &mut Vec<Token>) {
    while tokens
        .last()
        .is_some_and(|token| !token.counts() || token.text(sql) == ";")
    {
        tokens.pop();
    }
}

/// `EXECUTE IMMEDIATE 'statement' [USING …]`
fn immediate(sql: &str, rest: &[Token]) -> Result<Resolved, QueryError> {
    let (literal, rest) = next(rest)
        .filter(|(token, _)| token.kind == Kind::String)
        .ok_or_else(|| expected("a string"))?;
    let text = literal.text(sql);
    let inner = text
        .strip_prefix('\'')
        .and_then(|text| text.strip_suffix('\''))
        .ok_or_else(|| expected("a string"))?;
    bind(sql, &inner.replace("''", "'"), rest)
}

/// `EXECUTE name [USING …]`
fn execute(sql: &str, rest: &[Token], prepared: &BTreeMap<String, String>) -> Result<Resolved, QueryError> {
    let (name, rest) = name(sql, rest)?;
    let unknown = || QueryError::new(ErrorCode::NotFound, format!("prepared statement not found: {name}"));
    let statement = prepared.get(&name).ok_or_else(unknown)?;
    if statement.starts_with(COMPRESSED) {
        return Err(QueryError::new(
            ErrorCode::NotSupported,
            "prepared statements are accepted uncompressed only",
        ));
    }
    bind(sql, statement, rest)
}

fn bind(sql: &str, statement: &str, rest: &[Token]) -> Result<Resolved, QueryError> {
    let values = match next(rest) {
        None => Vec::new(),
        Some((using, values)) if using.is_word(sql, "using") => arguments(sql, values)?,
        Some(_) => return Err(expected("USING")),
    };
    substitute(statement, &values).map(Resolved::Run)
}

/// `PREPARE name FROM statement`. Whether the statement is right shows when it is run.
fn prepare(sql: &str, rest: &[Token]) -> Result<Resolved, QueryError> {
    let (name, rest) = name(sql, rest)?;
    let (_, rest) = next(rest)
        .filter(|(from, _)| from.is_word(sql, "from"))
        .ok_or_else(|| expected("FROM"))?;
    let statement: String = rest.iter().map(|token| token.text(sql)).collect();
    let sql = statement.trim().to_owned();
    match sql.is_empty() {
        true => Err(expected("a statement")),
        false => Ok(Resolved::Update {
            update_type: "PREPARE",
            change: Change::Prepared { name, sql },
        }),
    }
}

/// `DEALLOCATE PREPARE name`
fn deallocate(sql: &str, rest: &[Token]) -> Result<Resolved, QueryError> {
    let (name, rest) = name(sql, rest)?;
    match next(rest) {
        None => Ok(Resolved::Update {
            update_type: "DEALLOCATE",
            change: Change::Deallocated { name },
        }),
        Some(_) => Err(expected("the end of the statement")),
    }
}

/// A statement's name: quoted as it is, otherwise in lower case.
fn name<'a>(sql: &str, rest: &'a [Token]) -> Result<(String, &'a [Token]), QueryError> {
    match next(rest) {
        Some((token, rest)) if token.kind == Kind::Word => Ok((token.text(sql).to_lowercase(), rest)),
        Some((token, rest)) if token.kind == Kind::Name => {
            let text = token.text(sql).trim_matches('"').replace("\"\"", "\"");
            Ok((text, rest))
        }
        _ => Err(expected("a name")),
    }
}

/// The next token that counts, and what follows it.
fn next(tokens: &[Token]) -> Option<(&Token, &[Token])> {
    let index = tokens.iter().position(Token::counts)?;
    Some((&tokens[index], &tokens[index + 1..]))
}

fn expected(what: &str) -> QueryError {
    QueryError::new(ErrorCode::SyntaxError, format!("mismatched input. Expecting: {what}"))
}
