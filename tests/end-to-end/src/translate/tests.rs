//! Queries as each judge is asked them.

use super::*;

#[test]
fn postgres_has_its_own_words() {
    let translated = |sql: &str| translate(Judge::Postgres, sql);
    assert_eq!(
        translated("SELECT CAST(a AS DOUBLE) FROM t ORDER BY a desc, b DESC NULLS FIRST"),
        "SELECT CAST(a AS DOUBLE PRECISION) FROM t ORDER BY a DESC NULLS LAST, b DESC NULLS FIRST"
    );
    assert_eq!(
        translated("SELECT 'double, it''s desc', double_up"),
        "SELECT 'double, it''s desc', double_up"
    );
}
