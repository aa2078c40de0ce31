//! SQL text as tokens, just fine enough to tell a `?` from one inside a string, a quoted name or a comment.

use std::ops::Range;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A name, a keyword or a number.
    Word,
    /// `'…'`
    String,
    /// `"…"`
    Name,
    /// `-- …` or `/* … */`
    Comment,
    Blank,
    /// One character.
    Symbol(char),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    pub kind: Kind,
    pub place: Range<usize>,
}

impl Token {
    pub fn text<'a>(&self, sql: &'a str) -> &'a str {
        &sql[self.place.clone()]
    }

    /// Whether the token is a word of the language, and not a blank or a comment.
    pub fn counts(&self) -> bool {
        !matches!(self.kind, Kind::Comment | Kind::Blank)
    }

    pub fn is_word(&self, sql: &str, word: &str) -> bool {
        self.kind == Kind::Word && self.text(sql).eq_ignore_ascii_case(word)
    }
}

/// All tokens, in order, without gaps. A string or comment that is never closed reaches to the end.
pub fn tokens(sql: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut start = 0;
    while let Some(first) = sql[start..].chars().next() {
        let (kind, length) = token(first, &sql[start..]);
        tokens.push(Token {
            kind,
            place: start..start + length,
        });
        start += length;
    }
    tokens
}

fn token(first: char, rest: &str) -> (Kind, usize) {
    match first {
        '\'' => (Kind::String, quoted(rest, '\'')),
        '"' => (Kind::Name, quoted(rest, '"')),
        '-' if rest.starts_with("--") => (Kind::Comment, rest.find('\n').unwrap_or(rest.len())),
        '/' if rest.starts_with("/*") => (Kind::Comment, rest[2..].find("*/").map_or(rest.len(), |end| end + 4)),
        first if first.is_whitespace() => (Kind::Blank, run(rest, char::is_whitespace)),
        first if is_word(first) => (Kind::Word, run(rest, is_word)),
        symbol => (Kind::Symbol(symbol), symbol.len_utf8()),
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn run(rest: &str, belongs: fn(char) -> bool) -> usize {
    rest.find(|c| !belongs(c)).unwrap_or(rest.len())
}

/// Up to the closing quote; a doubled one stands for itself.
fn quoted(rest: &str, quote: char) -> usize {
    let mut place = 1;
    while let Some(next) = rest[place..].find(quote) {
        place += next + 1;
        if !rest[place..].starts_with(quote) {
            return place;
        }
        place += 1;
    }
    rest.len()
}
