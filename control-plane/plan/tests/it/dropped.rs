//! What the parser takes and nothing plans: refused by its name, wherever it stands, never dropped.

use crate::bad_input::world;
use mayfly_protocol::ErrorCode;

#[tokio::test(flavor = "multi_thread")]
async fn clauses_are_refused_by_name() {
    let world = world().await;
    let cases = [
        ("SELECT order_key FROM orders PREWHERE order_key > 1", "PREWHERE"),
        (
            "SELECT order_key, count(*) FROM orders GROUP BY order_key WITH ROLLUP",
            "GROUP BY … WITH ROLLUP",
        ),
        (
            "SELECT order_key, count(*) FROM orders GROUP BY order_key WITH CUBE",
            "GROUP BY … WITH CUBE",
        ),
        (
            "SELECT order_key, count(*) FROM orders GROUP BY order_key WITH TOTALS",
            "GROUP BY … WITH TOTALS",
        ),
        ("SELECT * ILIKE '%n%' FROM orders", "* ILIKE"),
        ("SELECT * RENAME (comment AS c) FROM orders", "* RENAME"),
        ("SELECT * FROM orders PARTITION (p0)", "PARTITION (…) of a table"),
        (
            "SELECT order_key FROM orders START WITH order_key = 1 CONNECT BY PRIOR order_key = order_key",
            "CONNECT BY",
        ),
        ("SELECT * FROM orders WITH ORDINALITY", "WITH ORDINALITY of a table"),
        ("FROM orders", "FROM without SELECT"),
        ("SELECT TOP 3 * FROM orders", "TOP"),
        ("SELECT * INTO other FROM orders", "SELECT INTO"),
        ("SELECT order_key FROM orders LIMIT 1 BY order_key", "LIMIT … BY"),
        ("SELECT order_key FROM orders FOR UPDATE", "FOR UPDATE or FOR SHARE"),
        ("SELECT order_key FROM orders WITH (NOLOCK)", "a table hint"),
        ("SELECT order_key FROM orders SETTINGS max_threads = 1", "SETTINGS"),
        ("SELECT order_key FROM orders FORMAT JSON", "FORMAT"),
        ("SELECT order_key FROM orders DISTRIBUTE BY order_key", "DISTRIBUTE BY"),
        ("SELECT order_key FROM orders CLUSTER BY order_key", "CLUSTER BY"),
        ("SELECT order_key FROM orders SORT BY order_key", "SORT BY"),
        (
            "SELECT order_key FROM orders LATERAL VIEW explode(comment) t AS x",
            "LATERAL VIEW",
        ),
        ("SELECT order_key FROM orders ORDER BY order_key WITH FILL", "WITH FILL"),
        (
            "SELECT order_key FROM orders FETCH FIRST 3 ROWS WITH TIES",
            "FETCH … WITH TIES",
        ),
        (
            "SELECT order_key FROM orders FETCH FIRST 3 PERCENT ROWS ONLY",
            "FETCH … PERCENT",
        ),
        (
            "SELECT order_key FROM orders LIMIT 1 FETCH FIRST 3 ROWS ONLY",
            "FETCH beside LIMIT",
        ),
        ("SELECT order_key FROM orders MINUS SELECT 1", "MINUS"),
        (
            "SELECT order_key FROM orders a GLOBAL JOIN orders b ON a.order_key = b.order_key",
            "GLOBAL JOIN",
        ),
        (
            "SELECT a.order_key FROM orders a ASOF JOIN orders b MATCH_CONDITION (a.order_key >= b.order_key)",
            "ASOF JOIN",
        ),
        ("SELECT * FROM orders a CROSS APPLY (SELECT 1) b", "APPLY"),
        ("SELECT order_key FROM orders |> WHERE order_key > 3", "the operator |>"),
        ("SELECT sum(order_key LIMIT 3) FROM orders", "LIMIT within a function"),
        ("SELECT count(orders.*) FROM orders", "* of one relation as an argument"),
        ("SELECT comment COLLATE \"de_DE\" FROM orders", "COLLATE"),
        ("SELECT comment RLIKE 'x' FROM orders", "RLIKE or REGEXP"),
        ("SELECT CONVERT(order_key, CHAR) FROM orders", "CONVERT"),
        (
            "SELECT CAST(comment AS DATE FORMAT 'YYYY') FROM orders",
            "FORMAT of a CAST",
        ),
        ("SELECT comment IS NORMALIZED FROM orders", "IS NORMALIZED"),
        ("SELECT comment LIKE ANY ('a', 'b') FROM orders", "LIKE ANY"),
        (
            "SELECT order_key FROM orders QUALIFY row_number() OVER (ORDER BY order_key) = 1 FOR SHARE",
            "FOR UPDATE or FOR SHARE",
        ),
        (
            "SELECT * FROM (SELECT order_key FROM orders FOR UPDATE) t",
            "FOR UPDATE or FOR SHARE",
        ),
        ("SELECT 1 WHERE EXISTS (SELECT TOP 1 order_key FROM orders)", "TOP"),
        (
            "WITH t AS (SELECT order_key FROM orders PREWHERE order_key > 1) SELECT * FROM t",
            "PREWHERE",
        ),
        (
            "WITH RECURSIVE t(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM t WHERE n < 9 LIMIT 3) SELECT * FROM t",
            "WITH, ORDER BY or LIMIT around the UNION of a recursive query",
        ),
        (
            "SELECT * FROM (SELECT order_key FROM orders) t TABLESAMPLE BERNOULLI (10)",
            "TABLESAMPLE of a query",
        ),
        (
            "CREATE VIEW v AS SELECT order_key FROM orders FOR UPDATE",
            "FOR UPDATE or FOR SHARE",
        ),
    ];
    let mut wrong = Vec::new();
    for (sql, what) in cases {
        match world.run(sql).await {
            Err(error) if error.code == ErrorCode::NotSupported && error.message.starts_with(what) => {}
            other => wrong.push(format!("{sql}: {other:?}")),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_has_its_place_and_a_way_out() {
    let world = world().await;
    let check = async |sql: &str, expected: &str| assert_eq!(world.error(sql).await.to_string(), expected, "{sql}");
    check(
        "SELECT TOP 3 order_key FROM orders",
        "line 1:1: TOP is not supported; use LIMIT",
    )
    .await;
    check(
        "SELECT order_key\nFROM orders\nPREWHERE order_key > 1",
        "line 3:10: PREWHERE is not supported; write WHERE",
    )
    .await;
    check(
        "EXPLAIN SELECT 1 FROM orders AS a JOIN orders PARTITION (p0) AS b ON true",
        "line 1:58: PARTITION (…) of a table is not supported; filter on the partition's column: files of other partitions are \
         not read",
    )
    .await;
}

/// Clauses that a function cannot have.
#[tokio::test(flavor = "multi_thread")]
async fn functions_refuse_clauses_of_others() {
    let world = world().await;
    let cases = [
        ("SELECT abs(order_key) OVER () FROM orders", "OVER is not for abs"),
        (
            "SELECT abs(DISTINCT order_key) FROM orders",
            "DISTINCT or ALL is not for abs",
        ),
        (
            "SELECT abs(order_key) FILTER (WHERE order_key > 1) FROM orders",
            "FILTER is not for abs",
        ),
        (
            "SELECT abs(order_key ORDER BY comment) FROM orders",
            "ORDER BY among the arguments is not for abs",
        ),
        (
            "SELECT row_number() FILTER (WHERE order_key > 1) OVER () FROM orders",
            "FILTER is not for row_number",
        ),
        (
            "SELECT lag(DISTINCT order_key) OVER (ORDER BY comment) FROM orders",
            "DISTINCT or ALL is not for lag",
        ),
    ];
    for (sql, what) in cases {
        let error = world.error(sql).await;
        assert_eq!(error.code, ErrorCode::InvalidFunctionArgument, "{sql}: {error}");
        assert!(error.message.starts_with(what), "{sql}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn samples_are_drawn_or_refused() {
    let world = world().await;
    for sql in [
        "SELECT * FROM orders TABLESAMPLE BERNOULLI (50)",
        "SELECT o.comment FROM orders AS o TABLESAMPLE BERNOULLI (12.5) JOIN orders USING (order_key)",
        "SELECT * FROM orders TABLESAMPLE SYSTEM (50)",
        "SELECT * FROM orders TABLESAMPLE BERNOULLI (50) REPEATABLE (1)",
        "WITH c AS (SELECT * FROM orders) SELECT * FROM c TABLESAMPLE BERNOULLI (50)",
    ] {
        assert!(world.run(sql).await.is_ok(), "{sql}");
    }
    for (sql, what) in [
        (
            "SELECT * FROM orders TABLESAMPLE BLOCK (50)",
            "TABLESAMPLE without BERNOULLI or SYSTEM",
        ),
        (
            "SELECT * FROM orders TABLESAMPLE (50)",
            "TABLESAMPLE without BERNOULLI or SYSTEM",
        ),
        (
            "SELECT * FROM orders TABLESAMPLE BERNOULLI (50 ROWS)",
            "TABLESAMPLE of a number of rows",
        ),
        (
            "SELECT * FROM orders TABLESAMPLE BERNOULLI (50) SEED (1)",
            "SEED of a sample",
        ),
        (
            "WITH c AS (SELECT * FROM orders) SELECT * FROM c TABLESAMPLE SYSTEM (50)",
            "TABLESAMPLE SYSTEM of anything but a table",
        ),
        (
            "WITH c AS (SELECT * FROM orders) SELECT * FROM c TABLESAMPLE BERNOULLI (50) REPEATABLE (1)",
            "TABLESAMPLE … REPEATABLE of anything but a table",
        ),
    ] {
        let error = world.error(sql).await;
        assert_eq!(error.code, ErrorCode::NotSupported, "{sql}: {error}");
        assert!(error.message.starts_with(what), "{sql}: {error}");
    }
    for (sample, code) in [
        ("BERNOULLI (101)", ErrorCode::NumericValueOutOfRange),
        ("SYSTEM (-1)", ErrorCode::NumericValueOutOfRange),
        ("BERNOULLI (NULL)", ErrorCode::InvalidArguments),
        ("BERNOULLI ('10')", ErrorCode::TypeMismatch),
        ("BERNOULLI (order_key)", ErrorCode::TypeMismatch),
        ("BERNOULLI (10) REPEATABLE (NULL)", ErrorCode::SyntaxError),
    ] {
        let error = world.error(&format!("SELECT * FROM orders TABLESAMPLE {sample}")).await;
        assert_eq!(error.code, code, "{sample}: {error}");
        assert!(error.location.is_some(), "{sample}: {error}");
    }
}
