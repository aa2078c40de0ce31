//! Orders of TPC-H's joins, judged by the rows that joins really yield.

mod database;

use super::*;
use database::{Database, joins, reversed, tpch_queries};
use expect_test::{Expect, expect};

async fn check(database: &Database, sql: &str, expected: Expect) {
    let plan = database.optimized(sql, true).await;
    expected.assert_eq(&joins(&plan));
}

#[tokio::test]
async fn small_and_filtered_inputs_come_first() {
    let database = Database::tpch();
    let from =
        |tables: &str, conditions: &str| format!("SELECT count(*), min(l_comment) FROM {tables} WHERE {conditions}");
    let chain = "l_orderkey = o_orderkey AND o_custkey = c_custkey AND c_nationkey = n_nationkey AND n_name = 'PERU'";
    check(
        &database,
        &from("lineitem, orders, customer, nation", chain),
        expect!["(((nation ⋈ customer) ⋈ orders) ⋈ lineitem)"],
    )
    .await;
    check(
        &database,
        &from("nation, customer, orders, lineitem", chain),
        expect!["(((nation ⋈ customer) ⋈ orders) ⋈ lineitem)"],
    )
    .await;
    // What is equal to the same is equal: no condition names both nations.
    let star = "c_nationkey = s_nationkey AND s_nationkey = n_nationkey AND s_suppkey = l_suppkey AND o_custkey = c_custkey \
                AND o_orderkey = l_orderkey AND n_name = 'PERU'";
    check(
        &database,
        &from("lineitem, orders, customer, supplier, nation", star),
        expect!["((((nation ⋈ supplier) ⋈ customer) ⋈ orders) ⋈ lineitem)"],
    )
    .await;
}

#[tokio::test]
async fn what_is_no_inner_join_is_an_input() {
    let database = Database::tpch();
    let outer = "SELECT count(*), min(l_comment) FROM lineitem JOIN orders ON l_orderkey = o_orderkey \
                 LEFT JOIN customer ON o_custkey = c_custkey JOIN nation ON c_nationkey = n_nationkey \
                 JOIN region ON n_regionkey = r_regionkey WHERE r_name = 'ASIA' OR r_name IS NULL";
    check(
        &database,
        outer,
        expect!["((region ⋈ nation) ⋈ ((lineitem ⋈ orders) Left customer))"],
    )
    .await;
    let grouped = "SELECT * FROM lineitem JOIN orders ON l_orderkey = o_orderkey JOIN \
                   (SELECT c_custkey AS k, count(*) AS n FROM customer, nation WHERE c_nationkey = n_nationkey \
                    GROUP BY c_custkey HAVING count(*) > 3) ON o_custkey = k";
    check(
        &database,
        grouped,
        expect!["(((customer ⋈ nation) ⋈ orders) ⋈ lineitem)"],
    )
    .await;
}

#[tokio::test]
async fn a_query_stays_as_written_where_nothing_is_known() {
    let database = Database::tpch();
    let cases = [
        // A table that does not know its rows.
        "SELECT * FROM lineitem, orders, unknown, nation WHERE l_orderkey = o_orderkey AND u_key = o_custkey AND u_key = n_nationkey",
        // A product that the query asks for.
        "SELECT count(*), min(l_comment) FROM lineitem, orders, nation, region WHERE l_orderkey = o_orderkey AND n_regionkey = r_regionkey",
        // An equality between expressions over several tables.
        "SELECT count(*) FROM lineitem, orders, customer WHERE l_orderkey = o_orderkey AND l_suppkey + o_custkey = c_custkey",
    ];
    for sql in cases {
        let (with, without) = (
            database.optimized(sql, true).await,
            database.optimized(sql, false).await,
        );
        assert_eq!(with.to_string(), without.to_string(), "{sql}");
    }
}

/// Rows that all joins of a query yield, as it is written and with its tables named in reverse.
#[tokio::test]
async fn orders_of_tpch_are_good_whatever_is_written() {
    let database = Database::tpch();
    let mut lines = String::new();
    for (number, sql) in tpch_queries() {
        let (rows, written) = database.answer(&sql, false).await;
        let (same, ordered) = database.answer(&sql, true).await;
        let (turned_rows, turned) = database.answer(&reversed(&sql), true).await;
        assert_eq!(rows, same, "q{number}");
        assert_eq!(rows, turned_rows, "q{number} reversed");
        lines += &format!("q{number:02} {written} {ordered} {turned}\n");
        assert!(
            ordered <= written + written / 5,
            "q{number} as written became worse: {written} → {ordered}"
        );
        assert!(
            turned <= written.max(ordered) * 3 / 2,
            "q{number} reversed: {turned}, as written {written}"
        );
    }
    expect![[r#"
        q01 0 0 0
        q02 17657 1671 1671
        q03 2153 2153 2153
        q04 535 535 535
        q05 12454 4186 4186
        q06 0 0 0
        q07 55243 2353 2353
        q08 1225 945 945
        q09 16115 7402 7402
        q10 3129 3129 2481
        q11 16800 810 810
        q12 307 307 307
        q13 15334 15334 15334
        q14 722 722 722
        q15 1 1 1
        q16 2392 2392 2392
        q17 0 0 0
        q18 75189 75189 75189
        q19 1 1 1
        q20 113 113 113
        q21 56603 765 765
        q22 73 73 73
    "#]]
    .assert_eq(&lines);
}

/// The optimizer runs its rules several times: another pass changes nothing.
#[tokio::test]
async fn an_order_is_final() {
    let database = Database::tpch();
    for (number, sql) in tpch_queries() {
        for sql in [sql.clone(), reversed(&sql)] {
            let plan = database.optimized(&sql, true).await;
            let state = database.state(true);
            let again = state.optimize(&plan).unwrap();
            assert_eq!(joins(&plan), joins(&again), "q{number}");
        }
    }
}
