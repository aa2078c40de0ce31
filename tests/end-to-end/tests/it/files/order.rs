//! Top-k along the order of a file, against it, and across it.

use super::world::{World, optional, parquet};
use arrow::array::{ArrayRef, Float64Array, Int64Array};
use std::sync::Arc;

const ROWS: i64 = 3_000;

fn numbers(values: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(Int64Array::from_iter(values))
}

#[tokio::test(flavor = "multi_thread")]
async fn the_best_row_groups_come_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let floats: Vec<f64> = (0..ROWS).map(|n| if n == 17 { f64::NAN } else { n as f64 }).collect();
    let columns = vec![
        optional("up", numbers((0..ROWS).map(Some))),
        optional("down", numbers((0..ROWS).map(|n| Some(ROWS - n)))),
        optional("across", numbers((0..ROWS).map(|n| Some(n * 617 % ROWS)))),
        optional("holes", numbers((0..ROWS).map(|n| (n % 1_000 != 999).then_some(n)))),
        optional("x", Arc::new(Float64Array::from(floats))),
    ];
    parquet(folder.path(), "groups/a.parquet", columns, 2);
    let world = World::over(folder);
    world.table("\"groups\"", "", "PARQUET").await;
    for (order, expected) in [
        ("up", "0;1;2"),
        ("up DESC", "2999;2998;2997"),
        ("down", "1;2;3"),
        ("down DESC", "3000;2999;2998"),
        ("across", "0;1;2"),
        ("across DESC", "2999;2998;2997"),
        ("holes DESC NULLS FIRST", "NULL;NULL;NULL"),
        ("holes DESC NULLS LAST", "2998;2997;2996"),
        ("holes NULLS FIRST", "NULL;NULL;NULL"),
    ] {
        let column = order.split(' ').next().expect("a name");
        world
            .check(
                &format!("SELECT {column} FROM \"groups\" ORDER BY {order} LIMIT 3"),
                expected,
            )
            .await;
    }
    world
        .check(
            "SELECT up FROM \"groups\" WHERE across % 2 = 0 ORDER BY up DESC LIMIT 2",
            "2998;2996",
        )
        .await;
    world
        .check(
            "SELECT up FROM \"groups\" ORDER BY down DESC, up LIMIT 2 OFFSET 1",
            "1;2",
        )
        .await;
    world
        .check(
            "SELECT count(*) FROM (SELECT x FROM \"groups\" ORDER BY x DESC LIMIT 1) t WHERE x <> x OR x > 9999",
            "1",
        )
        .await;
}
