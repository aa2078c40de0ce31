//! What a window frame excludes. The parser knows no exclusion: here it moves among the partition's keys, where the bound plan is searched
//! for it (see `rewrite/window.rs`).
//!
//! ```text
//! PARTITION BY k ORDER BY y ROWS … EXCLUDE TIES   →   PARTITION BY "window frame"('TIES'), k ORDER BY y ROWS …
//! ```
//!
//! A literal would not do: the binder drops those.

use crate::error;
use datafusion::logical_expr::Expr;
use datafusion::sql::sqlparser::ast::Expr as AstExpr;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use mayfly_fragment::Exclusion;
use mayfly_protocol::QueryError;

/// The mark's function. No identifier: it cannot be called by name.
pub(crate) const MARK: &str = "window frame";

const CURRENT_ROW: &str = "CURRENT ROW";
const GROUP: &str = "GROUP";
const TIES: &str = "TIES";

/// What the key says, if it is a mark.
pub(crate) fn read(key: &Expr) -> Option<Exclusion> {
    let Expr::ScalarFunction(call) = key else {
        return None;
    };
    let said = match call.args.first() {
        Some(Expr::Literal(text, _)) if call.name() == MARK => text.try_as_str().flatten(),
        _ => None,
    };
    match said? {
        CURRENT_ROW => Some(Exclusion::CurrentRow),
        GROUP => Some(Exclusion::Group),
        TIES => Some(Exclusion::Ties),
        _ => None,
    }
}

pub(super) fn is_mark(key: &AstExpr) -> bool {
    let name = match key {
        AstExpr::Function(function) => function.name.0.first().and_then(|part| part.as_ident()),
        _ => None,
    };
    name.is_some_and(|name| name.value == MARK)
}

/// The tokens, exclusions as marks. NO OTHERS says what holds anyway.
pub(super) fn as_marks(mut tokens: Vec<TokenWithSpan>) -> Result<Vec<TokenWithSpan>, QueryError> {
    let mut at = 1;
    while at < tokens.len() {
        if is_exclusion(&tokens, at) {
            let mark = take(&mut tokens, at)?;
            at += mark.map_or(0, |mark| put_in(&mut tokens, at, mark));
        }
        at += 1;
    }
    Ok(tokens)
}

fn is_exclusion(tokens: &[TokenWithSpan], at: usize) -> bool {
    let behind_bound = ["ROW", "PRECEDING", "FOLLOWING"]
        .iter()
        .any(|end| is(&tokens[at - 1], end));
    behind_bound && is(&tokens[at], "EXCLUDE")
}

fn is(token: &TokenWithSpan, word: &str) -> bool {
    token.token.to_string().eq_ignore_ascii_case(word)
}

/// Takes the exclusion out.
fn take(tokens: &mut Vec<TokenWithSpan>, at: usize) -> Result<Option<&'static str>, QueryError> {
    let word = |nth: usize| {
        tokens
            .get(at + nth)
            .map_or(String::new(), |token| token.token.to_string().to_uppercase())
    };
    let (length, mark) = match (word(1).as_str(), word(2).as_str()) {
        ("NO", "OTHERS") => (3, None),
        ("CURRENT", "ROW") => (3, Some(CURRENT_ROW)),
        ("GROUP", _) => (2, Some(GROUP)),
        ("TIES", _) => (2, Some(TIES)),
        (what, _) => {
            let message = format!("mismatched input '{what}'. Expecting: CURRENT ROW, GROUP, NO OTHERS or TIES");
            let next = tokens.get(at + 1).unwrap_or(&tokens[at]);
            return Err(error::syntax(message, next.span.start));
        }
    };
    tokens.drain(at..at + length);
    Ok(mark)
}

/// Puts the mark into the window that the frame before `end` is of. How many tokens that took.
fn put_in(tokens: &mut Vec<TokenWithSpan>, end: usize, mark: &str) -> usize {
    let (opens, own) = window(tokens, end);
    let place = |word: &str| own.iter().copied().find(|at| is(&tokens[*at], word));
    let mut new = vec![
        Token::make_word(MARK, Some('"')),
        Token::LParen,
        Token::SingleQuotedString(mark.to_owned()),
        Token::RParen,
    ];
    let at = match place("PARTITION") {
        Some(at) => {
            new.push(Token::Comma);
            at + 2
        }
        None => {
            new.splice(0..0, [Token::make_keyword("PARTITION"), Token::make_keyword("BY")]);
            let words = ["ORDER", "ROWS", "RANGE", "GROUPS"];
            words.into_iter().filter_map(place).min().unwrap_or(opens + 1)
        }
    };
    let (count, span) = (new.len(), tokens[opens].span);
    tokens.splice(at..at, new.into_iter().map(|token| TokenWithSpan { token, span }));
    count
}

/// Where the window's parenthesis opens, and its own tokens, without those of parentheses within.
fn window(tokens: &[TokenWithSpan], end: usize) -> (usize, Vec<usize>) {
    let (mut depth, mut own) = (0_usize, Vec::new());
    for at in (0..end).rev() {
        match tokens[at].token {
            Token::RParen => depth += 1,
            Token::LParen if depth == 0 => return (at, own),
            Token::LParen => depth -= 1,
            _ if depth == 0 => own.push(at),
            _ => {}
        }
    }
    (0, own)
}
