//! Tables whose files were written at different times, by different versions of somebody's program.

use super::world::{World, optional, parquet, required};
use arrow::array::{
    ArrayRef, Date32Array, Decimal128Array, Float32Array, Float64Array, Int32Array, Int64Array, NullArray, StringArray,
    StructArray, TimestampMicrosecondArray, TimestampMillisecondArray,
};
use arrow::datatypes::{DataType, Field};
use std::sync::Arc;

fn longs(values: &[i64]) -> ArrayRef {
    Arc::new(Int64Array::from(values.to_vec()))
}

fn ints(values: &[i32]) -> ArrayRef {
    Arc::new(Int32Array::from(values.to_vec()))
}

fn texts(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

#[tokio::test(flavor = "multi_thread")]
async fn columns_come_go_and_move() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    for table in ["moved", "listed", "extra"] {
        let first = vec![optional("a", longs(&[1, 2])), optional("b", texts(&["x", "y"]))];
        parquet(at, &format!("{table}/1.parquet"), first, 1);
        let second = vec![
            optional("c", longs(&[30])),
            optional("B", texts(&["z"])),
            required("a", longs(&[3])),
        ];
        parquet(at, &format!("{table}/2.parquet"), second, 1);
        parquet(at, &format!("{table}/3.parquet"), vec![optional("b", texts(&["w"]))], 1);
    }
    let world = World::over(folder);
    world.table("moved", "", "PARQUET").await;
    world.table("listed", "(b VARCHAR, a BIGINT)", "PARQUET").await;
    world.table("extra", "(c BIGINT)", "PARQUET").await;
    world
        .check("SELECT a, b, c FROM moved", "1,x,NULL;2,y,NULL;3,z,30;NULL,w,NULL")
        .await;
    world.check("SELECT * FROM listed", "x,1;y,2;z,3;w,NULL").await;
    world.check("SELECT * FROM extra", "NULL;NULL;30;NULL").await;
    for table in ["moved", "listed"] {
        world
            .check(
                &format!("SELECT count(*), count(a), min(a), max(a), min(b), max(b) FROM {table}"),
                "4,3,1,3,w,z",
            )
            .await;
        world
            .check(&format!("SELECT b FROM {table} WHERE a IS NULL"), "w")
            .await;
        world.check(&format!("SELECT a FROM {table} WHERE b = 'z'"), "3").await;
        world
            .check(&format!("SELECT a FROM {table} WHERE b >= 'x' AND a > 1"), "2;3")
            .await;
        world
            .check(
                &format!("SELECT b FROM {table} ORDER BY a DESC NULLS LAST LIMIT 2"),
                "z;y",
            )
            .await;
    }
    world
        .check(
            "SELECT x.a, y.c FROM moved x JOIN moved y ON x.b = y.b WHERE y.c > 0",
            "3,30",
        )
        .await;
    let failure = world.no_table("listed_wrong", "(nosuch BIGINT)", "PARQUET").await;
    assert_eq!(failure.name, "NOT_FOUND", "{}", failure.message);
}

