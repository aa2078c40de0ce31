//! What stands in a JSON token, as text. Numbers keep the digits of the wire.

use crate::client::Column;
use serde_json::value::RawValue;
use std::borrow::Cow;

pub const NULL_WORD: &str = "NULL";

/// The text of a cell, or none for NULL. Arrays, rows and maps stay JSON.
pub fn text<'a>(token: &'a RawValue) -> Option<Cow<'a, str>> {
    let token = token.get();
    let inner = token.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    match inner {
        None if token == "null" => None,
        None => Some(Cow::Borrowed(token)),
        Some(plain) if !plain.contains('\\') => Some(Cow::Borrowed(plain)),
        Some(escaped) => Some(Cow::Owned(
            serde_json::from_str(token).unwrap_or_else(|_| escaped.to_owned()),
        )),
    }
}

/// The text of a cell for eyes: NULL as a word, and nothing that could move a terminal's cursor.
pub fn visible<'a>(token: &'a RawValue) -> Cow<'a, str> {
    let Some(text) = text(token) else {
        return Cow::Borrowed(NULL_WORD);
    };
    match text.chars().any(char::is_control) {
        false => text,
        true => Cow::Owned(text.chars().flat_map(spelled).collect()),
    }
}

/// The same over lines.
pub fn lines(text: &str) -> String {
    let line = |line: &str| line.chars().flat_map(spelled).collect::<String>();
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// `\n` for a line feed, `\u{1b}` for an escape, the character itself for everything that prints.
fn spelled(character: char) -> impl Iterator<Item = char> {
    let (plain, escaped) = match character.is_control() {
        true => (None, Some(character.escape_default())),
        false => (Some(character), None),
    };
    plain.into_iter().chain(escaped.into_iter().flatten())
}

/// Whether a column's cells are numbers, which stand on the right.
pub fn is_number(column: &Column) -> bool {
    const NUMBERS: [&str; 7] = ["tinyint", "smallint", "integer", "bigint", "real", "double", "decimal"];
    let base = column.type_name.split('(').next().unwrap_or_default();
    NUMBERS.contains(&base)
}
