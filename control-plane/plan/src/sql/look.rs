//! `DESCRIBE` and `SUMMARIZE` of whatever yields rows: a query, a table, or files that the statement names itself.

use super::direct;
use super::parse::query as read;
use super::statement::{QueryStatement, Statement};
use super::token;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use mayfly_protocol::QueryError;

/// What DESCRIBE of anything but a table's name, and SUMMARIZE, look at.
pub(super) fn parse(tokens: &[TokenWithSpan]) -> Result<Option<Statement>, QueryError> {
    let Some((verb, rest)) = tokens.split_first() else {
        return Ok(None);
    };
    if is_word(verb, &["SUMMARIZE"]) && !rest.is_empty() {
        let tokens = query(rest)?;
        let source = read(&tokens)?;
        return Ok(Some(Statement::Summarize { source, tokens }));
    }
    if is_word(verb, &["DESCRIBE", "DESC"]) && is_no_name(rest) {
        return Ok(Some(Statement::Describe(read(&query(rest)?)?)));
    }
    Ok(None)
}

/// The query between two texts of ours, whose names are no concern of the user.
pub(crate) fn wrapped(before: &str, query: &[TokenWithSpan], after: &str) -> Result<QueryStatement, QueryError> {
    let mut tokens = unplaced(before)?;
    tokens.extend_from_slice(query);
    tokens.extend(unplaced(after)?);
    read(&tokens)
}

fn query(tokens: &[TokenWithSpan]) -> Result<Vec<TokenWithSpan>, QueryError> {
    if tokens.first().is_some_and(is_query) {
        return Ok(tokens.to_vec());
    }
    let mut all = unplaced("SELECT * FROM")?;
    all.extend_from_slice(tokens);
    Ok(all)
}

/// Tokens that stand nowhere in the user's text.
fn unplaced(text: &str) -> Result<Vec<TokenWithSpan>, QueryError> {
    Ok(token::words(text)?
        .into_iter()
        .map(|token| TokenWithSpan::wrap(token.token))
        .collect())
}

/// Whether a query begins there; a parenthesis can open nothing else here.
fn is_query(token: &TokenWithSpan) -> bool {
    token.token == Token::LParen || is_word(token, &["SELECT", "WITH", "VALUES", "FROM"])
}

fn is_no_name(tokens: &[TokenWithSpan]) -> bool {
    let Some(first) = tokens.first() else { return false };
    let reads = || match &first.token {
        Token::Word(word) => {
            direct::is_reader(&word.value) && tokens.get(1).is_some_and(|next| next.token == Token::LParen)
        }
        _ => false,
    };
    matches!(first.token, Token::SingleQuotedString(_)) || is_query(first) || reads()
}

fn is_word(token: &TokenWithSpan, words: &[&str]) -> bool {
    match &token.token {
        Token::Word(word) => {
            word.quote_style.is_none() && words.iter().any(|known| word.value.eq_ignore_ascii_case(known))
        }
        _ => false,
    }
}
