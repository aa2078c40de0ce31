//! ANALYZE TABLE: its figures are right, they stay, and plans use them.

use crate::support::{self, SCHEMA};
use mayfly_end_to_end::client::Client;

async fn rows(client: &Client, sql: &str) -> Vec<Vec<Option<String>>> {
    let answer = client
        .query(sql)
        .await
        .unwrap_or_else(|failure| panic!("{sql}: {failure:?}"));
    answer.table.rows
}

fn number(cell: Option<&String>) -> f64 {
    cell.expect("a figure").parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn figures_are_about_right() {
    let cloud = support::cloud(&[]).await;
    for client in [cloud.client.clone(), support::forced(cloud.client.clone(), 3)] {
        let learned = rows(&client, "ANALYZE TABLE orders").await;
        let truth = rows(
            &client,
            "SELECT count(*), count(DISTINCT o_custkey), count(DISTINCT o_orderstatus) FROM orders",
        )
        .await;
        assert_eq!(learned[0][..2], [Some("(rows)".to_owned()), truth[0][0].clone()]);
        for (column, expected) in [("o_custkey", 1), ("o_orderstatus", 2)] {
            let found = learned
                .iter()
                .find(|row| row[0].as_deref() == Some(column))
                .expect(column);
            let (about, exactly) = (number(found[2].as_ref()), number(truth[0][expected].as_ref()));
            assert!(
                (about - exactly).abs() <= exactly * 0.05,
                "{column}: {about}, not {exactly}"
            );
        }
    }
}

/// Of text nobody knows how many rows it has: with figures, the smaller table is the build side, whatever its bytes.
#[tokio::test(flavor = "multi_thread")]
async fn plans_use_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let wide: String = (0..2_000).map(|n| format!("{n},{}\n", "x".repeat(2_000))).collect();
    let narrow: String = (0..200_000).map(|n| format!("{n},a\n")).collect();
    for (table, text) in [("wide", wide), ("narrow", narrow)] {
        std::fs::create_dir(folder.path().join(table)).expect("a folder");
        std::fs::write(folder.path().join(table).join("t.csv"), text).expect("written");
    }
    let cloud = support::cloud(&["--mount", &format!("text={}", folder.path().display())]).await;
    for table in ["wide", "narrow"] {
        let sql = format!(
            "CREATE EXTERNAL TABLE {SCHEMA}.{table} (k BIGINT, v VARCHAR) STORED AS CSV \
             LOCATION 's3://text/{table}/' OPTIONS ('has_header' 'false')"
        );
        rows(&cloud.client, &sql).await;
    }
    let explain = "EXPLAIN (TYPE DISTRIBUTED) SELECT count(*) FROM wide w JOIN narrow n ON w.k = n.k";
    let build = async || {
        let text = rows(&cloud.client, explain).await[0][0].clone().expect("a plan");
        let join = text.split("HashJoinExec").nth(1).expect("a join").to_owned();
        let scans = [join.find(".wide"), join.find(".narrow")].map(|at| at.expect("a scan"));
        if scans[0] < scans[1] { "wide" } else { "narrow" }
    };
    assert_eq!(build().await, "narrow", "by bytes alone");
    for table in ["wide", "narrow"] {
        rows(&cloud.client, &format!("ANALYZE {table}")).await;
    }
    assert_eq!(build().await, "wide", "by rows");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_table_is_refused() {
    let cloud = support::cloud(&[]).await;
    rows(&cloud.client, "CREATE VIEW one AS SELECT 1 AS x").await;
    for (sql, name) in [
        ("ANALYZE TABLE one", "NOT_SUPPORTED"),
        ("ANALYZE TABLE ordrs", "TABLE_NOT_FOUND"),
    ] {
        let failure = cloud.client.query(sql).await.expect_err(sql);
        assert_eq!(failure.name, name, "{}", failure.message);
    }
}
