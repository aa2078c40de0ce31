//! `GROUPING SETS (a, GROUPING SETS (b, c))` is `GROUPING SETS (a, b, c)`; `GROUP BY ALL a` is `GROUP BY a`; and `GROUP BY DISTINCT` becomes
//! an entry that says so.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};

/// The entry. No column has the name.
pub(super) const DISTINCT: &str = "grouping sets once each";

/// A parenthesis that is open.
#[derive(Clone, Copy, PartialEq)]
enum Open {
    Sets,
    /// Sets within sets: it is left out, and so is what closes it.
    Nested,
    Other,
}

/// The tokens as the parser reads them.
pub(in crate::sql) fn readable(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut open = Vec::new();
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let rest = &tokens[at..];
        let within = matches!(open.last(), Some(Open::Sets | Open::Nested));
        if words(rest, &[Keyword::GROUPING, Keyword::SETS]) && is(rest, 2, &Token::LParen) {
            match within {
                true => open.push(Open::Nested),
                false => {
                    kept.extend_from_slice(&rest[..3]);
                    open.push(Open::Sets);
                }
            }
            at += 3;
            continue;
        }
        if words(rest, &[Keyword::GROUP, Keyword::BY]) {
            kept.extend_from_slice(&rest[..2]);
            at += 2 + quantifier(&rest[2..], &mut kept);
            continue;
        }
        let closes_nested = token.token == Token::RParen && open.last() == Some(&Open::Nested);
        match token.token {
            Token::LParen => open.push(Open::Other),
            Token::RParen => drop(open.pop()),
            _ => {}
        }
        if !closes_nested {
            kept.push(token.clone());
        }
        at += 1;
    }
    kept
}

/// How many tokens say that sets are ALL or DISTINCT. ALL alone is DataFusion's: all entries that are no aggregates.
fn quantifier(rest: &[TokenWithSpan], kept: &mut Vec<TokenWithSpan>) -> usize {
    if words(rest, &[Keyword::DISTINCT]) {
        let name = Token::Word(Word {
            value: DISTINCT.to_owned(),
            quote_style: Some('"'),
            keyword: Keyword::NoKeyword,
        });
        kept.extend([name, Token::Comma].map(|token| TokenWithSpan {
            token,
            span: rest[0].span,
        }));
        return 1;
    }
    let begins_entry = |token: &TokenWithSpan| match &token.token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::NoKeyword | Keyword::ROLLUP | Keyword::CUBE | Keyword::GROUPING
        ),
        Token::LParen | Token::Number(..) => true,
        _ => false,
    };
    let all = words(rest, &[Keyword::ALL]) && rest.get(1).is_some_and(begins_entry);
    usize::from(all)
}

fn words(tokens: &[TokenWithSpan], wanted: &[Keyword]) -> bool {
    let is_word = |(token, wanted): (&TokenWithSpan, &Keyword)| matches!(&token.token, Token::Word(word) if word.keyword == *wanted && word.quote_style.is_none());
    tokens.len() >= wanted.len() && tokens.iter().zip(wanted).all(is_word)
}

fn is(tokens: &[TokenWithSpan], at: usize, wanted: &Token) -> bool {
    tokens.get(at).is_some_and(|token| token.token == *wanted)
}
