//! Lists as they are written, and as they are read.

use super::*;
use crate::sql::parse;
use crate::sql::statement::Statement;

fn read(list: &str) -> Result<String, QueryError> {
    let sql = format!("SELECT a, b + 1, count(*) FROM t GROUP BY {list}");
    match parse(&sql)? {
        Statement::Query(query) => {
            let text = query.ast.to_string();
            Ok(text
                .rsplit_once("GROUP BY ")
                .map_or(text.clone(), |(_, list)| list.to_owned()))
        }
        other => panic!("{other:?} is no query"),
    }
}

#[test]
fn lists_are_written_out() {
    for (written, wanted) in [
        ("(a, b)", "a, b"),
        ("a, (b, c)", "a, b, c"),
        ("ALL a, b", "a, b"),
        ("DISTINCT a", "a"),
        ("ROLLUP ((a, b), c)", "GROUPING SETS ((a, b, c), (a, b), ())"),
        ("ROLLUP (a, b, a)", "GROUPING SETS ((a, b), (a, b), (a), ())"),
        ("DISTINCT ROLLUP (a, b, a)", "GROUPING SETS ((a, b), (a), ())"),
        ("CUBE ((a, b), c)", "GROUPING SETS ((a, b, c), (a, b), (c), ())"),
        ("ROLLUP (1, 2)", "GROUPING SETS ((a, b + 1), (a), ())"),
        (
            "GROUPING SETS (a, ROLLUP (b, c))",
            "GROUPING SETS ((a), (b, c), (b), ())",
        ),
        ("GROUPING SETS (a, CUBE (b), ())", "GROUPING SETS ((a), (b), (), ())"),
        (
            "GROUPING SETS (a, GROUPING SETS (b, (a, c)))",
            "GROUPING SETS ((a), (b), (a, c))",
        ),
        ("c, ROLLUP ((a, b))", "GROUPING SETS ((c, a, b), (c))"),
        ("ROLLUP (a), CUBE (b)", "ROLLUP (a), CUBE (b)"),
    ] {
        assert_eq!(read(written).as_deref(), Ok(wanted), "{written}");
    }
}

#[test]
fn more_sets_than_trino_takes_are_refused() {
    let columns = (0..12)
        .map(|at| format!("(c{at}, d{at})"))
        .collect::<Vec<_>>()
        .join(", ");
    let error = read(&format!("CUBE ({columns})")).expect_err("4,096 sets");
    assert!(error.message.contains("4096 grouping sets"), "{}", error.message);
}
