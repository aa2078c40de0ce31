//! What comes back: large results page by page, answers that need no executor, bills that add up.

use crate::support;

#[tokio::test(flavor = "multi_thread")]
async fn metadata_and_constants_make_no_invocation() {
    let cloud = support::cloud(&[]).await;
    let before = cloud.invocations().await;
    for (sql, rows) in [
        ("SELECT 1", 1),
        ("SELECT * FROM lineitem LIMIT 0", 0),
        ("SELECT * FROM lineitem WHERE 1 <> 1", 0),
        ("SHOW TABLES", 8),
        ("DESCRIBE region", 3),
        ("SHOW SCHEMAS", 3),
        (
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'tpch'",
            8,
        ),
        ("EXPLAIN SELECT * FROM lineitem", 1),
    ] {
        let answer = cloud
            .client
            .query(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
        assert_eq!(answer.table.rows.len(), rows, "{sql}");
    }
    assert_eq!(cloud.invocations().await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_fits_one_executor_makes_one_invocation() {
    let cloud = support::cloud(&[]).await;
    let before = cloud.invocations().await;
    let sql = "SELECT n_regionkey, count(*) FROM nation GROUP BY n_regionkey ORDER BY 1";
    let answer = cloud.client.query(sql).await.expect("answered");
    assert_eq!(answer.table.rows.len(), 5);
    assert_eq!(cloud.invocations().await, before + 1);
    assert_eq!(answer.stats["mayfly"]["invocations"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bill_comes_with_answer_and_failure_and_its_lines_sum_up() {
    let cloud = support::cloud(&[]).await;
    let client = support::forced(cloud.client.clone(), 1);
    let answer = client
        .query("SELECT l_returnflag, count(*) FROM lineitem GROUP BY 1")
        .await
        .expect("answered");
    assert_bill(&cloud.info(&answer.query_id).await["bill"]);
    let page = client
        .submit("SELECT l_orderkey / (l_linenumber - l_linenumber) FROM lineitem")
        .await;
    let id = page["id"].as_str().expect("a query has an id").to_owned();
    let last = client.follow(page, |_| {}).await;
    assert_eq!(last["error"]["errorName"], "DIVISION_BY_ZERO");
    assert_bill(&cloud.info(&id).await["bill"]);
}

/// Trino has two types of intervals and DataFusion one: what the columns are called, and what is in them.
#[tokio::test(flavor = "multi_thread")]
async fn intervals_have_the_type_of_their_units() {
    let cloud = support::cloud(&[]).await;
    for (sql, types, cells) in [
        (
            "SELECT INTERVAL '14' MONTH, INTERVAL '2' DAY, INTERVAL '1 month 2 days' FROM nation WHERE n_nationkey = 3",
            &["interval year to month", "interval day to second", "varchar"][..],
            &["1-2", "2 00:00:00.000", "1 mons 2 days"][..],
        ),
        (
            "SELECT make_array(INTERVAL '14' MONTH, NULL), named_struct('a', INTERVAL '1' DAY, 'b', INTERVAL '1' MONTH), array_agg(INTERVAL '3' MONTH)
             FROM nation WHERE n_nationkey = 3",
            &[
                "array(interval year to month)",
                "row(a varchar, b varchar)",
                "array(varchar)",
            ],
            &[r#"["1-2",null]"#, r#"["1 days","1 mons"]"#, r#"["3 mons"]"#],
        ),
        (
            "SELECT n_regionkey, max(INTERVAL '90' MINUTE) FROM nation WHERE n_regionkey = 3 GROUP BY 1",
            &["bigint", "interval day to second"],
            &["3", "0 01:30:00.000"],
        ),
    ] {
        for client in [cloud.client.clone(), support::forced(cloud.client.clone(), 3)] {
            let table = client.query(sql).await.expect("answered").table;
            assert_eq!(table.types, types);
            let row = table.rows[0].iter().map(|cell| cell.as_deref().expect("not null"));
            assert_eq!(row.collect::<Vec<_>>(), cells);
        }
    }
}

fn assert_bill(bill: &serde_json::Value) {
    let amount = |value: &serde_json::Value| {
        value
            .as_str()
            .expect("amounts are strings of digits")
            .parse::<u128>()
            .expect("digits")
    };
    let lines = bill["lines"].as_array().expect("a bill has lines");
    let sum: u128 = lines.iter().map(|line| amount(&line["amount"])).sum();
    assert_eq!(sum, amount(&bill["total"]));
    assert!(sum > 0, "work was done");
}
