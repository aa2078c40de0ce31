//! TPC-DS: its tables as Parquet files, made once beside the build, and its 99 queries with the qualification parameters of the
//! specification.

use crate::tpch::{root, store};
use arrow::array::{RecordBatch, RecordBatchReader};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::path::{Path, PathBuf};
use tpcdsgen::config::{Session, SessionBuilder};

pub const TABLES: [&str; 24] = [
    "call_center",
    "catalog_page",
    "catalog_returns",
    "catalog_sales",
    "customer",
    "customer_address",
    "customer_demographics",
    "date_dim",
    "household_demographics",
    "income_band",
    "inventory",
    "item",
    "promotion",
    "reason",
    "ship_mode",
    "store",
    "store_returns",
    "store_sales",
    "time_dim",
    "warehouse",
    "web_page",
    "web_returns",
    "web_sales",
    "web_site",
];

/// Rows of a row group: few, so that even small tables have several.
const ROW_GROUP_ROWS: usize = 32_768;

/// The statements of query `number`, 1 to 99: one, or two for four of them.
pub fn query(number: u32) -> Vec<String> {
    let path = root().join(format!("tests/sql/tpcds/q{number:02}.sql"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
    let statements = text.split(';').map(str::trim).filter(|statement| !statement.is_empty());
    statements.map(str::to_owned).collect()
}

/// A folder with `{table}/part-00000.parquet` for each table at that scale. Made on the first call; later calls, also from other
/// processes, find it.
pub fn files(scale: f64) -> PathBuf {
    let ready = store().join(format!("ds{scale}"));
    if ready.exists() {
        return ready;
    }
    let making = tempfile::tempdir_in(store()).expect("the build folder is writable");
    for table in TABLES {
        write(making.path(), table, scale);
    }
    // Another process may have been faster: then its folder serves, and ours is dropped.
    if std::fs::rename(making.path(), &ready).is_ok() {
        let _ = making.keep();
    }
    assert!(ready.exists());
    ready
}

fn write(folder: &Path, table: &str, scale: f64) {
    let folder = folder.join(table);
    std::fs::create_dir_all(&folder).expect("writable");
    let session = SessionBuilder::new().with_scale_factor(scale).build();
    let batches = batches(table, session.expect("a valid scale"));
    let level = ZstdLevel::try_new(1).expect("a level of zstd");
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(level))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .build();
    let file = std::fs::File::create(folder.join("part-00000.parquet")).expect("writable");
    let mut writer = ArrowWriter::try_new(file, batches.schema(), Some(properties)).expect("a valid schema");
    for batch in batches {
        let batch: RecordBatch = batch.expect("generated");
        writer.write(&batch).expect("written");
    }
    writer.close().expect("closed");
}

fn batches(table: &str, session: Session) -> Box<dyn RecordBatchReader> {
    use tpcdsgen_arrow::*;
    match table {
        "call_center" => Box::new(CallCenterArrow::new(session)),
        "catalog_page" => Box::new(CatalogPageArrow::new(session)),
        "catalog_returns" => Box::new(CatalogReturnsArrow::new(session)),
        "catalog_sales" => Box::new(CatalogSalesArrow::new(session)),
        "customer" => Box::new(CustomerArrow::new(session)),
        "customer_address" => Box::new(CustomerAddressArrow::new(session)),
        "customer_demographics" => Box::new(CustomerDemographicsArrow::new(session)),
        "date_dim" => Box::new(DateDimArrow::new(session)),
        "household_demographics" => Box::new(HouseholdDemographicsArrow::new(session)),
        "income_band" => Box::new(IncomeBandArrow::new(session)),
        "inventory" => Box::new(InventoryArrow::new(session)),
        "item" => Box::new(ItemArrow::new(session)),
        "promotion" => Box::new(PromotionArrow::new(session)),
        "reason" => Box::new(ReasonArrow::new(session)),
        "ship_mode" => Box::new(ShipModeArrow::new(session)),
        "store" => Box::new(StoreArrow::new(session)),
        "store_returns" => Box::new(StoreReturnsArrow::new(session)),
        "store_sales" => Box::new(StoreSalesArrow::new(session)),
        "time_dim" => Box::new(TimeDimArrow::new(session)),
        "warehouse" => Box::new(WarehouseArrow::new(session)),
        "web_page" => Box::new(WebPageArrow::new(session)),
        "web_returns" => Box::new(WebReturnsArrow::new(session)),
        "web_sales" => Box::new(WebSalesArrow::new(session)),
        "web_site" => Box::new(WebSiteArrow::new(session)),
        other => panic!("TPC-DS has no table {other}"),
    }
}
