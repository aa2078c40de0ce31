//! Files and queries that mean no good: each ends in its own clear error, and the next query is answered.

use crate::support::{self, Cloud, SCHEMA};
use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::Write as _;
use std::path::Path;

/// What a compressed bomb unpacks to: one line without an end.
const BOMB_BYTES: usize = 300 << 20;

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).expect("memory");
    encoder.finish().expect("memory")
}

fn write(folder: &Path, table: &str, file: &str, bytes: &[u8]) {
    let folder = folder.join(table);
    std::fs::create_dir_all(&folder).expect("writable");
    std::fs::write(folder.join(file), bytes).expect("writable");
}

async fn create(cloud: &Cloud, table: &str, declared: &str, options: &str) {
    let sql = format!("CREATE EXTERNAL TABLE {SCHEMA}.{table} {declared} LOCATION 's3://bad/{table}/' {options}");
    let created = cloud.client.query(&sql).await;
    created.unwrap_or_else(|failure| panic!("{sql}: {failure:?}"));
}

/// Values that functions of DataFusion's panic on, or that they would make more of than there is room for: the user hears of it, once, and soon.
#[tokio::test(flavor = "multi_thread")]
async fn values_that_a_function_cannot_take_are_a_users_error() {
    let cloud = support::cloud(&[]).await;
    let cases = [
        ("lpad(n_name, CAST(-n_nationkey AS int))", "it may not be negative"),
        (
            "rpad(n_name, CAST(n_nationkey AS int) - 2000000000)",
            "it may not be negative",
        ),
        ("length(repeat(n_name, 2000000000))", "more than the 536870912"),
        ("length(lpad(n_name, 2000000000))", "more than the 536870912"),
        (
            "regexp_replace(n_name, n_name || '(', 'x')",
            "invalid regular expression",
        ),
        (
            "approx_percentile_cont(CAST(n_nationkey AS double), 2.0)",
            "between 0.0 and 1.0",
        ),
        (
            "cardinality(array_repeat(n_nationkey, 1000000000))",
            "more than the 536870912",
        ),
    ];
    let before = cloud.invocations().await;
    for (at, (expression, message)) in cases.into_iter().enumerate() {
        let start = std::time::Instant::now();
        let failure = cloud.client.query(&format!("SELECT {expression} FROM nation")).await;
        let failure = failure.expect_err(expression);
        assert_eq!(
            failure.name, "INVALID_FUNCTION_ARGUMENT",
            "{expression}: {}",
            failure.message
        );
        assert!(failure.message.contains(message), "{expression}: {}", failure.message);
        assert!(
            start.elapsed() < std::time::Duration::from_secs(20),
            "{expression}: {:?}",
            start.elapsed()
        );
        assert!(
            cloud.invocations().await <= before + 1 + at as u64,
            "{expression} ran once at most"
        );
    }
    let answer = cloud
        .client
        .query("SELECT length(repeat(n_name, 1000)) FROM nation WHERE n_nationkey = 0")
        .await;
    assert_eq!(answer.expect("answered").table.rows[0][0].as_deref(), Some("7000"));
}

