//! `TRIM(TRAILING FROM x)`, which the parser does not read: what is trimmed must stand before FROM, and is a space where it does not.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

/// The tokens as the parser reads them.
pub(super) fn readable(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let ends: Vec<usize> = (0..tokens.len()).filter(|at| is_bare(&tokens[*at..])).collect();
    if ends.is_empty() {
        return tokens;
    }
    let mut readable = Vec::with_capacity(tokens.len() + ends.len());
    for (at, token) in tokens.into_iter().enumerate() {
        // Behind `TRIM`, `(` and the word that says which end.
        let blank = ends.iter().any(|trim| trim + 3 == at).then(|| TokenWithSpan {
            token: Token::SingleQuotedString(" ".to_owned()),
            span: token.span,
        });
        readable.extend(blank);
        readable.push(token);
    }
    readable
}

/// Whether `TRIM ( LEADING FROM` or its like begins here.
fn is_bare(tokens: &[TokenWithSpan]) -> bool {
    let [trim, open, end, from, ..] = tokens else {
        return false;
    };
    keyword(trim) == Some(Keyword::TRIM)
        && open.token == Token::LParen
        && matches!(keyword(end), Some(Keyword::LEADING | Keyword::TRAILING | Keyword::BOTH))
        && keyword(from) == Some(Keyword::FROM)
}

fn keyword(token: &TokenWithSpan) -> Option<Keyword> {
    match &token.token {
        Token::Word(word) if word.quote_style.is_none() => Some(word.keyword),
        _ => None,
    }
}
