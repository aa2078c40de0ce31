//! Parts a text into statements at semicolons. Knows quotes and comments and nothing else of SQL.

/// The statements of a text, without their semicolons; what holds only blanks and comments is left out.
pub fn split(text: &str) -> Vec<&str> {
    let mut statements = Vec::new();
    let mut start = 0;
    let mut has_words = false;
    let mut at = 0;
    while let Some(token) = next(&text[at..]) {
        match token.kind {
            Kind::Semicolon => {
                push(&mut statements, &text[start..at], has_words);
                start = at + token.len_bytes;
                has_words = false;
            }
            Kind::Word => has_words = true,
            Kind::Blank => {}
        }
        at += token.len_bytes;
    }
    push(&mut statements, &text[start..], has_words);
    statements
}

fn push<'a>(statements: &mut Vec<&'a str>, text: &'a str, has_words: bool) {
    if has_words {
        statements.push(text.trim());
    }
}

enum Kind {
    Semicolon,
    /// White space or a comment.
    Blank,
    /// Anything else: a quoted text as a whole, or one character.
    Word,
}

struct Token {
    kind: Kind,
    len_bytes: usize,
}

fn next(text: &str) -> Option<Token> {
    let first = text.chars().next()?;
    let token = |kind, len_bytes| Some(Token { kind, len_bytes });
    match first {
        ';' => token(Kind::Semicolon, 1),
        '\'' | '"' | '`' => token(Kind::Word, quoted(text, first)),
        '-' if text.starts_with("--") => token(Kind::Blank, text.find('\n').unwrap_or(text.len())),
        '/' if text.starts_with("/*") => token(Kind::Blank, text[2..].find("*/").map_or(text.len(), |end| end + 4)),
        blank if blank.is_whitespace() => token(Kind::Blank, blank.len_utf8()),
        other => token(Kind::Word, other.len_utf8()),
    }
}

/// Bytes up to and with the closing quote, or the rest of the text. A doubled quote is two texts side by side, which parts the same way.
fn quoted(text: &str, quote: char) -> usize {
    text[1..].find(quote).map_or(text.len(), |end| end + 2)
}

#[cfg(test)]
mod tests;
