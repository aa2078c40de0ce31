//! TPC-H: the eight tables as Parquet files on disk, made once per scale, and the 22 queries.

use arrow::record_batch::RecordBatchReader;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::path::{Path, PathBuf};

pub const TABLES: [&str; 8] = [
    "nation", "region", "part", "supplier", "partsupp", "customer", "orders", "lineitem",
];

/// Rows of a row group: at small scales small enough that there are several of them to split, else what `mayfly load` writes.
fn row_group_rows(scale: f64) -> usize {
    if scale < 1.0 { 32_768 } else { 122_880 }
}

/// The text of query `number`, 1 to 22.
pub fn query(number: u32) -> String {
    let path = root().join(format!("tests/sql/tpch/q{number:02}.sql"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    text.trim().trim_end_matches(';').to_owned()
}

/// The repository's top folder: where the program is started in, or else where it was built.
pub fn root() -> PathBuf {
    let here = std::env::current_dir().expect("the working directory exists");
    let above = here.ancestors().find(|folder| folder.join("tests/sql/tpch").is_dir());
    let built = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
    let root = above.unwrap_or(built).canonicalize();
    root.unwrap_or_else(|_| panic!("start this in a folder of the repository, that which it was built from is gone"))
}

/// Where generated tables are kept between tests: beside the build.
pub(crate) fn store() -> PathBuf {
    let folder = crate::server::binary()
        .parent()
        .expect("a binary lies in a folder")
        .join("tpch");
    std::fs::create_dir_all(&folder).expect("the build folder is writable");
    folder
}

/// A folder with `{table}/part-{n}.parquet` for each table at that scale. Made on the first call; later calls, also from other
/// processes, find it.
pub fn files(scale: f64, parts: i32) -> PathBuf {
    let ready = store().join(format!("sf{scale}-{parts}"));
    if ready.exists() {
        return ready;
    }
    let making = tempfile::tempdir_in(store()).expect("the build folder is writable");
    for table in TABLES {
        let parts = if matches!(table, "nation" | "region") { 1 } else { parts };
        for part in 1..=parts {
            write(making.path(), table, scale, part, parts);
        }
    }
    // Another process may have been faster: then its folder serves, and ours is dropped.
    if std::fs::rename(making.path(), &ready).is_ok() {
        let _ = making.keep();
    }
    assert!(ready.exists());
    ready
}

fn write(folder: &Path, table: &str, scale: f64, part: i32, parts: i32) {
    let folder = folder.join(table);
    std::fs::create_dir_all(&folder).expect("writable");
    let batches = batches(table, scale, part, parts);
    let level = ZstdLevel::try_new(1).expect("a level of zstd");
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(row_group_rows(scale)))
        .build();
    let file = std::fs::File::create(folder.join(format!("part-{part:05}.parquet"))).expect("writable");
    let mut writer = ArrowWriter::try_new(file, batches.schema(), Some(properties)).expect("a valid schema");
    for batch in batches {
        writer.write(&batch.expect("generated")).expect("written");
    }
    writer.close().expect("closed");
}

fn batches(table: &str, scale: f64, part: i32, parts: i32) -> Box<dyn RecordBatchReader> {
    use tpchgen::generators::*;
    use tpchgen_arrow::*;
    match table {
        "nation" => Box::new(NationArrow::new(NationGenerator::new(scale, part, parts))),
        "region" => Box::new(RegionArrow::new(RegionGenerator::new(scale, part, parts))),
        "part" => Box::new(PartArrow::new(PartGenerator::new(scale, part, parts))),
        "supplier" => Box::new(SupplierArrow::new(SupplierGenerator::new(scale, part, parts))),
        "partsupp" => Box::new(PartSuppArrow::new(PartSuppGenerator::new(scale, part, parts))),
        "customer" => Box::new(CustomerArrow::new(CustomerGenerator::new(scale, part, parts))),
        "orders" => Box::new(OrderArrow::new(OrderGenerator::new(scale, part, parts))),
        "lineitem" => Box::new(LineItemArrow::new(LineItemGenerator::new(scale, part, parts))),
        other => panic!("TPC-H has no table {other}"),
    }
}
