//! The tables that TPC-H lacks: `odd`, with a column for each kind of value that is easily got wrong, and `nothing`, the same without
//! rows. Made once, by DataFusion's own functions, and kept beside the build.

use crate::tpch;
use arrow::array::RecordBatch;
use arrow::compute::concat_batches;
use datafusion::prelude::SessionContext;
use parquet::arrow::ArrowWriter;
use parquet::file::properties::WriterProperties;
use std::path::{Path, PathBuf};

pub const TABLES: [&str; 2] = ["odd", "nothing"];

const ROWS: u32 = 40_000;
const PARTS: u32 = 4;
/// Several row groups a file, so that files are split.
const ROW_GROUP_ROWS: usize = 4096;

/// NULLs in every column but the first, NaN and both zeros in `d`, repeats in `k`.
const ROW: &str = "
    value AS id,
    CASE WHEN value % 11 = 0 THEN NULL ELSE CAST(value % 7 AS INT) END AS g,
    CASE WHEN value % 10 = 9 THEN NULL ELSE concat('k', CAST(value % 50 AS VARCHAR)) END AS k,
    CASE WHEN value % 13 = 0 THEN CAST('NaN' AS DOUBLE) WHEN value % 17 = 0 THEN -0.0 WHEN value % 18 = 0 THEN 0.0
         WHEN value % 19 = 0 THEN NULL ELSE (value % 100) / 4.0 END AS d,
    CASE WHEN value % 23 = 0 THEN NULL ELSE CAST(value * 617 % 1000003 AS DECIMAL(20, 4)) / 100 END AS dec,
    CASE WHEN value % 29 = 0 THEN NULL
         ELSE arrow_cast(1577836800000000 + value * 7000000, 'Timestamp(Microsecond, None)') END AS ts,
    CASE WHEN value % 31 = 0 THEN NULL ELSE CAST(18262 + value % 800 AS INT)::DATE END AS dt,
    CASE WHEN value % 5 = 0 THEN NULL ELSE value % 2 = 0 END AS b,
    arrow_cast(CASE WHEN value % 6 = 0 THEN NULL WHEN value % 6 = 1 THEN array_remove_all(make_array('x'), 'x')
         ELSE make_array(concat('t', CAST(value % 4 AS VARCHAR)), NULL, concat('t', CAST(value % 9 AS VARCHAR))) END, 'List(Utf8)') AS tags,
    named_struct('a', CAST(value % 3 AS BIGINT), 'b', CASE WHEN value % 4 = 0 THEN NULL ELSE concat('b', CAST(value AS VARCHAR)) END) AS s,
    arrow_cast(CASE WHEN value % 8 = 0 THEN NULL ELSE concat('k', CAST(value % 6 AS VARCHAR)) END, 'Dictionary(Int32, Utf8)') AS dic,
    arrow_cast(1577836800000000 + value * 7000000, 'Timestamp(Microsecond, Some(\"UTC\"))') AS zts,
    CASE WHEN value % 9 = 0 THEN NULL ELSE arrow_cast(X'0003', 'Binary') END AS bin,
    arrow_cast(value % 200, 'UInt8') AS u8,
    arrow_cast(value, 'UInt64') AS u64,
    arrow_cast(value % 100 - 50, 'Int8') AS i8,
    md5(CAST(value AS VARCHAR)) AS pad";

/// A folder with `odd/` and `nothing/`.
pub async fn files() -> PathBuf {
    let store = tpch::files(0.1, 2).with_file_name("odd");
    if store.exists() {
        return store;
    }
    let making =
        tempfile::tempdir_in(store.parent().expect("it lies in a folder")).expect("the build folder is writable");
    for part in 0..PARTS {
        let rows = rows(&format!("value % {PARTS} = {part}")).await;
        write(making.path(), "odd", part, &rows);
    }
    write(making.path(), "nothing", 0, &rows("value = 1").await.slice(0, 0));
    // Another process may have been faster: then its folder serves, and ours is dropped.
    if std::fs::rename(making.path(), &store).is_ok() {
        let _ = making.keep();
    }
    assert!(store.exists());
    store
}

async fn rows(which: &str) -> RecordBatch {
    let sql = format!("SELECT {ROW} FROM generate_series(1, {ROWS}) AS t(value) WHERE {which} ORDER BY value");
    let frame = SessionContext::new().sql(&sql).await.expect("a valid query");
    let batches = frame.collect().await.expect("computed");
    concat_batches(&batches[0].schema(), &batches).expect("of one schema")
}

fn write(folder: &Path, table: &str, part: u32, rows: &RecordBatch) {
    let folder = folder.join(table);
    std::fs::create_dir_all(&folder).expect("writable");
    let properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build();
    let file = std::fs::File::create(folder.join(format!("part-{part}.parquet"))).expect("writable");
    let mut writer = ArrowWriter::try_new(file, rows.schema(), Some(properties)).expect("a valid schema");
    writer.write(rows).expect("written");
    writer.close().expect("closed");
}
