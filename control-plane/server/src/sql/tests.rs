//! Prepared statements: what is replaced, what is left alone, what is refused.

use super::{Resolved, resolve};
use expect_test::{Expect, expect};
use std::collections::BTreeMap;

fn check(sql: &str, expected: Expect) {
    let prepared = BTreeMap::from([
        ("q".to_owned(), "SELECT ? + ?".to_owned()),
        ("Mixed".to_owned(), "SELECT 1".to_owned()),
        ("packed".to_owned(), "$zstd:KLUv".to_owned()),
    ]);
    let shown = match resolve(sql, &prepared) {
        Ok(Resolved::Run(sql)) => format!("run {sql}"),
        Ok(Resolved::Update { update_type, change }) => format!("{update_type} {change:?}"),
        Err(error) => format!("{}: {error}", error.code),
    };
    expected.assert_eq(&shown);
}

#[test]
fn other_statements_go_on_untouched() {
    check(
        "SELECT 'execute immediate' -- ?",
        expect!["run SELECT 'execute immediate' -- ?"],
    );
    check("  ", expect!["run   "]);
    check("DESCRIBE t", expect!["run DESCRIBE t"]);
    check("describe input", expect!["run describe input"]);
}

#[test]
fn immediate_with_and_without_parameters() {
    check("EXECUTE IMMEDIATE 'SELECT 1'", expect!["run SELECT 1"]);
    check(
        "/* probe */ execute\nimmediate 'SELECT ''x''' ; ",
        expect!["run SELECT 'x'"],
    );
    check(
        "EXECUTE IMMEDIATE 'SELECT ?, ?, ?' USING 1, 'it''s, ?', ARRAY[1, f(2, 3)]",
        expect!["run SELECT 1, 'it''s, ?', ARRAY[1, f(2, 3)]"],
    );
}

#[test]
fn only_real_question_marks_are_replaced() {
    check(
        r#"EXECUTE IMMEDIATE 'SELECT ''?'', "a?""b", ? /* ? */ -- ?
 , ?' USING 1, 2"#,
        expect![[r#"
            run SELECT '?', "a?""b", 1 /* ? */ -- ?
             , 2"#]],
    );
}

#[test]
fn a_parameter_cannot_swallow_what_follows() {
    check(
        "EXECUTE IMMEDIATE 'SELECT 1-?, 2' USING -1",
        expect!["run SELECT 1-(-1), 2"],
    );
    check(
        "EXECUTE IMMEDIATE 'SELECT ?, 2' USING 1 -- c",
        expect!["run SELECT 1, 2"],
    );
    check(
        "EXECUTE IMMEDIATE 'SELECT ?, 2' USING 1 /* c",
        expect!["run SELECT 1, 2"],
    );
    check(
        "EXECUTE IMMEDIATE 'SELECT ?' USING 'open",
        expect!["INVALID_ARGUMENTS: a parameter is empty or not closed"],
    );
    check(
        "EXECUTE IMMEDIATE 'SELECT f(?)' USING 1) + (2",
        expect!["INVALID_ARGUMENTS: a bracket closes nothing"],
    );
    check(
        "EXECUTE IMMEDIATE 'SELECT ?' USING (1",
        expect!["INVALID_ARGUMENTS: a parameter is empty or not closed"],
    );
}

#[test]
fn parameters_must_match_in_number() {
    check(
        "EXECUTE IMMEDIATE 'SELECT ?'",
        expect!["INVALID_ARGUMENTS: incorrect number of parameters: expected 1 but found 0"],
    );
    check(
        "EXECUTE q USING 1, 2, 3",
        expect!["INVALID_ARGUMENTS: incorrect number of parameters: expected 2 but found 3"],
    );
    check(
        "EXECUTE q USING 1,,2",
        expect!["INVALID_ARGUMENTS: a parameter is empty or not closed"],
    );
}

#[test]
fn named_statements() {
    check("EXECUTE Q USING 1, 2", expect!["run SELECT 1 + 2"]);
    check(r#"EXECUTE "Mixed""#, expect!["run SELECT 1"]);
    check(
        "EXECUTE mixed",
        expect!["NOT_FOUND: prepared statement not found: mixed"],
    );
    check(
        "EXECUTE packed",
        expect!["NOT_SUPPORTED: prepared statements are accepted uncompressed only"],
    );
    check("EXECUTE", expect!["SYNTAX_ERROR: mismatched input. Expecting: a name"]);
    check(
        "EXECUTE q 1, 2",
        expect!["SYNTAX_ERROR: mismatched input. Expecting: USING"],
    );
}

#[test]
fn preparing_and_forgetting() {
    check(
        "PREPARE my_q FROM\n SELECT * FROM t WHERE a = ? ;",
        expect![[r#"PREPARE Prepared { name: "my_q", sql: "SELECT * FROM t WHERE a = ?" }"#]],
    );
    check(
        "DEALLOCATE PREPARE my_q",
        expect![[r#"DEALLOCATE Deallocated { name: "my_q" }"#]],
    );
    check(
        "PREPARE q SELECT 1",
        expect!["SYNTAX_ERROR: mismatched input. Expecting: FROM"],
    );
    check(
        "PREPARE q FROM",
        expect!["SYNTAX_ERROR: mismatched input. Expecting: a statement"],
    );
    check(
        "DEALLOCATE PREPARE q r",
        expect!["SYNTAX_ERROR: mismatched input. Expecting: the end of the statement"],
    );
    check(
        "DESCRIBE OUTPUT q",
        expect!["NOT_SUPPORTED: a prepared statement cannot be described before it is run"],
    );
}

#[test]
fn any_text_is_tokens_without_gaps() {
    for sql in [
        "",
        "'",
        "\"",
        "/*",
        "--",
        "ü'ß",
        "a'b''c\"d",
        "/**/",
        "/*/",
        "\u{1F41D}?",
        "''''",
        "-",
        "/",
    ] {
        let tokens = super::lexer::tokens(sql);
        let whole: String = tokens.iter().map(|token| token.text(sql)).collect();
        assert_eq!(whole, sql);
    }
}