#[tokio::test(flavor = "multi_thread")]
async fn text_that_cannot_be_read_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let good: String = (0..50_000).map(|n| format!("{n},text {n}\n")).collect();
    let whole = packed(good.as_bytes());
    let cases: [(&str, &str, &[u8], &str); 7] = [
        (
            "garbage_gz",
            "g.csv.gz",
            b"\x1f\x8b\x08 this is no gzip at all, whatever it says",
            "CSV",
        ),
        ("cut_gz", "c.csv.gz", &whole[..whole.len() / 2], "CSV"),
        ("no_number", "n.csv", b"1,a\n2,b\nthree,c\n", "CSV"),
        ("more_columns", "m.csv", b"1,a\n2,b,c,d\n", "CSV"),
        ("no_json", "j.json", b"{\"a\": 1, \"b\": \"x\"}\n{\"a\": oops\n", "JSON"),
        ("other_json", "o.json", b"{\"a\": \"one\", \"b\": [1, 2]}\n", "JSON"),
        ("binary", "b.csv", b"\x00\xff\xfe\x01,\x80\x81\n", "CSV"),
    ];
    for (table, file, bytes, _) in cases {
        write(folder.path(), table, file, bytes);
    }
    let cloud = support::cloud(&["--mount", &format!("bad={}", folder.path().display())]).await;
    for (table, file, _, format) in cases {
        let options = if format == "CSV" {
            "OPTIONS ('has_header' 'false')"
        } else {
            ""
        };
        let sql = format!(
            "CREATE EXTERNAL TABLE {SCHEMA}.{table} (a BIGINT, b VARCHAR) STORED AS {format} LOCATION 's3://bad/{table}/' {options}"
        );
        cloud
            .client
            .query(&sql)
            .await
            .unwrap_or_else(|failure| panic!("{sql}: {failure:?}"));
        let sql = format!("SELECT count(a), max(b) FROM {table}");
        let failure = cloud.client.query(&sql).await.expect_err(table);
        assert_eq!(failure.name, "MAYFLY_BAD_FILE", "{table}: {}", failure.message);
        assert!(
            failure.message.contains(&format!("s3://bad/{table}/{file}")),
            "{table}: {}",
            failure.message
        );
    }
    let answer = cloud
        .client
        .query("SELECT count(*) FROM nation")
        .await
        .expect("answered");
    assert_eq!(answer.table.rows[0][0].as_deref(), Some("25"));
}

