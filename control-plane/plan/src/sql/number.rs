//! Numbers that DataFusion's tokenizer reads as something else: `1_000` is not a column `_000`, and `0xFF`, `0b11` and `0o17` are integers.

use datafusion::sql::sqlparser::tokenizer::{Span, Token, TokenWithSpan};

/// Puts together what stands together.
pub(super) fn whole(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut whole: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let joined = whole.last().and_then(|last| joined(last, &token));
        match (joined, hexadecimal(&token)) {
            (Some(number), _) => {
                let start = whole.pop().map_or(token.span.start, |last| last.span.start);
                whole.push(TokenWithSpan::new(number, Span::new(start, token.span.end)));
            }
            (None, Some(number)) => whole.push(TokenWithSpan::new(number, token.span)),
            (None, None) => whole.push(token),
        }
    }
    whole
}

/// A number and the word that follows at once, as one number.
fn joined(number: &TokenWithSpan, word: &TokenWithSpan) -> Option<Token> {
    let (Token::Number(number_text, false), Token::Word(rest)) = (&number.token, &word.token) else {
        return None;
    };
    if number.span.end != word.span.start || rest.quote_style.is_some() {
        return None;
    }
    let value = match (number_text.as_str(), rest.value.split_at_checked(1)) {
        ("0", Some(("b" | "B", digits))) => i64::from_str_radix(&without_underscores(digits)?, 2).ok()?.to_string(),
        ("0", Some(("o" | "O", digits))) => i64::from_str_radix(&without_underscores(digits)?, 8).ok()?.to_string(),
        (_, Some(("_", digits))) if digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') => {
            format!("{number_text}{}", without_underscores(digits)?)
        }
        _ => return None,
    };
    Some(Token::Number(value, false))
}

/// Digits in groups. A group is not empty.
fn without_underscores(digits: &str) -> Option<String> {
    let groups: Vec<&str> = digits.split('_').collect();
    (!groups.contains(&"")).then(|| groups.concat())
}

/// `0xFF` is one character shorter than `X'FF'`, which is binary.
fn hexadecimal(token: &TokenWithSpan) -> Option<Token> {
    let Token::HexStringLiteral(digits) = &token.token else {
        return None;
    };
    let length = token.span.end.column.checked_sub(token.span.start.column)?;
    let is_number = token.span.start.line == token.span.end.line && length == digits.len() as u64 + 2;
    let value = i64::from_str_radix(digits, 16).ok()?;
    is_number.then(|| Token::Number(value.to_string(), false))
}

#[cfg(test)]
mod tests {
    use super::whole;
    use datafusion::sql::sqlparser::dialect::GenericDialect;
    use datafusion::sql::sqlparser::tokenizer::{Token, Tokenizer};

    fn check(sql: &str, expected: &str) {
        let tokens = Tokenizer::new(&GenericDialect {}, sql).tokenize_with_location();
        let tokens = whole(tokens.expect("tokens"));
        let shown: Vec<String> = tokens
            .iter()
            .filter(|token| !matches!(token.token, Token::Whitespace(_) | Token::EOF))
            .map(|token| token.token.to_string())
            .collect();
        assert_eq!(shown.join(" "), expected, "{sql}");
    }

    #[test]
    fn numbers_are_whole() {
        check("1_000", "1000");
        check("1_000_000 + 2_5", "1000000 + 25");
        check("0xFF, 0b101, 0o17", "255 , 5 , 15");
        check("X'FF'", "X'FF'");
        check("1 _000", "1 _000");
        check("1_a", "1 _a");
        check("a_1", "a_1");
    }
}
