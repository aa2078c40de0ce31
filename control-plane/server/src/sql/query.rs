//! Whether a statement only asks: what changes nothing can begin again.

use super::lexer::{Kind, Token, tokens};

const ASKING: [&str; 8] = [
    "select", "with", "values", "table", "from", "show", "describe", "explain",
];

/// Whether the statement can be planned twice without doing anything twice. Of what is not sure, it cannot.
pub fn is_query(sql: &str) -> bool {
    let all = tokens(sql);
    let first = all.iter().find(|token| token.counts());
    first.is_some_and(|first| asks(first, sql))
}

fn asks(first: &Token, sql: &str) -> bool {
    first.kind == Kind::Symbol('(') || ASKING.iter().any(|word| first.is_word(sql, word))
}

#[cfg(test)]
mod tests {
    use super::is_query;

    #[test]
    fn what_changes_nothing_begins_with_a_word_that_asks() {
        for sql in [
            "SELECT 1",
            "-- a note\n( values 1",
            "/* a */with x AS (SELECT 1) SELECT * FROM x",
            "explain SELECT 1",
        ] {
            assert!(is_query(sql), "{sql}");
        }
        for sql in [
            "",
            "CREATE VIEW v AS SELECT 1",
            "ANALYZE t",
            "'select'",
            "USE x",
            "DROP TABLE t",
        ] {
            assert!(!is_query(sql), "{sql}");
        }
    }
}
