//! What users get wrong, and what they are told: code, place, and the nearest name.

use crate::world::{DATA, Layout, World, planner, session};
use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use bytes::Bytes;
use mayfly_catalog::Locations;
use mayfly_plan::Planned;
use mayfly_protocol::ErrorCode;
use std::sync::Arc;

pub(crate) async fn world() -> World {
    let world = World::empty().await;
    let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(0..20));
    let names: ArrayRef = Arc::new(StringArray::from_iter_values((0..20).map(|n| n.to_string())));
    let batch = RecordBatch::try_from_iter([("order_key", keys), ("comment", names)]).unwrap();
    world
        .table(
            "orders",
            &[batch],
            Layout {
                files: 2,
                rows_per_group: 5,
            },
        )
        .await;
    world
}

/// Code and message of each statement's error.
async fn check(world: &World, cases: &[(&str, ErrorCode, &str)]) {
    for (sql, code, message) in cases {
        let error = world.error(sql).await;
        assert_eq!(error.code, *code, "{sql}: {error}");
        assert!(error.to_string().starts_with(message), "{sql}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn names_and_syntax() {
    use ErrorCode::{
        AmbiguousName, CatalogNotFound, ColumnNotFound, FunctionNotFound, NotSupported, SchemaNotFound, SyntaxError,
        TableNotFound,
    };
    let world = world().await;
    check(
        &world,
        &[
            (
                "",
                SyntaxError,
                "line 1:1: mismatched input '<EOF>'. Expecting: a statement",
            ),
            ("  -- nothing\n", SyntaxError, "line 1:1: mismatched input '<EOF>'"),
            (
                "SELEKT 1",
                SyntaxError,
                "line 1:1: mismatched input 'SELEKT'. Expecting: ",
            ),
            ("SELECT 1 FROM", SyntaxError, "line 1:14: mismatched input '<EOF>'"),
            (
                "SELECT 1; SELECT 2",
                SyntaxError,
                "line 1:9: mismatched input ';'. Expecting: one statement",
            ),
            ("SELECT 'x", SyntaxError, "line 1:8: Unterminated string literal"),
            (
                "SELECT order_kay FROM orders",
                ColumnNotFound,
                "line 1:8: Column 'order_kay' cannot be resolved; did you mean 'order_key'?",
            ),
            (
                "SELECT o.x FROM orders o",
                ColumnNotFound,
                "line 1:8: Column 'o.x' cannot be resolved",
            ),
            (
                "SELECT *\nFROM ordes",
                TableNotFound,
                "line 2:6: Table 'lake.default.ordes' does not exist; did you mean 'orders'?",
            ),
            (
                "SELECT * FROM defalt.orders",
                SchemaNotFound,
                "line 1:15: Schema 'defalt' does not exist; did you mean 'default'?",
            ),
            (
                "SELECT * FROM hive.default.orders",
                CatalogNotFound,
                "line 1:15: Catalog 'hive' does not exist",
            ),
            (
                "SELECT lenght(comment) FROM orders",
                FunctionNotFound,
                "line 1:8: Function 'lenght' not registered",
            ),
            (
                "SELECT coutn(*) FROM orders",
                FunctionNotFound,
                "line 1:8: Function 'coutn' not registered; did you mean 'count'?",
            ),
            (
                "SELECT order_key FROM orders WHERE comment = \"UA\"",
                ColumnNotFound,
                "line 1:46: Column 'ua' cannot be resolved; double quotes name a column: a text stands in single quotes, 'ua'",
            ),
            (
                "SELECT order_key FROM orders a, orders b",
                AmbiguousName,
                "line 1:8: Column 'order_key' is ambiguous",
            ),
            (
                "INSERT INTO orders VALUES (1, 'x')",
                NotSupported,
                "INSERT INTO is not supported: tables are read only",
            ),
            (
                "CREATE TABLE t AS SELECT 1",
                NotSupported,
                "CREATE TABLE is not supported",
            ),
            ("COPY orders TO 'x.parquet'", NotSupported, "COPY "),
            ("DELETE FROM orders", NotSupported, "DELETE FROM is not supported"),
            ("SET x = 1", NotSupported, "SET "),
            ("SHOW GRANTS", NotSupported, "line 1:6: SHOW GRANTS is not supported"),
            ("SELECT * FROM generate_serie(1, 10)", FunctionNotFound, ""),
            (
                "DROP TABLE ordes",
                TableNotFound,
                "Table 'lake.default.ordes' does not exist; did you mean 'orders'?",
            ),
            (
                "DESCRIBE ordes",
                TableNotFound,
                "Table 'lake.default.ordes' does not exist",
            ),
            ("USE nowhere", SchemaNotFound, "Schema 'nowhere' does not exist"),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn types_and_grouping() {
    use ErrorCode::{DivisionByZero, MissingGroupBy, TypeMismatch};
    let world = world().await;
    check(
        &world,
        &[
            ("SELECT order_key, count(*) FROM orders", MissingGroupBy, ""),
            (
                "SELECT order_key FROM orders WHERE comment + interval '1' day",
                TypeMismatch,
                "",
            ),
            ("SELECT sum(comment = 'a') FROM orders", TypeMismatch, ""),
            ("SELECT 1 / 0", DivisionByZero, ""),
            (
                "SELECT sum(comment) FROM orders",
                TypeMismatch,
                "line 1:8: sum takes numbers; comment is varchar",
            ),
            (
                "SELECT order_key FROM orders GROUP BY order_key HAVING avg(comment) > 1",
                TypeMismatch,
                "line 1:56: avg takes numbers; comment is varchar",
            ),
            (
                "SELECT round(comment, order_key) FROM orders",
                TypeMismatch,
                "line 1:8: round takes numbers; comment is varchar, order_key is bigint",
            ),
        ],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn texts_that_would_exhaust_the_stack() {
    let world = world().await;
    let cases = [
        format!("SELECT {}1", "1+".repeat(2_000)),
        format!("SELECT {}1{}", "(".repeat(5_000), ")".repeat(5_000)),
        format!("SELECT {}1", "- ".repeat(5_000)),
        format!("SELECT {}true", "NOT ".repeat(5_000)),
        format!("SELECT 1{}", "::int".repeat(5_000)),
        format!("SELECT 1 {}", "UNION ALL SELECT 1 ".repeat(2_000)),
        format!("{}SELECT 1{}", "SELECT * FROM (".repeat(500), ") t".repeat(500)),
        format!(
            "SELECT {}1{}",
            "CASE WHEN true THEN ".repeat(1_000),
            " END".repeat(1_000)
        ),
        format!(
            "SELECT * FROM orders WHERE {}",
            vec!["order_key = 1"; 3_000].join(" OR ")
        ),
    ];
    for sql in cases {
        let error = world.error(&sql).await;
        let shown: String = sql.chars().take(60).collect();
        assert_eq!(error.code, ErrorCode::TooComplex, "{shown}: {error}");
    }
    let long = format!("SELECT '{}'", "x".repeat(2 << 20));
    assert_eq!(world.error(&long).await.code, ErrorCode::QueryTextTooLarge);
}

#[tokio::test(flavor = "multi_thread")]
async fn long_but_flat_texts_are_fine() {
    let world = world().await;
    let cases = [
        format!("SELECT {}1", "1+".repeat(1_000)),
        format!(
            "SELECT * FROM orders WHERE order_key IN ({})",
            vec!["7"; 20_000].join(",")
        ),
        format!("SELECT * FROM orders WHERE {}", vec!["order_key = 1"; 600].join(" OR ")),
        format!("SELECT {}", vec!["order_key + 1"; 500].join(", ") + " FROM orders"),
    ];
    for sql in cases {
        let shown: String = sql.chars().take(60).collect();
        let planned = world.run(&sql).await;
        assert!(planned.is_ok(), "{shown}: {:?}", planned.err());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn locations_off_the_list_cause_no_request() {
    let world = world().await;
    let store = world.store.fork();
    let planner = planner(&store, Locations::parse("s3://data, s3://other/tables").unwrap());
    let refused = [
        "file:///etc/passwd",
        "/etc",
        "http://169.254.169.254/latest",
        "https://data/orders",
        "s3://data/../mayfly/j",
        "s3://data/a/../../x",
        "s3://data/%2e%2e/x",
        "s3://data/a//b",
        "s3://elsewhere/t",
        "s3://other/tablesx",
        "s3://mayfly/catalog/lake",
        "s3://user@data/t",
        "s3://data:9000/t",
        "S3://data/x",
        "s3://",
        "data/orders",
    ];
    for location in refused {
        let sql = format!("CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{location}'");
        let error = planner.plan(&sql, &session(&[])).await.unwrap_err();
        assert_eq!(error.code, ErrorCode::LocationNotAllowed, "{location}: {error}");
    }
    assert_eq!(store.meter(), mayfly_store_meter_of_nothing());
    let allowed = "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 's3://data/orders'";
    assert!(planner.plan(allowed, &session(&[])).await.is_ok());
}

fn mayfly_store_meter_of_nothing() -> mayfly_protocol::S3Meter {
    mayfly_protocol::S3Meter::default()
}

#[tokio::test(flavor = "multi_thread")]
async fn private_objects_are_no_tables_even_where_all_is_allowed() {
    let world = world().await;
    for location in [
        "s3://mayfly",
        "s3://mayfly/",
        "s3://mayfly/j/default",
        "s3://mayfly/x",
        "s3://mayfly/catalog",
        "s3://mayfly/p",
    ] {
        let sql = format!("CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{location}'");
        assert_eq!(
            world.error(&sql).await.code,
            ErrorCode::LocationNotAllowed,
            "{location}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_are_no_parquet_are_named() {
    let world = world().await;
    let whole = world.store.get(DATA, "orders/part-000.parquet").await.unwrap().bytes;
    let cases = [
        ("truncated", whole.slice(..whole.len() - 100)),
        ("garbage", Bytes::from(vec![7_u8; 4_096])),
        ("tiny", Bytes::from_static(b"PAR1")),
        (
            "lying",
            Bytes::from([b"PAR1".as_slice(), &[0xFF, 0xFF, 0xFF, 0x7F], b"PAR1"].concat()),
        ),
        (
            "zeros",
            Bytes::from([b"PAR1".as_slice(), &[0; 40], &40_u32.to_le_bytes(), b"PAR1"].concat()),
        ),
    ];
    for (name, bytes) in cases {
        world
            .store
            .put(DATA, &format!("{name}/x.parquet"), bytes)
            .await
            .unwrap();
        let error = world
            .error(&format!(
                "CREATE EXTERNAL TABLE {name} STORED AS PARQUET LOCATION 's3://{DATA}/{name}'"
            ))
            .await;
        assert_eq!(error.code, ErrorCode::BadFile, "{name}: {error}");
        assert!(
            error.message.contains(&format!("s3://{DATA}/{name}/x.parquet")),
            "{error}"
        );
    }
    assert!(matches!(
        world.run("SELECT count(*) FROM orders").await,
        Ok(Planned::Rows { .. })
    ));
}

#[tokio::test(flavor = "multi_thread")]
async fn places_without_files_are_named() {
    let world = world().await;
    let cases = [
        ("s3://data/nothing-here", "there is no file at 's3://data/nothing-here'"),
        (
            "s3://no-such-bucket/x",
            "bucket 'no-such-bucket' of 's3://no-such-bucket/x' does not exist",
        ),
    ];
    for (location, message) in cases {
        let error = world
            .error(&format!(
                "CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{location}'"
            ))
            .await;
        assert_eq!((error.code, error.message.as_str()), (ErrorCode::NotFound, message));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_different_schemas_are_no_table() {
    let world = world().await;
    let other: ArrayRef = Arc::new(StringArray::from(vec!["x"]));
    let batch = RecordBatch::try_from_iter([("order_key", other.clone()), ("comment", other)]).unwrap();
    let bytes = crate::world::parquet(&batch, 10);
    world.store.put(DATA, "orders/zz.parquet", bytes).await.unwrap();
    let error = world
        .error("CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION 's3://data/orders/'")
        .await;
    assert_eq!(error.code, ErrorCode::SchemaMismatch, "{error}");
    assert!(error.message.contains("s3://data/orders/zz.parquet"), "{error}");
    let error = world.error("SELECT comment FROM orders").await;
    assert_eq!(error.code, ErrorCode::SchemaMismatch, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn session_properties_are_checked() {
    let world = world().await;
    let invalid = ErrorCode::InvalidSessionProperty;
    check(
        &world,
        &[
            (
                "SET SESSION target_task_byte = 1",
                invalid,
                "Session property 'target_task_byte' does not exist; did you mean 'target_task_bytes'?",
            ),
            (
                "SET SESSION target_task_bytes = 'lots'",
                invalid,
                "target_task_bytes cannot be 'lots'",
            ),
            (
                "SET SESSION target_task_bytes = 0",
                invalid,
                "target_task_bytes cannot be '0'",
            ),
            (
                "SET SESSION target_task_bytes = '99999999999999 GB'",
                invalid,
                "target_task_bytes cannot be",
            ),
            (
                "SET SESSION target_partitions = 0",
                invalid,
                "target_partitions cannot be '0'",
            ),
            (
                "SET SESSION target_partitions = 100000",
                invalid,
                "target_partitions cannot be",
            ),
            (
                "RESET SESSION nothing",
                invalid,
                "Session property 'nothing' does not exist",
            ),
        ],
    )
    .await;
    let error = world
        .planner
        .plan("SELECT 1", &session(&[("target_partitions", "x")]))
        .await
        .unwrap_err();
    assert_eq!(error.code, invalid);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_need_no_executor_count_too() {
    let world = world().await;
    let limited = session(&[("max_result_rows", "2")]);
    let three = world.run_in("VALUES (1), (2), (3)", &limited).await;
    assert_eq!(three.unwrap_err().code, ErrorCode::ExceededRowLimit);
    assert!(world.run_in("VALUES (1), (2)", &limited).await.is_ok());
}
