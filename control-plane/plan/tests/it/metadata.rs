//! Metadata: SHOW, DESCRIBE, information_schema, session commands, and tables that come and go.

use crate::world::{DATA, Layout, World, planner, session};
use crate::{cluster, oracle};
use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use expect_test::{Expect, expect};
use mayfly_catalog::Locations;
use mayfly_plan::{Planned, SessionChange};
use mayfly_protocol::ErrorCode;
use std::sync::Arc;

async fn world() -> World {
    let world = World::empty().await;
    world
        .table(
            "Orders",
            &[batch(0..20)],
            Layout {
                files: 2,
                rows_per_group: 5,
            },
        )
        .await;
    world
}

fn batch(keys: std::ops::Range<i64>) -> RecordBatch {
    let names: ArrayRef = Arc::new(StringArray::from_iter_values(keys.clone().map(|n| n.to_string())));
    let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(keys));
    RecordBatch::try_from_iter([("Order_Key", keys), ("comment", names)]).unwrap()
}

async fn check(world: &World, sql: &str, expected: Expect) {
    expected.assert_eq(&world.rows(sql).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn show_and_describe() {
    let world = world().await;
    world.run("CREATE SCHEMA raw").await.unwrap();
    check(&world, "SHOW CATALOGS", expect![["Catalog\nlake"]]).await;
    check(
        &world,
        "SHOW SCHEMAS",
        expect![["Schema\ndefault\ninformation_schema\nraw"]],
    )
    .await;
    check(&world, "SHOW SCHEMAS FROM lake LIKE 'r%'", expect![["Schema\nraw"]]).await;
    check(&world, "SHOW TABLES", expect![["Table\norders"]]).await;
    check(&world, "SHOW TABLES IN lake.raw;", expect![["Table\n"]]).await;
    check(
        &world,
        "SHOW TABLES FROM information_schema",
        expect![["Table\ncolumns\nschemata\ntables"]],
    )
    .await;
    // A pattern that a naive matcher would try for ever.
    let endless = format!("SHOW TABLES LIKE '{}x'", "%o".repeat(40));
    check(&world, &endless, expect![["Table\n"]]).await;
    check(
        &world,
        "show tables from default like '_rders'",
        expect![["Table\norders"]],
    )
    .await;
    let columns = expect![["Column | Type | Extra | Comment\norder_key | bigint |  |\ncomment | varchar |  |"]];
    columns.assert_eq(&world.rows("DESCRIBE orders").await);
    columns.assert_eq(&world.rows("SHOW COLUMNS FROM \"default\".ORDERS").await);
    check(
        &world,
        "SHOW SESSION LIKE 'target%'",
        expect![[
            "Name | Value | Default | Type | Description\n\
             target_partitions | 2 | 2 | bigint | DataFusion partitions inside each task\n\
             target_task_bytes | 300000000 | 300000000 | varchar | Input bytes per task; tiny values force many tasks at every stage"
        ]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn information_schema_is_queried_like_any_table() {
    let world = world().await;
    check(
        &world,
        "SELECT table_schema, table_name FROM information_schema.tables",
        expect![["table_schema | table_name\ndefault | orders"]],
    )
    .await;
    check(
        &world,
        "SELECT column_name, data_type, ordinal_position FROM lake.information_schema.columns WHERE table_name = 'orders' ORDER BY 3",
        expect![["column_name | data_type | ordinal_position\norder_key | bigint | 1\ncomment | varchar | 2"]],
    )
    .await;
    check(
        &world,
        "SELECT count(*) FROM information_schema.schemata",
        expect![["_col0\n1"]],
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn session_commands_tell_the_client() {
    let world = world().await;
    world.run("CREATE SCHEMA IF NOT EXISTS raw").await.unwrap();
    let key = || "target_partitions".to_owned();
    let cases = [
        ("USE raw", "USE", vec![SessionChange::SetSchema("raw".to_owned())]),
        (
            "USE lake.raw",
            "USE",
            vec![
                SessionChange::SetCatalog("lake".to_owned()),
                SessionChange::SetSchema("raw".to_owned()),
            ],
        ),
        (
            "SET SESSION target_partitions = 3",
            "SET SESSION",
            vec![SessionChange::SetProperty {
                key: key(),
                value: "3".to_owned(),
            }],
        ),
        (
            "SET SESSION lake.target_partitions = '3'",
            "SET SESSION",
            vec![SessionChange::SetProperty {
                key: key(),
                value: "3".to_owned(),
            }],
        ),
        (
            "RESET SESSION target_partitions",
            "RESET SESSION",
            vec![SessionChange::ResetProperty { key: key() }],
        ),
        ("CREATE SCHEMA IF NOT EXISTS raw", "CREATE SCHEMA", vec![]),
        ("DROP TABLE IF EXISTS nothing", "DROP TABLE", vec![]),
    ];
    for (sql, expected_type, expected) in cases {
        match world.run(sql).await {
            Ok(Planned::Update { update_type, session }) => {
                assert_eq!((update_type.as_ref(), &session), (expected_type, &expected), "{sql}");
            }
            other => panic!("{sql}: {other:?}"),
        }
    }
    let sized = world.run("SET SESSION target_task_bytes = 1 MB").await;
    assert!(matches!(sized, Ok(Planned::Update { .. })), "{sized:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalog_outlives_its_server() {
    let world = world().await;
    let again = planner(&world.store, Locations::any());
    match again.plan("SHOW TABLES", &session(&[])).await {
        Ok(Planned::Rows { batches, .. }) => assert_eq!(oracle::rows(&batches, true), ["orders"]),
        other => panic!("{other:?}"),
    }
    let store = world.store.fork();
    let fresh = planner(&store, Locations::any());
    fresh
        .plan("SELECT sum(order_key) FROM orders", &session(&[]))
        .await
        .unwrap();
    let meter = store.meter();
    // The table, the list and the persisted footers; no file is opened.
    assert_eq!((meter.gets, meter.lists, meter.puts), (2, 1, 0), "{meter:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn creating_twice_and_dropping() {
    let world = world().await;
    let create = |clause: &str| {
        format!("CREATE EXTERNAL TABLE {clause} orders STORED AS PARQUET LOCATION 's3://{DATA}/Orders/'")
    };
    assert_eq!(world.error(&create("")).await.code, ErrorCode::TableAlreadyExists);
    assert!(world.run(&create("IF NOT EXISTS")).await.is_ok());
    assert_eq!(
        world.error("CREATE SCHEMA default").await.code,
        ErrorCode::SchemaAlreadyExists
    );
    world.run("DROP TABLE orders").await.unwrap();
    assert_eq!(world.error("SELECT * FROM orders").await.code, ErrorCode::TableNotFound);
    assert!(world.run(&create("")).await.is_ok());
    let missing = "CREATE EXTERNAL TABLE nowhere.t STORED AS PARQUET LOCATION 's3://data/Orders'";
    assert_eq!(world.error(missing).await.code, ErrorCode::SchemaNotFound);
}

#[tokio::test(flavor = "multi_thread")]
async fn declared_columns_must_agree() {
    let world = world().await;
    let create = |columns: &str| {
        format!("CREATE EXTERNAL TABLE declared ({columns}) STORED AS PARQUET LOCATION 's3://{DATA}/Orders'")
    };
    let wrong = world.error(&create("\"Order_Key\" varchar, comment varchar")).await;
    assert_eq!(wrong.code, ErrorCode::SchemaMismatch, "{wrong}");
    world
        .run(&create("\"Order_Key\" bigint, comment varchar"))
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn new_and_changed_files_are_seen() {
    let world = world().await;
    let count = async || {
        let planned = world.query("SELECT order_key + 0 FROM orders", &session(&[])).await;
        let rows = cluster::run(&world, &planned).await.unwrap();
        rows.iter().map(RecordBatch::num_rows).sum::<usize>()
    };
    assert_eq!(count().await, 20);
    world
        .store
        .put(
            DATA,
            "Orders/part-900.parquet",
            crate::world::parquet(&batch(100..107), 5),
        )
        .await
        .unwrap();
    assert_eq!(count().await, 27);
    world
        .store
        .put(DATA, "Orders/part-000.parquet", crate::world::parquet(&batch(0..3), 5))
        .await
        .unwrap();
    assert_eq!(count().await, 20);
    world
        .store
        .put(DATA, "Orders/_SUCCESS", bytes::Bytes::from_static(b"x"))
        .await
        .unwrap();
    world
        .store
        .put(DATA, "Orders/.hidden/x", bytes::Bytes::from_static(b"x"))
        .await
        .unwrap();
    assert_eq!(count().await, 20);
    for file in ["part-000", "part-001", "part-900"] {
        world
            .store
            .delete(DATA, &[format!("Orders/{file}.parquet")])
            .await
            .unwrap();
    }
    // A table without files is a table without rows.
    assert_eq!(
        world.rows("SELECT count(*), sum(order_key) FROM orders").await,
        "_col0 | _col1\n0 |"
    );
}