#[tokio::test(flavor = "multi_thread")]
async fn types_widen() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    let decimal = |value: i128, precision: u8, scale: i8| -> ArrayRef {
        let values = Decimal128Array::from(vec![value]).with_precision_and_scale(precision, scale);
        Arc::new(values.expect("a valid type"))
    };
    let first = vec![
        optional("i", ints(&[1])),
        optional("f", Arc::new(Float32Array::from(vec![0.5]))),
        optional("d", decimal(150, 5, 2)),
        optional("t", Arc::new(Date32Array::from(vec![1]))),
        optional("m", Arc::new(TimestampMillisecondArray::from(vec![1_500]))),
        optional("n", Arc::new(NullArray::new(1))),
    ];
    let second = vec![
        optional("i", longs(&[5_000_000_000])),
        optional("f", Arc::new(Float64Array::from(vec![0.25]))),
        optional("d", decimal(12_345, 8, 4)),
        optional("t", Arc::new(TimestampMicrosecondArray::from(vec![90_000_000_000]))),
        optional("m", Arc::new(TimestampMicrosecondArray::from(vec![1_500_001]))),
        optional("n", texts(&["text"])),
    ];
    parquet(at, "wider/1.parquet", first, 1);
    parquet(at, "wider/2.parquet", second, 1);
    parquet(at, "narrow/1.parquet", vec![optional("i", longs(&[1]))], 1);
    parquet(at, "other/1.parquet", vec![optional("i", longs(&[1]))], 1);
    parquet(at, "other/2.parquet", vec![optional("i", texts(&["one"]))], 1);
    let structure = |fields: Vec<(&str, ArrayRef)>| -> ArrayRef {
        let field =
            |(name, values): (&str, ArrayRef)| (Arc::new(Field::new(name, values.data_type().clone(), true)), values);
        Arc::new(StructArray::from(fields.into_iter().map(field).collect::<Vec<_>>()))
    };
    parquet(
        at,
        "nested/1.parquet",
        vec![optional("s", structure(vec![("p", ints(&[1]))]))],
        1,
    );
    let grown = structure(vec![("q", texts(&["x"])), ("p", longs(&[2]))]);
    assert!(matches!(grown.data_type(), DataType::Struct(_)));
    parquet(at, "nested/2.parquet", vec![optional("s", grown)], 1);
    let world = World::over(folder);
    world.table("wider", "", "PARQUET").await;
    world.table("nested", "", "PARQUET").await;
    world
        .check("SELECT i, d, n FROM wider", "1,1.5000,NULL;5000000000,1.2345,text")
        .await;
    world.check("SELECT i FROM wider WHERE f = 0.5", "1").await;
    world.check("SELECT i FROM wider WHERE i > 1", "5000000000").await;
    world
        .check(
            "SELECT t, m FROM wider WHERE i = 1",
            "1970-01-02 00:00:00.000000,1970-01-01 00:00:01.500000",
        )
        .await;
    world
        .check(
            "SELECT min(i), max(i), sum(i), max(d) FROM wider",
            "1,5000000000,5000000001,1.5000",
        )
        .await;
    world.check("SELECT i FROM wider WHERE d < 1.3", "5000000000").await;
    world.check("SELECT s['p'], s['q'] FROM nested", "1,NULL;2,x").await;
    world.check("SELECT s['p'] FROM nested WHERE s['q'] IS NULL", "1").await;
    let failure = world.no_table("narrow", "(i INT)", "PARQUET").await;
    assert_eq!(failure.name, "MAYFLY_SCHEMA_MISMATCH", "{}", failure.message);
    let failure = world.no_table("narrow", "(i BIGINT, j BIGINT)", "PARQUET").await;
    assert_eq!(failure.name, "MAYFLY_SCHEMA_MISMATCH", "{}", failure.message);
    assert!(failure.message.contains("'j'"), "{}", failure.message);
    let failure = world.no_table("other", "", "PARQUET").await;
    assert_eq!(failure.name, "MAYFLY_SCHEMA_MISMATCH", "{}", failure.message);
    assert!(
        failure.message.contains("s3://files/other/2.parquet"),
        "{}",
        failure.message
    );
}

/// A file that comes later is read by its own columns, too, or named.
#[tokio::test(flavor = "multi_thread")]
async fn later_files_are_read_as_the_table() {
    let folder = tempfile::tempdir().expect("a folder");
    let kept = folder.keep();
    parquet(
        &kept,
        "later/1.parquet",
        vec![required("a", longs(&[1])), optional("b", texts(&["x"]))],
        1,
    );
    let world = World::over_path(&kept);
    world.table("later", "", "PARQUET").await;
    parquet(
        &kept,
        "later/2.parquet",
        vec![optional("B", texts(&["y"])), optional("new", longs(&[9]))],
        1,
    );
    parquet(&kept, "later/3.parquet", vec![optional("a", ints(&[3]))], 1);
    world.check("SELECT * FROM later", "1,x;NULL,y;3,NULL").await;
    world.check("SELECT count(*) FROM later WHERE a IS NULL", "1").await;
    parquet(&kept, "later/4.parquet", vec![optional("a", texts(&["four"]))], 1);
    world
        .fails(
            "SELECT count(*) FROM later",
            "MAYFLY_SCHEMA_MISMATCH",
            &["s3://files/later/4.parquet", "'a'"],
        )
        .await;
    std::fs::remove_dir_all(&kept).expect("it goes");
}

/// More files than have their footers read when a query is planned: those that nobody saw are held to the table where they are scanned.
#[tokio::test(flavor = "multi_thread")]
async fn many_files_are_checked_like_few() {
    let folder = tempfile::tempdir().expect("a folder");
    let template = parquet(
        folder.path(),
        "template/t.parquet",
        vec![required("i", longs(&[1])), optional("s", texts(&["x"]))],
        10,
    );
    for table in ["cased", "typed"] {
        for file in 0..4_100 {
            let path = super::world::path(folder.path(), &format!("{table}/{file:05}.parquet"));
            std::fs::copy(&template, path).expect("writable");
        }
    }
    let odd = vec![
        optional("S", texts(&["y"])),
        optional("I", Arc::new(Int64Array::from(vec![None])) as ArrayRef),
    ];
    parquet(folder.path(), "cased/01001.parquet", odd, 10);
    parquet(
        folder.path(),
        "typed/01001.parquet",
        vec![optional("i", texts(&["one"])), optional("s", texts(&["x"]))],
        10,
    );
    let world = World::over(folder);
    world.table("cased", "", "PARQUET").await;
    world
        .check_once("SELECT count(*), count(i), sum(i) FROM cased", "4100,4099,4099")
        .await;
    world.check_once("SELECT s FROM cased WHERE i IS NULL", "y").await;
    world.table("typed", "", "PARQUET").await;
    world
        .fails_once(
            "SELECT sum(i) FROM typed",
            "MAYFLY_SCHEMA_MISMATCH",
            &["s3://files/typed/01001.parquet", "'i'"],
        )
        .await;
}
