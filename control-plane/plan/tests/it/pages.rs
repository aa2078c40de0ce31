//! Pages that a predicate rules out count for nothing when tasks are made; what an index may lie about is not believed.

use crate::world::{DATA, Layout, World, session};
use arrow::array::{ArrayRef, Int64Array, RecordBatch};
use bytes::Bytes;
use mayfly_plan::{Planned, PlannedQuery};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::{PageIndexPolicy, ParquetMetaDataReader};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use std::sync::Arc;

/// Six pages of the writer.
const ROWS: i64 = 6 * 20_480;

/// Rising keys with a gap in the middle, in one row group of several pages.
async fn world() -> World {
    let world = World::empty().await;
    let keys = (0..ROWS / 2).chain(3 * ROWS / 2..2 * ROWS);
    let keys = Arc::new(Int64Array::from_iter_values(keys)) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("k", keys)]).unwrap();
    let layout = Layout {
        files: 1,
        rows_per_group: ROWS as usize,
    };
    world.table("p", &[batch], layout).await;
    world
}

fn rows(planned: &PlannedQuery) -> u64 {
    let tasks = planned.graph.stages.iter().flat_map(|stage| &stage.tasks);
    let splits = tasks.flat_map(|task| task.scans.iter().flatten());
    splits.map(|split| split.rows).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_pruned_before_tasks_are_made() {
    let world = world().await;
    let all = world.query("SELECT k FROM p", &session(&[])).await;
    assert_eq!(rows(&all), ROWS as u64);
    let few = world.query("SELECT k FROM p WHERE k < 10", &session(&[])).await;
    assert!((10..ROWS as u64 / 2).contains(&rows(&few)), "{} rows", rows(&few));
    // The row group's bounds hold these; none of its pages' does.
    match world
        .run("SELECT k FROM p WHERE k BETWEEN 70000 AND 180000")
        .await
        .unwrap()
    {
        Planned::Query(none) => assert_eq!(rows(&none), 0, "{}", none.text.distributed),
        Planned::Rows { batches, .. } => assert!(batches.iter().all(|batch| batch.num_rows() == 0)),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_outlives_the_server_that_read_it() {
    let world = world().await;
    let again = crate::world::planner(&world.store, mayfly_catalog::Locations::any());
    let sql = "SELECT k FROM p WHERE k < 10";
    match again.plan(sql, &session(&[])).await.unwrap() {
        Planned::Query(few) => assert!(rows(&few) < ROWS as u64 / 2, "{} rows", rows(&few)),
        other => panic!("{other:?}"),
    }
}

/// One column has pages and an index of them, of the other no statistics were kept.
#[tokio::test(flavor = "multi_thread")]
async fn a_column_without_an_index_disturbs_no_other() {
    let world = World::empty().await;
    let column = |factor| Arc::new(Int64Array::from_iter_values((0..ROWS).map(|k| k * factor))) as ArrayRef;
    let batch = RecordBatch::try_from_iter([("k", column(1)), ("free", column(3))]).unwrap();
    let properties = WriterProperties::builder()
        .set_column_statistics_enabled("free".into(), EnabledStatistics::None)
        .build();
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    let bytes = writer.into_inner().unwrap();
    world.store.put(DATA, "f/part.parquet", bytes.into()).await.unwrap();
    let sql = format!("CREATE EXTERNAL TABLE f STORED AS PARQUET LOCATION 's3://{DATA}/f/'");
    world.run(&sql).await.unwrap();
    let few = world.query("SELECT k, free FROM f WHERE k < 10", &session(&[])).await;
    assert!(rows(&few) < ROWS as u64 / 2, "{} rows", rows(&few));
    let unknown = world.query("SELECT k FROM f WHERE free < 10", &session(&[])).await;
    assert_eq!(rows(&unknown), ROWS as u64);
}

/// Bytes of the index overwritten: the table is planned without it, and nothing panics.
#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_index_is_not_used() {
    let world = world().await;
    let key = "p/part-000.parquet";
    let sound = world.store.get(DATA, key).await.unwrap().bytes;
    let footer = ParquetMetaDataReader::new()
        .with_page_index_policy(PageIndexPolicy::Skip)
        .parse_and_finish(&sound)
        .unwrap();
    let column = footer.row_group(0).column(0);
    let start = column.column_index_offset().unwrap() as usize;
    let end = (column.offset_index_offset().unwrap() + i64::from(column.offset_index_length().unwrap())) as usize;
    for at in (start..end).step_by(3) {
        let mut damaged = sound.to_vec();
        damaged[at] ^= 0x55;
        world.store.put(DATA, key, Bytes::from(damaged)).await.unwrap();
        let planned = world.run("SELECT k FROM p WHERE k < 10").await;
        assert!(planned.is_ok(), "byte {at}: {planned:?}");
    }
}
