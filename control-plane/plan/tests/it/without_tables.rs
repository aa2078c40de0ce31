//! Statements that read no table and would take the control plane's memory or time: what fits an executor goes to one, what explodes is
//! refused before it is optimized, and everything small is still answered here.

use crate::world::{World, session};
use mayfly_plan::Planned;
use mayfly_protocol::ErrorCode;

/// A plan is small although its rows are not: a larger one has folded what an executor should make.
const PLAN_BYTES_MAX: usize = 200_000;

#[tokio::test(flavor = "multi_thread")]
async fn what_grows_goes_to_an_executor() {
    let world = World::empty().await;
    let ten = "(VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9))";
    let million: Vec<String> = (0..6).map(|at| format!("{ten} AS t{at}(x{at})")).collect();
    let crossed = million.join(", ");
    for sql in [
        "SELECT repeat('x', 1000000000)",
        "SELECT length(repeat('x', 2000000000))",
        "SELECT lpad('x', 2000000000, 'y')",
        "SELECT length(rpad('x', 2000000000))",
        "SELECT cardinality(array_repeat(1, 1000000000))",
        "SELECT cardinality(flatten(array_repeat(array_repeat(1, 100000), 10000)))",
        "SELECT cardinality(array_resize([1], 1000000000, 1))",
        "SELECT length(replace(repeat('a', 100000), 'a', repeat('b', 100000)))",
        "SELECT length(regexp_replace(repeat('a', 100000), 'a', repeat('b', 100000), 'g'))",
        "SELECT cardinality(generate_series(1, 1000000000))",
        "SELECT cardinality(generate_series(DATE '1970-01-01', DATE '2026-01-01', INTERVAL '1' SECOND))",
        "SELECT count(*) FROM (SELECT unnest(range(1, 300000000)))",
        "SELECT levenshtein(repeat('a', 1000000), repeat('b', 1000000))",
        &format!("SELECT repeat(CAST(x0 AS varchar), 100000) FROM {crossed}"),
        &format!("SELECT * FROM {crossed}, {ten} AS more(x)"),
        &format!("SELECT * FROM {crossed}, {ten} AS more(x) ORDER BY x, x0 DESC"),
    ] {
        let query = world.query(sql, &session(&[])).await;
        assert_eq!(query.graph.stages.len(), 1, "{sql}");
        let bytes = serde_json::to_vec(&query.graph).unwrap().len();
        assert!(bytes < PLAN_BYTES_MAX, "{sql}: {bytes} bytes of plan");
        let explained = world.rows(&format!("EXPLAIN (TYPE DISTRIBUTED) {sql}")).await;
        assert!(explained.contains("tasks=1"), "{sql}: {explained}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stays_small_is_answered_at_once() {
    let world = World::empty().await;
    for sql in [
        "SELECT 1",
        "SELECT length(repeat('x', 10000))",
        "SELECT replace('a-b', '-', '+'), lpad('7', 3, '0'), concat('a', 'b')",
        "SELECT cardinality(range(1, 1000))",
        "SELECT levenshtein('kitten', 'sitting')",
        "SELECT x, y FROM (VALUES (1), (2)) a(x), (VALUES (3)) b(y) ORDER BY x",
        "SELECT coalesce(nullif(1, 2), coalesce(NULL, 3))",
        "SELECT (SELECT (SELECT (SELECT 1)))",
    ] {
        let planned = world.run(sql).await;
        assert!(matches!(planned, Ok(Planned::Rows { .. })), "{sql}: {planned:?}");
    }
}

fn nested(open: &str, inner: &str, close: &str, levels: usize) -> String {
    format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_multiplies_is_refused_before_it_is_optimized() {
    let world = World::empty().await;
    let twice = |level: usize| {
        format!(
            "c{} AS (SELECT a.x FROM c{level} a JOIN c{level} b ON a.x = b.x)",
            level + 1
        )
    };
    let ctes: Vec<String> = (0..18).map(twice).collect();
    let columns: Vec<String> = (0..24).map(|at| format!("x + {at}")).collect();
    for sql in [
        format!("SELECT {} FROM (VALUES (1)) t(x)", nested("coalesce(", "x", ", 1)", 40)),
        format!("SELECT {} FROM (VALUES (1)) t(x)", nested("nullif(", "x", ", 2)", 40)),
        format!("SELECT {}", nested("(SELECT ", "1", ")", 40)),
        format!("SELECT {}", nested("1 IN (SELECT ", "1", ")", 40)),
        format!("SELECT 1 WHERE {}", nested("EXISTS (SELECT 1 WHERE ", "true", ")", 40)),
        format!(
            "WITH c0 AS (SELECT 1 AS x), {} SELECT count(*) FROM c18",
            ctes.join(", ")
        ),
        format!(
            "SELECT count(*) FROM (VALUES (1)) t(x) GROUP BY CUBE ({})",
            columns.join(", ")
        ),
    ] {
        let error = world.error(&sql).await;
        assert_eq!(error.code, ErrorCode::TooComplex, "{sql}: {error}");
        assert!(error.hint.is_some(), "{sql}: {error}");
    }
}
