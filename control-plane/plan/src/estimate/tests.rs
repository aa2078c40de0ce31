//! What hash tables are expected to hold, where the keys' values tell.

use super::*;
use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use datafusion::prelude::{SessionConfig, SessionContext};

const ROWS: i64 = 10_000;

async fn held(sql: &str) -> u64 {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    let column =
        |values: &dyn Fn(i64) -> i64| Arc::new(Int64Array::from_iter_values((0..ROWS).map(values))) as ArrayRef;
    let folder = tempfile::tempdir().expect("a folder");
    let columns = [("narrow", column(&|k| k % 10)), ("wide", column(&|k| k * 1_000))];
    let batch = RecordBatch::try_from_iter(columns).expect("a batch");
    let path = folder.path().join("t.parquet");
    let file = std::fs::File::create(&path).expect("writable");
    let mut writer = parquet::arrow::ArrowWriter::try_new(file, batch.schema(), None).expect("a writer");
    writer.write(&batch).expect("written");
    writer.close().expect("closed");
    let path = path.to_str().expect("the path is UTF-8");
    let registered = context.register_parquet("t", path, Default::default()).await;
    registered.expect("the table reads");
    let frame = context.sql(sql).await.expect("valid");
    held_bytes(&frame.create_physical_plan().await.expect("planned"))
}

#[tokio::test]
async fn groups_are_no_more_than_their_columns_have_values() {
    let few = held("SELECT narrow, sum(wide) FROM t GROUP BY narrow").await;
    let many = held("SELECT wide, sum(narrow) FROM t GROUP BY wide").await;
    assert!(few <= 10 * 32 * 2, "{few} bytes");
    assert!(many >= ROWS as u64 * 16, "{many} bytes");
}

#[tokio::test]
async fn a_build_side_counts_whole_and_a_scan_not_at_all() {
    assert_eq!(held("SELECT narrow FROM t").await, 0);
    let joined = held("SELECT a.narrow FROM t a JOIN t b ON a.wide = b.wide").await;
    assert!(joined >= ROWS as u64 * 8, "{joined} bytes");
}
