//! Mayfly's SQL in a judge's words, as far as single words go. What a judge then still does not read, he does not judge.

use crate::judges::Judge;

pub fn translate(judge: Judge, sql: &str) -> String {
    match judge {
        Judge::DuckDb => sql.to_owned(),
        Judge::Postgres => words(sql, postgres),
    }
}

/// A word and what follows it, in PostgreSQL's words.
fn postgres(word: &str, next: &str) -> Option<&'static str> {
    match (word, next) {
        ("double", next) if next != "precision" => Some("DOUBLE PRECISION"),
        ("desc", next) if next != "nulls" => Some("DESC NULLS LAST"),
        ("tinyint", _) => Some("SMALLINT"),
        ("varbinary", _) => Some("BYTEA"),
        _ => None,
    }
}

/// Replaces words outside quotes.
fn words(sql: &str, replaced: fn(&str, &str) -> Option<&'static str>) -> String {
    let mut text = String::new();
    for (at, part) in sql.split('\'').enumerate() {
        if at > 0 {
            text.push('\'');
        }
        match at % 2 {
            0 => text.push_str(&words_of_part(part, replaced)),
            _ => text.push_str(part),
        }
    }
    text
}

fn words_of_part(part: &str, replaced: fn(&str, &str) -> Option<&'static str>) -> String {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut text = String::new();
    let mut rest = part;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_word(c)).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let next: String = after.trim_start().chars().take_while(|c| is_word(*c)).collect();
        let new = replaced(&word.to_lowercase(), &next.to_lowercase());
        text.push_str(new.unwrap_or(word));
        let start = after.find(is_word).unwrap_or(after.len());
        text.push_str(&after[..start]);
        rest = &after[start..];
    }
    text
}

#[cfg(test)]
mod tests;
