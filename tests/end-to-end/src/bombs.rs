//! Statements that would take a server's memory or its planning for good, each with how it ends instead. None reads a table.

/// A statement, and the names of errors that it may end in. Where there are two, the machine's speed decides which bound is reached first;
/// where there is none, it has rows.
pub struct Bomb {
    pub sql: String,
    pub ends: Ends,
}

type Ends = &'static [&'static str];

const COMPLEX: Ends = &["MAYFLY_TOO_COMPLEX"];
const ARGUMENT: Ends = &["INVALID_FUNCTION_ARGUMENT"];
/// Each is given a time.
const TIME: Ends = &["EXCEEDED_TIME_LIMIT"];
const BOUNDS: Ends = &["EXCEEDED_LOCAL_MEMORY_LIMIT", "EXCEEDED_TIME_LIMIT"];
const ROWS: Ends = &[];

fn nested(open: &str, inner: &str, close: &str, levels: usize) -> String {
    format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
}

fn list(count: usize, item: impl Fn(usize) -> String, between: &str) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(between)
}

/// So many rows of one number, as often beside themselves.
fn crossed(rows: usize, times: usize) -> String {
    let values = list(rows, |at| format!("({at})"), ", ");
    list(times, |at| format!("(VALUES {values}) t{at}(x{at})"), ", ")
}

/// CTEs, each of which names the one before it twice.
fn twice(levels: usize) -> String {
    let cte = |at: usize| format!("c{} AS (SELECT a.x FROM c{at} a JOIN c{at} b ON a.x = b.x)", at + 1);
    let all = list(levels, cte, ", ");
    format!("WITH c0 AS (SELECT 1 AS x), {all} SELECT count(*) FROM c{levels}")
}

fn chain(joins: usize) -> String {
    let join = |at: usize| format!("JOIN (VALUES (1)) t{at}(k{at}) ON k = k{at}");
    let all = list(joins, join, " ");
    format!("SELECT count(*) FROM (VALUES (1)) t(k) {all}")
}

/// Sets of grouping of so many columns.
fn grouped(by: &str, columns: usize) -> String {
    let all = list(columns, |at| format!("x + {at}"), ", ");
    format!("SELECT count(*) FROM (VALUES (1)) t(x) GROUP BY {by} ({all})")
}

/// Values that functions of one row would make.
fn values() -> Vec<(&'static str, Ends)> {
    vec![
        ("SELECT repeat('x', 1000000000)", ARGUMENT),
        ("SELECT length(repeat('x', 2000000000))", ARGUMENT),
        ("SELECT lpad('x', 2000000000, 'y')", ARGUMENT),
        ("SELECT length(rpad('x', 2000000000, 'yz'))", ARGUMENT),
        ("SELECT cardinality(array_repeat(1, 1000000000))", ARGUMENT),
        (
            "SELECT cardinality(array_repeat(repeat('x', 1000), 10000000))",
            ARGUMENT,
        ),
        (
            "SELECT cardinality(flatten(array_repeat(array_repeat(1, 100000), 10000)))",
            ARGUMENT,
        ),
        ("SELECT cardinality(array_resize([1], 1000000000, 1))", ARGUMENT),
        (
            "SELECT length(replace(repeat('a', 100000), 'a', repeat('b', 100000)))",
            ARGUMENT,
        ),
        (
            "SELECT length(regexp_replace(repeat('a', 100000), 'a', repeat('b', 100000), 'g'))",
            ARGUMENT,
        ),
        (
            "SELECT length(array_to_string(array_repeat(repeat('x', 100000), 100000), ','))",
            ARGUMENT,
        ),
        ("SELECT cardinality(generate_series(1, 1000000000))", ARGUMENT),
        ("SELECT cardinality(range(0, 2000000000, 2))", ARGUMENT),
        ("SELECT cardinality(range(-1000000000, 1000000000))", ARGUMENT),
        ("SELECT levenshtein(repeat('a', 1000000), repeat('b', 1000000))", TIME),
        (
            "EXPLAIN SELECT lpad('x', 2000000000, 'y') || repeat('z', 1000000000)",
            ROWS,
        ),
        ("EXPLAIN SELECT cardinality(array_repeat(1, 1000000000))", ROWS),
    ]
}

/// Rows that no table holds.
fn rows() -> Vec<(String, Ends)> {
    vec![
        (format!("SELECT * FROM {}", crossed(10, 10)), TIME),
        (format!("SELECT * FROM {}", crossed(1_000, 3)), TIME),
        (format!("SELECT * FROM {} ORDER BY 1, 2, 3", crossed(1_000, 3)), TIME),
        (
            format!("SELECT x0, count(*) FROM {} GROUP BY x0", crossed(1_000, 4)),
            TIME,
        ),
        (
            "SELECT count(*) FROM (SELECT unnest(range(1, 300000000)))".to_owned(),
            ARGUMENT,
        ),
        ("SELECT unnest(range(1, 100000000))".to_owned(), ARGUMENT),
        (
            "SELECT count(*) FROM generate_series(1, 1000) a(x), UNNEST(range(1, 100000000)) u(y)".to_owned(),
            ARGUMENT,
        ),
        (grouped("CUBE", 20), COMPLEX),
        (grouped("CUBE", 24), COMPLEX),
        (grouped("ROLLUP", 700), COMPLEX),
    ]
}

/// What multiplies, or takes long, while it is planned.
fn plans() -> Vec<(String, Ends)> {
    let of_x = |expression: String| format!("SELECT {expression} FROM (VALUES (1)) t(x)");
    vec![
        (of_x(nested("coalesce(", "x", ", 1)", 60)), COMPLEX),
        (of_x(nested("nullif(", "x", ", 2)", 60)), COMPLEX),
        (of_x(nested("coalesce(nullif(", "x", ", 2), 3)", 8)), COMPLEX),
        (format!("SELECT {}", nested("(SELECT ", "1", ")", 30)), COMPLEX),
        (format!("SELECT {}", nested("1 IN (SELECT ", "1", ")", 24)), COMPLEX),
        (
            format!("SELECT 1 WHERE {}", nested("EXISTS (SELECT 1 WHERE ", "true", ")", 24)),
            COMPLEX,
        ),
        (
            format!("SELECT {}", nested("coalesce((SELECT ", "1", "), 2)", 20)),
            COMPLEX,
        ),
        (twice(14), BOUNDS),
        (twice(18), BOUNDS),
        (chain(450), COMPLEX),
        (chain(300), TIME),
    ]
}

pub fn all() -> Vec<Bomb> {
    let values = values().into_iter().map(|(sql, ends)| (sql.to_owned(), ends));
    let all = values.chain(rows()).chain(plans());
    all.map(|(sql, ends)| Bomb { sql, ends }).collect()
}
