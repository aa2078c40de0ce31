//! SHOW CREATE: statements that make tables and views again.

use crate::oracle;
use crate::world::{DATA, Layout, World};
use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::record_batch::RecordBatch;
use expect_test::{Expect, expect};
use mayfly_plan::Planned;
use mayfly_protocol::ErrorCode;
use std::sync::Arc;

async fn world() -> World {
    let world = World::empty().await;
    let keys: ArrayRef = Arc::new(Int64Array::from_iter_values(0..20));
    let names: ArrayRef = Arc::new(StringArray::from_iter_values((0..20).map(|n| n.to_string())));
    let batch = RecordBatch::try_from_iter([("Order_Key", keys), ("comment", names)]).unwrap();
    let layout = Layout {
        files: 2,
        rows_per_group: 5,
    };
    world.table("Orders", &[batch], layout).await;
    world
}

/// What `SHOW CREATE` prints, which is also run again under another name and must print the same.
async fn check_create(world: &World, kind: &str, name: &str, expected: Expect) {
    let shown = async |name: &str| {
        let shown = world.run(&format!("SHOW CREATE {kind} {name}")).await.unwrap();
        let Planned::Rows { batches, columns, .. } = shown else {
            panic!("{shown:?}")
        };
        assert_eq!(columns, [format!("Create {kind}")]);
        oracle::rows(&batches, true).concat()
    };
    let statement = shown(name).await;
    expected.assert_eq(&statement);
    let (old, again) = (format!("lake.default.{name}"), format!("lake.default.again_{name}"));
    world.run(&statement.replace(&old, &again)).await.unwrap();
    assert_eq!(shown(&again).await.replace(&again, &old), statement);
}

#[tokio::test(flavor = "multi_thread")]
async fn show_create_can_be_run_again() {
    let world = world().await;
    let csv = bytes::Bytes::from_static(b"1;x;2\n");
    world.store.put(DATA, "lines/y=2026/a.csv", csv).await.unwrap();
    let create = format!(
        "CREATE EXTERNAL TABLE lines STORED AS CSV PARTITIONED BY (y) LOCATION 's3://{DATA}/lines' \
         OPTIONS ('has_header' 'false', 'delimiter' ';', 'quote' '''')"
    );
    world.run(&create).await.unwrap();
    let view = "CREATE VIEW totals (\"select\", n) AS \
                SELECT comment, count(*) FROM orders WHERE comment <> 'it''s' GROUP BY 1";
    world.run(view).await.unwrap();
    check_create(
        &world,
        "Table",
        "orders",
        expect![[r#"
        CREATE EXTERNAL TABLE lake.default.orders (
           "Order_Key" bigint,
           comment varchar
        )
        STORED AS PARQUET
        LOCATION 's3://data/Orders/'"#]],
    )
    .await;
    check_create(
        &world,
        "Table",
        "lines",
        expect![[r#"
        CREATE EXTERNAL TABLE lake.default.lines (
           column_1 bigint,
           column_2 varchar,
           column_3 bigint,
           y bigint
        )
        STORED AS CSV
        PARTITIONED BY (y)
        LOCATION 's3://data/lines/'
        OPTIONS ('has_header' 'false', 'delimiter' ';', 'quote' '''')"#]],
    )
    .await;
    check_create(
        &world,
        "View",
        "totals",
        expect![[r#"
        CREATE VIEW lake.default.totals ("select", n) AS
        SELECT comment, count(*) FROM orders WHERE comment <> 'it''s' GROUP BY 1"#]],
    )
    .await;
    let cases = [
        ("TABLE totals", ErrorCode::NotSupported, "is a view, not a table"),
        ("VIEW orders", ErrorCode::NotSupported, "is a table, not a view"),
        ("TABLE ordrs", ErrorCode::TableNotFound, "orders"),
        ("VIEW nowhere.totals", ErrorCode::SchemaNotFound, "nowhere"),
        ("SCHEMA raw", ErrorCode::NotSupported, "CREATE TABLE, CREATE VIEW"),
    ];
    for (what, code, said) in cases {
        let error = world.error(&format!("SHOW CREATE {what}")).await;
        assert_eq!(error.code, code, "{what}: {error}");
        assert!(format!("{error:?}").contains(said), "{what}: {error:?}");
    }
}
