//! The notation of cases, read and refused.

use super::*;

fn parsed(text: &str) -> Case {
    let mut cases = parse(text).expect("well formed");
    assert_eq!(cases.len(), 1);
    cases.remove(0)
}

#[test]
fn a_table_spans_lines() {
    let case = parsed("table t (a BIGINT,\n  d DECIMAL(3, 1))\nVALUES (1, 1.5),\n (2, NULL)");
    let Kind::Table { name, columns, values } = case.kind else {
        panic!("no table")
    };
    assert_eq!(name, "t");
    assert_eq!(columns, "a BIGINT,\n  d DECIMAL(3, 1)");
    assert_eq!(values, "(1, 1.5),\n (2, NULL)");
}

#[test]
fn a_query_has_rows_and_skips_judges() {
    let case = parsed("# why\nskipif duckdb\nquery nosort\nSELECT 1,\n NULL;\n----\n1\tNULL\n(empty)\tx");
    assert_eq!(case.skipped, BTreeSet::from([Judge::DuckDb]));
    let text = |text: &str| Some(text.to_owned());
    let expected = Kind::Query {
        sql: "SELECT 1,\n NULL".to_owned(),
        is_ordered: true,
        rows: vec![vec![text("1"), None], vec![text(""), text("x")]],
    };
    assert_eq!(case.kind, expected);
}

#[test]
fn a_refusal_has_a_name_and_words() {
    let case = parsed("statement error NOT_SUPPORTED no samples\nSELECT 1");
    let Kind::Refused { name, words, .. } = case.kind else {
        panic!("no refusal")
    };
    assert_eq!((name.as_str(), words.as_str()), ("NOT_SUPPORTED", "no samples"));
}

#[test]
fn what_is_not_understood_names_its_line() {
    let wrong = |text: &str| parse(text).expect_err("malformed");
    assert_eq!(
        wrong("\n\nquery\nSELECT 1"),
        "line 3: a query has its rows below a line of four dashes"
    );
    assert!(wrong("halt").starts_with("line 1: a record begins"));
    assert!(wrong("skipif oracle\nquery").contains("no judge is called `oracle`"));
}
