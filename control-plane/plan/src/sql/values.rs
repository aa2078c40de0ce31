//! `VALUES 1, (2), 'x'`: rows of one column need no parentheses in the standard, and need them in the parser's grammar. The missing ones
//! are put in among the tokens.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Span, Token, TokenWithSpan};

pub(super) fn with_parentheses(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut written = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while at < tokens.len() {
        written.push(tokens[at].clone());
        at += 1;
        if is_values(&tokens, at - 1) {
            at = rows(&tokens, at, &mut written);
        }
    }
    written
}

/// Whether a list of rows begins behind the token.
fn is_values(tokens: &[TokenWithSpan], at: usize) -> bool {
    let begins = match at.checked_sub(1).map(|before| &tokens[before].token) {
        None | Some(Token::LParen) => true,
        // Behind WITH, or a column or table that is called so.
        Some(Token::RParen) => tokens
            .get(at + 1)
            .is_some_and(|next| !matches!(next.token, Token::Word(_))),
        Some(Token::Word(word)) => matches!(
            word.keyword,
            Keyword::UNION | Keyword::EXCEPT | Keyword::INTERSECT | Keyword::ALL | Keyword::DISTINCT | Keyword::AS
        ),
        Some(_) => false,
    };
    let goes_on = tokens.get(at + 1).is_some_and(|next| match &next.token {
        Token::Comma | Token::RParen | Token::Period => false,
        Token::Word(word) => !ends_rows(word.keyword) && word.keyword != Keyword::FROM && word.keyword != Keyword::ROW,
        _ => true,
    });
    begins && goes_on && keyword(&tokens[at]) == Keyword::VALUES
}

fn keyword(token: &TokenWithSpan) -> Keyword {
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => word.keyword,
        _ => Keyword::NoKeyword,
    }
}

fn ends_rows(keyword: Keyword) -> bool {
    matches!(
        keyword,
        Keyword::ORDER
            | Keyword::LIMIT
            | Keyword::OFFSET
            | Keyword::FETCH
            | Keyword::UNION
            | Keyword::EXCEPT
            | Keyword::INTERSECT
    )
}

/// Copies the rows from `at`, each in parentheses; returns where they end.
fn rows(tokens: &[TokenWithSpan], mut at: usize, written: &mut Vec<TokenWithSpan>) -> usize {
    loop {
        let end = row_end(tokens, at);
        let row = &tokens[at..end];
        let bare = !in_parentheses(row) && !row.is_empty();
        if bare {
            written.push(parenthesis(Token::LParen, row[0].span));
        }
        written.extend(row.iter().cloned());
        if bare {
            written.push(parenthesis(Token::RParen, row[row.len() - 1].span));
        }
        let more = tokens.get(end).is_some_and(|token| token.token == Token::Comma);
        if !more {
            return end;
        }
        written.push(tokens[end].clone());
        at = end + 1;
    }
}

fn parenthesis(token: Token, span: Span) -> TokenWithSpan {
    TokenWithSpan { token, span }
}

/// The first token at the same depth that a row does not go beyond.
fn row_end(tokens: &[TokenWithSpan], start: usize) -> usize {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(start) {
        match &token.token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace if depth == 0 => return at,
            Token::RParen | Token::RBracket | Token::RBrace => depth -= 1,
            Token::Comma if depth == 0 => return at,
            _ if depth == 0 && ends_rows(keyword(token)) => return at,
            _ => {}
        }
    }
    tokens.len()
}

/// `(1, 2)`, but not `(1) + (2)`. `ROW (…)` is the parser's.
fn in_parentheses(row: &[TokenWithSpan]) -> bool {
    let opens = row
        .first()
        .is_some_and(|token| token.token == Token::LParen || keyword(token) == Keyword::ROW);
    let mut depth = 0_usize;
    let closes_early = row.iter().enumerate().any(|(at, token)| {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            _ => return false,
        }
        depth == 0 && at + 1 < row.len()
    });
    opens && !closes_early
}
