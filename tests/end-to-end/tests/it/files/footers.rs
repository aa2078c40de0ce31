//! What footers leave out, get wrong, or say in an order of their own.

use super::world::{World, edit, optional, parquet, path, required};
use arrow::array::{ArrayRef, Float64Array, Int64Array, ListArray, StringArray, StructArray};
use arrow::datatypes::{DataType, Field, Int64Type};
use parquet::basic::Type;
use parquet::data_type::{ByteArray, Int96, Int96Type};
use parquet::file::metadata::{ColumnChunkMetaData, FileMetaData, ParquetMetaData};
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use std::path::Path;
use std::sync::Arc;

fn numbers(values: &[Option<i64>]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn doubles(values: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(values.to_vec()))
}

/// Each chunk of the column with other statistics, or with none.
fn restate(path: &Path, column: usize, change: impl Fn(usize, &Statistics) -> Option<Statistics>) {
    edit(path, |metadata| {
        let mut builder = metadata.into_builder();
        let mut groups = builder.take_row_groups();
        for (at, group) in groups.iter_mut().enumerate() {
            let chunk = &mut group.columns_mut()[column];
            let statistics = change(at, chunk.statistics().expect("written with them"));
            *chunk = with(chunk, statistics);
        }
        builder.set_row_groups(groups).build()
    });
}

fn with(chunk: &ColumnChunkMetaData, statistics: Option<Statistics>) -> ColumnChunkMetaData {
    let builder = chunk.clone().into_builder().clear_statistics();
    let builder = match statistics {
        Some(statistics) => builder.set_statistics(statistics),
        None => builder,
    };
    builder.build().expect("a chunk")
}