/// A file whose writer left a checksum in each page, in two row groups of two columns without compression: nothing else could tell.
#[tokio::test(flavor = "multi_thread")]
async fn pages_that_their_checksum_does_not_fit_are_named() {
    let path = mayfly_end_to_end::tpch::root().join("tests/golden/parquet/page-checksums.parquet");
    let whole = std::fs::read(path).expect("a golden file");
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "whole", "a.parquet", &whole);
    // Values within the pages of each column chunk; the footer begins at 3344.
    let flipped = [(200, 0), (800, 7), (1_100, 3), (1_900, 4), (3_300, 6)];
    for (byte, bit) in flipped {
        let mut bytes = whole.clone();
        bytes[byte] ^= 1 << bit;
        write(folder.path(), &format!("flipped{byte}"), "a.parquet", &bytes);
    }
    let cloud = support::cloud(&["--mount", &format!("bad={}", folder.path().display())]).await;
    let sum = |table: &str| format!("SELECT count(*), sum(id), sum(price) FROM 's3://bad/{table}/a.parquet'");
    let answer = cloud.client.query(&sum("whole")).await.expect("answered").table;
    let cells = answer.rows[0].iter().map(|cell| cell.as_deref().unwrap_or_default());
    assert_eq!(cells.collect::<Vec<_>>(), ["200", "19900", "82300"]);
    for (byte, _) in flipped {
        let table = format!("flipped{byte}");
        let failure = cloud.client.query(&sum(&table)).await.expect_err(&table);
        assert_eq!(failure.name, "MAYFLY_BAD_FILE", "{failure:?}");
        let named = failure.message.contains(&format!("s3://bad/{table}/a.parquet"));
        assert!(
            named && failure.message.to_lowercase().contains("checksum"),
            "{failure:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_compressed_bomb_hurts_nobody_else() {
    let folder = tempfile::tempdir().expect("a folder");
    write(folder.path(), "bomb", "b.csv.gz", &packed(&vec![b'x'; BOMB_BYTES]));
    write(
        folder.path(),
        "json_bomb",
        "b.json.gz",
        &packed(&[b"{\"a\": \"".as_slice(), &vec![b'x'; BOMB_BYTES]].concat()),
    );
    let cloud = support::cloud(&["--mount", &format!("bad={}", folder.path().display())]).await;
    create(
        &cloud,
        "bomb",
        "(a VARCHAR) STORED AS CSV",
        "OPTIONS ('has_header' 'false')",
    )
    .await;
    create(&cloud, "json_bomb", "(a VARCHAR) STORED AS JSON", "").await;
    for table in ["bomb", "json_bomb"] {
        let failure = cloud
            .client
            .query(&format!("SELECT count(a), max(a) FROM {table}"))
            .await
            .expect_err(table);
        let named =
            ["MAYFLY_BAD_FILE", "EXCEEDED_LOCAL_MEMORY_LIMIT", "MAYFLY_ROW_TOO_LARGE"].contains(&failure.name.as_str());
        assert!(named, "{table}: {failure:?}");
    }
    let answer = cloud
        .client
        .query("SELECT count(*) FROM nation")
        .await
        .expect("answered");
    assert_eq!(answer.table.rows[0][0].as_deref(), Some("25"));
}

/// A row larger than an invocation's payload goes its way through shuffle and result; one beyond what an answer holds is named.
#[tokio::test(flavor = "multi_thread")]
async fn a_row_larger_than_a_payload_is_answered_or_named() {
    let cloud = support::cloud(&[]).await;
    let wide = |bytes: usize| {
        format!(
            "SELECT n_regionkey, repeat(n_name, {} / length(n_name)) AS wide FROM nation",
            bytes
        )
    };
    let sql = format!(
        "SELECT n_regionkey, length(max(wide)) FROM ({}) GROUP BY n_regionkey",
        wide(7_000_000)
    );
    for client in [cloud.client.clone(), support::forced(cloud.client.clone(), 1)] {
        let lengths = client.query(&sql).await.expect("seven megabytes a row").table;
        assert_eq!(lengths.rows.len(), 5);
        let long = |row: &Vec<Option<String>>| {
            row[1]
                .as_deref()
                .is_some_and(|text| text.parse::<u64>().unwrap() > 6_900_000)
        };
        assert!(lengths.rows.iter().all(long), "{:?}", lengths.rows);
        let rows = client
            .query(&format!("{} LIMIT 2", wide(7_000_000)))
            .await
            .expect("two rows");
        assert!(
            rows.table
                .rows
                .iter()
                .all(|row| row[1].as_ref().is_some_and(|text| text.len() > 6_900_000))
        );
        let failure = client.query(&format!("{} LIMIT 1", wide(80_000_000))).await;
        let failure = failure.expect_err("more than one answer holds");
        assert_eq!(failure.name, "MAYFLY_ROW_TOO_LARGE", "{}", failure.message);
    }
    let answer = cloud
        .client
        .query("SELECT count(*) FROM nation")
        .await
        .expect("answered");
    assert_eq!(answer.table.rows[0][0].as_deref(), Some("25"));
}

/// A text file is pinned like any other: written anew between two reads of it, it fails the query that began with the old one.
#[tokio::test(flavor = "multi_thread")]
async fn a_text_file_that_changes_under_a_query_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = |text: &str| (0..400_000).map(|n| format!("{n},{text} {n}\n")).collect::<String>();
    let cloud = support::cloud(&[
        "--concurrency",
        "1",
        "--mount",
        &format!("bad={}", folder.path().display()),
    ])
    .await;
    let old = text("old");
    (0..8).for_each(|file| write(folder.path(), "changing", &format!("t{file}.csv"), old.as_bytes()));
    create(
        &cloud,
        "changing",
        "(a BIGINT, b VARCHAR) STORED AS CSV",
        "OPTIONS ('has_header' 'false')",
    )
    .await;
    let client = cloud.client.clone().with("target_task_bytes", "256kB");
    let page = client.submit("SELECT count(*), min(b), max(b) FROM changing").await;
    let before = cloud.invocations().await;
    let page = client.get_json(page["nextUri"].as_str().expect("it has begun")).await;
    while cloud.invocations().await == before {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    write(folder.path(), "changing", "t7.csv", text("new").as_bytes());
    cloud.server.refresh();
    let last = client.follow(page, |_| {}).await;
    assert_eq!(last["error"]["errorName"], "MAYFLY_SOURCE_CHANGED", "{last}");
    let message = last["error"]["message"].as_str().expect("a message");
    assert!(message.contains("s3://bad/changing/t7.csv"), "{message}");
    let answer = cloud
        .client
        .query("SELECT max(b), min(b) FROM changing")
        .await
        .expect("the new file is read");
    let cells = answer.table.rows[0].iter().map(|cell| cell.as_deref());
    assert_eq!(cells.collect::<Vec<_>>(), [Some("old 99999"), Some("new 0")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn queries_without_end_or_bound_end() {
    let cloud = support::cloud(&[]).await;
    let client = cloud.client.clone().with("max_run_time", "3s");
    let cases = [
        (
            "WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT count(*) FROM t",
            "EXCEEDED_TIME_LIMIT",
        ),
        (
            "SELECT count(*) FROM lineitem a CROSS JOIN lineitem b CROSS JOIN lineitem c WHERE a.l_tax + b.l_tax + c.l_tax > 1",
            "EXCEEDED_TIME_LIMIT",
        ),
        (
            "SELECT max(CAST(o_orderkey * 1000000 AS INT)) FROM orders",
            "INVALID_CAST_ARGUMENT",
        ),
        ("SELECT CAST(o_comment AS INT) FROM orders", "INVALID_CAST_ARGUMENT"),
    ];
    for (sql, name) in cases {
        let failure = client.query(sql).await.expect_err(sql);
        assert_eq!(failure.name, name, "{sql}: {}", failure.message);
    }
    let answer = cloud
        .client
        .query("SELECT count(*) FROM nation")
        .await
        .expect("answered");
    assert_eq!(answer.table.rows[0][0].as_deref(), Some("25"));
}

fn numbered(count: usize, item: impl Fn(usize) -> String, between: &str) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(between)
}

/// Statements that programs write: long and deep, and none of them malformed.
#[tokio::test(flavor = "multi_thread")]
async fn long_and_deep_statements_are_answered() {
    let joins = |count: usize| {
        let join = |at: usize| format!("JOIN nation n{} ON n0.n_nationkey = n{}.n_nationkey", at + 1, at + 1);
        format!(
            "SELECT count(*), sum(n{count}.n_nationkey) FROM nation n0 {}",
            numbered(count, join, " ")
        )
    };
    let cases = |depth: usize| {
        let open = numbered(depth, |at| format!("CASE WHEN n_nationkey = {at} THEN {at} ELSE "), "");
        format!("SELECT count(*), sum({open}0{}) FROM nation", " END".repeat(depth))
    };
    let windows = |count: usize| {
        let window = |at: usize| {
            format!(
                "sum(n_nationkey) OVER (PARTITION BY n_regionkey ORDER BY n_nationkey % {}) AS w{at}",
                at + 2
            )
        };
        format!(
            "SELECT count(*), CAST(sum(n_nationkey) AS bigint) FROM (SELECT n_nationkey, {} FROM nation) WHERE {} IS NOT NULL",
            numbered(count, window, ", "),
            numbered(count, |at| format!("w{at}"), " + ")
        )
    };
    let deep = |depth: usize| {
        let open = "SELECT n_nationkey FROM (".repeat(depth);
        format!(
            "SELECT count(*), sum(n_nationkey) FROM ({open} nation {})",
            ")".repeat(depth)
        )
    };
    let cloud = support::cloud(&[]).await;
    let statements = [
        joins(45),
        joins(60),
        cases(80),
        cases(95),
        windows(100),
        windows(150),
        deep(30),
        deep(60),
    ];
    for sql in statements {
        let shown: String = sql.chars().take(100).collect();
        for client in [cloud.client.clone(), support::forced(cloud.client.clone(), 1)] {
            let answer = client.query(&sql).await;
            let rows = answer
                .unwrap_or_else(|failure| panic!("{shown}: {failure:?}"))
                .table
                .rows;
            let cells: Vec<&str> = rows[0].iter().map(|cell| cell.as_deref().unwrap_or_default()).collect();
            assert_eq!(cells, ["25", "300"], "{shown}");
        }
    }
    // And where one is too deep or too long after all, its error says so, and where.
    for (sql, words) in [
        (cases(150), "nested deeper than 100"),
        (cases(400), "nested deeper than 100"),
        (deep(150), "nested deeper than 100"),
        (joins(450), "more than"),
    ] {
        let failure = cloud.client.query(&sql).await.expect_err(words);
        assert_eq!(failure.name, "MAYFLY_TOO_COMPLEX", "{failure:?}");
        assert!(
            failure.message.contains(words) && !failure.message.contains("malformed"),
            "{failure:?}"
        );
    }
    // What a value would take too much for a plan is made where it is read.
    let wide = "SELECT count(*), sum(length(repeat('x', 5000000))) FROM nation";
    let answer = cloud.client.query(wide).await.expect("answered").table;
    assert_eq!(answer.rows[0][1].as_deref(), Some("125000000"));
}
