//! Parts a text into statements at semicolons. Knows quotes and comments and nothing else of SQL.

/// One statement, and where it stands in its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement<'a> {
    pub sql: &'a str,
    /// The text that it is part of, for messages.
    pub text: &'a str,
    /// Lines before the one that it begins on.
    pub line: u32,
    /// Characters before it on that line.
    pub column: u32,
}

impl<'a> Statement<'a> {
    /// A text that is one statement.
    pub fn whole(sql: &'a str) -> Statement<'a> {
        Statement {
            sql,
            text: sql,
            line: 0,
            column: 0,
        }
    }

    fn at(text: &'a str, start: usize, end: usize) -> Statement<'a> {
        let sql = text[start..end].trim();
        let before = &text[..start + text[start..end].len() - text[start..end].trim_start().len()];
        let line = before.rsplit_once('\n').map_or(before, |(_, line)| line);
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        Statement {
            sql,
            text,
            line: number(before.matches('\n').count()),
            column: number(line.chars().count()),
        }
    }
}

/// The statements of a text, without their semicolons; what holds only blanks and comments is left out.
pub fn split(text: &str) -> Vec<Statement<'_>> {
    let mut statements = Vec::new();
    let mut start = 0;
    let mut has_words = false;
    let mut at = 0;
    while let Some(token) = next(&text[at..]) {
        match token.kind {
            Kind::Semicolon => {
                push(&mut statements, Statement::at(text, start, at), has_words);
                start = at + token.len_bytes;
                has_words = false;
            }
            Kind::Word => has_words = true,
            Kind::Blank => {}
        }
        at += token.len_bytes;
    }
    push(&mut statements, Statement::at(text, start, text.len()), has_words);
    statements
}

fn push<'a>(statements: &mut Vec<Statement<'a>>, statement: Statement<'a>, has_words: bool) {
    if has_words {
        statements.push(statement);
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
