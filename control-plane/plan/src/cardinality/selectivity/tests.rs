//! Tests of `selectivity`: which share of rows a condition is taken to keep.

use super::*;
use datafusion::logical_expr::{Expr, col, lit};

/// `n`: whole numbers from 1 to 100 in 1,000 rows. `k`: a key, 1 to 1,000,000. `t`: text of which nothing is known. `c`: text of 4 values.
fn known(column: &Column) -> Option<ColumnGuess> {
    let guess = |distinct, source, range| ColumnGuess {
        distinct,
        source,
        range,
        nulls: Some(0.25),
    };
    match column.name() {
        "n" => Some(guess(100.0, Source::Counted, Some((1.0, 100.0)))),
        "k" => Some(guess(1_000.0, Source::Rows, Some((1.0, 1_000_000.0)))),
        "t" => Some(guess(1_000.0, Source::Unknown, None)),
        "c" => Some(guess(4.0, Source::Counted, None)),
        _ => None,
    }
}

fn check(condition: Expr, expected: f64) {
    let found = of(&condition, &known);
    assert!((found - expected).abs() < 0.002, "{condition}: {found}, not {expected}");
}

#[test]
fn equalities_by_the_number_of_values() {
    check(col("n").eq(lit(7)), 0.01);
    check(lit(7).eq(col("n")), 0.01);
    check(col("n").eq(lit(101)), 0.0);
    check(col("n").not_eq(lit(7)), 0.99);
    check(col("k").eq(lit(7)), 0.001);
    check(col("c").eq(lit("x")), 0.25);
    check(col("t").eq(lit("x")), EQUAL);
    check(col("t").eq(col("c")), EQUAL);
    check(col("unheard_of").eq(lit(1)), EQUAL);
    check(col("n").in_list(vec![lit(1), lit(2), lit(1_000)], false), 0.02);
    check(col("c").in_list(vec![lit("x"), lit("y"), lit("z")], true), 0.25);
}

#[test]
fn ranges_by_their_part_of_the_whole() {
    check(col("n").lt(lit(34)), 1.0 / 3.0);
    check(col("n").gt_eq(lit(67)), 1.0 / 3.0);
    check(lit(67).lt_eq(col("n")), 1.0 / 3.0);
    check(col("n").gt(lit(1_000)), 0.01);
    check(col("n").lt(lit(1_000)), 1.0);
    // Both bounds count together, whatever stands between them.
    check(
        col("n")
            .gt_eq(lit(34))
            .and(col("c").eq(lit("x")))
            .and(col("n").lt(lit(67))),
        0.25 / 3.0,
    );
    check(col("n").between(lit(34), lit(67)), 1.0 / 3.0);
    check(col("n").not_between(lit(34), lit(67)), 2.0 / 3.0);
    check(col("t").lt(lit("x")), BOUND);
    check(col("n").lt(col("k")), BOUND);
}

#[test]
fn everything_else() {
    check(col("t").like(lit("x%")), LIKE);
    check(col("t").not_like(lit("x%")), 1.0 - LIKE);
    check(col("c").like(lit("x%")), 0.25);
    check(col("n").is_null(), 0.25);
    check(col("n").is_not_null(), 0.75);
    check(col("unheard_of").is_null(), NULL);
    check(col("c").eq(lit("x")).or(col("c").eq(lit("y"))), 0.4375);
    check(!col("c").eq(lit("x")), 0.75);
    check(lit(true), 1.0);
    check(lit(false).and(col("n").eq(lit(1))), 0.0);
    check(col("n") % lit(2), SHARE_UNKNOWN);
}
