//! Errors as their reader sees them.

use super::*;
use crate::client::ErrorLocation;
use expect_test::{Expect, expect};

fn check(sql: &str, lines_before: u32, place: Option<(u32, u32)>, hint: Option<&str>, expected: Expect) {
    let prefix = place
        .map(|(line, column)| format!("line {line}:{column}: "))
        .unwrap_or_default();
    let error = ErrorInfo {
        message: format!("{prefix}Column 'x' cannot be resolved"),
        error_name: "COLUMN_NOT_FOUND".to_owned(),
        error_location: place.map(|(line_number, column_number)| ErrorLocation {
            line_number,
            column_number,
        }),
        hint: hint.map(str::to_owned),
    };
    let diagnosis = Diagnosis {
        error,
        query: "q1".to_owned(),
        origin: Origin {
            text: sql.to_owned(),
            lines_put: lines_before,
            ..Origin::default()
        },
    };
    expected.assert_eq(&diagnosis.to_string());
}

#[test]
fn a_caret_stands_under_the_place() {
    check(
        "SELECT\n  x, y\nFROM t",
        0,
        Some((2, 3)),
        Some("did you mean 'y'?"),
        expect![[r#"
            line 2:3: Column 'x' cannot be resolved
              2 |   x, y
                    ^
            hint: did you mean 'y'?
            COLUMN_NOT_FOUND, query q1"#]],
    );
}

#[test]
fn wide_characters_before_the_place_count_twice() {
    check(
        "SELECT '蜉蝣', x",
        0,
        Some((1, 14)),
        None,
        expect![[r#"
            line 1:14: Column 'x' cannot be resolved
              1 | SELECT '蜉蝣', x
                                 ^
            COLUMN_NOT_FOUND, query q1"#]],
    );
}

#[test]
fn lines_that_we_put_before_the_sql_do_not_count() {
    check(
        "SELECT x",
        1,
        Some((2, 8)),
        None,
        expect![[r#"
            line 1:8: Column 'x' cannot be resolved
              1 | SELECT x
                         ^
            COLUMN_NOT_FOUND, query q1"#]],
    );
}

#[test]
fn a_place_outside_the_text_has_no_caret() {
    check(
        "SELECT x",
        0,
        Some((9, 1)),
        None,
        expect![[r#"
            line 9:1: Column 'x' cannot be resolved
            COLUMN_NOT_FOUND, query q1"#]],
    );
    check(
        "SELECT x",
        0,
        Some((1, 500)),
        None,
        expect![[r#"
            line 1:500: Column 'x' cannot be resolved
              1 | SELECT x
                          ^
            COLUMN_NOT_FOUND, query q1"#]],
    );
}

#[test]
fn an_error_without_a_place() {
    check(
        "SELECT x",
        0,
        None,
        None,
        expect![[r#"
            Column 'x' cannot be resolved
            COLUMN_NOT_FOUND, query q1"#]],
    );
}

#[test]
fn a_long_line_is_cut_around_the_place() {
    let sql = format!("SELECT {}, x FROM t {}", "a".repeat(500), "b".repeat(500));
    let text = caret(&sql, 1, 510);
    let lines: Vec<_> = text.lines().collect();
    assert!(lines[0].len() <= SHOWN_CHARS_MAX + 10, "{text}");
    assert_eq!(lines[0].as_bytes()[lines[1].len() - 1], b'x', "{text}");
}

#[test]
fn a_statement_of_a_file_has_its_place_there() {
    let text = "SELECT 1;\n\n  SELECT x\n  FROM t";
    let check = |line_number, column_number, expected: Expect| {
        let error = ErrorInfo {
            message: "Column 'x' cannot be resolved".to_owned(),
            error_name: "COLUMN_NOT_FOUND".to_owned(),
            error_location: Some(ErrorLocation {
                line_number,
                column_number,
            }),
            hint: None,
        };
        let diagnosis = Diagnosis {
            error,
            query: "q1".to_owned(),
            origin: Origin::of(&crate::statements::split(text)[1], Some(Path::new("a/b.sql"))),
        };
        expected.assert_eq(&diagnosis.to_string());
    };
    check(
        1,
        8,
        expect![[r#"
            a/b.sql:3:10: Column 'x' cannot be resolved
              3 |   SELECT x
                           ^
            COLUMN_NOT_FOUND, query q1"#]],
    );
    check(
        2,
        8,
        expect![[r#"
            a/b.sql:4:8: Column 'x' cannot be resolved
              4 |   FROM t
                         ^
            COLUMN_NOT_FOUND, query q1"#]],
    );
}
