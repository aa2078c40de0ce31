//! Parting a script into statements.

use super::Statement;

fn split(text: &str) -> Vec<&str> {
    super::split(text).iter().map(|statement| statement.sql).collect()
}

#[test]
fn each_statement_knows_its_place() {
    let places = |text: &'static str| -> Vec<(u32, u32)> {
        let place = |statement: &Statement<'_>| (statement.line, statement.column);
        super::split(text).iter().map(place).collect()
    };
    assert_eq!(places("SELECT 1; SELECT 2"), [(0, 0), (0, 10)]);
    assert_eq!(
        places("\n SELECT 1;\n\nSELECT 2\n;é; SELECT 3"),
        [(1, 1), (3, 0), (4, 1), (4, 4)]
    );
}

#[test]
fn semicolons_part_statements() {
    assert_eq!(split("SELECT 1; SELECT 2 ;\n"), ["SELECT 1", "SELECT 2"]);
    assert_eq!(split("SELECT 1"), ["SELECT 1"]);
}

#[test]
fn semicolons_in_quotes_and_comments_do_not() {
    let text = "SELECT ';', \"a;b\", 'it''s;' -- no; \n/* no; */ FROM t; SELECT 2";
    assert_eq!(
        split(text),
        ["SELECT ';', \"a;b\", 'it''s;' -- no; \n/* no; */ FROM t", "SELECT 2"]
    );
}

#[test]
fn blanks_and_comments_alone_are_no_statement() {
    assert_eq!(split(" ;; -- nothing\n; /* nothing */ ;"), [""; 0]);
    assert_eq!(split("-- first\nSELECT 1; -- last"), ["-- first\nSELECT 1"]);
}

#[test]
fn what_is_not_closed_reaches_to_the_end() {
    assert_eq!(split("SELECT 'a; b"), ["SELECT 'a; b"]);
    assert_eq!(split("SELECT 1 /* a; b"), ["SELECT 1 /* a; b"]);
    assert_eq!(split("SELECT 1 /*"), ["SELECT 1 /*"]);
    assert_eq!(split("SELECT 'é;蜉"), ["SELECT 'é;蜉"]);
}
