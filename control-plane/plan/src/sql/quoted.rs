//! Quoted identifiers without regard to case, as Trino resolves them: their tokens become lower case before DataFusion, which
//! lower-cases only unquoted ones, sees them.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

pub(super) fn lower_case(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    tokens.iter().cloned().map(lower).collect()
}

fn lower(mut token: TokenWithSpan) -> TokenWithSpan {
    if let Token::Word(word) = &mut token.token
        && word.quote_style.is_some()
    {
        word.value = word.value.to_lowercase();
    }
    token
}
