//! Values for the `?` of a prepared statement, put in as text.

use super::lexer::{Kind, Token, tokens};
use mayfly_protocol::limits::SQL_BYTES_MAX;
use mayfly_protocol::{ErrorCode, QueryError};

/// The expressions of a USING list, without comments: one left in would swallow what follows it in the statement.
pub fn arguments(sql: &str, tokens: &[Token]) -> Result<Vec<String>, QueryError> {
    let mut arguments = vec![String::new()];
    let mut depth = 0_usize;
    for token in tokens {
        let text = if token.kind == Kind::Comment {
            " "
        } else {
            token.text(sql)
        };
        match token.kind {
            Kind::Symbol('(' | '[') => depth += 1,
            Kind::Symbol(')' | ']') => {
                depth = depth.checked_sub(1).ok_or_else(|| refuse("a bracket closes nothing"))?
            }
            _ => {}
        }
        match token.kind {
            Kind::Symbol(',') if depth == 0 => arguments.push(String::new()),
            _ => arguments
                .last_mut()
                .expect("starts with one and only grows")
                .push_str(text),
        }
    }
    let closed = depth == 0 && tokens.iter().all(|token| is_closed(token.text(sql), token.kind));
    let arguments: Vec<String> = arguments.iter().map(|text| text.trim().to_owned()).collect();
    match closed && arguments.iter().all(|text| !text.is_empty()) {
        true => Ok(arguments),
        false => Err(refuse("a parameter is empty or not closed")),
    }
}

fn is_closed(text: &str, kind: Kind) -> bool {
    match kind {
        Kind::String => text.len() > 1 && text.ends_with('\''),
        Kind::Name => text.len() > 1 && text.ends_with('"'),
        _ => true,
    }
}

/// `statement` with each `?` replaced by its argument.
pub fn substitute(statement: &str, arguments: &[String]) -> Result<String, QueryError> {
    let tokens = tokens(statement);
    let expected = tokens.iter().filter(|token| token.kind == Kind::Symbol('?')).count();
    if expected != arguments.len() {
        let found = arguments.len();
        return Err(refuse(&format!(
            "incorrect number of parameters: expected {expected} but found {found}"
        )));
    }
    let mut values = arguments.iter();
    let text = |token: &Token| match token.kind {
        Kind::Symbol('?') => values.next().map_or(String::new(), |value| in_place(value)),
        _ => token.text(statement).to_owned(),
    };
    let sql: String = tokens.iter().map(text).collect();
    match sql.len() <= SQL_BYTES_MAX {
        true => Ok(sql),
        false => Err(QueryError::new(
            ErrorCode::QueryTextTooLarge,
            "the statement is too long with its parameters in place",
        )),
    }
}

/// A sign in front would join a sign before it: `1-?` with `-1` is no comment.
fn in_place(value: &str) -> String {
    match value.starts_with(['-', '+']) {
        true => format!("({value})"),
        false => value.to_owned(),
    }
}

fn refuse(message: &str) -> QueryError {
    QueryError::new(ErrorCode::InvalidArguments, message)
}
