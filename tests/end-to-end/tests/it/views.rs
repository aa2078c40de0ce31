//! Views: queries over them equal the oracle's over its own of the same text; their life from CREATE to DROP; and what goes wrong.

use crate::support::{self, Cloud};
use datafusion::prelude::SessionContext;
use mayfly_end_to_end::client::{Client, QueryFailure};
use mayfly_end_to_end::oracle;

/// Views by name, each after those it stands on.
const VIEWS: [(&str, &str); 7] = [
    (
        "big_orders",
        "SELECT o_orderkey, o_custkey, o_totalprice FROM orders WHERE o_totalprice > 200000",
    ),
    (
        "per_customer(cust, total, n)",
        "SELECT o_custkey, sum(o_totalprice), count(*) FROM big_orders GROUP BY o_custkey",
    ),
    (
        "joined",
        "SELECT c.c_name AS \"Name\", p.* FROM per_customer p JOIN customer c ON c.c_custkey = p.cust",
    ),
    (
        "packed",
        "SELECT named_struct('status', o_orderstatus) AS s, o_orderkey AS id FROM orders",
    ),
    ("one", "SELECT 1 AS x, 'it''s' AS y"),
    (
        "both",
        "WITH a AS (SELECT n_name AS name FROM nation) SELECT name FROM a UNION ALL SELECT r_name FROM region",
    ),
    (
        "windowed",
        "SELECT n_name, row_number() OVER (PARTITION BY n_regionkey ORDER BY n_name) AS rank FROM nation",
    ),
];

const QUERIES: [&str; 10] = [
    "SELECT count(*), sum(o_totalprice) FROM big_orders",
    "SELECT * FROM per_customer WHERE n > 3",
    "SELECT \"name\", cust, total FROM joined WHERE n = 4",
    "SELECT a.cust, b.total FROM per_customer a JOIN per_customer b ON a.cust = b.cust AND a.n > 4",
    "SELECT * FROM one",
    "SELECT s['status'], id FROM packed WHERE s['status'] = 'P'",
    "SELECT name, count(*) FROM both GROUP BY name",
    "SELECT rank, count(*) FROM windowed GROUP BY rank",
    "SELECT o_orderkey FROM orders WHERE o_custkey IN (SELECT cust FROM per_customer WHERE n > 4)",
    "WITH big_orders AS (SELECT 1 AS o_orderkey) SELECT * FROM big_orders",
];

async fn world() -> (Cloud, SessionContext) {
    let cloud = support::cloud(&[]).await;
    let oracle = oracle::context(&cloud.files, 2).await;
    for (name, sql) in VIEWS {
        run(&cloud.client, &format!("CREATE VIEW {name} AS {sql}")).await;
        // Names are looked up without regard to case here, as Trino does; DataFusion takes quoted ones as they are.
        let sql = sql.replace("\"Name\"", "name");
        let frame = oracle.sql(&format!("CREATE VIEW {name} AS {sql}")).await;
        frame.expect("a valid view").collect().await.expect("created");
    }
    (cloud, oracle)
}

async fn run(client: &Client, sql: &str) {
    client
        .query(sql)
        .await
        .unwrap_or_else(|failure| panic!("{sql}: {failure:?}"));
}

async fn fails(client: &Client, sql: &str) -> QueryFailure {
    match client.query(sql).await {
        Err(failure) => failure,
        Ok(_) => panic!("{sql} is no error"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn views_are_queries_by_name() {
    let (cloud, oracle) = world().await;
    for sql in QUERIES {
        let expected = oracle::answer(&oracle, sql).await;
        for client in [cloud.client.clone(), support::forced(cloud.client.clone(), 3)] {
            let answer = client
                .query(sql)
                .await
                .unwrap_or_else(|failure| panic!("{sql}: {failure:?}"));
            assert_eq!(answer.table.difference(&expected), None, "{sql}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_view_lives_from_create_to_drop() {
    let (cloud, _) = world().await;
    let client = &cloud.client;
    let kinds = "SELECT table_name, table_type FROM information_schema.tables WHERE table_name IN ('one', 'orders') AND table_schema = 'tpch'";
    let kinds = client.query(kinds).await.expect("answered").table.rows;
    let text = |value: &str| Some(value.to_owned());
    assert!(kinds.contains(&vec![text("one"), text("VIEW")]), "{kinds:?}");
    assert!(kinds.contains(&vec![text("orders"), text("BASE TABLE")]), "{kinds:?}");

    assert_eq!(
        fails(client, "CREATE VIEW one AS SELECT 2 AS z").await.name,
        "TABLE_ALREADY_EXISTS"
    );
    run(client, "CREATE OR REPLACE VIEW one AS SELECT 2 AS z").await;
    let rows = client.query("SELECT z FROM one").await.expect("answered").table.rows;
    assert_eq!(rows, [vec![text("2")]]);
    assert_eq!(
        fails(client, "CREATE OR REPLACE VIEW orders AS SELECT 1 AS x")
            .await
            .name,
        "NOT_SUPPORTED"
    );
    assert_eq!(fails(client, "DROP TABLE one").await.name, "NOT_SUPPORTED");
    assert_eq!(fails(client, "DROP VIEW orders").await.name, "NOT_SUPPORTED");
    run(client, "DROP VIEW one").await;
    assert_eq!(fails(client, "SELECT * FROM one").await.name, "TABLE_NOT_FOUND");
    run(client, "DROP VIEW IF EXISTS one").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_view_cannot_be_is_told() {
    let (cloud, _) = world().await;
    let client = &cloud.client;
    let twice = fails(client, "CREATE VIEW twice AS SELECT 1 AS a, 2 AS a").await;
    assert_eq!(twice.name, "INVALID_ARGUMENTS", "{twice:?}");
    let unknown = fails(client, "CREATE VIEW bad AS SELECT * FROM ordrs").await;
    assert_eq!(unknown.name, "TABLE_NOT_FOUND", "{unknown:?}");
    assert_eq!(
        fails(client, "CREATE VIEW v(a, b) AS SELECT 1").await.name,
        "INVALID_ARGUMENTS"
    );

    // A view whose table is gone says which view, and does not disturb others.
    run(client, "CREATE VIEW ground AS SELECT 1 AS x").await;
    run(client, "CREATE VIEW above AS SELECT x FROM ground").await;
    run(client, "DROP VIEW ground").await;
    let stale = fails(client, "SELECT * FROM above").await;
    assert_eq!(stale.name, "TABLE_NOT_FOUND", "{stale:?}");
    assert!(stale.message.contains("view 'lake.tpch.above'"), "{stale:?}");

    // Views in a circle cannot be made: a new one is planned before it stands.
    run(client, "CREATE VIEW ground AS SELECT 1 AS x").await;
    let circle = fails(client, "CREATE OR REPLACE VIEW ground AS SELECT x + 1 AS x FROM above").await;
    assert_eq!(circle.name, "INVALID_ARGUMENTS", "{circle:?}");
    run(client, "SELECT * FROM above").await;
}