#[tokio::test(flavor = "multi_thread")]
async fn one_file_promises_nothing_of_another() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    for table in ["rc", "declared"] {
        parquet(
            at,
            &format!("{table}/a.parquet"),
            vec![required("a", numbers(&[Some(1), Some(2)]))],
            10,
        );
        parquet(
            at,
            &format!("{table}/b.parquet"),
            vec![optional("a", numbers(&[Some(3), None]))],
            10,
        );
    }
    let structure = |nullable: bool, values: ArrayRef| -> ArrayRef {
        let field = Arc::new(Field::new("x", DataType::Int64, nullable));
        Arc::new(StructArray::from(vec![(field, values)]))
    };
    parquet(
        at,
        "st/a.parquet",
        vec![required("s", structure(false, numbers(&[Some(1)])))],
        10,
    );
    parquet(
        at,
        "st/b.parquet",
        vec![optional("s", structure(true, numbers(&[None])))],
        10,
    );
    let list = |nullable: bool, value: Option<i64>| -> ArrayRef {
        let list = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![value])]);
        let (_, offsets, values, nulls) = list.into_parts();
        let field = Arc::new(Field::new("item", DataType::Int64, nullable));
        Arc::new(ListArray::new(field, offsets, values, nulls))
    };
    parquet(at, "li/a.parquet", vec![required("l", list(false, Some(1)))], 10);
    parquet(at, "li/b.parquet", vec![optional("l", list(true, None))], 10);
    std::fs::write(path(at, "csv/a.csv"), "a,b\n1,x\n,y\n").expect("writable");
    std::fs::write(path(at, "json/a.json"), "{\"a\":1}\n{\"a\":null}\n{}\n").expect("writable");
    let world = World::over(folder);
    for (table, columns, format) in [
        ("rc", "", "PARQUET"),
        ("declared", "(a BIGINT NOT NULL)", "PARQUET"),
        ("st", "", "PARQUET"),
        ("li", "", "PARQUET"),
        ("csv", "(a BIGINT NOT NULL, b VARCHAR)", "CSV"),
        ("json", "(a BIGINT NOT NULL)", "JSON"),
    ] {
        world.table(table, columns, format).await;
    }
    for table in ["rc", "declared"] {
        world
            .check(
                &format!("SELECT a, a IS NULL FROM {table}"),
                "1,false;2,false;3,false;NULL,true",
            )
            .await;
        world
            .check(&format!("SELECT count(*) FROM {table} WHERE a IS NULL"), "1")
            .await;
        world
            .check(&format!("SELECT count(*) FROM {table} WHERE a IS NOT NULL"), "3")
            .await;
        world
            .check(&format!("SELECT count(a), count(*), min(a) FROM {table}"), "3,4,1")
            .await;
    }
    world
        .check("SELECT s['x'], s['x'] IS NULL FROM st", "1,false;NULL,true")
        .await;
    world
        .check("SELECT l[1], l[1] IS NULL FROM li", "1,false;NULL,true")
        .await;
    world
        .check("SELECT count(*), count(a) FROM csv WHERE a IS NULL", "1,0")
        .await;
    world
        .check("SELECT count(*), count(a) FROM json WHERE a IS NULL", "2,0")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_count_of_nulls_that_is_missing_is_not_zero() {
    let folder = tempfile::tempdir().expect("a folder");
    let values = [Some(5), None, Some(7), Some(8), None, Some(9)];
    for (table, group_rows) in [("one", 10), ("many", 2)] {
        let path = parquet(
            folder.path(),
            &format!("{table}/a.parquet"),
            vec![optional("k", numbers(&values))],
            group_rows,
        );
        restate(&path, 0, |_, _| {
            Some(Statistics::int64(Some(5), Some(9), None, None, false))
        });
    }
    let path = parquet(
        folder.path(),
        "partly/a.parquet",
        vec![optional("k", numbers(&values))],
        2,
    );
    restate(&path, 0, |at, known| match at {
        1 => Some(Statistics::int64(Some(7), Some(8), None, None, false)),
        _ => Some(known.clone()),
    });
    let world = World::over(folder);
    for table in ["one", "many", "partly"] {
        world.table(table, "", "PARQUET").await;
        world
            .check(&format!("SELECT count(k), count(*) FROM {table}"), "4,6")
            .await;
        world
            .check(&format!("SELECT count(*) FROM {table} WHERE k IS NULL"), "2")
            .await;
        world
            .check(&format!("SELECT k FROM {table} ORDER BY k NULLS FIRST LIMIT 1"), "NULL")
            .await;
        world
            .check(&format!("SELECT min(k), max(k) FROM {table} WHERE k > 7"), "8,9")
            .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_groups_without_statistics_are_read() {
    let folder = tempfile::tempdir().expect("a folder");
    let values = [Some(5), Some(6), Some(-100), Some(100)];
    let path = parquet(
        folder.path(),
        "bare/a.parquet",
        vec![optional("k", numbers(&values))],
        2,
    );
    restate(&path, 0, |at, known| (at == 0).then(|| known.clone()));
    let path = parquet(
        folder.path(),
        "no_bounds/a.parquet",
        vec![optional("k", numbers(&values))],
        2,
    );
    restate(&path, 0, |at, known| match at {
        0 => Some(known.clone()),
        _ => Some(Statistics::int64(None, None, None, Some(0), false)),
    });
    let path = parquet(
        folder.path(),
        "no_max/a.parquet",
        vec![optional("k", numbers(&values))],
        2,
    );
    restate(&path, 0, |at, known| match at {
        0 => Some(known.clone()),
        _ => Some(Statistics::int64(Some(-100), None, None, Some(0), false)),
    });
    let words = ["alpha", "beta", "gamma", "delta"];
    let path = parquet(folder.path(), "cut/a.parquet", vec![optional("k", texts(&words))], 2);
    restate(&path, 0, |at, _| {
        let (least, greatest) = [("al", "bf"), ("de", "gb")][at];
        let bound = |text: &str| Some(ByteArray::from(text));
        let bounds = ValueStatistics::new(bound(least), bound(greatest), None, Some(0), false);
        Some(bounds.with_min_is_exact(false).with_max_is_exact(false).into())
    });
    let world = World::over(folder);
    for table in ["bare", "no_bounds", "no_max", "cut"] {
        world.table(table, "", "PARQUET").await;
    }
    for table in ["bare", "no_bounds", "no_max"] {
        world
            .check(&format!("SELECT min(k), max(k), count(k) FROM {table}"), "-100,100,4")
            .await;
        world
            .check(&format!("SELECT k FROM {table} WHERE k = 100"), "100")
            .await;
        world
            .check(&format!("SELECT k FROM {table} ORDER BY k DESC LIMIT 1"), "100")
            .await;
    }
    world.check("SELECT min(k), max(k) FROM cut", "alpha,gamma").await;
    world
        .check("SELECT k FROM cut WHERE k > 'beta' AND k < 'e'", "delta")
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_bounds_of_texts_are_in_another_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = parquet(
        folder.path(),
        "old/a.parquet",
        vec![optional("s", texts(&["a", "é", "z", "ü"]))],
        2,
    );
    restate(&path, 0, |at, _| {
        let (least, greatest) = [("é", "a"), ("ü", "z")][at];
        let bound = |text: &str| Some(ByteArray::from(text));
        Some(Statistics::byte_array(
            bound(least),
            bound(greatest),
            None,
            Some(0),
            true,
        ))
    });
    let world = World::over(folder);
    world.table("old", "", "PARQUET").await;
    world.check("SELECT s FROM old WHERE s = 'é'", "é").await;
    world.check("SELECT min(s), max(s) FROM old", "a,ü").await;
    world.check("SELECT s FROM old ORDER BY s DESC LIMIT 1", "ü").await;
    world.check("SELECT s FROM old WHERE s < 'b' OR s > 'é'", "a;ü").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statistics_of_floats_know_nothing_of_nan() {
    let folder = tempfile::tempdir().expect("a folder");
    let nan = f64::NAN;
    let columns = |values: &[f64]| {
        let ids: Vec<Option<i64>> = (1..=values.len() as i64).map(Some).collect();
        vec![optional("i", numbers(&ids)), optional("x", doubles(values))]
    };
    parquet(folder.path(), "beside/a.parquet", columns(&[3.0, nan, 3.0]), 10);
    parquet(
        folder.path(),
        "spread/a.parquet",
        columns(&[3.0, 3.0, 3.0, nan, 1.0, 2.0]),
        2,
    );
    parquet(folder.path(), "zeros/a.parquet", columns(&[0.0, 0.0, -0.0, -0.0]), 2);
    let world = World::over(folder);
    for table in ["beside", "spread", "zeros"] {
        world.table(table, "", "PARQUET").await;
    }
    world.check("SELECT i FROM beside WHERE x <> 3", "2").await;
    world.check("SELECT count(*) FROM beside WHERE NOT (x = 3)", "1").await;
    world.check("SELECT i FROM spread WHERE x <> 3", "4;5;6").await;
    world.check("SELECT i FROM spread WHERE x = 2", "6").await;
    world
        .check(
            "SELECT CAST(max(x) AS VARCHAR) = (SELECT CAST(max(x) AS VARCHAR) FROM beside WHERE i > 0) FROM beside",
            "true",
        )
        .await;
    world.check("SELECT count(*) FROM zeros WHERE x <= 0", "4").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_counted_by_row_group() {
    let folder = tempfile::tempdir().expect("a folder");
    let values: Vec<Option<i64>> = (1..=6).map(Some).collect();
    for (table, rows) in [("zero", 0), ("few", 2), ("more", 60)] {
        let path = parquet(
            folder.path(),
            &format!("{table}/a.parquet"),
            vec![optional("k", numbers(&values))],
            4,
        );
        edit(&path, |metadata| {
            let file = metadata.file_metadata();
            let (schema, orders) = (file.schema_descr_ptr(), file.column_orders().cloned());
            let file = FileMetaData::new(
                file.version(),
                rows,
                None,
                file.key_value_metadata().cloned(),
                schema,
                orders,
            );
            ParquetMetaData::new(file, metadata.row_groups().to_vec())
        });
    }
    let world = World::over(folder);
    for table in ["zero", "few", "more"] {
        world.table(table, "", "PARQUET").await;
        world.check(&format!("SELECT * FROM {table}"), "1;2;3;4;5;6").await;
        world
            .check(&format!("SELECT count(*), sum(k) FROM {table}"), "6,21")
            .await;
    }
}

/// Days since the Julian epoch, as INT96 counts them, and nanoseconds of the day.
fn int96(julian_day: u32, nanoseconds: u64) -> Int96 {
    let mut value = Int96::new();
    value.set_data(nanoseconds as u32, (nanoseconds >> 32) as u32, julian_day);
    value
}

#[tokio::test(flavor = "multi_thread")]
async fn old_timestamps_reach_beyond_nanoseconds() {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = Arc::new(parse_message_type("message m { OPTIONAL INT96 ts; }").expect("a schema"));
    assert_eq!(schema.get_fields()[0].get_physical_type(), Type::INT96);
    let file = std::fs::File::create(path(folder.path(), "old/a.parquet")).expect("writable");
    let mut writer = SerializedFileWriter::new(file, schema, Arc::default()).expect("a valid schema");
    // 9999-12-31, 1000-01-01, 2020-01-01 12:00:00.000001, and NULL.
    let values = [
        int96(5_373_484, 0),
        int96(2_086_303, 0),
        int96(2_458_850, 43_200_000_001_000),
    ];
    for (values, levels) in [(&values[..2], &[1, 1][..]), (&values[2..], &[1, 0])] {
        let mut group = writer.next_row_group().expect("a row group");
        let mut column = group.next_column().expect("no error").expect("a column");
        column
            .typed::<Int96Type>()
            .write_batch(values, Some(levels), None)
            .expect("written");
        column.close().expect("closed");
        group.close().expect("closed");
    }
    writer.close().expect("closed");
    let world = World::over(folder);
    world.table("old", "", "PARQUET").await;
    world
        .check(
            "SELECT ts FROM old",
            "9999-12-31 00:00:00.000000;1000-01-01 00:00:00.000000;2020-01-01 12:00:00.000001;NULL",
        )
        .await;
    world
        .check(
            "SELECT CAST(max(date_part('year', ts)) AS BIGINT), CAST(min(date_part('year', ts)) AS BIGINT) FROM old",
            "9999,1000",
        )
        .await;
    world
        .check(
            "SELECT count(*) FROM old WHERE ts > TIMESTAMP '2020-01-01 00:00:00'",
            "2",
        )
        .await;
    world.check("SELECT count(*) FROM old WHERE ts IS NULL", "1").await;
}
