//! The units that DataFusion's own plans of small queries are found to yield.

use super::{INTERVAL_UNITS, marked};
use datafusion::prelude::SessionContext;
use std::sync::Arc;

/// A mark per column, `-` for none.
async fn marks(sql: &str) -> String {
    let context = SessionContext::new();
    for view in [
        "CREATE VIEW months AS SELECT INTERVAL '3' MONTH AS i, 1 AS n",
        "CREATE TABLE held AS SELECT INTERVAL '3' MONTH AS i, 1 AS n",
    ] {
        context.sql(view).await.unwrap();
    }
    let plan = context.state().create_logical_plan(sql).await.unwrap();
    let schema = marked(&Arc::new(plan.schema().as_arrow().clone()), &plan);
    let mark = |field: &arrow::datatypes::FieldRef| field.metadata().get(INTERVAL_UNITS).cloned();
    let marks = schema
        .fields()
        .iter()
        .map(|field| mark(field).unwrap_or("-".to_owned()));
    marks.collect::<Vec<_>>().join(" ")
}

#[tokio::test]
async fn units_come_from_what_makes_an_interval() {
    for (sql, expected) in [
        (
            "SELECT INTERVAL '1' MONTH, INTERVAL '2' DAY, INTERVAL '1 month 2 days', 1",
            "months - any -",
        ),
        (
            "SELECT INTERVAL '1' YEAR + INTERVAL '1' MONTH, INTERVAL '1' MONTH + INTERVAL '1' HOUR",
            "months any",
        ),
        ("SELECT -INTERVAL '1' MONTH AS i ORDER BY 1 LIMIT 3", "months"),
        (
            "SELECT CAST('1 month' AS INTERVAL), CAST('5 hours' AS INTERVAL), CAST(NULL AS INTERVAL)",
            "months - -",
        ),
        ("SELECT CAST(t AS INTERVAL) FROM (VALUES ('1 month')) v(t)", "any"),
        ("SELECT arrow_cast('1 month', 'Interval(MonthDayNano)')", "any"),
        (
            "SELECT max(i) FROM (VALUES (INTERVAL '1' MONTH), (INTERVAL '7' MONTH)) v(i)",
            "months",
        ),
        (
            "SELECT i FROM (SELECT INTERVAL '1' DAY AS i UNION ALL SELECT INTERVAL '1' MONTH)",
            "any",
        ),
        (
            "SELECT CASE WHEN n > 0 THEN INTERVAL '1' DAY ELSE INTERVAL '2' HOUR END FROM (VALUES (1)) v(n)",
            "-",
        ),
        (
            "SELECT (SELECT INTERVAL '1' MONTH), (SELECT max(n) FROM (VALUES (1)) v(n))",
            "months -",
        ),
        ("SELECT i, INTERVAL '1' DAY FROM months", "any -"),
        ("SELECT i FROM months", "months"),
        (
            "SELECT make_array(INTERVAL '1' MONTH), make_array(INTERVAL '1' DAY), make_array(1)",
            "months - -",
        ),
        (
            "SELECT named_struct('a', INTERVAL '1' MONTH, 'b', make_array(INTERVAL '1' DAY))",
            "any",
        ),
        ("SELECT array_agg(i) FROM held", "any"),
        ("SELECT i, n FROM held", "any -"),
        ("SELECT n, INTERVAL '1' DAY FROM held", "- -"),
    ] {
        assert_eq!(marks(sql).await, expected, "{sql}");
    }
}
